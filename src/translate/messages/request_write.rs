//! A request for Claude, at Anthropic, on Amazon Bedrock (`InvokeModel`) or on Vertex AI (`rawPredict`).
//!
//! <https://platform.claude.com/docs/en/api/messages>,
//! <https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-anthropic-claude-messages-request-response.html>,
//! <https://platform.claude.com/docs/en/build-with-claude/claude-on-vertex-ai>

use serde::Serialize;

use super::{
    blocks_write::{Block, TextBlock, turn_blocks},
    cache::{self, limit_marks},
    sampling_write::{SamplingOut, refuse_sampling, sampling, stop_sequences},
    schema::closed,
    thinking_write::{Plan, ThinkingOut, plan},
    tools_write::{Choice, ToolOut, choice, tools},
    words::{BEDROCK_VERSION, VERTEX_VERSION},
};
use crate::translate::{
    Platform, Target, betas,
    claude::Claude,
    form::{
        Format, Media, Part, PartKind, Refusal, Request, Role, Source, alternating, split_system,
    },
};

/// Room for what is not a part, bytes.
const ENVELOPE: usize = 4096;
/// `json_object` has no mode of its own here: contract 4.7.
const JSON_INSTRUCTION: &str = "Answer with one JSON object and nothing else: no words around it, \
                                no code fence.";

/// Writes a body.
///
/// # Errors
/// When Claude, or the platform it runs on, cannot do what the request asks.
pub(in crate::translate) fn write_request(
    request: &Request<'_>,
    target: &Target<'_>,
) -> Result<Vec<u8>, Refusal> {
    refuse_sampling(request)?;
    let (system, turns) = split_system(request);
    let turns = alternating(&turns);
    let model = Claude::of(target.model);
    model.check(request, turns.last().map(|(role, _)| *role))?;
    let plan = plan(request, target, &turns);
    let mut system = system_blocks(&system, request)?;
    let mut messages = messages(&turns, &plan, target.platform)?;
    if messages.is_empty() {
        // Instructions alone are what other APIs take for a question; this one wants a message.
        let content = std::mem::take(&mut system).into_iter().map(Block::Text).collect();
        messages.push(Message { role: "user", content });
    }
    let mut tools = tools(request, target)?;
    let blocks = messages.iter_mut().flat_map(|message| &mut message.content);
    let marks = tools.iter_mut().map(ToolOut::mark);
    let marks = marks.chain(system.iter_mut().map(|block| &mut block.cache_control));
    limit_marks(marks.chain(blocks.filter_map(Block::mark)).collect());
    let own = target.platform == Platform::Own;
    let body = Body {
        anthropic_version: match target.platform {
            Platform::Own => None,
            Platform::Bedrock => Some(BEDROCK_VERSION),
            Platform::Vertex => Some(VERTEX_VERSION),
        },
        anthropic_beta: match target.platform {
            Platform::Bedrock => betas::of_invoke(target.model, request.betas.iter().copied()),
            Platform::Own | Platform::Vertex => Vec::new(),
        },
        model: own.then_some(target.model),
        max_tokens: plan.max_tokens,
        system,
        messages,
        tool_choice: choice(request, &tools),
        tools,
        thinking: plan.thinking,
        output_config: output_config(request, &plan),
        sampling: sampling(request, model, &plan),
        stop_sequences: stop_sequences(request)?,
        metadata: request.user.as_deref().map(|user_id| Metadata { user_id }),
        service_tier: request.service_tier.as_deref().and_then(tier).filter(|_| own),
        // On Bedrock the path says it.
        stream: request.stream && target.platform != Platform::Bedrock,
    };
    let parts = request.turns.iter().flat_map(|turn| &turn.parts);
    let mut out = Vec::with_capacity(parts.map(size).sum::<usize>() + ENVELOPE);
    serde_json::to_writer(&mut out, &body)
        .map_err(|_| Refusal::invalid("messages", "the request cannot be written as JSON"))?;
    Ok(out)
}

#[derive(Serialize)]
struct Body<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    anthropic_version: Option<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    anthropic_beta: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<&'a str>,
    max_tokens: u64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tools: Vec<ToolOut<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_choice: Option<Choice<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    system: Vec<TextBlock<'a>>,
    messages: Vec<Message<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    thinking: Option<ThinkingOut>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output_config: Option<OutputConfig>,
    #[serde(flatten)]
    sampling: SamplingOut,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    stop_sequences: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<Metadata<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    service_tier: Option<&'static str>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    stream: bool,
}

