//! A streamed answer, for a client.
//! <https://platform.openai.com/docs/api-reference/chat-streaming>
//!
//! Every chunk has exactly one choice with an object as its `delta`, because clients read
//! `chunk.choices[0].delta` without looking. The last chunk before `[DONE]` has the figures.

use serde::Serialize;

use super::{
    answer_write::{Annotation, CallOut, Extra, ImageOut, finish_reason, identity},
    reasoning_write::DetailOut,
    usage::Usage,
};
use crate::{
    dialect::{GatewayError, StreamError, errors::openai_kind},
    domain::{Endpoint, TokenUsage},
    translate::{
        Answering, StreamWriter,
        additions::Metadata,
        form::{Citation, Event, Media, StopReason},
    },
};

const DONE: &[u8] = b"data: [DONE]\n\n";
/// Behind a delta: the rest of its chunk.
const NO_FINISH: &[u8] = b",\"logprobs\":null,\"finish_reason\":null}]}\n\n";

/// Writes chat completion chunks.
pub struct Writer {
    context: Answering,
    /// Everything before the delta, the same in every chunk; empty before the first.
    head: Vec<u8>,
    model: String,
    calls: Vec<Call>,
    thinking: Block,
    pictures: usize,
    sources: usize,
    /// Characters of text so far, for sources.
    written: u64,
    stop: Option<StopReason>,
    usage: Option<TokenUsage>,
}

/// A call that has begun.
struct Call {
    number: usize,
    custom: bool,
    has_arguments: bool,
}

/// Which block of thinking is being written.
#[derive(Default)]
struct Block {
    index: usize,
    open: bool,
}

impl Block {
    /// The index of the block that a piece belongs to.
    const fn enter(&mut self) -> usize {
        self.open = true;
        self.index
    }

    const fn close(&mut self) {
        if self.open {
            self.open = false;
            self.index += 1;
        }
    }
}

/// What is new.
#[derive(Default, Serialize)]
struct Delta<'r> {
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refusal: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning_details: Option<[DetailOut<'r>; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_calls: Option<[CallDelta<'r>; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    annotations: Option<[Annotation<'r>; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    images: Option<[ImageOut<'r>; 1]>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum CallDelta<'r> {
    Begin(CallOut<'r>),
    More { index: usize, function: MoreArguments<'r> },
    MoreText { index: usize, custom: MoreInput<'r> },
}

#[derive(Serialize)]
struct MoreArguments<'r> {
    arguments: &'r str,
}

#[derive(Serialize)]
struct MoreInput<'r> {
    input: &'r str,
}

/// The members of the last chunk behind its choice.
#[derive(Serialize)]
struct Figures<'r> {
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<Usage>,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<Metadata<'r>>,
}

impl Writer {
    /// For one answer.
    pub const fn new(context: Answering) -> Self {
        Self {
            context,
            head: Vec::new(),
            model: String::new(),
            calls: Vec::new(),
            thinking: Block { index: 0, open: false },
            pictures: 0,
            sources: 0,
            written: 0,
            stop: None,
            usage: None,
        }
    }

    fn start(&mut self, id: Option<&str>, model: Option<&str>, out: &mut Vec<u8>) {
        let (id, model) = identity(id, model, "chatcmpl-", &self.context);
        let (model_text, created) = (model.to_owned(), self.context.created);
        let mut head = b"data: {\"id\":".to_vec();
        json(&mut head, &id);
        head.extend_from_slice(b",\"object\":\"chat.completion.chunk\",\"created\":");
        json(&mut head, &created);
        head.extend_from_slice(b",\"model\":");
        json(&mut head, model);
        head.extend_from_slice(b",\"choices\":[{\"index\":0,\"delta\":");
        (self.head, self.model) = (head, model_text);
        self.chunk(&Delta { role: Some("assistant"), content: Some(""), ..Delta::default() }, out);
    }

    fn chunk(&self, delta: &Delta<'_>, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.head);
        json(out, delta);
        out.extend_from_slice(NO_FINISH);
    }

    fn thinking(&mut self, text: &str, out: &mut Vec<u8>) {
        let index = self.thinking.enter();
        let details = Some([DetailOut::words(text, index)]);
        let delta = Delta { reasoning: Some(text), reasoning_details: details, ..Delta::default() };
        self.chunk(&delta, out);
    }

    fn detail(&mut self, detail: DetailOut<'_>, out: &mut Vec<u8>) {
        self.chunk(&Delta { reasoning_details: Some([detail]), ..Delta::default() }, out);
        self.thinking.open = true;
        self.thinking.close();
    }

    fn text(&mut self, text: &str, out: &mut Vec<u8>) {
        self.thinking.close();
        self.written += u64::try_from(text.chars().count()).unwrap_or(0);
        self.chunk(&Delta { content: Some(text), ..Delta::default() }, out);
    }

    fn call(&mut self, number: usize, mut call: CallOut<'_>, custom: bool, out: &mut Vec<u8>) {
        self.thinking.close();
        call.index = Some(self.calls.len());
        self.calls.push(Call { number, custom, has_arguments: false });
        let begin = CallDelta::Begin(call);
        self.chunk(&Delta { tool_calls: Some([begin]), ..Delta::default() }, out);
    }

    fn arguments(&mut self, number: usize, fragment: &str, out: &mut Vec<u8>) {
        let mut calls = self.calls.iter_mut().enumerate();
        let Some((index, call)) = calls.find(|(_, call)| call.number == number) else { return };
        call.has_arguments |= !fragment.trim().is_empty();
        let custom = call.custom;
        self.more(index, fragment, custom, out);
    }

