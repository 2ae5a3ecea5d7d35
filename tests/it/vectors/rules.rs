//! The rules for one JSON body, the same for what the vendor gets and what the client gets.

use serde_json::{Map, Value};

use super::{
    constraints::{constraint, of_type},
    json::{camel, camel_cased, is_made_of, same, subset, texts},
};

/// Applies the rule `name: said` to `body`; none if it is no rule for a body. `all` are the rules
/// that it stands among.
pub fn check(
    name: &str,
    said: &Value,
    all: &Map<String, Value>,
    body: &Value,
) -> Option<Vec<String>> {
    let faults = match name {
        "body_subset" => subset(said, body, &replaced(all)),
        "body_absent" => list(said).iter().filter_map(|pointer| absent(pointer, body)).collect(),
        "distinct" => distinct(said, body),
        "json_string_equals" => pairs(said, |pointer, said| string_equals(pointer, said, body)),
        "alternatives" => list(said).iter().filter_map(|rule| alternative(rule, body)).collect(),
        "flattened_text" => pairs(said, |field, items| flattened(field, items, body)),
        "constraints" => {
            list(said).iter().filter_map(|said| constraint(text(said), body)).collect()
        }
        "types" => pairs(said, |pointer, said| {
            of_type(text(said), body.pointer(pointer)).map(|fault| format!("{pointer}: {fault}"))
        }),
        "roles_allowed" => roles(said, body),
        "body_shape" => shape(text(said), body).into_iter().collect(),
        _ => return None,
    };
    Some(faults.into_iter().map(|fault| format!("{name}: {fault}")).collect())
}

/// `rules` and `body` as `key_case` asks: with keys in lower camel case on both sides.
pub fn in_one_case(rules: &Map<String, Value>, body: &Value) -> (Map<String, Value>, Value) {
    let mut cased = rules.clone();
    for (name, said) in &mut cased {
        let values = camel_cased(said);
        *said = match name.as_str() {
            "body_subset" => values,
            "body_absent" => list(said).iter().map(|pointer| camel(text(pointer))).collect(),
            // Their own member `any_of` keeps its name.
            "alternatives" => list(said)
                .iter()
                .map(|rule| {
                    serde_json::json!({
                        "pointer": camel(text(&rule["pointer"])), "any_of": camel_cased(&rule["any_of"]),
                    })
                })
                .collect(),
            _ => continue,
        };
    }
    (cased, camel_cased(body))
}

/// The pointers at which `alternatives` take the place of `body_subset`.
fn replaced(all: &Map<String, Value>) -> Vec<String> {
    let rules = all.get("alternatives").map(list).unwrap_or_default();
    let pointers = rules.iter().flat_map(|rule| text(&rule["pointer"]).split(" or "));
    pointers.map(str::to_owned).collect()
}

fn absent(pointer: &Value, body: &Value) -> Option<String> {
    let found = body.pointer(text(pointer))?;
    Some(format!("{} must not be there, but is {found}", text(pointer)))
}

/// A list of pointers, or a list of such lists.
fn distinct(said: &Value, body: &Value) -> Vec<String> {
    let said = list(said);
    if said.iter().any(Value::is_array) {
        return said.iter().flat_map(|group| distinct(group, body)).collect();
    }
    let mut faults = Vec::new();
    for (index, pointer) in said.iter().enumerate() {
        let Some(value) = body.pointer(text(pointer)) else {
            faults.push(format!("{} is absent", text(pointer)));
            continue;
        };
        for other in &said[..index] {
            if body.pointer(text(other)).is_some_and(|other| same(other, value)) {
                faults.push(format!("{} and {} are both {value}", text(other), text(pointer)));
            }
        }
    }
    faults
}

/// What is wrong where a string should be the JSON of `said`.
fn string_equals(pointer: &str, said: &Value, body: &Value) -> Option<String> {
    let found = body.pointer(pointer).and_then(Value::as_str);
    let parsed: Option<Value> = found.and_then(|found| serde_json::from_str(found).ok());
    let holds = parsed.as_ref().is_some_and(|parsed| same(parsed, said));
    (!holds).then(|| format!("{pointer}: expected the JSON of {said}, found {found:?}"))
}

/// What stands at the pointer, or at the only one of two that is there, is one of `any_of`.
fn alternative(rule: &Value, body: &Value) -> Option<String> {
    let pointers = text(&rule["pointer"]);
    let found: Vec<&Value> = pointers.split(" or ").filter_map(|one| body.pointer(one)).collect();
    let [found] = found[..] else {
        return Some(format!("{pointers}: expected in one place, found in {}", found.len()));
    };
    let any_of = list(&rule["any_of"]);
    let holds = any_of.iter().any(|said| same(said, found));
    (!holds).then(|| format!("{pointers}: expected one of {}, found {found}", rule["any_of"]))
}

fn flattened(field: &str, items: &Value, body: &Value) -> Option<String> {
    let found = texts(body.get(field).unwrap_or(&Value::Null)).join("\n");
    let items: Vec<&str> = list(items).iter().map(text).collect();
    (!is_made_of(&found, &items)).then(|| format!("{field}: expected {items:?}, found {found:?}"))
}

fn roles(said: &Value, body: &Value) -> Vec<String> {
    let messages = body.get("messages").map(list).unwrap_or_default();
    let found: Value = messages.iter().map(|message| message["role"].clone()).collect();
    let holds = list(said).iter().any(|allowed| same(allowed, &found));
    (!holds).then(|| format!("expected one of {said}, found {found}")).into_iter().collect()
}

/// What is wrong with an error body of the shape `kind`.
pub fn shape(kind: &str, body: &Value) -> Option<String> {
    let error = &body["error"];
    let texts = error["message"].is_string() && error["type"].is_string();
    let holds = match kind {
        "openai_error" => texts && error.get("param").is_some() && error.get("code").is_some(),
        "anthropic_error" => texts && body["type"] == "error",
        _ => return Some(format!("the runner does not know the shape {kind:?}")),
    };
    (!holds).then(|| format!("no {kind}: {body}"))
}

/// A list that a rule consists of.
pub fn list(said: &Value) -> &[Value] {
    said.as_array().map(Vec::as_slice).unwrap_or_default()
}

/// The words that a rule consists of.
pub fn text(said: &Value) -> &str {
    said.as_str().unwrap_or_else(|| panic!("a rule has words here, not {said}"))
}

fn pairs(said: &Value, check: impl Fn(&str, &Value) -> Option<String>) -> Vec<String> {
    let members = said.as_object().into_iter().flatten();
    members.filter_map(|(name, said)| check(name, said)).collect()
}
