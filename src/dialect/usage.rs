//! Vendors' usage objects, brought to one meaning: each token counted once.
//!
//! * OpenAI and those who speak it: `prompt_tokens` (Responses: `input_tokens`) *includes* cached
//!   ones, `completion_tokens` includes reasoning.
//!   <https://platform.openai.com/docs/api-reference/chat/object>
//! * xAI (and Gemini's compatible API) leave reasoning out of `completion_tokens` but have it in
//!   `total_tokens`. <https://docs.x.ai/docs/key-information/consumption-and-rate-limits>
//! * DeepSeek says `prompt_cache_hit_tokens`, Moonshot `cached_tokens`, OpenRouter has
//!   `cache_write_tokens` among the details.
//! * Anthropic: `input_tokens` *excludes* what was read from and written to the cache.
//!   <https://docs.claude.com/en/docs/build-with-claude/prompt-caching>

use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, SeqAccess, Visitor},
};

use serde_json::value::RawValue;

use super::usage_plain::plain;
use crate::domain::TokenUsage;

/// Reads an OpenAI usage object (chat completions, completions, embeddings, Responses).
#[must_use]
pub fn read_openai(raw: &[u8]) -> Option<TokenUsage> {
    let usage = plain(raw).or_else(|| object(raw))?;
    let details = usage.prompt_tokens_details.or(usage.input_tokens_details).unwrap_or_default();
    let out_details =
        usage.completion_tokens_details.or(usage.output_tokens_details).unwrap_or_default();
    let prompt = usage.prompt_tokens.0.or(usage.input_tokens.0);
    let completion = usage.completion_tokens.0.or(usage.output_tokens.0);
    let total = usage.total_tokens.0;
    prompt.or(completion).or(total)?;
    let prompt =
        prompt.unwrap_or_else(|| total.unwrap_or(0).saturating_sub(completion.unwrap_or(0)));
    let completion = completion.unwrap_or(0);
    // What the total has beyond both is output that the vendor left out of its own figure.
    let output = completion.max(total.unwrap_or(0).saturating_sub(prompt));
    let reasoning = out_details.reasoning_tokens.0.or(usage.reasoning_tokens.0).unwrap_or(0);
    let cache_read = details
        .cached_tokens
        .0
        .or(usage.prompt_cache_hit_tokens.0)
        .or(usage.cached_tokens.0)
        .unwrap_or(0);
    let cache_write = details.cache_write_tokens.0.or(details.cache_creation_tokens.0).unwrap_or(0);
    // More cached than there was: the vendor counts cached tokens beside the prompt.
    let input = prompt.checked_sub(cache_read.saturating_add(cache_write)).unwrap_or(prompt);
    let reasoning = reasoning.min(output);
    Some(TokenUsage { input, output, cache_read, cache_write, reasoning, ..TokenUsage::default() })
}

/// Anthropic's counters. In a stream they come several times and are cumulative: the highest of
/// each counts (compatible vendors send zeros first, or last).
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct AnthropicCounters {
    seen: Option<TokenUsage>,
}

impl AnthropicCounters {
    pub(super) fn add(&mut self, raw: &[u8]) {
        let Some(usage) = object::<Anthropic>(raw) else { return };
        if usage.input_tokens.0.or(usage.output_tokens.0).is_none() {
            return;
        }
        let sum = self.seen.get_or_insert_default();
        let raise = |figure: &mut u64, count: Count| *figure = (*figure).max(count.0.unwrap_or(0));
        raise(&mut sum.input, usage.input_tokens);
        raise(&mut sum.output, usage.output_tokens);
        raise(&mut sum.cache_read, usage.cache_read_input_tokens);
        raise(&mut sum.cache_write, usage.cache_creation_input_tokens);
        let kept = usage.cache_creation.unwrap_or_default();
        raise(&mut sum.cache_write_hour, kept.ephemeral_1h_input_tokens);
    }

    pub(super) const fn usage(&self) -> Option<TokenUsage> {
        self.seen
    }
}

#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(super) struct OpenAi {
    pub(super) prompt_tokens: Count,
    pub(super) completion_tokens: Count,
    pub(super) input_tokens: Count,
    pub(super) output_tokens: Count,
    pub(super) total_tokens: Count,
    #[serde(deserialize_with = "member")]
    pub(super) prompt_tokens_details: Option<Details>,
    #[serde(deserialize_with = "member")]
    pub(super) input_tokens_details: Option<Details>,
    #[serde(deserialize_with = "member")]
    pub(super) completion_tokens_details: Option<OutDetails>,
    #[serde(deserialize_with = "member")]
    pub(super) output_tokens_details: Option<OutDetails>,
    pub(super) prompt_cache_hit_tokens: Count,
    pub(super) cached_tokens: Count,
    pub(super) reasoning_tokens: Count,
}

#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(super) struct Details {
    pub(super) cached_tokens: Count,
    pub(super) cache_write_tokens: Count,
    pub(super) cache_creation_tokens: Count,
}

#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(super) struct OutDetails {
    pub(super) reasoning_tokens: Count,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Anthropic {
    input_tokens: Count,
    output_tokens: Count,
    cache_read_input_tokens: Count,
    cache_creation_input_tokens: Count,
    #[serde(deserialize_with = "member")]
    cache_creation: Option<Kept>,
}

/// How long what was written to the cache is kept.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Kept {
    ephemeral_1h_input_tokens: Count,
}

/// What an object says; none where something else stands there. (Serde reads a list as a struct's fields in order.)
fn object<'a, T: Deserialize<'a>>(raw: &'a [u8]) -> Option<T> {
    let is_object = raw.trim_ascii_start().starts_with(b"{");
    is_object.then(|| serde_json::from_slice(raw).ok()).flatten()
}

