//! A vendor's stream in, a client's stream out.

use bytes::Bytes;

use super::{
    Answering, ClientApi, StreamReader, StreamWriter, VendorApi, fit::Restoring, form::Event,
    origins,
};
use crate::{
    dialect::{AnswerFacts, FirstEvent, GatewayError, StreamError},
    wire::{
        eventstream::{Frame, Frames},
        sse::{Block, Blocks, Data, Framer},
    },
};

/// The longest event that is read, bytes: pictures and long calls come whole from some vendors.
const MAX_EVENT: usize = 32 * 1024 * 1024;
/// A buffer larger than this is given back after its event: an idle stream holds little.
const KEPT_CAPACITY: usize = 4096;

/// How a vendor cuts its stream into events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// `text/event-stream`.
    Sse,
    /// `application/vnd.amazon.eventstream`, each frame's payload the event's JSON (Converse).
    EventStream,
    /// The same, each payload `{"bytes": base64 of the event's JSON}` (`InvokeModel`).
    InvokeStream,
}

/// Translates one stream. Has the same questions as [`StreamMeter`](crate::dialect::StreamMeter), which
/// reads streams that pass.
pub struct StreamTranslator {
    cutter: Cutter,
    core: Core,
}

enum Cutter {
    Sse(Framer),
    Frames(Frames, bool),
}

/// What is changed of a vendor's events.
struct Edits {
    /// Signatures are Claude's, though the API does not say so.
    claude: bool,
    /// Calls beyond the first are not told.
    one_call: bool,
    /// Tools are called as the client does.
    names: Restoring,
}

impl Edits {
    /// The event as it is told, if it is.
    fn of<'a>(&mut self, mut event: Event<'a>) -> Option<Event<'a>> {
        if self.claude {
            origins::claim_event(&mut event);
        }
        let further =
            matches!(event, Event::ToolCall { call: 1.., .. } | Event::Arguments { call: 1.., .. });
        if self.one_call && further { None } else { self.names.event(event) }
    }
}

/// Everything behind the framing.
struct Core {
    reader: Box<dyn StreamReader>,
    edits: Edits,
    writer: Box<dyn StreamWriter>,
    out: Vec<u8>,
    /// An event that came in pieces.
    gathered: Vec<u8>,
    too_long: bool,
    facts: AnswerFacts,
    /// Bytes of text, thinking and arguments since usage was told.
    said: u64,
    first: FirstEvent,
    failed: Option<StreamError>,
    done: bool,
}

impl StreamTranslator {
    /// For one answer.
    #[must_use]
    pub fn new(from: VendorApi, framing: Framing, to: ClientApi, context: Answering) -> Self {
        let cutter = match framing {
            Framing::Sse => Cutter::Sse(Framer::default()),
            Framing::EventStream => Cutter::Frames(Frames::default(), false),
            Framing::InvokeStream => Cutter::Frames(Frames::default(), true),
        };
        let core = Core {
            reader: from.stream_reader(),
            edits: Edits {
                claude: from == VendorApi::Converse && origins::is_claude(&context.base_model),
                one_call: context.one_call,
                names: Restoring::new(context.tool_names.clone()),
            },
            writer: to.stream_writer(context),
            out: Vec::new(),
            gathered: Vec::new(),
            too_long: false,
            facts: AnswerFacts::default(),
            said: 0,
            first: FirstEvent::Undecided,
            failed: None,
            done: false,
        };
        Self { cutter, core }
    }

    /// Reads the next piece and answers what goes to the client; may be empty.
    #[must_use = "these are the bytes to forward"]
    pub fn push(&mut self, piece: &[u8]) -> Bytes {
        match &mut self.cutter {
            Cutter::Sse(framer) => framer.push(piece, &mut self.core),
            Cutter::Frames(frames, wrapped) => {
                let (wrapped, core) = (*wrapped, &mut self.core);
                frames.push(piece, &mut |frame| core.frame(frame, wrapped));
            }
        }
        self.core.take()
    }

    /// The vendor's bytes have ended; answers what is left to say. If neither
    /// [`complete`](Self::complete) nor [`failed`](Self::failed) afterwards, the stream was cut:
    /// [`abort`](Self::abort) it.
    #[must_use = "these are the bytes to forward"]
    pub fn end(&mut self) -> Bytes {
        match &mut self.cutter {
            Cutter::Sse(framer) => framer.finish(&mut self.core),
            // A frame without its end cannot be read.
            Cutter::Frames(..) => {}
        }
        self.core.end();
        self.core.take()
    }

    /// What ends a stream that cannot be finished.
    #[must_use = "these are the bytes to forward"]
    pub fn abort(&mut self, error: &GatewayError) -> Bytes {
        if !self.core.is_over() {
            self.core.writer.abort(error, &mut self.core.out);
            self.core.done = true;
        }
        self.core.take()
    }

    /// Whether the stream may be committed.
    #[must_use]
    pub const fn first(&self) -> &FirstEvent {
        &self.core.first
    }

    /// The error that the vendor sent in the stream, first event or later.
    #[must_use]
    pub const fn failed(&self) -> Option<&StreamError> {
        self.core.failed.as_ref()
    }

    /// The client has the end of a complete stream.
    #[must_use]
    pub const fn complete(&self) -> bool {
        self.core.facts.whole && self.core.failed.is_none()
    }

