//! The chunk that the gateway writes at the end of a chat stream that passes (contract 4.8).

use std::fmt;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::facts::AnswerFacts;

/// Says the members that the chunk has beside those of every chunk: `"usage":{…},"metadata":{…}`. Gets
/// the vendor's own usage object, if it sent one by itself.
pub type Tell = Box<dyn Fn(&AnswerFacts, Option<&str>) -> Vec<u8> + Send + Sync>;

/// Those of the vendor's chunks that the gateway's own is made after.
#[derive(Debug, Default)]
pub(super) struct Chunks {
    first: Vec<u8>,
    usage: Vec<u8>,
}

impl Chunks {
    /// Keeps the first chunk, and the one that has nothing but usage.
    pub(super) fn keep(&mut self, data: &[u8], usage: bool) {
        if self.first.is_empty() && data.starts_with(b"{") {
            self.first = data.to_vec();
        }
        if usage {
            self.usage = data.to_vec();
        }
    }
}

/// Writes the chunk, once.
pub(super) struct Trailer {
    tell: Tell,
    written: bool,
}

impl fmt::Debug for Trailer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trailer").field("written", &self.written).finish_non_exhaustive()
    }
}

/// What all chunks of a stream have in common.
#[derive(Default, Deserialize, Serialize)]
#[serde(default)]
struct Common<'a> {
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    id: Option<&'a RawValue>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    object: Option<&'a RawValue>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    created: Option<&'a RawValue>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    model: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Used<'a> {
    #[serde(borrow)]
    usage: Option<&'a RawValue>,
}

impl Trailer {
    pub(super) const fn new(tell: Tell) -> Self {
        Self { tell, written: false }
    }

    pub(super) fn chunk(&mut self, chunks: &Chunks, facts: &AnswerFacts) -> Bytes {
        if std::mem::replace(&mut self.written, true) {
            return Bytes::new();
        }
        let common: Common<'_> = serde_json::from_slice(&chunks.first).unwrap_or_default();
        let used: Used<'_> = serde_json::from_slice(&chunks.usage).unwrap_or_default();
        let mut out = b"data: ".to_vec();
        if serde_json::to_writer(&mut out, &common).is_err() {
            return Bytes::new();
        }
        // Behind the members so far.
        out.pop();
        if out.last() != Some(&b'{') {
            out.push(b',');
        }
        out.extend_from_slice(br#""choices":[{"index":0,"delta":{},"finish_reason":null}],"#);
        out.extend_from_slice(&(self.tell)(facts, used.usage.map(RawValue::get)));
        out.extend_from_slice(b"}\n\n");
        out.into()
    }
}
