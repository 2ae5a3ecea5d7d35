//! Governance: what a caller may use, how much, and what they are told.

mod access;
mod alerts;
mod budgets;
mod crashes;
mod fleet;
mod hang_ups;
mod long_periods;
mod order;
mod rate_limits;
mod replicas;
mod silent;
mod strict;
mod strict_output;
mod usual;

use serde_json::{Value, json};

use crate::support::Reply;

/// A vendor's answer that says how many tokens it took.
fn costing(input: u64, output: u64) -> Reply {
    let answer = json!({
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "gpt-4o",
        "choices": [{"index": 0, "finish_reason": "stop",
            "message": {"role": "assistant", "content": "Hello"}}],
        "usage": {"prompt_tokens": input, "completion_tokens": output,
            "total_tokens": input + output},
    });
    Reply::says(answer.to_string())
}

/// A budget of the whole organization.
fn tokens_a_day(limit: u64) -> Value {
    json!({"name": "daily tokens", "scope_type": "org", "period": "daily", "token_limit": limit,
        "action_on_exhaust": "block"})
}

/// The same, and it is never exceeded.
fn strict(limit: u64) -> Value {
    let mut body = tokens_a_day(limit);
    body["strict"] = json!(true);
    body
}
