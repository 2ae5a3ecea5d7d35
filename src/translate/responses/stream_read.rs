//! A vendor's stream, read event by event.
//! <https://platform.openai.com/docs/api-reference/responses-streaming>

use serde::Serialize;
use serde_json::value::RawValue;

use super::{
    super::{
        StreamReader,
        form::{Event, Events, Origin, Signature, Text},
    },
    events_in::EventIn,
    items_in::{ItemIn, ResponseIn, citation, item},
};
use crate::dialect::{StreamError, read_openai_usage};

/// The state between two events.
#[derive(Default)]
pub struct Reader {
    phase: Phase,
    calls: Vec<Call>,
    /// Characters of text in the parts that are whole: annotations count in their own part.
    chars_before: u64,
    /// Characters of the part that is open, if one is.
    part: Option<u64>,
    /// Words of a refusal have come in the part that is open.
    refused: bool,
    /// The message that is open has said something.
    said: bool,
    thinking: Thinking,
}

/// Where the stream is.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Phase {
    /// Before the announcement.
    #[default]
    Before,
    /// Behind it.
    Running,
    /// Behind the end or an error.
    Over,
}

/// A call, by the index of its item.
struct Call {
    output_index: u64,
    /// Some of its arguments have come.
    has_arguments: bool,
}

/// The reasoning item that is open.
#[derive(Default)]
struct Thinking {
    /// What its words came as; the other form says the same again.
    form: Option<Form>,
    /// Index of the summary part, or of the content, that the last words were of.
    part: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Summary,
    Full,
}

impl StreamReader for Reader {
    fn read(&mut self, name: &[u8], data: &[u8], to: &mut Events<'_>) {
        if self.phase == Phase::Over || data == b"[DONE]" {
            return;
        }
        let Ok(event) = serde_json::from_slice::<EventIn<'_>>(data) else {
            self.fail(unreadable(), to);
            return;
        };
        let name = std::str::from_utf8(name).unwrap_or_default();
        let kind = event.kind.clone();
        let kind = kind.as_deref().unwrap_or(name);
        match kind {
            "response.created" | "response.in_progress" | "response.queued" => {
                self.start(&event, to);
            }
            "response.completed" | "response.incomplete" | "response.done" => self.end(&event, to),
            "response.failed" | "response.cancelled" => {
                let response: ResponseIn<'_> = parsed(event.response);
                let error = response.error.or(event.error).map_or("{}", |error| error.get());
                self.fail(StreamError::of(error.as_bytes()), to);
            }
            "error" => {
                let nested = event.error.filter(|error| error.get().starts_with('{'));
                self.fail(nested.map_or_else(|| flat(&event), read_error), to);
            }
            "keepalive" | "ping" => to(Event::Ping),
            _ if event.error.is_some_and(|error| error.get().starts_with('{'))
                && !kind.starts_with("response.") =>
            {
                // A server that fails in the manner of its other endpoints.
                self.fail(StreamError::of(data), to);
            }
            _ => self.content(kind, event, to),
        }
    }

    fn end(&mut self, _to: &mut Events<'_>) {
        // Every ending of this API is an event.
    }
}

