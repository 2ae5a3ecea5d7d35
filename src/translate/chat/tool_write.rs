//! Tools and whether they must be called, for a vendor.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::content_write::CacheOut;
use crate::{
    domain::Quirks,
    translate::{
        ClientApi,
        form::{Refusal, Request, Text, Tool, ToolChoice, ToolKind},
        messages::strict_if_closed,
    },
};

/// A tool.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum ToolOut<'r> {
    Function {
        #[serde(rename = "type")]
        kind: &'static str,
        function: FunctionOut<'r>,
        #[serde(skip_serializing_if = "Option::is_none")]
        cache_control: Option<CacheOut>,
    },
    Custom {
        #[serde(rename = "type")]
        kind: &'static str,
        custom: CustomOut<'r>,
    },
}

#[derive(Serialize)]
pub(super) struct FunctionOut<'r> {
    name: &'r str,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'r str>,
    parameters: Parameters<'r>,
    #[serde(skip_serializing_if = "Option::is_none")]
    strict: Option<bool>,
}

/// Not every vendor takes a function without any.
#[derive(Serialize)]
#[serde(untagged)]
enum Parameters<'r> {
    Schema(&'r RawValue),
    None {
        #[serde(rename = "type")]
        kind: &'static str,
        properties: Empty,
    },
}

#[derive(Serialize)]
struct Empty {}

/// <https://platform.openai.com/docs/guides/function-calling#custom-tools>
#[derive(Serialize)]
pub(super) struct CustomOut<'r> {
    name: &'r str,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    format: Option<FormatOut<'r>>,
}

#[derive(Serialize)]
struct FormatOut<'r> {
    #[serde(rename = "type")]
    kind: &'static str,
    grammar: GrammarOut<'r>,
}

#[derive(Serialize)]
struct GrammarOut<'r> {
    syntax: &'r str,
    definition: &'r str,
}

/// `tool_choice`.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum ChoiceOut<'r> {
    Word(&'static str),
    Named(NamedTool<'r>),
    Allowed {
        #[serde(rename = "type")]
        kind: &'static str,
        allowed_tools: AllowedOut<'r>,
    },
}

#[derive(Serialize)]
pub(super) struct AllowedOut<'r> {
    mode: &'static str,
    tools: Vec<NamedTool<'r>>,
}

#[derive(Serialize)]
pub(super) struct NamedTool<'r> {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    function: Option<NameOut<'r>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    custom: Option<NameOut<'r>>,
}

#[derive(Serialize)]
struct NameOut<'r> {
    name: &'r str,
}

/// `web_search_options`.
/// <https://platform.openai.com/docs/guides/tools-web-search?api-mode=chat>
#[derive(Serialize)]
pub(super) struct SearchOut<'r> {
    #[serde(skip_serializing_if = "Option::is_none")]
    search_context_size: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_location: Option<LocationOut<'r>>,
}

#[derive(Serialize)]
struct LocationOut<'r> {
    #[serde(rename = "type")]
    kind: &'static str,
    approximate: Place<'r>,
}

#[derive(Deserialize, Serialize)]
struct Place<'r> {
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    city: Option<Text<'r>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    country: Option<Text<'r>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<Text<'r>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    timezone: Option<Text<'r>>,
}

/// What a request says of tools.
#[derive(Default)]
pub(super) struct Tools<'r> {
    pub tools: Vec<ToolOut<'r>>,
    pub choice: Option<ChoiceOut<'r>>,
    pub search: Option<SearchOut<'r>>,
}

/// Writes the tools of a request.
pub(super) fn tools<'r>(request: &'r Request<'_>, quirks: &Quirks) -> Result<Tools<'r>, Refusal> {
    let mut all = Tools::default();
    let only = match &request.tool_choice {
        Some(ToolChoice::Allowed { names, .. }) if !quirks.allowed_tools => Some(names),
        _ => None,
    };
    for (index, tool) in request.tools.iter().enumerate() {
        if let ToolKind::WebSearch { .. } = tool.kind {
            all.search = Some(search(&tool.kind, quirks, index)?);
        } else if only.is_none_or(|names| names.iter().any(|name| Some(&**name) == named(tool))) {
            all.tools.push(one(tool, request.client, quirks, index)?);
        }
    }
    if quirks.lacks("tools") && !all.tools.is_empty() {
        return Err(Refusal::unsupported("tools", "this vendor's models call no tools"));
    }
    // Vendors refuse a choice where there is nothing to choose from.
    if all.tools.is_empty() {
        return Ok(all);
    }
    if quirks.lacks("tool_choice") {
        return without_choice(all, request.tool_choice.as_ref());
    }
    all.choice = request.tool_choice.as_ref().map(|wanted| choice(wanted, request, quirks));
    Ok(all)
}

