//! What is learnt from an answer while it passes.

use super::usage::read_openai;
use crate::{domain::TokenUsage, wire::members::value_at};

/// What an answer said of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AnswerFacts {
    /// The tokens that the vendor reported; none where it reported none.
    pub usage: Option<TokenUsage>,
    /// The model that the vendor named.
    pub model: Option<String>,
    /// The answer was one JSON object to its end, or a stream to its terminal event. False for an
    /// empty body or an HTML page with status 200.
    pub whole: bool,
}

impl AnswerFacts {
    /// Of a chat completion that is whole, by the raw JSON of its `usage`, `model` and `x_groq`.
    #[must_use]
    pub fn of_completion(usage: Option<&[u8]>, model: Option<&[u8]>, groq: Option<&[u8]>) -> Self {
        let of_groq = || {
            let groq = groq?;
            read_openai(groq.get(value_at(groq, &["usage"])?)?)
        };
        let usage = usage.and_then(read_openai).or_else(of_groq);
        Self { usage, model: text(model), whole: true }
    }
}

/// The string in a raw JSON value.
pub(super) fn text(raw: Option<&[u8]>) -> Option<String> {
    serde_json::from_slice(raw?).ok()
}
