//! Facts about streams of chat completions.

use serde_json::{Map, Value};

use super::{Events, expected};
use crate::{
    support::Answer,
    vectors::{
        constraints::of_type,
        json::{same, subset},
        rules::{list, text},
    },
};

/// The chunks: every event that is no error.
fn chunks(events: &Events) -> Vec<&Value> {
    events.all.iter().map(|event| &event.data).filter(|data| data["error"].is_null()).collect()
}

fn delta(chunk: &Value) -> &Value {
    &chunk["choices"][0]["delta"]
}

fn content(chunk: &Value) -> &str {
    delta(chunk)["content"].as_str().unwrap_or_default()
}

/// Thinking, which later versions of the API call `reasoning_content`, too.
fn reasoning(chunk: &Value) -> &str {
    let delta = delta(chunk);
    delta["reasoning"].as_str().or_else(|| delta["reasoning_content"].as_str()).unwrap_or_default()
}

fn finish(chunk: &Value) -> &Value {
    &chunk["choices"][0]["finish_reason"]
}

/// What is wrong by one fact; none if it is none of chat completions.
pub fn fact(
    name: &str,
    said: &Value,
    _: &Map<String, Value>,
    events: &Events,
) -> Option<Vec<String>> {
    let chunks = chunks(events);
    let joined = |part: fn(&Value) -> &str| chunks.iter().map(|chunk| part(chunk)).collect();
    let all: [String; 2] = [joined(content), joined(reasoning)];
    let finishes: Vec<&Value> =
        chunks.iter().map(|chunk| finish(chunk)).filter(|reason| !reason.is_null()).collect();
    let usage = chunks.iter().map(|chunk| &chunk["usage"]).find(|usage| usage.is_object());
    let usage = usage.unwrap_or(&Value::Null);
    let fault = match name {
        "content" => expected(*said == all[0], said, &all[0].as_str().into()),
        "reasoning" => expected(*said == all[1], said, &all[1].as_str().into()),
        "finish_reason" => {
            let found = finishes.last().copied().unwrap_or(&Value::Null);
            expected(said == found, said, found)
        }
        "finish_reason_chunks" => expected(said == finishes.len(), said, &finishes.len().into()),
        "usage_subset" => return Some(subset(said, usage, &[])),
        "usage_types" => return Some(types(said, usage)),
        "reasoning_tokens" => {
            let found = &usage["completion_tokens_details"]["reasoning_tokens"];
            expected(same(said, found), said, found)
        }
        "metadata_chunk_subset" => {
            let found = chunks.iter().map(|chunk| &chunk["metadata"]).find(|one| one.is_object());
            return Some(subset(said, found.unwrap_or(&Value::Null), &[]));
        }
        "tool_calls" => return Some(tool_calls(said, &chunks)),
        "order" => return Some(order(said, &chunks, events)),
        "all_reasoning_before_content" => {
            let last = chunks.iter().rposition(|chunk| !reasoning(chunk).is_empty());
            let first = chunks.iter().position(|chunk| !content(chunk).is_empty());
            let before = last.zip(first).is_some_and(|(last, first)| last < first);
            expected(*said == before, said, &before.into())
        }
        "never_in_content_or_reasoning" => list(said).iter().map(text).find_map(|secret| {
            let found = all.iter().any(|text| text.contains(secret));
            found.then(|| format!("{secret:?} was told"))
        }),
        "no_chunk_for" => return Some(no_chunk_for(said, &chunks)),
        "done_after_error" => {
            let after = events.done == 1 && events.after_done == 0 && events.errors().count() == 1;
            expected(*said == after, said, &after.into())
        }
        _ => return None,
    };
    Some(fault.into_iter().collect())
}

fn types(said: &Value, usage: &Value) -> Vec<String> {
    let members = said.as_object().into_iter().flatten();
    let faults = members.filter_map(|(name, words)| {
        of_type(text(words), usage.get(name)).map(|fault| format!("{name}: {fault}"))
    });
    faults.collect()
}

/// A call as its fragments make it.
#[derive(Default)]
struct ToolCall {
    first: Value,
    arguments: String,
}

fn assembled(chunks: &[&Value]) -> Result<Vec<ToolCall>, String> {
    let mut calls: Vec<ToolCall> = Vec::new();
    for fragment in chunks.iter().flat_map(|chunk| list(&delta(chunk)["tool_calls"])) {
        let index = fragment["index"].as_u64().and_then(|index| usize::try_from(index).ok());
        let index = index.ok_or_else(|| format!("a fragment without index: {fragment}"))?;
        if index > calls.len() {
            return Err(format!("the index {index} comes after {} calls", calls.len()));
        }
        if index == calls.len() {
            let function = &fragment["function"];
            let whole = fragment["id"].is_string() && function["name"].is_string();
            if !whole || fragment["type"] != "function" {
                return Err(format!("a first fragment has id, type and name, not {fragment}"));
            }
            calls.push(ToolCall { first: fragment.clone(), arguments: String::new() });
        } else if fragment["id"].is_string() && fragment["id"] != calls[index].first["id"] {
            return Err(format!("the id of {} changes: {fragment}", calls[index].first));
        }
        calls[index].arguments += fragment["function"]["arguments"].as_str().unwrap_or_default();
    }
    Ok(calls)
}

