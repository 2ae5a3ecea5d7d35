//! Reads a stream: each event's data is a whole response
//! (<https://ai.google.dev/api/generate-content#method:-models.streamgeneratecontent>).
//!
//! There is no terminal event. A stream is complete if it said why it ended before its bytes did; as
//! figures may come after that, the end is told when the bytes have ended.

use super::{
    answer_read::media,
    errors, grounding,
    response_body::{Part, Response},
    stop::{self, Seen},
    usage,
};
use crate::{
    domain::TokenUsage,
    translate::{
        StreamReader,
        form::{Event, Events, Origin, PartKind, Signature, StopReason},
    },
};

/// The state between two events.
#[derive(Default)]
pub struct Reader {
    started: bool,
    calls: usize,
    content: bool,
    end: Option<End>,
    usage: Option<TokenUsage>,
}

/// What the stream says of its end.
#[derive(Clone, Copy)]
enum End {
    Reason(StopReason),
    /// The model failed at a call and said nothing else.
    Failed,
}

impl StreamReader for Reader {
    fn read(&mut self, _name: &[u8], data: &[u8], to: &mut Events<'_>) {
        // Some gateways on the way add the end that OpenAI's streams have.
        if data.trim_ascii() == b"[DONE]" {
            return;
        }
        match serde_json::from_slice::<Response<'_>>(data) {
            Ok(response) if response.error.is_none() => self.response(response, to),
            _ => to(Event::Failed(
                errors::read(data)
                    .unwrap_or_else(|| errors::unreadable("an event that cannot be read")),
            )),
        }
    }

    fn end(&mut self, to: &mut Events<'_>) {
        match self.end {
            // The stream was cut.
            None => {}
            Some(End::Failed) => {
                to(Event::Failed(errors::unreadable("a call of a tool that is malformed")));
            }
            Some(End::Reason(reason)) => {
                // Calls may come after the word that stands for them as well.
                let reason = match reason {
                    StopReason::End if self.calls > 0 => StopReason::ToolCalls,
                    other => other,
                };
                to(Event::Stop { reason, sequence: None });
                if let Some(usage) = self.usage {
                    to(Event::Usage(usage));
                }
                to(Event::Done);
            }
        }
    }
}

impl Reader {
    fn response(&mut self, response: Response<'_>, to: &mut Events<'_>) {
        if !self.started {
            self.started = true;
            let (id, model) = (response.response_id.clone(), response.model_version.clone());
            to(Event::Start { id, model });
        }
        let usage = response.usage_metadata.and_then(usage::read);
        if response.prompt_feedback.as_ref().is_some_and(|said| said.block_reason.is_some()) {
            self.end = Some(End::Reason(StopReason::ContentFilter));
        }
        if let Some(candidate) = response.into_candidate() {
            for part in candidate.content.and_then(|content| content.parts).unwrap_or_default() {
                self.part(part, to);
            }
            if let Some(raw) = candidate.grounding_metadata {
                for citation in grounding::read(raw, None) {
                    to(Event::Citation(citation));
                }
            }
            if let Some(word) = candidate.finish_reason {
                let seen = Seen { calls: self.calls > 0, content: self.content };
                let reason = stop::reason(&word, seen);
                self.end = Some(reason.map_or(End::Failed, End::Reason));
            }
        }
        // Running totals: each is told, for a stream may be cut.
        if let Some(usage) = usage.filter(|usage| self.usage != Some(*usage)) {
            self.usage = Some(usage);
            to(Event::Usage(usage));
        }
    }

    fn part(&mut self, part: Part<'_>, to: &mut Events<'_>) {
        let signature = part.thought_signature.filter(|value| !value.is_empty());
        let mut signature = signature.map(|value| Signature::new(Origin::Google, value));
        if let Some(mut call) = part.function_call {
            let (id, arguments) = (call.take_id(), call.arguments());
            let name = call.name.unwrap_or_default();
            let (number, signature) = (self.calls, signature.take());
            to(Event::ToolCall { call: number, id, name, signature, custom: false });
            if let Some(fragment) = arguments {
                to(Event::Arguments { call: number, fragment });
            }
            self.calls += 1;
        }
        if let Some(blob) = part.inline_data {
            let PartKind::Image(image) = media(blob.mime_type, blob.data.unwrap_or_default())
            else {
                let what = "sound or a file, which a stream cannot carry; ask without `stream`";
                to(Event::Failed(errors::unreadable(what)));
                return;
            };
            self.content = true;
            to(Event::Image(image));
        }
        if let Some(text) = part.text.filter(|text| !text.is_empty()) {
            if part.thought == Some(true) {
                to(Event::Thinking(text));
            } else {
                self.content = true;
                to(Event::Text(text));
            }
        }
        if let Some(signature) = signature {
            to(Event::Signature(signature));
        }
    }
}
