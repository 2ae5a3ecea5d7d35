//! A request as a vendor of this API gets it.
//! <https://platform.openai.com/docs/api-reference/responses/create>

use std::borrow::Cow;

use serde::{Serialize, Serializer, ser::SerializeMap};
use serde_json::value::RawValue;

use super::{
    super::{
        Target,
        effort::{self, Told},
        form::{
            Effort, Format, Origin, PartKind, Reasoning, Refusal, Request, Role, Text, ToolKind,
            Turn,
        },
        user::openai_user,
    },
    input_write,
    items_out::ItemOut,
    size_hint::size_hint,
    tools_write::{self, ChoiceOut, ToolOut},
};
use crate::domain::ReasoningMode;

/// The API takes no lower limit.
const LEAST_TOKENS: u64 = 16;
/// Tiers that the API knows.
const TIERS: [&str; 7] = ["auto", "default", "flex", "scale", "priority", "fast", "ultrafast"];
/// Members that are written above, or that only Anthropic's API has: this one refuses what it does not
/// know.
const NOT_PASSED: [&str; 21] = [
    "include",
    "input",
    "instructions",
    "max_output_tokens",
    "max_tool_calls",
    "reasoning",
    "safety_identifier",
    "store",
    "stream_options",
    "text",
    "thinking",
    "tool_choice",
    "anthropic_beta",
    "anthropic_version",
    "betas",
    "cache_control",
    "container",
    "context_management",
    "inference_geo",
    "mcp_servers",
    "speed",
];

#[derive(Serialize)]
struct Body<'r> {
    model: &'r str,
    #[serde(skip_serializing_if = "Option::is_none")]
    instructions: Option<Cow<'r, str>>,
    input: Vec<ItemOut<'r>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tools: Vec<ToolOut<'r>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_choice: Option<ChoiceOut<'r>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parallel_tool_calls: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_tool_calls: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_output_tokens: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_p: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning: Option<ReasoningOut>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<TextOut<'r>>,
    /// Nothing is to be kept: the conversation is the client's.
    store: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    include: Option<[&'static str; 1]>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    stream: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    service_tier: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    prompt_cache_key: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<Cow<'r, str>>,
    #[serde(flatten)]
    rest: Rest<'r>,
}

#[derive(Serialize)]
struct ReasoningOut {
    #[serde(skip_serializing_if = "Option::is_none")]
    effort: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    summary: Option<&'static str>,
}

#[derive(Serialize)]
struct TextOut<'r> {
    #[serde(skip_serializing_if = "Option::is_none")]
    format: Option<FormatOut<'r>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    verbosity: Option<&'r str>,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum FormatOut<'r> {
    JsonObject,
    JsonSchema {
        name: &'r str,
        #[serde(skip_serializing_if = "Option::is_none")]
        description: Option<&'r str>,
        schema: &'r RawValue,
        #[serde(skip_serializing_if = "Option::is_none")]
        strict: Option<bool>,
    },
}

/// What nobody here knows and the vendor may.
struct Rest<'r>(&'r [(Text<'r>, &'r RawValue)]);

impl Serialize for Rest<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (name, value) in self.0 {
            if !NOT_PASSED.contains(&&**name) {
                map.serialize_entry(&**name, value)?;
            }
        }
        map.end()
    }
}

/// Writes the body.
///
/// # Errors
/// When the API lacks what the request asks for.
pub fn write_request(request: &Request<'_>, target: &Target<'_>) -> Result<Vec<u8>, Refusal> {
    refuse(request)?;
    let (instructions, turns) = instructions(&request.turns);
    let told = request.reasoning.and_then(|asked| effort::told(asked, target));
    let thinks = thinks(request, told, target);
    let sampling = &request.sampling;
    // A model that thinks takes no sampling.
    let temperature = sampling.temperature.filter(|_| !thinks).map(|value| value.clamp(0.0, 2.0));
    let top_p = sampling.top_p.filter(|_| !thinks).map(|value| value.clamp(0.0, 1.0));
    // Without tools the API refuses to hear about their choice.
    let has_tools = !request.tools.is_empty();
    let include = (thinks || has_own_thinking(request)).then_some(["reasoning.encrypted_content"]);
    let body = Body {
        model: target.model,
        instructions,
        input: input_write::write(turns)?,
        tools: tools_write::tools(request)?,
        tool_choice: if has_tools { tools_write::choice(request) } else { None },
        parallel_tool_calls: request.parallel_tool_calls.filter(|_| has_tools),
        max_tool_calls: request.tools.iter().find_map(|tool| match tool.kind {
            ToolKind::WebSearch { max_uses, .. } => max_uses,
            _ => None,
        }),
        max_output_tokens: limit(request)?,
        temperature,
        top_p,
        reasoning: request.reasoning.zip(told).and_then(|(asked, told)| reasoning_out(asked, told)),
        text: text(request),
        store: false,
        include,
        stream: request.stream,
        service_tier: request.service_tier.as_deref().filter(|tier| TIERS.contains(tier)),
        prompt_cache_key: request.prompt_cache_key.as_deref(),
        user: request.user.as_deref().map(openai_user),
        rest: Rest(&request.rest),
    };
    let mut out = Vec::with_capacity(size_hint(request));
    // Strings, numbers and JSON that was read always serialize.
    serde_json::to_writer(&mut out, &body).map_err(|fault| {
        Refusal::invalid("input", format!("the request cannot be written: {fault}"))
    })?;
    Ok(out)
}

