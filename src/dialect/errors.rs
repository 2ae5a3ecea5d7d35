//! The gateway's own errors, and their bytes in the client's dialect.
//!
//! OpenAI: <https://platform.openai.com/docs/guides/error-codes>; Anthropic:
//! <https://docs.claude.com/en/api/errors>. Where an error is decided, only this value is made;
//! bytes are made here and nowhere else.

use bytes::Bytes;
use serde::Serialize;

use crate::{
    domain::{Attempt, ClientDialect, Endpoint},
    wire::HeadError,
};

/// The caller's request is wrong (any 4xx but 429).
pub const INVALID_REQUEST: &str = "invalid_request_error";
/// A limit or budget is used up (429).
pub const RATE_LIMIT: &str = "rate_limit_error";
/// The vendors failed (502).
pub const UPSTREAM: &str = "upstream_error";
/// A vendor took too long (504, or inside a stream).
pub const TIMEOUT: &str = "upstream_timeout";
/// The gateway itself failed or is at its bound (5xx).
pub const GATEWAY: &str = "gateway_error";

/// What the `[DONE]` event of OpenAI streams looks like.
pub(super) const DONE: &[u8] = b"data: [DONE]\n\n";

/// An error that the gateway answers by itself.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{status}: {message}")]
pub struct GatewayError {
    /// HTTP status.
    pub status: u16,
    /// OpenAI's `type`; Anthropic's follows from the status.
    pub kind: &'static str,
    /// Stable `code`, contract 4.14.
    pub code: Option<&'static str>,
    /// The member of the request that is at fault.
    pub param: Option<String>,
    /// What is wrong and what would be right.
    pub message: String,
    /// For the `Retry-After` header, seconds.
    pub retry_after_secs: Option<u64>,
    /// Every route that was tried, where that is the error.
    pub attempts: Option<Vec<Attempt>>,
    /// Shown in Anthropic's envelope, as its own API does.
    pub request_id: Option<String>,
}

impl GatewayError {
    /// An error without details.
    #[must_use]
    pub fn new(status: u16, kind: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            kind,
            code: None,
            param: None,
            message: message.into(),
            retry_after_secs: None,
            attempts: None,
            request_id: None,
        }
    }

    /// With a stable code.
    #[must_use]
    pub const fn code(mut self, code: &'static str) -> Self {
        self.code = Some(code);
        self
    }

    /// Naming the member at fault.
    #[must_use]
    pub fn param(mut self, param: impl Into<String>) -> Self {
        self.param = Some(param.into());
        self
    }

    /// Saying when to come back.
    #[must_use]
    pub const fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after_secs = Some(seconds);
        self
    }

    /// Showing the routes that were tried.
    #[must_use]
    pub fn attempts(mut self, attempts: Vec<Attempt>) -> Self {
        self.attempts = Some(attempts);
        self
    }

    /// Naming the request.
    #[must_use]
    pub fn request_id(mut self, id: impl Into<String>) -> Self {
        self.request_id = Some(id.into());
        self
    }

    /// The body of the answer.
    #[must_use]
    pub fn body(&self, dialect: ClientDialect) -> Bytes {
        json(&self.envelope(dialect))
    }

    /// The error as the end of a stream of `endpoint` that has begun: an error event and, on chat
    /// completions and completions, `[DONE]`. [`StreamMeter::abort`](super::StreamMeter::abort)
    /// knows more of the stream and is better where there is one.
    #[must_use]
    pub fn stream_event(&self, endpoint: Endpoint) -> Bytes {
        self.numbered_event(endpoint, 0)
    }

    /// The same, with the event's number in a Responses stream.
    #[must_use]
    pub fn numbered_event(&self, endpoint: Endpoint, sequence: u64) -> Bytes {
        let body = self.body(endpoint.dialect());
        match endpoint {
            Endpoint::Messages | Endpoint::CountTokens => {
                [b"event: error\ndata: ", &*body, b"\n\n"].concat().into()
            }
            Endpoint::Responses => {
                let event = json(&self.responses_event(sequence));
                [b"event: error\ndata: ", &*event, b"\n\n"].concat().into()
            }
            Endpoint::ChatCompletions
            | Endpoint::Completions
            | Endpoint::Embeddings
            | Endpoint::Models => [b"data: ", &*body, b"\n\n", DONE].concat().into(),
        }
    }

    fn envelope(&self, dialect: ClientDialect) -> Envelope<'_> {
        match dialect {
            ClientDialect::OpenAi => {
                Envelope { kind: None, error: self.openai(), request_id: None }
            }
            ClientDialect::Anthropic => Envelope {
                kind: Some("error"),
                error: Inner::Anthropic {
                    kind: anthropic_kind(self.status),
                    message: &self.message,
                    attempts: self.attempts.as_deref(),
                },
                request_id: self.request_id.as_deref(),
            },
        }
    }

    fn openai(&self) -> Inner<'_> {
        Inner::OpenAi {
            message: &self.message,
            kind: self.kind,
            param: self.param.as_deref(),
            code: self.code,
            attempts: self.attempts.as_deref(),
        }
    }

    /// The reference has the fields flat, OpenAI's servers send them nested (and its SDKs raise on
    /// that only): both are given. <https://github.com/openai/openai-dotnet/issues/881>
    fn responses_event(&self, sequence: u64) -> ResponsesEvent<'_> {
        ResponsesEvent {
            kind: "error",
            sequence_number: sequence,
            code: self.code.unwrap_or(self.kind),
            message: &self.message,
            param: self.param.as_deref(),
            error: self.openai(),
        }
    }
}

