//! The conversation: user and assistant in turn, the user first.

use serde_json::value::RawValue;

use super::{
    super::form::{
        CacheMark, Origin, Part, PartKind, Refusal, Role, Thinking, ToolCall, ToolResult, Turn,
        alternating,
    },
    body,
    body::{Block, CachePoint, Input, Message, Reasoning, ToolUse},
    family::Family,
    ids::tool_use_id,
    media_write::{self, Names},
};

/// Stands where Bedrock demands a text and there is none.
const FILLER: &str = ".";
/// Stands before what a tool said that failed, for models that know no status.
const FAILED: &str = "Error:";
/// Stands where a tool said nothing.
const NO_OUTPUT: &str = "No output";

/// Writes the turns that are no instructions.
pub(super) fn messages<'r>(
    turns: &[&'r Turn<'_>],
    family: Family,
) -> Result<Vec<Message<'r>>, Refusal> {
    let mut writer = Writer { family, names: Names::default() };
    let mut messages: Vec<Message<'r>> = Vec::new();
    for (role, parts) in alternating(turns) {
        let content = writer.content(role, parts)?;
        let role = if role == Role::Assistant { "assistant" } else { "user" };
        match messages.last_mut() {
            _ if content.is_empty() => {}
            // A turn between them had nothing that can be told.
            Some(last) if last.role == role => last.content.extend(content),
            _ => messages.push(Message { role, content }),
        }
    }
    // "A conversation must start with a user message" (the API's ValidationException).
    if messages.first().is_none_or(|first| first.role != "user") {
        messages.insert(0, Message { role: "user", content: vec![Block::Text(FILLER)] });
    }
    for message in &mut messages {
        complete(message);
    }
    trim_prefill(&mut messages);
    Ok(messages)
}

/// A document needs a text beside it.
/// <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Message.html>
fn complete(message: &mut Message<'_>) {
    let has = |wanted: fn(&Block<'_>) -> bool| message.content.iter().any(wanted);
    if has(|block| matches!(block, Block::Document(_)))
        && !has(|block| matches!(block, Block::Text(_)))
    {
        message.content.push(Block::Text(FILLER));
    }
}

/// An answer that is to be continued must not end in white space (Claude).
fn trim_prefill(messages: &mut [Message<'_>]) {
    if let Some(Message { role: "assistant", content }) = messages.last_mut()
        && let Some(Block::Text(text)) = content.last_mut()
    {
        *text = text.trim_end();
    }
}

/// A cache mark, where the family has a cache.
/// <https://docs.aws.amazon.com/bedrock/latest/userguide/prompt-caching.html>
pub(super) fn cache_point(mark: Option<CacheMark>, family: Family) -> Option<CachePoint> {
    let mark = mark.filter(|_| family.caches())?;
    // Claude keeps for an hour since 4.5.
    let hour = mark == CacheMark::Hour && family.is_claude_since((4, 5));
    Some(CachePoint { kind: "default", ttl: hour.then_some("1h") })
}

/// Whether this thinking goes back to the model that it came from. What carries no proof, or that of
/// another maker, is left out: a model refuses it.
pub(super) fn is_replayed(thinking: &Thinking<'_>, family: Family) -> bool {
    thinking.signature.as_ref().is_some_and(|signature| match signature.origin {
        Origin::Anthropic => family.is_claude(),
        // Models on Bedrock answer without their names: of those other than Claude only the model itself
        // can judge.
        Origin::Bedrock => !family.is_claude(),
        Origin::OpenAi | Origin::Google => false,
    })
}

struct Writer {
    family: Family,
    names: Names,
}

impl Writer {
    fn content<'r>(
        &mut self,
        role: Role,
        mut parts: Vec<&'r Part<'_>>,
    ) -> Result<Vec<Block<'r>>, Refusal> {
        if role == Role::Assistant {
            thinking_first(&mut parts);
        }
        let mut content = Vec::with_capacity(parts.len());
        for part in parts {
            let Some(block) = self.block(role, part)? else { continue };
            let calls = matches!(block, Block::ToolUse(_) | Block::ToolResult(_));
            content.push(block);
            // Nova takes no cache point after a call or its result.
            let takes = self.family.is_claude() || !calls;
            if let Some(point) = cache_point(mark(part).filter(|_| takes), self.family) {
                content.push(Block::CachePoint(point));
            }
        }
        Ok(content)
    }

    /// None for what is left out.
    fn block<'r>(&mut self, role: Role, part: &'r Part<'_>) -> Result<Option<Block<'r>>, Refusal> {
        if let Some(medium) = media_write::block(part, &mut self.names) {
            if role == Role::Assistant {
                return Err(Refusal::unsupported(
                    part.path.to_string(),
                    "Amazon Bedrock takes media in user messages only, not in the assistant's",
                ));
            }
            return medium.map(Some);
        }
        Ok(match &part.kind {
            PartKind::Text(text) | PartKind::Refusal(text) => Some(Block::Text(text)),
            PartKind::Thinking(thinking) => self.reasoning(thinking).map(Block::ReasoningContent),
            PartKind::ToolCall(call) => Some(Block::ToolUse(tool_use(call))),
            PartKind::ToolResult(result) => Some(Block::ToolResult(self.tool_result(result)?)),
            PartKind::Other { name, raw } => Some(search_result(part, name, raw)?),
            PartKind::Image(_) | PartKind::Audio(_) | PartKind::Document(_) => None,
        })
    }

    fn reasoning<'r>(&self, thinking: &'r Thinking<'_>) -> Option<Reasoning<'r>> {
        let signature = &*thinking.signature.as_ref()?.value;
        if !is_replayed(thinking, self.family) {
            return None;
        }
        Some(if thinking.redacted {
            Reasoning::RedactedContent(signature)
        } else {
            Reasoning::ReasoningText { text: &thinking.text, signature }
        })
    }

    fn tool_result<'r>(
        &mut self,
        result: &'r ToolResult<'_>,
    ) -> Result<body::ToolResult<'r>, Refusal> {
        let mut content = Vec::with_capacity(result.parts.len().max(1));
        for part in &result.parts {
            match media_write::block(part, &mut self.names) {
                Some(medium) => match medium? {
                    Block::Audio(_) => return Err(other(part, "audio")),
                    Block::Image(_) | Block::Video(_) if !self.family.has_rich_results() => {
                        return Err(Refusal::unsupported(
                            part.path.to_string(),
                            "on Amazon Bedrock this model takes no pictures in the result of a \
                             tool: describe it in words, or send it in a message of the user",
                        ));
                    }
                    block => content.push(block),
                },
                None => match &part.kind {
                    PartKind::Text(text) | PartKind::Refusal(text) if !text.trim().is_empty() => {
                        content.push(Block::Text(text));
                    }
                    PartKind::Other { name, raw } => {
                        content.push(search_result(part, name, raw)?);
                    }
                    _ => {}
                },
            }
        }
        if content.is_empty() {
            content.push(Block::Text(NO_OUTPUT));
        }
        let knows = self.family.has_rich_results();
        if !knows && result.hides_failure() {
            content.insert(0, Block::Text(FAILED));
        }
        Ok(body::ToolResult {
            tool_use_id: tool_use_id(&result.call_id),
            content,
            status: (result.error && knows).then_some("error"),
        })
    }
}

