//! A whole answer, for a client.
//! <https://platform.openai.com/docs/api-reference/chat/object>

use std::borrow::Cow;

use serde::Serialize;
use serde_json::value::RawValue;

use super::{reasoning_write::DetailOut, usage::Usage};
use crate::translate::{
    Answering,
    additions::Metadata,
    form::{Answer, Citation, Media, Origin, Part, PartKind, Source, StopReason, Text, ToolCall},
};

#[derive(Serialize)]
struct Completion<'r> {
    id: Cow<'r, str>,
    object: &'static str,
    created: i64,
    model: &'r str,
    choices: [Choice<'r>; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<Usage>,
    #[serde(skip_serializing_if = "Option::is_none")]
    service_tier: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<Metadata<'r>>,
}

#[derive(Serialize)]
struct Choice<'r> {
    index: u8,
    message: Message<'r>,
    logprobs: Option<&'r RawValue>,
    finish_reason: &'static str,
}

#[derive(Default, Serialize)]
struct Message<'r> {
    role: &'static str,
    content: Option<Cow<'r, str>>,
    refusal: Option<Cow<'r, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning: Option<Cow<'r, str>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    reasoning_details: Vec<DetailOut<'r>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_calls: Vec<CallOut<'r>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    images: Vec<ImageOut<'r>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    annotations: Vec<Annotation<'r>>,
}

/// A picture that the model made: <https://openrouter.ai/docs/guides/overview/multimodal/image-generation>.
#[derive(Serialize)]
pub(super) struct ImageOut<'r> {
    #[serde(rename = "type")]
    kind: &'static str,
    image_url: Url<'r>,
    index: usize,
}

#[derive(Serialize)]
struct Url<'r> {
    url: Cow<'r, str>,
}

impl<'r> ImageOut<'r> {
    /// None where the bytes are elsewhere.
    pub(super) fn of(media: &'r Media<'_>, index: usize) -> Option<Self> {
        let url = url_of(&media.source, media.mime.as_ref())?;
        Some(Self { kind: "image_url", image_url: Url { url }, index })
    }
}

/// A source. Strict clients refuse entries of another type, or with members missing.
#[derive(Serialize)]
pub(super) struct Annotation<'r> {
    #[serde(rename = "type")]
    kind: &'static str,
    url_citation: UrlCitation<'r>,
    /// Which of the message's it is, in streams: `OpenAI`'s SDK puts lists together by it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) index: Option<usize>,
}

#[derive(Serialize)]
struct UrlCitation<'r> {
    start_index: u64,
    end_index: u64,
    url: &'r str,
    title: &'r str,
}

impl<'r> Annotation<'r> {
    /// Of a page; documents of the request have no place here. `end`: where the text ends, characters,
    /// for vendors that say no place.
    pub(super) fn of(citation: &'r Citation<'_>, end: u64) -> Option<Self> {
        let url = citation.url.as_deref()?;
        let (start_index, end_index) = citation.span.unwrap_or((end, end));
        let title = citation.title.as_deref().unwrap_or(url);
        let url_citation = UrlCitation { start_index, end_index, url, title };
        Some(Self { kind: "url_citation", url_citation, index: None })
    }
}

/// A call of a tool.
#[derive(Serialize)]
pub(super) struct CallOut<'r> {
    /// In streams only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub index: Option<usize>,
    pub id: Cow<'r, str>,
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    function: Option<FunctionOut<'r>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    custom: Option<CustomOut<'r>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extra_content: Option<Extra<'r>>,
}

#[derive(Serialize)]
struct FunctionOut<'r> {
    name: &'r str,
    arguments: &'r str,
}

#[derive(Serialize)]
struct CustomOut<'r> {
    name: &'r str,
    input: &'r str,
}

/// Gemini's signature, where its own `OpenAI` API has it.
#[derive(Serialize)]
pub(super) struct Extra<'r> {
    google: GoogleOut<'r>,
}

#[derive(Serialize)]
struct GoogleOut<'r> {
    thought_signature: &'r str,
}

impl<'r> CallOut<'r> {
    pub(super) fn new(id: &'r str, name: &'r str, arguments: &'r str, custom: bool) -> Self {
        let function = (!custom).then_some(FunctionOut { name, arguments });
        let own = custom.then_some(CustomOut { name, input: arguments });
        let kind = if custom { "custom" } else { "function" };
        let id = Cow::Borrowed(id);
        Self { index: None, id, kind, function, custom: own, extra_content: None }
    }