impl Reader {
    fn content(&mut self, kind: &str, event: EventIn<'_>, to: &mut Events<'_>) {
        if self.phase == Phase::Before && kind.starts_with("response.") {
            // A server that leaves out the announcement.
            self.start(&event, to);
        }
        match kind {
            "response.output_item.added" => self.added(&event, to),
            "response.output_item.done" => self.done(&event, to),
            "response.output_text.delta" => self.text(event.delta, to),
            "response.output_text.done" if self.part.is_none() => self.text(event.text, to),
            "response.content_part.done" => self.part_end(to),
            "response.output_text.annotation.added" => {
                let offset = self.chars_before;
                if let Some(citation) = event.annotation.and_then(|raw| citation(raw, offset)) {
                    to(Event::Citation(citation));
                }
            }
            "response.refusal.delta" => self.refusal(event.delta, to),
            "response.refusal.done" if !self.refused => self.refusal(event.refusal, to),
            "response.reasoning_summary_text.delta" => {
                self.think(Form::Summary, event.summary_index, event.delta, to);
            }
            "response.reasoning_text.delta" => {
                self.think(Form::Full, event.content_index, event.delta, to);
            }
            "response.function_call_arguments.delta" | "response.custom_tool_call_input.delta" => {
                self.arguments(event.output_index, event.delta, true, to);
            }
            "response.function_call_arguments.done" => {
                self.arguments(event.output_index, event.arguments, false, to);
            }
            "response.custom_tool_call_input.done" => {
                self.arguments(event.output_index, event.input, false, to);
            }
            _ => {}
        }
    }

    fn start(&mut self, event: &EventIn<'_>, to: &mut Events<'_>) {
        if self.phase == Phase::Before {
            self.phase = Phase::Running;
            let response: ResponseIn<'_> = parsed(event.response);
            to(Event::Start { id: response.id, model: response.model });
        }
    }

    fn text(&mut self, text: Option<Text<'_>>, to: &mut Events<'_>) {
        if let Some(text) = text.filter(|text| !text.is_empty()) {
            self.said = true;
            *self.part.get_or_insert(0) += text.chars().count() as u64;
            to(Event::Text(text));
        }
    }

    fn refusal(&mut self, words: Option<Text<'_>>, to: &mut Events<'_>) {
        if let Some(words) = words.filter(|words| !words.is_empty()) {
            self.said = true;
            self.refused = true;
            to(Event::Refusal(words));
        }
    }

    fn part_end(&mut self, to: &mut Events<'_>) {
        self.refused = false;
        if let Some(chars) = self.part.take() {
            self.chars_before += chars;
            to(Event::BlockEnd);
        }
    }

    fn think(
        &mut self,
        form: Form,
        index: Option<u64>,
        words: Option<Text<'_>>,
        to: &mut Events<'_>,
    ) {
        let Some(words) = words.filter(|words| !words.is_empty()) else { return };
        let index = index.unwrap_or(0);
        match self.thinking.form {
            None => self.thinking.form = Some(form),
            Some(known) if known != form => return,
            // As the parts stand apart in a whole answer.
            Some(_) if self.thinking.part != index => to(Event::Thinking("\n\n".into())),
            Some(_) => {}
        }
        self.thinking.part = index;
        to(Event::Thinking(words));
    }

    fn added(&mut self, event: &EventIn<'_>, to: &mut Events<'_>) {
        let Some(item) = event.item.and_then(item) else { return };
        match &*item.kind {
            "function_call" | "custom_tool_call" => self.call(event.output_index, item, to),
            "reasoning" => self.thinking = Thinking::default(),
            "message" => self.said = false,
            _ => {}
        }
    }

    /// Begins a call, whose number is the order in which it came.
    fn call(&mut self, output_index: Option<u64>, item: ItemIn<'_>, to: &mut Events<'_>) {
        let number = self.calls.len();
        let output_index = output_index.unwrap_or(number as u64);
        let Some((id, name)) = item.call_id.or(item.id).zip(item.name) else { return };
        self.part_end(to);
        let custom = &*item.kind == "custom_tool_call";
        to(Event::ToolCall { call: number, id, name, signature: None, custom });
        self.calls.push(Call { output_index, has_arguments: false });
    }

    /// A fragment, or all of them where none came before.
    fn arguments(
        &mut self,
        output_index: Option<u64>,
        arguments: Option<Text<'_>>,
        fragment: bool,
        to: &mut Events<'_>,
    ) {
        let Some(arguments) = arguments.filter(|text| !text.is_empty()) else { return };
        // The last one of an index: a server may begin again at 0.
        let of =
            |call: &(usize, &mut Call)| output_index.is_none_or(|at| call.1.output_index == at);
        let Some((number, call)) = self.calls.iter_mut().enumerate().rev().find(of) else { return };
        if fragment || !call.has_arguments {
            call.has_arguments = true;
            to(Event::Arguments { call: number, fragment: arguments });
        }
    }

