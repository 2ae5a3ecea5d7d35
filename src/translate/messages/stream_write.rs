//! An answer's stream for a client: blocks strictly one after the other.
//!
//! <https://platform.claude.com/docs/en/build-with-claude/streaming>

use std::collections::VecDeque;

use super::{
    answer_write::{Message, message_id, sealed, told_model},
    calls::{Call, Calls},
    events_write::{self as events, Delta, StartBlock},
    pending::Pending,
    words::{stop_reason, told_stop},
};
use crate::{
    dialect::GatewayError,
    domain::{Endpoint, TokenUsage},
    translate::{
        Answering, StreamWriter,
        form::{Citation, Event, Signature, StopReason, Text},
    },
};

/// Writes the events of one stream.
pub(in crate::translate) struct Writer {
    context: Answering,
    /// What the vendor named, until `message_start` is written.
    start: Option<(Option<Text<'static>>, Option<Text<'static>>)>,
    started: bool,
    /// The number of the next block.
    next: usize,
    open: Open,
    calls: Calls,
    /// What waits for the open call's last argument.
    waiting: VecDeque<Pending>,
    usage: TokenUsage,
    stop: Option<StopReason>,
    sequence: Option<Text<'static>>,
    refused: bool,
}

/// The block that is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Open {
    None,
    Text,
    /// Signed: more thinking begins another block.
    Thinking {
        signed: bool,
    },
    Call(usize),
}

impl Writer {
    /// For one answer.
    pub(in crate::translate) fn new(context: Answering) -> Self {
        Self {
            context,
            start: None,
            started: false,
            next: 0,
            open: Open::None,
            calls: Calls::default(),
            waiting: VecDeque::new(),
            usage: TokenUsage::default(),
            stop: None,
            sequence: None,
            refused: false,
        }
    }

    /// `message_start` waits for the first content, so that it can tell what the vendor has counted by
    /// then.
    fn begin(&mut self, out: &mut Vec<u8>) {
        if self.started {
            return;
        }
        self.started = true;
        let (id, model) = self.start.take().unwrap_or_default();
        events::message_start(
            &Message {
                id: &message_id(id.as_ref(), &self.context),
                kind: "message",
                role: "assistant",
                model: told_model(model.as_ref(), &self.context),
                content: Vec::new(),
                stop_reason: None,
                stop_sequence: None,
                usage: self.usage.into(),
            },
            out,
        );
    }

    /// Whether a call is open that may still get arguments: then nothing else can begin.
    fn is_held(&self) -> bool {
        matches!(self.open, Open::Call(call) if !self.calls.is_complete(call))
    }

    fn content(&mut self, item: Pending, out: &mut Vec<u8>) {
        if self.is_held() {
            Pending::push(&mut self.waiting, item);
        } else {
            self.item(&item, out);
        }
    }

    fn item(&mut self, item: &Pending, out: &mut Vec<u8>) {
        match item {
            Pending::Text(text) => self.text(text, out),
            Pending::Thinking(text) => self.thinking(text, out),
            Pending::Signature(signature) => self.signature(signature, out),
            Pending::Redacted(data) => {
                self.close(out);
                events::block_start(self.next, &StartBlock::RedactedThinking { data }, out);
                events::block_stop(self.next, out);
                self.next += 1;
            }
            Pending::Citation(citation) => self.citation(citation, out),
            Pending::Call(call) => self.open_call(*call, out),
            Pending::End => {
                if !matches!(self.open, Open::Call(_)) {
                    self.close(out);
                }
            }
        }
    }

    fn text(&mut self, text: &str, out: &mut Vec<u8>) {
        self.open_text(out);
        events::delta(self.next, &Delta::Text { text }, out);
    }

    fn open_text(&mut self, out: &mut Vec<u8>) {
        if self.open != Open::Text {
            self.close(out);
            events::block_start(self.next, &StartBlock::Text { text: "" }, out);
            self.open = Open::Text;
        }
    }

    fn thinking(&mut self, text: &str, out: &mut Vec<u8>) {
        self.open_thinking(out);
        events::delta(self.next, &Delta::Thinking { thinking: text }, out);
    }

    fn open_thinking(&mut self, out: &mut Vec<u8>) {
        if self.open != (Open::Thinking { signed: false }) {
            self.close(out);
            events::block_start(
                self.next,
                &StartBlock::Thinking { thinking: "", signature: "" },
                out,
            );
            self.open = Open::Thinking { signed: false };
        }
    }

    /// Where no thinking is open the signature is a block of its own: the vendor hid the words, or
    /// (Gemini) it belongs to the text before it.
    fn signature(&mut self, signature: &str, out: &mut Vec<u8>) {
        self.open_thinking(out);
        events::delta(self.next, &Delta::Signature { signature }, out);
        self.open = Open::Thinking { signed: true };
    }

