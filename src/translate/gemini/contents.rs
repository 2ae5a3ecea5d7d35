//! The conversation: `systemInstruction` and `contents`.

use super::{
    generation::Generation,
    media,
    request_body::{Content, FunctionCall, Json, Part, SystemInstruction},
    results::{self, Calls, Style},
    signatures,
};
use crate::translate::{
    Target,
    form::{self, PartKind, Refusal, Request, Role, ToolCall, alternating, split_system},
};

/// Writes the conversation.
pub(super) fn write<'a>(
    request: &'a Request<'_>,
    target: &Target<'_>,
) -> Result<(Option<SystemInstruction<'a>>, Vec<Content<'a>>), Refusal> {
    let (system, turns) = split_system(request);
    let system = instructions(&system)?;
    let style = Style {
        platform: target.platform,
        is_3: Generation::is_3(target),
        results_last: target.facts.lacks_begun_answers,
    };
    let mut calls = Calls::default();
    let mut contents = Vec::with_capacity(turns.len());
    for (role, parts) in alternating(&turns) {
        let (role, parts) = match role {
            Role::Assistant => ("model", model(&parts, &mut calls, style)?),
            _ => ("user", user(parts, &calls, style)?),
        };
        if !parts.is_empty() {
            contents.push(Content { role, parts });
        }
    }
    // Instructions alone are no conversation for Google; elsewhere they are.
    if contents.is_empty() && !system.is_empty() {
        return Ok((None, vec![Content { role: "user", parts: system }]));
    }
    let system = (!system.is_empty()).then_some(SystemInstruction { parts: system });
    Ok((system, contents))
}

fn instructions<'a>(parts: &[&'a form::Part<'_>]) -> Result<Vec<Part<'a>>, Refusal> {
    let mut texts = Vec::with_capacity(parts.len());
    for part in parts {
        match &part.kind {
            PartKind::Text(text) if text.trim().is_empty() => {}
            PartKind::Text(text) => texts.push(Part::text(&**text)),
            _ => {
                let path = part.path;
                let message = format!("`{path}`: Gemini takes only text as instructions");
                return Err(Refusal::unsupported(path.to_string(), message));
            }
        }
    }
    Ok(texts)
}

/// What the user said, results in the order of their calls: before everything else, or behind it.
fn user<'a>(
    mut parts: Vec<&'a form::Part<'_>>,
    calls: &Calls<'a>,
    style: Style,
) -> Result<Vec<Part<'a>>, Refusal> {
    // Stable: all else keeps its order.
    parts.sort_by_key(|part| match &part.kind {
        PartKind::ToolResult(result) => (false, calls.number(&result.call_id)),
        _ => (true, 0),
    });
    let mut results = Vec::new();
    let mut said = Vec::with_capacity(parts.len());
    for part in parts {
        match &part.kind {
            PartKind::ToolResult(result) => {
                let (response, media) = results::write(result, part.path, calls, style)?;
                results.push(response);
                said.extend(media);
            }
            PartKind::Text(text) | PartKind::Refusal(text) => said.push(Part::text(&**text)),
            PartKind::Image(one) | PartKind::Audio(one) | PartKind::Document(one) => {
                media::write(one, style.platform, part.path, &mut said)?;
            }
            other => return Err(misplaced(other, part)),
        }
    }
    let (mut first, mut then) = if style.results_last { (said, results) } else { (results, said) };
    first.append(&mut then);
    Ok(first)
}

/// What the model said. Its thinking is not sent back, but for what proves it.
fn model<'a>(
    parts: &[&'a form::Part<'_>],
    calls: &mut Calls<'a>,
    style: Style,
) -> Result<Vec<Part<'a>>, Refusal> {
    let mut turn = signatures::Turn::new(style);
    for part in parts {
        match &part.kind {
            PartKind::Text(text) | PartKind::Refusal(text) => turn.push(Part::text(&**text)),
            PartKind::Thinking(thinking) => turn.thinking(thinking),
            PartKind::ToolCall(call) => {
                calls.add(&call.id, &call.name);
                turn.push(function_call(call, style));
            }
            PartKind::Image(one) | PartKind::Audio(one) | PartKind::Document(one) => {
                turn.push(media::bytes(one, style.platform, part.path)?);
            }
            other => return Err(misplaced(other, part)),
        }
    }
    Ok(turn.finish())
}

fn function_call<'a>(call: &'a ToolCall<'_>, style: Style) -> Part<'a> {
    let args = match results::structure(&call.arguments) {
        Some(object) if object.get().starts_with('{') => Json::Raw(object),
        // The model's own slip, which it sees again without.
        _ => Json::Empty {},
    };
    let id = style.has_ids().then_some(&*call.id);
    Part {
        function_call: Some(FunctionCall { id, name: &call.name, args }),
        thought_signature: call.signature.as_ref().and_then(signatures::of_google),
        ..Part::default()
    }
}

fn misplaced(kind: &PartKind<'_>, part: &form::Part<'_>) -> Refusal {
    let path = part.path;
    let message = match kind {
        PartKind::Other { name, .. } => format!("`{path}`: Gemini has no `{}`", &**name),
        _ => format!("`{path}` cannot stand in a turn of this role"),
    };
    Refusal::unsupported(path.to_string(), message)
}
