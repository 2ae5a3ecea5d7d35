//! Events of a stream as clients get them.
//! <https://platform.openai.com/docs/api-reference/responses-streaming>

use serde::Serialize;

use super::{
    output_items::{Annotation, ContentOut, ItemOut, Logprobs, Summary},
    response_out::ResponseOut,
};

/// An event: one type for all, as each has few members.
#[derive(Default, Serialize)]
pub struct Step<'s> {
    #[serde(rename = "type")]
    pub kind: &'static str,
    pub sequence_number: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub item_id: Option<&'s str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output_index: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_index: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub summary_index: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub annotation_index: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delta: Option<&'s str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<&'s str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refusal: Option<&'s str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<&'s str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub arguments: Option<&'s str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input: Option<&'s str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logprobs: Option<Logprobs<'s>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub annotation: Option<&'s Annotation<'s>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub part: Option<PartOut<'s>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub item: Option<ItemOut<'s>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response: Option<ResponseOut<'s>>,
}

/// A part that begins or ends.
#[derive(Serialize)]
#[serde(untagged)]
pub enum PartOut<'s> {
    /// Of a message.
    Content(ContentOut<'s>),
    /// Of thinking.
    Summary(Summary<'s>),
}

/// More of a call's arguments.
pub fn arguments_delta<'s>(id: &'s str, at: usize, delta: &'s str, custom: bool) -> Step<'s> {
    let kind = if custom {
        "response.custom_tool_call_input.delta"
    } else {
        "response.function_call_arguments.delta"
    };
    let (item_id, output_index) = (Some(id), Some(at));
    Step { kind, item_id, output_index, delta: Some(delta), ..Step::default() }
}

/// Where in a message.
pub fn place(id: &str, at: usize, content_index: usize) -> Step<'_> {
    let (item_id, output_index) = (Some(id), Some(at));
    Step { item_id, output_index, content_index: Some(content_index), ..Step::default() }
}

/// Where in thinking.
pub fn thought(id: &str, at: usize) -> Step<'_> {
    let (item_id, output_index) = (Some(id), Some(at));
    Step { item_id, output_index, summary_index: Some(0), ..Step::default() }
}

/// Writes an event and counts it.
pub fn emit(sequence: &mut u64, out: &mut Vec<u8>, step: Step<'_>) {
    out.extend_from_slice(b"event: ");
    out.extend_from_slice(step.kind.as_bytes());
    out.extend_from_slice(b"\ndata: ");
    let step = Step { sequence_number: *sequence, ..step };
    // Strings and numbers always serialize.
    let _ = serde_json::to_writer(&mut *out, &step);
    out.extend_from_slice(b"\n\n");
    *sequence += 1;
}
