//! Content blocks of a client's request.
//!
//! <https://platform.claude.com/docs/en/api/messages>, the SDK's
//! <https://github.com/anthropics/anthropic-sdk-python/blob/main/src/anthropic/types/content_block_param.py>

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{self, SeqAccess},
};
use serde_json::value::RawValue;

use super::{
    openai_shape,
    raw::read_at,
    request_read::CacheControl,
    server_tools::{self, Told},
    words::cache_mark,
};
use crate::translate::{
    form::{
        Media, Origin, Part, PartKind, PartPath, Refusal, Signature, Source, Text, Thinking,
        ToolCall, ToolResult,
    },
    gemini::is_server_part,
};

/// A string, or a list of blocks.
pub(super) enum Content<'a> {
    Text(Text<'a>),
    Blocks(Vec<&'a RawValue>),
}

impl<'de: 'a, 'a> Deserialize<'de> for Content<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ContentVisitor)
    }
}

struct ContentVisitor;

impl<'de> de::Visitor<'de> for ContentVisitor {
    type Value = Content<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string or a list of content blocks")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Content::Text(text.into()))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Content::Text(text.to_owned().into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut blocks = Vec::new();
        while let Some(block) = seq.next_element()? {
            blocks.push(block);
        }
        Ok(Content::Blocks(blocks))
    }
}

/// The members of all the blocks that are read; which of them count is said by `type`.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Block<'a> {
    #[serde(rename = "type", borrow)]
    kind: Text<'a>,
    cache_control: Option<CacheControl<'a>>,
    text: Option<Text<'a>>,
    thinking: Option<Text<'a>>,
    signature: Option<Text<'a>>,
    data: Option<Text<'a>>,
    id: Option<Text<'a>>,
    name: Option<Text<'a>>,
    input: Option<&'a RawValue>,
    tool_use_id: Option<Text<'a>>,
    is_error: Option<bool>,
    content: Option<Content<'a>>,
    source: Option<SourceIn<'a>>,
    title: Option<Text<'a>>,
    context: Option<Text<'a>>,
    citations: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct SourceIn<'a> {
    #[serde(rename = "type", borrow)]
    kind: Text<'a>,
    media_type: Option<Text<'a>>,
    data: Option<Text<'a>>,
    url: Option<Text<'a>>,
    file_id: Option<Text<'a>>,
    content: Option<Content<'a>>,
}

#[derive(Deserialize)]
struct Tag<'a> {
    #[serde(rename = "type", borrow)]
    kind: Text<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct CitationsConfig {
    enabled: bool,
}

/// The parts of a message's, a tool result's or the system's content. `path` is the list's own place:
/// the blocks of `system` are its items, those of a message its parts.
pub(super) fn parts(content: Content<'_>, path: PartPath) -> Result<Vec<Part<'_>>, Refusal> {
    match content {
        Content::Text(text) => Ok(vec![Part::new(PartKind::Text(text), path)]),
        Content::Blocks(blocks) => {
            let place = |index| match path {
                PartPath { list: "system", .. } => PartPath { item: index, ..path },
                // Inside a tool's result: that is what the client can find.
                PartPath { part: Some(_), .. } => path,
                PartPath { part: None, .. } => PartPath { part: Some(index), ..path },
            };
            let read = |(index, raw)| part(raw, place(index)).transpose();
            blocks.into_iter().enumerate().filter_map(read).collect()
        }
    }
}

/// None for a block of which nothing is told to other vendors.
fn part(raw: &RawValue, path: PartPath) -> Result<Option<Part<'_>>, Refusal> {
    let block = read_block(raw, &path)?;
    let cache = block.cache_control.as_ref().map(|cache| cache_mark(cache.ttl.as_deref()));
    let kind = match server_tools::told(&block.kind, raw) {
        Some(Told::Nothing) => return Ok(None),
        Some(Told::Words(words)) => PartKind::Text(words.into()),
        None => kind(block, raw, path)?,
    };
    Ok(Some(Part { kind, cache, path }))
}

/// What is not known may have members of any type, which then do not matter.
fn read_block<'a>(raw: &'a RawValue, path: &PartPath) -> Result<Block<'a>, Refusal> {
    if let Ok(block) = serde_json::from_str(raw.get()) {
        return Ok(block);
    }
    let tag: Tag<'_> = read_at(raw, path)?;
    if is_known(&tag.kind) {
        return read_at(raw, path);
    }
    Ok(Block { kind: tag.kind, ..Block::default() })
}

fn is_known(kind: &str) -> bool {
    matches!(
        kind,
        "text"
            | "image"
            | "document"
            | "tool_use"
            | "tool_result"
            | "thinking"
            | "redacted_thinking"
    )
}