/// The limit of output, no lower than the API takes.
fn limit(request: &Request<'_>) -> Result<Option<u64>, Refusal> {
    let limit = request.max_tokens;
    if request.limit_is_firm && limit.is_some_and(|tokens| tokens < LEAST_TOKENS) {
        return Err(Refusal::unsupported(
            "max_tokens",
            format!(
                "this model's vendor takes no limit below {LEAST_TOKENS}, and a strict budget allows no more"
            ),
        ));
    }
    Ok(limit.map(|tokens| tokens.max(LEAST_TOKENS)))
}

/// What the API has no place for.
fn refuse(request: &Request<'_>) -> Result<(), Refusal> {
    let sampling = &request.sampling;
    let nonzero = |value: Option<f64>| value.is_some_and(|value| value != 0.0);
    let asked = [
        ("stop", request.stop.iter().any(|text| !text.is_empty())),
        ("frequency_penalty", nonzero(sampling.frequency_penalty)),
        ("presence_penalty", nonzero(sampling.presence_penalty)),
        ("n", sampling.n.is_some_and(|n| n > 1)),
        ("logprobs", sampling.logprobs),
        ("top_logprobs", sampling.top_logprobs.is_some_and(|count| count > 0)),
        ("logit_bias", sampling.logit_bias.is_some()),
        ("top_k", sampling.top_k.is_some()),
    ];
    match asked.into_iter().find(|(_, asked)| *asked) {
        None => Ok(()),
        Some((name, _)) => {
            let message = format!("`{name}` is not supported by this model's vendor; leave it out");
            Err(Refusal::unsupported(name, message))
        }
    }
}

/// The operator's words that lead the conversation, and what follows. Later ones stay where they are.
fn instructions<'r, 'a>(turns: &'r [Turn<'a>]) -> (Option<Cow<'r, str>>, &'r [Turn<'a>]) {
    let leads = |turn: &Turn<'_>| {
        turn.role == Role::System
            && turn.parts.iter().all(|part| matches!(part.kind, PartKind::Text(_)))
    };
    let count = turns.iter().take_while(|turn| leads(turn)).count();
    let (first, rest) = turns.split_at_checked(count).unwrap_or((&[], turns));
    let texts: Vec<&str> = first
        .iter()
        .flat_map(|turn| &turn.parts)
        .filter_map(|part| match &part.kind {
            PartKind::Text(text) if !text.is_empty() => Some(&**text),
            _ => None,
        })
        .collect();
    let words = match texts.as_slice() {
        [] => None,
        [one] => Some(Cow::Borrowed(*one)),
        several => Some(Cow::Owned(several.join("\n\n"))),
    };
    (words, rest)
}

/// Whether the model will think: told to, or known to do so by itself.
fn thinks(request: &Request<'_>, told: Option<Told>, target: &Target<'_>) -> bool {
    match told {
        Some(Told::On(_)) => true,
        Some(Told::Off { .. }) => false,
        None => {
            request.reasoning.is_none()
                && target.facts.reasoning_mode == Some(ReasoningMode::Effort)
        }
    }
}

fn has_own_thinking(request: &Request<'_>) -> bool {
    request.turns.iter().flat_map(|turn| &turn.parts).any(|part| match &part.kind {
        PartKind::Thinking(thinking) => {
            thinking.signature.as_ref().is_some_and(|signature| signature.origin == Origin::OpenAi)
        }
        _ => false,
    })
}

fn reasoning_out(asked: Reasoning, told: Told) -> Option<ReasoningOut> {
    match told {
        // A model that does not know the word refuses the request: it thinks as it likes.
        Told::Off { known } => {
            known.then_some(ReasoningOut { effort: Some(Effort::None.as_str()), summary: None })
        }
        Told::On(effort) => {
            let shown = !asked.is_off() && asked.visible != Some(false);
            Some(ReasoningOut {
                effort: effort.map(Effort::as_str),
                summary: shown.then_some("auto"),
            })
        }
    }
}

fn text<'r>(request: &'r Request<'_>) -> Option<TextOut<'r>> {
    let format = request.format.as_ref().map(|format| match format {
        Format::JsonObject => FormatOut::JsonObject,
        Format::JsonSchema(schema) => FormatOut::JsonSchema {
            // Needed here, and unknown to other dialects.
            name: schema.name.as_deref().unwrap_or("answer"),
            description: schema.description.as_deref(),
            schema: schema.schema,
            strict: schema.strict,
        },
    });
    let verbosity = request.verbosity.as_deref();
    (format.is_some() || verbosity.is_some()).then_some(TextOut { format, verbosity })
}
