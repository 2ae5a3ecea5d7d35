//! What happened, held against everything that a vector expects.

use serde_json::{Map, Value};

use super::{
    json::same,
    play::{Played, said_here},
    rules::{check, in_one_case, list, text},
    stream,
    vector::Vector,
};
use crate::support::{Answer, Call, Ending};

/// Every fault that `vector` finds in what was played; each names its rule.
pub fn judge(vector: &Vector, played: &Played) -> Vec<String> {
    let mut faults = vector.unknown();
    if played.answer.ending != Ending::Complete {
        faults.push("the answer was cut".to_owned());
    }
    let section = |field: &str| {
        let said = vector.expected(field)?;
        let said = said_here(&Value::from(said.clone()), &played.mock_base);
        said.as_object().cloned()
    };
    if let Some(said) = section("expected_upstream_request") {
        faults.extend(within("upstream request", of_request(&said, played)));
    }
    let response = section("expected_client_response");
    if let Some(said) = &response {
        faults.extend(within("client response", of_response(said, played)));
    }
    let facts = section("expected_client_stream_facts");
    if let Some(said) = &facts {
        let facts = stream::faults(vector.text("client_dialect"), said, &played.answer);
        faults.extend(within("client stream", facts));
    }
    if response.is_none() && facts.is_none() && played.answer.status != 200 {
        faults.push(format!("the client was refused: {}", played.answer.tell()));
    }
    faults
}

fn within(place: &str, faults: Vec<String>) -> impl Iterator<Item = String> {
    faults.into_iter().map(move |fault| format!("{place}: {fault}"))
}

/// The words of `key_case`.
const EITHER_CASE: &str =
    "proto3-JSON: lowerCamelCase or snake_case accepted; compare case-normalised";

/// The words of `path_note`.
const COLON_MAY_BE_ESCAPED: &str = "':' in the model id may be sent as %3A";

fn of_request(said: &Map<String, Value>, played: &Played) -> Vec<String> {
    let Some(call) = played.calls.first() else {
        return vec![format!("no vendor was called; the client got {}", played.answer.tell())];
    };
    let body: Value = match serde_json::from_slice(&call.body) {
        Ok(body) => body,
        Err(error) => return vec![format!("the body is no JSON ({error}): {:?}", call.body)],
    };
    let (rules, body) = match said.get("key_case").map(text) {
        None => (said.clone(), body),
        Some(EITHER_CASE) => in_one_case(said, &body),
        Some(words) => return vec![format!("the runner does not know the key_case {words:?}")],
    };
    let mut faults = Vec::new();
    for (name, said) in &rules {
        let found = match name.as_str() {
            "method" => differs(said, &call.method),
            "path" => path(text(said), call, rules.contains_key("path_note")),
            "path_note" => differs(said, COLON_MAY_BE_ESCAPED),
            "query" => query(said, call),
            "auth" => auth(text(said), call, &played.upstream_key),
            "headers" => {
                faults.extend(headers(said, call, &played.upstream_key));
                None
            }
            "key_case" | "notes" => None,
            _ => {
                match check(name, said, &rules, &body) {
                    Some(more) => faults.extend(more),
                    None => faults.push(format!("the runner does not know {name:?}")),
                }
                None
            }
        };
        faults.extend(found.map(|found| format!("{name}: {found}")));
    }
    if !faults.is_empty() {
        faults.push(format!("(the vendor was sent {body})"));
    }
    faults
}

fn differs(said: &Value, found: &str) -> Option<String> {
    (said != found).then(|| format!("expected {said}, found {found:?}"))
}

/// The path without its query; a `:` in a model's id may be escaped where the vector says so.
fn path(said: &str, call: &Call, colon_may_be_escaped: bool) -> Option<String> {
    let found = call.path.split('?').next().unwrap_or_default();
    let plain = |path: &str| path.replace("%3A", ":").replace("%3a", ":");
    let holds = found == said || colon_may_be_escaped && plain(found) == plain(said);
    (!holds).then(|| format!("expected {said}, found {found}"))
}

