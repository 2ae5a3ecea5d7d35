//! The facts about a stream that a client got.

mod chat;
mod messages;
mod responses;
mod sse;

use serde_json::{Map, Value};

use super::{
    judge::has_headers,
    rules::{list, shape, text},
};
use crate::support::Answer;
pub use sse::Events;

/// What is wrong with the stream `answer` in the dialect of the client, by `facts`.
pub fn faults(dialect: &str, facts: &Map<String, Value>, answer: &Answer) -> Vec<String> {
    let events = match Events::read(&answer.body) {
        Ok(events) => events,
        Err(fault) => return vec![fault],
    };
    let mut faults = by_all(dialect, facts, answer, &events);
    if !facts.contains_key("http_status")
        && !facts.contains_key("http_status_any_of")
        && !facts.contains_key("alternatives")
        && answer.status != 200
    {
        faults.push(format!("the status is {}", answer.status));
    }
    if !faults.is_empty() {
        faults.push(format!("(the client got {})", answer.tell()));
    }
    faults
}

/// What is wrong by one fact of a dialect: its name, what it says, all facts, the events. None if it
/// is no fact of the dialect.
type Fact = fn(&str, &Value, &Map<String, Value>, &Events) -> Option<Vec<String>>;

fn by_all(
    dialect: &str,
    facts: &Map<String, Value>,
    answer: &Answer,
    events: &Events,
) -> Vec<String> {
    let of_dialect: Fact = match dialect {
        "openai" => chat::fact,
        "anthropic" => messages::fact,
        _ => responses::fact,
    };
    let mut faults = Vec::new();
    for (name, said) in facts {
        let found = match name.as_str() {
            // `notes` and the words that belong to `alternatives` and `event_type_sequence`.
            "notes" | "preferred" | "ignore_events" => Vec::new(),
            "alternatives" => preferred(dialect, said, facts, answer, events),
            "invariants" => invariants(dialect, said, answer, events),
            _ => general(name, said, answer, events)
                .or_else(|| of_dialect(name, said, facts, events))
                .unwrap_or_else(|| vec!["the runner does not know this fact".to_owned()]),
        };
        faults.extend(found.into_iter().map(|fault| format!("{name}: {fault}")));
    }
    faults
}

/// Facts that are the same in every dialect.
fn general(name: &str, said: &Value, answer: &Answer, events: &Events) -> Option<Vec<String>> {
    let status = u64::from(answer.status);
    let fault = match name {
        "http_status" => expected(said == status, said, &status.into()),
        "http_status_any_of" => {
            expected(list(said).iter().any(|one| *one == status), said, &status.into())
        }
        "body_shape" => {
            let body = serde_json::from_slice(&answer.body).unwrap_or(Value::Null);
            shape(text(said), &body)
        }
        "response_headers" => {
            let found = format!("{:?}", answer.headers.0).into();
            expected(has_headers(said, answer), said, &found)
        }
        "done_markers" => expected(said == events.done, said, &events.done.into()),
        "event_field_equals_data_type" => events.all.iter().find_map(|event| {
            let named = event.name.as_deref() == event.data["type"].as_str();
            (Some(named) != said.as_bool()).then(|| format!("{:?}: {}", event.name, event.data))
        }),
        "error_event" => return Some(error_event(said, events)),
        _ => return None,
    };
    Some(fault.into_iter().collect())
}

/// The only event that is an error.
fn error_event(said: &Value, events: &Events) -> Vec<String> {
    let errors: Vec<&Value> = events.errors().collect();
    let [error] = errors[..] else {
        return vec![format!("expected one error event, found {}", errors.len())];
    };
    let mut faults = Vec::new();
    for (name, said) in said.as_object().into_iter().flatten() {
        faults.extend(match name.as_str() {
            "body_shape" => shape(text(said), error),
            "message_contains" => {
                let message = error["error"]["message"].as_str().unwrap_or_default();
                expected(message.contains(text(said)), said, &message.into())
            }
            _ => Some(format!("the runner does not know {name:?}")),
        });
    }
    faults
}

/// The alternative that is `preferred`, or any where none is.
fn preferred(
    dialect: &str,
    said: &Value,
    facts: &Map<String, Value>,
    answer: &Answer,
    events: &Events,
) -> Vec<String> {
    let faults = |one: &Value| {
        by_all(dialect, one.as_object().expect("an alternative has facts"), answer, events)
    };
    if let Some(index) = facts.get("preferred") {
        let index = index.as_u64().and_then(|index| usize::try_from(index).ok());
        return index
            .and_then(|index| list(said).get(index))
            .map_or_else(|| vec!["no such alternative is preferred".to_owned()], faults);
    }
    let all: Vec<Vec<String>> = list(said).iter().map(faults).collect();
    if all.iter().any(Vec::is_empty) { Vec::new() } else { all.concat() }
}

fn invariants(dialect: &str, said: &Value, answer: &Answer, events: &Events) -> Vec<String> {
    let mut faults = Vec::new();
    for name in list(said) {
        match (text(name), dialect) {
            ("common", "openai") => faults.extend(chat::common(answer, events)),
            ("no_replacement_char", _) => {
                let text = String::from_utf8_lossy(&answer.body);
                // Escaped, it would hide from the bytes.
                let found = text.contains('\u{fffd}') || text.to_lowercase().contains("\\ufffd");
                faults.extend(found.then(|| "a replacement character".to_owned()));
            }
            (name, dialect) => faults.push(format!("unknown invariant {name:?} of {dialect}")),
        }
    }
    faults
}

/// A fault unless it `holds`.
fn expected(holds: bool, said: &Value, found: &Value) -> Option<String> {
    (!holds).then(|| format!("expected {said}, found {found}"))
}
