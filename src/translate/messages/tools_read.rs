//! Tools and the choice of them in a client's request.
//!
//! <https://platform.claude.com/docs/en/agents-and-tools/tool-use/define-tools>,
//! <https://platform.claude.com/docs/en/agents-and-tools/tool-use/web-search-tool>

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{openai_shape, raw::read_at, request_read::CacheControl, words::cache_mark};
use crate::translate::form::{Refusal, Text, Tool, ToolChoice, ToolKind};

/// A tool of the client's, or search. `defer_loading`, `eager_input_streaming`, `input_examples` and
/// `allowed_callers` say when and by whom Claude loads and streams it; without them it is loaded
/// always, which is what every vendor can do.
#[derive(Default, Deserialize)]
#[serde(default)]
struct ToolIn<'a> {
    #[serde(rename = "type", borrow)]
    kind: Option<Text<'a>>,
    name: Option<Text<'a>>,
    description: Option<Text<'a>>,
    input_schema: Option<&'a RawValue>,
    strict: Option<bool>,
    cache_control: Option<CacheControl<'a>>,
    function: Option<&'a RawValue>,
    max_uses: Option<u64>,
    user_location: Option<&'a RawValue>,
    allowed_domains: Option<Vec<Text<'a>>>,
    blocked_domains: Option<Vec<Text<'a>>>,
}

#[derive(Deserialize)]
struct ChoiceIn<'a> {
    #[serde(rename = "type", borrow)]
    kind: Text<'a>,
    name: Option<Text<'a>>,
    disable_parallel_tool_use: Option<bool>,
}

/// Reads `tools[index]`.
pub(super) fn read_tool(raw: &RawValue, index: usize) -> Result<Tool<'_>, Refusal> {
    let path = format!("tools[{index}]");
    let tool: ToolIn<'_> = read_at(raw, &path)?;
    if tool.function.is_some() || tool.kind.as_deref() == Some("function") {
        return Err(openai_shape::tool(&path, "`name`, `description` and `input_schema`"));
    }
    let cache = tool.cache_control.as_ref().map(|cache| cache_mark(cache.ttl.as_deref()));
    let kind = match tool.kind {
        None => function(tool, &path)?,
        Some(kind) if kind == "custom" => function(ToolIn { kind: None, ..tool }, &path)?,
        Some(kind) if kind.starts_with("web_search_") => ToolKind::WebSearch {
            max_uses: tool.max_uses,
            context_size: None,
            user_location: tool.user_location,
            allowed_domains: tool.allowed_domains.unwrap_or_default(),
            blocked_domains: tool.blocked_domains.unwrap_or_default(),
        },
        Some(name) => ToolKind::Other { name, raw },
    };
    Ok(Tool { kind, cache })
}

fn function<'a>(tool: ToolIn<'a>, path: &str) -> Result<ToolKind<'a>, Refusal> {
    let missing = |member: &str| {
        let path = format!("{path}.{member}");
        Refusal::invalid(&*path, format!("`{path}` is missing"))
    };
    Ok(ToolKind::Function {
        name: tool.name.ok_or_else(|| missing("name"))?,
        description: tool.description,
        parameters: Some(tool.input_schema.ok_or_else(|| missing("input_schema"))?),
        strict: tool.strict,
    })
}

/// Reads `tool_choice`, and whether several calls may come at once.
pub(super) fn read_choice(raw: &RawValue) -> Result<(ToolChoice<'_>, Option<bool>), Refusal> {
    let path = "tool_choice";
    if raw.get().starts_with('"') {
        return Err(openai_shape::tool(path, "an object such as {\"type\":\"auto\"}"));
    }
    let choice: ChoiceIn<'_> = read_at(raw, &path)?;
    let read = match (&*choice.kind, choice.name) {
        ("auto", _) => ToolChoice::Auto,
        ("any", _) => ToolChoice::Required,
        ("none", _) => ToolChoice::None,
        ("tool", Some(name)) => ToolChoice::Named(name),
        ("tool", None) => {
            return Err(Refusal::invalid("tool_choice.name", "`tool_choice.name` is missing"));
        }
        ("function", _) => {
            return Err(openai_shape::tool(path, "{\"type\":\"tool\",\"name\":…}"));
        }
        _ => {
            let message = "`tool_choice.type` must be auto, any, tool or none";
            return Err(Refusal::invalid("tool_choice.type", message));
        }
    };
    Ok((read, choice.disable_parallel_tool_use.map(|disable| !disable)))
}
