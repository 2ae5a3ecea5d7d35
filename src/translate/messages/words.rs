//! Words of the Messages API that both directions know.
//!
//! <https://platform.claude.com/docs/en/build-with-claude/handling-stop-reasons>

use crate::translate::form::{CacheMark, StopReason};

/// The vendors' version header inside a body, Amazon Bedrock:
/// <https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-anthropic-claude-messages.html>
pub(super) const BEDROCK_VERSION: &str = "bedrock-2023-05-31";
/// The same, Vertex AI: <https://docs.cloud.google.com/vertex-ai/generative-ai/docs/partner-models/claude/use-claude>
pub(super) const VERTEX_VERSION: &str = "vertex-2023-10-16";

/// `stop_reason` for a client.
pub(super) const fn stop_reason(reason: StopReason) -> &'static str {
    match reason {
        StopReason::End => "end_turn",
        StopReason::StopSequence => "stop_sequence",
        StopReason::Length => "max_tokens",
        StopReason::ContextWindow => "model_context_window_exceeded",
        StopReason::ToolCalls => "tool_use",
        StopReason::ContentFilter | StopReason::Refusal => "refusal",
        StopReason::Pause => "pause_turn",
    }
}

/// What a vendor's `stop_reason` means. A word that is not known yet ends an answer like any other.
pub(super) fn read_stop_reason(word: &str) -> StopReason {
    match word {
        "stop_sequence" => StopReason::StopSequence,
        "max_tokens" => StopReason::Length,
        "model_context_window_exceeded" => StopReason::ContextWindow,
        "tool_use" => StopReason::ToolCalls,
        "refusal" => StopReason::Refusal,
        "pause_turn" => StopReason::Pause,
        _ => StopReason::End,
    }
}

/// The reason that a client is told, from what was read and what the answer had in it: vendors end an
/// answer with calls, or with a refusal, as if it were any other.
pub(super) const fn told_stop(
    reason: Option<StopReason>,
    calls: bool,
    refused: bool,
) -> StopReason {
    match reason {
        None | Some(StopReason::End) if refused => StopReason::Refusal,
        None | Some(StopReason::End) if calls => StopReason::ToolCalls,
        None => StopReason::End,
        Some(reason) => reason,
    }
}

/// A mark of `cache_control`; its `ttl` is `5m` where it is not said.
pub(super) fn cache_mark(ttl: Option<&str>) -> CacheMark {
    if ttl == Some("1h") { CacheMark::Hour } else { CacheMark::Short }
}