#[derive(Serialize)]
struct Message<'a> {
    role: &'static str,
    content: Vec<Block<'a>>,
}

#[derive(Serialize)]
struct Metadata<'a> {
    user_id: &'a str,
}

#[derive(Serialize)]
struct OutputConfig {
    #[serde(skip_serializing_if = "Option::is_none")]
    effort: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    format: Option<FormatOut>,
}

#[derive(Serialize)]
struct FormatOut {
    #[serde(rename = "type")]
    kind: &'static str,
    schema: serde_json::Value,
}

fn system_blocks<'a>(
    parts: &[&'a Part<'_>],
    request: &Request<'_>,
) -> Result<Vec<TextBlock<'a>>, Refusal> {
    let mut blocks = Vec::with_capacity(parts.len() + 1);
    for part in parts {
        match &part.kind {
            PartKind::Text(text) | PartKind::Refusal(text) => {
                if !text.trim().is_empty() {
                    blocks.push(TextBlock { text, cache_control: cache::control(part.cache) });
                }
            }
            _ => {
                let path = part.path.to_string();
                let message = format!("`{path}`: Claude takes only text as instructions");
                return Err(Refusal::unsupported(path, message));
            }
        }
    }
    if matches!(request.format, Some(Format::JsonObject)) {
        blocks.push(TextBlock { text: JSON_INSTRUCTION, cache_control: None });
    }
    Ok(blocks)
}

fn messages<'a>(
    turns: &[(Role, Vec<&'a Part<'_>>)],
    plan: &Plan,
    platform: Platform,
) -> Result<Vec<Message<'a>>, Refusal> {
    let mut messages: Vec<Message<'a>> = Vec::with_capacity(turns.len());
    for (role, parts) in turns {
        let content = turn_blocks(parts, plan.keeps_thinking, platform)?;
        let role = if *role == Role::Assistant { "assistant" } else { "user" };
        match messages.last_mut() {
            _ if content.is_empty() => {}
            // What stood between them was left out.
            Some(last) if last.role == role => last.content.extend(content),
            _ => messages.push(Message { role, content }),
        }
    }
    // An answer that is begun may not end in white space.
    if let Some(Message { role: "assistant", content }) = messages.last_mut()
        && let Some(Block::Text(block)) = content.last_mut()
    {
        block.text = block.text.trim_end();
    }
    Ok(messages)
}

fn output_config(request: &Request<'_>, plan: &Plan) -> Option<OutputConfig> {
    let format = match &request.format {
        Some(Format::JsonSchema(format)) => {
            Some(FormatOut { kind: "json_schema", schema: closed(format.schema) })
        }
        Some(Format::JsonObject) | None => None,
    };
    (plan.effort.is_some() || format.is_some())
        .then_some(OutputConfig { effort: plan.effort, format })
}

/// `OpenAI`'s words and ours. Other tiers are its own, and hints.
/// <https://platform.claude.com/docs/en/api/service-tiers>
fn tier(word: &str) -> Option<&'static str> {
    match word {
        "auto" => Some("auto"),
        "default" | "standard_only" => Some("standard_only"),
        _ => None,
    }
}

/// About how much a part takes.
fn size(part: &Part<'_>) -> usize {
    let media = |media: &Media<'_>| match &media.source {
        Source::Base64(data) | Source::Text(data) => data.len(),
        Source::Url(url) | Source::File(url) => url.len(),
    };
    128 + match &part.kind {
        PartKind::Text(text) | PartKind::Refusal(text) => text.len() + text.len() / 16,
        PartKind::Image(picture) | PartKind::Document(picture) => media(picture),
        PartKind::Thinking(thinking) => {
            let signature = thinking.signature.as_ref();
            thinking.text.len() + signature.map_or(0, |signature| signature.value.len())
        }
        PartKind::ToolCall(call) => call.arguments.len(),
        PartKind::ToolResult(result) => result.parts.iter().map(size).sum(),
        PartKind::Audio(_) | PartKind::Other { .. } => 0,
    }
}
