//! The head of a request body: what the gateway must know before it can route.
//!
//! The whole body is checked to be one JSON object, because what two parsers read differently
//! (two `model` members, rubbish behind the object) could be allowed here as one thing and run
//! upstream as another. Nothing but the head is built; the rest stays the client's own bytes.
//!
//! Other members are the upstream's to judge: `input` and `prompt` are not demanded here, because
//! OpenAI-compatible servers accept others in their place (`prompt_embeds`, `messages`).

use std::{borrow::Cow, ops::Range};

use super::{
    json::{Cursor, Fault, Kind, Value},
    output::{OutputLimits, misspelt},
    words::Words,
};
use crate::domain::Endpoint;

/// The longest `model` that is accepted, bytes: Amazon's longest resource names fit.
pub const MAX_MODEL_BYTES: usize = 2048;

/// What the gateway knows of a request body. Spans are byte ranges of the body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// The literal of `model`, quotes included.
    pub model: Range<usize>,
    /// Its value, decoded; never empty.
    pub model_name: String,
    /// Whether a stream was asked for.
    pub stream: bool,
    /// What the request says about `stream_options`.
    pub stream_options: StreamOptions,
    /// The most tokens of output that are asked for; none where that is not said, or is no number from 0 on.
    pub output_limit: Option<u64>,
    /// How that is said.
    pub output_limits: OutputLimits,
    /// Right behind the object's opening brace: where a member can be added.
    pub insert_at: usize,
    /// What the request may need, by the words of its form.
    pub words: Words,
}

/// `stream_options`, as far as usage is concerned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StreamOptions {
    /// Not given.
    Absent,
    /// `null`, standing here.
    Null(Range<usize>),
    /// An object.
    Object {
        /// Right behind its opening brace.
        insert_at: usize,
        /// Whether it has no members.
        empty: bool,
        /// Its `include_usage`.
        include_usage: IncludeUsage,
    },
    /// Something else: the upstream's to refuse (only where usage is not asked for this way).
    Other,
}

/// `stream_options.include_usage`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IncludeUsage {
    /// Not given.
    Absent,
    /// `true`.
    Asked,
    /// `false` or `null`, standing here.
    Declined(Range<usize>),
}

impl Head {
    /// Whether the client itself asked for the stream's usage chunk.
    #[must_use]
    pub const fn asks_usage(&self) -> bool {
        matches!(
            self.stream_options,
            StreamOptions::Object { include_usage: IncludeUsage::Asked, .. }
        )
    }
}

/// The body cannot be accepted; always the caller's fault, status 400.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct HeadError {
    /// `invalid_json` where the body is not one JSON object, else `invalid_parameters`.
    pub code: &'static str,
    /// The member at fault.
    pub param: Option<&'static str>,
    /// What is wrong and what would be right.
    pub message: String,
}

impl HeadError {
    fn json(detail: impl std::fmt::Display) -> Self {
        Self {
            code: "invalid_json",
            param: None,
            message: format!("Invalid JSON in request body: {detail}"),
        }
    }

    /// A fault of the body as a whole: clients of the unified API expect `param` to be null.
    fn shape(message: impl Into<String>) -> Self {
        Self { code: "invalid_parameters", param: None, message: message.into() }
    }

    fn param(param: &'static str, message: impl Into<String>) -> Self {
        Self { code: "invalid_parameters", param: Some(param), message: message.into() }
    }
}

impl From<Fault> for HeadError {
    fn from(fault: Fault) -> Self {
        Self::json(fault)
    }
}