    fn more(&self, index: usize, fragment: &str, custom: bool, out: &mut Vec<u8>) {
        let more = if custom {
            CallDelta::MoreText { index, custom: MoreInput { input: fragment } }
        } else {
            CallDelta::More { index, function: MoreArguments { arguments: fragment } }
        };
        self.chunk(&Delta { tool_calls: Some([more]), ..Delta::default() }, out);
    }

    fn citation(&mut self, citation: &Citation<'_>, out: &mut Vec<u8>) {
        if let Some(mut annotation) = Annotation::of(citation, self.written) {
            annotation.index = Some(self.sources);
            self.sources += 1;
            self.chunk(&Delta { annotations: Some([annotation]), ..Delta::default() }, out);
        }
    }

    fn picture(&mut self, media: &Media<'_>, out: &mut Vec<u8>) {
        self.thinking.close();
        if let Some(image) = ImageOut::of(media, self.pictures) {
            self.pictures += 1;
            self.chunk(&Delta { images: Some([image]), ..Delta::default() }, out);
        }
    }

    /// Ends a complete stream: the finish, then the figures, then `[DONE]`.
    fn finish(&mut self, out: &mut Vec<u8>) {
        for (index, call) in self.calls.iter().enumerate() {
            if !call.has_arguments && !call.custom {
                self.more(index, "{}", false, out);
            }
        }
        out.extend_from_slice(&self.head);
        out.extend_from_slice(b"{},\"logprobs\":null,\"finish_reason\":");
        json(out, finish_reason(self.stop, !self.calls.is_empty()));
        out.extend_from_slice(b"}]}\n\n");
        let additions = self.context.additions.as_ref();
        if self.usage.is_some() || additions.is_some() {
            let figures = Figures {
                usage: self.usage.as_ref().map(|usage| Usage::of(usage, additions)),
                metadata: additions.map(|additions| additions.metadata(Some(&self.model))),
            };
            out.extend_from_slice(&self.head);
            out.extend_from_slice(b"{},\"logprobs\":null,\"finish_reason\":null}],");
            let before = out.len();
            json(out, &figures);
            // The members go on in the chunk's own object.
            out.remove(before);
            out.extend_from_slice(b"\n\n");
        }
        out.extend_from_slice(DONE);
    }
}

impl StreamWriter for Writer {
    fn write(&mut self, event: Event<'_>, out: &mut Vec<u8>) {
        let begins = !matches!(event, Event::Start { .. } | Event::Ping | Event::Failed(_));
        if self.head.is_empty() && begins {
            self.start(None, None, out);
        }
        match event {
            Event::Start { id, model } => {
                if self.head.is_empty() {
                    self.start(id.as_deref(), model.as_deref(), out);
                }
            }
            Event::Text(text) if !text.is_empty() => self.text(&text, out),
            Event::Thinking(text) if !text.is_empty() => self.thinking(&text, out),
            Event::Signature(signature) => {
                let index = self.thinking.index;
                self.detail(DetailOut::proof(&signature, index), out);
            }
            Event::Redacted(signature) => {
                self.thinking.close();
                let index = self.thinking.index;
                self.detail(DetailOut::redacted(&signature, index), out);
            }
            Event::BlockEnd => self.thinking.close(),
            Event::ToolCall { call, id, name, signature, custom } => {
                let mut begin = CallOut::new(&id, &name, "", custom);
                begin.extra_content = signature.as_ref().and_then(Extra::of);
                self.call(call, begin, custom, out);
            }
            Event::Arguments { call, fragment } if !fragment.is_empty() => {
                self.arguments(call, &fragment, out);
            }
            Event::Citation(citation) => self.citation(&citation, out),
            Event::Image(image) => self.picture(&image, out),
            Event::Refusal(text) if !text.is_empty() => {
                self.chunk(&Delta { refusal: Some(&text), ..Delta::default() }, out);
            }
            Event::Text(_) | Event::Thinking(_) | Event::Arguments { .. } | Event::Refusal(_) => {}
            Event::Stop { reason, .. } => self.stop = Some(reason),
            Event::Usage(usage) => self.usage = Some(usage),
            Event::Ping => out.extend_from_slice(b": ping\n\n"),
            Event::Failed(error) => write_failure(&error, out),
            Event::Done => self.finish(out),
        }
    }

    fn abort(&mut self, error: &GatewayError, out: &mut Vec<u8>) {
        out.extend_from_slice(&error.stream_event(Endpoint::ChatCompletions));
    }

    fn carries_pictures(&self) -> bool {
        true
    }
}

#[derive(Serialize)]
struct Failure<'r> {
    error: FailureInner<'r>,
}

#[derive(Serialize)]
struct FailureInner<'r> {
    message: &'r str,
    #[serde(rename = "type")]
    kind: &'static str,
    param: Option<&'r str>,
    code: &'r str,
}

/// A vendor's error in the stream, and the end of it.
pub fn write_failure(error: &StreamError, out: &mut Vec<u8>) {
    let (message, code) = (error.message.as_str(), error.kind.as_str());
    let kind = openai_kind(error.status);
    out.extend_from_slice(b"data: ");
    json(out, &Failure { error: FailureInner { message, kind, param: None, code } });
    out.extend_from_slice(b"\n\n");
    out.extend_from_slice(DONE);
}

/// Strings and numbers always serialize, and a vector takes all that is written.
pub(super) fn json(out: &mut Vec<u8>, value: &(impl Serialize + ?Sized)) {
    let _ = serde_json::to_writer(out, value);
}
