//! A vendor's stream.
//! <https://platform.openai.com/docs/api-reference/chat-streaming>
//!
//! Usage comes in a chunk of its own without choices (`OpenAI`), with the last choice or every chunk
//! (xAI, Mistral, Perplexity), inside a choice (Moonshot), or in `x_groq`; an error as `{"error":…}` in
//! place of a chunk or in one; Azure's first chunk has its filter's results and no choice; not everyone
//! sends `[DONE]`, and some send it without a reason.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{
    answer_read::{images, stop_reason, with_calls},
    call_read::Calls,
    pieces::{Piece, Sources, pieces},
    reasoning,
    wire::{Call, ExtraContent, Function, or_empty},
};
use crate::{
    dialect::{StreamError, read_openai_usage},
    translate::{
        StreamReader,
        form::{Event, Events, StopReason, Text},
    },
};

/// Reads chat completion chunks.
#[derive(Default)]
pub struct Reader {
    started: bool,
    calls: Calls,
    /// Why it ended. Told at the end: whether there are calls is known then.
    stop: Option<StopReason>,
    /// How many of the sources beside the choices have been told: they come again in every chunk.
    sources: usize,
    over: bool,
}

#[derive(Deserialize)]
struct Chunk<'a> {
    #[serde(borrow)]
    id: Option<Text<'a>>,
    model: Option<Text<'a>>,
    object: Option<Text<'a>>,
    #[serde(default, deserialize_with = "or_empty")]
    choices: Vec<Choice<'a>>,
    usage: Option<&'a RawValue>,
    x_groq: Option<Groq<'a>>,
    error: Option<&'a RawValue>,
    citations: Option<&'a RawValue>,
    search_results: Option<&'a RawValue>,
}

/// <https://console.groq.com/docs/api-reference>
#[derive(Deserialize)]
struct Groq<'a> {
    #[serde(borrow)]
    usage: Option<&'a RawValue>,
    error: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Choice<'a> {
    index: Option<u64>,
    #[serde(borrow)]
    delta: Option<Delta<'a>>,
    finish_reason: Option<Text<'a>>,
    usage: Option<&'a RawValue>,
    error: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Delta<'a> {
    #[serde(borrow)]
    content: Option<&'a RawValue>,
    images: Option<&'a RawValue>,
    refusal: Option<Text<'a>>,
    reasoning: Option<Text<'a>>,
    reasoning_content: Option<Text<'a>>,
    #[serde(default, deserialize_with = "or_empty")]
    reasoning_details: Vec<reasoning::Detail<'a>>,
    #[serde(default, deserialize_with = "or_empty")]
    tool_calls: Vec<Call<'a>>,
    function_call: Option<Function<'a>>,
    annotations: Option<&'a RawValue>,
    extra_content: Option<ExtraContent<'a>>,
}

impl StreamReader for Reader {
    fn read(&mut self, name: &[u8], data: &[u8], to: &mut Events<'_>) {
        let data = data.trim_ascii();
        if self.over || data.is_empty() {
            return;
        }
        if data == b"[DONE]" {
            self.finish(to);
            return;
        }
        match serde_json::from_slice::<Chunk<'_>>(data) {
            Ok(chunk) => self.chunk(name, data, chunk, to),
            Err(_) if name == b"error" => self.fail(StreamError::of(data), to),
            Err(_) => {
                let message = "the provider sent an event that cannot be read".to_owned();
                let kind = "upstream_error".to_owned();
                self.fail(StreamError { status: 502, kind, message }, to);
            }
        }
    }

    /// A vendor without `[DONE]` is done when it has said why.
    fn end(&mut self, to: &mut Events<'_>) {
        if self.stop.is_some() && !self.over {
            self.finish(to);
        }
    }
}

