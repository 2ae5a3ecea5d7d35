//! An estimate, where the vendor does not count.
//!
//! Text is cut by `OpenAI`'s `cl100k_base`. Other makers' tokenizers cut differently, Claude's finer: of
//! the two tokenizers at hand this is the finer one, so that it errs on the side of too many, and it takes
//! half the memory (some 30 MB, once there was an estimate). What stands around the text follows
//! <https://github.com/openai/openai-cookbook/blob/main/examples/How_to_count_tokens_with_tiktoken.ipynb>.

use serde_json::value::RawValue;

use crate::domain::{IMAGE_TOKENS, TEXT_BYTES_PER_TOKEN};

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
/// How much text is cut, bytes; of longer requests a part that is spread evenly over them. Texts made to be
/// slow take some 3 µs for each byte, a hundred times what others take.
pub(super) const SAMPLE: u64 = 256 * 1024;
/// The longest text that is cut at once, bytes; each seam may make a token too many.
pub(super) const WINDOW: usize = 4096;

/// About how many tokens `request` is. The time is bounded: 256 KiB of text, some 50 ms, beside a walk over
/// the request; the first estimate loads the tokenizer, some 100 ms. For a thread that may block.
#[must_use]
pub fn estimate(request: &Request<'_>) -> u64 {
    let found = found(request);
    found.tokens + cut(&found.texts)
}

/// A guess, by the bytes of the texts, of the same: media count as they do there, not by their bytes. It
/// takes a walk over the request and no tokenizer.
#[must_use]
pub fn guess(request: &Request<'_>) -> u64 {
    let found = found(request);
    found.tokens + length(found.texts.iter().copied()).div_ceil(TEXT_BYTES_PER_TOKEN)
}

fn found<'r>(request: &'r Request<'_>) -> Found<'r> {
    let mut found = Found { tokens: ANSWER, texts: Vec::new() };
    for turn in &request.turns {
        found.tokens += MESSAGE;
        if let Some(name) = &turn.name {
            found.tokens += NAME;
            found.texts.push(name);
        }
        found.parts(&turn.parts);
    }
    if !request.tools.is_empty() {
        found.tokens += TOOLS;
    }
    for tool in &request.tools {
        found.tool(tool);
    }
    if let Some(Format::JsonSchema(format)) = &request.format {
        found.texts.push(format.schema.get());
    }
    found
}

/// What a request has: texts to be cut, and the tokens of everything else.
struct Found<'r> {
    tokens: u64,
    texts: Vec<&'r str>,
}

impl<'r> Found<'r> {
    fn parts(&mut self, parts: &'r [Part<'_>]) {
        for part in parts {
            self.part(part);
        }
    }

    fn part(&mut self, part: &'r Part<'_>) {
        match &part.kind {
            PartKind::Text(words) | PartKind::Refusal(words) => self.texts.push(words),
            PartKind::Image(media) => self.tokens += image(media),
            PartKind::Audio(media) => self.tokens += (bytes(media) / SOUND_BYTES).max(1),
            PartKind::Document(media) => self.document(media),
            PartKind::Thinking(thinking) => self.texts.push(&thinking.text),
            PartKind::ToolCall(call) => {
                self.tokens += CALL;
                self.texts.extend([&*call.name, &*call.arguments]);
            }
            PartKind::ToolResult(result) => {
                self.tokens += CALL;
                self.parts(&result.parts);
            }
            PartKind::Other { raw, .. } => self.texts.push(raw.get()),
        }
    }

    fn tool(&mut self, tool: &'r Tool<'_>) {
        self.tokens += TOOL;
        match &tool.kind {
            ToolKind::Function { name, description, parameters, .. } => {
                self.texts.push(name);
                self.texts.extend(description.as_deref());
                self.texts.extend(parameters.map(RawValue::get));
            }
            ToolKind::Custom { name, description, grammar } => {
                self.texts.push(name);
                self.texts.extend(description.as_deref());
                self.texts.extend(grammar.as_ref().map(|own| &*own.definition));
            }
            ToolKind::Other { raw, .. } => self.texts.push(raw.get()),
            // The vendor's own description of it is not known.
            ToolKind::WebSearch { .. } => {}
        }
    }

    fn document(&mut self, media: &'r Media<'_>) {
        self.texts.extend(media.name.as_deref());
        self.texts.extend(media.context.as_deref());
        let mime = media.mime.as_deref().unwrap_or("application/pdf");
        match &media.source {
            Source::Text(words) => self.texts.push(words),
            _ if mime.starts_with("image/") => self.tokens += image(media),
            // In text files a token has about four letters.
            Source::Base64(_) if mime.starts_with("text/") => self.tokens += bytes(media) / 4,
            _ => self.tokens += PAGE * bytes(media).div_ceil(PAGE_BYTES).max(1),
        }
    }
}

fn image(media: &Media<'_>) -> u64 {
    if media.detail.as_deref() == Some("low") { SMALL_IMAGE } else { IMAGE_TOKENS }
}

/// How many bytes a medium has, as far as it is here.
fn bytes(media: &Media<'_>) -> u64 {
    match &media.source {
        Source::Base64(data) => data.len() as u64 / 4 * 3,
        Source::Text(words) => words.len() as u64,
        Source::Url(_) | Source::File(_) => 0,
    }
}

/// The tokens of all texts.
fn cut(texts: &[&str]) -> u64 {
    let all = length(texts.iter().copied());
    let (mut sampled, mut tokens) = (0, 0);
    for window in sample(texts, all) {
        sampled += window.len() as u64;
        tokens += bpe_openai::cl100k_base().count(window) as u64;
    }
    let scaled = u128::from(tokens) * u128::from(all) / u128::from(sampled.max(1));
    u64::try_from(scaled).unwrap_or(u64::MAX)
}

/// The pieces that are cut, of texts that have `all` bytes together: all of them, or a share that is
/// spread evenly, at most a piece more than [`SAMPLE`].
pub(super) fn sample<'r>(texts: &'r [&'r str], all: u64) -> impl Iterator<Item = &'r str> {
    let share = SAMPLE.min(all);
    let (mut seen, mut sampled) = (0_u64, 0_u64);
    texts.iter().flat_map(|text| windows(text)).filter(move |window| {
        let length = window.len() as u64;
        // So far no more than its share has been taken.
        let due = u128::from(sampled) * u128::from(all) <= u128::from(seen) * u128::from(share);
        seen += length;
        if due {
            sampled += length;
        }
        due
    })
}

fn windows(mut text: &str) -> impl Iterator<Item = &str> {
    std::iter::from_fn(move || {
        let (window, rest) = text.split_at(text.floor_char_boundary(WINDOW));
        text = rest;
        (!window.is_empty()).then_some(window)
    })
}

/// How many bytes texts have together.
pub(super) fn length<'r>(texts: impl Iterator<Item = &'r str>) -> u64 {
    texts.map(|text| text.len() as u64).sum()
}