fn kind<'a>(block: Block<'a>, raw: &'a RawValue, path: PartPath) -> Result<PartKind<'a>, Refusal> {
    Ok(match &*block.kind {
        "text" => PartKind::Text(need(block.text, &path, "text")?),
        "image" => PartKind::Image(image(block.source, &path)?),
        "document" => document(block, raw, path)?,
        "thinking" => PartKind::Thinking(Thinking {
            text: need(block.thinking, &path, "thinking")?,
            signature: block.signature.filter(|text| !text.is_empty()).map(unseal),
            redacted: false,
            id: None,
        }),
        "redacted_thinking" => PartKind::Thinking(Thinking {
            text: Text::default(),
            signature: Some(unseal(need(block.data, &path, "data")?)),
            redacted: true,
            id: None,
        }),
        "tool_use" => PartKind::ToolCall(ToolCall {
            id: need(block.id, &path, "id")?,
            name: need(block.name, &path, "name")?,
            arguments: block.input.map_or("{}", RawValue::get).into(),
            signature: None,
            custom: false,
        }),
        "tool_result" => PartKind::ToolResult(ToolResult {
            call_id: need(block.tool_use_id, &path, "tool_use_id")?,
            name: None,
            parts: match block.content {
                Some(content) => parts(content, PartPath { part: path.part.or(Some(0)), ..path })?,
                None => Vec::new(),
            },
            error: block.is_error.unwrap_or(false),
            custom: false,
        }),
        "" => return Err(missing(&path, "type")),
        other => {
            if let Some(refusal) = openai_shape::block(other, &path.to_string()) {
                return Err(refusal);
            }
            PartKind::Other { name: block.kind, raw }
        }
    })
}

fn unseal(text: Text<'_>) -> Signature<'_> {
    Signature::unseal(text, Origin::Anthropic)
}

/// Whether this is the signature of the call that follows it: see
/// [`call_signature`](super::answer_write::call_signature).
pub(super) fn is_google_call_signature(kind: &PartKind<'_>) -> bool {
    match kind {
        PartKind::Thinking(thinking) if thinking.redacted => {
            let google = |signature: &&Signature<'_>| signature.origin == Origin::Google;
            let signature = thinking.signature.as_ref().filter(google);
            signature.is_some_and(|signature| !is_server_part(&signature.value))
        }
        _ => false,
    }
}

fn need<'a>(member: Option<Text<'a>>, path: &PartPath, name: &str) -> Result<Text<'a>, Refusal> {
    member.ok_or_else(|| missing(path, name))
}

fn missing(path: &PartPath, name: &str) -> Refusal {
    let path = format!("{path}.{name}");
    Refusal::invalid(&*path, format!("`{path}` is missing"))
}

fn image<'a>(source: Option<SourceIn<'a>>, path: &PartPath) -> Result<Media<'a>, Refusal> {
    let source = source.ok_or_else(|| missing(path, "source"))?;
    let mime = source.media_type;
    let place = match &*source.kind {
        "base64" => Source::Base64(need(source.data, path, "source.data")?),
        "url" => return Ok(Media::of_url(need(source.url, path, "source.url")?)),
        "file" => Source::File(need(source.file_id, path, "source.file_id")?),
        _ => return Err(wrong_source(path, "base64, url or file")),
    };
    Ok(Media { mime, ..Media::at(place) })
}

fn wrong_source(path: &PartPath, right: &str) -> Refusal {
    let path = format!("{path}.source.type");
    Refusal::invalid(&*path, format!("`{path}` must be {right}"))
}

fn document<'a>(
    block: Block<'a>,
    raw: &'a RawValue,
    path: PartPath,
) -> Result<PartKind<'a>, Refusal> {
    let source = block.source.ok_or_else(|| missing(&path, "source"))?;
    let plain = || Some(Text::from("text/plain"));
    let mut media = match &*source.kind {
        "base64" => {
            let data = need(source.data, &path, "source.data")?;
            Media { mime: source.media_type, ..Media::at(Source::Base64(data)) }
        }
        "text" => {
            let data = need(source.data, &path, "source.data")?;
            Media { mime: plain(), ..Media::at(Source::Text(data)) }
        }
        "url" => Media::of_url(need(source.url, &path, "source.url")?),
        "file" => Media::at(Source::File(need(source.file_id, &path, "source.file_id")?)),
        "content" => match source.content.map(|content| joined(content, path)).transpose()? {
            Some(Some(text)) => Media { mime: plain(), ..Media::at(Source::Text(text)) },
            // With pictures inside: nobody else has a document of that kind.
            Some(None) => return Ok(PartKind::Other { name: "document".into(), raw }),
            None => return Err(missing(&path, "source.content")),
        },
        _ => return Err(wrong_source(&path, "base64, text, url, file or content")),
    };
    media.name = block.title;
    media.context = block.context;
    let citations = |raw: &RawValue| serde_json::from_str::<CitationsConfig>(raw.get());
    media.citations = block.citations.is_some_and(|raw| citations(raw).unwrap_or_default().enabled);
    Ok(PartKind::Document(media))
}

/// The text of a document that is given in pieces; none where a piece is no text.
fn joined(content: Content<'_>, path: PartPath) -> Result<Option<Text<'_>>, Refusal> {
    let pieces = match content {
        Content::Text(text) => return Ok(Some(text)),
        blocks @ Content::Blocks(_) => {
            parts(blocks, PartPath { part: path.part.or(Some(0)), ..path })?
        }
    };
    let mut whole = String::new();
    for piece in &pieces {
        let PartKind::Text(text) = &piece.kind else { return Ok(None) };
        if !whole.is_empty() {
            whole.push_str("\n\n");
        }
        whole.push_str(text);
    }
    Ok(Some(whole.into()))
}
