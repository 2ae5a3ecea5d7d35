//! Content blocks of a request for Claude.
//!
//! <https://platform.claude.com/docs/en/api/messages>; results of tools:
//! <https://platform.claude.com/docs/en/agents-and-tools/tool-use/handle-tool-calls>; thinking:
//! <https://platform.claude.com/docs/en/build-with-claude/extended-thinking#preserving-thinking-blocks>

use std::{borrow::Cow, fmt::Write};

use serde::Serialize;
use serde_json::value::RawValue;

use super::{
    cache::{CacheControl, control},
    input::call_input,
    media_write::{DocumentOut, ImageSource, document, image},
};
use crate::translate::{
    Platform,
    form::{Origin, Part, PartKind, Refusal, Thinking, ToolResult},
};

/// A block.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Block<'a> {
    Image {
        source: ImageSource<'a>,
        #[serde(skip_serializing_if = "Option::is_none")]
        cache_control: Option<CacheControl>,
    },
    Document {
        #[serde(flatten)]
        document: DocumentOut<'a>,
        #[serde(skip_serializing_if = "Option::is_none")]
        cache_control: Option<CacheControl>,
    },
    Thinking {
        thinking: &'a str,
        signature: &'a str,
    },
    RedactedThinking {
        data: &'a str,
    },
    ToolUse {
        id: Cow<'a, str>,
        name: &'a str,
        input: Cow<'a, RawValue>,
        #[serde(skip_serializing_if = "Option::is_none")]
        cache_control: Option<CacheControl>,
    },
    ToolResult {
        tool_use_id: Cow<'a, str>,
        #[serde(skip_serializing_if = "ResultContent::is_empty")]
        content: ResultContent<'a>,
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        is_error: bool,
        #[serde(skip_serializing_if = "Option::is_none")]
        cache_control: Option<CacheControl>,
    },
    #[serde(untagged)]
    Text(TextBlock<'a>),
}

/// A text block; its `type` is written by hand, because `system` has these outside of [`Block`].
pub(super) struct TextBlock<'a> {
    pub(super) text: &'a str,
    pub(super) cache_control: Option<CacheControl>,
}

impl Serialize for TextBlock<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct;

        let members = 2 + usize::from(self.cache_control.is_some());
        let mut block = serializer.serialize_struct("TextBlock", members)?;
        block.serialize_field("type", "text")?;
        block.serialize_field("text", self.text)?;
        if let Some(mark) = &self.cache_control {
            block.serialize_field("cache_control", mark)?;
        }
        block.end()
    }
}

/// What a tool answered: a string where it is one text, else blocks.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum ResultContent<'a> {
    Text(&'a str),
    Blocks(Vec<Block<'a>>),
}

impl ResultContent<'_> {
    fn is_empty(&self) -> bool {
        matches!(self, Self::Blocks(blocks) if blocks.is_empty())
    }
}

impl Block<'_> {
    /// The place of the block's cache mark; none where it can have none.
    pub(super) fn mark(&mut self) -> Option<&mut Option<CacheControl>> {
        match self {
            Self::Text(TextBlock { cache_control, .. })
            | Self::Image { cache_control, .. }
            | Self::Document { cache_control, .. }
            | Self::ToolUse { cache_control, .. }
            | Self::ToolResult { cache_control, .. } => Some(cache_control),
            Self::Thinking { .. } | Self::RedactedThinking { .. } => None,
        }
    }

    const fn is_thinking(&self) -> bool {
        matches!(self, Self::Thinking { .. } | Self::RedactedThinking { .. })
    }
}

/// The blocks of a turn, its thinking first. Thinking that Claude did not sign stays out, and all of it
/// where `thinking` is not kept.
pub(super) fn turn_blocks<'a>(
    parts: &[&'a Part<'_>],
    thinking: bool,
    platform: Platform,
) -> Result<Vec<Block<'a>>, Refusal> {
    let mut blocks = Vec::with_capacity(parts.len());
    for part in parts {
        if let Some(block) = block(part, thinking, platform)? {
            blocks.push(block);
        }
    }
    // Thinking between calls, as Claude itself puts it, stays there.
    if blocks.first().is_some_and(|first: &Block<'_>| !first.is_thinking()) {
        blocks.sort_by_key(|block| !block.is_thinking());
    }
    Ok(blocks)
}

