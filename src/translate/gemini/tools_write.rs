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
            // Those that take free text were made functions before.
            ToolKind::Other { name, .. } | ToolKind::Custom { name, .. } => {
                let message = format!("Gemini has no tool of the type `{}`", &**name);
                return Err(Refusal::unsupported(format!("tools[{index}]"), message));
            }
        }
    }
    if request.tool_choice == Some(ToolChoice::None) {
        // Search has no mode of its own.
        search = None;
    }
    let function_calling_config = mode(request.tool_choice.as_ref(), !functions.is_empty())?;
    // <https://ai.google.dev/gemini-api/docs/tool-combination>; Vertex has no such member.
    let both = !functions.is_empty() && search.is_some();
    let include_server_side_tool_invocations = both && target.platform != Platform::Vertex;
    let config = (function_calling_config.is_some() || include_server_side_tool_invocations)
        .then_some(ToolConfig { function_calling_config, include_server_side_tool_invocations });
    let mut tools = Vec::new();
    if !functions.is_empty() {
        tools.push(Tool { function_declarations: functions, google_search: None });
    }
    if search.is_some() {
        tools.push(Tool { google_search: search, ..Tool::default() });
    }
    Ok((tools, config))
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

/// Whether functions must be called; none where the model decides.
fn mode<'a>(
    choice: Option<&'a ToolChoice<'_>>,
    functions: bool,
) -> Result<Option<FunctionCallingConfig<'a>>, Refusal> {
    let config = |mode, names: &'a [Text<'_>]| FunctionCallingConfig {
        mode,
        allowed_function_names: names.iter().map(|name| &**name).collect(),
    };
    let must = match choice {
        None | Some(ToolChoice::Auto) => return Ok(None),
        Some(ToolChoice::None) => return Ok(functions.then(|| config("NONE", &[]))),
        Some(ToolChoice::Required) => config("ANY", &[]),
        Some(ToolChoice::Named(name)) => config("ANY", std::slice::from_ref(name)),
        Some(ToolChoice::Allowed { names, required: true }) => config("ANY", names),
        // `AUTO` takes no names; this one may also answer in words.
        Some(ToolChoice::Allowed { names, required: false }) => config("VALIDATED", names),
    };
    if functions {
        return Ok(Some(must));
    }
    Err(Refusal::unsupported(
        "tool_choice",
        "Gemini can be made to call functions only, and `tools` has none",
    ))
}
