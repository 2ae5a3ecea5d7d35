//! A request for Converse.

use serde::Serialize;

use super::{
    super::{
        Target, betas,
        form::{PartKind, Refusal, Request, Source, split_system},
    },
    body::{Additional, Body, Inference, NovaInference, Prompt},
    family::Family,
    limits::{check, unsupported},
    messages_write::messages,
    output_write::{output_config, service_tier},
    reasoning_write::{MIN_BUDGET, think},
    system_write::system,
    tools_write::{one_call, tool_config},
};

/// Writes a body. The model and whether to stream stand in the path.
///
/// # Errors
/// When Converse, or the model behind it, cannot do what is asked.
pub fn write_request(request: &Request<'_>, target: &Target<'_>) -> Result<Vec<u8>, Refusal> {
    Ok(json(&body(request, target)?, request))
}

/// Writes a body of `CountTokens`, which takes only what the model reads.
/// <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_CountTokens.html>
///
/// # Errors
/// As [`write_request`].
pub fn write_count(request: &Request<'_>, target: &Target<'_>) -> Result<Vec<u8>, Refusal> {
    #[derive(Serialize)]
    struct Count<'r> {
        input: Input<'r>,
    }
    #[derive(Serialize)]
    struct Input<'r> {
        converse: Prompt<'r>,
    }
    let mut converse = body(request, target)?.prompt;
    if let Some(thinking) = &mut converse.additional_model_request_fields.thinking {
        // There is no limit of output here that a budget could be within; how long the model may think
        // changes no count.
        thinking.budget_tokens = thinking.budget_tokens.and(Some(MIN_BUDGET));
    }
    Ok(json(&Count { input: Input { converse } }, request))
}

fn body<'r>(request: &'r Request<'_>, target: &Target<'_>) -> Result<Body<'r>, Refusal> {
    check(request)?;
    let family = Family::of(target.model);
    let (instructions, turns) = split_system(request);
    let tool_config = tool_config(request, target, family)?;
    let mut inference = inference(request, target, family)?;
    let mut additional = Additional {
        tool_choice: one_call(tool_config.as_ref(), request, family),
        ..Additional::default()
    };
    if family.is_claude() {
        additional.anthropic_beta = betas::of_converse(target.model, request.betas.iter().copied());
    }
    top_k(request, family, &mut additional)?;
    think(request, target, family, &mut inference, &mut additional)?;
    // Claude tells which of several texts it stopped at, if asked.
    let which_stop = family.is_claude() && !inference.stop_sequences.is_empty();
    Ok(Body {
        prompt: Prompt {
            system: system(&instructions, request.format.as_ref(), family)?,
            tool_config,
            messages: messages(&turns, family)?,
            additional_model_request_fields: additional,
        },
        inference_config: inference,
        additional_model_response_field_paths: which_stop.then_some(["/stop_sequence"]),
        output_config: output_config(request, family)?,
        service_tier: service_tier(request),
    })
}

fn inference<'r>(
    request: &'r Request<'_>,
    target: &Target<'_>,
    family: Family,
) -> Result<Inference<'r>, Refusal> {
    let mut stop_sequences = Vec::with_capacity(request.stop.len());
    for text in request.stop.iter().filter(|text| !text.is_empty()) {
        if family.is_claude() && text.trim().is_empty() {
            return Err(unsupported("stop", "Claude takes no text of white space alone"));
        }
        if target.facts.lacks_stop {
            return Err(unsupported("stop", "leave it out for this model"));
        }
        stop_sequences.push(&**text);
    }
    Ok(Inference {
        max_tokens: request.max_tokens.map(|tokens| tokens.max(1)),
        temperature: request.sampling.temperature.map(|value| value.clamp(0.0, 1.0)),
        top_p: request.sampling.top_p.map(|value| value.clamp(0.0, 1.0)),
        stop_sequences,
    })
}

fn top_k(
    request: &Request<'_>,
    family: Family,
    additional: &mut Additional<'_>,
) -> Result<(), Refusal> {
    let Some(top_k) = request.sampling.top_k else { return Ok(()) };
    match family {
        Family::Claude(..) => additional.top_k = Some(top_k),
        // <https://docs.aws.amazon.com/nova/latest/userguide/complete-request-schema.html>
        Family::Nova | Family::Nova2 => {
            additional.inference_config = Some(NovaInference { top_k: top_k.min(128) });
        }
        _ => return Err(unsupported("top_k", "leave it out for this model")),
    }
    Ok(())
}

fn json(body: &impl Serialize, request: &Request<'_>) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(size(request));
    // Strings, numbers and JSON that was read already always serialize into memory.
    if serde_json::to_writer(&mut bytes, body).is_err() {
        bytes.clear();
    }
    bytes
}

/// About how long the body becomes, bytes.
fn size(request: &Request<'_>) -> usize {
    let parts = request.turns.iter().flat_map(|turn| &turn.parts);
    1024 + parts.map(|part| 64 + part_size(&part.kind)).sum::<usize>()
}

fn part_size(kind: &PartKind<'_>) -> usize {
    match kind {
        PartKind::Text(text) | PartKind::Refusal(text) => text.len() + text.len() / 16,
        PartKind::Image(media) | PartKind::Audio(media) | PartKind::Document(media) => {
            match &media.source {
                Source::Base64(data) => data.len(),
                Source::Text(text) => text.len() * 4 / 3,
                Source::Url(url) => url.len(),
                Source::File(_) => 0,
            }
        }
        PartKind::Thinking(thinking) => {
            thinking.text.len() + thinking.signature.as_ref().map_or(0, |proof| proof.value.len())
        }
        PartKind::ToolCall(call) => call.arguments.len() + 100,
        PartKind::ToolResult(result) => {
            result.parts.iter().map(|part| 64 + part_size(&part.kind)).sum()
        }
        PartKind::Other { .. } => 0,
    }
}
