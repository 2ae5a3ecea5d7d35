//! `usageMetadata` (<https://ai.google.dev/api/generate-content#UsageMetadata>).
//!
//! The prompt includes what came from a cache; results of Google's own tools stand beside it and are
//! input too. Thinking stands beside the candidates, on some models inside of them: the total tells.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::domain::TokenUsage;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[derive(Default)]
struct Counts {
    prompt_token_count: Option<u64>,
    candidates_token_count: Option<u64>,
    thoughts_token_count: Option<u64>,
    cached_content_token_count: Option<u64>,
    tool_use_prompt_token_count: Option<u64>,
    total_token_count: Option<u64>,
}

/// Reads the figures; none where there are none. In a stream they are running totals.
pub(super) fn read(raw: &RawValue) -> Option<TokenUsage> {
    let counts: Counts = serde_json::from_str(raw.get()).ok()?;
    counts.prompt_token_count.or(counts.candidates_token_count).or(counts.total_token_count)?;
    let prompt = counts.prompt_token_count.unwrap_or(0);
    let tools = counts.tool_use_prompt_token_count.unwrap_or(0);
    let thoughts = counts.thoughts_token_count.unwrap_or(0);
    let total = counts.total_token_count;
    let candidates = counts.candidates_token_count.unwrap_or_else(|| {
        let known = prompt.saturating_add(tools).saturating_add(thoughts);
        total.map_or(0, |total| total.saturating_sub(known))
    });
    let beside = candidates.saturating_add(thoughts);
    let inside = total.is_some_and(|total| total < prompt.saturating_add(beside));
    let output = if inside { candidates.max(thoughts) } else { beside };
    let cached = counts.cached_content_token_count.unwrap_or(0);
    // More cached than there was: the cache is counted beside the prompt.
    let uncached = prompt.checked_sub(cached).unwrap_or(prompt);
    Some(TokenUsage {
        input: uncached.saturating_add(tools),
        output,
        cache_read: cached,
        reasoning: thoughts.min(output),
        ..TokenUsage::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usage(json: &str) -> Option<TokenUsage> {
        read(serde_json::from_str(json).unwrap())
    }

    #[test]
    fn every_token_is_counted_once() {
        let tokens = |input, output, cache_read, reasoning| {
            Some(TokenUsage { input, output, cache_read, reasoning, ..TokenUsage::default() })
        };
        for (json, expected) in [
            (
                r#"{"promptTokenCount":50,"candidatesTokenCount":6,"thoughtsTokenCount":40,"totalTokenCount":96,"cachedContentTokenCount":32}"#,
                tokens(18, 46, 32, 40),
            ),
            // The candidates include the thinking.
            (
                r#"{"promptTokenCount":50,"candidatesTokenCount":46,"thoughtsTokenCount":40,"totalTokenCount":96}"#,
                tokens(50, 46, 0, 40),
            ),
            // The candidates are missing.
            (
                r#"{"promptTokenCount":50,"thoughtsTokenCount":40,"totalTokenCount":96}"#,
                tokens(50, 46, 0, 40),
            ),
            (
                r#"{"promptTokenCount":10,"toolUsePromptTokenCount":100,"candidatesTokenCount":5,"totalTokenCount":115}"#,
                tokens(110, 5, 0, 0),
            ),
            (r#"{"promptTokenCount":9,"totalTokenCount":9}"#, tokens(9, 0, 0, 0)),
            (r#"{"promptTokenCount":9,"candidatesTokenCount":2}"#, tokens(9, 2, 0, 0)),
            (r#"{"trafficType":"ON_DEMAND"}"#, None),
            (r#"{"promptTokenCount":"many"}"#, None),
        ] {
            assert_eq!(usage(json), expected, "{json}");
        }
    }
}
