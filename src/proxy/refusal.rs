//! The gateway's own refusals, in words: what is wrong, and the remedy.

use crate::{
    dialect::{
        GatewayError,
        errors::{GATEWAY, INVALID_REQUEST, RATE_LIMIT, UPSTREAM},
    },
    domain::{Attempt, CURRENCY, Endpoint},
    govern::{Amount, Block, Reason, Rule, Shortage},
    wire::HeadError,
};

/// A refusal, and the check that made it (a label of `denied_total` and the record's `denied_by`).
pub struct Refusal {
    pub error: Box<GatewayError>,
    pub reason: &'static str,
}

/// The reason after which a connection is not used again.
pub const BAD_FRAMING: &str = "framing";

/// The caller's fault.
fn refuse(
    reason: &'static str,
    status: u16,
    code: &'static str,
    message: impl Into<String>,
) -> Refusal {
    let error = GatewayError::new(status, INVALID_REQUEST, message).code(code);
    Refusal { error: Box::new(error), reason }
}

pub fn invalid_api_key(message: &str) -> Refusal {
    refuse("api_key", 401, "invalid_api_key", message)
}

/// A session that may not be used like this.
pub fn session(status: u16, message: String) -> Refusal {
    refuse("session", status, "session_refused", message)
}

/// A provider that forwards the caller's own OAuth token serves the Messages endpoints alone.
pub fn oauth_endpoint(provider: &str, endpoint: Endpoint) -> Refusal {
    let message = format!(
        "provider '{provider}' is called with the caller's own Claude OAuth token, which is forwarded on \
         the Messages endpoint only: send the request to POST /v1/messages instead of {}",
        endpoint.as_str()
    );
    refuse("oauth_endpoint", 401, "oauth_messages_only", message)
}

/// The caller's own OAuth token is missing, or is none.
pub fn oauth_token(provider: &str) -> Refusal {
    let message = format!(
        "provider '{provider}' is called with the caller's own Claude OAuth token: send it as \
         'Authorization: Bearer sk-ant-oat…', and the gateway's key as 'x-api-key: bd-…'"
    );
    refuse("oauth_token", 401, "oauth_token_required", message)
}

/// The gateway's fault, and soon over.
pub fn unavailable(reason: &'static str, message: &str) -> Refusal {
    let error = GatewayError::new(503, GATEWAY, message).code("unavailable").retry_after(1);
    Refusal { error: Box::new(error), reason }
}

pub fn no_room() -> Refusal {
    unavailable("buffer_full", "the gateway holds as many request bodies as it may; try again")
}

pub fn unknown_path(path: &str) -> Refusal {
    let message = format!(
        "unknown path {path}; the gateway serves /v1/chat/completions, /v1/completions, \
         /v1/embeddings, /v1/responses, /v1/messages, /v1/messages/count_tokens and /v1/models"
    );
    refuse("path", 404, "unknown_path", message)
}

pub fn method_not_allowed(wanted: &str) -> Refusal {
    refuse("method", 405, "method_not_allowed", format!("this path takes {wanted} only"))
}

pub fn headers_too_large(limit: usize) -> Refusal {
    let message = format!("the request's headers may have at most {limit} bytes together");
    refuse("headers_too_large", 431, "headers_too_large", message)
}

/// Where the request ends is in doubt: its connection carries no other.
pub fn bad_framing(message: &str) -> Refusal {
    refuse(BAD_FRAMING, 400, "invalid_request", message)
}

/// Pingora could not read the header, and answered with `status`.
pub fn unreadable(status: u16) -> Refusal {
    if status == 405 {
        return refuse("unreadable", 405, "method_not_allowed", "the gateway takes no CONNECT");
    }
    let message = "the request's header cannot be read: send HTTP/1.1 with at most 256 header lines, none \
                   of them folded, a target of at most 65534 bytes, and one Content-Length or \
                   Transfer-Encoding: chunked";
    refuse("unreadable", status, "invalid_request", message)
}

pub fn unsupported_encoding() -> Refusal {
    let message = "send the request body without content-encoding";
    refuse("content_encoding", 415, "unsupported_media_type", message)
}

pub fn unsupported_media_type() -> Refusal {
    let message = "send the request body as content-type: application/json";
    refuse("content_type", 415, "unsupported_media_type", message)
}

pub fn request_too_large(limit: u64) -> Refusal {
    let message = format!("the request body may have at most {limit} bytes (server.max_body_mb)");
    refuse("body_too_large", 413, "request_too_large", message)
}

pub fn body_timeout() -> Refusal {
    let message = "the request body did not arrive in time (server.body_timeout_secs)";
    refuse("body_timeout", 408, "request_timeout", message)
}

pub fn bad_body(head: &HeadError) -> Refusal {
    let mut refusal = refuse("body", 400, head.code, head.message.clone());
    refusal.error.param = head.param.map(str::to_owned);
    refusal
}

pub fn model_not_found(model: &str) -> Refusal {
    let shown: String = model.chars().take(200).collect();
    let message = format!("model '{shown}' not found; GET /v1/models lists what this key may call");
    about_model(refuse("model", 404, "model_not_found", message))
}

pub fn model_not_allowed(model: &str) -> Refusal {
    let shown: String = model.chars().take(200).collect();
    let message = format!("model '{shown}' is not allowed for this caller");
    let error = GatewayError::new(403, INVALID_REQUEST, message).code("model_not_allowed");
    about_model(Refusal { error: Box::new(error), reason: "model_access" })
}

