//! Figures and endings, in Bedrock's words.

use serde::Deserialize;
use serde_json::{Value, value::RawValue};

use super::super::form::StopReason;
use crate::domain::TokenUsage;

/// What no request uses: a larger figure is a mistake, and would spoil every sum for good.
const MOST: u64 = 1_000_000_000_000;

/// <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_TokenUsage.html>
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Usage {
    input_tokens: Option<u64>,
    output_tokens: Option<u64>,
    total_tokens: Option<u64>,
    cache_read_input_tokens: Option<u64>,
    cache_write_input_tokens: Option<u64>,
    /// Read leniently: an odd member must not cost the others.
    cache_details: Option<Value>,
}

/// How long something that was written to the cache is kept.
/// <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_CacheDetail.html>
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Kept {
    ttl: Option<String>,
    input_tokens: Option<u64>,
}

/// Reads a usage object, each token counted once; none where it is not one.
///
/// Whether `inputTokens` includes the cache is not documented: for Claude it does not, for some others it
/// does. `totalTokens` tells: <https://github.com/anomalyco/opencode/pull/47354>.
pub(super) fn usage(raw: &RawValue) -> Option<TokenUsage> {
    let usage: Usage = serde_json::from_str(raw.get()).ok()?;
    let figure = |count: Option<u64>| count.filter(|count| *count <= MOST);
    let (input, output) = (figure(usage.input_tokens), figure(usage.output_tokens));
    let total = figure(usage.total_tokens);
    input.or(output).or(total)?;
    let cache_read = figure(usage.cache_read_input_tokens).unwrap_or(0);
    let cache_write = figure(usage.cache_write_input_tokens).unwrap_or(0);
    let details = usage.cache_details.map(serde_json::from_value::<Vec<Kept>>);
    let details = details.and_then(Result::ok).unwrap_or_default();
    let hour = details.iter().filter(|kept| kept.ttl.as_deref() == Some("1h"));
    let hour = hour.filter_map(|kept| figure(kept.input_tokens)).sum::<u64>();
    let output = output.unwrap_or(0);
    let input = input.unwrap_or_else(|| total.unwrap_or(0).saturating_sub(output));
    let cached = cache_read + cache_write;
    let includes = total == Some(input + output);
    let input = if includes { input.checked_sub(cached).unwrap_or(input) } else { input };
    let cache_write_hour = hour.min(cache_write);
    Some(TokenUsage { input, output, cache_read, cache_write, cache_write_hour, reasoning: 0 })
}

/// Why an answer with or without calls ended.
/// <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_MessageStopEvent.html>
pub(super) fn stop_reason(word: &str, calls: bool) -> StopReason {
    match word {
        "max_tokens" => StopReason::Length,
        "model_context_window_exceeded" => StopReason::ContextWindow,
        "guardrail_intervened" | "content_filtered" => StopReason::ContentFilter,
        "refusal" => StopReason::Refusal,
        "pause_turn" => StopReason::Pause,
        // Some models say `end_turn` after a call, and `tool_use` after none that could be read.
        _ if calls => StopReason::ToolCalls,
        "stop_sequence" => StopReason::StopSequence,
        // Also `malformed_model_output` and `malformed_tool_use`: what there is stands for itself.
        _ => StopReason::End,
    }
}