fn block<'a>(
    part: &'a Part<'_>,
    keep_thinking: bool,
    platform: Platform,
) -> Result<Option<Block<'a>>, Refusal> {
    let cache_control = control(part.cache);
    Ok(Some(match &part.kind {
        PartKind::Text(text) | PartKind::Refusal(text) => {
            Block::Text(TextBlock { text, cache_control })
        }
        PartKind::Image(media) => {
            Block::Image { source: image(media, &part.path, platform)?, cache_control }
        }
        PartKind::Document(media) => {
            Block::Document { document: document(media, &part.path, platform)?, cache_control }
        }
        PartKind::Thinking(thinking) => return Ok(own_thinking(thinking).filter(|_| keep_thinking)),
        PartKind::ToolCall(call) => Block::ToolUse {
            id: tool_id(&call.id),
            name: &call.name,
            input: call_input(call),
            cache_control,
        },
        PartKind::ToolResult(result) => tool_result(result, cache_control, platform)?,
        PartKind::Audio(_) => {
            let path = part.path.to_string();
            let message = format!("`{path}`: Claude does not take sound; send its words as text");
            return Err(Refusal::unsupported(path, message));
        }
        PartKind::Other { name, .. } => {
            let path = part.path.to_string();
            let message = format!("`{path}`: `{}` cannot be translated for Claude", &**name);
            return Err(Refusal::unsupported(path, message));
        }
    }))
}

/// A thinking block unmodified; none where it is not Claude's own.
fn own_thinking<'a>(thinking: &'a Thinking<'_>) -> Option<Block<'a>> {
    let signature = thinking.signature.as_ref()?;
    if signature.origin != Origin::Anthropic || signature.value.is_empty() {
        return None;
    }
    Some(if thinking.redacted {
        Block::RedactedThinking { data: &signature.value }
    } else {
        Block::Thinking { thinking: &thinking.text, signature: &signature.value }
    })
}

/// Whether a turn's part is thinking that Claude would take back.
pub(super) fn is_own_thinking(part: &Part<'_>) -> bool {
    matches!(&part.kind, PartKind::Thinking(thinking) if own_thinking(thinking).is_some())
}

fn tool_result<'a>(
    result: &'a ToolResult<'_>,
    mut cache_control: Option<CacheControl>,
    platform: Platform,
) -> Result<Block<'a>, Refusal> {
    let mut blocks = Vec::with_capacity(result.parts.len());
    for part in &result.parts {
        // A mark inside says the same as one on the result.
        cache_control = cache_control.or_else(|| control(part.cache));
        match &part.kind {
            PartKind::Text(text) if text.trim().is_empty() => {}
            _ => {
                if let Some(mut block) = block(part, false, platform)? {
                    if let Some(mark) = block.mark() {
                        *mark = None;
                    }
                    blocks.push(block);
                }
            }
        }
    }
    let content = match &*blocks {
        [Block::Text(text)] => ResultContent::Text(text.text),
        _ => ResultContent::Blocks(blocks),
    };
    let tool_use_id = tool_id(&result.call_id);
    Ok(Block::ToolResult { tool_use_id, content, is_error: result.error, cache_control })
}

/// An id of a call. Claude takes letters, digits, `_` and `-` only; other bytes of other vendors' ids are
/// written as their number, the same in a call and in its result.
fn tool_id(id: &str) -> Cow<'_, str> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    if !id.is_empty() && id.bytes().all(is_plain) {
        return Cow::Borrowed(id);
    }
    let mut plain = String::from(if id.is_empty() { "call" } else { "" });
    for byte in id.bytes() {
        if is_plain(byte) {
            plain.push(char::from(byte));
        } else {
            let _ = write!(plain, "_{byte:02x}");
        }
    }
    Cow::Owned(plain)
}