    /// How many bytes of text, thinking and arguments the model has said since the vendor last told the use.
    #[must_use]
    pub const fn said(&self) -> u64 {
        self.core.said
    }

    /// What has been learnt so far.
    #[must_use]
    pub fn facts(&self) -> AnswerFacts {
        self.core.facts.clone()
    }
}

impl Core {
    const fn is_over(&self) -> bool {
        self.done || self.failed.is_some()
    }

    fn take(&mut self) -> Bytes {
        let out = std::mem::take(&mut self.out);
        // The next piece of a stream is about as long as this one.
        Bytes::from(out)
    }

    fn frame(&mut self, frame: Frame<'_>, wrapped: bool) {
        match frame {
            Frame::Event { payload, .. } if wrapped => match inner_event(payload) {
                Some(event) => self.event(b"", &event),
                None => self.fail("the vendor sent an event that cannot be read"),
            },
            Frame::Event { name, payload } => self.event(name, payload),
            Frame::Exception { name, payload } => {
                let error = super::converse::exception(name, payload);
                self.emit(Event::Failed(error));
            }
            Frame::Broken => self.fail("the vendor sent a broken event stream"),
        }
    }

    fn event(&mut self, name: &[u8], data: &[u8]) {
        if self.is_over() {
            return;
        }
        let Self { reader, edits, writer, out, facts, said, first, failed, done, .. } = self;
        reader.read(name, data, &mut |event| {
            let Some(event) = edits.of(event) else { return };
            let event = carried(event, &**writer);
            if !*done && failed.is_none() {
                *said = if let Event::Usage(_) = event { 0 } else { *said + length(&event) };
                learn(&event, facts, first, failed, done);
                writer.write(event, out);
            }
        });
    }

    fn end(&mut self) {
        if self.is_over() {
            return;
        }
        let Self { reader, writer, out, facts, first, failed, done, .. } = self;
        reader.end(&mut |event| {
            if !*done && failed.is_none() {
                learn(&event, facts, first, failed, done);
                writer.write(event, out);
            }
        });
    }

    fn emit(&mut self, event: Event<'_>) {
        if !self.is_over() {
            let Self { writer, out, facts, first, failed, done, .. } = self;
            learn(&event, facts, first, failed, done);
            writer.write(event, out);
        }
    }

    fn fail(&mut self, message: &str) {
        self.emit(Event::Failed(unusable(message)));
    }
}

/// A picture that the client's API has no place for is no answer without it.
fn carried<'a>(event: Event<'a>, writer: &dyn StreamWriter) -> Event<'a> {
    if matches!(event, Event::Image(_)) && !writer.carries_pictures() {
        return Event::Failed(unusable(
            "the vendor sent a picture, which a stream of this API cannot carry; ask without `stream`",
        ));
    }
    event
}

fn unusable(message: &str) -> StreamError {
    StreamError { status: 502, kind: "upstream_error".to_owned(), message: message.to_owned() }
}

/// Bytes of what the model says with an event.
fn length(event: &Event<'_>) -> u64 {
    match event {
        Event::Text(text) | Event::Thinking(text) | Event::Refusal(text) => text.len() as u64,
        Event::Arguments { fragment, .. } => fragment.len() as u64,
        _ => 0,
    }
}

/// Keeps what the gateway wants to know of an event.
fn learn(
    event: &Event<'_>,
    facts: &mut AnswerFacts,
    first: &mut FirstEvent,
    failed: &mut Option<StreamError>,
    done: &mut bool,
) {
    match event {
        Event::Start { model: Some(model), .. } => facts.model = Some((**model).to_owned()),
        Event::Usage(usage) => facts.usage = Some(*usage),
        Event::Failed(error) => *failed = Some(error.clone()),
        Event::Done => {
            facts.whole = true;
            *done = true;
        }
        _ => {}
    }
    if *first == FirstEvent::Undecided {
        match event {
            Event::Start { .. } | Event::Ping | Event::Usage(_) => {}
            Event::Failed(error) => *first = FirstEvent::Error(error.clone()),
            _ => *first = FirstEvent::Good,
        }
    }
}

/// `{"bytes":"<base64>","p":"…"}` of `InvokeModelWithResponseStream`.
/// <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_PayloadPart.html>
pub(super) fn inner_event(payload: &[u8]) -> Option<Vec<u8>> {
    use base64::Engine;

    #[derive(serde::Deserialize)]
    struct Payload<'a> {
        #[serde(borrow)]
        bytes: super::form::Text<'a>,
    }
    let payload: Payload<'_> = serde_json::from_slice(payload).ok()?;
    base64::engine::general_purpose::STANDARD.decode(payload.bytes.as_bytes()).ok()
}

impl Blocks for Core {
    fn piece(&mut self, data: &[u8]) {
        if self.gathered.len() + data.len() > MAX_EVENT {
            self.too_long = true;
        } else {
            self.gathered.extend_from_slice(data);
        }
    }

    fn block(&mut self, block: Block<'_>) {
        match block.data {
            Data::None => {}
            Data::Whole(data) => self.event(block.name, data),
            Data::Pieces if self.too_long => {
                self.fail("the vendor sent an event that is too long");
            }
            Data::Pieces => {
                let mut data = std::mem::take(&mut self.gathered);
                self.event(block.name, &data);
                data.clear();
                data.shrink_to(KEPT_CAPACITY);
                self.gathered = data;
            }
        }
    }
}

#[cfg(test)]
#[path = "stream_tests.rs"]
mod tests;
