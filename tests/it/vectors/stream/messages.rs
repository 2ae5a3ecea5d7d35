//! Facts about streams of Anthropic's messages.

use serde_json::{Map, Value};

use super::{Events, expected};
use crate::vectors::{
    json::{same, subset},
    rules::{list, text},
};

fn kind(event: &Value) -> &str {
    event["type"].as_str().unwrap_or_default()
}

/// What is wrong by one fact; none if it is none of messages.
pub fn fact(
    name: &str,
    said: &Value,
    facts: &Map<String, Value>,
    events: &Events,
) -> Option<Vec<String>> {
    let all: Vec<&Value> = events.all.iter().map(|event| &event.data).collect();
    let last_delta = all.iter().rfind(|event| kind(event) == "message_delta");
    let last_delta = last_delta.map_or(&Value::Null, |delta| *delta);
    let fault = match name {
        "event_type_sequence" => {
            let ignored = facts.get("ignore_events").map(list).unwrap_or_default();
            let found: Vec<&str> = all
                .iter()
                .map(|event| kind(event))
                .filter(|kind| !ignored.contains(&(*kind).into()))
                .collect();
            let pattern: Vec<&str> = list(said).iter().map(text).collect();
            expected(matches(&pattern, &found), said, &found.clone().into())
        }
        "blocks" => return Some(blocks(said, &all)),
        "content_block_start_input" => {
            let starts = all.iter().map(|event| &event["content_block"]);
            let mut inputs = starts.filter(|block| block["type"] == "tool_use").peekable();
            if inputs.peek().is_none() {
                return Some(vec!["no tool_use block starts".to_owned()]);
            }
            inputs.find_map(|block| expected(same(said, &block["input"]), said, block))
        }
        "content" => {
            let found: String = text_of(&all, "text_delta", "text");
            expected(*said == found, said, &found.as_str().into())
        }
        "reasoning" => {
            let found: String = text_of(&all, "thinking_delta", "thinking");
            expected(*said == found, said, &found.as_str().into())
        }
        "stop_reason" => {
            let found = &last_delta["delta"]["stop_reason"];
            expected(said == found, said, found)
        }
        "final_usage_subset" => return Some(subset(said, &last_delta["usage"], &[])),
        "done_after_error" => {
            let found = events.done > 0;
            expected(*said == found, said, &found.into())
        }
        _ => return None,
    };
    Some(fault.into_iter().collect())
}

fn text_of(all: &[&Value], delta: &str, field: &str) -> String {
    let deltas = all.iter().filter(|event| event["delta"]["type"] == delta);
    deltas.filter_map(|event| event["delta"][field].as_str()).collect()
}

/// Whether `found` is what `pattern` says; `name+` is one or more of them.
fn matches(pattern: &[&str], found: &[&str]) -> bool {
    let mut rest = found;
    for name in pattern {
        let (name, many) = name.strip_suffix('+').map_or((*name, false), |name| (name, true));
        let count = rest.iter().take_while(|found| **found == name).count();
        if count == 0 {
            return false;
        }
        rest = &rest[if many { count } else { 1 }..];
    }
    rest.is_empty()
}

/// The content blocks as their events make them; strictly one after another.
fn assembled(all: &[&Value]) -> Result<Vec<Value>, String> {
    let (mut blocks, mut open): (Vec<Value>, Option<Value>) = (Vec::new(), None);
    for event in all {
        match (kind(event), &mut open) {
            ("content_block_start", None) => {
                let mut block = event["content_block"].clone();
                block["index"] = event["index"].clone();
                open = Some(block);
            }
            ("content_block_start", Some(_)) => return Err(format!("two blocks at once: {event}")),
            ("content_block_delta", Some(block)) if block["index"] == event["index"] => {
                let delta = &event["delta"];
                let (field, from) = match kind(delta) {
                    "text_delta" => ("text", "text"),
                    "thinking_delta" => ("thinking", "thinking"),
                    "signature_delta" => ("signature", "signature"),
                    "input_json_delta" => ("partial_json", "partial_json"),
                    other => return Err(format!("the runner does not know {other}")),
                };
                let so_far = block[field].as_str().unwrap_or_default();
                let more = delta[from].as_str().unwrap_or_default();
                block[field] = format!("{so_far}{more}").into();
            }
            ("content_block_stop", Some(block)) if block["index"] == event["index"] => {
                blocks.extend(open.take());
            }
            ("content_block_delta" | "content_block_stop", _) => {
                return Err(format!("not of the open block: {event}"));
            }
            _ => {}
        }
    }
    open.map_or(Ok(blocks), |block| Err(format!("a block without end: {block}")))
}

fn blocks(said: &Value, all: &[&Value]) -> Vec<String> {
    let blocks = match assembled(all) {
        Ok(blocks) => blocks,
        Err(fault) => return vec![fault],
    };
    if blocks.len() != list(said).len() {
        return vec![format!("expected {} blocks, found {blocks:?}", list(said).len())];
    }
    let mut faults = Vec::new();
    for (block, said) in blocks.iter().zip(list(said)) {
        for (name, said) in said.as_object().into_iter().flatten() {
            let found = if name == "input_json" {
                let parts = block["partial_json"].as_str().unwrap_or_default();
                serde_json::from_str(parts).unwrap_or_default()
            } else {
                block[name].clone()
            };
            faults.extend(expected(same(said, &found), said, &found));
        }
    }
    faults
}
