//! Lists that grow without bound are read in pages: `?limit=&cursor=`, and the filters that they
//! share. Parameters are read as text, so that each refusal names its own.
//!
//! Pages of records say in their body where to go on. Lists that are answered as an array, which they
//! were before they had pages, say it in a header, and are whole where no page is asked for.

use axum::{
    Json,
    http::{HeaderMap, HeaderName, HeaderValue},
    response::{IntoResponse, Response},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;
use uuid::Uuid;

use super::{error::AdminError, extract::uuid};
use crate::domain::Timestamp;

/// Entries of a page where nothing else is asked for.
pub(super) const DEFAULT_LIMIT: u32 = 50;
/// Most entries of a page.
pub(super) const MAX_LIMIT: u32 = 500;

/// Most characters of a search.
const MAX_SEARCH: usize = 256;
/// Most ids that entries are picked by.
const MAX_IDS: usize = 100;
/// How many entries there are on all pages, where that is known.
pub(super) const TOTAL_COUNT: HeaderName = HeaderName::from_static("x-total-count");
/// Where an array is one page, it says here where the next begins.
pub(super) const NEXT_CURSOR: HeaderName = HeaderName::from_static("x-next-cursor");

/// Which part of a list that is answered as an array, as text.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Listing {
    /// What must occur in an entry, in whatever case its letters A to Z are.
    #[param(max_length = 256)]
    q: Option<String>,
    /// Most entries of the answer; 50 if only `cursor` is given. With neither the answer is the whole
    /// list.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 500)]
    limit: Option<String>,
    /// `x-next-cursor` of the page before.
    cursor: Option<String>,
}

impl Listing {
    /// `q`; an empty one does not narrow.
    pub(super) fn search(&self) -> Result<Option<&str>, AdminError> {
        let Some(text) = self.q.as_deref().filter(|text| !text.is_empty()) else { return Ok(None) };
        if text.chars().count() > MAX_SEARCH {
            let message = format!("q must have at most {MAX_SEARCH} characters");
            return Err(AdminError::bad_request(message));
        }
        if text.contains('\0') {
            return Err(AdminError::bad_request("q must not contain the character U+0000"));
        }
        Ok(Some(text))
    }

    /// `limit`; none is the whole list.
    pub(super) fn limit(&self) -> Result<Option<u32>, AdminError> {
        let is_page = self.limit.is_some() || self.cursor.is_some();
        is_page.then(|| limit(self.limit.as_deref())).transpose()
    }

    /// `cursor`, of a list that goes on from a time and an id.
    pub(super) fn after(&self) -> Result<Option<Cursor>, AdminError> {
        Cursor::read(self.cursor())
    }

    /// `cursor` as it was given.
    pub(super) fn cursor(&self) -> Option<&str> {
        self.cursor.as_deref()
    }
}

/// Which entries alone, as text.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Picked {
    /// Only those of these ids: at most 100, with commas between them; an empty one names none. What has
    /// none of them is not missed. It takes no other parameter beside it.
    #[param(max_length = 3700)]
    id: Option<String>,
}

impl Picked {
    /// `id`; none does not pick.
    pub(super) fn ids(&self, listing: &Listing) -> Result<Option<Vec<Uuid>>, AdminError> {
        let Some(text) = self.id.as_deref() else { return Ok(None) };
        if listing.q.is_some() || listing.limit.is_some() || listing.cursor.is_some() {
            return Err(AdminError::bad_request("id excludes q, limit and cursor"));
        }
        if text.is_empty() {
            return Ok(Some(Vec::new()));
        }
        if text.split(',').count() > MAX_IDS {
            return Err(AdminError::bad_request(format!("id must name at most {MAX_IDS} ids")));
        }
        text.split(',').map(|each| uuid("id", each)).collect::<Result<_, _>>().map(Some)
    }
}

/// The array, or one page of it and where the next begins.
pub(super) struct Listed<T> {
    pub(super) entries: Vec<T>,
    /// A cursor.
    pub(super) next: Option<String>,
    /// Of all pages, where they were counted.
    pub(super) total: Option<usize>,
}

impl<T> Listed<T> {
    /// The same part, of what each entry is shown as.
    pub(super) fn map<U>(self, show: impl FnMut(T) -> U) -> Listed<U> {
        let entries = self.entries.into_iter().map(show).collect();
        Listed { entries, next: self.next, total: self.total }
    }
}

impl<T: Serialize> IntoResponse for Listed<T> {
    fn into_response(self) -> Response {
        let mut response = Json(self.entries).into_response();
        if let Some(total) = self.total {
            response.headers_mut().insert(TOTAL_COUNT, HeaderValue::from(total));
        }
        if let Some(next) = self.next {
            tell(response.headers_mut(), &next);
        }
        response
    }
}

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
        Self::parse(text).map(Some).ok_or_else(Self::refused)
    }

    /// It is of no page.
    pub(super) fn refused() -> AdminError {
        let message = "cursor must be the next_cursor or x-next-cursor of an earlier page";
        AdminError::bad_request(message)
    }
}

/// Tells clients in [`NEXT_CURSOR`] where to go on.
pub(super) fn tell(headers: &mut HeaderMap, cursor: &str) {
    // Letters, digits, `-` and `_`: no header refuses them.
    if let Ok(value) = HeaderValue::from_str(cursor) {
        headers.insert(NEXT_CURSOR, value);
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
