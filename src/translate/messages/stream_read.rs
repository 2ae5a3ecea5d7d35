//! An answer's stream of Claude's.
//!
//! <https://platform.claude.com/docs/en/build-with-claude/streaming>: unknown events and unknown kinds
//! of blocks and deltas may come at any time and are left alone.

use serde_json::value::RawValue;

use super::{
    answer_read::{count, own, what},
    citation::CitationIn,
    events_read::{
        BlockDelta, BlockStart, BlockStop, Kind, MessageDelta, MessageStart, StartBlock, Tag,
    },
    usage::UsageIn,
    words::read_stop_reason,
};
use crate::{
    dialect::StreamError,
    domain::TokenUsage,
    translate::{
        StreamReader,
        form::{Citation, Event, Events, Text},
    },
};

/// The state between two events.
#[derive(Default)]
pub(in crate::translate) struct Reader {
    /// The blocks that are open, by their index.
    open: Vec<(u64, Open)>,
    /// How many calls have begun: calls are numbered by themselves, blocks are not.
    calls: usize,
    usage: TokenUsage,
    /// Characters of text so far.
    length: u64,
}

/// An open block.
enum Open {
    /// Text that begins at this character, and what it rests on: told when its end is known.
    Text(u64, Vec<Citation<'static>>),
    Thinking,
    /// The call's number.
    /// Its number, and whether some of its arguments have come.
    Call(usize, bool),
    /// Redacted thinking, what the vendor's own tools do, and what is not known.
    Other,
}

impl StreamReader for Reader {
    fn read(&mut self, name: &[u8], data: &[u8], to: &mut Events<'_>) {
        if let Err(fault) = self.event(name, data, to) {
            let said = what(&fault);
            to(Event::Failed(StreamError {
                status: 502,
                kind: "upstream_error".to_owned(),
                message: format!("the vendor sent an event that cannot be read: {said}"),
            }));
        }
    }

    /// `message_stop` is the only ending: without it the stream was cut.
    fn end(&mut self, _: &mut Events<'_>) {}
}

impl Reader {
    fn event(
        &mut self,
        name: &[u8],
        data: &[u8],
        to: &mut Events<'_>,
    ) -> Result<(), serde_json::Error> {
        match name {
            b"content_block_delta" => self.delta(data, to),
            b"content_block_start" => self.start(data, to),
            b"content_block_stop" => {
                let stop: BlockStop = serde_json::from_slice(data)?;
                self.stop(stop.index, to);
                Ok(())
            }
            b"message_start" => self.message_start(data, to),
            b"message_delta" => self.message_delta(data, to),
            b"message_stop" => {
                to(Event::Done);
                Ok(())
            }
            b"ping" => {
                to(Event::Ping);
                Ok(())
            }
            b"error" => {
                to(Event::Failed(StreamError::of(data)));
                Ok(())
            }
            b"" => self.unnamed(data, to),
            _ => Ok(()),
        }
    }

    /// An event whose name is in its data only (`InvokeModel`), or the error object of a vendor that
    /// fails in the manner of its other endpoints.
    fn unnamed(&mut self, data: &[u8], to: &mut Events<'_>) -> Result<(), serde_json::Error> {
        let event: Kind<'_> = serde_json::from_slice(data)?;
        match event.kind.as_deref() {
            None | Some("") if event.error.is_some_and(|error| error.get() != "null") => {
                self.event(b"error", data, to)
            }
            None | Some("") => Ok(()),
            Some(name) => self.event(name.as_bytes(), data, to),
        }
    }

    fn message_start(&mut self, data: &[u8], to: &mut Events<'_>) -> Result<(), serde_json::Error> {
        let start: MessageStart<'_> = serde_json::from_slice(data)?;
        to(Event::Start { id: start.message.id, model: start.message.model });
        self.figures(start.message.usage.as_ref(), to);
        Ok(())
    }

    fn figures(&mut self, usage: Option<&UsageIn>, to: &mut Events<'_>) {
        if usage.is_some_and(|usage| usage.raise(&mut self.usage)) {
            to(Event::Usage(self.usage));
        }
    }

    fn message_delta(&mut self, data: &[u8], to: &mut Events<'_>) -> Result<(), serde_json::Error> {
        let message: MessageDelta<'_> = serde_json::from_slice(data)?;
        if let Some(ending) = message.delta {
            let words = ending.stop_details.and_then(|details| details.explanation);
            if let Some(words) = words.filter(|words| !words.is_empty()) {
                to(Event::Refusal(words));
            }
            if let Some(word) = ending.stop_reason {
                let reason = read_stop_reason(&word);
                to(Event::Stop { reason, sequence: ending.stop_sequence });
            }
        }
        self.figures(message.usage.as_ref(), to);
        Ok(())
    }

