//! A stream of `ConverseStream`, event by event.
//!
//! <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStreamOutput.html>. The
//! figures come last, after the event that says why the answer ended.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{
    super::{
        StreamReader,
        answer_tool::is_answer,
        form::{Citation, Event, Events, Origin, Signature, Text},
    },
    answer_read::{Additional, CitedSource, citation, count, is_the_vendors},
    usage_read::{stop_reason, usage},
};
use crate::dialect::StreamError;

/// The state between two events.
#[derive(Default)]
pub struct Reader {
    started: bool,
    /// Calls begun so far.
    calls: usize,
    /// The open blocks of calls.
    open_calls: Vec<OpenCall>,
    /// The first block of a call that is the answer itself: its index in the content. What comes beside
    /// it would spoil its JSON.
    answer: Option<u64>,
    /// The open blocks of text.
    passages: Vec<Passage>,
    /// Characters of text so far.
    letters: u64,
    /// Text or thinking has come since the last block ended.
    open_block: bool,
    ending: Ending,
}

/// An open block of a call.
struct OpenCall {
    /// Its index in the content.
    index: u64,
    /// The call's number.
    call: usize,
    /// Some of its arguments have come.
    has_arguments: bool,
}

/// An open block of text.
struct Passage {
    /// Its index in the content.
    index: u64,
    /// The character that it begins at.
    begin: u64,
    /// What it rests on: told when its end is known.
    citations: Vec<Citation<'static>>,
}

impl Passage {
    fn cite(self, end: u64, to: &mut Events<'_>) {
        for citation in self.citations {
            to(Event::Citation(Citation { span: Some((self.begin, end)), ..citation }));
        }
    }
}

/// How much of the end has come.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Ending {
    #[default]
    Nothing,
    /// Why the answer ended.
    Reason,
    /// What it used.
    Figures,
    /// Both, or a failure: nothing follows.
    Everything,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct BlockStart<'a> {
    #[serde(default)]
    content_block_index: u64,
    #[serde(borrow)]
    start: Option<Start<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Start<'a> {
    #[serde(borrow)]
    tool_use: Option<ToolUseStart<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ToolUseStart<'a> {
    #[serde(borrow)]
    tool_use_id: Text<'a>,
    name: Text<'a>,
    #[serde(rename = "type")]
    kind: Option<Text<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct BlockDelta<'a> {
    #[serde(default)]
    content_block_index: u64,
    #[serde(borrow)]
    delta: Option<Delta<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Delta<'a> {
    #[serde(borrow)]
    text: Option<Text<'a>>,
    tool_use: Option<ToolUseDelta<'a>>,
    reasoning_content: Option<ReasoningDelta<'a>>,
    citation: Option<CitedSource<'a>>,
}

#[derive(Deserialize)]
struct ToolUseDelta<'a> {
    #[serde(borrow)]
    input: Option<Text<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ReasoningDelta<'a> {
    #[serde(borrow)]
    text: Option<Text<'a>>,
    signature: Option<Text<'a>>,
    redacted_content: Option<Text<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct BlockStop {
    #[serde(default)]
    content_block_index: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct MessageStop<'a> {
    #[serde(borrow)]
    stop_reason: Option<Text<'a>>,
    additional_model_response_fields: Option<Additional<'a>>,
}

#[derive(Deserialize)]
struct Metadata<'a> {
    #[serde(borrow)]
    usage: Option<&'a RawValue>,
}

impl StreamReader for Reader {
    fn read(&mut self, name: &[u8], data: &[u8], to: &mut Events<'_>) {
        if self.ending == Ending::Everything {
            return;
        }
        if self.event(name, data, to).is_none() {
            self.ending = Ending::Everything;
            to(Event::Failed(StreamError {
                status: 502,
                kind: "upstream_error".to_owned(),
                message: "the vendor sent an event that cannot be read".to_owned(),
            }));
        }
    }

    fn end(&mut self, to: &mut Events<'_>) {
        // Without figures it is complete all the same.
        if self.ending == Ending::Reason {
            self.ending = Ending::Everything;
            to(Event::Done);
        }
    }
}

impl Reader {
    /// None where the event cannot be read. Events that are not known are passed over.
    fn event(&mut self, name: &[u8], data: &[u8], to: &mut Events<'_>) -> Option<()> {
        match name {
            b"messageStart" => self.start(to),
            b"contentBlockStart" => {
                self.start(to);
                self.block_start(read(data)?, to);
            }
            b"contentBlockDelta" => {
                self.start(to);
                let block: BlockDelta<'_> = read(data)?;
                self.delta(block.content_block_index, block.delta?, to);
            }
            b"contentBlockStop" => {
                let block: BlockStop = read(data)?;
                self.block_stop(block.content_block_index, to);
            }
            b"messageStop" => {
                self.start(to);
                self.stop(&read(data)?, to);
            }
            b"metadata" => {
                self.start(to);
                let metadata: Metadata<'_> = read(data)?;
                if let Some(usage) = metadata.usage.and_then(usage) {
                    to(Event::Usage(usage));
                }
                self.came(Ending::Figures, to);
            }
            _ => {}
        }
        Some(())
    }

