//! Tools, and whether they must be called.
//!
//! <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ToolConfiguration.html>

use std::collections::BTreeSet;

use serde_json::{Value, value::RawValue};

use super::{
    super::{
        Target,
        answer_tool::{is_answer, taken},
        claude::is_forced,
        form::{PartKind, Refusal, Request, Tool, ToolChoice, ToolKind},
        messages::closed,
    },
    answer_tool,
    body::{
        self, AnyObject, Choice, ClaudeChoice, Empty, InputSchema, Schema, ToolConfig, ToolSpec,
    },
    family::Family,
    limits::unsupported,
    messages_write::cache_point,
};
use crate::domain::Capability;

/// What Nova takes at the top of a schema.
const NOVAS: [&str; 3] = ["type", "properties", "required"];
/// What the rest of a schema may refer to.
const DEFINITIONS: [&str; 2] = ["$defs", "definitions"];

/// What may be called; none where nothing may be and nothing was.
pub(super) fn tool_config<'r>(
    request: &'r Request<'_>,
    target: &Target<'_>,
    family: Family,
) -> Result<Option<ToolConfig<'r>>, Refusal> {
    let history = request.has_tool_history();
    let mut tools = Vec::with_capacity(request.tools.len());
    let may_be_left_out = request.tool_choice == Some(ToolChoice::None) && !history;
    let own = request.tools.iter().enumerate().filter(|_| !may_be_left_out);
    for (index, tool) in own {
        if is_allowed(tool, request.tool_choice.as_ref(), family) {
            tools.push(spec(index, tool, target, family)?);
            // Nova has no cache points among tools.
            let mark = tool.cache.filter(|_| family.is_claude());
            tools.extend(cache_point(mark, family).map(body::Tool::CachePoint));
        }
    }
    let may_call = !tools.is_empty();
    let choice = if may_call { tool_choice(request, family)? } else { None };
    if !may_call && history {
        tools = called(request);
    }
    let choice = answer_tool::add(request, family, &mut tools, may_call).or(choice);
    Ok((!tools.is_empty()).then_some(ToolConfig { tools, tool_choice: choice }))
}

fn is_allowed(tool: &Tool<'_>, choice: Option<&ToolChoice<'_>>, family: Family) -> bool {
    match (choice, &tool.kind) {
        // Of one tool alone, "any" is that one.
        (Some(ToolChoice::Named(named)), ToolKind::Function { name, .. }) => {
            names_tools(family) || name == named
        }
        (Some(ToolChoice::Allowed { names, .. }), ToolKind::Function { name, .. }) => {
            names.contains(name)
        }
        _ => true,
    }
}

/// Whether one of several tools can be demanded: "Only supported by Anthropic Claude 3 and Amazon Nova
/// models", <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ToolChoice.html>.
const fn names_tools(family: Family) -> bool {
    family.is_claude() || family.is_nova()
}

fn tool_choice<'r>(
    request: &'r Request<'_>,
    family: Family,
) -> Result<Option<Choice<'r>>, Refusal> {
    // "This model doesn't support the toolConfig.toolChoice.any field."
    if family == Family::Llama && is_forced(request) {
        let remedy = "Llama calls a tool only where it likes to; set it to \"auto\"";
        return Err(unsupported("tool_choice", remedy));
    }
    Ok(choice_of(request, family))
}

fn choice_of<'r>(request: &'r Request<'_>, family: Family) -> Option<Choice<'r>> {
    match request.tool_choice.as_ref()? {
        // There is no word for "none": a history with calls must keep its tools.
        ToolChoice::None => None,
        ToolChoice::Auto | ToolChoice::Allowed { required: false, .. } => {
            Some(Choice::Auto(Empty {}))
        }
        ToolChoice::Required | ToolChoice::Allowed { required: true, .. } => {
            Some(Choice::Any(Empty {}))
        }
        ToolChoice::Named(name) if names_tools(family) => Some(Choice::Tool { name }),
        ToolChoice::Named(_) => Some(Choice::Any(Empty {})),
    }
}

fn spec<'r>(
    index: usize,
    tool: &'r Tool<'_>,
    target: &Target<'_>,
    family: Family,
) -> Result<body::Tool<'r>, Refusal> {
    match &tool.kind {
        ToolKind::Function { name, .. } if is_answer(name) => Err(taken(index)),
        ToolKind::Function { name, description, parameters, strict } => {
            let strict = *strict == Some(true) && holds_schemas(target, family);
            let given = schema(*parameters, family);
            Ok(body::Tool::Function(ToolSpec {
                name,
                description: description.as_deref().filter(|text| !text.trim().is_empty()),
                input_schema: InputSchema { json: if strict { strictly(given) } else { given } },
                strict: strict.then_some(true),
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
    // Nova always holds them to it.
    family.holds_schemas() && !family.is_nova() && target.facts.may(Capability::JsonSchema)
}

/// The schema as strict tools take it.
fn strictly(schema: Schema<'_>) -> Schema<'_> {
    match schema {
        Schema::Given(raw) => match closed(raw) {
            Value::Object(closed) => Schema::Made(closed),
            _ => schema,
        },
        Schema::Any(any) => Schema::Closed { any, additional: false },
        Schema::Made(_) | Schema::Closed { .. } => schema,
    }
}

/// The schema of a tool's input.
pub(super) fn schema(parameters: Option<&RawValue>, family: Family) -> Schema<'_> {
    let described = parameters.filter(|raw| {
        let mut text = raw.get().bytes().filter(|byte| !byte.is_ascii_whitespace());
        text.next() == Some(b'{') && text.next() != Some(b'}')
    });
    let any = AnyObject { kind: "object", properties: Empty {} };
    match described {
        None => Schema::Any(any),
        Some(raw) if family.is_nova() => bare(raw).map_or(Schema::Given(raw), Schema::Made),
        Some(raw) => Schema::Given(raw),
    }
}

/// The schema with what Nova takes at its top: "Only three fields are supported in the top-level Object".
/// <https://docs.aws.amazon.com/nova/latest/userguide/tool-use-definition.html> None where that is all that
/// it has, or more is needed to understand it.
fn bare(raw: &RawValue) -> Option<serde_json::Map<String, Value>> {
    let mut schema: serde_json::Map<String, Value> = serde_json::from_str(raw.get()).ok()?;
    let before = schema.len();
    schema.retain(|name, _| NOVAS.contains(&name.as_str()) || DEFINITIONS.contains(&name.as_str()));
    (schema.len() < before).then_some(schema)
}

/// Tools made from the calls in the history, which must not stand there without any.
fn called<'r>(request: &'r Request<'_>) -> Vec<body::Tool<'r>> {
    let of = |name: &'r str| {
        body::Tool::Function(ToolSpec {
            name,
            description: None,
            input_schema: InputSchema { json: schema(None, Family::Other) },
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
    let tools: Vec<_> =
        names.filter(|name| !is_answer(name) && seen.insert(*name)).map(of).collect();
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
