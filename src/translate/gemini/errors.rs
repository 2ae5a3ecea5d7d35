//! Errors inside of answers: `{"error":{"code","message","status"}}`, or a list around it
//! (<https://ai.google.dev/gemini-api/docs/troubleshooting>).

use serde::Deserialize;

use crate::{
    dialect::{StreamError, upstream_error},
    translate::form::Text,
};

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    error: Status<'a>,
}

/// <https://github.com/googleapis/googleapis/blob/master/google/rpc/status.proto>
#[derive(Default, Deserialize)]
#[serde(default)]
struct Status<'a> {
    code: Option<u16>,
    #[serde(borrow)]
    status: Option<Text<'a>>,
}

/// The error that an event is, if it is one.
pub(super) fn read(data: &[u8]) -> Option<StreamError> {
    let status = match data.trim_ascii_start().first() {
        Some(b'[') => {
            serde_json::from_slice::<Vec<Envelope<'_>>>(data).ok()?.into_iter().next()?.error
        }
        _ => serde_json::from_slice::<Envelope<'_>>(data).ok()?.error,
    };
    let by_name = status.status.as_deref().and_then(status_of);
    let code = status.code.filter(|code| (400..600).contains(code));
    let known = code.or(by_name).unwrap_or(500);
    Some(StreamError {
        status: known,
        kind: status.status.map_or_else(|| "upstream_error".to_owned(), |name| name.0.into_owned()),
        message: upstream_error::read(known, data).message,
    })
}

/// An event that is no answer.
pub(super) fn unreadable(what: &str) -> StreamError {
    let message = format!("the vendor sent {what}");
    StreamError { status: 502, kind: "upstream_error".to_owned(), message }
}

/// <https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto>
fn status_of(name: &str) -> Option<u16> {
    Some(match name {
        "INVALID_ARGUMENT" | "FAILED_PRECONDITION" | "OUT_OF_RANGE" => 400,
        "UNAUTHENTICATED" => 401,
        "PERMISSION_DENIED" => 403,
        "NOT_FOUND" => 404,
        "ALREADY_EXISTS" | "ABORTED" => 409,
        "RESOURCE_EXHAUSTED" => 429,
        "CANCELLED" => 499,
        "INTERNAL" | "UNKNOWN" | "DATA_LOSS" => 500,
        "UNIMPLEMENTED" => 501,
        "UNAVAILABLE" => 503,
        "DEADLINE_EXCEEDED" => 504,
        _ => return None,
    })
}