/// For a vendor whose models always choose: that none is called is told by sending none.
fn without_choice<'r>(
    mut all: Tools<'r>,
    wanted: Option<&ToolChoice<'_>>,
) -> Result<Tools<'r>, Refusal> {
    match wanted {
        None | Some(ToolChoice::Auto | ToolChoice::Allowed { required: false, .. }) => {}
        Some(ToolChoice::None) => all.tools.clear(),
        Some(ToolChoice::Required | ToolChoice::Named(_) | ToolChoice::Allowed { .. }) => {
            let message = "this vendor's models choose by themselves: `auto` and `none` can be had";
            return Err(Refusal::unsupported("tool_choice", message));
        }
    }
    Ok(all)
}

fn named<'r>(tool: &'r Tool<'_>) -> Option<&'r str> {
    match &tool.kind {
        ToolKind::Function { name, .. } | ToolKind::Custom { name, .. } => Some(name),
        ToolKind::WebSearch { .. } | ToolKind::Other { .. } => None,
    }
}

fn one<'r>(
    tool: &'r Tool<'_>,
    client: Option<ClientApi>,
    quirks: &Quirks,
    index: usize,
) -> Result<ToolOut<'r>, Refusal> {
    match &tool.kind {
        ToolKind::Function { name, description, parameters, strict } => Ok(ToolOut::Function {
            kind: "function",
            function: FunctionOut {
                name,
                description: description.as_deref(),
                parameters: parameters.map_or(
                    Parameters::None { kind: "object", properties: Empty {} },
                    Parameters::Schema,
                ),
                strict: strict_if_closed(*strict, *parameters, client),
            },
            cache_control: CacheOut::of(tool.cache, quirks),
        }),
        ToolKind::Custom { name, description, grammar } => {
            let format = grammar.as_ref().map(|own| FormatOut {
                kind: "grammar",
                grammar: GrammarOut { syntax: &own.syntax, definition: &own.definition },
            });
            let custom = CustomOut { name, description: description.as_deref(), format };
            Ok(ToolOut::Custom { kind: "custom", custom })
        }
        ToolKind::Other { name, .. } => {
            let message = format!("this vendor has no tools of the type `{}`", &**name);
            Err(Refusal::unsupported(format!("tools[{index}]"), message))
        }
        ToolKind::WebSearch { .. } => {
            let message = "this vendor does not search the web by itself";
            Err(Refusal::unsupported(format!("tools[{index}]"), message))
        }
    }
}

fn search<'r>(
    tool: &'r ToolKind<'_>,
    quirks: &Quirks,
    index: usize,
) -> Result<SearchOut<'r>, Refusal> {
    let refuse = |message: &str| Err(Refusal::unsupported(format!("tools[{index}]"), message));
    let ToolKind::WebSearch {
        context_size, user_location, allowed_domains, blocked_domains, ..
    } = tool
    else {
        return refuse("this vendor has no such tool");
    };
    if !quirks.web_search_options {
        return refuse("this vendor does not search the web by itself; leave `web_search` out");
    }
    if !allowed_domains.is_empty() || !blocked_domains.is_empty() {
        return refuse("this vendor's web search cannot be held to certain domains");
    }
    let place = user_location.and_then(|raw| serde_json::from_str::<Place<'r>>(raw.get()).ok());
    let user_location = place.map(|approximate| LocationOut { kind: "approximate", approximate });
    Ok(SearchOut { search_context_size: context_size.as_deref(), user_location })
}

fn choice<'r>(
    wanted: &'r ToolChoice<'_>,
    request: &'r Request<'_>,
    quirks: &Quirks,
) -> ChoiceOut<'r> {
    match wanted {
        ToolChoice::Auto => ChoiceOut::Word("auto"),
        ToolChoice::None => ChoiceOut::Word("none"),
        ToolChoice::Required => ChoiceOut::Word("required"),
        ToolChoice::Named(name) => ChoiceOut::Named(by_name(name, request)),
        ToolChoice::Allowed { names, required } => {
            let mode = if *required { "required" } else { "auto" };
            if !quirks.allowed_tools {
                return ChoiceOut::Word(mode);
            }
            let tools = names.iter().map(|name| by_name(name, request)).collect();
            ChoiceOut::Allowed { kind: "allowed_tools", allowed_tools: AllowedOut { mode, tools } }
        }
    }
}

/// The choice says of what type the tool is.
fn by_name<'r>(name: &'r str, request: &Request<'_>) -> NamedTool<'r> {
    let is_custom =
        |tool: &Tool<'_>| matches!(&tool.kind, ToolKind::Custom { name: own, .. } if *own == *name);
    let own = NameOut { name };
    if request.tools.iter().any(is_custom) {
        NamedTool { kind: "custom", function: None, custom: Some(own) }
    } else {
        NamedTool { kind: "function", function: Some(own), custom: None }
    }
}
