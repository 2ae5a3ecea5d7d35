//! A client's messages, as turns.
//! <https://platform.openai.com/docs/api-reference/chat/create#chat-create-messages>

use std::collections::HashSet;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{
    Members, content_read,
    content_read::{CacheControl, read_content},
    reasoning,
    wire::{Call, Function, arguments, or_empty},
};
use crate::translate::form::{
    Part, PartKind, PartPath, Refusal, Role, Text, ToolCall, ToolResult, Turn,
};

#[derive(Deserialize)]
struct Message<'a> {
    #[serde(borrow)]
    role: Text<'a>,
    content: Option<&'a RawValue>,
    name: Option<Text<'a>>,
    tool_call_id: Option<Text<'a>>,
    #[serde(default, deserialize_with = "or_empty")]
    tool_calls: Vec<Call<'a>>,
    /// What `tool_calls` was before there could be several.
    function_call: Option<Function<'a>>,
    refusal: Option<Text<'a>>,
    /// Pictures that the model answered with before, as the gateway and `OpenRouter` tell them.
    #[serde(default, deserialize_with = "or_empty")]
    images: Vec<&'a RawValue>,
    /// Sound that the model answered with before: `OpenAI` has it under an id.
    audio: Option<&'a RawValue>,
    reasoning: Option<Text<'a>>,
    reasoning_content: Option<Text<'a>>,
    #[serde(default, deserialize_with = "or_empty")]
    reasoning_details: Vec<reasoning::Detail<'a>>,
    cache_control: Option<CacheControl<'a>>,
}

/// Reads `messages`.
pub(super) fn read<'a>(members: &mut Members<'a>) -> Result<Vec<Turn<'a>>, Refusal> {
    let Some(messages) = members.take::<Vec<Message<'a>>>("messages")? else {
        return Err(Refusal::invalid("messages", "`messages` is missing"));
    };
    let mut turns = Vec::with_capacity(messages.len());
    // Results of the older `function_call` name the function; this is the last call of one.
    let mut last_call: Option<String> = None;
    for (item, message) in messages.into_iter().enumerate() {
        let path = PartPath { list: "messages", item, part: None };
        if message.function_call.is_some() {
            last_call = Some(format!("call_fn_{item}"));
        }
        turns.push(read_message(message, path, last_call.as_deref())?);
    }
    mark_custom(&mut turns);
    Ok(turns)
}

/// Marks the results of custom tools, which are told apart by their calls alone.
fn mark_custom(turns: &mut [Turn<'_>]) {
    let parts = turns.iter().flat_map(|turn| &turn.parts);
    let ids: HashSet<String> = parts
        .filter_map(|part| match &part.kind {
            PartKind::ToolCall(call) if call.custom => Some((*call.id).to_owned()),
            _ => None,
        })
        .collect();
    if ids.is_empty() {
        return;
    }
    for part in turns.iter_mut().flat_map(|turn| &mut turn.parts) {
        if let PartKind::ToolResult(result) = &mut part.kind {
            result.custom = ids.contains(&*result.call_id);
        }
    }
}

fn read_message<'a>(
    mut message: Message<'a>,
    path: PartPath,
    last_call: Option<&str>,
) -> Result<Turn<'a>, Refusal> {
    let cache = message.cache_control.take().map(|mark| mark.mark());
    let name = message.name.take().filter(|name| !name.is_empty());
    let (role, name, mut parts) = match &*message.role {
        "system" => (Role::System, name, read_content(message.content, path)?),
        "developer" => (Role::Developer, name, read_content(message.content, path)?),
        "user" => (Role::User, name, read_content(message.content, path)?),
        "assistant" => (Role::Assistant, name, read_assistant(message, path, last_call)?),
        "tool" | "function" => {
            (Role::User, None, vec![read_result(message, name, path, last_call)?])
        }
        other => {
            let at = format!("{path}.role");
            let known = "developer, system, user, assistant, tool and function";
            let message = format!("`{at}`: the role `{other}` is none of {known}");
            return Err(Refusal::invalid(at, message));
        }
    };
    if let (Some(cache), Some(last)) = (cache, parts.last_mut()) {
        last.cache = last.cache.or(Some(cache));
    }
    Ok(Turn { role, name, parts })
}

/// Thinking first: vendors that check it want it there.
fn read_assistant<'a>(
    message: Message<'a>,
    path: PartPath,
    last_call: Option<&str>,
) -> Result<Vec<Part<'a>>, Refusal> {
    if message.audio.is_some() {
        let message =
            "earlier answers are text here; this model does not have the sound of that id";
        return Err(Refusal::unsupported(format!("{path}.audio"), message));
    }
    let plain = message.reasoning.or(message.reasoning_content);
    let thinking = reasoning::read(message.reasoning_details, plain);
    let mut parts: Vec<_> =
        thinking.into_iter().map(|one| Part::new(PartKind::Thinking(one), path)).collect();
    parts.extend(read_content(message.content, path)?);
    for picture in message.images {
        parts.push(content_read::read_part(picture, path)?);
    }
    if let Some(refusal) = message.refusal.filter(|text| !text.is_empty()) {
        parts.push(Part::new(PartKind::Refusal(refusal), path));
    }
    for (index, call) in message.tool_calls.into_iter().enumerate() {
        parts.push(Part::new(PartKind::ToolCall(read_call(call, path, index)?), path));
    }
    if let Some(function) = message.function_call {
        let id = last_call.unwrap_or_default().to_owned().into();
        let at = format!("{path}.function_call");
        parts.push(Part::new(PartKind::ToolCall(of_function(function, id, &at)?), path));
    }
    Ok(parts)
}

fn read_call(call: Call<'_>, path: PartPath, index: usize) -> Result<ToolCall<'_>, Refusal> {
    let at = format!("{path}.tool_calls[{index}]");
    let Some(id) = call.id.filter(|id| !id.is_empty()) else {
        return Err(missing(&format!("{at}.id")));
    };
    let signature = call.extra_content.and_then(super::wire::ExtraContent::signature);
    if let Some(custom) = call.custom {
        let name = custom.name.ok_or_else(|| missing(&format!("{at}.custom.name")))?;
        let arguments = custom.input.unwrap_or_default();
        return Ok(ToolCall { id, name, arguments, signature, custom: true });
    }
    let Some(function) = call.function else { return Err(missing(&format!("{at}.function"))) };
    Ok(ToolCall { signature, ..of_function(function, id, &format!("{at}.function"))? })
}

fn of_function<'a>(
    function: Function<'a>,
    id: Text<'a>,
    at: &str,
) -> Result<ToolCall<'a>, Refusal> {
    let name = function.name.ok_or_else(|| missing(&format!("{at}.name")))?;
    let arguments = arguments(function.arguments);
    Ok(ToolCall { id, name, arguments, signature: None, custom: false })
}

fn read_result<'a>(
    message: Message<'a>,
    name: Option<Text<'a>>,
    path: PartPath,
    last_call: Option<&str>,
) -> Result<Part<'a>, Refusal> {
    let call_id = if message.role == "function" {
        last_call.map(|id| Text::from(id.to_owned()))
    } else {
        message.tool_call_id
    };
    let Some(call_id) = call_id.filter(|id| !id.is_empty()) else {
        return Err(missing(&format!("{path}.tool_call_id")));
    };
    let parts = content_read::read_content(message.content, path)?;
    let result = ToolResult { call_id, name, parts, error: false, custom: false };
    Ok(Part::new(PartKind::ToolResult(result), path))
}

fn missing(at: &str) -> Refusal {
    Refusal::invalid(at, format!("`{at}` is missing"))
}
