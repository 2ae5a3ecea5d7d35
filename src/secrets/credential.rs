//! The form in which an upstream credential is sealed: a JSON object whose fields say what it is, so
//! that later auth types can add fields without a change of the store.

use serde::{Deserialize, Serialize};
use uuid::Uuid;
use zeroize::Zeroizing;

use super::{Keyring, SealError, Secret};
use crate::domain::OrgId;

/// What the envelope is bound to beside organization and row.
const FIELD: &str = "credentials";

/// What an upstream asks for, and what must not be shown again.
#[derive(Clone, Debug)]
pub enum Credential {
    /// One key.
    ApiKey(Secret),
    /// A role to be assumed.
    AwsRole {
        /// `arn:aws:iam::…:role/…`
        iam_role_arn: String,
        /// What its trust policy asks for.
        external_id: String,
    },
    /// An access key of AWS.
    AwsKeys {
        /// Its id.
        access_key_id: String,
        /// Its secret.
        secret_access_key: Secret,
        /// Of temporary keys.
        session_token: Option<Secret>,
    },
    /// A service account's key.
    GoogleServiceAccount {
        /// Whose.
        client_email: String,
        /// PEM.
        private_key: Secret,
        /// Where it is exchanged; none: Google's usual place.
        token_uri: Option<String>,
    },
    /// A service account to act as.
    GoogleImpersonation {
        /// Its e-mail address or id.
        target_service_account: String,
    },
}

impl Credential {
    /// What it must not share with a credential of another organization: what it gives access to is
    /// guarded by the gateway's own identity, which is everybody's. None where the secret is guard
    /// enough.
    #[must_use]
    pub fn claim(&self) -> Option<String> {
        match self {
            Self::AwsRole { iam_role_arn, external_id } => {
                Some(format!("aws_role {iam_role_arn} {external_id}"))
            }
            Self::GoogleImpersonation { target_service_account } => {
                let target = target_service_account.to_lowercase();
                Some(format!("google_impersonation {target}"))
            }
            _ => None,
        }
    }
}

#[derive(Default, Serialize)]
struct Written<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    api_key: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    iam_role_arn: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    external_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    access_key_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret_access_key: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    session_token: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_email: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    private_key: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token_uri: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    target_service_account: Option<&'a str>,
}

#[derive(Deserialize)]
struct Read {
    api_key: Option<Secret>,
    iam_role_arn: Option<String>,
    external_id: Option<String>,
    access_key_id: Option<String>,
    secret_access_key: Option<Secret>,
    session_token: Option<Secret>,
    client_email: Option<String>,
    private_key: Option<Secret>,
    token_uri: Option<String>,
    target_service_account: Option<String>,
}

impl<'a> From<&'a Credential> for Written<'a> {
    fn from(credential: &'a Credential) -> Self {
        match credential {
            Credential::ApiKey(key) => Self { api_key: Some(key.expose()), ..Self::default() },
            Credential::AwsRole { iam_role_arn, external_id } => Self {
                iam_role_arn: Some(iam_role_arn),
                external_id: Some(external_id),
                ..Self::default()
            },
            Credential::AwsKeys { access_key_id, secret_access_key, session_token } => Self {
                access_key_id: Some(access_key_id),
                secret_access_key: Some(secret_access_key.expose()),
                session_token: session_token.as_ref().map(Secret::expose),
                ..Self::default()
            },
            Credential::GoogleServiceAccount { client_email, private_key, token_uri } => Self {
                client_email: Some(client_email),
                private_key: Some(private_key.expose()),
                token_uri: token_uri.as_deref(),
                ..Self::default()
            },
            Credential::GoogleImpersonation { target_service_account } => {
                Self { target_service_account: Some(target_service_account), ..Self::default() }
            }
        }
    }
}

impl Read {
    fn credential(self) -> Option<Credential> {
        if let Some(key) = self.api_key {
            return (!key.expose().is_empty()).then_some(Credential::ApiKey(key));
        }
        if let (Some(iam_role_arn), Some(external_id)) = (self.iam_role_arn, self.external_id) {
            return Some(Credential::AwsRole { iam_role_arn, external_id });
        }
        if let (Some(access_key_id), Some(secret_access_key)) =
            (self.access_key_id, self.secret_access_key)
        {
            let session_token = self.session_token;
            return Some(Credential::AwsKeys { access_key_id, secret_access_key, session_token });
        }
        if let (Some(client_email), Some(private_key)) = (self.client_email, self.private_key) {
            let token_uri = self.token_uri;
            return Some(Credential::GoogleServiceAccount { client_email, private_key, token_uri });
        }
        self.target_service_account.map(|target_service_account| Credential::GoogleImpersonation {
            target_service_account,
        })
    }
}