/// A member's object, if it is one: an odd member must not cost the others.
fn member<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    let raw = <&RawValue>::deserialize(deserializer)?;
    Ok(object(raw.get().as_bytes()))
}

/// A figure, if it is one: one odd member must not cost all the others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Count(pub(super) Option<u64>);

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(CountVisitor)
    }
}

/// What no request uses: a larger figure is a vendor's mistake, and would spoil every sum for good.
pub(super) const MOST: u64 = 1_000_000_000_000;

struct CountVisitor;

impl<'de> Visitor<'de> for CountVisitor {
    type Value = Count;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a number of tokens")
    }

    fn visit_u64<E>(self, count: u64) -> Result<Count, E> {
        Ok(Count(Some(count).filter(|count| *count <= MOST)))
    }

    fn visit_i64<E>(self, count: i64) -> Result<Count, E> {
        Ok(Count(u64::try_from(count).ok()))
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates")]
    fn visit_f64<E>(self, count: f64) -> Result<Count, E> {
        Ok(Count((count >= 0.0).then_some(count as u64).filter(|count| *count <= MOST)))
    }

    fn visit_unit<E>(self) -> Result<Count, E> {
        Ok(Count(None))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Count, E> {
        Ok(Count(None))
    }

    fn visit_str<E>(self, _: &str) -> Result<Count, E> {
        Ok(Count(None))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Count, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Count(None))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Count, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Count(None))
    }
}

#[cfg(test)]
mod tests {
    use super::{AnthropicCounters, TokenUsage, read_openai};

    fn openai(raw: &str) -> TokenUsage {
        read_openai(raw.as_bytes()).unwrap()
    }

    #[test]
    fn cached_tokens_are_counted_once() {
        let expected = TokenUsage {
            input: 20,
            output: 7,
            cache_read: 80,
            reasoning: 3,
            ..TokenUsage::default()
        };
        for raw in [
            r#"{"prompt_tokens":100,"completion_tokens":7,"total_tokens":107,"prompt_tokens_details":{"cached_tokens":80,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":3}}"#,
            r#"{"input_tokens":100,"output_tokens":7,"total_tokens":107,"input_tokens_details":{"cached_tokens":80},"output_tokens_details":{"reasoning_tokens":3}}"#,
            r#"{"prompt_tokens":100,"completion_tokens":7,"prompt_cache_hit_tokens":80,"prompt_cache_miss_tokens":20,"reasoning_tokens":3,"prompt_tokens_details":null}"#,
            r#"{"prompt_tokens":100.0,"completion_tokens":7,"cached_tokens":80,"completion_tokens_details":{"reasoning_tokens":3},"cost":{"x":[1]}}"#,
        ] {
            assert_eq!(openai(raw), expected, "{raw}");
        }
    }

    #[test]
    fn reasoning_that_a_vendor_left_out_of_its_output_is_counted() {
        let xai = r#"{"prompt_tokens":12,"completion_tokens":1,"total_tokens":399,"completion_tokens_details":{"reasoning_tokens":386}}"#;
        assert_eq!(
            openai(xai),
            TokenUsage { input: 12, output: 387, reasoning: 386, ..TokenUsage::default() }
        );
    }

    #[test]
    fn embeddings_have_input_only() {
        assert_eq!(
            openai(r#"{"prompt_tokens":8,"total_tokens":8}"#),
            TokenUsage { input: 8, ..TokenUsage::default() }
        );
        assert_eq!(
            openai(r#"{"total_tokens":8}"#),
            TokenUsage { input: 8, ..TokenUsage::default() }
        );
    }

    #[test]
    fn an_odd_figure_does_not_cost_the_others() {
        let odd = r#"{"prompt_tokens":8,"completion_tokens":"2","total_tokens":null,"cached_tokens":-1,"reasoning_tokens":{}}"#;
        assert_eq!(openai(odd), TokenUsage { input: 8, ..TokenUsage::default() });
        for details in ["0", "[80]", "\"80\"", "true", r#"[{"cached_tokens":3}]"#] {
            let odd = format!(r#"{{"prompt_tokens":8,"prompt_tokens_details":{details}}}"#);
            assert_eq!(openai(&odd), TokenUsage { input: 8, ..TokenUsage::default() }, "{odd}");
        }
        for nothing in ["{}", "null", "[]", "[5,6]", "3", r#"{"prompt_tokens":null}"#] {
            assert_eq!(read_openai(nothing.as_bytes()), None, "{nothing}");
        }
    }

    #[test]
    fn anthropic_counters_are_cumulative_and_beside_the_cache() {
        let mut counters = AnthropicCounters::default();
        assert_eq!(counters.usage(), None);
        counters.add(br#"{"input_tokens":25,"cache_creation_input_tokens":5,"cache_read_input_tokens":1200,"output_tokens":1}"#);
        counters.add(br#"{"output_tokens":15}"#);
        counters.add(br#"{"input_tokens":0,"output_tokens":15,"cache_read_input_tokens":null}"#);
        let expected = TokenUsage {
            input: 25,
            output: 15,
            cache_read: 1200,
            cache_write: 5,
            ..TokenUsage::default()
        };
        assert_eq!(counters.usage(), Some(expected));
        counters.add(br#"{"output_tokens":15,"cache_creation":{"ephemeral_5m_input_tokens":2,"ephemeral_1h_input_tokens":3}}"#);
        let usage = counters.usage().unwrap();
        assert_eq!((usage.cache_write, usage.cache_write_hour), (5, 3));
        counters.add(b"[90,91]");
        counters.add(br#"{"output_tokens":16,"cache_creation":7}"#);
        assert_eq!(counters.usage().unwrap().output, 16);
    }
}
