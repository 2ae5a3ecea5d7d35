//! Vendors' error bodies: read in any known shape, and told in the client's dialect.
//!
//! Shapes: OpenAI `{"error":{"message","type","param","code"}}`; Anthropic
//! `{"type":"error","error":{"type","message"}}`; Google `{"error":{"code","message","status"}}`
//! (<https://cloud.google.com/apis/design/errors>), and its array around that; AWS `{"message":"…"}` or
//! `{"Message":"…"}`, with or without `__type`
//! (<https://smithy.io/2.0/aws/protocols/aws-restjson1-protocol.html#operation-error-serialization>);
//! `{"error":"…"}`; `{"message":"…"}` (Mistral, vLLM); `{"detail":…}` (`FastAPI`).

use bytes::Bytes;
use serde_json::Value;

use super::errors::{openai_kind, render};
use crate::domain::ClientDialect;

/// The longest message that is kept, bytes.
const MAX_MESSAGE: usize = 2048;
/// The longest error body that is taken apart; what is longer is no error object.
const MAX_BODY: usize = 256 * 1024;

/// What an error body says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UpstreamError {
    /// `type`.
    pub kind: Option<String>,
    /// `code`, numbers as text.
    pub code: Option<String>,
    /// `param`.
    pub param: Option<String>,
    /// Google's `status`.
    pub google_status: Option<String>,
    /// What went wrong, shortened; never empty.
    pub message: String,
    /// Whose shape the body had exactly, if anyone's.
    pub dialect: Option<ClientDialect>,
}

/// Reads the body of an answer with an error status.
#[must_use]
pub fn read(status: u16, body: &[u8]) -> UpstreamError {
    let known = (body.len() <= MAX_BODY)
        .then(|| serde_json::from_slice::<Value>(body).ok())
        .flatten()
        .and_then(|value| read_value(&value));
    known.unwrap_or_else(|| UpstreamError {
        message: unreadable(status, body),
        ..UpstreamError::default()
    })
}

/// Reads an error as a JSON value of any known shape, or the error object itself.
pub(super) fn read_value(value: &Value) -> Option<UpstreamError> {
    if let Some(list) = value.as_array() {
        // No client knows a list as an error of its own.
        return list
            .first()
            .and_then(read_value)
            .map(|error| UpstreamError { dialect: None, ..error });
    }
    let anthropic = value.get("type").and_then(Value::as_str) == Some("error");
    let Some(error) = value.get("error").filter(|error| !error.is_null()) else {
        return read_object(value);
    };
    if let Some(message) = error.as_str() {
        return Some(UpstreamError {
            kind: text(value.get("type")),
            code: text(value.get("code")),
            message: shorten(message),
            ..UpstreamError::default()
        });
    }
    let mut known = read_object(error)?;
    let google = error.get("status").and_then(Value::as_str).filter(|_| known.kind.is_none());
    if let Some(status) = google {
        known.kind = google_kind(status).map(str::to_owned);
        known.google_status = Some(shorten(status));
        return Some(known);
    }
    let dialect = if anthropic { ClientDialect::Anthropic } else { ClientDialect::OpenAi };
    let exact = error.get("message").is_some_and(Value::is_string);
    known.dialect = exact.then_some(dialect);
    Some(known)
}

/// `OpenAI`'s `type` for Google's `status`.
/// <https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto>
fn google_kind(status: &str) -> Option<&'static str> {
    let http = match status {
        "INVALID_ARGUMENT" | "FAILED_PRECONDITION" | "OUT_OF_RANGE" => 400,
        "UNAUTHENTICATED" => 401,
        "PERMISSION_DENIED" => 403,
        "NOT_FOUND" => 404,
        "ABORTED" | "ALREADY_EXISTS" => 409,
        "RESOURCE_EXHAUSTED" => 429,
        "INTERNAL" | "UNKNOWN" | "DATA_LOSS" | "UNIMPLEMENTED" | "UNAVAILABLE" => 500,
        "DEADLINE_EXCEEDED" => 504,
        _ => return None,
    };
    Some(openai_kind(http))
}

