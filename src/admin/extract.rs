//! Reading requests: JSON bodies, ids in paths, query strings. Every refusal is flat JSON.

use axum::{
    body::{Bytes, HttpBody as _, to_bytes},
    extract::{FromRequest, FromRequestParts, Query, RawPathParams, Request},
    http::{HeaderMap, header, request::Parts},
};
use http_body_util::LengthLimitError;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::error::AdminError;
use crate::domain::MAX_ADMIN_BODY;

/// Fields whose values no answer repeats.
const SECRETS: [&str; 2] = ["api_key", "credentials"];

/// A JSON object as the body. Unknown fields are ignored.
pub(super) struct Body<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = AdminError;

    async fn from_request(request: Request, _state: &S) -> Result<Self, AdminError> {
        if !is_json(request.headers()) {
            return Err(AdminError::unsupported_media_type());
        }
        let body = to_bytes(request.into_body(), MAX_ADMIN_BODY).await.map_err(|error| {
            let cause = error.into_inner();
            if cause.is::<LengthLimitError>() {
                AdminError::too_large(MAX_ADMIN_BODY >> 20)
            } else {
                AdminError::bad_request("the body could not be read to its end")
            }
        })?;
        parse(&body).map(Self)
    }
}

/// A body that may be left out: then everything in it is absent.
pub(super) struct MaybeBody<T>(pub T);

impl<T: DeserializeOwned + Default, S: Send + Sync> FromRequest<S> for MaybeBody<T> {
    type Rejection = AdminError;

    async fn from_request(request: Request, state: &S) -> Result<Self, AdminError> {
        if request.body().is_end_stream() {
            return Ok(Self(T::default()));
        }
        Ok(Self(Body::from_request(request, state).await?.0))
    }
}

/// `application/json`, or any `application/…+json`, with whatever parameters.
fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let kind = kind.and_then(|text| text.split(';').next()).unwrap_or_default();
    let kind = kind.trim().to_ascii_lowercase();
    kind.strip_prefix("application/").is_some_and(|sub| sub == "json" || sub.ends_with("+json"))
}

fn parse<T: DeserializeOwned>(body: &Bytes) -> Result<T, AdminError> {
    let malformed = |error: &serde_json::Error| {
        AdminError::bad_request(format!("the body is not valid JSON: {error}"))
    };
    // A field that is ignored is not looked into; the text is to be text all the same.
    if std::str::from_utf8(body).is_err() {
        return Err(AdminError::bad_request("the body is not valid JSON: it is not UTF-8"));
    }
    // Derived structs would also read an array, by position.
    if body.iter().find(|byte| !byte.is_ascii_whitespace()).is_some_and(|first| *first != b'{') {
        return Err(AdminError::bad_request("the body must be a JSON object"));
    }
    let mut reader = serde_json::Deserializer::from_slice(body);
    let parsed = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let cause = error.inner();
        let is_json = serde_json::from_slice::<serde::de::IgnoredAny>(body).is_ok();
        if !is_json {
            return malformed(cause);
        }
        let path = error.path().to_string();
        let field = path.split(['.', '[']).next().unwrap_or_default();
        // The parser quotes what it did not expect, and where it expected one of a few words it
        // calls anything but a string a fault of syntax.
        if SECRETS.contains(&field) || !cause.is_data() {
            return AdminError::bad_request(format!("{path}: has another type than it must have"));
        }
        match path.as_str() {
            "." => AdminError::bad_request(cause.to_string()),
            path => AdminError::bad_request(format!("{path}: {cause}")),
        }
    })?;
    reader.end().map_err(|error| malformed(&error))?;
    Ok(parsed)
}

/// The one id of the path, whatever its name there.
pub(super) struct PathId(pub Uuid);

impl<S: Send + Sync> FromRequestParts<S> for PathId {
    type Rejection = AdminError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, AdminError> {
        let params = RawPathParams::from_request_parts(parts, state).await;
        let params = params.map_err(|error| AdminError::bad_request(error.body_text()))?;
        let (name, text) = params.iter().next().unwrap_or(("id", ""));
        uuid(name, text).map(Self)
    }
}

/// The query string. Unknown parameters are ignored.
pub(super) struct Params<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Params<T> {
    type Rejection = AdminError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, AdminError> {
        let params = Query::<T>::from_request_parts(parts, state).await;
        params
            .map(|query| Self(query.0))
            .map_err(|error| AdminError::bad_request(error.body_text()))
    }
}

/// A UUID, or a refusal in the words that clients look for.
pub(super) fn uuid(field: &str, text: &str) -> Result<Uuid, AdminError> {
    Uuid::parse_str(text)
        .map_err(|error| AdminError::bad_request(format!("{field}: UUID parsing failed: {error}")))
}
