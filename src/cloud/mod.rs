//! Services of clouds that the gateway itself calls: credentials of AWS and Google, keys of Vault.
//! Models are not called from here.

pub mod aws;
mod error;
pub mod google;
mod renew;
mod vault;

pub use aws::Aws;
pub use error::CloudError;
pub use google::Google;
pub use renew::Renewed;
pub use vault::Vault;

use crate::net::TrustedHosts;

/// What credentials for vendors are got from, and where they may go. Clones share it.
#[derive(Clone)]
pub struct Clouds {
    /// Credentials of AWS.
    pub aws: Aws,
    /// Access tokens of Google.
    pub google: Google,
    /// `upstream.trusted_hosts`
    pub trusted: TrustedHosts,
}
