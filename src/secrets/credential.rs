//! The form in which an upstream credential is sealed: a JSON object, so that later auth types can add
//! fields without a change of the store.

use serde::{Deserialize, Serialize};
use uuid::Uuid;
use zeroize::Zeroizing;

use super::{Keyring, SealError, Secret};
use crate::domain::OrgId;

/// What the envelope is bound to beside organization and row.
const FIELD: &str = "credentials";

#[derive(Serialize)]
struct Written<'a> {
    api_key: &'a str,
}

#[derive(Deserialize)]
struct Read {
    api_key: Option<String>,
}

/// Seals an API key for one row (a credential or a provider) of one organization.
///
/// # Errors
/// [`SealError::Cipher`] when the cipher cannot be used.
pub fn seal_api_key(
    keyring: &Keyring,
    org: OrgId,
    row: Uuid,
    api_key: &str,
) -> Result<Vec<u8>, SealError> {
    let plain = serde_json::to_vec(&Written { api_key }).map_err(|_| SealError::Content)?;
    keyring.seal(org, row, FIELD, &Zeroizing::new(plain))
}

/// Opens what [`seal_api_key`] made for the same row. None where the key is empty or absent.
///
/// # Errors
/// When the value was made under another root, for another row, or was changed.
pub fn open_api_key(
    keyring: &Keyring,
    org: OrgId,
    row: Uuid,
    sealed: &[u8],
) -> Result<Option<Secret>, SealError> {
    let plain = keyring.open(org, row, FIELD, sealed)?;
    let found: Read = serde_json::from_slice(&plain).map_err(|_| SealError::Content)?;
    Ok(found.api_key.map(Secret::new).filter(|key| !key.expose().is_empty()))
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
}
