//! Ids of calls, as Bedrock takes them.

use std::borrow::Cow;

use super::super::plain::Rule;

/// `id` as a `toolUseId`: letters, digits, `_` and `-`, at most 64, which every model takes. The same id
/// always becomes the same, so that a result finds its call; ids that differ stay different.
/// <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ToolUseBlock.html>
pub(super) fn tool_use_id(id: &str) -> Cow<'_, str> {
    Rule::default().plain(id)
}
