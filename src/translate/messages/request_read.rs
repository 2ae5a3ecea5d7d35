//! A client's request, top level.
//!
//! <https://platform.claude.com/docs/en/api/messages>; members as in the SDK's
//! <https://github.com/anthropics/anthropic-sdk-python/blob/main/src/anthropic/types/beta/message_create_params.py>

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{self, MapAccess},
};
use serde_json::value::RawValue;

use super::{
    content_read::{Content, is_google_call_signature, parts},
    openai_shape,
    thinking_read::{FormatIn, OutputConfig, ThinkingConfig, read_format, read_reasoning},
    tools_read::{read_choice, read_tool},
    words::cache_mark,
};
use crate::translate::{
    ClientApi,
    form::{Part, PartKind, PartPath, Refusal, Request, Role, Text, Turn, read_json},
};

/// Reads a body.
///
/// # Errors
/// When a member is missing or wrong, when the body is one of another API, or when it asks for
/// what only Anthropic's own servers have (`mcp_servers`, `container`, `inference_geo`).
pub(in crate::translate) fn read_request(body: &[u8]) -> Result<Request<'_>, Refusal> {
    let body: Body<'_> = read_json(body)?;
    let limit = read_limit(body.max_tokens)?;
    Ok(Request { max_tokens: Some(limit), ..read(body)? })
}

/// Reads what is to be counted: a body that need not say how long the answer may be.
///
/// # Errors
/// As [`read_request`].
pub(in crate::translate) fn read_countable(body: &[u8]) -> Result<Request<'_>, Refusal> {
    read(read_json(body)?)
}

fn read(body: Body<'_>) -> Result<Request<'_>, Refusal> {
    openai_shape::check_members(&body.rest)?;
    refuse_own(&body)?;
    let mut request = Request {
        stream: body.stream.unwrap_or(false),
        client: Some(ClientApi::Messages),
        stop: body.stop_sequences.unwrap_or_default(),
        user: body.metadata.and_then(|metadata| metadata.user_id),
        service_tier: body.service_tier.map(read_tier),
        reasoning: read_reasoning(body.thinking.as_ref(), body.output_config.as_ref())?,
        ..Request::default()
    };
    request.sampling.temperature = body.temperature;
    request.sampling.top_p = body.top_p;
    request.sampling.top_k = body.top_k;
    let format = body.output_config.and_then(|config| config.format).or(body.output_format);
    request.format = format.as_ref().map(read_format).transpose()?;
    if let Some(system) = body.system {
        let path = PartPath { list: "system", item: 0, part: None };
        push_turn(&mut request.turns, Role::System, parts(system, path)?);
    }
    read_messages(body.messages.unwrap_or_default(), &mut request.turns)?;
    for (index, raw) in body.tools.unwrap_or_default().into_iter().enumerate() {
        request.tools.push(read_tool(raw, index)?);
    }
    if let Some(raw) = body.tool_choice {
        let (choice, parallel) = read_choice(raw)?;
        request.tool_choice = Some(choice);
        request.parallel_tool_calls = parallel;
    }
    if let Some(cache) = body.cache_control {
        mark_last(&mut request.turns, &cache);
    }
    request.rest = body.rest;
    Ok(request)
}

/// The members that are read, and the rest.
#[derive(Default)]
struct Body<'a> {
    stream: Option<bool>,
    max_tokens: Option<u64>,
    system: Option<Content<'a>>,
    messages: Option<Vec<Message<'a>>>,
    tools: Option<Vec<&'a RawValue>>,
    tool_choice: Option<&'a RawValue>,
    thinking: Option<ThinkingConfig<'a>>,
    output_config: Option<OutputConfig<'a>>,
    output_format: Option<FormatIn<'a>>,
    temperature: Option<f64>,
    top_p: Option<f64>,
    top_k: Option<u64>,
    stop_sequences: Option<Vec<Text<'a>>>,
    metadata: Option<Metadata<'a>>,
    service_tier: Option<Text<'a>>,
    cache_control: Option<CacheControl<'a>>,
    mcp_servers: Option<Vec<de::IgnoredAny>>,
    container: Option<de::IgnoredAny>,
    inference_geo: Option<Text<'a>>,
    rest: Vec<(Text<'a>, &'a RawValue)>,
}

#[derive(Deserialize)]
struct Message<'a> {
    #[serde(borrow)]
    role: Text<'a>,
    content: Content<'a>,
}

#[derive(Deserialize)]
struct Metadata<'a> {
    #[serde(borrow)]
    user_id: Option<Text<'a>>,
}

/// `cache_control`, wherever it stands.
#[derive(Deserialize)]
pub(super) struct CacheControl<'a> {
    #[serde(borrow)]
    pub(super) ttl: Option<Text<'a>>,
}

impl<'de: 'a, 'a> Deserialize<'de> for Body<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Visitor)
    }
}

struct Visitor;

