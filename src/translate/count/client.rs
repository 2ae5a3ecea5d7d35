//! The client's side: Anthropic's `/v1/messages/count_tokens`
//! (<https://platform.claude.com/docs/en/api/messages-count-tokens>).

use super::super::{
    form::{Refusal, Request},
    messages,
};

/// Reads what is to be counted: a request for a message, which need not say how long the answer may be.
///
/// # Errors
/// When the body is not of the API.
pub fn read_countable(body: &[u8]) -> Result<Request<'_>, Refusal> {
    messages::read_countable(body)
}

/// Writes the answer. `estimated`: the gateway counted, not the vendor.
#[must_use]
pub fn count_answer(tokens: u64, estimated: bool) -> Vec<u8> {
    let mark = if estimated { r#","estimated":true"# } else { "" };
    format!(r#"{{"input_tokens":{tokens}{mark}}}"#).into_bytes()
}