impl From<HeadError> for GatewayError {
    fn from(error: HeadError) -> Self {
        let mut answer = Self::new(400, INVALID_REQUEST, error.message).code(error.code);
        answer.param = error.param.map(str::to_owned);
        answer
    }
}

/// Anthropic's `type` for a status.
#[must_use]
pub const fn anthropic_kind(status: u16) -> &'static str {
    match status {
        401 => "authentication_error",
        402 => "billing_error",
        403 => "permission_error",
        404 => "not_found_error",
        413 => "request_too_large",
        429 => "rate_limit_error",
        504 => "timeout_error",
        529 => "overloaded_error",
        400..=499 => "invalid_request_error",
        _ => "api_error",
    }
}

/// OpenAI's `type` for the status of an upstream's error that has none of its own.
#[must_use]
pub const fn openai_kind(status: u16) -> &'static str {
    match status {
        429 => RATE_LIMIT,
        400..=499 => INVALID_REQUEST,
        504 => TIMEOUT,
        _ => UPSTREAM,
    }
}

/// An upstream's error in the dialect `to`.
pub(super) fn render(
    status: u16,
    kind: &str,
    code: Option<&str>,
    param: Option<&str>,
    message: &str,
    to: ClientDialect,
    request_id: Option<&str>,
) -> Bytes {
    json(&match to {
        ClientDialect::OpenAi => Envelope {
            kind: None,
            error: Inner::OpenAi { message, kind, param, code, attempts: None },
            request_id: None,
        },
        ClientDialect::Anthropic => Envelope {
            kind: Some("error"),
            error: Inner::Anthropic { kind: anthropic_kind(status), message, attempts: None },
            request_id,
        },
    })
}

#[derive(Serialize)]
struct Envelope<'a> {
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    kind: Option<&'static str>,
    error: Inner<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Inner<'a> {
    OpenAi {
        message: &'a str,
        #[serde(rename = "type")]
        kind: &'a str,
        param: Option<&'a str>,
        code: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        attempts: Option<&'a [Attempt]>,
    },
    Anthropic {
        #[serde(rename = "type")]
        kind: &'a str,
        message: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        attempts: Option<&'a [Attempt]>,
    },
}

