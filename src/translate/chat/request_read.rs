//! A client's request.
//! <https://platform.openai.com/docs/api-reference/chat/create>

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Members, message_read, tool_read};
use crate::translate::{
    ClientApi,
    form::{Effort, Format, JsonSchema, Pictures, Reasoning, Refusal, Request, Sampling, Text},
};

/// The most stop texts that the API takes.
const MAX_STOP: usize = 4;

/// Reads a request's body.
///
/// # Errors
/// When it is not of the API, or asks for what no vendor could do.
pub fn read_request(body: &[u8]) -> Result<Request<'_>, Refusal> {
    let mut members = Members::of(body)?;
    let mut request = read_common(&mut members, ClientApi::Chat)?;
    request.turns = message_read::read(&mut members)?;
    tool_read::read(&mut members, &mut request)?;
    request.parallel_tool_calls = members.take("parallel_tool_calls")?;
    request.reasoning = read_reasoning(&mut members)?;
    request.format = read_format(&mut members)?;
    request.verbosity = members.take("verbosity")?;
    request.pictures = read_modalities(&mut members)?;
    refuse_moderation(&mut members)?;
    request.rest = members.rest();
    Ok(request)
}

/// What chat completions and completions have in common.
pub fn read_common<'a>(
    members: &mut Members<'a>,
    client: ClientApi,
) -> Result<Request<'a>, Refusal> {
    // The gateway has resolved it; vendors are told another.
    members.take_raw("model");
    members.take_raw("stream_options");
    let old_limit = members.take("max_tokens")?;
    let user = members.take("user")?;
    let identifier = members.take("safety_identifier")?;
    Ok(Request {
        client: Some(client),
        stream: members.take("stream")?.unwrap_or(false),
        max_tokens: members.take("max_completion_tokens")?.or(old_limit),
        sampling: read_sampling(members)?,
        stop: read_stop(members)?,
        user: user.or(identifier),
        service_tier: members.take("service_tier")?,
        prompt_cache_key: members.take("prompt_cache_key")?,
        ..Request::default()
    })
}

fn read_sampling<'a>(members: &mut Members<'a>) -> Result<Sampling<'a>, Refusal> {
    Ok(Sampling {
        temperature: members.take("temperature")?,
        top_p: members.take("top_p")?,
        top_k: members.take("top_k")?,
        frequency_penalty: members.take("frequency_penalty")?,
        presence_penalty: members.take("presence_penalty")?,
        seed: members.take("seed")?,
        n: members.take("n")?,
        logprobs: read_logprobs(members)?,
        top_logprobs: members.take("top_logprobs")?,
        logit_bias: members.take_raw("logit_bias").filter(|raw| !is_empty_object(raw)),
    })
}

/// Completions have a number here, of which their reader makes sure that it is none.
fn read_logprobs(members: &mut Members<'_>) -> Result<bool, Refusal> {
    Ok(members.take("logprobs")?.unwrap_or(false))
}

fn is_empty_object(raw: &RawValue) -> bool {
    let inside = raw.get().strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
    inside.is_some_and(|inside| inside.trim().is_empty())
}

/// One text or up to four.
fn read_stop<'a>(members: &mut Members<'a>) -> Result<Vec<Text<'a>>, Refusal> {
    let Some(raw) = members.take_raw("stop") else { return Ok(Vec::new()) };
    let texts: Vec<Text<'a>> = if raw.get().starts_with('"') {
        vec![super::members::read_at("stop", raw)?]
    } else {
        super::members::read_at("stop", raw)?
    };
    if texts.len() > MAX_STOP {
        let message = format!("`stop` may have at most {MAX_STOP} texts, not {}", texts.len());
        return Err(Refusal::invalid("stop", message));
    }
    Ok(texts)
}

/// `reasoning` of the unified API.
#[derive(Deserialize)]
struct RawReasoning<'a> {
    #[serde(borrow)]
    effort: Option<Text<'a>>,
    max_tokens: Option<u64>,
    mode: Option<Text<'a>>,
    enabled: Option<bool>,
    exclude: Option<bool>,
}

