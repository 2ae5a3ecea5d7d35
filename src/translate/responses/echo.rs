//! What a response repeats of its request: `OpenAI`'s servers tell every parameter again, and typed
//! clients read them there.
//! <https://github.com/openai/openai-python/blob/main/src/openai/types/responses/response.py>

use std::{borrow::Cow, collections::BTreeMap, fmt, sync::LazyLock};

use serde::{Serialize, Serializer, ser::SerializeMap};
use serde_json::value::RawValue;

/// Instructions and tools that are longer together are not repeated, bytes: they are held as long as the
/// answer streams, when the request itself is gone.
const MOST: usize = 256 * 1024;

/// The members that are repeated, with what stands for those that a request does not have.
const REPEATED: [(&str, Form, &str); 16] = [
    ("instructions", Form::Text, "null"),
    ("max_output_tokens", Form::Number, "null"),
    ("max_tool_calls", Form::Number, "null"),
    ("metadata", Form::Object, "{}"),
    ("parallel_tool_calls", Form::Flag, "true"),
    ("prompt_cache_key", Form::Text, "null"),
    ("reasoning", Form::Object, r#"{"effort":null,"summary":null}"#),
    ("safety_identifier", Form::Text, "null"),
    ("temperature", Form::Number, "null"),
    ("text", Form::Object, r#"{"format":{"type":"text"}}"#),
    ("tool_choice", Form::TextOrObject, r#""auto""#),
    ("tools", Form::List, "[]"),
    ("top_logprobs", Form::Number, "0"),
    ("top_p", Form::Number, "null"),
    ("truncation", Form::Text, r#""disabled""#),
    ("user", Form::Text, "null"),
];

/// What a function that does not say so takes: translated, it is held to its schema only where the
/// client asks for that.
const FUNCTION: [(&str, &str); 3] =
    [("description", "null"), ("parameters", "null"), ("strict", "false")];

static NOTHING: LazyLock<Echo> = LazyLock::new(|| Echo::of(b"{}"));

/// What a member must be for typed clients to read it.
#[derive(Clone, Copy)]
enum Form {
    Text,
    Number,
    Flag,
    Object,
    List,
    TextOrObject,
}

type Object<'a> = BTreeMap<Cow<'a, str>, &'a RawValue>;

/// The parameters of a request, as its response tells them.
pub struct Echo(Vec<(&'static str, Box<RawValue>)>);

impl Echo {
    /// The parameters of a client's body; those that it does not have, or has in a form that typed
    /// clients cannot read, are as in a request without them.
    #[must_use]
    pub fn of(body: &[u8]) -> Self {
        let given: Object<'_> = serde_json::from_slice(body).unwrap_or_default();
        let length = |name| given.get(name).map_or(0, |raw| raw.get().len());
        let long = length("instructions") + length("tools") > MOST;
        let told = |(name, form, default): (&'static str, Form, &str)| {
            let left_out = long && matches!(name, "instructions" | "tools");
            let fits = |raw: &&&RawValue| form.fits(raw) && !left_out;
            let own = given.get(name).filter(fits).and_then(|raw| completed(name, raw, default));
            Some((name, own.or_else(|| json(default.to_owned()))?))
        };
        Self(REPEATED.into_iter().filter_map(told).collect())
    }

    /// That of a request without parameters.
    pub(super) fn none() -> &'static Self {
        &NOTHING
    }
}

impl Form {
    fn fits(self, raw: &RawValue) -> bool {
        matches!(
            (self, raw.get().as_bytes().first()),
            (Self::Text | Self::TextOrObject, Some(b'"'))
                | (Self::Number, Some(b'0'..=b'9' | b'-'))
                | (Self::Flag, Some(b't' | b'f'))
                | (Self::Object | Self::TextOrObject, Some(b'{'))
                | (Self::List, Some(b'['))
        )
    }
}

/// A member with what typed clients want in it.
fn completed(name: &str, raw: &RawValue, default: &str) -> Option<Box<RawValue>> {
    match name {
        "reasoning" | "text" => {
            let default: Object<'_> = serde_json::from_str(default).ok()?;
            with(raw, default.iter().map(|(name, raw)| (&**name, raw.get())))
        }
        "tools" => {
            let list: Vec<&RawValue> = serde_json::from_str(raw.get()).ok()?;
            let tools: Option<Vec<_>> = list.into_iter().map(tool).collect();
            json(serde_json::to_string(&tools?).ok()?)
        }
        _ => json(raw.get().to_owned()),
    }
}

fn tool(raw: &RawValue) -> Option<Box<RawValue>> {
    let members: Object<'_> = serde_json::from_str(raw.get()).ok()?;
    match members.get("type").map(|kind| kind.get()) {
        Some(r#""function""#) => with(raw, FUNCTION),
        _ => Some(raw.to_owned()),
    }
}

/// An object with the members that it lacks.
fn with<'a>(
    raw: &'a RawValue,
    members: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> Option<Box<RawValue>> {
    let mut all: Object<'_> = serde_json::from_str(raw.get()).ok()?;
    for (name, default) in members {
        let lacks = all.get(name).is_none_or(|raw| raw.get() == "null");
        if lacks {
            all.insert(name.into(), serde_json::from_str(default).ok()?);
        }
    }
    json(serde_json::to_string(&all).ok()?)
}

/// The value in one line, as an event of a stream has it: in strings line breaks are escaped already.
fn json(mut text: String) -> Option<Box<RawValue>> {
    if text.contains(['\n', '\r']) {
        text = text.replace(['\n', '\r'], " ");
    }
    RawValue::from_string(text).ok()
}

impl Serialize for Echo {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

/// Prompts are not for logs.
impl fmt::Debug for Echo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Echo")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn told(body: &Value) -> Value {
        serde_json::to_value(Echo::of(body.to_string().as_bytes())).unwrap()
    }

    #[test]
    fn parameters_are_told_as_they_were_asked() {
        let tools = json!([
            {"type": "function", "name": "f", "parameters": {"type": "object"}, "strict": true},
            {"type": "function", "name": "g"},
            {"type": "web_search", "search_context_size": "low"},
        ]);
        let asked = json!({"model": "m", "input": "hi", "instructions": "Be \"short\".",
            "max_output_tokens": 99, "max_tool_calls": 2, "metadata": {"a": "b"},
            "parallel_tool_calls": false, "prompt_cache_key": "k", "safety_identifier": "s",
            "reasoning": {"effort": "low"}, "temperature": 0.5, "top_p": 0.9, "top_logprobs": 3,
            "text": {"verbosity": "low"}, "tool_choice": {"type": "function", "name": "f"},
            "tools": tools, "truncation": "auto", "user": "u"});
        let told = told(&asked);
        for same in [
            "instructions",
            "max_output_tokens",
            "max_tool_calls",
            "metadata",
            "user",
            "parallel_tool_calls",
            "prompt_cache_key",
            "safety_identifier",
            "temperature",
            "top_p",
            "top_logprobs",
            "tool_choice",
            "truncation",
        ] {
            assert_eq!(told[same], asked[same], "{same}");
        }
        assert_eq!(told["reasoning"], json!({"effort": "low", "summary": null}));
        assert_eq!(told["text"], json!({"verbosity": "low", "format": {"type": "text"}}));
        assert_eq!(
            told["tools"],
            json!([
                {"type": "function", "name": "f", "parameters": {"type": "object"}, "strict": true,
                    "description": null},
                {"type": "function", "name": "g", "parameters": null, "strict": false,
                    "description": null},
                {"type": "web_search", "search_context_size": "low"},
            ])
        );
        assert!(told.get("input").is_none() && told.get("model").is_none());
    }

    #[test]
    fn what_typed_clients_could_not_read_is_told_as_if_it_were_not_there() {
        let none = serde_json::to_value(Echo::none()).unwrap();
        assert_eq!(none["tools"], json!([]));
        assert_eq!(none["tool_choice"], "auto");
        assert_eq!(none["metadata"], json!({}));
        assert_eq!(none["parallel_tool_calls"], true);
        let odd = json!({"instructions": [{"role": "user"}], "metadata": "x", "tools": null,
            "temperature": "1", "text": null, "truncation": 1, "parallel_tool_calls": null});
        assert_eq!(told(&odd), none);
    }

    #[test]
    fn a_body_of_many_lines_is_told_in_one() {
        let asked = json!({"tools": [{"type": "function", "name": "f", "parameters": {"a": {"b": "c\nd"}}},
            {"type": "web_search", "filters": {"allowed_domains": []}}],
            "metadata": {"a": "b"}, "text": {"format": {"type": "text"}},
            "tool_choice": {"type": "function", "name": "f"}, "reasoning": {"effort": "low"}});
        let pretty = serde_json::to_string_pretty(&asked).unwrap().replace('\n', "\r\n");
        let line = serde_json::to_string(&Echo::of(pretty.as_bytes())).unwrap();
        assert!(!line.contains(['\n', '\r']), "{line}");
        assert_eq!(serde_json::from_str::<Value>(&line).unwrap(), told(&asked));
    }

    #[test]
    fn very_long_ones_are_not_held() {
        let long = "x".repeat(MOST);
        let told =
            told(&json!({"instructions": long, "tools": [{"type": "web_search"}], "user": "u"}));
        assert_eq!((&told["instructions"], &told["tools"]), (&Value::Null, &json!([])));
        assert_eq!(told["user"], "u");
    }
}
