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