/// Reads and checks the head of a request body of `endpoint`.
///
/// # Errors
/// When the body is not one JSON object in UTF-8, nested at most 256 levels deep; when `model`,
/// `stream`, `stream_options` or `messages` is given twice (escaped spellings included) or is of
/// the wrong type; when a limit of output is given twice and once without a number; when `model` or what
/// decides on the output is spelled in another case; when `model`, or `messages` where the endpoint needs
/// it, is missing.
pub fn read_head(body: &[u8], endpoint: Endpoint) -> Result<Head, HeadError> {
    check_start(body)?;
    let mut seen = Seen::default();
    let mut cursor = Cursor::noting(body);
    let walk = cursor.object(|key, value| seen.member(body, key, value));
    let walk = walk.and_then(|()| cursor.end());
    // Most bodies are ASCII, which the walk has seen: going over them once more is saved.
    if walk.is_err() || !cursor.is_ascii() {
        check_utf8(body)?;
    }
    walk?;
    if let Some(error) = seen.error {
        return Err(error);
    }
    if needs_messages(endpoint) {
        check_messages(seen.messages.as_ref())?;
    }
    let output_limit = seen.output.most(endpoint);
    let (model, model_name) = read_model(body, seen.model)?;
    Ok(Head {
        model,
        model_name,
        stream: read_stream(seen.stream.as_ref())?,
        stream_options: read_stream_options(body, endpoint, seen.stream_options)?,
        output_limit,
        output_limits: seen.output,
        insert_at: memchr::memchr(b'{', body).map_or(0, |brace| brace + 1),
        words: cursor.words(),
    })
}

/// Whether usage of this endpoint's streams comes only if `stream_options` asks for it.
#[must_use]
pub const fn asks_for_usage(endpoint: Endpoint) -> bool {
    matches!(endpoint, Endpoint::ChatCompletions | Endpoint::Completions)
}

const fn needs_messages(endpoint: Endpoint) -> bool {
    matches!(endpoint, Endpoint::ChatCompletions | Endpoint::Messages | Endpoint::CountTokens)
}

fn check_start(body: &[u8]) -> Result<(), HeadError> {
    if body.is_empty() {
        return Err(HeadError::json("the body is empty; send a JSON object"));
    }
    if body.starts_with(b"\xef\xbb\xbf") {
        return Err(HeadError::json("it starts with a byte order mark; send plain UTF-8"));
    }
    Ok(())
}

fn check_utf8(body: &[u8]) -> Result<(), HeadError> {
    std::str::from_utf8(body).map(|_| ()).map_err(|fault| {
        HeadError::json(format_args!("not valid UTF-8 at byte {}", fault.valid_up_to()))
    })
}

/// The members that the gateway acts on, as they were met.
#[derive(Default)]
struct Seen {
    model: Option<Value>,
    stream: Option<Value>,
    stream_options: Option<Value>,
    messages: Option<Value>,
    output: OutputLimits,
    /// The first one that cannot be accepted. Kept until the syntax is known to be right.
    error: Option<HeadError>,
}

impl Seen {
    fn member(&mut self, body: &[u8], key: Range<usize>, value: Value) {
        let at = key.start;
        let Some(name) = key_name(body, key) else { return };
        let (slot, name) = match &*name {
            b"model" => (&mut self.model, "model"),
            b"stream" => (&mut self.stream, "stream"),
            b"stream_options" => (&mut self.stream_options, "stream_options"),
            b"messages" => (&mut self.messages, "messages"),
            other => {
                if let Err(name) = self.output.note(other, body, at, &value.span) {
                    self.refuse_twice(name, at);
                }
                self.check_case(other, at);
                return;
            }
        };
        if slot.replace(value).is_some() {
            self.refuse_twice(name, at);
        }
    }

    /// Upstreams written in Go match names without case: they would run this model, and so much output.
    fn check_case(&mut self, name: &[u8], at: usize) {
        let is_model = name.eq_ignore_ascii_case(b"model");
        if let Some(name) = if is_model { Some("model") } else { misspelt(name) } {
            self.refuse(name, format!("`{name}` must be spelled in lower case (at byte {at})"));
        }
    }

    fn refuse_twice(&mut self, name: &'static str, at: usize) {
        self.refuse(name, format!("`{name}` is given twice (again at byte {at}); send it once"));
    }

    fn refuse(&mut self, param: &'static str, message: String) {
        self.error.get_or_insert_with(|| HeadError::param(param, message));
    }
}

