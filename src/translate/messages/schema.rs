//! JSON Schemas as the vendor wants them.
//!
//! <https://platform.claude.com/docs/en/build-with-claude/structured-outputs>: every object must
//! say `additionalProperties` false. Only places where a schema may stand are looked at: data in
//! `enum`, `const` and `default` is left alone.

use serde_json::{Value, value::RawValue};

use crate::translate::ClientApi;

/// Members whose value is a schema or a list of schemas.
const SCHEMAS: [&str; 10] =
    ["items", "prefixItems", "anyOf", "oneOf", "allOf", "not", "if", "then", "else", "contains"];
/// Members whose value is an object of schemas.
const NAMED_SCHEMAS: [&str; 4] = ["properties", "$defs", "definitions", "patternProperties"];

/// Bounds of values that structured outputs do not know and refuse: their grammar holds what has which
/// shape. <https://platform.claude.com/docs/en/build-with-claude/structured-outputs#json-schema-limitations>,
/// <https://docs.aws.amazon.com/bedrock/latest/userguide/structured-output.html>
const BOUNDS: [&str; 12] = [
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "maxItems",
    "uniqueItems",
    "minProperties",
    "maxProperties",
    "minItems",
];

/// The schema as structured outputs take it: `additionalProperties` false on every object that does not
/// say otherwise, and bounds in the descriptions, where the model reads them (as Anthropic's own SDKs do).
pub(in crate::translate) fn closed(schema: &RawValue) -> Value {
    // It was read as JSON once.
    let mut value = serde_json::from_str(schema.get()).unwrap_or_default();
    walk(&mut value, &mut |object| {
        describe_bounds(object);
        let open = object.get("additionalProperties").is_none_or(|open| *open == Value::Bool(true));
        if open && is_object(object) {
            object.insert("additionalProperties".to_owned(), Value::Bool(false));
        }
    });
    value
}

fn describe_bounds(object: &mut Object) {
    let mut bounds = Vec::new();
    for name in BOUNDS {
        // Of the least number of elements none and one are known.
        let is_known = name == "minItems"
            && object.get(name).and_then(Value::as_u64).is_none_or(|least| least <= 1);
        if !is_known && let Some(bound) = object.shift_remove(name) {
            bounds.push(format!("{name}: {bound}"));
        }
    }
    if bounds.is_empty() {
        return;
    }
    let bounds = format!("({})", bounds.join(", "));
    let description = match object.get("description") {
        Some(Value::String(text)) => format!("{text} {bounds}"),
        _ => bounds,
    };
    object.insert("description".to_owned(), Value::String(description));
}

/// Whether every object says `additionalProperties` false and demands all its properties: what
/// vendors with a strict mode ask of a schema (<https://platform.openai.com/docs/guides/structured-outputs>).
pub(super) fn is_closed(schema: &RawValue) -> bool {
    let mut value = serde_json::from_str(schema.get()).unwrap_or_default();
    let mut all = true;
    walk(&mut value, &mut |object| {
        if is_object(object) {
            let closed = object.get("additionalProperties") == Some(&Value::Bool(false));
            all &= closed && demands_all(object);
        }
    });
    all
}

/// `strict` of a client's function for vendors whose strict mode refuses schemas that are not closed.
/// Claude's takes properties that need not be there, so its clients ask for it with such schemas, too:
/// <https://github.com/openai/openai-agents-python/issues/1023>.
pub(in crate::translate) fn strict_if_closed(
    strict: Option<bool>,
    schema: Option<&RawValue>,
    client: Option<ClientApi>,
) -> Option<bool> {
    let is_open = client == Some(ClientApi::Messages) && !schema.is_none_or(is_closed);
    strict.map(|strict| strict && !is_open)
}

type Object = serde_json::Map<String, Value>;

