//! `usage`: `input_tokens` is what was neither read from nor written to the cache.
//!
//! <https://platform.claude.com/docs/en/build-with-claude/prompt-caching>

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::domain::TokenUsage;

/// `usage` as a vendor sends it. In a stream the figures are running totals.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct UsageIn {
    input_tokens: Option<u64>,
    output_tokens: Option<u64>,
    cache_read_input_tokens: Option<u64>,
    cache_creation_input_tokens: Option<u64>,
    /// Read leniently: an odd member must not cost the others.
    cache_creation: Option<Value>,
    output_tokens_details: Option<OutputDetails>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct OutputDetails {
    thinking_tokens: Option<u64>,
}

impl UsageIn {
    /// Takes over what is higher here: some vendors send zeros first, others last. False where there
    /// was no figure at all.
    pub(super) fn raise(&self, sum: &mut TokenUsage) -> bool {
        let raise = |figure: &mut u64, count: Option<u64>| {
            *figure = (*figure).max(count.unwrap_or(0));
        };
        raise(&mut sum.input, self.input_tokens);
        raise(&mut sum.output, self.output_tokens);
        raise(&mut sum.cache_read, self.cache_read_input_tokens);
        raise(&mut sum.cache_write, self.cache_creation_input_tokens);
        let kept = self.cache_creation.as_ref();
        let hour = kept.and_then(|kept| kept.get("ephemeral_1h_input_tokens"));
        raise(&mut sum.cache_write_hour, hour.and_then(Value::as_u64));
        let details = self.output_tokens_details.as_ref();
        raise(&mut sum.reasoning, details.and_then(|details| details.thinking_tokens));
        sum.reasoning = sum.reasoning.min(sum.output);
        self.input_tokens.or(self.output_tokens).is_some()
    }
}

/// `usage` as a client gets it.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct UsageOut {
    input_tokens: u64,
    cache_creation_input_tokens: u64,
    cache_read_input_tokens: u64,
    output_tokens: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    output_tokens_details: Option<DetailsOut>,
}

#[derive(Clone, Copy, Debug, Serialize)]
struct DetailsOut {
    thinking_tokens: u64,
}

impl From<TokenUsage> for UsageOut {
    fn from(usage: TokenUsage) -> Self {
        let thinking = (usage.reasoning > 0).then_some(usage.reasoning);
        Self {
            input_tokens: usage.input,
            cache_creation_input_tokens: usage.cache_write,
            cache_read_input_tokens: usage.cache_read,
            output_tokens: usage.output,
            output_tokens_details: thinking.map(|thinking_tokens| DetailsOut { thinking_tokens }),
        }
    }
}
