//! Tests of the Messages API's two sides. The numbers T-… are those of the list of other gateways' faults.

mod answers;
mod building;
mod generations;
mod media_writing;
mod rehosting;
mod request_reading;
mod request_writing;
mod stream_reading;
mod stream_rules;
mod stream_writing;
mod thinking_writing;
mod tool_writing;

use serde_json::Value;

use crate::{
    domain::{Capabilities, ModelFacts, Quirks, ReasoningMode},
    translate::{
        Answering, Platform, StreamReader, StreamWriter, Target,
        form::{Event, Part, PartKind, PartPath, Refusal, Request, Role, Text, Turn},
        messages,
    },
};

/// A model of which nothing is known but how it thinks.
fn thinks(mode: ReasoningMode) -> ModelFacts {
    ModelFacts { reasoning_mode: Some(mode), ..ModelFacts::default() }
}

/// A model with these capabilities.
fn able(names: &[&str]) -> ModelFacts {
    let names = names.iter().copied();
    ModelFacts { capabilities: Some(Capabilities::named(names)), ..ModelFacts::default() }
}

fn write_for(
    request: &Request<'_>,
    facts: ModelFacts,
    platform: Platform,
) -> Result<Value, Refusal> {
    write_for_model("claude-x", request, &facts, platform)
}

fn write_for_model(
    model: &str,
    request: &Request<'_>,
    facts: &ModelFacts,
    platform: Platform,
) -> Result<Value, Refusal> {
    let quirks = Quirks::default();
    let target = Target { model, facts, platform, quirks: &quirks };
    let body = messages::write_request(request, &target)?;
    Ok(serde_json::from_slice(&body).unwrap())
}

/// What goes to Anthropic for a request.
fn written(request: &Request<'_>) -> Value {
    write_for(request, ModelFacts::default(), Platform::Own).unwrap()
}

fn text(words: &str) -> Part<'_> {
    Part::new(PartKind::Text(words.into()), PartPath::default())
}

fn turn(role: Role, parts: Vec<Part<'_>>) -> Turn<'_> {
    Turn { role, name: None, parts }
}

/// A request with one question.
fn asking(words: &str) -> Request<'_> {
    let turns = vec![turn(Role::User, vec![text(words)])];
    Request { turns, max_tokens: Some(100), ..Request::default() }
}

fn context() -> Answering {
    Answering {
        seed: "s1".to_owned(),
        created: 7,
        model: "up-model".into(),
        ..Answering::default()
    }
}

/// What a client gets for events: every SSE event's name and data.
fn stream_of(events: Vec<Event<'_>>) -> Vec<(String, Value)> {
    let mut writer = messages::Writer::new(context());
    let mut out = Vec::new();
    for event in events {
        writer.write(event, &mut out);
    }
    sse(&out)
}

fn sse(bytes: &[u8]) -> Vec<(String, Value)> {
    let text = std::str::from_utf8(bytes).unwrap();
    let blocks = text.split_terminator("\n\n");
    blocks
        .map(|block| {
            let (name, data) = block.split_once('\n').unwrap();
            let name = name.strip_prefix("event: ").unwrap();
            let data: Value = serde_json::from_str(data.strip_prefix("data: ").unwrap()).unwrap();
            assert_eq!(data["type"], name);
            (name.to_owned(), data)
        })
        .collect()
}

/// The events that a vendor's stream is read as, as their debugging text.
fn events_of(stream: &[(&str, &str)]) -> Vec<String> {
    let mut reader = messages::Reader::default();
    let mut events = Vec::new();
    for (name, data) in stream {
        reader
            .read(name.as_bytes(), data.as_bytes(), &mut |event| events.push(format!("{event:?}")));
    }
    reader.end(&mut |event| events.push(format!("{event:?}")));
    events
}

fn owned(text: &str) -> Text<'_> {
    text.into()
}
