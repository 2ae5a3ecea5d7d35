//! An error that Claude sends inside a stream.
//!
//! <https://platform.claude.com/docs/en/api/errors>

use crate::dialect::{StreamError, upstream_error};

/// Reads the data of an `error` event, in any known shape.
pub(super) fn read(data: &[u8]) -> StreamError {
    let error = upstream_error::read(500, data);
    let words = [&error.kind, &error.code].into_iter().flatten();
    let status = words.map(|word| status_of(word)).find(Option::is_some).flatten();
    let kind = error.kind.or(error.code).unwrap_or_else(|| "upstream_error".to_owned());
    StreamError { status: status.unwrap_or(500), kind, message: error.message }
}

/// The status that an error of this type has as an answer of its own.
fn status_of(word: &str) -> Option<u16> {
    Some(match word {
        "invalid_request_error" => 400,
        "authentication_error" => 401,
        "billing_error" => 402,
        "permission_error" => 403,
        "not_found_error" => 404,
        "conflict_error" => 409,
        "request_too_large" => 413,
        "rate_limit_error" => 429,
        "api_error" => 500,
        "timeout_error" => 504,
        "overloaded_error" => 529,
        // Those in front of a vendor number theirs.
        number => return number.parse().ok().filter(|status| (400..600).contains(status)),
    })
}
