//! A streamed answer on its way to the client: as it is, in another envelope, or translated.

use bytes::Bytes;

use crate::{
    dialect::{AnswerFacts, FirstEvent, GatewayError, StreamError, StreamMeter},
    translate::{RehostStream, StreamTranslator},
};

/// What is done with a stream.
pub enum StreamAnswer {
    /// Its bytes pass.
    Pass(StreamMeter),
    /// The same events, in the envelope that the client's dialect has them in.
    Rehost(RehostStream, StreamMeter),
    /// Other events.
    Translate(StreamTranslator),
}

impl StreamAnswer {
    /// Takes the next piece, and answers what goes to the client.
    pub fn push(&mut self, piece: Bytes) -> Bytes {
        match self {
            Self::Pass(meter) => meter.push(piece),
            Self::Rehost(stream, meter) => {
                let piece = stream.push(&piece);
                if piece.is_empty() { piece } else { meter.push(piece) }
            }
            Self::Translate(stream) => stream.push(&piece),
        }
    }

    /// The vendor's bytes have ended; answers what is left to say.
    pub fn end(&mut self) -> Bytes {
        match self {
            Self::Pass(meter) | Self::Rehost(_, meter) => meter.end(),
            Self::Translate(stream) => stream.end(),
        }
    }

    /// What ends a stream that cannot be finished.
    pub fn abort(&mut self, error: &GatewayError) -> Bytes {
        match self {
            Self::Pass(meter) | Self::Rehost(_, meter) => meter.abort(error),
            Self::Translate(stream) => stream.abort(error),
        }
    }

    /// Whether the stream may be committed.
    pub const fn first(&self) -> &FirstEvent {
        match self {
            Self::Pass(meter) | Self::Rehost(_, meter) => meter.first(),
            Self::Translate(stream) => stream.first(),
        }
    }

    /// The error that the vendor sent in the stream.
    pub const fn failed(&self) -> Option<&StreamError> {
        match self {
            Self::Pass(meter) | Self::Rehost(_, meter) => meter.failed(),
            Self::Translate(stream) => stream.failed(),
        }
    }

    /// The stream's terminal event has been seen.
    pub const fn finished(&self) -> bool {
        match self {
            Self::Pass(meter) | Self::Rehost(_, meter) => meter.finished(),
            Self::Translate(stream) => stream.complete(),
        }
    }

    /// An end of the bytes here is the answer's own end.
    pub const fn complete(&self) -> bool {
        match self {
            Self::Pass(meter) | Self::Rehost(_, meter) => meter.complete(),
            Self::Translate(stream) => stream.complete(),
        }
    }

    /// About how many bytes of text, thinking and arguments the model has said since the vendor last told
    /// the use.
    pub const fn said(&self) -> u64 {
        match self {
            Self::Pass(meter) | Self::Rehost(_, meter) => meter.said(),
            Self::Translate(stream) => stream.said(),
        }
    }

    /// What has been learnt so far.
    pub fn facts(&self) -> AnswerFacts {
        match self {
            Self::Pass(meter) | Self::Rehost(_, meter) => meter.facts(),
            Self::Translate(stream) => stream.facts(),
        }
    }
}
