//! Facts about streams of OpenAI's responses.

use serde_json::{Map, Value};

use super::{Events, expected};
use crate::vectors::{
    json::{same, subset},
    rules::{list, text},
};

fn kind(event: &Value) -> &str {
    event["type"].as_str().unwrap_or_default()
}

/// What is wrong by one fact; none if it is none of responses.
pub fn fact(
    name: &str,
    said: &Value,
    _: &Map<String, Value>,
    events: &Events,
) -> Option<Vec<String>> {
    let all: Vec<&Value> = events.all.iter().map(|event| &event.data).collect();
    let of = |name: &str| -> Vec<&Value> {
        all.iter().copied().filter(|event| kind(event) == name).collect()
    };
    let fault = match name {
        "first_event" => {
            let found = all.first().map(|event| kind(event));
            expected(found == said.as_str(), said, &found.into())
        }
        "last_event" => {
            let found = all.last().map(|event| kind(event));
            expected(found == said.as_str(), said, &found.into())
        }
        "must_occur_in_order" => in_order(said, &all),
        "output_text" => {
            let deltas = of("response.output_text.delta");
            let found: String = deltas.iter().filter_map(|event| event["delta"].as_str()).collect();
            let done: String = of("response.output_text.done")
                .iter()
                .filter_map(|event| event["text"].as_str())
                .collect();
            expected(*said == found, said, &found.as_str().into())
                .or_else(|| expected(*said == done, said, &done.as_str().into()))
        }
        "function_calls" => return Some(function_calls(said, &all)),
        "sequence_numbers" => {
            if text(said) != "strictly +1 from the first (0; 1 tolerated)" {
                return Some(vec!["the runner does not know these words".to_owned()]);
            }
            sequence(&all)
        }
        "completed_response_subset" => {
            let last = of("response.completed").pop().unwrap_or(&Value::Null);
            return Some(subset(said, &last["response"], &[]));
        }
        "done_after_error" => {
            let found = events.done > 0;
            expected(*said == found, said, &found.into())
        }
        _ => return None,
    };
    Some(fault.into_iter().collect())
}

fn sequence(all: &[&Value]) -> Option<String> {
    let numbers: Vec<Option<i64>> =
        all.iter().map(|event| event["sequence_number"].as_i64()).collect();
    let first = numbers.first().copied().flatten().filter(|first| (0..=1).contains(first));
    let holds = first
        .is_some_and(|first| numbers.iter().zip(first..).all(|(number, due)| *number == Some(due)));
    (!holds).then(|| format!("{numbers:?}"))
}

/// Each comes after the one before; `type(item)` is about an item of that type.
fn in_order(said: &Value, all: &[&Value]) -> Option<String> {
    let mut rest = all.iter();
    list(said).iter().map(text).find_map(|name| {
        let (event, item) = name.strip_suffix(')').and_then(|name| name.split_once('(')).unzip();
        let found = rest.any(|found| {
            kind(found) == event.unwrap_or(name)
                && item.is_none_or(|item| found["item"]["type"] == item)
        });
        (!found).then(|| format!("{name} does not come in its place"))
    })
}

fn function_calls(said: &Value, all: &[&Value]) -> Vec<String> {
    let ended = |event: &&&Value| {
        kind(event) == "response.output_item.done" && event["item"]["type"] == "function_call"
    };
    let calls: Vec<&&Value> = all.iter().filter(ended).collect();
    if calls.len() != list(said).len() {
        return vec![format!("expected {} calls, found {calls:?}", list(said).len())];
    }
    let mut faults = Vec::new();
    for (call, said) in calls.iter().zip(list(said)) {
        let item = &call["item"];
        let whole = item["arguments"].as_str().unwrap_or_default();
        let parts: String = all
            .iter()
            .filter(|event| kind(event) == "response.function_call_arguments.delta")
            .filter(|event| event["output_index"] == call["output_index"])
            .filter_map(|event| event["delta"].as_str())
            .collect();
        faults.extend(expected(parts == whole, &whole.into(), &parts.as_str().into()));
        for (name, said) in said.as_object().into_iter().flatten() {
            let found = match name.as_str() {
                "output_index" => call["output_index"].clone(),
                "arguments_json" => serde_json::from_str(whole).unwrap_or_default(),
                _ => item[name].clone(),
            };
            faults.extend(expected(same(said, &found), said, &found));
        }
    }
    faults
}