fn read_object(error: &Value) -> Option<UpstreamError> {
    let message = ["message", "Message", "detail", "error"];
    let message = message.into_iter().find_map(|name| error.get(name))?;
    let message = match message {
        Value::Null => return None,
        Value::String(text) => shorten(text),
        other => shorten(&other.to_string()),
    };
    Some(UpstreamError {
        kind: text(error.get("type")),
        code: text(error.get("code")).or_else(|| aws_code(error)),
        param: text(error.get("param")),
        google_status: None,
        message,
        dialect: None,
    })
}

/// Whether an error tells that the key was refused, whatever its status: Google answers 400 to a key that
/// is not valid (any more), where others answer 401.
/// <https://github.com/googleapis/googleapis/blob/master/google/api/error_reason.proto>
#[must_use]
pub fn refuses_key(body: &[u8]) -> bool {
    // Most errors are not parsed for it.
    if body.len() > MAX_BODY || memchr::memmem::find(body, b"API_KEY_").is_none() {
        return false;
    }
    let value: Value = serde_json::from_slice(body).unwrap_or_default();
    let error = value.as_array().and_then(|list| list.first()).unwrap_or(&value).get("error");
    let details = error.and_then(|error| error.get("details")).and_then(Value::as_array);
    let mut reasons = details.into_iter().flatten().filter_map(|detail| detail.get("reason"));
    reasons.any(|reason| matches!(reason.as_str(), Some("API_KEY_INVALID" | "API_KEY_EXPIRED")))
}

/// `ThrottlingException` of `com.amazonaws.bedrock#ThrottlingException:http://…`.
fn aws_code(error: &Value) -> Option<String> {
    let name = error.get("__type")?.as_str()?;
    let name = name.rsplit('#').next()?.split(':').next()?;
    (!name.is_empty()).then(|| shorten(name))
}

/// The error in the dialect `to`, status and message kept. None where the body is in that dialect
/// already: then its own bytes go to the client.
#[must_use]
pub fn translate(
    status: u16,
    body: &[u8],
    to: ClientDialect,
    request_id: Option<&str>,
) -> Option<Bytes> {
    let error = read(status, body);
    if error.dialect == Some(to) {
        return None;
    }
    // Types of one dialect mean nothing in the other; within one they are kept.
    let kind = match error.dialect {
        Some(ClientDialect::Anthropic) => None,
        _ => error.kind.as_deref(),
    };
    let kind = kind.unwrap_or_else(|| openai_kind(status));
    // OpenAI's codes are words; Google's `code` is the HTTP status once more, its word is `status`.
    let code = error.google_status.as_deref().or(error.code.as_deref());
    Some(render(status, kind, code, error.param.as_deref(), &error.message, to, request_id))
}

/// The words for `error.attempts[].message`. A refused credential is told in the gateway's own
/// words, because vendors echo parts of it.
#[must_use]
pub fn attempt_message(status: u16, body: &[u8]) -> String {
    match status {
        401 | 403 => format!("the provider refused the gateway's credential (status {status})"),
        _ => read(status, body).message,
    }
}

/// `message` without any occurrence of `secret`.
#[must_use]
pub fn scrub(message: String, secret: &str) -> String {
    if secret.is_empty() || !message.contains(secret) {
        message
    } else {
        message.replace(secret, "***")
    }
}