    fn done(&mut self, event: &EventIn<'_>, to: &mut Events<'_>) {
        let Some(item) = event.item.and_then(item) else { return };
        match &*item.kind {
            "message" => self.message_done(item, to),
            "reasoning" => self.reasoning_done(item, to),
            kind @ ("function_call" | "custom_tool_call") => {
                let index = event.output_index.unwrap_or(self.calls.len() as u64);
                let known = self.calls.iter().any(|call| call.output_index == index);
                let whole =
                    if kind == "function_call" { &item.arguments } else { &item.input }.clone();
                if !known {
                    self.call(Some(index), item, to);
                }
                self.arguments(Some(index), whole, false, to);
            }
            _ => {}
        }
    }

    /// A server that streams no deltas says everything here.
    fn message_done(&mut self, item: ItemIn<'_>, to: &mut Events<'_>) {
        if !std::mem::take(&mut self.said) {
            for part in item.content.unwrap_or_default() {
                self.text(part.text, to);
                self.refusal(part.refusal, to);
                self.part_end(to);
            }
            self.said = false;
        }
        self.part_end(to);
    }

    /// Only here the proof is whole.
    fn reasoning_done(&mut self, item: ItemIn<'_>, to: &mut Events<'_>) {
        let said = std::mem::take(&mut self.thinking).form.is_some();
        if said {
            let proof = item.encrypted_content.filter(|text| !text.is_empty());
            if let Some(value) = proof {
                to(Event::Signature(Signature { origin: Origin::OpenAi, value }));
            }
            to(Event::BlockEnd);
            return;
        }
        let Some(thinking) = item.thinking() else { return };
        match (thinking.redacted, thinking.signature) {
            (true, Some(signature)) => to(Event::Redacted(signature)),
            (_, signature) => {
                to(Event::Thinking(thinking.text));
                if let Some(signature) = signature {
                    to(Event::Signature(signature));
                }
                to(Event::BlockEnd);
            }
        }
    }

    fn end(&mut self, event: &EventIn<'_>, to: &mut Events<'_>) {
        self.start(event, to);
        let response: ResponseIn<'_> = parsed(event.response);
        if let Some(usage) = response.usage.and_then(|raw| read_openai_usage(raw.get().as_bytes()))
        {
            to(Event::Usage(usage));
        }
        let reason = response.stop(!self.calls.is_empty());
        to(Event::Stop { reason, sequence: None });
        self.phase = Phase::Over;
        to(Event::Done);
    }

    fn fail(&mut self, error: StreamError, to: &mut Events<'_>) {
        self.phase = Phase::Over;
        to(Event::Failed(error));
    }
}

fn parsed(raw: Option<&RawValue>) -> ResponseIn<'_> {
    raw.and_then(|raw| serde_json::from_str(raw.get()).ok()).unwrap_or_default()
}

fn read_error(raw: &RawValue) -> StreamError {
    StreamError::of(raw.get().as_bytes())
}

/// An error whose members stand in the event itself, whose `type` is not the error's.
fn flat(event: &EventIn<'_>) -> StreamError {
    #[derive(Serialize)]
    struct Flat<'a> {
        code: Option<&'a Text<'a>>,
        message: Option<&'a Text<'a>>,
    }
    let flat = Flat { code: event.code.as_ref(), message: event.message.as_ref() };
    StreamError::of(&serde_json::to_vec(&flat).unwrap_or_default())
}

fn unreadable() -> StreamError {
    StreamError {
        status: 502,
        kind: "upstream_error".to_owned(),
        message: "the vendor sent an event that cannot be read".to_owned(),
    }
}
