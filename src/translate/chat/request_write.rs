//! A request, for a vendor.
//! <https://platform.openai.com/docs/api-reference/chat/create>

use std::borrow::Cow;

use serde::{Serialize, Serializer, ser::SerializeMap};
use serde_json::value::RawValue;

use super::{
    content_write::{Content, Joined},
    layout::{self, Message},
    thinking_write::{Thinking, thinking},
    tool_write::{self, ChoiceOut, SearchOut, ToolOut},
};
use crate::{
    domain::{JsonModes, Quirks, ReasoningMode},
    translate::{
        ClientApi, Target,
        form::{Format, PartKind, Pictures, Refusal, Request, Source, Text},
        user::openai_user,
    },
};

/// Said where a vendor has no mode for it.
const JSON_ONLY: &str =
    "Answer with one JSON object and nothing else: no words before or after it, no code fence.";

/// How many texts may end an answer of `OpenAI`'s:
/// <https://platform.openai.com/docs/api-reference/chat/create> (`stop`).
const MOST_STOPS: usize = 4;

#[derive(Serialize)]
struct Body<'r> {
    model: &'r str,
    messages: Vec<Message<'r>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tools: Vec<ToolOut<'r>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_choice: Option<ChoiceOut<'r>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parallel_tool_calls: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_tokens: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_completion_tokens: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_p: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_k: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    frequency_penalty: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    presence_penalty: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seed: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    logprobs: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_logprobs: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    logit_bias: Option<&'r RawValue>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    stop: Vec<&'r str>,
    #[serde(flatten)]
    thinking: Thinking,
    #[serde(skip_serializing_if = "Option::is_none")]
    modalities: Option<&'static [&'static str]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_format: Option<FormatOut<'r>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    verbosity: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    web_search_options: Option<SearchOut<'r>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<Cow<'r, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    service_tier: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    prompt_cache_key: Option<&'r str>,
    #[serde(flatten)]
    rest: Rest<'r>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    stream: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    stream_options: Option<StreamOptions>,
}

#[derive(Serialize)]
struct FormatOut<'r> {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    json_schema: Option<SchemaOut<'r>>,
}

#[derive(Serialize)]
struct SchemaOut<'r> {
    name: &'r str,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'r str>,
    schema: &'r RawValue,
    #[serde(skip_serializing_if = "Option::is_none")]
    strict: Option<bool>,
}

#[derive(Serialize)]
struct StreamOptions {
    include_usage: bool,
}

/// Members that the client's reader did not know: the vendor may.
struct Rest<'r>(Vec<&'r (Text<'r>, &'r RawValue)>);

impl Serialize for Rest<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

/// Writes a request's body for `target`.
///
/// # Errors
/// When the vendor or the model cannot do what the request asks.
pub fn write_request(request: &Request<'_>, target: &Target<'_>) -> Result<Vec<u8>, Refusal> {
    let body = body(request, target)?;
    let mut out = Vec::with_capacity(estimate(request));
    serde_json::to_writer(&mut out, &body)
        .map_err(|fault| Refusal::invalid("", format!("the request cannot be written: {fault}")))?;
    Ok(out)
}

fn body<'r>(request: &'r Request<'_>, target: &Target<'r>) -> Result<Body<'r>, Refusal> {
    let quirks = target.quirks;
    let sampling = &request.sampling;
    check(request, target)?;
    let stop = stop(request, target)?;
    let tools = tool_write::tools(request, quirks)?;
    let mut messages = layout::messages(request, target)?;
    let response_format = format(request, quirks, &mut messages)?;
    let effort_model = target.facts.reasoning_mode == Some(ReasoningMode::Effort);
    let new_limit = quirks.max_completion_tokens || (quirks.openai_models && effort_model);
    let thinking = request.reasoning.map(|own| thinking(own, target)).unwrap_or_default();
    // A model that thinks draws its tokens in its own way; one that is told not to may be told this.
    let drawn = !(quirks.openai_models && effort_model) || thinking.is_off();
    let hint =
        |name: &str, value: &'r Option<Text<'_>>| value.as_deref().filter(|_| !quirks.lacks(name));
    let has_tools = !tools.tools.is_empty();
    Ok(Body {
        model: target.model,
        messages,
        parallel_tool_calls: request
            .parallel_tool_calls
            .filter(|_| has_tools && !quirks.lacks("parallel_tool_calls")),
        tools: tools.tools,
        tool_choice: tools.choice,
        max_tokens: request.max_tokens.filter(|_| !new_limit),
        max_completion_tokens: request.max_tokens.filter(|_| new_limit),
        temperature: sampling.temperature.filter(|_| drawn).map(|value| value.clamp(0.0, 2.0)),
        top_p: sampling.top_p.filter(|_| drawn).map(|value| value.clamp(0.0, 1.0)),
        top_k: sampling.top_k,
        frequency_penalty: penalty(sampling.frequency_penalty),
        presence_penalty: penalty(sampling.presence_penalty),
        seed: sampling.seed.filter(|_| !quirks.lacks("seed")),
        logprobs: sampling.logprobs.then_some(true),
        top_logprobs: sampling.top_logprobs.filter(|_| sampling.logprobs),
        logit_bias: sampling.logit_bias,
        stop,
        thinking,
        modalities: request.pictures.as_ref().map(modalities),
        response_format,
        verbosity: request.verbosity.as_deref(),
        web_search_options: tools.search,
        user: hint("user", &request.user).map(|user| self::user(user, quirks)),
        service_tier: hint("service_tier", &request.service_tier),
        prompt_cache_key: hint("prompt_cache_key", &request.prompt_cache_key),
        rest: rest(request, quirks),
        stream: request.stream,
        stream_options: (request.stream && quirks.stream_usage)
            .then_some(StreamOptions { include_usage: true }),
    })
}

