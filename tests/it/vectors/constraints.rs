//! The sentences of `constraints` and `types`, one by one; one that is not known is a fault.

use serde_json::Value;

use super::json::objects;

/// What is wrong with `body` by one sentence of `constraints`.
pub fn constraint(sentence: &str, body: &Value) -> Option<String> {
    let holds = comparison(sentence, body)
        .or_else(|| absent_or(sentence, body))
        .or_else(|| at_most_of(sentence, body))
        .or_else(|| exactly_one_of(sentence, body))
        .or_else(|| no_empty_text(sentence, body));
    match holds {
        Some(true) => None,
        Some(false) => Some(format!("does not hold: {sentence}")),
        None => Some(format!("the runner does not know the constraint {sentence:?}")),
    }
}

/// `/a > /b`, `/a >= 1024`.
fn comparison(sentence: &str, body: &Value) -> Option<bool> {
    let words: Vec<&str> = sentence.split(' ').collect();
    let [left, sign, right] = words[..] else { return None };
    let compare: fn(&f64, &f64) -> bool = match sign {
        ">" => f64::gt,
        ">=" => f64::ge,
        "<" => f64::lt,
        "<=" => f64::le,
        "=" | "==" => |left, right| (left - right).abs() < f64::EPSILON,
        _ => return None,
    };
    let number = |word: &str| -> Option<Option<f64>> {
        if word.starts_with('/') {
            return Some(body.pointer(word).and_then(Value::as_f64));
        }
        word.parse().ok().map(Some)
    };
    let (left, right) = (number(left)?, number(right)?);
    // A comparison with what is not there does not hold.
    Some(left.zip(right).is_some_and(|(left, right)| compare(&left, &right)))
}

/// `/a absent or 1`.
fn absent_or(sentence: &str, body: &Value) -> Option<bool> {
    let (pointer, value) = sentence.split_once(" absent or ")?;
    let value: Value = serde_json::from_str(value).ok()?;
    Some(body.pointer(pointer).is_none_or(|found| super::json::same(found, &value)))
}

/// `no more than 4 cache_control objects in the whole body`.
fn at_most_of(sentence: &str, body: &Value) -> Option<bool> {
    let rest = sentence.strip_prefix("no more than ")?;
    let (count, rest) = rest.split_once(' ')?;
    let name = rest.strip_suffix(" objects in the whole body")?;
    let found = objects(body).into_iter().filter(|object| object.contains_key(name)).count();
    Some(found <= count.parse().ok()?)
}

/// `exactly one of thinkingLevel, thinkingBudget`: one such member in the whole body.
fn exactly_one_of(sentence: &str, body: &Value) -> Option<bool> {
    let names: Vec<&str> = sentence.strip_prefix("exactly one of ")?.split(", ").collect();
    let names_in = |object: &serde_json::Map<String, Value>| {
        names.iter().filter(|name| object.contains_key(**name)).count()
    };
    Some(objects(body).into_iter().map(names_in).sum::<usize>() == 1)
}

/// `no text block with empty text`.
fn no_empty_text(sentence: &str, body: &Value) -> Option<bool> {
    (sentence == "no text block with empty text")
        .then(|| objects(body).into_iter().all(|object| object.get("text") != Some(&"".into())))
}

/// What is wrong with `found` by the words of `types`: `string`, `number >= 0`,
/// `integer (unix seconds)`; `when …` at the end means that it may be absent.
pub fn of_type(words: &str, found: Option<&Value>) -> Option<String> {
    let (words, optional) = match words.split_once(" when ") {
        Some((words, _)) => (words, true),
        None => (words, false),
    };
    let Some(value) = found.filter(|value| !value.is_null()) else {
        return (!optional).then(|| format!("expected {words}, but it is absent"));
    };
    let (kind, rest) = words.split_once(' ').unwrap_or((words, ""));
    let is_kind = match kind {
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "object" => value.is_object(),
        "array" => value.is_array(),
        _ => return Some(format!("the runner does not know the type {words:?}")),
    };
    let number = value.as_f64().unwrap_or(f64::NAN);
    let holds = match rest.split_once(' ') {
        None if rest.is_empty() => true,
        Some(("(unix", "seconds)")) => (1.5e9..5e9).contains(&number),
        Some((">", limit)) => limit.parse().is_ok_and(|limit: f64| number > limit),
        Some((">=", limit)) => limit.parse().is_ok_and(|limit: f64| number >= limit),
        _ => return Some(format!("the runner does not know the type {words:?}")),
    };
    (!is_kind || !holds).then(|| format!("expected {words}, found {value}"))
}
