//! Tools, and whether they must be called.
//!
//! <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ToolConfiguration.html>

use std::collections::BTreeSet;

use serde_json::value::RawValue;

use super::{
    super::{
        Target,
        form::{PartKind, Refusal, Request, Tool, ToolChoice, ToolKind},
    },
    body::{
        self, AnyObject, Choice, ClaudeChoice, Empty, InputSchema, Schema, ToolConfig, ToolSpec,
    },
    family::Family,
    limits::unsupported,
    messages_write::cache_point,
};
use crate::domain::Capability;

/// What may be called; none where nothing may be and nothing was.
pub(super) fn tool_config<'r>(
    request: &'r Request<'_>,
    target: &Target<'_>,
    family: Family,
) -> Result<Option<ToolConfig<'r>>, Refusal> {
    let history = request.has_tool_history();
    if request.tool_choice == Some(ToolChoice::None) && !history {
        return Ok(None);
    }
    let mut tools = Vec::with_capacity(request.tools.len());
    for (index, tool) in request.tools.iter().enumerate() {
        if is_allowed(tool, request.tool_choice.as_ref()) {
            tools.push(spec(index, tool, target, family)?);
            // Nova has no cache points among tools.
            let mark = tool.cache.filter(|_| family.is_claude());
            tools.extend(cache_point(mark, family).map(body::Tool::CachePoint));
        }
    }
    let choice = if tools.is_empty() { None } else { tool_choice(request) };
    if tools.is_empty() && history {
        tools = called(request);
    }
    Ok((!tools.is_empty()).then_some(ToolConfig { tools, tool_choice: choice }))
}

fn is_allowed(tool: &Tool<'_>, choice: Option<&ToolChoice<'_>>) -> bool {
    match (choice, &tool.kind) {
        (Some(ToolChoice::Allowed { names, .. }), ToolKind::Function { name, .. }) => {
            names.contains(name)
        }
        _ => true,
    }
}

fn tool_choice<'r>(request: &'r Request<'_>) -> Option<Choice<'r>> {
    match request.tool_choice.as_ref()? {
        // There is no word for "none": a history with calls must keep its tools.
        ToolChoice::None => None,
        ToolChoice::Auto | ToolChoice::Allowed { required: false, .. } => {
            Some(Choice::Auto(Empty {}))
        }
        ToolChoice::Required | ToolChoice::Allowed { required: true, .. } => {
            Some(Choice::Any(Empty {}))
        }
        ToolChoice::Named(name) => Some(Choice::Tool { name }),
    }
}

fn spec<'r>(
    index: usize,
    tool: &'r Tool<'_>,
    target: &Target<'_>,
    family: Family,
) -> Result<body::Tool<'r>, Refusal> {
    match &tool.kind {
        ToolKind::Function { name, description, parameters, strict } => {
            Ok(body::Tool::Function(ToolSpec {
                name,
                description: description.as_deref().filter(|text| !text.trim().is_empty()),
                input_schema: InputSchema { json: schema(*parameters) },
                strict: (*strict == Some(true) && holds_schemas(target, family)).then_some(true),
            }))
        }
        // <https://docs.aws.amazon.com/nova/latest/nova2-userguide/web-grounding.html>
        ToolKind::WebSearch { allowed_domains, blocked_domains, .. }
            if family == Family::Nova2
                && allowed_domains.is_empty()
                && blocked_domains.is_empty() =>
        {
            Ok(body::Tool::System { name: "nova_grounding" })
        }
        ToolKind::WebSearch { .. } => Err(unsupported(
            "web_search",
            "leave the tool out or choose a model that searches by itself",
        )),
        // Those that take free text were made functions before.
        ToolKind::Other { name, .. } | ToolKind::Custom { name, .. } => Err(Refusal::unsupported(
            format!("tools[{index}]"),
            format!(
                "a tool of type `{}` is not supported by Amazon Bedrock's Converse API",
                &**name
            ),
        )),
    }
}

/// Whether arguments can be held to their schema; a wish for it is no reason to refuse where they cannot.
/// <https://docs.aws.amazon.com/bedrock/latest/userguide/structured-output.html>
fn holds_schemas(target: &Target<'_>, family: Family) -> bool {
    let old = family.is_claude() && !family.is_claude_since((4, 5));
    !old && target.facts.may(Capability::JsonSchema)
}

fn schema(parameters: Option<&RawValue>) -> Schema<'_> {
    let described = parameters.filter(|raw| {
        let mut text = raw.get().bytes().filter(|byte| !byte.is_ascii_whitespace());
        text.next() == Some(b'{') && text.next() != Some(b'}')
    });
    let any = AnyObject { kind: "object", properties: Empty {} };
    described.map_or(Schema::Any(any), Schema::Given)
}

/// Tools made from the calls in the history, which must not stand there without any.
fn called<'r>(request: &'r Request<'_>) -> Vec<body::Tool<'r>> {
    let of = |name: &'r str| {
        body::Tool::Function(ToolSpec {
            name,
            description: None,
            input_schema: InputSchema { json: schema(None) },
            strict: None,
        })
    };
    let names = request.turns.iter().flat_map(|turn| &turn.parts).filter_map(|part| {
        Some(&**match &part.kind {
            PartKind::ToolCall(call) => &call.name,
            PartKind::ToolResult(result) => result.name.as_ref()?,
            _ => return None,
        })
    });
    let mut seen = BTreeSet::new();
    let tools: Vec<_> = names.filter(|name| seen.insert(*name)).map(of).collect();
    // A result whose call is not there, in a dialect that does not name it.
    if tools.is_empty() { vec![of("tool")] } else { tools }
}

/// "Not several calls at once", which Converse has no member for but Claude has since 4.5.
/// <https://platform.claude.com/docs/en/agents-and-tools/tool-use/parallel-tool-use>
pub(super) fn one_call<'r>(
    config: Option<&ToolConfig<'r>>,
    request: &Request<'_>,
    family: Family,
) -> Option<ClaudeChoice<'r>> {
    let config = config.filter(|_| request.parallel_tool_calls == Some(false))?;
    let (kind, name) = match config.tool_choice {
        None | Some(Choice::Auto(_)) => ("auto", None),
        Some(Choice::Any(_)) => ("any", None),
        Some(Choice::Tool { name }) => ("tool", Some(name)),
    };
    if family.is_claude_since((4, 5)) {
        return Some(ClaudeChoice { kind, name, disable_parallel_tool_use: true });
    }
    // Of what others call, the first is passed on.
    None
}
