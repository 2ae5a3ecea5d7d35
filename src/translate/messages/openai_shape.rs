//! Bodies that belong to another API, told so in words that help.

use serde_json::value::RawValue;

use crate::translate::form::{Refusal, Text};

const HINT: &str = "send bodies of OpenAI's shape to /v1/chat/completions or /v1/responses";

/// Refuses members that only `OpenAI`'s bodies have and whose loss would be noticed.
pub(super) fn check_members(rest: &[(Text<'_>, &RawValue)]) -> Result<(), Refusal> {
    let foreign = [
        ("max_completion_tokens", "max_tokens"),
        ("response_format", "output_config.format"),
        ("reasoning_effort", "output_config.effort"),
        ("stop", "stop_sequences"),
        ("functions", "tools"),
        ("input", "messages"),
    ];
    for (name, ours) in foreign {
        let given = rest.iter().any(|(member, raw)| *member == name && raw.get() != "null");
        if given {
            let message =
                format!("`{name}` is no member of the Messages API: use `{ours}`; {HINT}");
            return Err(Refusal::invalid(name, message));
        }
    }
    Ok(())
}

/// A role that messages do not have.
pub(super) fn role(role: &str, item: usize) -> Refusal {
    let path = format!("messages[{item}].role");
    let remedy = match role {
        "system" | "developer" => "instructions go into the top-level `system`",
        "tool" | "function" => "a tool's result is a `tool_result` block of a user message",
        _ => "it must be user or assistant",
    };
    Refusal::invalid(&*path, format!("`{path}` is not of the Messages API: {remedy}; {HINT}"))
}

/// A content block of `OpenAI`'s; none where it is not known as one.
pub(super) fn block(kind: &str, path: &str) -> Option<Refusal> {
    let ours = match kind {
        "image_url" | "input_image" => "image",
        "input_text" | "output_text" | "refusal" => "text",
        "file" | "input_file" => "document",
        "input_audio" => {
            let message = format!("`{path}`: the Messages API has no sound; {HINT}");
            return Some(Refusal::invalid(path, message));
        }
        _ => return None,
    };
    let message =
        format!("`{path}`: `{kind}` is not of the Messages API: use a `{ours}` block; {HINT}");
    Some(Refusal::invalid(path, message))
}

/// A tool or a choice of tools in `OpenAI`'s form.
pub(super) fn tool(path: &str, ours: &str) -> Refusal {
    Refusal::invalid(path, format!("`{path}` is not of the Messages API: use {ours}; {HINT}"))
}