/// The client's name for its user, as long as the vendor takes it.
fn user<'r>(user: &'r str, quirks: &Quirks) -> Cow<'r, str> {
    if quirks.openai_models { openai_user(user) } else { Cow::Borrowed(user) }
}

/// What the vendor does not know and what would be lost without a word.
fn check(request: &Request<'_>, target: &Target<'_>) -> Result<(), Refusal> {
    let (quirks, sampling) = (target.quirks, &request.sampling);
    if sampling.n.is_some_and(|count| count > 1) {
        let message = "one answer can be had at a time here; ask again for another";
        return Err(Refusal::unsupported("n", message));
    }
    let asked = [
        ("frequency_penalty", penalty(sampling.frequency_penalty).is_some()),
        ("presence_penalty", penalty(sampling.presence_penalty).is_some()),
        ("top_k", sampling.top_k.is_some()),
        ("logprobs", sampling.logprobs),
        ("logit_bias", sampling.logit_bias.is_some()),
        ("stop", request.stop.iter().any(|text| !text.is_empty())),
        ("verbosity", request.verbosity.is_some()),
        ("parallel_tool_calls", request.parallel_tool_calls == Some(false)),
    ];
    if let Some((name, _)) = asked.into_iter().find(|(name, asked)| *asked && quirks.lacks(name)) {
        let message = format!("this vendor has no `{name}`; leave it out");
        return Err(Refusal::unsupported(name, message));
    }
    Ok(())
}

/// The texts that end the answer; empty ones end none.
fn stop<'r>(request: &'r Request<'_>, target: &Target<'_>) -> Result<Vec<&'r str>, Refusal> {
    let texts = request.stop.iter().map(|text| &**text).filter(|text| !text.is_empty());
    let texts: Vec<&str> = texts.collect();
    if !texts.is_empty() && target.facts.lacks_stop {
        let message = "this model has no texts at which its answer ends (`stop`); leave them out";
        return Err(Refusal::unsupported("stop", message));
    }
    if texts.len() > MOST_STOPS && target.quirks.openai_models {
        let message = format!("this vendor takes at most {MOST_STOPS} texts in `stop`");
        return Err(Refusal::unsupported("stop", message));
    }
    Ok(texts)
}

/// <https://openrouter.ai/docs/guides/overview/multimodal/image-generation>
const fn modalities(pictures: &Pictures<'_>) -> &'static [&'static str] {
    if pictures.alone { &["image"] } else { &["text", "image"] }
}

/// None of 0, which is the same as nothing.
fn penalty(value: Option<f64>) -> Option<f64> {
    value.filter(|value| *value != 0.0).map(|value| value.clamp(-2.0, 2.0))
}

fn format<'r>(
    request: &'r Request<'_>,
    quirks: &Quirks,
    messages: &mut Vec<Message<'r>>,
) -> Result<Option<FormatOut<'r>>, Refusal> {
    match &request.format {
        None => Ok(None),
        Some(Format::JsonObject) if quirks.json == JsonModes::Schema => {
            let text = Joined { pieces: vec![JSON_ONLY], between: "" };
            // Behind the client's own instructions.
            let place = messages.iter().take_while(|one| one.role == "system").count();
            messages.insert(place, Message::new("system", Content::Text(text)));
            Ok(None)
        }
        Some(Format::JsonObject) => Ok(Some(FormatOut { kind: "json_object", json_schema: None })),
        Some(Format::JsonSchema(_)) if quirks.json == JsonModes::Object => {
            let message = "this vendor holds answers to JSON (`json_object`), not to a schema";
            Err(Refusal::unsupported("response_format", message))
        }
        Some(Format::JsonSchema(own)) => {
            let schema = SchemaOut {
                name: own.name.as_deref().unwrap_or("answer"),
                description: own.description.as_deref(),
                schema: own.schema,
                strict: own.strict,
            };
            Ok(Some(FormatOut { kind: "json_schema", json_schema: Some(schema) }))
        }
    }
}

/// Members of the client's that this gateway does not know travel where both sides speak the same
/// family of dialects.
fn rest<'r>(request: &'r Request<'_>, quirks: &Quirks) -> Rest<'r> {
    let same = matches!(request.client, Some(ClientApi::Chat | ClientApi::Completions));
    // Written above, in the vendor's own way.
    let own = |name: &str| {
        matches!(name, "reasoning_effort" | "reasoning" | "thinking") && request.reasoning.is_some()
    };
    let members = request.rest.iter().filter(|_| same);
    Rest(members.filter(|(name, _)| !own(name) && !quirks.lacks(name)).collect())
}

/// About as many bytes as the body will have, so that it need not grow.
fn estimate(request: &Request<'_>) -> usize {
    fn weight(kind: &PartKind<'_>) -> usize {
        match kind {
            PartKind::Text(text) | PartKind::Refusal(text) => text.len() + text.len() / 16,
            PartKind::Image(media) | PartKind::Audio(media) | PartKind::Document(media) => {
                match &media.source {
                    Source::Base64(data) => data.len(),
                    Source::Text(text) | Source::Url(text) | Source::File(text) => text.len(),
                }
            }
            PartKind::Thinking(thinking) => thinking.text.len(),
            PartKind::ToolCall(call) => call.arguments.len() * 5 / 4,
            PartKind::ToolResult(result) => {
                result.parts.iter().map(|part| weight(&part.kind) + 32).sum()
            }
            PartKind::Other { .. } => 0,
        }
    }
    let parts = request.turns.iter().flat_map(|turn| &turn.parts);
    let tools = request.tools.len() * 512;
    parts.map(|part| weight(&part.kind) + 96).sum::<usize>() + tools + 1024
}
