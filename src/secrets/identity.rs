//! Who the gateway is at a cloud on an organization's behalf: what credentials are asked for with.

use std::{
    fmt,
    hash::{Hash, Hasher},
};

use super::Secret;

/// A role of an organization's AWS account, which the gateway assumes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AwsRole {
    /// Where STS is asked, and where the credentials are used.
    pub region: String,
    /// `arn:aws:iam::…:role/…`
    pub arn: String,
    /// What the role's trust policy asks for.
    pub external_id: String,
}

/// Whom an access token of Google is for.
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum GoogleIdentity {
    /// The gateway's own.
    Adc,
    /// A service account, by its key.
    ServiceAccount(ServiceAccount),
    /// A service account that the gateway's own identity may act as: its e-mail address or id.
    Impersonation(String),
}

impl GoogleIdentity {
    /// Whether its tokens are the platform's: they go to trusted hosts only.
    #[must_use]
    pub const fn is_platforms(&self) -> bool {
        !matches!(self, Self::ServiceAccount(_))
    }
}

impl fmt::Debug for GoogleIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Adc => "Adc",
            Self::ServiceAccount(_) => "ServiceAccount",
            Self::Impersonation(_) => "Impersonation",
        })
    }
}

/// A service account's key.
#[derive(Clone)]
pub struct ServiceAccount {
    /// Who it is.
    pub client_email: String,
    /// PEM (PKCS#8).
    pub private_key: Secret,
    /// Where the signed assertion is exchanged.
    pub token_uri: String,
}

impl PartialEq for ServiceAccount {
    fn eq(&self, other: &Self) -> bool {
        self.client_email == other.client_email
            && self.token_uri == other.token_uri
            && self.private_key.expose() == other.private_key.expose()
    }
}

impl Eq for ServiceAccount {}

impl Hash for ServiceAccount {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.client_email.hash(state);
        self.token_uri.hash(state);
    }
}
