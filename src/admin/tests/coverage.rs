//! The API as built covers the published one (`tests/data/admin-api.openapi.json`): every operation,
//! parameter, field, range and status. What is not built yet is listed here, and only here.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::admin::openapi;

/// Operations that are not built yet. The list only shrinks.
const LATER_OPERATIONS: &[&str] = &[];

/// Fields that are not built yet. The list only shrinks.
const LATER_FIELDS: &[&str] = &[];

/// What the published description says and the contract overrules.
const OVERRULED: &[&str] = &[
    // Names of keys need not be unique (contract.md 5), so nothing can clash.
    "createApiKey: status 409",
];

/// Bounds and defaults that must be told as they are in the published description.
const TOLD: [&str; 6] = ["minimum", "maximum", "minLength", "minItems", "default", "format"];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    Request,
    Answer,
}

/// A description, and what it lacks of the published one.
struct Comparison {
    published: Value,
    built: Value,
    lacking: BTreeSet<String>,
}

#[test]
fn the_api_as_built_covers_the_published_one() {
    let published = include_str!("../../../tests/data/admin-api.openapi.json");
    let mut comparison = Comparison {
        published: serde_json::from_str(published).unwrap(),
        built: serde_json::from_str(openapi()).unwrap(),
        lacking: BTreeSet::new(),
    };
    let operations = comparison.operations();
    assert_eq!(operations, 62, "operations of the published API");
    let mut lacking = comparison.lacking;
    lacking.retain(|what| !OVERRULED.contains(&what.as_str()));
    let later = LATER_OPERATIONS.iter().chain(LATER_FIELDS);
    let built: Vec<&&str> = later.filter(|later| !lacking.remove(**later)).collect();
    assert!(built.is_empty(), "built; take it off the lists of what is not: {built:#?}");
    assert!(lacking.is_empty(), "{lacking:#?}");
}

impl Comparison {
    fn operations(&mut self) -> usize {
        let mut count = 0;
        for (path, methods) in object(&self.published["paths"].clone()) {
            for (method, wanted) in object(&methods) {
                count += 1;
                let id = text(&wanted["operationId"]).to_owned();
                let found = self.built["paths"][&path][&method].clone();
                if found["operationId"] == wanted["operationId"] {
                    self.operation(&id, &wanted, &found);
                } else {
                    self.lacks(&id);
                }
            }
        }
        count
    }

    fn operation(&mut self, id: &str, wanted: &Value, found: &Value) {
        for field in ["tags", "x-required-role"] {
            if wanted[field] != found[field] {
                self.lacks(&format!("{id}: {field} {}", wanted[field]));
            }
        }
        for parameter in list(&wanted["parameters"]) {
            let named = |other: &&Value| {
                other["name"] == parameter["name"] && other["in"] == parameter["in"]
            };
            match list(&found["parameters"]).iter().find(named) {
                Some(same) => {
                    let place = format!("{id}?{}", text(&parameter["name"]));
                    self.schema(&place, &parameter["schema"], &same["schema"], Direction::Request);
                }
                None => self.lacks(&format!("{id}: parameter {}", parameter["name"])),
            }
        }
        let content = |side: &Value| side["content"]["application/json"]["schema"].clone();
        if wanted["requestBody"].is_object() {
            let (wanted, found) = (content(&wanted["requestBody"]), content(&found["requestBody"]));
            self.schema(id, &wanted, &found, Direction::Request);
        }
        for (status, answer) in object(&wanted["responses"]) {
            let same = resolve(&self.built, &found["responses"][&status]);
            if same.is_null() {
                self.lacks(&format!("{id}: status {status}"));
                continue;
            }
            let answer = resolve(&self.published, &answer);
            self.schema(id, &content(&answer), &content(&same), Direction::Answer);
        }
    }

