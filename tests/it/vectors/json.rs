//! Comparing JSON as the vectors' README says: subsets, pointers, keys in either case.

use serde_json::{Map, Value};

/// What `expected` says that `actual` does not, as `pointer: what is wrong`. Objects match if every
/// member matches; arrays have the same length and order; numbers compare by value. What stands at
/// one of `skipped` is not compared.
pub fn subset(expected: &Value, actual: &Value, skipped: &[String]) -> Vec<String> {
    let mut faults = Vec::new();
    compare(expected, actual, "", skipped, &mut faults);
    faults
}

fn compare(
    expected: &Value,
    actual: &Value,
    at: &str,
    skipped: &[String],
    faults: &mut Vec<String>,
) {
    if skipped.iter().any(|pointer| pointer == at) {
        return;
    }
    match (expected, actual) {
        (Value::Object(expected), Value::Object(actual)) => {
            for (name, value) in expected {
                let at = format!("{at}/{}", escaped(name));
                match actual.get(name) {
                    Some(found) => compare(value, found, &at, skipped, faults),
                    None if skipped.contains(&at) => {}
                    None => faults.push(format!("{at}: expected {value}, but it is absent")),
                }
            }
        }
        (Value::Array(expected), Value::Array(actual)) => {
            if expected.len() != actual.len() {
                let (want, have) = (expected.len(), actual.len());
                let actual = Value::from(actual.clone());
                faults.push(format!("{at}: expected {want} items, found {have}: {actual}"));
                return;
            }
            for (index, (expected, actual)) in expected.iter().zip(actual).enumerate() {
                compare(expected, actual, &format!("{at}/{index}"), skipped, faults);
            }
        }
        (expected, actual) if same(expected, actual) => {}
        (expected, actual) => faults.push(format!("{at}: expected {expected}, found {actual}")),
    }
}

/// Equality, numbers by value.
pub fn same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Object(left), Value::Object(right)) => {
            left.len() == right.len()
                && left
                    .iter()
                    .all(|(name, value)| right.get(name).is_some_and(|found| same(value, found)))
        }
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(a, b)| same(a, b))
        }
        (Value::Number(a), Value::Number(b)) => a == b || a.as_f64() == b.as_f64(),
        (left, right) => left == right,
    }
}

fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// `value` with the keys of every object in lower camel case, as proto3 writes them.
pub fn camel_cased(value: &Value) -> Value {
    match value {
        Value::Object(object) => {
            let members = object.iter().map(|(name, value)| (camel(name), camel_cased(value)));
            Value::Object(members.collect::<Map<_, _>>())
        }
        Value::Array(items) => items.iter().map(camel_cased).collect(),
        other => other.clone(),
    }
}

/// A name, or every name of a pointer, in lower camel case.
pub fn camel(name: &str) -> String {
    let mut cased = String::with_capacity(name.len());
    let mut upper = false;
    for letter in name.chars() {
        if letter == '_' {
            upper = true;
        } else {
            cased.extend(upper.then(|| letter.to_ascii_uppercase()).or(Some(letter)));
            upper = false;
        }
    }
    cased
}

/// The text in a field: a string, or the texts of its blocks, messages and results, in order.
pub fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(items) => items.iter().flat_map(texts).collect(),
        Value::Object(object) => {
            if let Some(Value::String(text)) = object.get("text") {
                return vec![text];
            }
            let inner = ["content", "parts", "toolResult"];
            inner.iter().filter_map(|name| object.get(*name)).flat_map(texts).collect()
        }
        _ => Vec::new(),
    }
}

/// Whether `text` is `items` in order with nothing but white space between them.
pub fn is_made_of(text: &str, items: &[&str]) -> bool {
    let mut rest = text;
    for item in items {
        let Some(after) = rest.trim_start().strip_prefix(item.trim_start()) else { return false };
        rest = after;
    }
    rest.trim().is_empty()
}

/// Every object of a document, the outermost first.
pub fn objects(value: &Value) -> Vec<&Map<String, Value>> {
    match value {
        Value::Object(object) => {
            std::iter::once(object).chain(object.values().flat_map(objects)).collect()
        }
        Value::Array(items) => items.iter().flat_map(objects).collect(),
        _ => Vec::new(),
    }
}
