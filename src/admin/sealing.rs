//! Upstream keys on their way from a request into an envelope.

use serde::{Deserialize, Deserializer, Serialize};
use uuid::Uuid;
use zeroize::Zeroizing;

use super::error::AdminError;
use crate::{
    domain::OrgId,
    secrets::{Keyring, Secret},
};

/// What the envelope is bound to beside organization and row.
const FIELD: &str = "credentials";

/// An `api_key` as a request has it.
pub(super) struct KeyInput(Secret);

impl<'de> Deserialize<'de> for KeyInput {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(Secret::new(text)))
    }
}

/// The structured form, `credentials`, of which this version knows one field.
#[derive(Deserialize)]
pub(super) struct CredentialsInput {
    api_key: Option<KeyInput>,
}

/// The key of a request: `api_key`, else `credentials.api_key`. Null is as absent.
///
/// # Errors
/// For a key that no HTTP header can carry: usually a line break that was pasted along.
pub(super) fn given_key(
    plain: Option<KeyInput>,
    structured: Option<CredentialsInput>,
) -> Result<Option<KeyInput>, AdminError> {
    let unknown_shape = structured.as_ref().is_some_and(|fields| fields.api_key.is_none());
    if unknown_shape && plain.is_none() {
        let message = "credentials must hold api_key: this version supports API keys only";
        return Err(AdminError::bad_request(message));
    }
    let key = plain.or_else(|| structured.and_then(|fields| fields.api_key));
    if key.as_ref().is_some_and(|key| key.0.expose().bytes().any(|byte| !byte.is_ascii_graphic())) {
        let message = "api_key must be printable ASCII without spaces or line breaks";
        return Err(AdminError::bad_request(message));
    }
    Ok(key)
}

impl KeyInput {
    pub(super) fn is_empty(&self) -> bool {
        self.0.expose().is_empty()
    }

    /// Seals the key for one row of one organization.
    pub(super) fn seal(
        &self,
        keyring: &Keyring,
        org: OrgId,
        row: Uuid,
    ) -> Result<Vec<u8>, AdminError> {
        #[derive(Serialize)]
        struct Plain<'a> {
            api_key: &'a str,
        }
        let plain = serde_json::to_vec(&Plain { api_key: self.0.expose() });
        let plain = Zeroizing::new(plain.map_err(|_| AdminError::internal())?);
        Ok(keyring.seal(org, row, FIELD, &plain)?)
    }
}