fn is_object(object: &Object) -> bool {
    match object.get("type") {
        Some(Value::String(kind)) => kind == "object",
        Some(Value::Array(kinds)) => kinds.iter().any(|kind| kind == "object"),
        _ => object.contains_key("properties"),
    }
}

fn demands_all(object: &Object) -> bool {
    let Some(Value::Object(properties)) = object.get("properties") else { return true };
    let Some(Value::Array(required)) = object.get("required") else { return properties.is_empty() };
    properties.keys().all(|name| required.iter().any(|one| one == name))
}

/// Visits every schema of a schema. As deep as the JSON reader goes, so it cannot run away.
fn walk(schema: &mut Value, visit: &mut dyn FnMut(&mut Object)) {
    match schema {
        Value::Array(list) => list.iter_mut().for_each(|one| walk(one, visit)),
        Value::Object(object) => {
            visit(object);
            for (name, value) in object.iter_mut() {
                if SCHEMAS.contains(&&**name) || name == "additionalProperties" {
                    walk(value, visit);
                } else if NAMED_SCHEMAS.contains(&&**name)
                    && let Value::Object(named) = value
                {
                    named.iter_mut().for_each(|(_, one)| walk(one, visit));
                }
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(text: &str) -> Box<RawValue> {
        RawValue::from_string(text.to_owned()).unwrap()
    }

    #[test]
    fn objects_are_closed_wherever_a_schema_stands_and_order_is_kept() {
        let schema = raw(
            r##"{"type":"object","properties":{"z":{"type":["object","null"]},"a":{"type":"array","items":{"properties":{}}},"m":{"type":"object","additionalProperties":{"type":"string"}},"e":{"enum":[{"type":"object"}]},"properties":{"type":"string"}},"$defs":{"d":{"anyOf":[{"type":"object","additionalProperties":true},{"$ref":"#/$defs/d"}]}}}"##,
        );
        assert_eq!(
            closed(&schema).to_string(),
            r##"{"type":"object","properties":{"z":{"type":["object","null"],"additionalProperties":false},"a":{"type":"array","items":{"properties":{},"additionalProperties":false}},"m":{"type":"object","additionalProperties":{"type":"string"}},"e":{"enum":[{"type":"object"}]},"properties":{"type":"string"}},"$defs":{"d":{"anyOf":[{"type":"object","additionalProperties":false},{"$ref":"#/$defs/d"}]}},"additionalProperties":false}"##
        );
    }

    #[test]
    fn bounds_are_told_in_words_and_names_that_look_like_them_stay() {
        let schema = raw(
            r#"{"type":"object","properties":{"age":{"type":"integer","minimum":0,"maximum":150,"description":"Years."},"tags":{"type":"array","minItems":3,"items":{"type":"string","maxLength":9}},"one":{"type":"array","minItems":1},"maximum":{"type":"string"}},"additionalProperties":false}"#,
        );
        assert_eq!(
            closed(&schema).to_string(),
            r#"{"type":"object","properties":{"age":{"type":"integer","description":"Years. (minimum: 0, maximum: 150)"},"tags":{"type":"array","items":{"type":"string","description":"(maxLength: 9)"},"description":"(minItems: 3)"},"one":{"type":"array","minItems":1},"maximum":{"type":"string"}},"additionalProperties":false}"#
        );
    }

    #[test]
    fn a_schema_is_closed_if_nothing_may_be_left_out_or_added() {
        for (schema, expected) in [
            (
                r#"{"type":"object","properties":{"a":{}},"required":["a"],"additionalProperties":false}"#,
                true,
            ),
            (
                r#"{"type":"object","properties":{"a":{}},"required":[],"additionalProperties":false}"#,
                false,
            ),
            (r#"{"type":"object","properties":{"a":{}},"required":["a"]}"#, false),
            (r#"{"type":"array","items":{"type":"object","additionalProperties":false}}"#, true),
        ] {
            assert_eq!(is_closed(&raw(schema)), expected, "{schema}");
        }
    }
}