/// Seals a credential for one row (a connection or a provider) of one organization.
///
/// # Errors
/// [`SealError::Cipher`] when the cipher cannot be used.
pub fn seal_credential(
    keyring: &Keyring,
    org: OrgId,
    row: Uuid,
    credential: &Credential,
) -> Result<Vec<u8>, SealError> {
    let plain = serde_json::to_vec(&Written::from(credential)).map_err(|_| SealError::Content)?;
    keyring.seal(org, row, FIELD, &Zeroizing::new(plain))
}

/// Opens what [`seal_credential`] made for the same row. None where nothing is in it that this version
/// knows, or an empty key.
///
/// # Errors
/// When the value was made under another root, for another row, or was changed.
pub fn open_credential(
    keyring: &Keyring,
    org: OrgId,
    row: Uuid,
    sealed: &[u8],
) -> Result<Option<Credential>, SealError> {
    let plain = keyring.open(org, row, FIELD, sealed)?;
    let found: Read = serde_json::from_slice(&plain).map_err(|_| SealError::Content)?;
    Ok(found.credential())
}

/// [`seal_credential`] of a key.
///
/// # Errors
/// As there.
pub fn seal_api_key(
    keyring: &Keyring,
    org: OrgId,
    row: Uuid,
    api_key: &str,
) -> Result<Vec<u8>, SealError> {
    let key = Secret::new(api_key.to_owned());
    seal_credential(keyring, org, row, &Credential::ApiKey(key))
}

/// The key, if that is what was sealed.
///
/// # Errors
/// As [`open_credential`].
pub fn open_api_key(
    keyring: &Keyring,
    org: OrgId,
    row: Uuid,
    sealed: &[u8],
) -> Result<Option<Secret>, SealError> {
    Ok(match open_credential(keyring, org, row, sealed)? {
        Some(Credential::ApiKey(key)) => Some(key),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_comes_back_as_it_was() {
        let (ring, org, row) = (Keyring::new([1; 32]), OrgId::random(), Uuid::new_v4());
        let sealed = seal_api_key(&ring, org, row, "sk-\"quoted\"").unwrap();
        let key = open_api_key(&ring, org, row, &sealed).unwrap().unwrap();
        assert_eq!(key.expose(), "sk-\"quoted\"");
        assert!(open_api_key(&ring, org, Uuid::new_v4(), &sealed).is_err());
    }

    #[test]
    fn an_empty_key_is_none() {
        let (ring, org, row) = (Keyring::new([1; 32]), OrgId::random(), Uuid::new_v4());
        let sealed = seal_api_key(&ring, org, row, "").unwrap();
        assert!(open_api_key(&ring, org, row, &sealed).unwrap().is_none());
    }

    #[test]
    fn fields_of_later_versions_do_no_harm_and_other_content_is_told() {
        let (ring, org, row) = (Keyring::new([1; 32]), OrgId::random(), Uuid::new_v4());
        let open = |plain: &[u8]| {
            let sealed = ring.seal(org, row, FIELD, plain).unwrap();
            open_api_key(&ring, org, row, &sealed).map(|key| key.is_some())
        };
        assert_eq!(open(br#"{"api_key":"a","session":"b"}"#), Ok(true));
        assert_eq!(open(br#"{"session":"b"}"#), Ok(false));
        assert_eq!(open(b"sk-raw"), Err(SealError::Content));
    }

    #[test]
    fn every_kind_comes_back_as_it_was() {
        let secret = |text: &str| Secret::new(text.to_owned());
        let (ring, org, row) = (Keyring::new([1; 32]), OrgId::random(), Uuid::new_v4());
        for credential in [
            Credential::AwsRole { iam_role_arn: "arn".into(), external_id: "e".into() },
            Credential::AwsKeys {
                access_key_id: "AKIA".into(),
                secret_access_key: secret("s"),
                session_token: Some(secret("t")),
            },
            Credential::GoogleServiceAccount {
                client_email: "a@b".into(),
                private_key: secret("pem"),
                token_uri: Some("https://t".into()),
            },
            Credential::GoogleImpersonation { target_service_account: "a@b".into() },
        ] {
            let sealed = seal_credential(&ring, org, row, &credential).unwrap();
            let opened = open_credential(&ring, org, row, &sealed).unwrap().unwrap();
            let plain = |credential| serde_json::to_string(&Written::from(credential)).unwrap();
            assert_eq!(plain(&opened), plain(&credential));
            assert!(open_api_key(&ring, org, row, &sealed).unwrap().is_none());
        }
    }

    #[test]
    fn what_the_gateways_own_identity_opens_is_claimed() {
        let role = |external_id: &str| Credential::AwsRole {
            iam_role_arn: "arn".into(),
            external_id: external_id.into(),
        };
        assert_eq!(role("1").claim(), role("1").claim());
        assert_ne!(role("1").claim(), role("2").claim());
        let target = |target: &str| {
            Credential::GoogleImpersonation { target_service_account: target.into() }.claim()
        };
        assert_eq!(target("A@p.iam"), target("a@p.iam"));
        assert_eq!(Credential::ApiKey(Secret::new("k".into())).claim(), None);
    }
}
