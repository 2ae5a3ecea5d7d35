//! OpenAI's chat completion and completion chunks
//! (<https://platform.openai.com/docs/api-reference/chat-streaming>).
//!
//! Usage comes in a chunk of its own with empty `choices` (OpenAI), with the last choice or with
//! every chunk (xAI, Mistral, Perplexity), or in `x_groq` (Groq); an error as `{"error":…}`
//! instead of a chunk or inside one or its choice (OpenRouter), as `{"object":"error",…}` (vLLM), or as an
//! event of that name.

use std::sync::LazyLock;

use memchr::memmem::Finder;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{
    reading::Reading,
    search::{Member, member},
};
use crate::{
    dialect::{facts::text, usage::read_openai},
    wire::pick::{Path, Picker},
};

const USAGE: Path = Path::top("usage");
const GROQ_USAGE: Path = Path::inside("x_groq", "usage");
const MODEL: Path = Path::top("model");
const CHOICES: Path = Path::top("choices");
const ERROR: Path = Path::top("error");
const OBJECT: Path = Path::top("object");
const MESSAGE: Path = Path::top("message");
pub(super) const PATHS: &[Path] = &[USAGE, GROQ_USAGE, MODEL, CHOICES, ERROR, OBJECT, MESSAGE];

static HAS_USAGE: Member = member!("usage");
/// A member of this name, or a string that says no more: an `object`, a `finish_reason`.
static ERROR_WORD: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("\"error\""));
static HAS_FINISH: Member = member!("finish_reason");
/// What is new in a chunk. Beside it some vendors send all that was said so far, and sources
/// (<https://docs.perplexity.ai/docs/sonar/pro-search/stream-mode>).
static DELTA: Member = member!("delta");
/// The same in a chunk of completions.
static TEXT: Member = member!("text");
/// What a model says, thinks and calls with; thinking by the names that vendors have for it.
static SAYS: [&Member; 5] = {
    static CONTENT: Member = member!("content");
    static REFUSAL: Member = member!("refusal");
    static REASONING: Member = member!("reasoning");
    static REASONING_CONTENT: Member = member!("reasoning_content");
    static ARGUMENTS: Member = member!("arguments");
    [&CONTENT, &REFUSAL, &REASONING, &REASONING_CONTENT, &ARGUMENTS]
};

pub(super) fn whole(name: &[u8], data: &[u8], reading: &mut Reading) -> bool {
    if data.trim_ascii() == b"[DONE]" {
        reading.finished = true;
        reading.good();
        return false;
    }
    if name == b"error" {
        reading.fail(data);
        return false;
    }
    reading.said += match DELTA.value(data) {
        Some(delta) => SAYS.iter().map(|member| member.said(delta)).sum(),
        None => TEXT.said(data),
    };
    if !reading.settled && HAS_FINISH.has(data, |byte| byte == b'"') {
        reading.settled = true;
    }
    let matters = reading.is_undecided()
        || HAS_USAGE.has(data, |byte| byte == b'{')
        || speaks_of_an_error(data);
    if !matters {
        return false;
    }
    let mut members = Picker::new(PATHS);
    members.push(data);
    // The whole of it tells the code as well.
    if members.get(OBJECT) == Some(b"\"error\"") {
        reading.fail(data);
        return false;
    }
    picked(&members, reading)
}

/// Whether there is an `error` that is not null, or a value that says no more.
fn speaks_of_an_error(data: &[u8]) -> bool {
    ERROR_WORD.find_iter(data).any(|at| {
        let rest = data.get(at + ERROR_WORD.needle().len()..).unwrap_or_default();
        let value = rest.trim_ascii_start().strip_prefix(b":").map(<[u8]>::trim_ascii_start);
        value.is_none_or(|value| !value.starts_with(b"n"))
    })
}

/// True for the chunk that has usage and no choice.
pub(super) fn picked(members: &Picker, reading: &mut Reading) -> bool {
    if let Some(error) = members.get(ERROR).filter(|error| error.trim_ascii() != b"null") {
        reading.fail(error);
        return false;
    }
    if members.get(OBJECT) == Some(b"\"error\"") {
        reading.fail(members.get(MESSAGE).unwrap_or(b"{}"));
        return false;
    }
    reading.name_model(text(members.get(MODEL)));
    let usage = members.get(USAGE).and_then(read_openai);
    if let Some(usage) = usage.or_else(|| members.get(GROQ_USAGE).and_then(read_openai)) {
        reading.usage = Some(usage);
        reading.said = 0;
    }
    if let Some(error) = members.get(CHOICES).and_then(error_of_choice) {
        reading.fail(error.get().as_bytes());
        return false;
    }
    reading.good();
    usage.is_some() && members.get(CHOICES).is_some_and(is_empty_list)
}

/// What a choice tells that ended in an error
/// (<https://openrouter.ai/docs/api/reference/errors-and-debugging>).
fn error_of_choice(choices: &[u8]) -> Option<&RawValue> {
    #[derive(Deserialize)]
    struct Choice<'a> {
        #[serde(borrow)]
        error: Option<&'a RawValue>,
    }
    if !speaks_of_an_error(choices) {
        return None;
    }
    let choices: Vec<Choice<'_>> = serde_json::from_slice(choices).ok()?;
    let told = |error: &&RawValue| error.get().starts_with(['{', '"']) && error.get().len() > 2;
    choices.into_iter().find_map(|choice| choice.error.filter(told))
}

fn is_empty_list(raw: &[u8]) -> bool {
    raw.strip_prefix(b"[")
        .and_then(|raw| raw.strip_suffix(b"]"))
        .is_some_and(|inside| inside.trim_ascii().is_empty())
}