/// Thinking opens its turn: moved there only where a client's dialect kept it apart, since the order of a
/// turn that opens with it is the model's own.
fn thinking_first(parts: &mut [&Part<'_>]) {
    let other = |part: &&Part<'_>| !matches!(part.kind, PartKind::Thinking(_));
    if parts.first().is_some_and(other) {
        parts.sort_by_key(other);
    }
}

/// The mark of a part, or of something in the tool's result that it is.
fn mark(part: &Part<'_>) -> Option<CacheMark> {
    part.cache.or_else(|| match &part.kind {
        PartKind::ToolResult(result) => result.parts.iter().rev().find_map(|part| part.cache),
        _ => None,
    })
}

fn tool_use<'r>(call: &'r ToolCall<'_>) -> ToolUse<'r> {
    let text = call.arguments.trim();
    let object = text.starts_with('{').then(|| serde_json::from_str::<&RawValue>(text).ok());
    let input = match object.flatten() {
        Some(object) => Input::Object(object),
        None if text.is_empty() || text == "null" => Input::Empty {},
        None => Input::Wrapped { input: &call.arguments },
    };
    ToolUse { tool_use_id: tool_use_id(&call.id), name: &call.name, input }
}

/// What a search found; nothing else that only one API knows has a place here.
fn search_result<'r>(part: &Part<'_>, name: &str, raw: &'r RawValue) -> Result<Block<'r>, Refusal> {
    let found = Some(raw).filter(|_| name == "search_result");
    let found = found.and_then(|raw| serde_json::from_str(raw.get()).ok());
    found.map(Block::SearchResult).ok_or_else(|| other(part, name))
}

fn other(part: &Part<'_>, name: &str) -> Refusal {
    let message = format!("Amazon Bedrock's Converse API has nothing like `{name}`: leave it out");
    Refusal::unsupported(part.path.to_string(), message)
}