    pub(super) fn of(call: &'r ToolCall<'_>) -> Self {
        let arguments = match &*call.arguments {
            "" if !call.custom => "{}",
            arguments => arguments,
        };
        let extra_content = call.signature.as_ref().and_then(Extra::of);
        Self { extra_content, ..Self::new(&call.id, &call.name, arguments, call.custom) }
    }
}

impl<'r> Extra<'r> {
    pub(super) fn of(signature: &'r crate::translate::form::Signature<'_>) -> Option<Self> {
        let own = signature.origin == Origin::Google;
        own.then(|| Self { google: GoogleOut { thought_signature: &signature.value } })
    }
}

/// The API's word for why an answer ended.
pub(super) const fn finish_reason(stop: Option<StopReason>, calls: bool) -> &'static str {
    match stop {
        None | Some(StopReason::End | StopReason::ToolCalls) if calls => "tool_calls",
        Some(StopReason::Length | StopReason::ContextWindow) => "length",
        Some(StopReason::ContentFilter | StopReason::Refusal) => "content_filter",
        None
        | Some(
            StopReason::End | StopReason::StopSequence | StopReason::Pause | StopReason::ToolCalls,
        ) => "stop",
    }
}

/// The id and the model that a client is told. `prefix` stands before an id that is made.
pub fn identity<'r>(
    id: Option<&'r str>,
    model: Option<&'r str>,
    prefix: &str,
    context: &'r Answering,
) -> (Cow<'r, str>, &'r str) {
    let made = || Cow::Owned(format!("{prefix}{}", context.seed));
    let id = id.filter(|id| !id.is_empty()).map_or_else(made, Cow::Borrowed);
    let named = model.filter(|model| !model.is_empty() && !context.force_model);
    (id, named.unwrap_or(&context.model))
}

/// Writes an answer's body.
pub fn write_answer(answer: &Answer<'_>, context: &Answering) -> Vec<u8> {
    let (id, model) = identity(answer.id.as_deref(), answer.model.as_deref(), "chatcmpl-", context);
    let additions = context.additions.as_ref();
    let message = message(answer);
    let calls = !message.tool_calls.is_empty();
    let completion = Completion {
        id,
        object: "chat.completion",
        created: answer.created.unwrap_or(context.created),
        model,
        choices: [Choice {
            index: 0,
            message,
            logprobs: answer.logprobs,
            finish_reason: finish_reason(answer.stop, calls),
        }],
        usage: answer.usage.as_ref().map(|usage| Usage::of(usage, additions)),
        service_tier: answer.service_tier.as_deref(),
        metadata: additions.map(|additions| additions.metadata(Some(model))),
    };
    // Strings and numbers always serialize.
    serde_json::to_vec(&completion).unwrap_or_default()
}

fn message<'r>(answer: &'r Answer<'_>) -> Message<'r> {
    let mut message = Message { role: "assistant", ..Message::default() };
    for Part { kind, .. } in &answer.parts {
        match kind {
            PartKind::Text(text) => append(&mut message.content, text),
            PartKind::Refusal(text) => append(&mut message.refusal, text),
            PartKind::Thinking(thinking) => {
                if !thinking.redacted {
                    append(&mut message.reasoning, &thinking.text);
                }
                let index = message.reasoning_details.len();
                message.reasoning_details.push(DetailOut::whole(thinking, index));
            }
            PartKind::ToolCall(call) => message.tool_calls.push(CallOut::of(call)),
            PartKind::Image(media) => {
                let index = message.images.len();
                message.images.extend(ImageOut::of(media, index));
            }
            // The vendor's own tools and their results are not shown.
            PartKind::Other { .. }
            | PartKind::ToolResult(_)
            | PartKind::Audio(_)
            | PartKind::Document(_) => {}
        }
    }
    if !answer.citations.is_empty() {
        let text = message.content.as_deref().unwrap_or_default();
        let end = u64::try_from(text.chars().count()).unwrap_or(u64::MAX);
        let sources = answer.citations.iter();
        message.annotations = sources.filter_map(|one| Annotation::of(one, end)).collect();
    }
    message
}

fn append<'r>(all: &mut Option<Cow<'r, str>>, text: &'r str) {
    match all {
        _ if text.is_empty() => {}
        None => *all = Some(Cow::Borrowed(text)),
        Some(all) => all.to_mut().push_str(text),
    }
}

fn url_of<'r>(source: &'r Source<'_>, mime: Option<&'r Text<'_>>) -> Option<Cow<'r, str>> {
    match source {
        Source::Base64(data) => {
            let mime = mime.map_or("image/png", |mime| mime);
            Some(Cow::Owned(format!("data:{mime};base64,{}", &**data)))
        }
        Source::Url(url) => Some(Cow::Borrowed(url)),
        Source::Text(_) | Source::File(_) => None,
    }
}
