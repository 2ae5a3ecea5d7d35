//! A streamed answer as clients get it.
//! <https://platform.openai.com/docs/api-reference/responses-streaming>
//!
//! One message or reasoning item is open at a time; calls stay open until their arguments are whole, as
//! fragments of several may be interleaved. Items begin and end exactly once, and their indexes are
//! dense: the SDKs find them by position.
//! <https://github.com/openai/openai-python/blob/main/src/openai/lib/streaming/responses/_responses.py>

use super::{
    super::{
        Answering, StreamWriter,
        form::{Citation, Event, Media, Signature, Source, StopReason},
    },
    carried::{Proof, carry},
    item_ids::{REASONING, item_id},
    open_items::{Body, Record, Said},
    output_items::{Annotation, Logprobs, Summary},
    response_out::{ErrorOut, Head, ResponseOut, Status, asked, incomplete, model, response_id},
    steps_out::{PartOut, Step, arguments_delta, emit, place, thought},
};
use crate::{
    dialect::{GatewayError, StreamError, errors::openai_kind},
    domain::{Endpoint, TokenUsage},
};

/// The state between two events.
pub struct Writer {
    context: Answering,
    id: String,
    model: String,
    begun: bool,
    sequence: u64,
    items: Vec<Record>,
    /// The message or reasoning item that is open.
    open: Option<usize>,
    /// The item of each call.
    calls: Vec<usize>,
    /// Characters of text in the parts that are whole.
    chars: u64,
    stop: Option<StopReason>,
    usage: Option<TokenUsage>,
}

impl StreamWriter for Writer {
    fn write(&mut self, event: Event<'_>, out: &mut Vec<u8>) {
        match event {
            Event::Start { id, model } => self.begin(id.as_deref(), model.as_deref(), out),
            Event::Text(text) => self.say(&text, false, out),
            Event::Refusal(words) => self.say(&words, true, out),
            Event::Thinking(words) => self.think(&words, out),
            Event::Signature(signature) => self.prove(&signature, out),
            Event::Redacted(signature) => self.proof(&signature, Proof::Redacted, out),
            Event::BlockEnd => {
                // A message goes on: vendors cut their text where a citation begins.
                let is_reasoning = |item: &Record| item.is_reasoning();
                if self.open.and_then(|at| self.items.get(at)).is_some_and(is_reasoning) {
                    self.close_open("completed", out);
                }
            }
            // Calls are numbered in their order.
            Event::ToolCall { call: _, id, name, signature, custom } => {
                self.call((&*id, &*name, custom), signature.as_ref(), out);
            }
            Event::Arguments { call, fragment } => self.arguments(call, &fragment, out),
            Event::Citation(citation) => self.cite(&citation, out),
            Event::Stop { reason, .. } => self.stop = Some(reason),
            Event::Usage(usage) => self.usage = Some(usage),
            Event::Image(media) => self.picture(&media, out),
            Event::Ping => out.extend_from_slice(b": ping\n\n"),
            Event::Failed(error) => self.failed(&error, out),
            Event::Done => self.complete(out),
        }
    }

    fn abort(&mut self, error: &GatewayError, out: &mut Vec<u8>) {
        let code = failure_code(error.status, error.code.unwrap_or_default());
        self.fail(error, code, out);
    }

    fn carries_pictures(&self) -> bool {
        true
    }
}

impl Writer {
    /// For one answer.
    pub fn new(context: Answering) -> Self {
        Self {
            id: response_id(None, &context).into_owned(),
            model: context.model.as_ref().to_owned(),
            context,
            begun: false,
            sequence: 0,
            items: Vec::new(),
            open: None,
            calls: Vec::new(),
            chars: 0,
            stop: None,
            usage: None,
        }
    }

    fn begin(&mut self, id: Option<&str>, named: Option<&str>, out: &mut Vec<u8>) {
        if self.begun {
            return;
        }
        self.begun = true;
        self.id = response_id(id, &self.context).into_owned();
        model(named, &self.context).clone_into(&mut self.model);
        for kind in ["response.created", "response.in_progress"] {
            self.response(kind, Status::InProgress, out);
        }
    }

    /// An event that carries the whole response.
    fn response(&mut self, kind: &'static str, status: Status<'_>, out: &mut Vec<u8>) {
        let Self { id, model, context, items, usage, sequence, .. } = self;
        let head =
            Head { id, created: context.created, model, service_tier: None, asked: asked(context) };
        let output = items.iter().map(Record::view).collect();
        let response = Some(ResponseOut::new(head, status, output, usage.as_ref()));
        emit(sequence, out, Step { kind, response, ..Step::default() });
    }

