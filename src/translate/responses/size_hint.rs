//! How long a request's body will be.

use super::super::form::{Media, Part, PartKind, Request, Source, ToolKind};

/// About as long as the body will be, so that it is not copied while it grows.
pub fn size_hint(request: &Request<'_>) -> usize {
    fn media(media: &Media<'_>) -> usize {
        match &media.source {
            Source::Base64(text) | Source::Text(text) | Source::Url(text) | Source::File(text) => {
                text.len()
            }
        }
    }
    fn part(one: &Part<'_>) -> usize {
        64 + match &one.kind {
            PartKind::Text(text) | PartKind::Refusal(text) => text.len() + text.len() / 16,
            PartKind::Image(one) | PartKind::Audio(one) | PartKind::Document(one) => media(one),
            PartKind::Thinking(thinking) => {
                thinking.text.len() + thinking.signature.as_ref().map_or(0, |one| one.value.len())
            }
            PartKind::ToolCall(call) => call.arguments.len() + call.arguments.len() / 4,
            PartKind::ToolResult(result) => result.parts.iter().map(part).sum(),
            PartKind::Other { .. } => 0,
        }
    }
    let turns: usize = request.turns.iter().flat_map(|turn| &turn.parts).map(part).sum();
    let tools: usize = request
        .tools
        .iter()
        .map(|tool| match &tool.kind {
            ToolKind::Function { description, parameters, .. } => {
                128 + description.as_deref().map_or(0, str::len)
                    + parameters.map_or(0, |raw| raw.get().len())
            }
            ToolKind::Custom { description, grammar, .. } => {
                256 + description.as_deref().map_or(0, str::len)
                    + grammar.as_ref().map_or(0, |own| own.definition.len())
            }
            ToolKind::WebSearch { .. } => 256,
            ToolKind::Other { raw, .. } => raw.get().len(),
        })
        .sum();
    512 + turns + tools
}