    fn citation(&mut self, citation: &Citation<'_>, out: &mut Vec<u8>) {
        self.open_text(out);
        events::citation(self.next, citation, out);
    }

    fn open_call(&mut self, number: usize, out: &mut Vec<u8>) {
        self.close(out);
        let Some(call) = self.calls.get_mut(number) else { return };
        let start = StartBlock::ToolUse { id: &call.id, name: &call.name, input: events::Empty {} };
        events::block_start(self.next, &start, out);
        self.open = Open::Call(number);
        let held = std::mem::take(&mut call.held);
        if !held.is_empty() {
            events::delta(self.next, &Delta::InputJson { partial_json: &held }, out);
        }
    }

    /// Closes the open block, whatever it is.
    fn close(&mut self, out: &mut Vec<u8>) {
        match std::mem::replace(&mut self.open, Open::None) {
            Open::None => return,
            Open::Text | Open::Thinking { .. } => {}
            Open::Call(number) => {
                if let Some(rest) = self.calls.close(number) {
                    let delta = Delta::InputJson { partial_json: rest };
                    events::delta(self.next, &delta, out);
                }
            }
        }
        events::block_stop(self.next, out);
        self.next += 1;
    }

    /// Writes what waits, up to the next call that is not complete; all of it at the `end`.
    fn release(&mut self, end: bool, out: &mut Vec<u8>) {
        while end || !self.is_held() {
            let Some(item) = self.waiting.pop_front() else { return };
            self.item(&item, out);
        }
    }

    fn arguments(&mut self, number: usize, fragment: &str, out: &mut Vec<u8>) {
        let Some(fragment) = self.calls.add(number, fragment) else { return };
        if self.open == Open::Call(number) {
            let delta = Delta::InputJson { partial_json: &fragment };
            events::delta(self.next, &delta, out);
        } else if let Some(call) = self.calls.get_mut(number) {
            call.held.push_str(&fragment);
        }
        if !self.waiting.is_empty() {
            self.release(false, out);
        }
    }

    fn finish(&mut self, out: &mut Vec<u8>) {
        self.begin(out);
        self.release(true, out);
        self.close(out);
        let reason = told_stop(self.stop, !self.calls.is_empty(), self.refused);
        events::message_delta(
            stop_reason(reason),
            self.sequence.as_deref(),
            self.usage.into(),
            out,
        );
        events::message_stop(out);
    }
}

impl StreamWriter for Writer {
    fn write(&mut self, event: Event<'_>, out: &mut Vec<u8>) {
        match event {
            Event::Start { id, model } => {
                self.start = Some((id.map(Text::into_owned), model.map(Text::into_owned)));
                return;
            }
            Event::Usage(usage) => {
                self.usage = usage;
                return;
            }
            Event::Stop { reason, sequence } => {
                self.stop = Some(reason);
                self.sequence = sequence.map(Text::into_owned);
                return;
            }
            Event::Ping => return events::ping(out),
            Event::Failed(error) => return events::error(&error, out),
            Event::Done => return self.finish(out),
            _ => self.begin(out),
        }
        match event {
            Event::Text(text) => self.words(&text, out),
            Event::Refusal(text) => {
                self.refused = true;
                self.words(&text, out);
            }
            Event::Thinking(text) if text.is_empty() => {}
            Event::Thinking(text) if !self.is_held() => self.thinking(&text, out),
            Event::Thinking(text) => self.content(Pending::Thinking(text.0.into_owned()), out),
            Event::Signature(signature) => self.content(Pending::Signature(owned(&signature)), out),
            Event::Redacted(signature) => self.content(Pending::Redacted(owned(&signature)), out),
            Event::BlockEnd => self.content(Pending::End, out),
            Event::ToolCall { call, id, name, signature, custom } => {
                if let Some(signature) = signature {
                    self.content(Pending::Redacted(owned(&signature)), out);
                }
                self.calls.begin(call, Call::new(&id, &name, custom));
                self.content(Pending::Call(call), out);
            }
            Event::Arguments { call, fragment } => self.arguments(call, &fragment, out),
            Event::Citation(citation) => {
                self.content(Pending::Citation(Box::new(citation.into_owned())), out);
            }
            Event::Image(_)
            | Event::Start { .. }
            | Event::Usage(_)
            | Event::Stop { .. }
            | Event::Ping
            | Event::Failed(_)
            | Event::Done => {}
        }
    }

    fn abort(&mut self, error: &GatewayError, out: &mut Vec<u8>) {
        out.extend_from_slice(&error.stream_event(Endpoint::Messages));
    }
}

impl Writer {
    /// Text, copied only where it has to wait.
    fn words(&mut self, text: &str, out: &mut Vec<u8>) {
        if text.is_empty() {
        } else if self.is_held() {
            self.content(Pending::Text(text.to_owned()), out);
        } else {
            self.text(text, out);
        }
    }
}

fn owned(signature: &Signature<'_>) -> String {
    sealed(signature).into_owned()
}
