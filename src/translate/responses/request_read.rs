//! A client's request, read.
//! <https://platform.openai.com/docs/api-reference/responses/create>

use super::{
    super::ClientApi,
    super::form::{
        Effort, Format, JsonSchema, Part, PartKind, PartPath, Reasoning, Refusal, Request, Role,
        Sampling, Text, ToolKind, Turn, read_json,
    },
    body::{Body, FormatConfig, ReasoningConfig, TextOr},
    input_read, tools_read,
};

/// Asks for log probabilities.
const LOGPROBS: &str = "message.output_text.logprobs";

/// Reads a body.
///
/// # Errors
/// When it is not of the API, or asks for a state that only the API's own servers keep.
pub fn read_request(body: &[u8]) -> Result<Request<'_>, Refusal> {
    let body: Body<'_> = read_json(body)?;
    if let Some((name, remedy)) = body.refused {
        let message =
            format!("`{name}` is not supported: the vendor of this model keeps no state; {remedy}");
        return Err(Refusal::unsupported(name, message));
    }
    let mut turns = Vec::new();
    if let Some(text) = body.instructions.filter(|text| !text.is_empty()) {
        turns.push(said(Role::System, text, PartPath::default()));
    }
    match body.input {
        None => return Err(Refusal::invalid("input", "`input` is missing")),
        Some(TextOr::Text(text)) if text.is_empty() => return Err(no_input()),
        Some(TextOr::List(items)) if items.is_empty() => return Err(no_input()),
        Some(TextOr::Text(text)) => turns.push(said(Role::User, text, PartPath::default())),
        Some(TextOr::List(items)) => input_read::read(&items, &mut turns)?,
    }
    let (mut tools, pictures) = tools_read::tools(&body.tools.unwrap_or_default())?;
    if let Some(most) = body.max_tool_calls {
        // The bound is on the vendor's own tools; a search is the only one that others have.
        for tool in &mut tools {
            if let ToolKind::WebSearch { max_uses, .. } = &mut tool.kind {
                *max_uses = Some(most);
            }
        }
    }
    let include = body.include.unwrap_or_default();
    let top_logprobs = body.top_logprobs.filter(|count| *count > 0);
    let text = body.text.unwrap_or_default();
    Ok(Request {
        betas: Vec::new(),
        client: Some(ClientApi::Responses),
        stream: body.stream.unwrap_or(false),
        turns,
        tools,
        tool_choice: body.tool_choice.map(tools_read::choice).transpose()?.flatten(),
        parallel_tool_calls: body.parallel_tool_calls,
        max_tokens: body.max_output_tokens,
        limit_is_firm: false,
        sampling: Sampling {
            temperature: body.temperature,
            top_p: body.top_p,
            logprobs: top_logprobs.is_some() || include.iter().any(|one| *one == *LOGPROBS),
            top_logprobs,
            ..Sampling::default()
        },
        stop: Vec::new(),
        reasoning: body.reasoning.map(reasoning).transpose()?.flatten(),
        pictures,
        format: text.format.map(format).transpose()?.flatten(),
        verbosity: text.verbosity,
        user: body.user.or(body.safety_identifier),
        service_tier: body.service_tier,
        prompt_cache_key: body.prompt_cache_key,
        rest: body.rest,
    })
}

/// As `OpenAI` has it, which vendors would tell in words about messages that the client has not written.
fn no_input() -> Refusal {
    Refusal::invalid("input", "`input` is empty")
}

fn said(role: Role, text: Text<'_>, path: PartPath) -> Turn<'_> {
    Turn { role, name: None, parts: vec![Part::new(PartKind::Text(text), path)] }
}

fn reasoning(config: ReasoningConfig<'_>) -> Result<Option<Reasoning>, Refusal> {
    if let Some(mode) = config.mode.filter(|mode| *mode != "standard") {
        let message = format!("the reasoning mode `{}` cannot be asked of this model", &*mode);
        return Err(Refusal::unsupported("reasoning.mode", message));
    }
    let effort = match config.effort {
        None => None,
        Some(word) => Some(Effort::named(&word).ok_or_else(|| {
            let words = Effort::ALL.map(Effort::as_str).join("`, `");
            Refusal::invalid("reasoning.effort", format!("`reasoning.effort`: one of `{words}`"))
        })?),
    };
    let visible = config.summary.or(config.generate_summary).map(|_| true);
    let said = effort.is_some() || visible.is_some();
    Ok(said.then_some(Reasoning { effort, max_tokens: None, visible }))
}

fn format(config: FormatConfig<'_>) -> Result<Option<Format<'_>>, Refusal> {
    match config.kind.as_deref() {
        None | Some("text") => Ok(None),
        Some("json_object") => Ok(Some(Format::JsonObject)),
        Some("json_schema") => {
            let missing = || {
                let message = "`text.format.schema`: missing, needed with `json_schema`";
                Refusal::invalid("text.format.schema", message)
            };
            Ok(Some(Format::JsonSchema(JsonSchema {
                name: config.name,
                description: config.description,
                schema: config.schema.ok_or_else(missing)?,
                strict: config.strict,
            })))
        }
        Some(other) => Err(Refusal::unsupported(
            "text.format.type",
            format!(
                "`text.format` of type `{other}` cannot be translated; use `text`, `json_object` or `json_schema`"
            ),
        )),
    }
}
