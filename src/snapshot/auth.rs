//! How a provider's requests show who they are from.

use std::sync::Arc;

use aws_credential_types::Credentials;

use crate::secrets::{AwsRole, GoogleIdentity};

/// What a request needs beyond the headers that all of the provider's requests have.
pub enum Auth {
    /// Nothing: the credential is among those headers, or there is none.
    Headers,
    /// A signature of AWS, for this region.
    Aws {
        /// Where the models run.
        region: Arc<str>,
        /// Whose signature.
        source: AwsSource,
    },
    /// An access token of Google.
    Google(GoogleIdentity),
    /// The caller's own OAuth token for Claude.
    Caller,
}

/// Whose signature.
pub enum AwsSource {
    /// An access key's.
    Keys(Credentials),
    /// A role's, by credentials that end and are renewed.
    Role(AwsRole),
}

/// The service that signatures are for.
pub const AWS_SERVICE: &str = "bedrock";
