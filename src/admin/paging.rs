//! Lists that grow without bound are read in pages: `?limit=&cursor=`, and the filters that they
//! share. Parameters are read as text, so that each refusal names its own.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use uuid::Uuid;

use super::{error::AdminError, extract::uuid};
use crate::domain::Timestamp;

/// Entries of a page where nothing else is asked for.
pub(super) const DEFAULT_LIMIT: u32 = 50;
/// Most entries of a page.
pub(super) const MAX_LIMIT: u32 = 500;

/// Where a page ended: time and id of its last entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cursor {
    pub(super) ts: Timestamp,
    pub(super) id: Uuid,
}

impl Cursor {
    /// Opaque to clients: 24 bytes in base64url.
    pub(super) fn write(self) -> String {
        let mut bytes = [0; 24];
        let (ts, id) = bytes.split_at_mut(8);
        ts.copy_from_slice(&self.ts.0.to_be_bytes());
        id.copy_from_slice(self.id.as_bytes());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    fn parse(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (ts, id) = bytes.split_first_chunk::<8>()?;
        let ts = Timestamp(i64::from_be_bytes(*ts));
        Some(Self { ts, id: Uuid::from_slice(id).ok()? })
    }

    /// `cursor`
    pub(super) fn read(text: Option<&str>) -> Result<Option<Self>, AdminError> {
        let Some(text) = text else { return Ok(None) };
        let cursor = Self::parse(text);
        let message = "cursor must be the next_cursor of an earlier page";
        cursor.map(Some).ok_or_else(|| AdminError::bad_request(message))
    }
}

/// `limit`
pub(super) fn limit(text: Option<&str>) -> Result<u32, AdminError> {
    let Some(text) = text else { return Ok(DEFAULT_LIMIT) };
    let value = text.parse().ok().filter(|limit| (1..=MAX_LIMIT).contains(limit));
    value.ok_or_else(|| AdminError::bad_request(format!("limit must be between 1 and {MAX_LIMIT}")))
}

/// A time, such as `from`.
pub(super) fn time(field: &str, text: Option<&str>) -> Result<Option<Timestamp>, AdminError> {
    let read = |text: &str| {
        text.parse().map_err(|_| {
            AdminError::bad_request(format!("{field} must be a time such as 2026-06-12T18:30:00Z"))
        })
    };
    text.map(read).transpose()
}

/// An id, such as `user`.
pub(super) fn id(field: &str, text: Option<&str>) -> Result<Option<Uuid>, AdminError> {
    text.map(|text| uuid(field, text)).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_comes_back_as_it_went() {
        let at = Cursor { ts: Timestamp(1_234_567_890), id: Uuid::new_v4() };
        assert_eq!(Cursor::read(Some(&at.write())).unwrap(), Some(at));
    }

    #[test]
    fn any_other_text_is_no_cursor() {
        for text in ["", "x", "%%%", &"A".repeat(200)] {
            assert!(Cursor::read(Some(text)).is_err(), "{text}");
        }
    }
}
