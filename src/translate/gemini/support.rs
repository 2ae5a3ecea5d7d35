//! What the tests share: requests built by hand, and what is written for them.

use serde_json::{Value, value::RawValue};

use super::write_request;
use crate::{
    domain::{ModelFacts, Quirks, ReasoningMode},
    translate::{
        Platform, Target,
        form::{
            Media, Origin, Part, PartKind, PartPath, Refusal, Request, Role, Signature, Source,
            Thinking, Tool, ToolCall, ToolKind, ToolResult, Turn,
        },
    },
};

pub const PATH: PartPath = PartPath { list: "messages", item: 1, part: None };

pub fn turn<'a>(role: Role, kinds: impl IntoIterator<Item = PartKind<'a>>) -> Turn<'a> {
    Turn { role, name: None, parts: kinds.into_iter().map(|kind| Part::new(kind, PATH)).collect() }
}

pub fn text(text: &str) -> PartKind<'_> {
    PartKind::Text(text.into())
}

pub fn user(words: &str) -> Turn<'_> {
    turn(Role::User, [text(words)])
}

pub fn image(source: Source<'_>) -> PartKind<'_> {
    PartKind::Image(Media { mime: Some("image/png".into()), ..Media::at(source) })
}

pub fn call<'a>(id: &'a str, arguments: &'a str, signature: Option<&'a str>) -> PartKind<'a> {
    PartKind::ToolCall(ToolCall {
        id: id.into(),
        name: "get_weather".into(),
        arguments: arguments.into(),
        signature: signature.map(|value| Signature::new(Origin::Google, value)),
        custom: false,
    })
}

pub fn result<'a>(id: &'a str, kinds: impl IntoIterator<Item = PartKind<'a>>) -> PartKind<'a> {
    PartKind::ToolResult(ToolResult {
        call_id: id.into(),
        name: None,
        parts: kinds.into_iter().map(|kind| Part::new(kind, PATH)).collect(),
        error: false,
        custom: false,
    })
}

pub fn proof<'a>(words: &'a str, origin: Origin, value: &'a str) -> PartKind<'a> {
    let signature = Some(Signature::new(origin, value));
    PartKind::Thinking(Thinking { text: words.into(), signature, redacted: false, id: None })
}

pub fn raw(json: &str) -> &RawValue {
    serde_json::from_str(json).unwrap()
}

pub fn function<'a>(name: &'a str, parameters: Option<&'a str>) -> Tool<'a> {
    let kind = ToolKind::Function {
        name: name.into(),
        description: Some("Weather for one city".into()),
        parameters: parameters.map(raw),
        strict: Some(true),
    };
    Tool { kind, cache: None }
}

pub fn asking<'a>(turns: impl IntoIterator<Item = Turn<'a>>) -> Request<'a> {
    Request { turns: turns.into_iter().collect(), ..Request::default() }
}

/// What is written for a model of which only the name is known.
pub fn written_for(
    request: &Request<'_>,
    model: &str,
    platform: Platform,
    mode: Option<ReasoningMode>,
) -> Result<Value, Refusal> {
    let facts = ModelFacts { reasoning_mode: mode, ..ModelFacts::default() };
    written_knowing(request, model, platform, &facts)
}

/// What is written for a model of which this is known.
pub fn written_knowing(
    request: &Request<'_>,
    model: &str,
    platform: Platform,
    facts: &ModelFacts,
) -> Result<Value, Refusal> {
    let quirks = Quirks::default();
    let target = Target { model, facts, platform, quirks: &quirks };
    let body = write_request(request, &target)?;
    assert_eq!(write_request(request, &target).unwrap(), body, "the same request, other bytes");
    Ok(serde_json::from_slice(&body).unwrap())
}

pub fn written(request: &Request<'_>) -> Value {
    written_for(request, "gemini-2.5-flash", Platform::Own, None).unwrap()
}

pub fn written_3(request: &Request<'_>) -> Value {
    written_for(request, "gemini-3-pro-preview", Platform::Own, None).unwrap()
}

pub fn refused(request: &Request<'_>) -> (&'static str, String) {
    let refusal =
        written_for(request, "gemini-2.5-flash", Platform::Own, None).expect_err("a refusal");
    (refusal.code, refusal.param.unwrap())
}
