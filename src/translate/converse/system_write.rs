//! Instructions.

use super::{
    super::{
        answer_tool::JSON_ONLY,
        form::{Format, Part, PartKind, Refusal},
    },
    body::Block,
    family::Family,
    messages_write::cache_point,
};

/// Writes system and developer turns' parts, and the wish for JSON.
/// <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_SystemContentBlock.html>
pub(super) fn system<'r>(
    parts: &[&'r Part<'_>],
    format: Option<&Format<'_>>,
    family: Family,
) -> Result<Vec<Block<'r>>, Refusal> {
    let mut system = Vec::with_capacity(parts.len());
    for part in parts {
        match &part.kind {
            PartKind::Text(text) if text.trim().is_empty() => continue,
            PartKind::Text(text) => system.push(Block::Text(text)),
            _ => {
                return Err(Refusal::unsupported(
                    part.path.to_string(),
                    "Amazon Bedrock takes only text in instructions",
                ));
            }
        }
        system.extend(cache_point(part.cache, family).map(Block::CachePoint));
    }
    if matches!(format, Some(Format::JsonObject)) {
        system.push(Block::Text(JSON_ONLY));
    }
    Ok(system)
}
