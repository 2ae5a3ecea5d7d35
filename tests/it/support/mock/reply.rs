//! What the mock does with a request, said before it comes.

use std::{sync::Arc, time::Duration};

use bytes::{Bytes, BytesMut};
use serde_json::Value;
use tokio::sync::Semaphore;

use super::{calls::Call, dialects};

/// Lets pieces of an answer through one at a time.
#[derive(Clone)]
pub struct Gate(Arc<Semaphore>);

impl Gate {
    pub fn closed() -> Self {
        Self(Arc::new(Semaphore::new(0)))
    }

    /// Lets one more piece through.
    pub fn let_one_through(&self) {
        self.0.add_permits(1);
    }

    /// Lets everything through.
    pub fn open(&self) {
        self.0.add_permits(100_000);
    }

    pub(super) async fn pass(&self) {
        self.0.acquire().await.expect("gates are never closed for good").forget();
    }
}

/// One act of a scripted answer, carried out by the HTTP/1.1 or HTTP/2 side.
#[derive(Clone)]
pub enum Step {
    Wait(Duration),
    Pass(Gate),
    /// `length`: `content-length`; none is chunked.
    Head {
        status: u16,
        headers: Vec<(String, String)>,
        length: Option<usize>,
    },
    /// A piece of the body; one chunk of its own where the body is chunked.
    Data(Bytes),
    /// Bytes as they are, framing included (HTTP/1.1 only).
    Raw(Bytes),
    /// The body is complete.
    End,
    /// Says nothing more until the client goes away.
    Hang,
    /// Breaks the connection hard (RST).
    Reset,
    /// Closes the connection with the answer unfinished (FIN).
    Close,
    /// Says that nothing was done with the request (`REFUSED_STREAM`, HTTP/2 only).
    Refuse,
    /// Takes leave of the connection (`GOAWAY`, HTTP/2 only).
    GoAway,
}

#[derive(Clone)]
enum Shape {
    /// A good answer in the dialect of the path.
    Natural,
    Status(u16, Option<Bytes>),
    Events(Vec<Bytes>),
    Body(Bytes),
    Steps(Vec<Step>),
}

#[derive(Clone)]
enum Split {
    AsIs,
    At(usize),
    EveryByte,
}

#[derive(Clone)]
enum Fate {
    Complete,
    After(usize, Step),
}

/// A scripted answer. Built as a sentence: `Reply::answers().stalls_after(3)`.
#[derive(Clone)]
pub struct Reply {
    shape: Shape,
    headers: Vec<(String, String)>,
    delay: Duration,
    pause: Duration,
    gate: Option<Gate>,
    split: Split,
    fate: Fate,
    early: bool,
    chunked: bool,
}

impl Reply {
    fn shaped(shape: Shape) -> Self {
        Self {
            shape,
            headers: Vec::new(),
            delay: Duration::ZERO,
            pause: Duration::ZERO,
            gate: None,
            split: Split::AsIs,
            fate: Fate::Complete,
            early: false,
            chunked: false,
        }
    }

    /// A good answer in the dialect of the path.
    pub fn answers() -> Self {
        Self::shaped(Shape::Natural)
    }

    /// A good answer with exactly this body.
    pub fn says(body: impl Into<Bytes>) -> Self {
        Self::shaped(Shape::Body(body.into()))
    }

    /// An error status with the error body of the path's dialect.
    pub fn status(status: u16) -> Self {
        Self::shaped(Shape::Status(status, None))
    }

    /// An error status with exactly this body.
    pub fn status_with(status: u16, body: impl Into<Bytes>) -> Self {
        Self::shaped(Shape::Status(status, Some(body.into())))
    }

    /// A stream of exactly these bytes, one piece each.
    pub fn streams<B: Into<Bytes>>(events: impl IntoIterator<Item = B>) -> Self {
        Self::shaped(Shape::Events(events.into_iter().map(Into::into).collect()))
    }

    /// Reads the request, then says nothing.
    pub fn hangs() -> Self {
        Self::shaped(Shape::Steps(vec![Step::Hang]))
    }

    /// Reads the request, then breaks the connection.
    pub fn resets() -> Self {
        Self::shaped(Shape::Steps(vec![Step::Reset]))
    }

    /// Reads the request, then closes the connection without a word.
    pub fn hangs_up() -> Self {
        Self::shaped(Shape::Steps(vec![Step::Close]))
    }

    /// Reads the request, then refuses its stream (HTTP/2 only).
    pub fn refuses() -> Self {
        Self::shaped(Shape::Steps(vec![Step::Refuse]))
    }

    /// Reads the request, then ends the connection with all due form (HTTP/2 only).
    pub fn goes_away() -> Self {
        Self::shaped(Shape::Steps(vec![Step::GoAway]))
    }

    /// Writes exactly these bytes and closes.
    pub fn writes(bytes: impl Into<Bytes>) -> Self {
        Self::shaped(Shape::Steps(vec![Step::Raw(bytes.into()), Step::Close]))
    }

    /// Writes exactly these bytes and reads the next request.
    pub fn writes_and_stays(bytes: impl Into<Bytes>) -> Self {
        Self::shaped(Shape::Steps(vec![Step::Raw(bytes.into())]))
    }

