//! Reads a stream while it passes: usage, whether it may be committed, how it ended.
//!
//! Bytes are forwarded as they come; with `hide_usage` the one chunk that the gateway asked for
//! is taken out. Nothing is kept of an event but its figures.

use bytes::Bytes;
use smallvec::SmallVec;

use super::{
    errors::{DONE, GatewayError},
    events::{Grammar, Reading},
    facts::AnswerFacts,
    hide::{BlockEnd, Fate, Hider},
    stream_error::StreamError,
    trailer::{Chunks, Tell, Trailer},
};
use crate::{
    domain::Endpoint,
    wire::{
        pick::Picker,
        sse::{Block, Blocks, Data, Framer},
    },
};

/// Whether the stream has shown itself to work: until then it may still fail over.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum FirstEvent {
    /// Nothing but comments, pings and announcements so far.
    #[default]
    Undecided,
    /// An event that only a working answer has.
    Good,
    /// It failed before it began.
    Error(StreamError),
}

/// The state between two pieces of a stream.
#[derive(Debug)]
pub struct StreamMeter {
    endpoint: Endpoint,
    framer: Framer,
    reader: Reader,
    hider: Option<Hider>,
    trailer: Option<Box<Trailer>>,
    /// The bytes ended inside a block of which the client has a part.
    ended_open: bool,
    /// What would make it complete stands in a block without an end, which a client may not read.
    cut: bool,
}

impl StreamMeter {
    /// For a stream of `endpoint`. `hide_usage`: the gateway asked for the usage chunk and the
    /// client did not, so it is taken out.
    #[must_use]
    pub fn new(endpoint: Endpoint, hide_usage: bool) -> Self {
        let grammar = Grammar::of(endpoint);
        let hide = hide_usage && grammar == Grammar::Chat;
        Self {
            endpoint,
            framer: Framer::default(),
            reader: Reader::new(grammar, hide),
            hider: hide.then(Hider::default),
            trailer: None,
            ended_open: false,
            cut: false,
        }
    }

    /// For a stream of chat completions that ends with a chunk of the gateway's own, which takes the
    /// place of the vendor's usage chunk: one choice with an empty delta, and what `tell` says.
    #[must_use]
    pub fn with_trailer(tell: Tell) -> Self {
        let mut meter = Self::new(Endpoint::ChatCompletions, true);
        meter.reader.keep_chunks = true;
        meter.trailer = Some(Box::new(Trailer::new(tell)));
        meter
    }

    /// Reads the next piece and answers what to forward: the same bytes, uncopied, unless the
    /// usage chunk is taken out. May be empty.
    #[must_use = "these are the bytes to forward"]
    pub fn push(&mut self, piece: Bytes) -> Bytes {
        let lf_owed = self.framer.owes_lf() && piece.first() == Some(&b'\n');
        self.framer.push(&piece, &mut self.reader);
        let own = self.own_chunk();
        let Some(hider) = &mut self.hider else { return piece };
        let forward = hider.push(&piece, &self.reader.ends, lf_owed, &own);
        self.reader.ends.clear();
        forward
    }

    /// The gateway's chunk, if the stream's last block has come now.
    fn own_chunk(&mut self) -> Bytes {
        let Some(trailer) = &mut self.trailer else { return Bytes::new() };
        if !self.reader.ends.iter().any(|(_, fate)| *fate == Fate::Last) {
            return Bytes::new();
        }
        trailer.chunk(&self.reader.chunks, &self.reader.reading.facts())
    }

    /// The upstream's bytes have ended; answers what is left to forward. If neither
    /// [`complete`](Self::complete) nor [`failed`](Self::failed) afterwards, the stream was cut:
    /// [`abort`](Self::abort) it.
    #[must_use = "these are the bytes to forward"]
    pub fn end(&mut self) -> Bytes {
        self.ended_open = self.is_inside_a_block();
        let doubtful = self.framer.in_block() && !self.complete();
        self.framer.finish(&mut self.reader);
        // `[DONE]` is no event: nothing of it is lost.
        let done = self.reader.grammar == Grammar::Chat && self.finished();
        self.cut = doubtful && !done;
        let last = self.own_chunk();
        let extra = self.reader.ends.drain(..).any(|(_, fate)| fate == Fate::TakeOut);
        if self.complete() {
            let rest = self.hider.as_mut().map(|hider| hider.finish(extra)).unwrap_or_default();
            return match &mut self.trailer {
                // The vendor ends without `[DONE]`, or with one in an unfinished block.
                Some(trailer) if last.is_empty() => {
                    let own = trailer.chunk(&self.reader.chunks, &self.reader.reading.facts());
                    [rest, own].concat().into()
                }
                Some(_) => [last, rest].concat().into(),
                None => rest,
            };
        }
        if self.reader.reading.failed.is_some() && self.reader.grammar == Grammar::Chat {
            let rest = self.hider.as_mut().map(|hider| hider.finish(extra)).unwrap_or_default();
            let gap: &[u8] = if self.ended_open || !rest.is_empty() { b"\n\n" } else { b"" };
            return [&rest, gap, DONE].concat().into();
        }
        Bytes::new()
    }

