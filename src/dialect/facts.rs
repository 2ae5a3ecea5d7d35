//! What is learnt from an answer while it passes.

use crate::domain::TokenUsage;

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

/// The string in a raw JSON value.
pub(super) fn text(raw: Option<&[u8]>) -> Option<String> {
    serde_json::from_slice(raw?).ok()
}