    fn start(&mut self, to: &mut Events<'_>) {
        if !self.started {
            self.started = true;
            to(Event::Start { id: None, model: None });
        }
    }

    fn block_start(&mut self, block: BlockStart<'_>, to: &mut Events<'_>) {
        let Some(call) = block.start.and_then(|start| start.tool_use) else { return };
        if is_the_vendors(call.kind.as_ref()) {
            return;
        }
        if is_answer(&call.name) {
            self.answer = self.answer.or(Some(block.content_block_index));
            return;
        }
        let number = self.calls;
        self.calls += 1;
        let index = block.content_block_index;
        self.open_calls.retain(|open| open.index != index);
        self.open_calls.push(OpenCall { index, call: number, has_arguments: false });
        to(Event::ToolCall {
            call: number,
            id: call.tool_use_id,
            name: call.name,
            signature: None,
            custom: false,
        });
    }

    fn delta(&mut self, index: u64, delta: Delta<'_>, to: &mut Events<'_>) {
        if let Some(text) = delta.text
            && !text.is_empty()
            && self.answer.is_none()
        {
            self.text(index, text, to);
        }
        if let Some(fragment) = delta.tool_use.and_then(|call| call.input)
            && !fragment.is_empty()
        {
            if self.answer == Some(index) {
                self.text(index, fragment, to);
            } else if let Some(open) = self.open_calls.iter_mut().find(|open| open.index == index) {
                open.has_arguments = true;
                to(Event::Arguments { call: open.call, fragment });
            }
        }
        if let Some(reasoning) = delta.reasoning_content {
            self.reasoning(reasoning, to);
        }
        if let Some(source) = delta.citation {
            let citation = citation(source).into_owned();
            self.begin(index);
            if let Some(open) = self.passages.iter_mut().find(|open| open.index == index) {
                open.citations.push(citation);
            }
        }
    }

    fn text(&mut self, index: u64, text: Text<'_>, to: &mut Events<'_>) {
        self.begin(index);
        self.letters += count(&text);
        self.open_block = true;
        to(Event::Text(text));
    }

    /// Blocks of text have no event of their own to begin with.
    fn begin(&mut self, index: u64) {
        if !self.passages.iter().any(|open| open.index == index) {
            self.passages.push(Passage { index, begin: self.letters, citations: Vec::new() });
        }
    }

    fn reasoning(&mut self, delta: ReasoningDelta<'_>, to: &mut Events<'_>) {
        if let Some(text) = delta.text.filter(|text| !text.is_empty()) {
            self.open_block = true;
            to(Event::Thinking(text));
        }
        if let Some(value) = delta.signature.filter(|value| !value.is_empty()) {
            self.open_block = true;
            to(Event::Signature(Signature::new(Origin::Bedrock, value)));
        }
        if let Some(value) = delta.redacted_content.filter(|value| !value.is_empty()) {
            to(Event::Redacted(Signature::new(Origin::Bedrock, value)));
        }
    }

    fn block_stop(&mut self, index: u64, to: &mut Events<'_>) {
        if let Some(at) = self.passages.iter().position(|open| open.index == index) {
            self.passages.swap_remove(at).cite(self.letters, to);
        }
        match self.open_calls.iter().position(|open| open.index == index) {
            Some(at) => {
                let OpenCall { call, has_arguments, .. } = self.open_calls.swap_remove(at);
                if !has_arguments {
                    to(Event::Arguments { call, fragment: "{}".into() });
                }
            }
            None if std::mem::take(&mut self.open_block) => to(Event::BlockEnd),
            None => {}
        }
    }

    fn stop(&mut self, stop: &MessageStop<'_>, to: &mut Events<'_>) {
        for open in std::mem::take(&mut self.passages) {
            open.cite(self.letters, to);
        }
        let word = stop.stop_reason.as_deref().unwrap_or_default();
        let more = stop.additional_model_response_fields.as_ref();
        let sequence = more.and_then(|more| more.stop_sequence.as_ref()).map(Text::reborrow);
        to(Event::Stop { reason: stop_reason(word, self.calls > 0), sequence });
        self.came(Ending::Reason, to);
    }

    /// A part of the end; both may come in either order.
    fn came(&mut self, part: Ending, to: &mut Events<'_>) {
        if self.ending == Ending::Nothing || self.ending == part {
            self.ending = part;
        } else {
            self.ending = Ending::Everything;
            to(Event::Done);
        }
    }
}

fn read<'a, T: Deserialize<'a>>(data: &'a [u8]) -> Option<T> {
    serde_json::from_slice(data).ok()
}
