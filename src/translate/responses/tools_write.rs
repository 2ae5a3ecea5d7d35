//! Tools, and whether they must be called, as a vendor gets them.
//! <https://github.com/openai/openai-python/blob/main/src/openai/types/responses/tool_param.py>

use serde::Serialize;
use serde_json::value::RawValue;

use super::super::{
    ClientApi,
    form::{Refusal, Request, Text, Tool, ToolChoice, ToolKind},
    messages::strict_if_closed,
};

/// One tool.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ToolOut<'r> {
    /// The client's function.
    Function {
        /// Its name.
        name: &'r str,
        /// What it does.
        #[serde(skip_serializing_if = "Option::is_none")]
        description: Option<&'r str>,
        /// Null where it takes no arguments.
        parameters: Option<&'r RawValue>,
        /// Always told: left out it is `true` here and `false` in every other API.
        /// <https://platform.openai.com/docs/guides/migrate-to-responses>
        strict: bool,
    },
    /// The client's tool that takes free text.
    Custom {
        /// Its name.
        name: &'r str,
        /// What it does.
        #[serde(skip_serializing_if = "Option::is_none")]
        description: Option<&'r str>,
        /// What the text must be.
        #[serde(skip_serializing_if = "Option::is_none")]
        format: Option<CustomFormat<'r>>,
    },
    /// Search of the web.
    WebSearch {
        /// `low`, `medium`, `high`.
        #[serde(skip_serializing_if = "Option::is_none")]
        search_context_size: Option<&'r str>,
        /// Where the user is.
        #[serde(skip_serializing_if = "Option::is_none")]
        user_location: Option<&'r RawValue>,
        /// Which hosts.
        #[serde(skip_serializing_if = "Option::is_none")]
        filters: Option<FiltersOut<'r>>,
    },
}

/// `filters` of a search.
#[derive(Serialize)]
pub struct FiltersOut<'r> {
    allowed_domains: &'r [Text<'r>],
}

/// `format` of a custom tool: flat here, nested in chat completions.
#[derive(Serialize)]
pub struct CustomFormat<'r> {
    #[serde(rename = "type")]
    kind: &'static str,
    syntax: &'r str,
    definition: &'r str,
}

/// `tool_choice`.
#[derive(Serialize)]
#[serde(untagged)]
pub enum ChoiceOut<'r> {
    /// `auto`, `none`, `required`.
    Word(&'static str),
    /// One tool.
    Named(ToolName<'r>),
    /// One of some.
    Allowed {
        /// `allowed_tools`.
        #[serde(rename = "type")]
        kind: &'static str,
        /// `auto` or `required`.
        mode: &'static str,
        /// These.
        tools: Vec<ToolName<'r>>,
    },
}

/// A tool by its type and, unless it is the vendor's, its name.
#[derive(Serialize)]
pub struct ToolName<'r> {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'r str>,
}

/// Writes the list.
///
/// # Errors
/// When a tool is of a kind that the API does not have.
pub fn tools<'r>(request: &'r Request<'_>) -> Result<Vec<ToolOut<'r>>, Refusal> {
    let tools = request.tools.iter().enumerate();
    tools.map(|(index, tool)| one(index, tool, request.client)).collect()
}

fn one<'r>(
    index: usize,
    tool: &'r Tool<'_>,
    client: Option<ClientApi>,
) -> Result<ToolOut<'r>, Refusal> {
    match &tool.kind {
        ToolKind::Function { name, description, parameters, strict } => Ok(ToolOut::Function {
            name,
            description: description.as_deref(),
            parameters: *parameters,
            strict: strict_if_closed(*strict, *parameters, client).unwrap_or(false),
        }),
        ToolKind::WebSearch {
            context_size,
            user_location,
            allowed_domains,
            blocked_domains,
            ..
        } => {
            if !blocked_domains.is_empty() {
                let message = "`blocked_domains` of web search is not supported by this model's vendor; use `allowed_domains`";
                return Err(Refusal::unsupported(
                    format!("tools[{index}].blocked_domains"),
                    message,
                ));
            }
            let filters = (!allowed_domains.is_empty()).then_some(FiltersOut { allowed_domains });
            Ok(ToolOut::WebSearch {
                search_context_size: context_size.as_deref(),
                user_location: *user_location,
                filters,
            })
        }
        ToolKind::Custom { name, description, grammar } => Ok(ToolOut::Custom {
            name,
            description: description.as_deref(),
            format: grammar.as_ref().map(|own| CustomFormat {
                kind: "grammar",
                syntax: &own.syntax,
                definition: &own.definition,
            }),
        }),
        ToolKind::Other { name, .. } => {
            let message = format!(
                "`tools[{index}]`: a tool of type `{}` is not supported by this model's vendor; leave it out",
                &**name
            );
            Err(Refusal::unsupported(format!("tools[{index}]"), message))
        }
    }
}

/// Writes `tool_choice`.
pub fn choice<'r>(request: &'r Request<'_>) -> Option<ChoiceOut<'r>> {
    let named = |name: &'r Text<'_>| named(&request.tools, name);
    Some(match request.tool_choice.as_ref()? {
        ToolChoice::Auto => ChoiceOut::Word("auto"),
        ToolChoice::None => ChoiceOut::Word("none"),
        ToolChoice::Required => ChoiceOut::Word("required"),
        ToolChoice::Named(name) => ChoiceOut::Named(named(name)),
        ToolChoice::Allowed { names, required } => ChoiceOut::Allowed {
            kind: "allowed_tools",
            mode: if *required { "required" } else { "auto" },
            tools: names.iter().map(named).collect(),
        },
    })
}

/// The choice says of what type the tool is.
fn named<'r>(tools: &[Tool<'_>], wanted: &'r Text<'_>) -> ToolName<'r> {
    for tool in tools {
        match &tool.kind {
            ToolKind::Function { name, .. } if name == wanted => break,
            ToolKind::WebSearch { .. } if wanted.starts_with("web_search") => {
                return ToolName { kind: "web_search", name: None };
            }
            ToolKind::Custom { name, .. } if name == wanted => {
                return ToolName { kind: "custom", name: Some(wanted) };
            }
            _ => {}
        }
    }
    ToolName { kind: "function", name: Some(wanted) }
}
