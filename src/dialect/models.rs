//! `GET /v1/models`: OpenAI's listing
//! (<https://platform.openai.com/docs/api-reference/models/list>).

use bytes::Bytes;
use serde::Serialize;

/// One entry.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Model<'a> {
    /// What a caller sends as `model`.
    pub id: &'a str,
    object: &'static str,
    /// Unix seconds.
    pub created: i64,
    /// Vendor slug.
    pub owned_by: &'a str,
}

impl<'a> Model<'a> {
    /// An entry for `id`, made at `created` (Unix seconds).
    #[must_use]
    pub const fn new(id: &'a str, owned_by: &'a str, created: i64) -> Self {
        Self { id, object: "model", created, owned_by }
    }
}

/// The body of the listing, in the given order.
#[must_use]
pub fn listing<'a>(models: impl IntoIterator<Item = Model<'a>>) -> Bytes {
    #[derive(Serialize)]
    struct Listing<'a> {
        object: &'static str,
        data: Vec<Model<'a>>,
    }
    let listing = Listing { object: "list", data: models.into_iter().collect() };
    // Strings and numbers always serialize.
    serde_json::to_vec(&listing).unwrap_or_default().into()
}

/// The body of one entry
/// (<https://platform.openai.com/docs/api-reference/models/retrieve>).
#[must_use]
pub fn one(model: &Model<'_>) -> Bytes {
    serde_json::to_vec(model).unwrap_or_default().into()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Model, listing};

    #[test]
    fn the_listing_is_openais() {
        let body = listing([Model::new("gpt-4o", "openai", 1), Model::new("a \"b\"", "custom", 2)]);
        assert_eq!(
            serde_json::from_slice::<Value>(&body).unwrap(),
            json!({"object": "list", "data": [
                {"id": "gpt-4o", "object": "model", "created": 1, "owned_by": "openai"},
                {"id": "a \"b\"", "object": "model", "created": 2, "owned_by": "custom"},
            ]})
        );
        assert_eq!(&listing([])[..], br#"{"object":"list","data":[]}"#);
    }
}
