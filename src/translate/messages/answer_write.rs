//! A whole answer for a client.
//!
//! <https://platform.claude.com/docs/en/api/messages>, the SDK's
//! <https://github.com/anthropics/anthropic-sdk-python/blob/main/src/anthropic/types/message.py>

use std::borrow::Cow;

use serde::Serialize;
use serde_json::value::RawValue;

use super::{
    citation::CitationOut,
    input::call_input,
    usage::UsageOut,
    words::{stop_reason, told_stop},
};
use crate::translate::{
    Answering,
    form::{Answer, Citation, Media, Origin, Part, PartKind, Signature, Source, Text, Thinking},
};

/// Room for what is not text, bytes.
const ENVELOPE: usize = 1024;

/// Writes a body.
pub(in crate::translate) fn write_answer(answer: &Answer<'_>, context: &Answering) -> Vec<u8> {
    let content = content(answer);
    let calls = content.iter().any(|block| matches!(block, Block::ToolUse { .. }));
    let refused = answer.parts.iter().any(|part| matches!(part.kind, PartKind::Refusal(_)));
    let message = Message {
        id: &message_id(answer.id.as_ref(), context),
        kind: "message",
        role: "assistant",
        model: told_model(answer.model.as_ref(), context),
        content,
        stop_reason: Some(stop_reason(told_stop(answer.stop, calls, refused))),
        stop_sequence: answer.stop_sequence.as_deref(),
        usage: answer.usage.unwrap_or_default().into(),
    };
    let mut out = Vec::with_capacity(answer.parts.iter().map(size).sum::<usize>() + ENVELOPE);
    // Strings, numbers and JSON that was read as such: nothing that could fail.
    let _ = serde_json::to_writer(&mut out, &message);
    out
}

/// A message, whole or (in `message_start`) without content.
#[derive(Serialize)]
pub(super) struct Message<'a> {
    pub(super) id: &'a str,
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
    pub(super) role: &'static str,
    pub(super) model: &'a str,
    pub(super) content: Vec<Block<'a>>,
    pub(super) stop_reason: Option<&'static str>,
    pub(super) stop_sequence: Option<&'a str>,
    pub(super) usage: UsageOut,
}

/// A content block.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Block<'a> {
    Text {
        text: &'a str,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        citations: Vec<CitationOut<'a>>,
    },
    Thinking {
        thinking: &'a str,
        signature: Cow<'a, str>,
    },
    RedactedThinking {
        data: Cow<'a, str>,
    },
    ToolUse {
        id: &'a str,
        name: &'a str,
        input: Cow<'a, RawValue>,
    },
    Image {
        source: ImageOut<'a>,
    },
}

/// A picture that a model made. The API has none in its answers; this is how it has them in requests.
#[derive(Serialize)]
pub(super) struct ImageOut<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    media_type: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<&'a str>,
}

/// The vendor's id, or one made of the request's.
pub(super) fn message_id<'a>(id: Option<&'a Text<'_>>, context: &Answering) -> Cow<'a, str> {
    match id {
        Some(id) if !id.is_empty() => Cow::Borrowed(id),
        _ => Cow::Owned(format!("msg_{}", context.seed)),
    }
}

/// The model's name: the vendor's, unless it is to be ours.
pub(super) fn told_model<'a>(model: Option<&'a Text<'_>>, context: &'a Answering) -> &'a str {
    match model {
        Some(model) if !context.force_model && !model.is_empty() => model,
        _ => &context.model,
    }
}

/// For a client that knows signatures of Anthropic's only.
pub(super) fn sealed<'a>(signature: &'a Signature<'_>) -> Cow<'a, str> {
    signature.seal(Origin::Anthropic)
}

/// A signature that stands on a call (Gemini) has no place in `tool_use`: it travels as a redacted
/// block directly before it, and is put back when the client sends it.
pub(super) fn call_signature<'a>(signature: &'a Signature<'_>) -> Block<'a> {
    Block::RedactedThinking { data: sealed(signature) }
}

fn content<'a>(answer: &'a Answer<'_>) -> Vec<Block<'a>> {
    let mut blocks = Vec::with_capacity(answer.parts.len());
    for part in &answer.parts {
        match &part.kind {
            PartKind::Text(text) | PartKind::Refusal(text) => {
                if !text.is_empty() {
                    blocks.push(Block::Text { text, citations: Vec::new() });
                }
            }
            PartKind::Thinking(thinking) => blocks.extend(thinking_block(thinking)),
            PartKind::ToolCall(call) => {
                blocks.extend(call.signature.as_ref().map(call_signature));
                blocks.push(Block::ToolUse {
                    id: &call.id,
                    name: &call.name,
                    input: call_input(call),
                });
            }
            PartKind::Image(media) => blocks.push(Block::Image { source: image(media) }),
            // Not of an answer, or without a place in one.
            PartKind::Audio(_)
            | PartKind::Document(_)
            | PartKind::ToolResult(_)
            | PartKind::Other { .. } => {}
        }
    }
    cite(&answer.citations, &mut blocks);
    blocks
}

/// Puts each citation into the block of text that rests on it; the last one where that is not known.
fn cite<'a>(citations: &'a [Citation<'_>], blocks: &mut [Block<'a>]) {
    if citations.is_empty() {
        return;
    }
    let mut end = 0;
    let mut texts: Vec<(u64, &mut Vec<CitationOut<'a>>)> = Vec::new();
    for block in blocks {
        if let Block::Text { text, citations } = block {
            end += text.chars().count() as u64;
            texts.push((end, citations));
        }
    }
    for citation in citations {
        let place =
            citation.span.and_then(|(_, last)| texts.iter().position(|(end, _)| last <= *end));
        let last = texts.len().saturating_sub(1);
        if let Some((_, cited)) = texts.get_mut(place.unwrap_or(last)) {
            cited.push(CitationOut::new(citation));
        }
    }
}

fn thinking_block<'a>(thinking: &'a Thinking<'_>) -> Option<Block<'a>> {
    let signature = thinking.signature.as_ref();
    if thinking.redacted {
        return signature.map(|signature| Block::RedactedThinking { data: sealed(signature) });
    }
    (signature.is_some() || !thinking.text.is_empty()).then(|| Block::Thinking {
        thinking: &thinking.text,
        signature: signature.map(sealed).unwrap_or_default(),
    })
}

fn image<'a>(media: &'a Media<'_>) -> ImageOut<'a> {
    let media_type = media.mime.as_deref();
    match &media.source {
        Source::Base64(data) | Source::Text(data) => {
            ImageOut { kind: "base64", media_type, data: Some(data), url: None }
        }
        Source::Url(url) | Source::File(url) => {
            ImageOut { kind: "url", media_type: None, data: None, url: Some(url) }
        }
    }
}

/// About how much a part takes.
fn size(part: &Part<'_>) -> usize {
    64 + match &part.kind {
        PartKind::Text(text) | PartKind::Refusal(text) => text.len(),
        PartKind::Thinking(thinking) => {
            let signature = thinking.signature.as_ref();
            thinking.text.len() + signature.map_or(0, |signature| signature.value.len())
        }
        PartKind::ToolCall(call) => call.arguments.len() + call.id.len() + call.name.len(),
        PartKind::Image(Media { source: Source::Base64(data), .. }) => data.len(),
        _ => 0,
    }
}
