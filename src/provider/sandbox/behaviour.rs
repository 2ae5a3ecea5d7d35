//! Models that behave badly on purpose, so that failover, retries and time limits can be tried out.

use std::time::Duration;

use http::StatusCode;
use serde_json::{Value, json};

use super::{
    answer::{Answer, Event},
    refusal::{Fault, Refusal},
};
use crate::domain::Endpoint;

/// How a model behaves; chosen by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Behaviour {
    /// It answers.
    Good,
    /// `sandbox-rate-limited`: 429 with `Retry-After: 1`.
    RateLimited,
    /// `sandbox-down`: 503.
    Down,
    /// `sandbox-unauthorized`: 401.
    Unauthorized,
    /// `sandbox-slow`: answers after [`Behaviour::SLOW`].
    Slow,
    /// `sandbox-cut`: half of the answer, then the connection is cut.
    Cut,
    /// `sandbox-stream-error`: a stream begins with an error event; other answers are 500.
    StreamError,
}

impl Behaviour {
    /// The wait before a slow answer.
    pub const SLOW: Duration = Duration::from_secs(2);
    /// `Retry-After` of a 429, seconds.
    pub const RETRY_AFTER_SECS: u32 = 1;

    /// The behaviour of a model.
    pub fn of(model: &str) -> Self {
        match model {
            "sandbox-rate-limited" => Self::RateLimited,
            "sandbox-down" => Self::Down,
            "sandbox-unauthorized" => Self::Unauthorized,
            "sandbox-slow" => Self::Slow,
            "sandbox-cut" => Self::Cut,
            "sandbox-stream-error" => Self::StreamError,
            _ => Self::Good,
        }
    }

    /// The error that stands instead of an answer, if any.
    pub fn refusal(self, model: &str, stream: bool) -> Option<Refusal> {
        let (status, fault, code, words) = match self {
            Self::RateLimited => (
                StatusCode::TOO_MANY_REQUESTS,
                Fault::RateLimit,
                Some("rate_limit_exceeded"),
                "is always rate limited. Please try again in 1s.",
            ),
            Self::Down => {
                (StatusCode::SERVICE_UNAVAILABLE, Fault::Overloaded, None, "is always unavailable.")
            }
            Self::Unauthorized => (
                StatusCode::UNAUTHORIZED,
                Fault::Authentication,
                Some("invalid_api_key"),
                "refuses every API key.",
            ),
            Self::StreamError if !stream => {
                (StatusCode::INTERNAL_SERVER_ERROR, Fault::Internal, None, "always fails.")
            }
            Self::Good | Self::Slow | Self::Cut | Self::StreamError => return None,
        };
        Some(Refusal::new(status, fault, code, format!("The model '{model}' {words}")))
    }

    /// What becomes of an answer.
    pub fn spoil(self, answer: Answer, endpoint: Endpoint) -> Answer {
        match answer {
            Answer::Events(_) if self == Self::StreamError => {
                Answer::Events(vec![error_event(endpoint)])
            }
            answer => answer,
        }
    }
}

/// An error inside a stream, in the endpoint's own grammar.
fn error_event(endpoint: Endpoint) -> Event {
    let message = "The server is overloaded: this model's streams always fail.";
    if endpoint == Endpoint::Responses {
        let data = json!({
            "type": "error", "code": "server_error", "message": message, "param": null, "sequence_number": 0
        });
        return Event::typed(&data);
    }
    let refusal = Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, Fault::Overloaded, None, message);
    let data: Value = refusal.body(endpoint.dialect());
    if endpoint == Endpoint::Messages { Event::typed(&data) } else { Event::unnamed(&data) }
}
