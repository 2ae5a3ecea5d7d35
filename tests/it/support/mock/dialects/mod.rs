//! Good answers and errors in the words of the vendors, shaped as their API references show them.
//!
//! An answer is natural: it calls the first tool where the request offers tools and brings no
//! result yet, thinks where it is asked to think, and says its text otherwise. A request that says
//! `answer with status 429` gets that, so that tests in other languages can have errors, too.

mod anthropic;
mod bedrock;
mod chat;
mod completions;
mod errors;
mod frames;
mod gemini;
mod responses;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use serde_json::{Value, json};

use super::calls::Call;
pub(super) use errors::error;
pub use frames::exception;

/// What a vendor says.
pub(super) struct Answer {
    pub status: u16,
    /// Its content type.
    pub kind: &'static str,
    pub headers: Vec<(&'static str, String)>,
    pub body: Body,
}

pub(super) enum Body {
    Whole(Bytes),
    Events(Vec<Bytes>),
}

const SSE: &str = "text/event-stream; charset=utf-8";

/// The text of every answer, and its pieces in streams.
const TEXT: &str = "Hello from the mock.";

impl Answer {
    /// A good answer of JSON.
    fn json(body: &Value) -> Self {
        Self::whole("application/json", body.to_string())
    }

    fn whole(kind: &'static str, body: impl Into<Bytes>) -> Self {
        Self { status: 200, kind, headers: Vec::new(), body: Body::Whole(body.into()) }
    }

    /// A stream.
    fn events(kind: &'static str, events: Vec<Bytes>) -> Self {
        Self { status: 200, kind, headers: Vec::new(), body: Body::Events(events) }
    }
}

/// The id that a vendor names in its answer for the model that it was asked for.
fn dated(call: &Value) -> String {
    format!("{}-2026-05-05", call["model"].as_str().unwrap_or("unnamed"))
}

/// A good answer to `call`, streamed if it asked for a stream.
pub(super) fn answer(call: &Call) -> Answer {
    let asked: Value = serde_json::from_slice(&call.body).unwrap_or(Value::Null);
    if let Some(status) = status_asked_for(&call.body) {
        return error(call, status);
    }
    let (path, query) = call.path.split_once('?').unwrap_or((&call.path, ""));
    let path = path.replace("%3A", ":");
    let model = dated(&asked);
    let streamed = asked["stream"] == true;
    match path.as_str() {
        path if path.ends_with("/pic.png") => {
            Answer::whole("image/png", STANDARD.decode(PIXEL).unwrap())
        }
        path if path.contains("/publishers/anthropic/") => anthropic::on_vertex(path, &asked),
        path if path.starts_with("/model/") => bedrock::answer(path, &asked),
        path if path.contains("/models/") && path.contains(':') => {
            gemini::answer(path, query, &asked)
        }
        path if path.ends_with("/chat/completions") => chat::answer(&asked, &model),
        path if path.ends_with("/completions") => completions::answer(&asked, &model),
        path if path.ends_with("/embeddings") => Answer::json(&embeddings(&asked, &model)),
        path if path.ends_with("/responses") => responses::answer(&asked, &model),
        path if path.ends_with("/count_tokens") => Answer::json(&json!({"input_tokens": 14})),
        path if path.ends_with("/messages") => anthropic::answer(&asked, &model, streamed),
        path if path.ends_with("/models") => Answer::json(&models()),
        _ => Answer::json(&json!({"error": {"message": "the mock knows no such path"}})),
    }
}

/// `answer with status 429` somewhere in a request's texts.
fn status_asked_for(body: &[u8]) -> Option<u16> {
    const WORDS: &[u8] = b"answer with status ";
    let start = memchr::memmem::find(body, WORDS)? + WORDS.len();
    let status = std::str::from_utf8(body.get(start..start + 3)?).ok()?;
    status.parse().ok().filter(|status| (400..600).contains(status))
}

/// A PNG of one pixel, which `/pic.png` shows.
const PIXEL: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

/// A tool that the answer calls.
struct Tool {
    name: String,
    arguments: Value,
}

/// The call of the tool `name` with what its schema requires.
fn call_of(name: &Value, schema: &Value) -> Tool {
    let mut arguments = json!({});
    let required = schema["required"].as_array().into_iter().flatten();
    for field in required.filter_map(Value::as_str) {
        let kind = schema["properties"][field]["type"].as_str().unwrap_or_default();
        arguments[field] = match kind.to_ascii_lowercase().as_str() {
            "number" | "integer" => json!(7),
            "boolean" => json!(true),
            "array" => json!([]),
            "object" => json!({}),
            _ => json!("Zürich 🏔"),
        };
    }
    Tool { name: name.as_str().unwrap_or("unnamed").to_owned(), arguments }
}

/// A text in three pieces, cut between characters.
fn pieces(text: &str) -> [String; 3] {
    let letters: Vec<char> = text.chars().collect();
    let third = letters.len() / 3;
    let piece = |from: usize, to: usize| letters[from..to].iter().collect();
    [piece(0, third), piece(third, 2 * third), piece(2 * third, letters.len())]
}

/// <https://platform.openai.com/docs/api-reference/embeddings/object>
fn embeddings(asked: &Value, model: &str) -> Value {
    let texts = asked["input"].as_array().map_or(1, Vec::len);
    // The little-endian floats of the list below.
    let vector = if asked["encoding_format"] == "base64" {
        json!("+SYXO7HQGLw=")
    } else {
        json!([0.002_306_4, -0.009_327_1])
    };
    let rows =
        (0..texts).map(|index| json!({"object": "embedding", "index": index, "embedding": vector}));
    json!({"object": "list", "model": model, "data": rows.collect::<Vec<_>>(),
        "usage": {"prompt_tokens": 8, "total_tokens": 8}})
}

fn models() -> Value {
    json!({"object": "list", "data": [
        {"id": "gpt-4o", "object": "model", "created": 1_715_367_049, "owned_by": "system"},
        {"id": "gpt-4o-mini", "object": "model", "created": 1_721_172_741, "owned_by": "system"}]})
}
