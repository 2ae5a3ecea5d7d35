//! `usage` as clients get it: cached tokens are part of the prompt's, thinking of the answer's.
//! <https://platform.openai.com/docs/api-reference/chat/object#chat-object-usage>

use serde::Serialize;

use crate::{
    domain::TokenUsage,
    translate::{Additions, additions::Costs},
};

/// The figures and, in the unified API, the costs.
#[derive(Serialize)]
pub struct Usage {
    prompt_tokens: u64,
    completion_tokens: u64,
    total_tokens: u64,
    prompt_tokens_details: PromptDetails,
    completion_tokens_details: CompletionDetails,
    #[serde(skip_serializing_if = "is_zero")]
    reasoning_tokens: u64,
    #[serde(flatten)]
    costs: Option<Costs>,
}

#[derive(Serialize)]
struct PromptDetails {
    cached_tokens: u64,
    #[serde(skip_serializing_if = "is_zero")]
    cache_write_tokens: u64,
}

#[derive(Serialize)]
struct CompletionDetails {
    reasoning_tokens: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature serde asks for")]
const fn is_zero(figure: &u64) -> bool {
    *figure == 0
}

impl Usage {
    /// What `usage` comes to.
    pub fn of(usage: &TokenUsage, additions: Option<&Additions>) -> Self {
        let prompt = usage.input.saturating_add(usage.cache_read).saturating_add(usage.cache_write);
        Self {
            prompt_tokens: prompt,
            completion_tokens: usage.output,
            total_tokens: prompt.saturating_add(usage.output),
            prompt_tokens_details: PromptDetails {
                cached_tokens: usage.cache_read,
                cache_write_tokens: usage.cache_write,
            },
            completion_tokens_details: CompletionDetails { reasoning_tokens: usage.reasoning },
            reasoning_tokens: usage.reasoning,
            costs: additions.and_then(|additions| additions.costs(usage)),
        }
    }
}