    /// Adds an item and says so; answers its index.
    fn add(&mut self, prefix: &str, body: Body, out: &mut Vec<u8>) -> usize {
        self.begin(None, None, out);
        let index = self.items.len();
        let id = item_id(prefix, &self.context, index);
        self.items.push(Record { id, status: "in_progress", body });
        let item = self.items.last().map(Record::view);
        let kind = "response.output_item.added";
        let step = Step { kind, output_index: Some(index), item, ..Step::default() };
        emit(&mut self.sequence, out, step);
        index
    }

    /// Ends the item that is open and opens another; answers its index.
    fn begin_item(&mut self, prefix: &str, body: Body, out: &mut Vec<u8>) -> usize {
        self.close_open("completed", out);
        let at = self.add(prefix, body, out);
        self.open = Some(at);
        at
    }

    fn say(&mut self, words: &str, refusal: bool, out: &mut Vec<u8>) {
        if words.is_empty() {
            return;
        }
        let at = self.message(refusal, out);
        let Self { items, sequence, .. } = self;
        let Some(Record { id, body: Body::Message(parts), .. }) = items.get_mut(at) else { return };
        let content_index = parts.len().saturating_sub(1);
        let Some(part) = parts.last_mut() else { return };
        part.text.push_str(words);
        let (kind, logprobs) = if refusal {
            ("response.refusal.delta", None)
        } else {
            ("response.output_text.delta", Some(Logprobs(None)))
        };
        let step = Step { kind, delta: Some(words), logprobs, ..place(id, at, content_index) };
        emit(sequence, out, step);
    }

    /// The open message, its last part one for text or one for a refusal.
    fn message(&mut self, refusal: bool, out: &mut Vec<u8>) -> usize {
        let open = self.open.filter(|at| {
            matches!(self.items.get(*at), Some(Record { body: Body::Message(_), .. }))
        });
        let at = open.unwrap_or_else(|| self.begin_item("msg", Body::Message(Vec::new()), out));
        let last = match self.items.get(at) {
            Some(Record { body: Body::Message(parts), .. }) => {
                parts.last().map(|part| part.refusal)
            }
            _ => None,
        };
        if last != Some(refusal) {
            self.close_part(at, out);
            let Self { items, sequence, chars, .. } = self;
            if let Some(Record { id, body: Body::Message(parts), .. }) = items.get_mut(at) {
                let content_index = parts.len();
                parts.push(Said::new(refusal, *chars));
                let part = parts.last().map(|part| PartOut::Content(part.view()));
                let kind = "response.content_part.added";
                emit(sequence, out, Step { kind, part, ..place(id, at, content_index) });
            }
        }
        at
    }

    /// Ends the last part of a message.
    fn close_part(&mut self, at: usize, out: &mut Vec<u8>) {
        let Self { items, sequence, chars, .. } = self;
        let Some(Record { id, body: Body::Message(parts), .. }) = items.get(at) else { return };
        let Some(part) = parts.last() else { return };
        let content_index = parts.len().saturating_sub(1);
        let words = Some(&*part.text);
        let step = if part.refusal {
            Step { kind: "response.refusal.done", refusal: words, ..Step::default() }
        } else {
            *chars += part.text.chars().count() as u64;
            let logprobs = Some(Logprobs(None));
            Step { kind: "response.output_text.done", text: words, logprobs, ..Step::default() }
        };
        let Step { item_id, output_index, content_index, .. } = place(id, at, content_index);
        emit(sequence, out, Step { item_id, output_index, content_index, ..step });
        let part = Some(PartOut::Content(part.view()));
        let kind = "response.content_part.done";
        let step = Step { kind, item_id, output_index, content_index, part, ..Step::default() };
        emit(sequence, out, step);
    }

    /// Tells a source at the text that rests on it, also where that is whole by then.
    fn cite(&mut self, citation: &Citation<'_>, out: &mut Vec<u8>) {
        let Some((at, content_index)) = self.cited(citation) else { return };
        let Self { items, sequence, .. } = self;
        let Some(Record { id, body: Body::Message(parts), .. }) = items.get_mut(at) else { return };
        let Some(part) = parts.get_mut(content_index) else { return };
        let length = part.text.chars().count() as u64;
        let Some(annotation) = Annotation::of(citation, part.start, length) else { return };
        let annotation_index = Some(part.annotations.len());
        part.annotations.push(annotation.into_owned());
        let step = Step {
            kind: "response.output_text.annotation.added",
            annotation_index,
            annotation: part.annotations.last(),
            ..place(id, at, content_index)
        };
        emit(sequence, out, step);
    }