fn query_of(call: &Call) -> Vec<(String, String)> {
    let query = call.path.split_once('?').map_or("", |(_, query)| query);
    url::form_urlencoded::parse(query.as_bytes()).into_owned().collect()
}

/// Exactly what is said, the credential aside.
fn query(said: &Value, call: &Call) -> Option<String> {
    let members = query_of(call).into_iter().filter(|(name, _)| name != "key");
    let found = Value::Object(members.map(|(name, value)| (name, value.into())).collect());
    (!same(said, &found)).then(|| format!("expected {said}, found {found}"))
}

fn auth(words: &str, call: &Call, key: &str) -> Option<String> {
    if words != "x-goog-api-key header (official) or ?key= query" {
        return Some(format!("the runner does not know {words:?}"));
    }
    let by_query = query_of(call).iter().any(|(name, value)| name == "key" && value == key);
    let holds = by_query || call.header("x-goog-api-key") == Some(key);
    (!holds).then(|| format!("no credential in {:?} or the query", call.headers))
}

fn headers(said: &Value, call: &Call, key: &str) -> Vec<String> {
    let mut faults = Vec::new();
    for (name, said) in said.as_object().into_iter().flatten() {
        let said = text(said).replace("<upstream key>", key);
        let found = call.header(name).unwrap_or_default();
        let value = if name == "content-type" {
            found.split(';').next().unwrap_or_default()
        } else {
            found
        };
        if value != said {
            faults.push(format!("headers: {name}: expected {said:?}, found {found:?}"));
        }
    }
    faults
}

fn of_response(rules: &Map<String, Value>, played: &Played) -> Vec<String> {
    let answer = &played.answer;
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or(Value::Null);
    let mut faults = Vec::new();
    for (name, said) in rules {
        let status = u64::from(answer.status);
        let holds = match name.as_str() {
            "status" => said == status,
            "status_any_of" => list(said).iter().any(|one| *one == status),
            "upstream_calls" => said == played.calls.len(),
            "error_message_contains" => {
                body["error"]["message"].as_str().is_some_and(|found| found.contains(text(said)))
            }
            "content_any_of" => {
                let found = body.pointer("/choices/0/message/content").unwrap_or(&Value::Null);
                list(said).iter().any(|one| same(one, found))
            }
            "finish_reason_enum" => list(said).contains(&body["choices"][0]["finish_reason"]),
            "error_type" => error_types(said, &body),
            "headers" => has_headers(said, answer),
            "notes" => true,
            _ => {
                match check(name, said, rules, &body) {
                    Some(more) => faults.extend(more),
                    None => faults.push(format!("the runner does not know {name:?}")),
                }
                true
            }
        };
        if !holds {
            faults.push(format!("{name}: expected {said}"));
        }
    }
    if !faults.is_empty() {
        faults.push(format!("(the client got {}; {} calls)", answer.tell(), played.calls.len()));
    }
    faults
}

/// Pointers with what stands there: `non-empty`, or a list if the pointer ends in `_any_of`.
fn error_types(said: &Value, body: &Value) -> bool {
    said.as_object().into_iter().flatten().all(|(pointer, said)| {
        let found = |pointer: &str| body.pointer(pointer).unwrap_or(&Value::Null);
        match pointer.strip_suffix("_any_of") {
            Some(pointer) => list(said).iter().any(|one| same(one, found(pointer))),
            None if said == "non-empty" => {
                found(pointer).as_str().is_some_and(|found| !found.is_empty())
            }
            None => same(said, found(pointer)),
        }
    })
}

/// Header values; one that ends in `*` is a beginning.
pub fn has_headers(said: &Value, answer: &Answer) -> bool {
    said.as_object().into_iter().flatten().all(|(name, said)| {
        let found = answer.header(name).unwrap_or_default();
        match text(said).strip_suffix('*') {
            Some(start) => found.starts_with(start),
            None => found == text(said),
        }
    })
}
