//! A value that fits a JSON schema, filled from a text. Pure.
//!
//! It knows what tools and structured outputs use: types, `enum`, `const`, `properties`, `required`,
//! `items`, bounds of numbers, lengths, common formats, `anyOf`, `oneOf`, `allOf` and local `$ref`.
//! `pattern` and conditions are beyond it.

use serde_json::{Map, Number, Value, json};

/// Schemas that refer to themselves end here.
const DEEPEST: usize = 12;

/// A value for `schema`, whose strings and numbers come from `text` where they fit.
pub fn example(schema: &Value, text: &str) -> Value {
    Filler { root: schema, text }.value(schema, 0)
}

/// Whether the text holds the name as a word of its own, in capitals or not.
pub fn mentions(text: &str, name: &str) -> bool {
    let (text, name) = (text.to_lowercase(), name.to_lowercase());
    let inside = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    !name.is_empty()
        && text.match_indices(&name).any(|(at, found)| {
            let (before, rest) = text.split_at(at);
            !inside(before.chars().next_back())
                && !inside(rest.get(found.len()..).and_then(|after| after.chars().next()))
        })
}

struct Filler<'a> {
    root: &'a Value,
    text: &'a str,
}

impl Filler<'_> {
    fn value(&self, schema: &Value, depth: usize) -> Value {
        if depth > DEEPEST {
            return Value::Null;
        }
        if let Some(target) = schema.get("$ref").and_then(Value::as_str) {
            let target = target.strip_prefix('#').and_then(|pointer| self.root.pointer(pointer));
            return target.map_or(Value::Null, |target| self.value(target, depth + 1));
        }
        if let Some(constant) = schema.get("const") {
            return constant.clone();
        }
        if let Some(choices) = schema.get("enum").and_then(Value::as_array) {
            return self.choice(choices);
        }
        for any in ["anyOf", "oneOf"] {
            if let Some(first) =
                schema.get(any).and_then(Value::as_array).and_then(|of| Self::best(of, depth))
            {
                return self.value(first, depth + 1);
            }
        }
        if let Some(all) = schema.get("allOf").and_then(Value::as_array) {
            return self.merged(schema, all, depth);
        }
        match kind(schema) {
            "object" => self.object(schema, depth),
            "array" => self.array(schema, depth),
            "string" => json!(self.string(schema)),
            "integer" => self.number(schema, true),
            "number" => self.number(schema, false),
            "boolean" => json!(true),
            _ => Value::Null,
        }
    }

    /// The choice that the text mentions, else the first.
    fn choice(&self, choices: &[Value]) -> Value {
        let text = self.text.to_lowercase();
        let mentioned = choices.iter().find(|choice| {
            choice
                .as_str()
                .is_some_and(|name| !name.is_empty() && text.contains(&name.to_lowercase()))
        });
        mentioned.or_else(|| choices.first()).cloned().unwrap_or_default()
    }

    /// The first alternative; deep inside, one without further depth where there is any.
    fn best(of: &[Value], depth: usize) -> Option<&Value> {
        let flat = |schema: &&Value| {
            schema.get("$ref").is_none() && !matches!(kind(schema), "object" | "array")
        };
        if depth > DEEPEST / 2 { of.iter().find(flat).or_else(|| of.first()) } else { of.first() }
    }

    fn merged(&self, schema: &Value, all: &[Value], depth: usize) -> Value {
        let mut rest = schema.clone();
        if let Some(rest) = rest.as_object_mut() {
            rest.remove("allOf");
        }
        let parts = std::iter::once(&rest).chain(all).map(|part| self.value(part, depth + 1));
        let mut object = Map::new();
        let mut other = Value::Null;
        for part in parts {
            match part {
                Value::Object(members) => object.extend(members),
                Value::Null => {}
                value => other = value,
            }
        }
        if object.is_empty() { other } else { Value::Object(object) }
    }

    fn object(&self, schema: &Value, depth: usize) -> Value {
        let Some(properties) = schema.get("properties").and_then(Value::as_object) else {
            return json!({});
        };
        let required = schema.get("required").and_then(Value::as_array);
        let wanted = |name: &str| required.is_none_or(|names| names.iter().any(|own| own == name));
        let members = properties
            .iter()
            .filter(|(name, _)| wanted(name))
            .map(|(name, schema)| (name.clone(), self.value(schema, depth + 1)));
        Value::Object(members.collect())
    }

    fn array(&self, schema: &Value, depth: usize) -> Value {
        let bound = |name: &str| schema.get(name).and_then(Value::as_u64);
        let least = bound("minItems").unwrap_or(u64::from(depth < DEEPEST / 2));
        let count = least.min(bound("maxItems").unwrap_or(u64::MAX)).min(64);
        let item = schema
            .get("items")
            .map_or_else(|| json!(self.string(&Value::Null)), |of| self.value(of, depth + 1));
        Value::Array((0..count).map(|_| item.clone()).collect())
    }

    fn string(&self, schema: &Value) -> String {
        let formatted = match schema.get("format").and_then(Value::as_str) {
            Some("date") => "2025-01-31",
            Some("time") => "12:00:00Z",
            Some("date-time") => "2025-01-31T12:00:00Z",
            Some("duration") => "P1D",
            Some("email") => "someone@example.com",
            Some("hostname") => "example.com",
            Some("ipv4") => "192.0.2.1",
            Some("ipv6") => "2001:db8::1",
            Some("uri" | "url") => "https://example.com/",
            Some("uuid") => "123e4567-e89b-42d3-a456-426614174000",
            _ => "",
        };
        if !formatted.is_empty() {
            return formatted.to_owned();
        }
        let bound = |name: &str| {
            schema.get(name).and_then(Value::as_u64).and_then(|most| usize::try_from(most).ok())
        };
        let most = bound("maxLength").unwrap_or(60);
        let text = self.text.split_whitespace().collect::<Vec<_>>().join(" ");
        let mut string: String = text.chars().take(most).collect();
        let missing =
            bound("minLength").unwrap_or(0).min(10_000).saturating_sub(string.chars().count());
        string.extend(std::iter::repeat_n('x', missing));
        string
    }

    /// The first number of the text within the bounds, else the nearest bound to 1.
    fn number(&self, schema: &Value, whole: bool) -> Value {
        let bound = |name: &str| schema.get(name).and_then(Value::as_f64);
        let step = if whole { 1.0 } else { 0.5 };
        let low = bound("minimum")
            .or_else(|| bound("exclusiveMinimum").map(|least| least.floor() + step));
        let high =
            bound("maximum").or_else(|| bound("exclusiveMaximum").map(|most| most.ceil() - step));
        let (low, high) = (low.unwrap_or(f64::MIN), high.unwrap_or(f64::MAX));
        let multiple = bound("multipleOf").filter(|of| *of > 0.0);
        let fits = |number: &f64| {
            *number >= low
                && *number <= high
                && (!whole || number.fract() == 0.0)
                && multiple.is_none_or(|of| (number / of).fract() == 0.0)
        };
        let told = self.text.split(|c: char| !(c.is_ascii_digit() || c == '.' || c == '-'));
        let told =
            told.filter_map(|word| word.trim_end_matches('.').parse::<f64>().ok()).find(fits);
        let usual = multiple.map_or(1.0, |of| (low.max(of) / of).ceil() * of).max(low).min(high);
        let number = told.unwrap_or(if whole { usual.ceil().min(high) } else { usual });
        if whole {
            #[expect(
                clippy::cast_possible_truncation,
                reason = "whole, and a float's cast saturates"
            )]
            return json!(number as i64);
        }
        Number::from_f64(number).map_or(json!(1), Value::Number)
    }
}