fn text(value: Option<&Value>) -> Option<String> {
    match value? {
        Value::String(text) => Some(shorten(text)),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn is_unprintable(letter: char) -> bool {
    letter.is_control() && !letter.is_ascii_whitespace()
}

fn unreadable(status: u16, body: &[u8]) -> String {
    let start = body.get(..body.len().min(300)).unwrap_or(body).trim_ascii();
    match std::str::from_utf8(start) {
        Ok("") => format!("the provider answered {status} without a body"),
        // Control characters: packed, or no text at all.
        Ok(text) if !text.starts_with(['<', '{', '[']) && !text.contains(is_unprintable) => {
            format!("the provider answered {status}: {text}")
        }
        _ => format!("the provider answered {status} without a readable error"),
    }
}

fn shorten(message: &str) -> String {
    if message.len() <= MAX_MESSAGE {
        return message.to_owned();
    }
    let end = message.floor_char_boundary(MAX_MESSAGE);
    format!("{}…", message.get(..end).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const OPENAI: &str = r#"{"error":{"message":"made-up complaint","type":"invalid_request_error","param":"messages","code":null}}"#;
    const ANTHROPIC: &str = r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"},"request_id":"req_1"}"#;

    fn told(status: u16, body: &str, to: ClientDialect) -> Option<Value> {
        translate(status, body.as_bytes(), to, Some("r-1"))
            .map(|body| serde_json::from_slice(&body).unwrap())
    }

    #[test]
    fn an_error_of_the_clients_own_dialect_passes_as_it_is() {
        assert_eq!(told(400, OPENAI, ClientDialect::OpenAi), None);
        assert_eq!(told(529, ANTHROPIC, ClientDialect::Anthropic), None);
    }

    #[test]
    fn an_error_of_the_other_dialect_is_translated() {
        assert_eq!(
            told(400, OPENAI, ClientDialect::Anthropic),
            Some(
                json!({"type":"error","error":{"type":"invalid_request_error","message":"made-up complaint"},"request_id":"r-1"})
            )
        );
        assert_eq!(
            told(529, ANTHROPIC, ClientDialect::OpenAi),
            Some(
                json!({"error":{"message":"Overloaded","type":"upstream_error","param":null,"code":null}})
            )
        );
    }

    #[test]
    fn other_shapes_are_read() {
        for (body, message, code) in [
            (r#"{"error":"no such model"}"#, "no such model", None),
            (
                r#"{"object":"error","message":"bad","type":"BadRequestError","code":400}"#,
                "bad",
                Some("400"),
            ),
            (r#"{"detail":"Not Found"}"#, "Not Found", None),
            (
                r#"{"detail":[{"loc":["body"],"msg":"field required"}]}"#,
                r#"[{"loc":["body"],"msg":"field required"}]"#,
                None,
            ),
            (
                r#"[{"error":{"code":429,"message":"quota","status":"RESOURCE_EXHAUSTED"}}]"#,
                "quota",
                Some("429"),
            ),
            ("upstream connect error", "the provider answered 503: upstream connect error", None),
            ("<html>x</html>", "the provider answered 503 without a readable error", None),
            ("{}", "the provider answered 503 without a readable error", None),
            ("", "the provider answered 503 without a body", None),
        ] {
            let error = read(503, body.as_bytes());
            assert_eq!((error.message.as_str(), error.code.as_deref()), (message, code), "{body}");
            let told = told(503, body, ClientDialect::Anthropic).unwrap();
            assert_eq!(told["error"]["message"], message);
        }
    }

    /// T-28: every class of error is told as the client's own.
    #[test]
    fn errors_of_aws_and_google_have_the_clients_own_class() {
        let aws =
            |name: &str| format!(r#"{{"__type":"com.amazonaws#{name}:http://x/","message":"m"}}"#);
        let google = |code: u16, status: &str| {
            json!({"error": {"code": code, "message": "m", "status": status, "details": []}})
                .to_string()
        };
        for (status, body, code, openai, anthropic) in [
            (
                400,
                r#"{"message":"m"}"#.to_owned(),
                None,
                "invalid_request_error",
                "invalid_request_error",
            ),
            (
                403,
                r#"{"Message":"m"}"#.to_owned(),
                None,
                "invalid_request_error",
                "permission_error",
            ),
            (
                404,
                aws("ResourceNotFoundException"),
                Some("ResourceNotFoundException"),
                "invalid_request_error",
                "not_found_error",
            ),
            (
                429,
                aws("ThrottlingException"),
                Some("ThrottlingException"),
                "rate_limit_error",
                "rate_limit_error",
            ),
            (
                500,
                aws("InternalServerException"),
                Some("InternalServerException"),
                "upstream_error",
                "api_error",
            ),
            (503, r#"{"message":"m"}"#.to_owned(), None, "upstream_error", "api_error"),
            (
                400,
                google(400, "INVALID_ARGUMENT"),
                Some("INVALID_ARGUMENT"),
                "invalid_request_error",
                "invalid_request_error",
            ),
            (
                403,
                google(403, "PERMISSION_DENIED"),
                Some("PERMISSION_DENIED"),
                "invalid_request_error",
                "permission_error",
            ),
            (
                404,
                google(404, "NOT_FOUND"),
                Some("NOT_FOUND"),
                "invalid_request_error",
                "not_found_error",
            ),
            (
                429,
                google(429, "RESOURCE_EXHAUSTED"),
                Some("RESOURCE_EXHAUSTED"),
                "rate_limit_error",
                "rate_limit_error",
            ),
            (500, google(500, "INTERNAL"), Some("INTERNAL"), "upstream_error", "api_error"),
            (503, google(503, "UNAVAILABLE"), Some("UNAVAILABLE"), "upstream_error", "api_error"),
            (
                504,
                google(504, "DEADLINE_EXCEEDED"),
                Some("DEADLINE_EXCEEDED"),
                "upstream_timeout",
                "timeout_error",
            ),
            (
                409,
                google(409, "NEVER_HEARD_OF"),
                Some("NEVER_HEARD_OF"),
                "invalid_request_error",
                "invalid_request_error",
            ),
        ] {
            let to = |dialect| told(status, &body, dialect).unwrap();
            assert_eq!(
                to(ClientDialect::OpenAi),
                json!({"error":{"message":"m","type":openai,"param":null,"code":code}}),
                "{body}"
            );
            assert_eq!(
                to(ClientDialect::Anthropic),
                json!({"type":"error","error":{"type":anthropic,"message":"m"},"request_id":"r-1"}),
                "{body}"
            );
        }
    }

    #[test]
    fn a_key_that_google_refuses_is_told_apart_from_other_faults() {
        let error = |reason: &str| {
            json!({"error": {"code": 400, "message": "API key not valid.", "status": "INVALID_ARGUMENT",
                "details": [{"locale": "en-US"}, {"reason": reason, "domain": "googleapis.com"}]}})
        };
        for reason in ["API_KEY_INVALID", "API_KEY_EXPIRED"] {
            assert!(refuses_key(error(reason).to_string().as_bytes()), "{reason}");
            assert!(refuses_key(json!([error(reason)]).to_string().as_bytes()), "{reason}");
        }
        let quoted =
            json!({"error": {"message": "no API_KEY_INVALID here", "details": []}}).to_string();
        for other in
            [quoted.as_bytes(), b"API_KEY_INVALID", b"[]", error("OTHER").to_string().as_bytes()]
        {
            assert!(!refuses_key(other));
        }
    }

    #[test]
    fn a_list_around_an_error_is_told_without_the_list_in_either_dialect() {
        let body = r#"[{"error":{"code":400,"message":"bad","status":"INVALID_ARGUMENT"}}]"#;
        for to in [ClientDialect::OpenAi, ClientDialect::Anthropic] {
            assert_eq!(told(400, body, to).unwrap()["error"]["message"], "bad");
        }
    }

    #[test]
    fn a_refused_credential_is_told_in_our_own_words() {
        let body = br#"{"error":{"message":"Incorrect API key provided: sk-abcd1234","code":"invalid_api_key"}}"#;
        for status in [401, 403] {
            assert!(!attempt_message(status, body).contains("sk-"));
        }
        assert_eq!(scrub("bad key sk-1!".to_owned(), "sk-1"), "bad key ***!");
    }

    #[test]
    fn a_long_message_is_cut_between_characters() {
        let body = json!({"error": {"message": "é".repeat(MAX_MESSAGE)}}).to_string();
        let message = read(500, body.as_bytes()).message;
        assert!(message.len() <= MAX_MESSAGE + 3 && message.ends_with('…'));
    }
}