impl Reader {
    fn chunk(&mut self, name: &[u8], data: &[u8], chunk: Chunk<'_>, to: &mut Events<'_>) {
        let inner = chunk.choices.iter().find_map(|choice| choice.error);
        let groq = chunk.x_groq.as_ref();
        if let Some(error) = chunk.error.or(inner).or(groq.and_then(|own| own.error)) {
            return self.fail(StreamError::of(error.get().as_bytes()), to);
        }
        if name == b"error" || chunk.object.as_deref() == Some("error") {
            return self.fail(StreamError::of(data), to);
        }
        let usage = chunk.usage.or(groq.and_then(|own| own.usage));
        let usage = usage.or(chunk.choices.iter().find_map(|choice| choice.usage));
        // Azure's first chunk says nothing, and names neither id nor model.
        if !self.started && (!chunk.choices.is_empty() || usage.is_some()) {
            self.started = true;
            let (id, model) = (named(chunk.id), named(chunk.model));
            to(Event::Start { id, model });
        }
        for choice in chunk.choices {
            // Others than the first were not asked for.
            if choice.index.unwrap_or(0) == 0 && !self.over {
                self.choice(choice, to);
            }
        }
        if self.over {
            return;
        }
        let sources = Sources { search: chunk.search_results, citations: chunk.citations };
        let (mut seen, known) = (0, self.sources);
        sources.read(None, &mut |citation| {
            seen += 1;
            if seen > known {
                to(Event::Citation(citation));
            }
        });
        self.sources = known.max(seen);
        if let Some(usage) = usage.and_then(|raw| read_openai_usage(raw.get().as_bytes())) {
            to(Event::Usage(usage));
        }
    }

    fn choice(&mut self, choice: Choice<'_>, to: &mut Events<'_>) {
        if let Some(delta) = choice.delta {
            self.delta(delta, to);
        }
        match choice.finish_reason.as_deref().filter(|word| !word.is_empty()).map(stop_reason) {
            Some(Ok(reason)) => self.stop = Some(reason),
            Some(Err(error)) => self.fail(error, to),
            None => {}
        }
    }

    fn delta(&mut self, delta: Delta<'_>, to: &mut Events<'_>) {
        thinking(delta.reasoning_details, delta.reasoning_content.or(delta.reasoning), to);
        if let Some(content) = delta.content {
            pieces(content, &mut |piece| match piece {
                Piece::Text(text) => to(Event::Text(text)),
                Piece::Thinking(text) => to(Event::Thinking(text)),
            });
        }
        for image in images(delta.images) {
            to(Event::Image(image));
        }
        if let Some(signature) = delta.extra_content.and_then(ExtraContent::signature) {
            to(Event::Signature(signature));
        }
        if let Some(refusal) = delta.refusal.filter(|text| !text.is_empty()) {
            to(Event::Refusal(refusal));
        }
        if delta.annotations.is_some() {
            let none = Sources { search: None, citations: None };
            none.read(delta.annotations, &mut |citation| to(Event::Citation(citation)));
        }
        for call in delta.tool_calls {
            self.calls.piece(call, to);
        }
        if let Some(function) = delta.function_call {
            self.calls.older(function, to);
        }
    }

    fn fail(&mut self, error: StreamError, to: &mut Events<'_>) {
        self.over = true;
        to(Event::Failed(error));
    }

    fn finish(&mut self, to: &mut Events<'_>) {
        self.over = true;
        if !self.started {
            to(Event::Start { id: None, model: None });
        }
        let reason = with_calls(self.stop, self.calls.any()).unwrap_or(StopReason::End);
        to(Event::Stop { reason, sequence: None });
        to(Event::Done);
    }
}

fn named(text: Option<Text<'_>>) -> Option<Text<'_>> {
    text.filter(|text| !text.is_empty())
}

/// The details have the words too, where there are any; the plain text is the same again.
fn thinking<'a>(details: Vec<reasoning::Detail<'a>>, plain: Option<Text<'a>>, to: &mut Events<'_>) {
    let mut told = false;
    for mut detail in details.into_iter().filter(|detail| !detail.is_foreign()) {
        let redacted = detail.is_encrypted();
        if let Some(words) = detail.words().filter(|words| !words.is_empty()) {
            told = true;
            to(Event::Thinking(words));
        }
        match detail.signature() {
            Some(signature) if redacted => to(Event::Redacted(signature)),
            Some(signature) => {
                to(Event::Signature(signature));
                to(Event::BlockEnd);
            }
            None => {}
        }
    }
    if let Some(plain) = plain.filter(|plain| !told && !plain.is_empty()) {
        to(Event::Thinking(plain));
    }
}