/// The schema's type; the first that is not `null` where there are several, and `object` or `array`
/// where only their keywords say so.
fn kind(schema: &Value) -> &str {
    match schema.get("type") {
        Some(Value::String(kind)) => kind,
        Some(Value::Array(kinds)) => {
            kinds.iter().filter_map(Value::as_str).find(|kind| *kind != "null").unwrap_or("null")
        }
        _ if schema.get("properties").is_some() => "object",
        _ if schema.get("items").is_some() => "array",
        _ => "string",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn required_properties_are_filled_from_the_text() {
        let schema = json!({
            "type": "object",
            "properties": {
                "city": {"type": "string", "maxLength": 5},
                "unit": {"enum": ["kelvin", "celsius"]},
                "days": {"type": "integer", "minimum": 1, "maximum": 14},
                "note": {"type": "string"}
            },
            "required": ["city", "unit", "days"]
        });
        let filled = example(&schema, "Paris in Celsius for 3 days");
        assert_eq!(filled, json!({"city": "Paris", "unit": "celsius", "days": 3}));
    }

    #[test]
    fn a_number_of_the_text_outside_the_bounds_is_not_used() {
        let schema = json!({"type": "integer", "minimum": 5, "maximum": 9});
        assert_eq!(example(&schema, "give me 12"), json!(5));
        assert_eq!(example(&json!({"type": "number", "exclusiveMinimum": 2}), "-1"), json!(2.5));
        assert_eq!(example(&json!({"type": "integer", "maximum": -3}), ""), json!(-3));
        assert_eq!(
            example(&json!({"type": "integer", "multipleOf": 10, "minimum": 15}), ""),
            json!(20)
        );
    }

    #[test]
    fn a_name_is_mentioned_only_as_a_whole_word() {
        assert!(mentions("Set it to F, please", "f"));
        assert!(!mentions("three for you", "f"));
        assert!(mentions("call get_time!", "get_time"));
        assert!(!mentions("anything", ""));
    }

    #[test]
    fn a_schema_that_refers_to_itself_ends() {
        let schema = json!({
            "$defs": {"node": {"type": "object", "properties": {
                "name": {"type": "string"},
                "children": {"type": "array", "items": {"$ref": "#/$defs/node"}}
            }, "required": ["name", "children"]}},
            "$ref": "#/$defs/node"
        });
        let filled = example(&schema, "root");
        assert_eq!(filled.pointer("/children/0/name"), Some(&json!("root")));
    }

    #[test]
    fn arrays_formats_and_alternatives_fit() {
        assert_eq!(
            example(&json!({"type": "array", "items": {"type": "boolean"}, "minItems": 2}), ""),
            json!([true, true])
        );
        assert_eq!(
            example(&json!({"type": "string", "format": "email"}), "hi"),
            json!("someone@example.com")
        );
        assert_eq!(
            example(&json!({"anyOf": [{"type": "integer"}, {"type": "null"}]}), "7"),
            json!(7)
        );
        assert_eq!(
            example(&json!({"type": ["null", "string"], "minLength": 3}), "a"),
            json!("axx")
        );
        let all = json!({"allOf": [{"properties": {"a": {"const": 1}}}, {"properties": {"b": {"const": 2}}}]});
        assert_eq!(example(&all, ""), json!({"a": 1, "b": 2}));
    }
}