    /// The item and the part in which a passage begins; the last text where it says no place.
    fn cited(&self, citation: &Citation<'_>) -> Option<(usize, usize)> {
        let start = citation.span.map_or(u64::MAX, |(start, _)| start);
        let places = self.items.iter().enumerate().rev().flat_map(|(at, item)| {
            let parts: &[Said] = match &item.body {
                Body::Message(parts) => parts,
                Body::Reasoning { .. } | Body::Picture(_) | Body::Call { .. } => &[],
            };
            parts.iter().enumerate().rev().map(move |(index, part)| (at, index, part))
        });
        let mut texts = places.filter(|(.., part)| !part.refusal && part.start <= start);
        texts.next().map(|(at, index, _)| (at, index))
    }

    fn think(&mut self, words: &str, out: &mut Vec<u8>) {
        if words.is_empty() {
            return;
        }
        let goes_on = self.open.filter(|at| {
            matches!(
                self.items.get(*at),
                Some(Record { body: Body::Reasoning { proof: None, .. }, .. })
            )
        });
        let at = goes_on.unwrap_or_else(|| {
            let body = Body::Reasoning { text: String::new(), proof: None };
            self.begin_item(REASONING, body, out)
        });
        let Self { items, sequence, .. } = self;
        let Some(Record { id, body: Body::Reasoning { text, .. }, .. }) = items.get_mut(at) else {
            return;
        };
        if text.is_empty() {
            let kind = "response.reasoning_summary_part.added";
            let part = Some(PartOut::Summary(Summary::new("")));
            emit(sequence, out, Step { kind, part, ..thought(id, at) });
        }
        text.push_str(words);
        let kind = "response.reasoning_summary_text.delta";
        emit(sequence, out, Step { kind, delta: Some(words), ..thought(id, at) });
    }

    /// Proves the thinking that is open; else what came before it, in an item of its own.
    fn prove(&mut self, signature: &Signature<'_>, out: &mut Vec<u8>) {
        if let Some(Record { body: Body::Reasoning { proof: proof @ None, .. }, .. }) =
            self.open.and_then(|at| self.items.get_mut(at))
        {
            *proof = Some(carry(signature, Proof::Thinking).into_owned());
        } else {
            self.proof(signature, Proof::Thinking, out);
        }
    }

    /// A reasoning item without words.
    fn proof(&mut self, signature: &Signature<'_>, proof: Proof, out: &mut Vec<u8>) {
        let proof = Some(carry(signature, proof).into_owned());
        let body = Body::Reasoning { text: String::new(), proof };
        self.begin_item(REASONING, body, out);
        self.close_open("completed", out);
    }

    /// An item of its own, which comes whole.
    fn picture(&mut self, media: &Media<'_>, out: &mut Vec<u8>) {
        let Source::Base64(data) = &media.source else { return };
        let at = self.begin_item("ig", Body::Picture((**data).to_owned()), out);
        self.picture_step("response.image_generation_call.in_progress", at, out);
        self.close_open("completed", out);
    }

    fn picture_step(&mut self, kind: &'static str, at: usize, out: &mut Vec<u8>) {
        let Self { items, sequence, .. } = self;
        let Some(Record { id, .. }) = items.get(at) else { return };
        let (item_id, output_index) = (Some(&**id), Some(at));
        emit(sequence, out, Step { kind, item_id, output_index, ..Step::default() });
    }

    fn call(
        &mut self,
        (id, name, custom): (&str, &str, bool),
        signature: Option<&Signature<'_>>,
        out: &mut Vec<u8>,
    ) {
        self.close_open("completed", out);
        for index in 0..self.calls.len() {
            let whole = self.calls.get(index).and_then(|at| Some((*at, self.items.get(*at)?)));
            match whole {
                Some((at, item)) if item.is_whole_call() => self.close(at, "completed", out),
                _ => {}
            }
        }
        if let Some(signature) = signature {
            self.proof(signature, Proof::Call, out);
        }
        let (call_id, name) = (id.to_owned(), name.to_owned());
        let body = Body::Call { call_id, name, arguments: String::new(), custom };
        let at = self.add(if custom { "ctc" } else { "fc" }, body, out);
        self.calls.push(at);
    }

