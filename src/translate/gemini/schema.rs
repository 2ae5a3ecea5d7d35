//! JSON Schema as Gemini reads it.
//!
//! `parametersJsonSchema` and `responseJsonSchema` take JSON Schema itself, `$ref`, `$defs` and
//! `additionalProperties` included, and leave aside what they do not know. One rule is theirs: beside a
//! `$ref` nothing may stand that does not begin with `$`
//! (<https://ai.google.dev/api/generate-content#generationconfig>, `responseJsonSchema`). Pydantic and
//! zod write descriptions there.

use std::borrow::Cow;

use memchr::memmem;
use serde_json::{
    Map, Value,
    value::{RawValue, to_raw_value},
};

/// How many values are copied in place of references, in all; what is beyond loses its description.
const MAX_COPIED: usize = 2000;

/// The schema as Gemini takes it: the client's own bytes wherever possible.
pub(super) fn json_schema(raw: &RawValue) -> Cow<'_, RawValue> {
    if memmem::find(raw.get().as_bytes(), b"\"$ref\"").is_none() {
        return Cow::Borrowed(raw);
    }
    let Ok(root) = serde_json::from_str::<Value>(raw.get()) else { return Cow::Borrowed(raw) };
    let mut resolver = Resolver { root: &root, left: MAX_COPIED, open: Vec::new(), changed: false };
    let resolved = resolver.value(&root);
    match to_raw_value(&resolved) {
        Ok(schema) if resolver.changed => Cow::Owned(schema),
        _ => Cow::Borrowed(raw),
    }
}

struct Resolver<'v> {
    root: &'v Value,
    left: usize,
    /// The references that are being copied: one that is met inside itself stays a reference.
    open: Vec<&'v str>,
    changed: bool,
}

impl<'v> Resolver<'v> {
    fn value(&mut self, value: &'v Value) -> Value {
        match value {
            Value::Object(object) => Value::Object(self.object(object)),
            Value::Array(list) => list.iter().map(|one| self.value(one)).collect(),
            other => other.clone(),
        }
    }

    fn object(&mut self, object: &'v Map<String, Value>) -> Map<String, Value> {
        let alone = object.keys().all(|key| key.starts_with('$'));
        match object.get("$ref").and_then(Value::as_str) {
            Some(reference) if !alone => self.beside(object, reference),
            _ => object.iter().map(|(key, value)| (key.clone(), self.value(value))).collect(),
        }
    }

    /// A reference with company: what it refers to, with the company's members over its own.
    fn beside(&mut self, object: &'v Map<String, Value>, reference: &'v str) -> Map<String, Value> {
        self.changed = true;
        let target = reference
            .strip_prefix('#')
            .and_then(|pointer| self.root.pointer(pointer))
            .and_then(Value::as_object)
            .filter(|target| !self.open.contains(&reference) && self.left >= target.len());
        let Some(target) = target else {
            let alone = object.iter().filter(|(key, _)| key.starts_with('$'));
            return alone.map(|(key, value)| (key.clone(), value.clone())).collect();
        };
        self.left -= target.len();
        self.open.push(reference);
        let mut copy = self.object(target);
        self.open.pop();
        // The copy may be a reference itself, that nothing may stand beside.
        if !copy.contains_key("$ref") {
            let company = object.iter().filter(|(key, _)| *key != "$ref");
            let company: Vec<_> =
                company.map(|(key, value)| (key.clone(), self.value(value))).collect();
            copy.extend(company);
        }
        copy
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(schema: &Value) -> Value {
        let raw = to_raw_value(schema).unwrap();
        serde_json::from_str(json_schema(&raw).get()).unwrap()
    }

    #[test]
    fn a_schema_keeps_its_own_bytes() {
        for schema in [
            r#"{ "type":"object", "properties":{"b":{"type":"string"},"a":{}}, "additionalProperties":false }"#,
            r##"{"$defs":{"A":{"type":"string"}},"properties":{"a":{"$ref":"#/$defs/A"}}}"##,
        ] {
            let raw: &RawValue = serde_json::from_str(schema).unwrap();
            assert_eq!(json_schema(raw).get(), schema);
        }
    }

    #[test]
    fn nothing_stands_beside_a_reference() {
        let schema = json!({
            "$defs": {"City": {"type": "string", "description": "any"}},
            "type": "object",
            "properties": {
                "to": {"$ref": "#/$defs/City", "description": "where to"},
                "from": {"$ref": "#/$defs/City"},
            },
        });
        let read = read(&schema);
        assert_eq!(
            read["properties"],
            json!({
                "to": {"type": "string", "description": "where to"},
                "from": {"$ref": "#/$defs/City"},
            })
        );
        assert_eq!(read["$defs"], schema["$defs"]);
    }

    #[test]
    fn a_schema_that_contains_itself_ends() {
        let schema = json!({
            "$defs": {"Node": {"type": "object", "properties": {
                "next": {"$ref": "#/$defs/Node", "description": "the next"},
            }}},
            "$ref": "#/$defs/Node",
            "description": "a list",
        });
        let read = read(&schema);
        assert_eq!(read["description"], "a list");
        assert_eq!(read["properties"]["next"], json!({"$ref": "#/$defs/Node"}));
    }

    #[test]
    fn a_schema_that_doubles_itself_stays_small() {
        let mut defs = Map::new();
        for depth in 0..40 {
            let next = json!({"$ref": format!("#/$defs/D{}", depth + 1), "description": "x"});
            defs.insert(format!("D{depth}"), json!({"properties": {"a": next, "b": next}}));
        }
        defs.insert("D40".to_owned(), json!({"type": "string"}));
        let schema =
            json!({"$defs": defs, "properties": {"r": {"$ref": "#/$defs/D0", "title": "r"}}});
        assert!(read(&schema).to_string().len() < 400_000);
    }

    #[test]
    fn a_reference_to_nowhere_stays_alone() {
        let schema = json!({"properties": {"a": {"$ref": "https://x.test/s", "title": "t"}}});
        assert_eq!(read(&schema), json!({"properties": {"a": {"$ref": "https://x.test/s"}}}));
    }
}