    /// What to send for a stream that ends with the gateway's own `error`: whatever closes a
    /// half-sent event, the error event and, on chat completions and completions, `[DONE]`.
    /// Bytes that are still held are dropped with their half event.
    #[must_use = "these are the bytes to forward"]
    pub fn abort(&mut self, error: &GatewayError) -> Bytes {
        let event = error.numbered_event(self.endpoint, self.reader.reading.next_sequence);
        let broken = self.ended_open || self.is_inside_a_block();
        if let Some(hider) = &mut self.hider {
            *hider = Hider::default();
        }
        if broken { [b"\n\n", &*event].concat().into() } else { event }
    }

    /// Whether the stream may be committed.
    #[must_use]
    pub const fn first(&self) -> &FirstEvent {
        &self.reader.reading.first
    }

    /// The error that the upstream sent in the stream, first event or later.
    #[must_use]
    pub const fn failed(&self) -> Option<&StreamError> {
        self.reader.reading.failed.as_ref()
    }

    /// The grammar's terminal event has been seen: `[DONE]`, `message_stop`,
    /// `response.completed`, `response.incomplete` or `response.failed`.
    #[must_use]
    pub const fn finished(&self) -> bool {
        self.reader.reading.finished && !self.cut
    }

    /// An end of the bytes here is the answer's own end: [`finished`](Self::finished), or a choice
    /// said why it ended, which is all that vendors without `[DONE]` send (Perplexity:
    /// <https://github.com/perplexityai/api-discussion/issues/209>).
    #[must_use]
    pub const fn complete(&self) -> bool {
        let reading = &self.reader.reading;
        !self.cut && (reading.finished || (reading.settled && reading.failed.is_none()))
    }

    /// What has been learnt so far; a stream that was cut has the figures up to there.
    #[must_use]
    pub fn facts(&self) -> AnswerFacts {
        self.reader.reading.facts()
    }

    /// About how many bytes of text, thinking and arguments the model has said since the vendor last told
    /// the use. What comes in one event of more than 64 KiB is not among them.
    #[must_use]
    pub const fn said(&self) -> u64 {
        self.reader.reading.said
    }

    /// Whether the client has a part of an event whose end it has not.
    fn is_inside_a_block(&self) -> bool {
        self.framer.in_block() && self.hider.as_ref().is_none_or(Hider::is_passing)
    }
}

/// Gives each event to its grammar.
#[derive(Debug)]
struct Reader {
    grammar: Grammar,
    reading: Reading,
    /// Reads the event that is too large to be held, while there is one.
    large: Option<Box<Picker>>,
    /// Where blocks end in the piece being read; only kept if something is to be hidden.
    ends: SmallVec<[BlockEnd; 4]>,
    keep_ends: bool,
    /// Whether the gateway writes a chunk of its own, for which it needs some of the vendor's.
    keep_chunks: bool,
    chunks: Chunks,
}

impl Reader {
    fn new(grammar: Grammar, keep_ends: bool) -> Self {
        Self {
            grammar,
            reading: Reading::default(),
            large: None,
            ends: SmallVec::new(),
            keep_ends,
            keep_chunks: false,
            chunks: Chunks::default(),
        }
    }
}

impl Blocks for Reader {
    fn piece(&mut self, data: &[u8]) {
        let grammar = self.grammar;
        self.large.get_or_insert_with(|| Box::new(Picker::new(grammar.paths()))).push(data);
    }

    fn block(&mut self, block: Block<'_>) {
        let finished = self.reading.finished;
        let fate = match block.data {
            Data::None => Fate::Pass,
            Data::Whole(data) => {
                let extra = self.grammar.whole(block.name, data, &mut self.reading);
                if self.keep_chunks {
                    self.chunks.keep(data, extra);
                }
                if extra { Fate::TakeOut } else { Fate::Pass }
            }
            Data::Pieces => {
                if let Some(members) = self.large.take() {
                    self.grammar.picked(block.name, &members, &mut self.reading);
                }
                Fate::Pass
            }
        };
        if self.keep_ends {
            let last = self.keep_chunks && !finished && self.reading.finished;
            self.ends.push((block.end, if last { Fate::Last } else { fate }));
        }
    }
}

#[cfg(test)]
#[path = "stream_tests.rs"]
mod tests;
