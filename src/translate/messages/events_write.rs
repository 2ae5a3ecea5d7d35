//! The bytes of a client's stream events.
//!
//! <https://platform.claude.com/docs/en/build-with-claude/streaming#event-types>

use serde::Serialize;

use super::{answer_write::Message, citation::CitationOut, usage::UsageOut};
use crate::{
    dialect::{StreamError, errors::anthropic_kind},
    translate::form::Citation,
};

/// A block as it begins.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum StartBlock<'a> {
    Text { text: &'a str },
    Thinking { thinking: &'a str, signature: &'a str },
    RedactedThinking { data: &'a str },
    ToolUse { id: &'a str, name: &'a str, input: Empty },
}

/// `{}`: arguments come as deltas.
#[derive(Serialize)]
pub(super) struct Empty {}

/// More of a block.
#[derive(Serialize)]
#[serde(tag = "type")]
pub(super) enum Delta<'a> {
    #[serde(rename = "text_delta")]
    Text { text: &'a str },
    #[serde(rename = "thinking_delta")]
    Thinking { thinking: &'a str },
    #[serde(rename = "signature_delta")]
    Signature { signature: &'a str },
    #[serde(rename = "input_json_delta")]
    InputJson { partial_json: &'a str },
    #[serde(rename = "citations_delta")]
    Citations { citation: CitationOut<'a> },
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Data<'a> {
    MessageStart { message: &'a Message<'a> },
    ContentBlockStart { index: usize, content_block: &'a StartBlock<'a> },
    ContentBlockDelta { index: usize, delta: &'a Delta<'a> },
    ContentBlockStop { index: usize },
    MessageDelta { delta: Ending<'a>, usage: UsageOut },
    MessageStop,
    Ping,
    Error { error: ErrorOut<'a> },
}

#[derive(Serialize)]
struct Ending<'a> {
    stop_reason: &'static str,
    stop_sequence: Option<&'a str>,
}

#[derive(Serialize)]
struct ErrorOut<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    message: &'a str,
}

pub(super) fn message_start(message: &Message<'_>, out: &mut Vec<u8>) {
    put("message_start", &Data::MessageStart { message }, out);
}

pub(super) fn block_start(index: usize, block: &StartBlock<'_>, out: &mut Vec<u8>) {
    put("content_block_start", &Data::ContentBlockStart { index, content_block: block }, out);
}

pub(super) fn delta(index: usize, delta: &Delta<'_>, out: &mut Vec<u8>) {
    put("content_block_delta", &Data::ContentBlockDelta { index, delta }, out);
}

pub(super) fn citation(index: usize, citation: &Citation<'_>, out: &mut Vec<u8>) {
    delta(index, &Delta::Citations { citation: CitationOut::new(citation) }, out);
}

pub(super) fn block_stop(index: usize, out: &mut Vec<u8>) {
    put("content_block_stop", &Data::ContentBlockStop { index }, out);
}

pub(super) fn message_delta(
    stop_reason: &'static str,
    stop_sequence: Option<&str>,
    usage: UsageOut,
    out: &mut Vec<u8>,
) {
    let delta = Ending { stop_reason, stop_sequence };
    put("message_delta", &Data::MessageDelta { delta, usage }, out);
}

pub(super) fn message_stop(out: &mut Vec<u8>) {
    put("message_stop", &Data::MessageStop, out);
}

pub(super) fn ping(out: &mut Vec<u8>) {
    put("ping", &Data::Ping, out);
}

/// An error, with the type that the API has for its status.
pub(super) fn error(error: &StreamError, out: &mut Vec<u8>) {
    let error = ErrorOut { kind: anthropic_kind(error.status), message: &error.message };
    put("error", &Data::Error { error }, out);
}

fn put(name: &str, data: &Data<'_>, out: &mut Vec<u8>) {
    out.extend_from_slice(b"event: ");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\ndata: ");
    // Strings and numbers: nothing that could fail.
    let _ = serde_json::to_writer(&mut *out, data);
    out.extend_from_slice(b"\n\n");
}