    fn arguments(&mut self, call: usize, fragment: &str, out: &mut Vec<u8>) {
        let Some(at) = self.calls.get(call).copied() else { return };
        let Self { items, sequence, .. } = self;
        let Some(Record { id, status: "in_progress", body: Body::Call { arguments, custom, .. } }) =
            items.get_mut(at)
        else {
            return;
        };
        if fragment.is_empty() {
            return;
        }
        arguments.push_str(fragment);
        emit(sequence, out, arguments_delta(id, at, fragment, *custom));
    }

    fn close_open(&mut self, status: &'static str, out: &mut Vec<u8>) {
        if let Some(at) = self.open.take() {
            self.close(at, status, out);
        }
    }

    /// Ends an item, unless it has ended.
    fn close(&mut self, at: usize, status: &'static str, out: &mut Vec<u8>) {
        match self.items.get_mut(at) {
            Some(item) if item.status == "in_progress" => item.status = status,
            _ => return,
        }
        self.close_part(at, out);
        if matches!(self.items.get(at), Some(Record { body: Body::Picture(_), .. })) {
            self.picture_step("response.image_generation_call.completed", at, out);
        }
        let Self { items, sequence, .. } = self;
        let Some(item) = items.get_mut(at) else { return };
        let Record { id, body, .. } = &mut *item;
        match body {
            Body::Message(_) | Body::Picture(_) => {}
            Body::Reasoning { text, .. } if text.is_empty() => {}
            Body::Reasoning { text, .. } => {
                let kind = "response.reasoning_summary_text.done";
                emit(sequence, out, Step { kind, text: Some(text), ..thought(id, at) });
                let kind = "response.reasoning_summary_part.done";
                let part = Some(PartOut::Summary(Summary::new(text)));
                emit(sequence, out, Step { kind, part, ..thought(id, at) });
            }
            Body::Call { name, arguments, custom, .. } => {
                if arguments.is_empty() && !*custom {
                    // A call without arguments: clients parse what they have.
                    arguments.push_str("{}");
                    emit(sequence, out, arguments_delta(id, at, "{}", false));
                }
                let (item_id, output_index) = (Some(&**id), Some(at));
                let step = Step { item_id, output_index, ..Step::default() };
                let step = if *custom {
                    let kind = "response.custom_tool_call_input.done";
                    Step { kind, input: Some(arguments), ..step }
                } else {
                    let kind = "response.function_call_arguments.done";
                    Step { kind, name: Some(name), arguments: Some(arguments), ..step }
                };
                emit(sequence, out, step);
            }
        }
        let kind = "response.output_item.done";
        let step =
            Step { kind, output_index: Some(at), item: Some(item.view()), ..Step::default() };
        emit(sequence, out, step);
    }

    fn complete(&mut self, out: &mut Vec<u8>) {
        self.begin(None, None, out);
        let cut = incomplete(self.stop).is_some();
        let status = if cut { "incomplete" } else { "completed" };
        self.close_open(status, out);
        for at in 0..self.items.len() {
            self.close(at, status, out);
        }
        let kind = if cut { "response.incomplete" } else { "response.completed" };
        self.response(kind, Status::Ended(self.stop), out);
    }

    fn failed(&mut self, error: &StreamError, out: &mut Vec<u8>) {
        let told = GatewayError::new(error.status, openai_kind(error.status), &*error.message);
        self.fail(&told, failure_code(error.status, &error.kind), out);
    }

    /// The SDKs raise on the `error` event; others, Codex among them, wait for `response.failed`.
    fn fail(&mut self, error: &GatewayError, code: &'static str, out: &mut Vec<u8>) {
        out.extend_from_slice(&error.numbered_event(Endpoint::Responses, self.sequence));
        self.sequence += 1;
        if self.begun {
            let status = Status::Failed(ErrorOut { code, message: &error.message });
            self.response("response.failed", status, out);
        }
    }
}

/// `response.error.code`: few words, and those that clients act on.
fn failure_code(status: u16, kind: &str) -> &'static str {
    match (kind, status) {
        ("context_length_exceeded", _) => "context_length_exceeded",
        ("insufficient_quota", _) => "insufficient_quota",
        (_, 429) => "rate_limit_exceeded",
        (_, 400..=499) => "invalid_prompt",
        _ => "server_error",
    }
}
