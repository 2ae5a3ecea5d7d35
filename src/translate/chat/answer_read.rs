//! A vendor's whole answer.
//! <https://platform.openai.com/docs/api-reference/chat/object>

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{
    call_read,
    pieces::{Piece, Sources, pieces},
    reasoning,
    wire::{Call, Function, or_empty},
};
use crate::{
    dialect::{StreamError, read_openai_usage},
    translate::{
        Unreadable,
        form::{Answer, Citation, Media, Part, PartKind, PartPath, StopReason, Text, Thinking},
    },
};

#[derive(Deserialize)]
struct Completion<'a> {
    #[serde(borrow)]
    id: Option<Text<'a>>,
    model: Option<Text<'a>>,
    created: Option<&'a RawValue>,
    #[serde(default, deserialize_with = "or_empty")]
    choices: Vec<Choice<'a>>,
    usage: Option<&'a RawValue>,
    service_tier: Option<&'a RawValue>,
    error: Option<&'a RawValue>,
    citations: Option<&'a RawValue>,
    search_results: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Choice<'a> {
    #[serde(borrow)]
    message: Option<Message<'a>>,
    finish_reason: Option<Text<'a>>,
    logprobs: Option<&'a RawValue>,
    /// Here at some vendors.
    usage: Option<&'a RawValue>,
    /// What went wrong while the answer was made:
    /// <https://openrouter.ai/docs/api/reference/errors-and-debugging>.
    error: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Message<'a> {
    #[serde(borrow)]
    content: Option<&'a RawValue>,
    refusal: Option<Text<'a>>,
    reasoning: Option<Text<'a>>,
    reasoning_content: Option<Text<'a>>,
    #[serde(deserialize_with = "or_empty")]
    reasoning_details: Vec<reasoning::Detail<'a>>,
    #[serde(deserialize_with = "or_empty")]
    tool_calls: Vec<Call<'a>>,
    function_call: Option<Function<'a>>,
    annotations: Option<&'a RawValue>,
    images: Option<&'a RawValue>,
}

/// Pictures as `OpenRouter` has them.
/// <https://openrouter.ai/docs/features/multimodal/image-generation>
#[derive(Deserialize)]
struct Image<'a> {
    #[serde(borrow)]
    image_url: ImageUrl<'a>,
}

#[derive(Deserialize)]
struct ImageUrl<'a> {
    #[serde(borrow)]
    url: Text<'a>,
}

/// Why an answer ended, in any of the words that vendors have. An error is no ending.
///
/// Mistral: <https://docs.mistral.ai/api>, `DeepSeek`:
/// <https://api-docs.deepseek.com/api/create-chat-completion>
pub(super) fn stop_reason(word: &str) -> Result<StopReason, StreamError> {
    let failed = |message: &str| {
        let (kind, message) = ("upstream_error".to_owned(), message.to_owned());
        Err(StreamError { status: 502, kind, message })
    };
    Ok(match word {
        "length" | "max_tokens" => StopReason::Length,
        "model_length" => StopReason::ContextWindow,
        "tool_calls" | "function_call" => StopReason::ToolCalls,
        "content_filter" | "safety" => StopReason::ContentFilter,
        "error" => return failed("the provider broke its answer off with an error"),
        "insufficient_system_resource" => {
            return failed("the provider broke its answer off: it has too little capacity");
        }
        // `stop`, `eos`, and what nobody knows yet.
        _ => StopReason::End,
    })
}

/// Reads an answer's body.
///
/// # Errors
/// When it is none.
pub fn read_answer(body: &[u8]) -> Result<Answer<'_>, Unreadable> {
    let completion: Completion<'_> =
        serde_json::from_slice(body).map_err(|fault| Unreadable(plain(&fault)))?;
    if let Some(error) = completion.error {
        return Err(Unreadable(StreamError::of(error.get().as_bytes()).message));
    }
    let Some(choice) = completion.choices.into_iter().next() else {
        return Err(Unreadable("it has no choice".to_owned()));
    };
    if let Some(error) = choice.error {
        return Err(Unreadable(StreamError::of(error.get().as_bytes()).message));
    }
    let word = choice.finish_reason.as_deref();
    let stop = word.map(stop_reason).transpose().map_err(|error| Unreadable(error.message))?;
    let mut citations = Vec::new();
    let message = choice.message.unwrap_or_default();
    let sources = Sources { search: completion.search_results, citations: completion.citations };
    sources.read(message.annotations, &mut |citation| citations.push(citation));
    let parts = parts(message);
    let calls = parts.iter().any(|part| matches!(part.kind, PartKind::ToolCall(_)));
    let usage = completion.usage.or(choice.usage);
    Ok(Answer {
        id: completion.id.filter(|id| !id.is_empty()),
        model: completion.model.filter(|model| !model.is_empty()),
        created: completion.created.and_then(|raw| raw.get().parse().ok()),
        parts,
        citations,
        stop: with_calls(stop, calls),
        stop_sequence: None,
        usage: usage.and_then(|raw| read_openai_usage(raw.get().as_bytes())),
        service_tier: completion.service_tier.and_then(|raw| serde_json::from_str(raw.get()).ok()),
        logprobs: choice.logprobs,
    })
}

/// Some vendors say `stop` where tools are to be called, or `tool_calls` where there are none.
pub(super) const fn with_calls(stop: Option<StopReason>, calls: bool) -> Option<StopReason> {
    match stop {
        Some(StopReason::End) | None if calls => Some(StopReason::ToolCalls),
        Some(StopReason::ToolCalls) if !calls => Some(StopReason::End),
        stop => stop,
    }
}

fn parts(message: Message<'_>) -> Vec<Part<'_>> {
    let mut kinds = Vec::new();
    let plain = message.reasoning_content.or(message.reasoning);
    let thinking = reasoning::read(message.reasoning_details, plain);
    kinds.extend(thinking.into_iter().map(PartKind::Thinking));
    if let Some(content) = message.content {
        pieces(content, &mut |piece| match piece {
            Piece::Text(text) => kinds.push(PartKind::Text(text)),
            Piece::Thinking(text) => {
                let (signature, redacted, id) = (None, false, None);
                kinds.push(PartKind::Thinking(Thinking { text, signature, redacted, id }));
            }
        });
    }
    let refusal = message.refusal.filter(|text| !text.is_empty());
    kinds.extend(refusal.map(PartKind::Refusal));
    kinds.extend(images(message.images).map(PartKind::Image));
    let older = message.function_call.map(|function| Call {
        index: None,
        id: None,
        function: Some(function),
        custom: None,
        extra_content: None,
    });
    let calls = message.tool_calls.into_iter().chain(older).filter_map(call_read::whole);
    kinds.extend(calls.map(PartKind::ToolCall));
    kinds.into_iter().map(|kind| Part::new(kind, PartPath::default())).collect()
}

/// The pictures of a message, or of a piece of one.
pub(super) fn images(raw: Option<&RawValue>) -> impl Iterator<Item = Media<'_>> {
    let images: Vec<Image<'_>> =
        raw.and_then(|raw| serde_json::from_str(raw.get()).ok()).unwrap_or_default();
    images.into_iter().map(|image| Media::of_url(image.image_url.url))
}

/// A fault without its position, which says nothing to anybody.
fn plain(fault: &serde_json::Error) -> String {
    let said = fault.to_string();
    said.split(" at line ").next().unwrap_or(&said).to_owned()
}

/// Named here for the readers of both kinds.
pub(super) type Found<'t, 'a> = dyn FnMut(Citation<'a>) + 't;