    /// A header of the answer.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn retry_after(self, seconds: u32) -> Self {
        self.header("retry-after", &seconds.to_string())
    }

    /// Waits before the first byte.
    pub fn after(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// Waits between pieces.
    pub fn dripping(mut self, pause: Duration) -> Self {
        self.pause = pause;
        self
    }

    /// Sends each piece only when `gate` lets it.
    pub fn gated(mut self, gate: &Gate) -> Self {
        self.gate = Some(gate.clone());
        self
    }

    /// Cuts the body in two at a byte.
    pub fn split_at(mut self, byte: usize) -> Self {
        self.split = Split::At(byte);
        self
    }

    /// Sends every byte of the body on its own.
    pub fn byte_by_byte(mut self) -> Self {
        self.split = Split::EveryByte;
        self
    }

    /// Frames the body in chunks even where its length is known.
    pub fn chunked(mut self) -> Self {
        self.chunked = true;
        self
    }

    /// Goes silent after so many pieces of the body.
    pub fn stalls_after(mut self, pieces: usize) -> Self {
        self.fate = Fate::After(pieces, Step::Hang);
        self
    }

    /// Breaks the connection after so many pieces of the body.
    pub fn resets_after(mut self, pieces: usize) -> Self {
        self.fate = Fate::After(pieces, Step::Reset);
        self
    }

    /// Closes the connection after so many pieces of the body, unfinished.
    pub fn cut_after(mut self, pieces: usize) -> Self {
        self.fate = Fate::After(pieces, Step::Close);
        self
    }

    /// Ends the body properly after so many pieces, as if that were all.
    pub fn ends_after(mut self, pieces: usize) -> Self {
        self.fate = Fate::After(pieces, Step::End);
        self
    }

    /// Answers as soon as the head is there and never reads the body.
    pub fn early(mut self) -> Self {
        self.early = true;
        self
    }

    pub(super) const fn is_early(&self) -> bool {
        self.early
    }

    /// The acts of this answer to `call`.
    pub(super) fn steps(&self, call: &Call) -> Vec<Step> {
        let mut steps = Vec::new();
        if !self.delay.is_zero() {
            steps.push(Step::Wait(self.delay));
        }
        match &self.shape {
            Shape::Steps(given) => steps.extend(given.iter().cloned()),
            Shape::Natural => self.answer(dialects::answer(call), &mut steps),
            Shape::Status(status, None) => self.answer(dialects::error(call, *status), &mut steps),
            Shape::Status(status, Some(body)) => self.body(*status, body.clone(), &mut steps),
            Shape::Body(body) => self.body(200, body.clone(), &mut steps),
            Shape::Events(events) => self.events(events.clone(), &mut steps),
        }
        steps
    }

    /// An answer in a vendor's words, with the headers that it has by itself.
    fn answer(&self, answer: dialects::Answer, steps: &mut Vec<Step>) {
        let mut with = self.clone();
        let own = answer.headers.into_iter().map(|(name, value)| (name.to_owned(), value));
        with.headers.extend(own);
        if !with.headers.iter().any(|(name, _)| name == "content-type") {
            with.headers.insert(0, ("content-type".to_owned(), answer.kind.to_owned()));
        }
        match answer.body {
            dialects::Body::Whole(body) => with.body(answer.status, body, steps),
            dialects::Body::Events(events) => with.events(events, steps),
        }
    }

    fn body(&self, status: u16, body: Bytes, steps: &mut Vec<Step>) {
        let length = (!self.chunked).then_some(body.len());
        self.head(status, "application/json", length, steps);
        self.pieces(vec![body], steps);
    }

    fn events(&self, events: Vec<Bytes>, steps: &mut Vec<Step>) {
        self.head(200, "text/event-stream; charset=utf-8", None, steps);
        self.pieces(events, steps);
    }

    fn head(&self, status: u16, kind: &str, length: Option<usize>, steps: &mut Vec<Step>) {
        let mut headers = self.headers.clone();
        if !headers.iter().any(|(name, _)| name == "content-type") {
            headers.insert(0, ("content-type".to_owned(), kind.to_owned()));
        }
        steps.push(Step::Head { status, headers, length });
    }

    fn pieces(&self, given: Vec<Bytes>, steps: &mut Vec<Step>) {
        for (index, piece) in self.cut(given).into_iter().enumerate() {
            if matches!(self.fate, Fate::After(limit, _) if index >= limit) {
                break;
            }
            if index > 0 && !self.pause.is_zero() {
                steps.push(Step::Wait(self.pause));
            }
            if let Some(gate) = &self.gate {
                steps.push(Step::Pass(gate.clone()));
            }
            steps.push(Step::Data(piece));
        }
        steps.push(match &self.fate {
            Fate::After(_, step) => step.clone(),
            Fate::Complete => Step::End,
        });
    }

    fn cut(&self, pieces: Vec<Bytes>) -> Vec<Bytes> {
        let whole = || -> Bytes {
            let mut all = BytesMut::new();
            for piece in &pieces {
                all.extend_from_slice(piece);
            }
            all.freeze()
        };
        match self.split {
            Split::AsIs => pieces,
            Split::At(byte) => {
                let mut head = whole();
                let tail = head.split_off(byte.min(head.len()));
                vec![head, tail].into_iter().filter(|piece| !piece.is_empty()).collect()
            }
            Split::EveryByte => {
                let all = whole();
                (0..all.len()).map(|at| all.slice(at..=at)).collect()
            }
        }
    }
}

/// One server-sent event with only data.
pub fn data(value: &Value) -> Bytes {
    Bytes::from(format!("data: {value}\n\n"))
}

/// One named server-sent event.
pub fn event(name: &str, value: &Value) -> Bytes {
    Bytes::from(format!("event: {name}\ndata: {value}\n\n"))
}