/// A key's name; none where its escapes are no Unicode, which makes it no name that matters.
fn key_name(body: &[u8], literal: Range<usize>) -> Option<Cow<'_, [u8]>> {
    let plain = body.get(literal.start + 1..literal.end.saturating_sub(1))?;
    if memchr::memchr(b'\\', plain).is_none() {
        return Some(Cow::Borrowed(plain));
    }
    decode(body, literal).map(|name| Cow::Owned(name.into_bytes()))
}

fn decode(body: &[u8], literal: Range<usize>) -> Option<String> {
    serde_json::from_slice(body.get(literal)?).ok()
}

fn read_model(body: &[u8], model: Option<Value>) -> Result<(Range<usize>, String), HeadError> {
    let refuse = |message: &str| Err(HeadError::param("model", message));
    let Some(model) = model else {
        return refuse("`model` is missing; name a model alias, or <provider>/<model>");
    };
    if model.kind != Kind::String {
        return refuse("`model` must be a string");
    }
    let too_long = || refuse("`model` is too long; at most 2048 bytes are accepted");
    // An escape of six bytes stands for one.
    if model.span.len() > 6 * MAX_MODEL_BYTES + 2 {
        return too_long();
    }
    match decode(body, model.span.clone()) {
        Some(name) if name.len() > MAX_MODEL_BYTES => too_long(),
        None => refuse("`model` has an escape that is no Unicode character"),
        Some(name) if name.is_empty() => {
            refuse("`model` is empty; name a model alias, or <provider>/<model>")
        }
        Some(name) => Ok((model.span, name)),
    }
}

fn read_stream(stream: Option<&Value>) -> Result<bool, HeadError> {
    match stream.map(|value| value.kind) {
        Some(Kind::True) => Ok(true),
        None | Some(Kind::False | Kind::Null) => Ok(false),
        Some(_) => Err(HeadError::param("stream", "`stream` must be true, false or null")),
    }
}

fn check_messages(messages: Option<&Value>) -> Result<(), HeadError> {
    match messages.map(|value| value.kind) {
        Some(Kind::Array) => Ok(()),
        Some(_) => Err(HeadError::shape("`messages` must be an array")),
        None => Err(HeadError::shape("`messages` is missing; send an array of messages")),
    }
}

fn read_stream_options(
    body: &[u8],
    endpoint: Endpoint,
    options: Option<Value>,
) -> Result<StreamOptions, HeadError> {
    match options {
        None => Ok(StreamOptions::Absent),
        Some(Value { kind: Kind::Null, span }) => Ok(StreamOptions::Null(span)),
        Some(Value { kind: Kind::Object, span }) if asks_for_usage(endpoint) => {
            read_options_object(body, span)
        }
        Some(_) if asks_for_usage(endpoint) => {
            Err(HeadError::param("stream_options", "`stream_options` must be an object or null"))
        }
        Some(_) => Ok(StreamOptions::Other),
    }
}

fn read_options_object(body: &[u8], span: Range<usize>) -> Result<StreamOptions, HeadError> {
    let object = body.get(span.clone()).unwrap_or_default();
    let mut members = 0_usize;
    let mut named = 0_usize;
    let mut flag = None;
    Cursor::new(object).object(|key, value| {
        members += 1;
        if key_name(object, key).as_deref() == Some(b"include_usage") {
            named += 1;
            flag = Some(value);
        }
    })?;
    if named > 1 {
        return Err(HeadError::param(
            "stream_options",
            "`stream_options.include_usage` is given twice; send it once",
        ));
    }
    let include_usage = match flag {
        None => IncludeUsage::Absent,
        Some(Value { kind: Kind::True, .. }) => IncludeUsage::Asked,
        Some(Value { kind: Kind::False | Kind::Null, span: at }) => {
            IncludeUsage::Declined(span.start + at.start..span.start + at.end)
        }
        Some(_) => {
            return Err(HeadError::param(
                "stream_options",
                "`stream_options.include_usage` must be true or false",
            ));
        }
    };
    Ok(StreamOptions::Object { insert_at: span.start + 1, empty: members == 0, include_usage })
}

#[cfg(test)]
#[path = "envelope_tests.rs"]
mod tests;
