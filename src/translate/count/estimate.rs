//! An estimate, where the vendor does not count.
//!
//! Text is cut by `OpenAI`'s `o200k_base`, the tokenizer of its models since GPT-4o; other makers' cut about
//! as finely, Claude's newer ones finer. What stands around the text follows
//! <https://github.com/openai/openai-cookbook/blob/main/examples/How_to_count_tokens_with_tiktoken.ipynb>.

use serde_json::value::RawValue;

use super::super::form::{Format, Media, Part, PartKind, Request, Source, Tool, ToolKind};

/// What opens and closes a message, tokens.
const MESSAGE: u64 = 3;
/// What a speaker's name costs beside itself, tokens.
const NAME: u64 = 1;
/// What opens the answer, tokens.
const ANSWER: u64 = 3;
/// What stands around a tool, tokens.
const TOOL: u64 = 7;
/// What stands around all tools, tokens.
const TOOLS: u64 = 12;
/// What stands around a call or its result, tokens.
const CALL: u64 = 3;
/// A picture whose size nobody knows: 1024 × 1024 in high detail, tokens.
/// <https://developers.openai.com/api/docs/guides/images-vision#calculating-costs>
const IMAGE: u64 = 765;
/// A picture in low detail, tokens.
const SMALL_IMAGE: u64 = 85;
/// A page of a PDF, of which Anthropic says 1500 to 3000, tokens.
/// <https://platform.claude.com/docs/en/build-with-claude/pdf-support>
const PAGE: u64 = 2250;
/// How many bytes a page of a PDF has, by a rule of thumb of ours.
const PAGE_BYTES: u64 = 50_000;
/// How many bytes of sound make a token: 16 kB, a second of MP3 at 128 kbit/s, make ten.
/// <https://developers.openai.com/api/docs/guides/realtime-costs>
const SOUND_BYTES: u64 = 1600;
/// The longest text that is cut at once, bytes: it bounds the memory, for a token too many at each seam.
const WINDOW: usize = 64 * 1024;

/// About how many tokens `request` is. Linear in its length, some 100 ns for each token: a request of
/// many megabytes is for a thread that may block.
#[must_use]
pub fn estimate(request: &Request<'_>) -> u64 {
    let turns = request.turns.iter().map(|turn| {
        let name = turn.name.as_deref().map_or(0, |name| NAME + text(name));
        MESSAGE + name + parts(&turn.parts)
    });
    let turns: u64 = turns.sum();
    let tools: u64 = request.tools.iter().map(tool).sum();
    let around_tools = if request.tools.is_empty() { 0 } else { TOOLS };
    let schema = match &request.format {
        Some(Format::JsonSchema(format)) => json(format.schema),
        Some(Format::JsonObject) | None => 0,
    };
    ANSWER + turns + tools + around_tools + schema
}

fn parts(all: &[Part<'_>]) -> u64 {
    all.iter().map(part).sum()
}

fn part(part: &Part<'_>) -> u64 {
    match &part.kind {
        PartKind::Text(words) | PartKind::Refusal(words) => text(words),
        PartKind::Image(media) => image(media),
        PartKind::Audio(media) => (bytes(media) / SOUND_BYTES).max(1),
        PartKind::Document(media) => document(media),
        // Thinking of earlier turns is not read again, and that of a tool loop is what was hidden.
        PartKind::Thinking(thinking) => text(&thinking.text),
        PartKind::ToolCall(call) => CALL + text(&call.name) + text(&call.arguments),
        PartKind::ToolResult(result) => CALL + parts(&result.parts),
        PartKind::Other { raw, .. } => json(raw),
    }
}

fn tool(tool: &Tool<'_>) -> u64 {
    match &tool.kind {
        ToolKind::Function { name, description, parameters, .. } => {
            let description = description.as_deref().map_or(0, text);
            TOOL + text(name) + description + parameters.map_or(0, json)
        }
        ToolKind::Other { raw, .. } => TOOL + json(raw),
        // The vendor's own description of it is not known.
        ToolKind::WebSearch { .. } => TOOL,
    }
}

fn image(media: &Media<'_>) -> u64 {
    if media.detail.as_deref() == Some("low") { SMALL_IMAGE } else { IMAGE }
}

fn document(media: &Media<'_>) -> u64 {
    let around = media.name.as_deref().map_or(0, text) + media.context.as_deref().map_or(0, text);
    let mime = media.mime.as_deref().unwrap_or("application/pdf");
    around
        + match &media.source {
            Source::Text(words) => text(words),
            _ if mime.starts_with("image/") => image(media),
            // In text files a token has four letters.
            Source::Base64(_) if mime.starts_with("text/") => bytes(media) / 4,
            _ => PAGE * bytes(media).div_ceil(PAGE_BYTES).max(1),
        }
}

/// How many bytes a medium has, as far as it is here.
fn bytes(media: &Media<'_>) -> u64 {
    match &media.source {
        Source::Base64(data) => data.len() as u64 / 4 * 3,
        Source::Text(words) => words.len() as u64,
        Source::Url(_) | Source::File(_) => 0,
    }
}

fn json(raw: &RawValue) -> u64 {
    text(raw.get())
}

/// The tokens of a text, cut at `WINDOW`s.
fn text(mut words: &str) -> u64 {
    let tokenizer = bpe_openai::o200k_base();
    let mut count = 0;
    while !words.is_empty() {
        let (window, rest) = words.split_at(words.floor_char_boundary(WINDOW));
        count += tokenizer.count(window) as u64;
        words = rest;
    }
    count
}
