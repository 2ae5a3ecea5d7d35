//! Reads a stream: each event's data is a whole response
//! (<https://ai.google.dev/api/generate-content#method:-models.streamgeneratecontent>).
//!
//! There is no terminal event. A stream is complete if it said why it ended before its bytes did; as
//! figures may come after that, the end is told when the bytes have ended.

use serde_json::value::RawValue;

use super::{
    answer_read::media,
    errors,
    grounding::{self, Said},
    response_body::{FunctionCall, Part, Response},
    server_parts,
    stop::{self, Seen},
    usage,
};
use crate::{
    domain::TokenUsage,
    translate::{
        StreamReader,
        form::{Citation, Event, Events, Origin, PartKind, Signature, StopReason, Text},
    },
};

/// How much of what was said is kept to find passages in, about, bytes.
const MOST_KEPT: usize = 1024 * 1024;

/// The state between two events.
#[derive(Default)]
pub struct Reader {
    started: bool,
    calls: usize,
    content: bool,
    /// The answer has come by the tool for it.
    answered: bool,
    end: Option<End>,
    usage: Option<TokenUsage>,
    /// What was said so far: passages that rest on sources lie in it.
    text: String,
    /// The sources that were told: Google tells them again with each that is new.
    cited: Vec<Citation<'static>>,
    /// Sources on which nothing is said to rest so far.
    alone: Vec<Citation<'static>>,
}

/// What the stream says of its end.
#[derive(Clone, Copy)]
enum End {
    Reason(StopReason),
    /// The model failed at a call, or ended for a reason that nobody knows, and said nothing else.
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
                to(Event::Failed(errors::unreadable(
                    "no answer: a call of a tool that is malformed, or an end without a word",
                )));
            }
            Some(End::Reason(reason)) => {
                // Calls may come after the word that stands for them as well.
                let reason = match reason {
                    StopReason::End if self.calls > 0 => StopReason::ToolCalls,
                    other => other,
                };
                self.cite_alone(to);
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
            let mut proof = None;
            for part in candidate.content.and_then(|content| content.parts).unwrap_or_default() {
                if let Some(proof) = proof.take() {
                    to(Event::Signature(proof));
                }
                proof = self.part(part, to);
            }
            if let Some(raw) = candidate.grounding_metadata {
                self.cite(raw, to);
            }
            if candidate.finish_reason.is_some() {
                self.cite_alone(to);
            }
            // It ends the text, whose sources were told by then.
            if let Some(proof) = proof {
                to(Event::Signature(proof));
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

    fn cite(&mut self, raw: &RawValue, to: &mut Events<'_>) {
        let sources = grounding::read(raw, Said::Stream(&self.text));
        for citation in sources.supporting {
            let citation = citation.into_owned();
            if !self.cited.contains(&citation) {
                to(Event::Citation(citation.clone()));
                self.cited.push(citation);
            }
        }
        self.alone = sources.alone.into_iter().map(Citation::into_owned).collect();
    }

    /// Tells the sources on which nothing will rest any more.
    fn cite_alone(&mut self, to: &mut Events<'_>) {
        for citation in std::mem::take(&mut self.alone) {
            if self.cited.iter().all(|told| told.url != citation.url) {
                to(Event::Citation(citation.clone()));
                self.cited.push(citation);
            }
        }
    }

    /// Tells a part, but for what proves it.
    fn part<'p>(&mut self, part: Part<'p>, to: &mut Events<'_>) -> Option<Signature<'p>> {
        if let Some(value) = server_parts::carry(&part) {
            to(Event::Redacted(Signature::new(Origin::Google, value)));
            return None;
        }
        let signature = part.thought_signature.filter(|value| !value.is_empty());
        let mut signature = signature.map(|value| Signature::new(Origin::Google, value));
        if let Some(call) = part.function_call {
            self.call(call, signature.take(), to);
        }
        if let Some(blob) = part.inline_data {
            let PartKind::Image(image) = media(blob.mime_type, blob.data.unwrap_or_default())
            else {
                let what = "sound or a file, which a stream cannot carry; ask without `stream`";
                to(Event::Failed(errors::unreadable(what)));
                return None;
            };
            self.content = true;
            to(Event::Image(image));
        }
        match part.text.filter(|text| !text.is_empty()) {
            Some(text) if part.thought == Some(true) => to(Event::Thinking(text)),
            // What comes beside the answer would spoil its JSON.
            Some(text) if !self.answered => self.say(text, to),
            _ => {}
        }
        signature
    }

    fn say(&mut self, text: Text<'_>, to: &mut Events<'_>) {
        self.content = true;
        if self.text.len() < MOST_KEPT {
            self.text.push_str(&text);
        }
        to(Event::Text(text));
    }

    /// Tells a call, which is whole, or the answer that came as one.
    fn call<'p>(
        &mut self,
        mut call: FunctionCall<'p>,
        signature: Option<Signature<'p>>,
        to: &mut Events<'_>,
    ) {
        let fragment = call.arguments();
        if call.is_answer() {
            if !std::mem::replace(&mut self.answered, true) {
                self.say(fragment, to);
            }
            return;
        }
        let (number, id) = (self.calls, call.take_id());
        let name = call.name.unwrap_or_default();
        to(Event::ToolCall { call: number, id, name, signature, custom: false });
        to(Event::Arguments { call: number, fragment });
        self.calls += 1;
    }
}
