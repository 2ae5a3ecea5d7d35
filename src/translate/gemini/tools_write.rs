//! Tools, and whether they must be called
//! (<https://ai.google.dev/gemini-api/docs/function-calling>).

use super::{
    request_body::{FunctionCallingConfig, FunctionDeclaration, GoogleSearch, Tool, ToolConfig},
    schema,
};
use crate::translate::{
    Platform, Target,
    form::{Refusal, Request, Text, ToolChoice, ToolKind},
};

/// Writes `tools` and `toolConfig`.
pub(super) fn write<'a>(
    request: &'a Request<'_>,
    target: &Target<'_>,
) -> Result<(Vec<Tool<'a>>, Option<ToolConfig<'a>>), Refusal> {
    let mut functions = Vec::with_capacity(request.tools.len());
    let mut search = None;
    for (index, tool) in request.tools.iter().enumerate() {
        match &tool.kind {
            ToolKind::Function { name, description, parameters, .. } => {
                functions.push(FunctionDeclaration {
                    name,
                    description: description.as_deref().filter(|text| !text.is_empty()),
                    parameters_json_schema: parameters
                        .filter(|schema| !is_empty(schema.get()))
                        .map(schema::json_schema),
                });
            }
            // Numbers, sizes and places are hints: Google decides on its searches itself.
            ToolKind::WebSearch { allowed_domains, blocked_domains, .. } => {
                search = Some(google_search(index, allowed_domains, blocked_domains, target)?);
            }
            ToolKind::Other { name, .. } => {
                let message = format!("Gemini has no tool of the type `{}`", &**name);
                return Err(Refusal::unsupported(format!("tools[{index}]"), message));
            }
        }
    }
    if request.parallel_tool_calls == Some(false) && !functions.is_empty() {
        return Err(Refusal::unsupported(
            "parallel_tool_calls",
            "Gemini cannot be kept from calling several tools at once; leave `parallel_tool_calls` out",
        ));
    }
    let config = config(request.tool_choice.as_ref(), !functions.is_empty(), search.is_some());
    let config = config.map(|mut config| {
        // <https://ai.google.dev/gemini-api/docs/tool-combination>; Vertex has no such member.
        config.include_server_side_tool_invocations &= target.platform != Platform::Vertex;
        config
    });
    let mut tools = Vec::new();
    if !functions.is_empty() {
        tools.push(Tool { function_declarations: functions, google_search: None });
    }
    if search.is_some() {
        tools.push(Tool { google_search: search, ..Tool::default() });
    }
    Ok((tools, config.filter(|config| !config.is_empty())))
}

/// `{}`, which describes no object.
fn is_empty(schema: &str) -> bool {
    let inner = schema.trim().strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
    schema == "null" || inner.is_some_and(|inner| inner.trim().is_empty())
}

fn google_search<'a>(
    index: usize,
    allowed: &'a [Text<'_>],
    blocked: &'a [Text<'_>],
    target: &Target<'_>,
) -> Result<GoogleSearch<'a>, Refusal> {
    let refused = |member: &str| {
        let message = format!("Google's search cannot be held to `{member}`; leave it out");
        Err(Refusal::unsupported(format!("tools[{index}].{member}"), message))
    };
    if !allowed.is_empty() {
        return refused("allowed_domains");
    }
    if !blocked.is_empty() && target.platform != Platform::Vertex {
        return refused("blocked_domains");
    }
    Ok(GoogleSearch { exclude_domains: blocked.iter().map(|host| &**host).collect() })
}

fn config<'a>(
    choice: Option<&'a ToolChoice<'_>>,
    functions: bool,
    search: bool,
) -> Option<ToolConfig<'a>> {
    let mode = |mode, names: &'a [Text<'_>]| FunctionCallingConfig {
        mode,
        allowed_function_names: names.iter().map(|name| &**name).collect(),
    };
    let function_calling_config = match choice {
        _ if !functions => None,
        None | Some(ToolChoice::Auto) => None,
        Some(ToolChoice::None) => Some(mode("NONE", &[])),
        Some(ToolChoice::Required) => Some(mode("ANY", &[])),
        Some(ToolChoice::Named(name)) => Some(mode("ANY", std::slice::from_ref(name))),
        Some(ToolChoice::Allowed { names, required: true }) => Some(mode("ANY", names)),
        // `AUTO` takes no names; this one may also answer in words.
        Some(ToolChoice::Allowed { names, required: false }) => Some(mode("VALIDATED", names)),
    };
    let include_server_side_tool_invocations = functions && search;
    Some(ToolConfig { function_calling_config, include_server_side_tool_invocations })
}

impl ToolConfig<'_> {
    fn is_empty(&self) -> bool {
        self.function_calling_config.is_none() && !self.include_server_side_tool_invocations
    }
}