/// <https://platform.openai.com/docs/api-reference/responses-streaming/error>
#[derive(Serialize)]
struct ResponsesEvent<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    sequence_number: u64,
    code: &'a str,
    message: &'a str,
    param: Option<&'a str>,
    error: Inner<'a>,
}

fn json(value: &impl Serialize) -> Bytes {
    // Strings and numbers always serialize.
    serde_json::to_vec(value).unwrap_or_default().into()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(body: &[u8]) -> Value {
        serde_json::from_slice(body).unwrap()
    }

    #[test]
    fn both_envelopes_are_as_their_vendors_have_them() {
        let error = GatewayError::new(404, INVALID_REQUEST, "model 'x' not found")
            .code("model_not_found")
            .param("model")
            .request_id("r-1");
        assert_eq!(
            read(&error.body(ClientDialect::OpenAi)),
            json!({"error":{"message":"model 'x' not found","type":"invalid_request_error","param":"model","code":"model_not_found"}})
        );
        assert_eq!(
            read(&error.body(ClientDialect::Anthropic)),
            json!({"type":"error","error":{"type":"not_found_error","message":"model 'x' not found"},"request_id":"r-1"})
        );
        let plain = GatewayError::new(503, GATEWAY, "busy");
        assert_eq!(
            read(&plain.body(ClientDialect::OpenAi)),
            json!({"error":{"message":"busy","type":"gateway_error","param":null,"code":null}})
        );
    }

    #[test]
    fn the_routes_that_were_tried_are_shown_in_order() {
        let attempt = |provider: &str, status| Attempt {
            provider: provider.into(),
            upstream_model: "m".into(),
            status,
            error_type: "upstream_error".into(),
            message: "no".to_owned(),
            retries: 2,
        };
        let error = GatewayError::new(502, UPSTREAM, "every route failed")
            .code("all_routes_failed")
            .attempts(vec![attempt("a", Some(503)), attempt("b", None)]);
        let shown = json!([
            {"provider":"a","upstream_model":"m","status":503,"error_type":"upstream_error","message":"no","retries":2},
            {"provider":"b","upstream_model":"m","status":null,"error_type":"upstream_error","message":"no","retries":2},
        ]);
        for dialect in [ClientDialect::OpenAi, ClientDialect::Anthropic] {
            assert_eq!(read(&error.body(dialect))["error"]["attempts"], shown);
        }
    }

    #[test]
    fn a_stream_ends_in_the_grammar_of_its_endpoint() {
        let error = GatewayError::new(504, TIMEOUT, "idle\nfor 30 s").code("timeout");
        let chat = error.stream_event(Endpoint::ChatCompletions);
        let chat = std::str::from_utf8(&chat).unwrap();
        let data =
            chat.strip_prefix("data: ").unwrap().strip_suffix("\n\ndata: [DONE]\n\n").unwrap();
        assert_eq!(read(data.as_bytes()), read(&error.body(ClientDialect::OpenAi)));

        let event = error.numbered_event(Endpoint::Responses, 7);
        let data = event.strip_prefix(b"event: error\ndata: ").unwrap();
        assert_eq!(
            read(data.trim_ascii_end()),
            json!({"type":"error","sequence_number":7,"code":"timeout","message":"idle\nfor 30 s","param":null,
                "error":{"message":"idle\nfor 30 s","type":"upstream_timeout","param":null,"code":"timeout"}})
        );

        let event = error.stream_event(Endpoint::Messages);
        let data = event.strip_prefix(b"event: error\ndata: ").unwrap();
        assert_eq!(
            read(data.trim_ascii_end()),
            json!({"type":"error","error":{"type":"timeout_error","message":"idle\nfor 30 s"}})
        );
    }

    #[test]
    fn a_refused_body_names_the_member() {
        let error = crate::wire::read_head(b"{}", Endpoint::Embeddings).unwrap_err();
        let error = GatewayError::from(error);
        assert_eq!(
            (error.status, error.code, error.param.as_deref()),
            (400, Some("invalid_parameters"), Some("model"))
        );
    }
}
