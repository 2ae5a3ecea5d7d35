//! Tools, and whether they must be called
//! (<https://ai.google.dev/gemini-api/docs/function-calling>).

use super::{
    answer_form::AnswerForm,
    generation::Generation,
    request_body::{FunctionCallingConfig, FunctionDeclaration, GoogleSearch, Tool, ToolConfig},
    schema,
};
use crate::translate::{
    Platform, Target,
    answer_tool::{DESCRIPTION, NAME, is_answer, taken},
    form::{JsonSchema, Refusal, Request, Text, ToolChoice, ToolKind},
};

/// Writes `tools` and `toolConfig`.
pub(super) fn write<'a>(
    request: &'a Request<'_>,
    form: AnswerForm<'a>,
    target: &Target<'_>,
) -> Result<(Vec<Tool<'a>>, Option<ToolConfig<'a>>), Refusal> {
    let mut functions = Vec::with_capacity(request.tools.len() + 1);
    let mut search = None;
    for (index, tool) in request.tools.iter().enumerate() {
        match &tool.kind {
            ToolKind::Function { name, .. } if is_answer(name) => return Err(taken(index)),
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
    let is_before_3 = Generation::is_before_3(target);
    if request.tool_choice == Some(ToolChoice::None) {
        // Search has no mode of its own.
        search = None;
        if is_before_3 && form.is_mode() {
            functions.clear();
        }
    }
    let both = !functions.is_empty() && search.is_some();
    if both && is_before_3 {
        return Err(searching_and_calling());
    }
    let mut function_calling_config = mode(request.tool_choice.as_ref(), !functions.is_empty())?;
    if let AnswerForm::Tool(format) = form {
        functions.push(answer(format));
        function_calling_config = Some(called_or_answered(function_calling_config));
    }
    // <https://ai.google.dev/gemini-api/docs/tool-combination>; Vertex has no such member.
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

/// "Tool use with function calling is unsupported": Gemini combines them since 3, on both platforms.
/// <https://github.com/langchain-ai/langchain-google/issues/1116>,
/// <https://github.com/BerriAI/litellm/issues/38648>
fn searching_and_calling() -> Refusal {
    let message = "Gemini before 3 calls no functions where it searches the web; leave out either the \
                   functions of `tools` or the web search";
    Refusal::unsupported("tools", message)
}

/// The tool whose input is the answer.
fn answer<'a>(format: &'a JsonSchema<'a>) -> FunctionDeclaration<'a> {
    FunctionDeclaration {
        name: NAME,
        description: Some(format.description.as_deref().unwrap_or(DESCRIPTION)),
        parameters_json_schema: Some(schema::json_schema(format.schema)),
    }
}

/// One of the client's tools is called, or the one that is the answer.
fn called_or_answered(config: Option<FunctionCallingConfig<'_>>) -> FunctionCallingConfig<'_> {
    let mut names = config.map(|config| config.allowed_function_names).unwrap_or_default();
    if !names.is_empty() {
        names.push(NAME);
    }
    FunctionCallingConfig { mode: "ANY", allowed_function_names: names }
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