fn read_reasoning(members: &mut Members<'_>) -> Result<Option<Reasoning>, Refusal> {
    let word = members.take::<Text<'_>>("reasoning_effort")?;
    let effort = word.map(|word| read_effort("reasoning_effort", &word)).transpose()?;
    let Some(object) = members.take::<RawReasoning<'_>>("reasoning")? else {
        return Ok(effort.map(|effort| Reasoning { effort: Some(effort), ..Reasoning::default() }));
    };
    if effort.is_some() && object.effort.is_some() {
        let message = "give either `reasoning_effort` or `reasoning.effort`, not both";
        return Err(Refusal::invalid("reasoning.effort", message));
    }
    if object.max_tokens == Some(0) {
        let message = "`reasoning.max_tokens` must be positive; the effort `none` turns it off";
        return Err(Refusal::invalid("reasoning.max_tokens", message));
    }
    if let Some(mode) = object.mode.filter(|mode| *mode != "standard") {
        let message = format!("the reasoning mode `{}` cannot be asked of this model", &*mode);
        return Err(Refusal::unsupported("reasoning.mode", message));
    }
    let own = object.effort.map(|word| read_effort("reasoning.effort", &word)).transpose()?;
    let off = (object.enabled == Some(false)).then_some(Effort::None);
    Ok(Some(Reasoning {
        effort: off.or(own).or(effort),
        max_tokens: object.max_tokens.filter(|_| off.is_none()),
        visible: object.exclude.map(|hidden| !hidden),
    }))
}

fn read_effort(path: &str, word: &str) -> Result<Effort, Refusal> {
    Effort::named(word).ok_or_else(|| {
        let known = Effort::ALL.map(Effort::as_str).join(", ");
        Refusal::invalid(path, format!("`{path}` is one of {known}"))
    })
}

#[derive(Deserialize)]
struct RawFormat<'a> {
    #[serde(rename = "type", borrow)]
    kind: Text<'a>,
    json_schema: Option<RawSchema<'a>>,
}

#[derive(Deserialize)]
struct RawSchema<'a> {
    #[serde(borrow)]
    name: Option<Text<'a>>,
    description: Option<Text<'a>>,
    schema: Option<&'a RawValue>,
    strict: Option<bool>,
}

fn read_format<'a>(members: &mut Members<'a>) -> Result<Option<Format<'a>>, Refusal> {
    let Some(format) = members.take::<RawFormat<'a>>("response_format")? else { return Ok(None) };
    match &*format.kind {
        "text" => Ok(None),
        "json_object" => Ok(Some(Format::JsonObject)),
        "json_schema" => {
            let path = "response_format.json_schema";
            let missing = |path: &str| Refusal::invalid(path, format!("`{path}` is missing"));
            let own = format.json_schema.ok_or_else(|| missing(path))?;
            let schema = own.schema.ok_or_else(|| missing(&format!("{path}.schema")))?;
            let RawSchema { name, description, strict, .. } = own;
            Ok(Some(Format::JsonSchema(JsonSchema { name, description, schema, strict })))
        }
        other => Err(Refusal::unsupported(
            "response_format.type",
            format!("the response format `{other}` is none of text, json_object and json_schema"),
        )),
    }
}

/// Answers that are moderated by the vendor itself, which no other does.
fn refuse_moderation(members: &mut Members<'_>) -> Result<(), Refusal> {
    if members.take_raw("moderation").is_none() {
        return Ok(());
    }
    let message = "this model's vendor does not moderate; leave `moderation` out";
    Err(Refusal::unsupported("moderation", message))
}

/// Answers have text, or pictures; sound has no place in the other dialects.
fn read_modalities<'a>(members: &mut Members<'a>) -> Result<Option<Pictures<'a>>, Refusal> {
    let modalities: Vec<Text<'_>> = members.take("modalities")?.unwrap_or_default();
    if let Some(other) = modalities.iter().find(|one| **one != "text" && **one != "image") {
        let message = format!("this model answers with no `{}`", &**other);
        return Err(Refusal::unsupported("modalities", message));
    }
    if members.take_raw("audio").is_some() {
        let message = "this model's answers have no sound; leave `audio` out";
        return Err(Refusal::unsupported("audio", message));
    }
    let has = |kind: &str| modalities.iter().any(|one| *one == kind);
    Ok(has("image").then(|| Pictures { alone: !has("text"), param: "modalities".into() }))
}
