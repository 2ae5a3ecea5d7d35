//! A client's tools and whether they must be called.
//! <https://platform.openai.com/docs/api-reference/chat/create#chat-create-tools>

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Members, content_read::CacheControl, members::read_at};
use crate::translate::{
    custom_tool,
    form::{Refusal, Request, Text, Tool, ToolChoice, ToolKind},
};

#[derive(Deserialize)]
struct RawTool<'a> {
    #[serde(rename = "type", borrow)]
    kind: Option<Text<'a>>,
    function: Option<RawFunction<'a>>,
    cache_control: Option<CacheControl<'a>>,
    max_uses: Option<u64>,
    search_context_size: Option<Text<'a>>,
    user_location: Option<&'a RawValue>,
    allowed_domains: Option<Vec<Text<'a>>>,
    blocked_domains: Option<Vec<Text<'a>>>,
}

#[derive(Deserialize)]
struct RawFunction<'a> {
    #[serde(borrow)]
    name: Text<'a>,
    description: Option<Text<'a>>,
    parameters: Option<&'a RawValue>,
    strict: Option<bool>,
}

/// Reads `tools`, `tool_choice` and what they were called before.
pub(super) fn read<'a>(
    members: &mut Members<'a>,
    request: &mut Request<'a>,
) -> Result<(), Refusal> {
    let tools: Vec<&'a RawValue> = members.take("tools")?.unwrap_or_default();
    for (index, raw) in tools.into_iter().enumerate() {
        request.tools.push(read_tool(raw, index)?);
    }
    let functions: Vec<RawFunction<'a>> = members.take("functions")?.unwrap_or_default();
    request
        .tools
        .extend(functions.into_iter().map(|own| Tool { kind: function(own), cache: None }));
    request.tools.extend(read_search(members)?);
    let choice = members.take_raw("tool_choice");
    let old = members.take_raw("function_call");
    request.tool_choice = match (choice, old) {
        (Some(raw), _) => Some(read_choice(raw)?),
        (None, Some(raw)) => Some(read_function_call(raw)?),
        (None, None) => None,
    };
    Ok(())
}

fn function(own: RawFunction<'_>) -> ToolKind<'_> {
    let RawFunction { name, description, parameters, strict } = own;
    ToolKind::Function { name, description, parameters, strict }
}

fn read_tool(raw: &RawValue, index: usize) -> Result<Tool<'_>, Refusal> {
    let at = format!("tools[{index}]");
    let tool: RawTool<'_> = read_at(&at, raw)?;
    let cache = tool.cache_control.as_ref().map(CacheControl::mark);
    let kind = match tool.kind.as_deref().unwrap_or("function") {
        "function" => {
            let own = tool.function.ok_or_else(|| {
                let at = format!("{at}.function");
                let message = format!("`{at}` is missing");
                Refusal::invalid(at, message)
            })?;
            function(own)
        }
        "web_search" | "web_search_preview" => ToolKind::WebSearch {
            max_uses: tool.max_uses,
            context_size: tool.search_context_size,
            user_location: tool.user_location,
            allowed_domains: tool.allowed_domains.unwrap_or_default(),
            blocked_domains: tool.blocked_domains.unwrap_or_default(),
        },
        "custom" => custom_tool::read(raw, index)?,
        other => ToolKind::Other { name: Text::from(other.to_owned()), raw },
    };
    Ok(Tool { kind, cache })
}

#[derive(Deserialize)]
struct SearchOptions<'a> {
    #[serde(borrow)]
    search_context_size: Option<Text<'a>>,
    user_location: Option<UserLocation<'a>>,
}

/// Everybody else has these members without the object around them.
#[derive(Deserialize)]
struct UserLocation<'a> {
    #[serde(borrow)]
    approximate: Option<&'a RawValue>,
}

/// `web_search_options`, or `web_search: true` of the unified API.
fn read_search<'a>(members: &mut Members<'a>) -> Result<Option<Tool<'a>>, Refusal> {
    let options = members.take::<SearchOptions<'a>>("web_search_options")?;
    let wanted = members.take::<bool>("web_search")?.unwrap_or(false);
    if options.is_none() && !wanted {
        return Ok(None);
    }
    let (context_size, location) = match options {
        Some(options) => (options.search_context_size, options.user_location),
        None => (None, None),
    };
    let kind = ToolKind::WebSearch {
        max_uses: None,
        context_size,
        user_location: location.and_then(|location| location.approximate),
        allowed_domains: Vec::new(),
        blocked_domains: Vec::new(),
    };
    Ok(Some(Tool { kind, cache: None }))
}

#[derive(Deserialize)]
struct Named<'a> {
    #[serde(borrow)]
    name: Text<'a>,
}

#[derive(Deserialize)]
struct RawChoice<'a> {
    #[serde(rename = "type", borrow)]
    kind: Option<Text<'a>>,
    function: Option<Named<'a>>,
    custom: Option<Named<'a>>,
    allowed_tools: Option<Allowed<'a>>,
}

#[derive(Deserialize)]
struct Allowed<'a> {
    #[serde(borrow)]
    mode: Option<Text<'a>>,
    tools: Vec<AllowedTool<'a>>,
}

#[derive(Deserialize)]
struct AllowedTool<'a> {
    #[serde(borrow)]
    function: Option<Named<'a>>,
    custom: Option<Named<'a>>,
}

fn read_choice(raw: &RawValue) -> Result<ToolChoice<'_>, Refusal> {
    if raw.get().starts_with('"') {
        let word: Text<'_> = read_at("tool_choice", raw)?;
        return by_word(&word).ok_or_else(unknown_choice);
    }
    let choice: RawChoice<'_> = read_at("tool_choice", raw)?;
    if let Some(Named { name }) = choice.function.or(choice.custom) {
        return Ok(ToolChoice::Named(name));
    }
    if let Some(allowed) = choice.allowed_tools {
        let names = allowed.tools.into_iter().filter_map(|tool| tool.function.or(tool.custom));
        return Ok(ToolChoice::Allowed {
            names: names.map(|named| named.name).collect(),
            required: allowed.mode.as_deref() == Some("required"),
        });
    }
    choice.kind.as_deref().and_then(by_word).ok_or_else(unknown_choice)
}

fn unknown_choice() -> Refusal {
    let message =
        "`tool_choice` is auto, none, required, a function, a custom tool or allowed_tools";
    Refusal::invalid("tool_choice", message)
}

fn by_word<'a>(word: &str) -> Option<ToolChoice<'a>> {
    Some(match word {
        "auto" => ToolChoice::Auto,
        "none" => ToolChoice::None,
        "required" | "any" => ToolChoice::Required,
        _ => return None,
    })
}

/// What `tool_choice` was before there were tools of other kinds.
fn read_function_call(raw: &RawValue) -> Result<ToolChoice<'_>, Refusal> {
    if raw.get().starts_with('"') {
        let word: Text<'_> = read_at("function_call", raw)?;
        return by_word(&word).ok_or_else(unknown_choice);
    }
    let Named { name } = read_at("function_call", raw)?;
    Ok(ToolChoice::Named(name))
}
