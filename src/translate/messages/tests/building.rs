//! Requests that the tests make.

use serde_json::{Value, value::RawValue};

use super::{asking, text, thinks, turn, write_for};
use crate::{
    domain::ReasoningMode,
    translate::{
        Platform,
        form::{
            Effort, Origin, Part, PartKind, PartPath, Reasoning, Request, Role, Signature,
            Thinking, Tool, ToolCall, ToolKind, ToolResult,
        },
    },
};

pub(super) fn part(kind: PartKind<'_>) -> Part<'_> {
    Part::new(kind, PartPath { list: "messages", item: 1, part: Some(0) })
}

pub(super) fn called<'a>(id: &'a str, arguments: &'a str) -> Part<'a> {
    part(PartKind::ToolCall(ToolCall {
        id: id.into(),
        name: "f".into(),
        arguments: arguments.into(),
        signature: None,
        custom: false,
    }))
}

pub(super) fn result<'a>(id: &'a str, parts: Vec<Part<'a>>) -> Part<'a> {
    let call_id = id.into();
    part(PartKind::ToolResult(ToolResult {
        call_id,
        name: None,
        parts,
        error: false,
        custom: false,
    }))
}

pub(super) fn thought(origin: Origin) -> Part<'static> {
    let signature = Some(Signature::new(origin, "c2ln"));
    part(PartKind::Thinking(Thinking { text: "hm".into(), signature, redacted: false, id: None }))
}

pub(super) fn tool<'a>(name: &'a str, parameters: Option<&'a RawValue>) -> Tool<'a> {
    let kind =
        ToolKind::Function { name: name.into(), description: None, parameters, strict: None };
    Tool { kind, cache: None }
}

pub(super) fn at(effort: Effort) -> Reasoning {
    Reasoning { effort: Some(effort), ..Reasoning::default() }
}

pub(super) fn manual(request: &Request<'_>) -> Value {
    write_for(request, thinks(ReasoningMode::Manual), Platform::Own).unwrap()
}

pub(super) fn adaptive(request: &Request<'_>) -> Value {
    write_for(request, thinks(ReasoningMode::Adaptive), Platform::Own).unwrap()
}

pub(super) fn raw(json: &str) -> Box<RawValue> {
    RawValue::from_string(json.to_owned()).unwrap()
}

/// A loop of tools: a question, a turn of calls that begins with `first`, their results.
pub(super) fn in_a_loop(first: Option<Part<'static>>) -> Request<'static> {
    let calls = first.into_iter().chain([called("a", "{}")]).collect();
    let mut request = asking("x");
    request.turns.push(turn(Role::Assistant, calls));
    request.turns.push(turn(Role::User, vec![result("a", vec![text("1")])]));
    request
}
