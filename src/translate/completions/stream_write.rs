//! A streamed answer, for a client.
//! <https://platform.openai.com/docs/api-reference/completions/object>
//!
//! The figures are on the chunk that says why it ended: clients of this API read
//! `chunk.choices[0].text` without looking.

use serde::Serialize;

use super::answer_write::finish_reason;
use crate::{
    dialect::GatewayError,
    domain::{Endpoint, TokenUsage},
    translate::{
        Answering, StreamWriter,
        chat::{Usage, identity, write_failure},
        form::{Event, StopReason},
    },
};

/// Writes completion chunks.
pub struct Writer {
    context: Answering,
    /// Everything before the text, the same in every chunk; empty before the first.
    head: Vec<u8>,
    stop: Option<StopReason>,
    usage: Option<TokenUsage>,
}

impl Writer {
    /// For one answer.
    pub const fn new(context: Answering) -> Self {
        Self { context, head: Vec::new(), stop: None, usage: None }
    }

    fn start(&mut self, id: Option<&str>, model: Option<&str>) {
        let (id, model) = identity(id, model, "cmpl-", &self.context);
        let mut head = b"data: {\"id\":".to_vec();
        json(&mut head, &id);
        head.extend_from_slice(b",\"object\":\"text_completion\",\"created\":");
        json(&mut head, &self.context.created);
        head.extend_from_slice(b",\"model\":");
        json(&mut head, model);
        head.extend_from_slice(b",\"choices\":[{\"index\":0,\"text\":");
        self.head = head;
    }

    fn text(&self, text: &str, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.head);
        json(out, text);
        out.extend_from_slice(b",\"logprobs\":null,\"finish_reason\":null}]}\n\n");
    }

    fn finish(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.head);
        out.extend_from_slice(b"\"\",\"logprobs\":null,\"finish_reason\":");
        json(out, finish_reason(self.stop));
        out.extend_from_slice(b"}]");
        if let Some(usage) = &self.usage {
            out.extend_from_slice(b",\"usage\":");
            json(out, &Usage::of(usage, None));
        }
        out.extend_from_slice(b"}\n\ndata: [DONE]\n\n");
    }
}

impl StreamWriter for Writer {
    fn write(&mut self, event: Event<'_>, out: &mut Vec<u8>) {
        let begins = !matches!(event, Event::Start { .. } | Event::Ping | Event::Failed(_));
        if self.head.is_empty() && begins {
            self.start(None, None);
        }
        match event {
            Event::Start { id, model } if self.head.is_empty() => {
                self.start(id.as_deref(), model.as_deref());
            }
            Event::Text(text) | Event::Refusal(text) if !text.is_empty() => self.text(&text, out),
            Event::Stop { reason, .. } => self.stop = Some(reason),
            Event::Usage(usage) => self.usage = Some(usage),
            Event::Ping => out.extend_from_slice(b": ping\n\n"),
            Event::Failed(error) => write_failure(&error, out),
            Event::Done => self.finish(out),
            // Thinking, calls and sources have no place here.
            _ => {}
        }
    }

    fn abort(&mut self, error: &GatewayError, out: &mut Vec<u8>) {
        out.extend_from_slice(&error.stream_event(Endpoint::Completions));
    }
}

/// Strings and numbers always serialize, and a vector takes all that is written.
fn json(out: &mut Vec<u8>, value: &(impl Serialize + ?Sized)) {
    let _ = serde_json::to_writer(out, value);
}
