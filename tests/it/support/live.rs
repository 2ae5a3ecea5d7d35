//! An answer that is still coming.

use bytes::{Bytes, BytesMut};

use super::{
    Answer, Headers,
    raw::{Framing, Wire},
    within,
};

/// How a body ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// As its framing says it should.
    Complete,
    /// Before that.
    Cut,
}

/// The head of an answer and the connection on which its body arrives.
pub struct Live {
    pub status: u16,
    pub headers: Headers,
    pub(super) wire: Wire,
    pub(super) framing: Framing,
    pub(super) read: BytesMut,
}

impl Live {
    /// The next server-sent event, its blank line included; panics at the end of the stream.
    pub async fn event(&mut self) -> String {
        loop {
            if let Some(end) = memchr::memmem::find(&self.read, b"\n\n") {
                let event = self.read.split_to(end + 2);
                return String::from_utf8(event.to_vec()).expect("events are UTF-8");
            }
            let piece = within("the next event", self.wire.piece(&mut self.framing)).await;
            let piece = piece.expect("the stream goes on").expect("the stream has more events");
            self.read.extend_from_slice(&piece);
        }
    }

    /// Everything that is still to come.
    pub async fn rest(mut self) -> Answer {
        let ending = loop {
            match within("the rest of the stream", self.wire.piece(&mut self.framing)).await {
                Ok(Some(piece)) => self.read.extend_from_slice(&piece),
                Ok(None) => break Ending::Complete,
                Err(_) => break Ending::Cut,
            }
        };
        let body: Bytes = self.read.freeze();
        Answer { status: self.status, headers: self.headers, body, ending }
    }

    /// Closes the connection in the middle of it.
    pub fn leave(self) -> std::time::Instant {
        self.wire.leave()
    }
}
