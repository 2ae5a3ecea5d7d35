//! An error that a vendor sent inside a stream.

use serde_json::Value;

use super::upstream_error::{UpstreamError, read_value};

/// An error event, with the status that it would have had as an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamError {
    /// Status by the error's code or type; 500 where neither says.
    pub status: u16,
    /// The vendor's type or code.
    pub kind: String,
    /// The vendor's message, shortened.
    pub message: String,
}

impl StreamError {
    /// Reads the JSON of an error in any shape that vendors use, or of the member that holds it.
    #[must_use]
    pub fn of(raw: &[u8]) -> Self {
        let error = match serde_json::from_slice::<Value>(raw).unwrap_or_default() {
            Value::String(message) => UpstreamError { message, ..UpstreamError::default() },
            value => read_value(&value).unwrap_or_else(|| UpstreamError {
                message: "the provider reported an error without a message".to_owned(),
                ..UpstreamError::default()
            }),
        };
        Self::new(error)
    }

    /// Whether the caller's request is at fault, so that no other route would do better.
    #[must_use]
    pub const fn is_callers(&self) -> bool {
        matches!(self.status, 400..500) && !matches!(self.status, 401 | 403 | 408 | 429)
    }

    pub(super) fn new(error: UpstreamError) -> Self {
        let status = [&error.code, &error.kind]
            .into_iter()
            .flatten()
            .find_map(|word| status_of(word))
            .unwrap_or(500);
        let kind = error.kind.or(error.code).unwrap_or_else(|| "upstream_error".to_owned());
        Self { status, kind, message: error.message }
    }
}

/// <https://docs.claude.com/en/api/errors>, <https://platform.openai.com/docs/guides/error-codes>
fn status_of(word: &str) -> Option<u16> {
    if let Ok(status) = word.parse() {
        return (400..600).contains(&status).then_some(status);
    }
    Some(match word {
        "invalid_request_error" | "context_length_exceeded" | "invalid_prompt" => 400,
        "authentication_error" | "invalid_api_key" => 401,
        "billing_error" => 402,
        "permission_error" | "permission_denied" => 403,
        "not_found_error" | "model_not_found" => 404,
        "conflict_error" => 409,
        "request_too_large" => 413,
        "rate_limit_error" | "rate_limit_exceeded" | "insufficient_quota" | "too_many_requests" => {
            429
        }
        "api_error" | "server_error" | "internal_error" => 500,
        "service_unavailable" => 503,
        "timeout_error" => 504,
        "overloaded_error" | "overloaded" => 529,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::{StreamError, UpstreamError};

    #[test]
    fn the_status_is_that_of_the_code_or_else_of_the_type() {
        for (kind, code, status) in [
            (Some("overloaded_error"), None, 529),
            (Some("tokens"), Some("rate_limit_exceeded"), 429),
            (Some("invalid_request_error"), Some("weird"), 400),
            (None, Some("503"), 503),
            (Some("odd"), Some("1234"), 500),
            (None, None, 500),
        ] {
            let error = UpstreamError {
                kind: kind.map(str::to_owned),
                code: code.map(str::to_owned),
                ..UpstreamError::default()
            };
            assert_eq!(StreamError::new(error).status, status, "{kind:?} {code:?}");
        }
    }
}
