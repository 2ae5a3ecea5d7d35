//! A whole answer of Claude's.
//!
//! <https://platform.claude.com/docs/en/api/messages>, the SDK's
//! <https://github.com/anthropics/anthropic-sdk-python/blob/main/src/anthropic/types/message.py>

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{citation::CitationIn, usage::UsageIn, words::read_stop_reason};
use crate::{
    domain::TokenUsage,
    translate::{
        Unreadable,
        form::{
            Answer, Citation, Origin, Part, PartKind, PartPath, Signature, Text, Thinking, ToolCall,
        },
    },
};

/// Reads a body.
///
/// # Errors
/// When it is no message.
pub(in crate::translate) fn read_answer(body: &[u8]) -> Result<Answer<'_>, Unreadable> {
    let message: Message<'_> =
        serde_json::from_slice(body).map_err(|fault| Unreadable(what(&fault)))?;
    let mut reading = Reading::default();
    for raw in message.content.iter().copied() {
        reading.block(raw)?;
    }
    let refused = message.stop_details.and_then(|details| details.explanation);
    if let Some(words) = refused.filter(|words| !words.is_empty()) {
        reading.parts.push(Part::new(PartKind::Refusal(words), PartPath::default()));
    }
    Ok(Answer {
        id: message.id,
        model: message.model,
        parts: reading.parts,
        citations: reading.citations,
        stop: message.stop_reason.as_deref().map(read_stop_reason),
        stop_sequence: message.stop_sequence,
        usage: message.usage.and_then(read_usage),
        service_tier: message.usage.and_then(read_tier),
        ..Answer::default()
    })
}

/// The fault without the place, which names nothing of the answer.
pub(super) fn what(fault: &serde_json::Error) -> String {
    let said = fault.to_string();
    said.split(" at line ").next().unwrap_or_default().to_owned()
}

#[derive(Deserialize)]
struct Message<'a> {
    #[serde(borrow)]
    id: Option<Text<'a>>,
    model: Option<Text<'a>>,
    content: Vec<&'a RawValue>,
    stop_reason: Option<Text<'a>>,
    stop_sequence: Option<Text<'a>>,
    stop_details: Option<StopDetails<'a>>,
    usage: Option<&'a RawValue>,
}

/// Why the model declined.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct StopDetails<'a> {
    #[serde(borrow)]
    pub(super) explanation: Option<Text<'a>>,
}

/// The type of a block: blocks of types that are not known may have members of any type.
#[derive(Deserialize)]
struct Tag<'a> {
    #[serde(rename = "type", borrow)]
    kind: Text<'a>,
}

/// The members of the blocks that are shown.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Block<'a> {
    #[serde(borrow)]
    text: Option<Text<'a>>,
    citations: Option<Vec<CitationIn<'a>>>,
    thinking: Option<Text<'a>>,
    signature: Option<Text<'a>>,
    data: Option<Text<'a>>,
    id: Option<Text<'a>>,
    name: Option<Text<'a>>,
    input: Option<&'a RawValue>,
}

#[derive(Default)]
struct Reading<'a> {
    parts: Vec<Part<'a>>,
    citations: Vec<Citation<'a>>,
    /// Characters of text so far.
    length: u64,
}

impl<'a> Reading<'a> {
    fn block(&mut self, raw: &'a RawValue) -> Result<(), Unreadable> {
        let unreadable = |fault: serde_json::Error| Unreadable(what(&fault));
        let tag: Tag<'_> = serde_json::from_str(raw.get()).map_err(unreadable)?;
        let known = ["text", "thinking", "redacted_thinking", "tool_use"];
        if !known.contains(&&*tag.kind) {
            // What the vendor's own tools did: the text that rests on it has citations.
            return Ok(());
        }
        let block: Block<'_> = serde_json::from_str(raw.get()).map_err(unreadable)?;
        let kind = match &*tag.kind {
            "text" => self.text(block),
            "thinking" => PartKind::Thinking(Thinking {
                text: block.thinking.unwrap_or_default(),
                signature: block.signature.filter(|text| !text.is_empty()).map(own),
                redacted: false,
                id: None,
            }),
            "redacted_thinking" => PartKind::Thinking(Thinking {
                text: Text::default(),
                signature: block.data.map(own),
                redacted: true,
                id: None,
            }),
            _ => PartKind::ToolCall(ToolCall {
                id: block.id.ok_or_else(|| Unreadable("a call has no id".to_owned()))?,
                name: block.name.ok_or_else(|| Unreadable("a call has no name".to_owned()))?,
                arguments: block.input.map_or("{}", RawValue::get).into(),
                signature: None,
                custom: false,
            }),
        };
        self.parts.push(Part::new(kind, PartPath::default()));
        Ok(())
    }

    fn text(&mut self, block: Block<'a>) -> PartKind<'a> {
        let text = block.text.unwrap_or_default();
        let start = self.length;
        self.length += count(&text);
        let span = Some((start, self.length));
        let citations = block.citations.unwrap_or_default().into_iter();
        self.citations.extend(citations.map(|citation| citation.read(span)));
        PartKind::Text(text)
    }
}

/// Characters of a text.
pub(super) fn count(text: &str) -> u64 {
    text.chars().count() as u64
}

/// A signature of Claude's own.
pub(super) fn own(value: Text<'_>) -> Signature<'_> {
    Signature::new(Origin::Anthropic, value)
}

fn read_usage(raw: &RawValue) -> Option<TokenUsage> {
    let figures: UsageIn = serde_json::from_str(raw.get()).ok()?;
    let mut usage = TokenUsage::default();
    figures.raise(&mut usage).then_some(usage)
}

/// `usage.service_tier`.
fn read_tier(raw: &RawValue) -> Option<Text<'_>> {
    #[derive(Deserialize)]
    struct Tier<'a> {
        #[serde(borrow)]
        service_tier: Option<Text<'a>>,
    }
    serde_json::from_str::<Tier<'_>>(raw.get()).ok()?.service_tier
}