fn tool_calls(said: &Value, chunks: &[&Value]) -> Vec<String> {
    let calls = match assembled(chunks) {
        Ok(calls) => calls,
        Err(fault) => return vec![fault],
    };
    if calls.len() != list(said).len() {
        return vec![format!("expected {} calls, found {}", list(said).len(), calls.len())];
    }
    let mut faults = Vec::new();
    for (call, said) in calls.iter().zip(list(said)) {
        for (name, said) in said.as_object().into_iter().flatten() {
            let found = match name.as_str() {
                "index" | "id" | "type" => call.first[name].clone(),
                "name" => call.first["function"]["name"].clone(),
                "arguments" => call.arguments.as_str().into(),
                "arguments_json" => serde_json::from_str(&call.arguments).unwrap_or_default(),
                _ => format!("the runner does not know {name:?}").into(),
            };
            faults.extend(expected(same(said, &found), said, &found));
        }
    }
    faults
}

/// Each of the named things comes, and none before the one that stands before it.
fn order(said: &Value, chunks: &[&Value], events: &Events) -> Vec<String> {
    let (mut faults, mut before) = (Vec::new(), 0);
    for name in list(said) {
        let place = match text(name) {
            "content" => chunks.iter().rposition(|chunk| !content(chunk).is_empty()),
            "reasoning" => chunks.iter().rposition(|chunk| !reasoning(chunk).is_empty()),
            "finish_reason" => chunks.iter().position(|chunk| !finish(chunk).is_null()),
            "usage" => chunks.iter().position(|chunk| chunk["usage"].is_object()),
            "metadata" => chunks.iter().position(|chunk| chunk["metadata"].is_object()),
            "[DONE]" => (events.done == 1 && events.after_done == 0).then_some(chunks.len()),
            other => {
                faults.push(format!("the runner does not know {other:?}"));
                continue;
            }
        };
        match place {
            Some(place) if place >= before => before = place,
            Some(_) => faults.push(format!("{name} comes too early")),
            None => faults.push(format!("{name} does not come")),
        }
    }
    faults
}

/// A vendor's event that says nothing to the client makes no chunk: none is empty, and only the
/// first, which tells the role, has empty content.
fn no_chunk_for(said: &Value, chunks: &[&Value]) -> Vec<String> {
    let silent = ["ping", "content_block_start(text)", "content_block_stop"];
    let mut faults: Vec<String> = list(said)
        .iter()
        .filter(|event| !silent.contains(&text(event)))
        .map(|event| format!("the runner does not know {event}"))
        .collect();
    for (index, chunk) in chunks.iter().enumerate() {
        let told = delta(chunk)
            .as_object()
            .is_some_and(|delta| delta.values().any(|value| !value.is_null() && value != ""));
        let ends = !finish(chunk).is_null();
        let closes = chunk["usage"].is_object() || chunk["metadata"].is_object();
        if !told && !ends && !closes {
            faults.push(format!("the chunk {index} says nothing: {chunk}"));
        }
    }
    faults
}

/// The invariants that the README calls `common`.
pub fn common(answer: &Answer, events: &Events) -> Vec<String> {
    let mut faults = Vec::new();
    let mut must = |holds: bool, fault: &dyn Fn() -> String| {
        if !holds {
            faults.push(fault());
        }
    };
    let kind = answer.header("content-type").unwrap_or_default();
    must(answer.status == 200, &|| format!("the status is {}", answer.status));
    must(kind.starts_with("text/event-stream"), &|| format!("the content type is {kind:?}"));
    must(events.done == 1 && events.after_done == 0, &|| "[DONE] is not last, once".to_owned());
    let chunks = chunks(events);
    must(!chunks.is_empty(), &|| "no chunks".to_owned());
    must(chunks.len() == events.all.len(), &|| "an error among the chunks".to_owned());
    for chunk in &chunks {
        let first = chunks[0];
        must(chunk["object"] == "chat.completion.chunk", &|| format!("another object: {chunk}"));
        let same = chunk["id"] == first["id"] && chunk["created"] == first["created"];
        must(same && chunk["id"].is_string(), &|| format!("another id or time: {chunk}"));
        let one = list(&chunk["choices"]).len() == 1 && chunk["choices"][0]["index"] == 0;
        must(one && delta(chunk).is_object(), &|| format!("not one choice: {chunk}"));
        let role = &delta(chunk)["role"];
        must(role.is_null() || role == "assistant", &|| format!("another role: {chunk}"));
    }
    let places = |is: &dyn Fn(&Value) -> bool| -> Vec<usize> {
        (0..chunks.len()).filter(|index| is(chunks[*index])).collect()
    };
    let finishes = places(&|chunk| !finish(chunk).is_null());
    let usages = places(&|chunk| chunk["usage"].is_object());
    must(finishes.len() == 1, &|| format!("{} finish reasons", finishes.len()));
    must(usages.len() == 1, &|| format!("{} usage objects", usages.len()));
    must(usages > finishes, &|| "usage does not come after the finish".to_owned());
    match assembled(&chunks) {
        Ok(calls) => {
            for call in calls {
                let parsed: Result<Value, _> = serde_json::from_str(&call.arguments);
                must(parsed.is_ok(), &|| format!("arguments are no JSON: {}", call.arguments));
            }
        }
        Err(fault) => must(false, &|| fault.clone()),
    }
    faults
}
