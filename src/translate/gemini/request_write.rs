//! Writes the body of `generateContent` and `streamGenerateContent`.

use super::{
    answer_form::AnswerForm,
    contents, generation_config,
    request_body::{Body, Content, Part, SystemInstruction},
    tools_write,
};
use crate::translate::{
    Platform, Target,
    answer_tool::JSON_ONLY,
    fit::list,
    form::{Media, PartKind, Refusal, Request, Source},
};

/// Writes a request for `target`. Neither safety settings nor cached contents are sent: the project's
/// own hold.
pub fn write_request(request: &Request<'_>, target: &Target<'_>) -> Result<Vec<u8>, Refusal> {
    let form = AnswerForm::of(request, target)?;
    let (mut system_instruction, contents) = contents::write(request, target)?;
    if contents.is_empty() {
        return Err(Refusal::invalid("messages", "there is no message to answer"));
    }
    begun(request, &contents, target)?;
    if matches!(form, AnswerForm::Words) {
        let none = || SystemInstruction { parts: Vec::new() };
        system_instruction.get_or_insert_with(none).parts.push(Part::text(JSON_ONLY));
    }
    let (tools, tool_config) = tools_write::write(request, form, target)?;
    let generation_config = generation_config::write(request, form, target)?;
    let service_tier = service_tier(request, target);
    let body =
        Body { system_instruction, contents, tools, tool_config, generation_config, service_tier };
    let mut out = Vec::with_capacity(size(request));
    serde_json::to_writer(&mut out, &body)
        .map_err(|_| Refusal::invalid("messages", "the request cannot be written as JSON"))?;
    Ok(out)
}

/// Refuses an answer that the client has begun, where the model goes on with none: "Requests ending with a
/// model turn are not supported", <https://github.com/LibreChat-AI/agents/pull/412>.
fn begun(
    request: &Request<'_>,
    contents: &[Content<'_>],
    target: &Target<'_>,
) -> Result<(), Refusal> {
    let ends_with_model = contents.last().is_some_and(|content| content.role == "model");
    if !ends_with_model || !target.facts.lacks_begun_answers {
        return Ok(());
    }
    let list = list(request.client);
    let message = format!(
        "this Gemini does not go on with an answer that was begun for it; end `{list}` with one of the \
         user"
    );
    Err(Refusal::unsupported(list, message))
}

/// AI Studio's tiers go by the same names (<https://ai.google.dev/api/generate-content>); Vertex has
/// them in headers.
fn service_tier(request: &Request<'_>, target: &Target<'_>) -> Option<&'static str> {
    match request.service_tier.as_deref() {
        _ if target.platform == Platform::Vertex => None,
        Some("flex") => Some("flex"),
        Some("priority") => Some("priority"),
        _ => None,
    }
}

/// About how long the body will be: everything long, with a little room for escapes and names.
fn size(request: &Request<'_>) -> usize {
    fn of(part: &PartKind<'_>) -> usize {
        match part {
            PartKind::Text(text) | PartKind::Refusal(text) => text.len() + text.len() / 16 + 32,
            PartKind::Image(media) | PartKind::Audio(media) | PartKind::Document(media) => {
                medium(media)
            }
            PartKind::ToolCall(call) => call.arguments.len() + 256,
            PartKind::ToolResult(result) => {
                result.parts.iter().map(|part| of(&part.kind)).sum::<usize>() + 256
            }
            PartKind::Thinking(_) | PartKind::Other { .. } => 256,
        }
    }
    fn medium(media: &Media<'_>) -> usize {
        let (Source::Base64(data) | Source::Text(data) | Source::Url(data) | Source::File(data)) =
            &media.source;
        data.len() + 256
    }
    let parts = request.turns.iter().flat_map(|turn| &turn.parts);
    parts.map(|part| of(&part.kind)).sum::<usize>() + request.tools.len() * 512 + 1024
}