/// A rate limit or a budget is used up.
pub fn limit_reached(by: &Block, policy: &str) -> Refusal {
    let (reason, code) = match by.reason {
        Reason::Requests | Reason::Tokens => ("rate_limit", "rate_limit_exceeded"),
        Reason::BudgetTokens | Reason::BudgetCost => ("budget", "budget_exceeded"),
    };
    let seconds = by.retry_after.as_secs() + u64::from(by.retry_after.subsec_nanos() > 0);
    let message = format!("{}; try again in {} s", used_up(by, policy), seconds.max(1));
    let error = GatewayError::new(429, RATE_LIMIT, message).code(code).retry_after(seconds.max(1));
    Refusal { error: Box::new(error), reason }
}

/// Which limit or budget is used up, and what it allows.
pub fn used_up(by: &Block, policy: &str) -> String {
    match (by.reason, &by.check.rule) {
        _ if has_something_left(by) => too_little(by, policy),
        (Reason::Requests, Rule::Rate { requests: Some(limit), .. }) => {
            format!("rate limit '{policy}' is reached: {limit} requests per minute")
        }
        (Reason::Tokens, Rule::Rate { tokens: Some(limit), .. }) => {
            format!("rate limit '{policy}' is reached: {limit} tokens per minute")
        }
        (Reason::BudgetTokens, Rule::Budget { period, tokens: Some(limit), .. }) => {
            format!("budget '{policy}' is used up: {limit} tokens {period}")
        }
        (Reason::BudgetCost, Rule::Budget { period, cost: Some(limit), .. }) => {
            format!("budget '{policy}' is used up: {limit} {CURRENCY} {period}")
        }
        _ => format!("'{policy}' is used up"),
    }
}

/// Whether a strict budget refuses that is not used up.
fn has_something_left(by: &Block) -> bool {
    by.short.as_ref().is_some_and(|short| match by.reason {
        Reason::BudgetCost => short.left.cost > Amount::ZERO.cost,
        _ => short.left.tokens > 0,
    })
}

/// A strict budget that is not used up, and has too little left.
fn too_little(by: &Block, policy: &str) -> String {
    let Some(Shortage { needs, left, .. }) = by.short.as_deref() else { return String::new() };
    let (needs, left, unit) = match by.reason {
        Reason::BudgetCost => (needs.cost.to_string(), left.cost.to_string(), CURRENCY),
        _ => (needs.tokens.to_string(), left.tokens.to_string(), "tokens"),
    };
    format!(
        "budget '{policy}' has too little left: the request needs {needs} {unit}, {left} are left"
    )
}

/// A smart model that is switched off.
pub fn model_disabled(model: &str) -> Refusal {
    let message = format!(
        "model '{model}' is switched off; use another model of GET /v1/models, or have an administrator \
         enable it"
    );
    about_model(refuse("model", 400, "model_disabled", message))
}

/// A smart model's slot leads nowhere any more.
pub fn slot_not_found(model: &str, slot: &str) -> Refusal {
    let message = format!(
        "model '{model}' chose '{slot}', which has no enabled routes; use another model of GET /v1/models, \
         or have an administrator change its slots"
    );
    about_model(refuse("model", 404, "model_not_found", message))
}

pub fn endpoint_not_spoken(model: &str, endpoint: Endpoint) -> Refusal {
    let message = format!(
        "model '{model}' is served by a vendor that has nothing like {}; use a model that has",
        endpoint.as_str()
    );
    about_model(refuse("endpoint", 400, "unsupported_endpoint", message))
}

fn about_model(mut refusal: Refusal) -> Refusal {
    refusal.error.param = Some("model".to_owned());
    refusal
}

/// The request cannot be read, or asks for what cannot be done.
pub fn incapable(refusal: crate::translate::form::Refusal) -> Refusal {
    Refusal { error: Box::new(unsupported(refusal)), reason: "capability" }
}

/// No route can do what the request asks.
pub fn unsupported(refusal: crate::translate::form::Refusal) -> GatewayError {
    let mut error = GatewayError::new(400, INVALID_REQUEST, refusal.message).code(refusal.code);
    error.param = refusal.param;
    error
}

/// Every route that could be tried has as many requests under way as it may have.
pub fn routes_full(model: &str) -> Refusal {
    let message = format!(
        "every route of model '{model}' has as many requests under way as its max_concurrent_requests \
         allows; try again"
    );
    let error = GatewayError::new(503, GATEWAY, message).code("routes_full").retry_after(1);
    Refusal { error: Box::new(error), reason: "concurrency" }
}

/// Every route failed (contract 4.2 and 4.3), or was passed over, for reasons that are told with which.
pub fn all_routes_failed(
    status: u16,
    attempts: Vec<Attempt>,
    retry_after_secs: Option<u64>,
    passed_over: &[String],
) -> GatewayError {
    let (kind, message) = if status == 429 {
        (RATE_LIMIT, "every route is rate limited by its vendor; see attempts")
    } else {
        (UPSTREAM, "every route failed; see attempts")
    };
    let message = match passed_over {
        [] => message.to_owned(),
        some => format!("{message}. Not tried: {}", some.join("; ")),
    };
    let mut error =
        GatewayError::new(status, kind, message).code("all_routes_failed").attempts(attempts);
    error.retry_after_secs = retry_after_secs;
    error
}

/// A stream that had begun cannot be finished.
pub fn stream_cut(message: &str) -> GatewayError {
    GatewayError::new(502, UPSTREAM, message).code("stream_error")
}
