//! A whole answer, for a client.
//! <https://platform.openai.com/docs/api-reference/completions/object>

use std::borrow::Cow;

use serde::Serialize;

use crate::translate::{
    Answering,
    chat::{Usage, identity},
    form::{Answer, PartKind, StopReason},
};

#[derive(Serialize)]
struct Completion<'r> {
    id: Cow<'r, str>,
    object: &'static str,
    created: i64,
    model: &'r str,
    choices: [Choice<'r>; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<Usage>,
}

#[derive(Serialize)]
struct Choice<'r> {
    text: Cow<'r, str>,
    index: u8,
    logprobs: Option<()>,
    finish_reason: &'static str,
}

/// Writes an answer's body: its text. Thinking has no place here.
pub fn write_answer(answer: &Answer<'_>, context: &Answering) -> Vec<u8> {
    let (id, model) = identity(answer.id.as_deref(), answer.model.as_deref(), "cmpl-", context);
    let mut text = Cow::Borrowed("");
    for part in &answer.parts {
        if let PartKind::Text(more) | PartKind::Refusal(more) = &part.kind {
            if text.is_empty() {
                text = Cow::Borrowed(more);
            } else {
                text.to_mut().push_str(more);
            }
        }
    }
    let finish_reason = finish_reason(answer.stop);
    let completion = Completion {
        id,
        object: "text_completion",
        created: answer.created.unwrap_or(context.created),
        model,
        choices: [Choice { text, index: 0, logprobs: None, finish_reason }],
        usage: answer.usage.as_ref().map(|usage| Usage::of(usage, None)),
    };
    // Strings and numbers always serialize.
    serde_json::to_vec(&completion).unwrap_or_default()
}

/// The API's word for why an answer ended.
pub(super) const fn finish_reason(stop: Option<StopReason>) -> &'static str {
    match stop {
        Some(StopReason::Length | StopReason::ContextWindow) => "length",
        Some(StopReason::ContentFilter | StopReason::Refusal) => "content_filter",
        None
        | Some(
            StopReason::End | StopReason::StopSequence | StopReason::ToolCalls | StopReason::Pause,
        ) => "stop",
    }
}
