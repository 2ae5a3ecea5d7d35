//! Errors, in the shape of the dialect that was called.
//!
//! Shapes: <https://developers.openai.com/api/docs/guides/error-codes>,
//! <https://platform.claude.com/docs/en/api/errors>.

use http::StatusCode;
use serde_json::{Value, json};

use crate::domain::ClientDialect;

/// The class of an error; each dialect has its own name for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The request is wrong.
    Invalid,
    /// The key is wrong.
    Authentication,
    /// No such model, path or object.
    NotFound,
    /// Too many requests.
    RateLimit,
    /// The vendor is down or overloaded.
    Overloaded,
    /// The vendor failed.
    Internal,
}

/// Why the sandbox does not answer.
#[derive(Debug)]
pub struct Refusal {
    /// HTTP status.
    pub status: StatusCode,
    /// Its class.
    pub fault: Fault,
    /// The field at fault.
    pub param: Option<String>,
    /// OpenAI's machine-readable code.
    pub code: Option<&'static str>,
    /// What went wrong and what to do about it.
    pub message: String,
}

impl Refusal {
    /// A 400 that names the field.
    pub fn invalid(param: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            param: Some(param.into()),
            ..Self::new(StatusCode::BAD_REQUEST, Fault::Invalid, None, message)
        }
    }

    /// Any other error.
    pub fn new(
        status: StatusCode,
        fault: Fault,
        code: Option<&'static str>,
        message: impl Into<String>,
    ) -> Self {
        Self { status, fault, param: None, code, message: message.into() }
    }

    /// The error's body.
    pub fn body(&self, dialect: ClientDialect) -> Value {
        let kind = self.fault.name(dialect);
        match dialect {
            ClientDialect::OpenAi => json!({
                "error": {"message": self.message, "type": kind, "param": self.param, "code": self.code}
            }),
            // Anthropic's errors have no field for it: the message names the field.
            ClientDialect::Anthropic => {
                let message = match &self.param {
                    Some(param) => format!("{param}: {}", self.message),
                    None => self.message.clone(),
                };
                json!({"type": "error", "error": {"type": kind, "message": message}})
            }
        }
    }
}

impl Fault {
    const fn name(self, dialect: ClientDialect) -> &'static str {
        match (self, dialect) {
            (Self::Invalid, _) | (Self::Authentication | Self::NotFound, ClientDialect::OpenAi) => {
                "invalid_request_error"
            }
            (Self::Authentication, ClientDialect::Anthropic) => "authentication_error",
            (Self::NotFound, ClientDialect::Anthropic) => "not_found_error",
            (Self::RateLimit, ClientDialect::OpenAi) => "requests",
            (Self::RateLimit, ClientDialect::Anthropic) => "rate_limit_error",
            (Self::Overloaded, ClientDialect::Anthropic) => "overloaded_error",
            (Self::Internal, ClientDialect::Anthropic) => "api_error",
            (Self::Overloaded | Self::Internal, ClientDialect::OpenAi) => "server_error",
        }
    }
}
