//! The body of a request as clients write it.
//! <https://github.com/openai/openai-python/blob/main/src/openai/types/responses/response_create_params.py>

use std::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{self, IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::value::RawValue;

use super::super::form::Text;

/// A string, or a list in its place.
#[derive(Debug)]
pub enum TextOr<'a, T> {
    /// The string.
    Text(Text<'a>),
    /// The list.
    List(Vec<T>),
}

/// All members that have a meaning, and those that nobody here knows.
#[derive(Default)]
pub struct Body<'a> {
    /// The operator's words.
    pub instructions: Option<Text<'a>>,
    /// The conversation.
    pub input: Option<TextOr<'a, &'a RawValue>>,
    /// What the model may call.
    pub tools: Option<Vec<&'a RawValue>>,
    /// Whether it must.
    pub tool_choice: Option<&'a RawValue>,
    /// Whether several calls may come at once.
    pub parallel_tool_calls: Option<bool>,
    /// The most tokens, thinking included.
    pub max_output_tokens: Option<u64>,
    /// The most calls of the vendor's own tools.
    pub max_tool_calls: Option<u64>,
    /// 0 to 2.
    pub temperature: Option<f64>,
    /// 0 to 1.
    pub top_p: Option<f64>,
    /// How many log probabilities.
    pub top_logprobs: Option<u64>,
    /// What the answer is to have beside its text.
    pub include: Option<Vec<Text<'a>>>,
    /// The answer's form.
    pub text: Option<TextConfig<'a>>,
    /// Whether and how long to think.
    pub reasoning: Option<ReasoningConfig<'a>>,
    /// Whether the answer is to come as a stream.
    pub stream: Option<bool>,
    /// The client's name for its user.
    pub user: Option<Text<'a>>,
    /// The same, under its new name.
    pub safety_identifier: Option<Text<'a>>,
    /// As the client wrote it.
    pub service_tier: Option<Text<'a>>,
    /// A hint.
    pub prompt_cache_key: Option<Text<'a>>,
    /// The first member that a vendor of another API cannot have, with what to do instead.
    pub refused: Option<(&'static str, &'static str)>,
    /// The others, in their order.
    pub rest: Vec<(Text<'a>, &'a RawValue)>,
}

/// `text`.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct TextConfig<'a> {
    /// Text or JSON.
    #[serde(borrow)]
    pub format: Option<FormatConfig<'a>>,
    /// `low`, `medium`, `high`.
    #[serde(borrow)]
    pub verbosity: Option<Text<'a>>,
}

/// `text.format`.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct FormatConfig<'a> {
    /// Its `type`.
    #[serde(borrow, rename = "type")]
    pub kind: Option<Text<'a>>,
    /// Its name.
    #[serde(borrow)]
    pub name: Option<Text<'a>>,
    /// What it is.
    #[serde(borrow)]
    pub description: Option<Text<'a>>,
    /// JSON Schema.
    #[serde(borrow)]
    pub schema: Option<&'a RawValue>,
    /// The answer must match.
    pub strict: Option<bool>,
}

/// `reasoning`.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct ReasoningConfig<'a> {
    /// How hard.
    #[serde(borrow)]
    pub effort: Option<Text<'a>>,
    /// `pro`, or `standard`.
    #[serde(borrow)]
    pub mode: Option<Text<'a>>,
    /// Whether and how it is to be shown.
    #[serde(borrow)]
    pub summary: Option<Text<'a>>,
    /// The old name of `summary`.
    #[serde(borrow)]
    pub generate_summary: Option<Text<'a>>,
}

/// Members that ask the API to keep or fetch a state which translated vendors do not have, and the way
/// to do without.
const STATEFUL: [(&str, &str); 6] = [
    ("previous_response_id", "send the whole conversation in `input`"),
    ("conversation", "send the whole conversation in `input`"),
    ("background", "leave it out and read the answer, or its stream, from this request"),
    ("prompt", "send the prompt's text in `instructions` and `input`"),
    ("context_management", "shorten `input` before it is sent"),
    ("moderation", "leave it out"),
];

impl<'de: 'a, 'a> Deserialize<'de> for Body<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(BodyVisitor)
    }
}

struct BodyVisitor;

impl<'de> Visitor<'de> for BodyVisitor {
    type Value = Body<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Body<'de>, A::Error> {
        let mut body = Body::default();
        while let Some(key) = map.next_key::<Text<'de>>()? {
            match &*key {
                "instructions" => body.instructions = map.next_value()?,
                "input" => body.input = map.next_value()?,
                "tools" => body.tools = map.next_value()?,
                "tool_choice" => body.tool_choice = map.next_value()?,
                "parallel_tool_calls" => body.parallel_tool_calls = map.next_value()?,
                "max_output_tokens" => body.max_output_tokens = map.next_value()?,
                "max_tool_calls" => body.max_tool_calls = map.next_value()?,
                "temperature" => body.temperature = map.next_value()?,
                "top_p" => body.top_p = map.next_value()?,
                "top_logprobs" => body.top_logprobs = map.next_value()?,
                "include" => body.include = map.next_value()?,
                "text" => body.text = map.next_value()?,
                "reasoning" => body.reasoning = map.next_value()?,
                "stream" => body.stream = map.next_value()?,
                "user" => body.user = map.next_value()?,
                "safety_identifier" => body.safety_identifier = map.next_value()?,
                "service_tier" => body.service_tier = map.next_value()?,
                "prompt_cache_key" => body.prompt_cache_key = map.next_value()?,
                // Hints, and what has no effect where nothing is kept.
                "model"
                | "metadata"
                | "store"
                | "truncation"
                | "stream_options"
                | "prompt_cache_options"
                | "prompt_cache_retention" => {
                    map.next_value::<IgnoredAny>()?;
                }
                name => {
                    let known = STATEFUL.into_iter().find(|(known, _)| *known == name);
                    let value: &RawValue = map.next_value()?;
                    let asked = !matches!(value.get(), "null" | "false" | "[]" | "{}" | "\"\"");
                    match known {
                        Some(known) if asked => {
                            body.refused.get_or_insert(known);
                        }
                        None if value.get() != "null" => body.rest.push((key, value)),
                        _ => {}
                    }
                }
            }
        }
        Ok(body)
    }
}

impl<'de: 'a, 'a, T: Deserialize<'de>> Deserialize<'de> for TextOr<'a, T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextOrVisitor(PhantomData))
    }
}

struct TextOrVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for TextOrVisitor<T> {
    type Value = TextOr<'de, T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string or a list")
    }

    fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(TextOr::Text(text.into()))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(TextOr::Text(text.to_owned().into()))
    }

    fn visit_string<E: de::Error>(self, text: String) -> Result<Self::Value, E> {
        Ok(TextOr::Text(text.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut list = Vec::with_capacity(seq.size_hint().unwrap_or_default());
        while let Some(one) = seq.next_element()? {
            list.push(one);
        }
        Ok(TextOr::List(list))
    }
}