    /// Compares two schemas; `place` is the name of the schema or operation that they are of.
    fn schema(&mut self, place: &str, wanted: &Value, found: &Value, direction: Direction) {
        let place = match wanted["$ref"].as_str().and_then(|path| path.rsplit('/').next()) {
            Some(name) => name.to_owned(),
            None => place.to_owned(),
        };
        let wanted = flat(&self.published, wanted);
        let found = flat(&self.built, found);
        self.types(&place, &wanted, &found, direction);
        for field in TOLD {
            if wanted[field] != Value::Null && wanted[field] != found[field] {
                self.lacks(&format!("{place}: {field} {}", wanted[field]));
            }
        }
        for value in list(&wanted["enum"]) {
            if !value.is_null() && !list(&found["enum"]).contains(&value) {
                self.lacks(&format!("{place}: value {value}"));
            }
        }
        if wanted["items"].is_object() {
            self.schema(&format!("{place}[]"), &wanted["items"], &found["items"], direction);
        }
        for (name, property) in object(&wanted["properties"]) {
            let same = &found["properties"][&name];
            if same.is_null() {
                self.lacks(&format!("{place}.{name}"));
                continue;
            }
            let is_required =
                |side: &Value| list(&side["required"]).contains(&Value::from(name.as_str()));
            if direction == Direction::Request && is_required(&wanted) != is_required(&found) {
                self.lacks(&format!("{place}.{name}: required {}", is_required(&wanted)));
            }
            self.schema(&format!("{place}.{name}"), &property, same, direction);
        }
    }

    fn types(&mut self, place: &str, wanted: &Value, found: &Value, direction: Direction) {
        let (mut wanted, mut found) = (types(wanted), types(found));
        let (may_be_null, is_null) = (wanted.remove("null"), found.remove("null"));
        if wanted != found && !wanted.is_empty() {
            self.lacks(&format!("{place}: type {wanted:?} instead of {found:?}"));
        }
        match direction {
            Direction::Request if may_be_null && !is_null => {
                self.lacks(&format!("{place}: takes null"));
            }
            Direction::Answer if is_null && !may_be_null => {
                self.lacks(&format!("{place}: is never null"));
            }
            _ => {}
        }
    }

    fn lacks(&mut self, what: &str) {
        self.lacking.insert(what.to_owned());
    }
}

fn resolve(document: &Value, value: &Value) -> Value {
    match value["$ref"].as_str() {
        Some(path) => document.pointer(path.trim_start_matches('#')).cloned().unwrap_or_default(),
        None => value.clone(),
    }
}

/// A schema with its references followed, its `allOf` merged and its null taken into the type.
fn flat(document: &Value, schema: &Value) -> Value {
    let mut whole = resolve(document, schema);
    for part in list(&whole["allOf"]) {
        merge(&mut whole, &flat(document, &part));
    }
    let alternatives = list(&whole["oneOf"]);
    if alternatives.iter().any(|one| one["type"] == "null") {
        for other in alternatives.iter().filter(|one| one["type"] != "null") {
            merge(&mut whole, &flat(document, other));
        }
        let mut types = types(&whole);
        types.insert("null".to_owned());
        whole["type"] = types.into_iter().collect();
    }
    whole
}

fn merge(whole: &mut Value, part: &Value) {
    for (key, value) in object(part) {
        match (&mut whole[&key], value) {
            (Value::Object(known), Value::Object(more)) => known.extend(more),
            (Value::Array(known), Value::Array(more)) => known.extend(more),
            (slot @ Value::Null, value) => *slot = value,
            _ => {}
        }
    }
}

fn types(schema: &Value) -> BTreeSet<String> {
    match &schema["type"] {
        Value::String(one) => [one.clone()].into(),
        Value::Array(several) => several.iter().map(|one| text(one).to_owned()).collect(),
        _ => BTreeSet::new(),
    }
}

fn object(value: &Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap_or_default()
}

fn list(value: &Value) -> Vec<Value> {
    value.as_array().cloned().unwrap_or_default()
}

#[track_caller]
fn text(value: &Value) -> &str {
    value.as_str().expect("text")
}
