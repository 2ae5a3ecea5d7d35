//! The gateway's own refusals, in words: what is wrong, and the remedy.

use crate::{
    dialect::GatewayError,
    domain::{Attempt, Endpoint},
    wire::HeadError,
};

const INVALID: &str = "invalid_request_error";

/// A refusal, and the check that made it (a label of `denied_total` and the record's `denied_by`).
pub struct Refusal {
    pub error: GatewayError,
    pub reason: &'static str,
}

fn error(status: u16, kind: &'static str, code: Option<&'static str>, message: impl Into<String>) -> GatewayError {
    GatewayError {
        status,
        kind,
        code,
        param: None,
        message: message.into(),
        retry_after_secs: None,
        attempts: None,
    }
}

fn refusal(reason: &'static str, error: GatewayError) -> Refusal {
    Refusal { error, reason }
}

pub fn invalid_api_key(message: &str) -> Refusal {
    refusal("api_key", error(401, "authentication_error", Some("invalid_api_key"), message))
}

pub fn unavailable(reason: &'static str, message: &str) -> Refusal {
    let mut error = error(503, "server_error", Some("unavailable"), message);
    error.retry_after_secs = Some(1);
    refusal(reason, error)
}

pub fn unknown_path(path: &str) -> Refusal {
    let message = format!("unknown path {path}; the gateway serves /v1/chat/completions, /v1/completions, \
        /v1/embeddings, /v1/responses, /v1/messages, /v1/messages/count_tokens and /v1/models");
    refusal("path", error(404, INVALID, Some("unknown_path"), message))
}

pub fn method_not_allowed(wanted: &str) -> Refusal {
    let message = format!("this path takes {wanted} only");
    refusal("method", error(405, INVALID, Some("method_not_allowed"), message))
}

pub fn headers_too_large(limit: usize) -> Refusal {
    let message = format!("the request's headers may have at most {limit} bytes together");
    refusal("headers_too_large", error(431, INVALID, Some("headers_too_large"), message))
}

pub fn unsupported_encoding() -> Refusal {
    let message = "send the request body without content-encoding";
    refusal("content_encoding", error(415, INVALID, Some("unsupported_media_type"), message))
}

pub fn unsupported_media_type() -> Refusal {
    let message = "send the request body as content-type: application/json";
    refusal("content_type", error(415, INVALID, Some("unsupported_media_type"), message))
}

pub fn request_too_large(limit: u64) -> Refusal {
    let message = format!("the request body may have at most {limit} bytes (server.max_body_mb)");
    refusal("body_too_large", error(413, INVALID, Some("request_too_large"), message))
}

pub fn body_timeout() -> Refusal {
    let message = "the request body did not arrive in time (server.body_timeout_secs)";
    refusal("body_timeout", error(408, INVALID, Some("request_timeout"), message))
}

pub fn bad_body(head: &HeadError) -> Refusal {
    let mut error = error(400, INVALID, Some(head.code), head.message.clone());
    error.param = head.param.map(str::to_owned);
    refusal("body", error)
}

pub fn model_not_found(model: &str) -> Refusal {
    let shown: String = model.chars().take(200).collect();
    let message = format!("model '{shown}' not found; GET /v1/models lists what this key may call");
    let mut error = error(404, INVALID, Some("model_not_found"), message);
    error.param = Some("model".to_owned());
    refusal("model", error)
}

pub fn endpoint_not_spoken(model: &str, endpoint: Endpoint) -> Refusal {
    let message = format!("model '{model}' is served by a vendor that does not speak {} natively, \
        and this version does not translate between dialects", endpoint.as_str());
    let mut error = error(400, INVALID, Some("unsupported_endpoint"), message);
    error.param = Some("model".to_owned());
    refusal("endpoint", error)
}

/// Every route failed (contract 4.2 and 4.3).
pub fn all_routes_failed(status: u16, attempts: Vec<Attempt>, retry_after_secs: Option<u64>) -> GatewayError {
    let (kind, message) = if status == 429 {
        ("rate_limit_error", "every route is rate limited by its vendor; see attempts")
    } else {
        ("server_error", "every route failed; see attempts")
    };
    let mut error = error(status, kind, Some("all_routes_failed"), message);
    error.attempts = Some(attempts);
    error.retry_after_secs = retry_after_secs;
    error
}

/// A stream that had begun cannot be finished.
pub fn stream_cut(message: &str) -> GatewayError {
    error(502, "server_error", Some("stream_error"), message)
}