impl<'de> de::Visitor<'de> for Visitor {
    type Value = Body<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Body<'de>, A::Error> {
        let mut body = Body::default();
        while let Some(name) = map.next_key::<Text<'de>>()? {
            match &*name {
                // Routed by long ago.
                "model" => drop(map.next_value::<de::IgnoredAny>()?),
                "stream" => body.stream = map.next_value()?,
                "max_tokens" => body.max_tokens = map.next_value()?,
                "system" => body.system = map.next_value()?,
                "messages" => body.messages = map.next_value()?,
                "tools" => body.tools = map.next_value()?,
                "tool_choice" => body.tool_choice = map.next_value()?,
                "thinking" => body.thinking = map.next_value()?,
                "output_config" => body.output_config = map.next_value()?,
                "output_format" => body.output_format = map.next_value()?,
                "temperature" => body.temperature = map.next_value()?,
                "top_p" => body.top_p = map.next_value()?,
                "top_k" => body.top_k = map.next_value()?,
                "stop_sequences" => body.stop_sequences = map.next_value()?,
                "metadata" => body.metadata = map.next_value()?,
                "service_tier" => body.service_tier = map.next_value()?,
                "cache_control" => body.cache_control = map.next_value()?,
                "mcp_servers" => body.mcp_servers = map.next_value()?,
                "container" => body.container = map.next_value()?,
                "inference_geo" => body.inference_geo = map.next_value()?,
                _ => body.rest.push((name, map.next_value()?)),
            }
        }
        Ok(body)
    }
}

fn read_limit(limit: Option<u64>) -> Result<u64, Refusal> {
    match limit {
        Some(limit) if limit > 0 => Ok(limit),
        Some(_) => Err(Refusal::invalid("max_tokens", "`max_tokens` must be at least 1")),
        None => Err(Refusal::invalid(
            "max_tokens",
            "`max_tokens` is missing; the Messages API needs the most tokens to answer with",
        )),
    }
}

/// What runs on Anthropic's servers only, and would be missed if it were left out.
fn refuse_own(body: &Body<'_>) -> Result<(), Refusal> {
    let own = [
        ("mcp_servers", body.mcp_servers.as_ref().is_some_and(|servers| !servers.is_empty())),
        ("container", body.container.is_some()),
        ("inference_geo", body.inference_geo.is_some()),
    ];
    match own.into_iter().find(|(_, given)| *given) {
        None => Ok(()),
        Some((name, _)) => Err(Refusal::unsupported(
            name,
            format!("`{name}` works on Claude only; leave it out, or choose a Claude model"),
        )),
    }
}

fn read_messages<'a>(messages: Vec<Message<'a>>, turns: &mut Vec<Turn<'a>>) -> Result<(), Refusal> {
    if messages.is_empty() {
        return Err(Refusal::invalid("messages", "`messages` is empty; send at least one message"));
    }
    for (item, message) in messages.into_iter().enumerate() {
        let role = read_role(&message.role, item)?;
        let path = PartPath { list: "messages", item, part: None };
        let mut parts = parts(message.content, path)?;
        if role == Role::Assistant {
            signatures_to_calls(&mut parts);
        }
        push_turn(turns, role, parts);
    }
    Ok(())
}

/// `system` inside `messages` is right behind the first message only:
/// <https://platform.claude.com/docs/en/build-with-claude/mid-conversation-system-messages>
fn read_role(role: &str, item: usize) -> Result<Role, Refusal> {
    match role {
        "user" => Ok(Role::User),
        "assistant" => Ok(Role::Assistant),
        "system" if item > 0 => Ok(Role::System),
        _ => Err(openai_shape::role(role, item)),
    }
}

fn push_turn<'a>(turns: &mut Vec<Turn<'a>>, role: Role, parts: Vec<Part<'a>>) {
    turns.push(Turn { role, name: None, parts });
}

/// Puts signatures back on the calls that they came with (see the answers' writers).
fn signatures_to_calls(parts: &mut Vec<Part<'_>>) {
    let mut at = 0;
    while at + 1 < parts.len() {
        let (before, rest) = parts.split_at_mut(at + 1);
        if let (Some(thinking), Some(next)) = (before.last_mut(), rest.first_mut())
            && is_google_call_signature(&thinking.kind)
            && let (PartKind::Thinking(thinking), PartKind::ToolCall(call)) =
                (&mut thinking.kind, &mut next.kind)
        {
            call.signature = thinking.signature.take();
            parts.remove(at);
        }
        at += 1;
    }
}

fn mark_last(turns: &mut [Turn<'_>], cache: &CacheControl<'_>) {
    if let Some(last) = turns.last_mut().and_then(|turn| turn.parts.last_mut()) {
        last.cache.get_or_insert(cache_mark(cache.ttl.as_deref()));
    }
}

/// In `OpenAI`'s words, which are the middle form's.
fn read_tier(tier: Text<'_>) -> Text<'_> {
    if tier == "standard_only" { "default".into() } else { tier }
}
