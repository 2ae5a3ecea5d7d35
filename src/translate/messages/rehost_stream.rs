//! The stream of a client's own message from Claude on another platform, as Anthropic would send it.
//!
//! Amazon Bedrock's frames hold Anthropic's events (without their `event:` lines), Vertex AI sends
//! Anthropic's own SSE. The model that `message_start` names becomes the one that was asked; every
//! other byte of the events stays.

use std::sync::Arc;

use bytes::Bytes;
use serde::Deserialize;

use super::{events_write, rehost::renamed};
use crate::{
    dialect::StreamError,
    translate::{
        converse,
        form::Text,
        stream::{Framing, inner_event},
    },
    wire::{
        eventstream::{Frame, Frames},
        sse::{Block, Blocks, Data, Framer},
    },
};

/// The most bytes that are held while `message_start` is awaited; it is far smaller.
const MAX_HELD: usize = 1024 * 1024;

/// Changes one stream.
pub struct RehostStream {
    model: Arc<str>,
    framing: Kind,
    failed: bool,
}

enum Kind {
    Sse(Box<Start>),
    Frames(Frames),
    /// The model has its name: bytes pass.
    Passing,
}

/// The bytes before and with `message_start`.
#[derive(Default)]
struct Start {
    framer: Framer,
    held: Vec<u8>,
}

impl RehostStream {
    /// For one answer, whose model the client shall know as `model`.
    #[must_use]
    pub fn new(framing: Framing, model: Arc<str>) -> Self {
        let framing = match framing {
            Framing::Sse => Kind::Sse(Box::default()),
            Framing::EventStream | Framing::InvokeStream => Kind::Frames(Frames::default()),
        };
        Self { model, framing, failed: false }
    }

    /// Reads the next piece and answers what goes to the client; may be empty.
    #[must_use = "these are the bytes to forward"]
    pub fn push(&mut self, piece: &[u8]) -> Bytes {
        let Self { model, framing, failed } = self;
        let mut out = Vec::with_capacity(piece.len());
        match framing {
            Kind::Passing => out.extend_from_slice(piece),
            Kind::Sse(start) => {
                if start.push(piece, model, &mut out) {
                    *framing = Kind::Passing;
                }
            }
            Kind::Frames(frames) => {
                frames.push(piece, &mut |frame| {
                    if !*failed {
                        *failed = put_frame(frame, model, &mut out);
                    }
                });
            }
        }
        out.into()
    }

    /// The vendor's bytes have ended; answers what was held back.
    #[must_use = "these are the bytes to forward"]
    pub fn end(&mut self) -> Bytes {
        match std::mem::replace(&mut self.framing, Kind::Passing) {
            Kind::Sse(start) => start.held.into(),
            // A frame without its end cannot be read.
            Kind::Frames(_) | Kind::Passing => Bytes::new(),
        }
    }
}

impl Start {
    /// Takes a piece; true once all is said that has to change.
    fn push(&mut self, piece: &[u8], model: &str, out: &mut Vec<u8>) -> bool {
        let before = self.held.len();
        self.held.extend_from_slice(piece);
        let mut ends = Ends::default();
        self.framer.push(piece, &mut ends);
        let mut from = 0;
        for (end, is_start) in ends.blocks {
            let end = before + end;
            let block = self.held.get(from..end).unwrap_or_default();
            from = end;
            if is_start {
                put_start(block, model, out);
                out.extend_from_slice(self.held.get(from..).unwrap_or_default());
                self.held = Vec::new();
                return true;
            }
            out.extend_from_slice(block);
        }
        self.held.drain(..from);
        if self.held.len() <= MAX_HELD {
            return false;
        }
        out.append(&mut self.held);
        true
    }
}

/// Where blocks end, and whether they are `message_start`.
#[derive(Default)]
struct Ends {
    blocks: Vec<(usize, bool)>,
}

impl Blocks for Ends {
    fn piece(&mut self, _: &[u8]) {}

    fn block(&mut self, block: Block<'_>) {
        let is_start = match (block.name, &block.data) {
            (b"message_start", _) => true,
            (b"", Data::Whole(data)) => {
                event_name(data).is_some_and(|name| name == "message_start")
            }
            _ => false,
        };
        self.blocks.push((block.end, is_start));
    }
}

/// A `message_start` as it stands in the stream, with the other name.
fn put_start(block: &[u8], model: &str, out: &mut Vec<u8>) {
    // The JSON begins at the first brace (no field's name has one) and ends at the last.
    let first = memchr::memchr(b'{', block);
    let last = memchr::memrchr(b'}', block);
    let data = match (first, last) {
        (Some(first), Some(last)) => block.get(first..=last).map(|data| (first, last, data)),
        _ => None,
    };
    let changed = data.and_then(|(first, last, data)| {
        Some((first, last, renamed(data, &["message", "model"], model)?))
    });
    match changed {
        Some((first, last, data)) => {
            out.extend_from_slice(block.get(..first).unwrap_or_default());
            out.extend_from_slice(&data);
            out.extend_from_slice(block.get(last + 1..).unwrap_or_default());
        }
        None => out.extend_from_slice(block),
    }
}

/// A frame as an event; true if nothing can follow.
fn put_frame(frame: Frame<'_>, model: &str, out: &mut Vec<u8>) -> bool {
    let event = match frame {
        Frame::Event { payload, .. } => inner_event(payload),
        Frame::Exception { name, payload } => {
            events_write::error(&converse::exception(name, payload), out);
            return true;
        }
        Frame::Broken => {
            events_write::error(&broken("the vendor sent a broken event stream"), out);
            return true;
        }
    };
    let named = event.as_deref().and_then(|event| Some((event, event_name(event)?)));
    let Some((event, name)) = named else {
        events_write::error(&broken("the vendor sent an event that cannot be read"), out);
        return true;
    };
    let over = name == "error";
    out.extend_from_slice(b"event: ");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\ndata: ");
    let from = out.len();
    match (&*name == "message_start").then(|| renamed(event, &["message", "model"], model)) {
        Some(Some(renamed)) => out.extend_from_slice(&renamed),
        _ => out.extend_from_slice(event),
    }
    // Line ends between members would end the data line.
    for byte in out.iter_mut().skip(from).filter(|byte| matches!(byte, b'\n' | b'\r')) {
        *byte = b' ';
    }
    out.extend_from_slice(b"\n\n");
    over
}

/// `type` of an event; none where it is no event, or could break out of its line.
fn event_name(event: &[u8]) -> Option<Text<'_>> {
    #[derive(Deserialize)]
    struct Tag<'a> {
        #[serde(rename = "type", borrow)]
        kind: Text<'a>,
    }
    let Tag { kind } = serde_json::from_slice(event).ok()?;
    (!kind.contains(['\n', '\r'])).then_some(kind)
}

fn broken(message: &str) -> StreamError {
    let (kind, message) = ("upstream_error".to_owned(), message.to_owned());
    StreamError { status: 502, kind, message }
}