    fn start(&mut self, data: &[u8], to: &mut Events<'_>) -> Result<(), serde_json::Error> {
        let BlockStart { index, content_block } = serde_json::from_slice(data)?;
        let tag: Tag<'_> = serde_json::from_str(content_block.get())?;
        let known = ["text", "thinking", "redacted_thinking", "tool_use"];
        if !known.contains(&&*tag.kind) {
            self.open.push((index, Open::Other));
            return Ok(());
        }
        let block: StartBlock<'_> = serde_json::from_str(content_block.get())?;
        let open = match &*tag.kind {
            "text" => {
                let begin = self.length;
                self.text(block.text, to);
                Open::Text(begin, Vec::new())
            }
            "thinking" => {
                if let Some(text) = some(block.thinking) {
                    to(Event::Thinking(text));
                }
                if let Some(text) = some(block.signature) {
                    to(Event::Signature(own(text)));
                }
                Open::Thinking
            }
            "redacted_thinking" => {
                if let Some(data) = block.data {
                    to(Event::Redacted(own(data)));
                }
                Open::Other
            }
            _ => self.call(block, to),
        };
        self.open.push((index, open));
        Ok(())
    }

    fn call(&mut self, block: StartBlock<'_>, to: &mut Events<'_>) -> Open {
        let call = self.calls;
        self.calls += 1;
        to(Event::ToolCall {
            call,
            id: block.id.unwrap_or_default(),
            name: block.name.unwrap_or_default(),
            signature: None,
            custom: false,
        });
        // Whole only from those who do not stream arguments; else `{}`.
        let whole = block.input.map(RawValue::get).filter(|input| {
            input.starts_with('{') && input.trim_start_matches('{').trim_start() != "}"
        });
        if let Some(input) = whole {
            to(Event::Arguments { call, fragment: input.into() });
        }
        Open::Call(call, whole.is_some())
    }

    fn text(&mut self, text: Option<Text<'_>>, to: &mut Events<'_>) {
        if let Some(text) = some(text) {
            self.length += count(&text);
            to(Event::Text(text));
        }
    }

    fn delta(&mut self, data: &[u8], to: &mut Events<'_>) -> Result<(), serde_json::Error> {
        let BlockDelta { index, delta } = serde_json::from_slice(data)?;
        match &*delta.kind {
            "text_delta" => self.text(delta.text, to),
            "thinking_delta" => {
                if let Some(text) = some(delta.thinking) {
                    to(Event::Thinking(text));
                }
            }
            "signature_delta" => {
                if let Some(text) = some(delta.signature) {
                    to(Event::Signature(own(text)));
                }
            }
            "input_json_delta" => {
                let open = self.open.iter_mut().find(|(open, _)| *open == index);
                if let (Some((_, Open::Call(call, has_arguments))), Some(fragment)) =
                    (open, some(delta.partial_json))
                {
                    *has_arguments = true;
                    to(Event::Arguments { call: *call, fragment });
                }
            }
            "citations_delta" => {
                let citation = delta.citation.map(RawValue::get).map(serde_json::from_str);
                if let Some(citation) = citation {
                    let citation: CitationIn<'_> = citation?;
                    self.cite(index, citation);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn cite(&mut self, index: u64, citation: CitationIn<'_>) {
        let open = self.open.iter_mut().find(|(open, _)| *open == index);
        if let Some((_, Open::Text(_, citations))) = open {
            citations.push(citation.read(None).into_owned());
        }
    }

    fn stop(&mut self, index: u64, to: &mut Events<'_>) {
        let Some(at) = self.open.iter().position(|(open, _)| *open == index) else { return };
        match self.open.swap_remove(at).1 {
            Open::Text(begin, citations) => {
                for citation in citations {
                    to(Event::Citation(Citation { span: Some((begin, self.length)), ..citation }));
                }
                to(Event::BlockEnd);
            }
            Open::Thinking => to(Event::BlockEnd),
            Open::Call(call, false) => to(Event::Arguments { call, fragment: "{}".into() }),
            Open::Call(_, true) | Open::Other => {}
        }
    }
}

/// A text that has something in it.
fn some(text: Option<Text<'_>>) -> Option<Text<'_>> {
    text.filter(|text| !text.is_empty())
}
