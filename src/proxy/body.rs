//! Reads a request's body whole: capped, timed, and within what the process may hold.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use http::{
    Version,
    header::{CONTENT_LENGTH, EXPECT},
};
use pingora_core::protocols::http::ServerSession;
use pingora_error::ErrorType;
use tokio::time::{Instant, timeout_at};

use super::{
    long_body,
    shared::{Limits, Shared},
    watched,
};

/// Every so many bytes that arrive extend the time allowed by a second.
const BYTES_PER_EXTRA_SECOND: u64 = 64 * 1024;
/// What a body without a length is first accounted at, and grows by.
const STEP: u64 = 64 * 1024;

/// Why there is no body.
#[derive(Debug, PartialEq, Eq)]
pub enum BodyError {
    /// Above the limit for one body.
    TooLarge,
    /// The process holds as much as it may.
    NoRoom,
    /// It did not arrive in time.
    TooSlow,
    /// Its framing is broken.
    Malformed,
    /// The client left.
    Gone,
}

/// A share of what the process may hold, given back on drop.
pub struct Room {
    shared: Arc<Shared>,
    limits: Limits,
    bytes: u64,
}

impl Room {
    /// No room yet, with the bounds of runtime traffic.
    pub fn none(shared: &Arc<Shared>) -> Self {
        Self::within(shared, shared.limits)
    }

    /// No room yet, with other bounds.
    pub fn within(shared: &Arc<Shared>, limits: Limits) -> Self {
        Self { shared: Arc::clone(shared), limits, bytes: 0 }
    }

    /// Makes it at least `bytes`.
    pub fn grow(&mut self, bytes: u64) -> Result<(), BodyError> {
        let Some(more) = bytes.checked_sub(self.bytes).filter(|more| *more > 0) else {
            return Ok(());
        };
        let limit = self.limits.max_buffered;
        let taken = self.shared.buffered.fetch_add(more, Ordering::AcqRel);
        if taken.saturating_add(more) > limit {
            self.shared.buffered.fetch_sub(more, Ordering::AcqRel);
            return Err(BodyError::NoRoom);
        }
        self.bytes = bytes;
        Ok(())
    }
}

impl Room {
    /// Gives everything back.
    pub fn release(&mut self) {
        let bytes = std::mem::take(&mut self.bytes);
        if bytes > 0 {
            self.shared.buffered.fetch_sub(bytes, Ordering::AcqRel);
        }
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.release();
    }
}

/// Reads the body of `session`, of which nothing was asked yet, not even whether there is one. `room` is
/// held as long as the body. A client that waits to be told to send it is.
pub async fn read(session: &mut ServerSession, room: &mut Room) -> Result<Bytes, BodyError> {
    let limits = room.limits;
    let length = session.req_header().headers.get(CONTENT_LENGTH);
    let length: Option<usize> = length.and_then(|length| length.to_str().ok()?.parse().ok());
    if length.is_some_and(|length| length as u64 > limits.max_body) {
        return Err(BodyError::TooLarge);
    }
    room.grow(length.unwrap_or(0) as u64)?;
    let deadline = Instant::now() + limits.body_timeout;
    // Before the client is told anything: Pingora looks for the body then.
    if let Some(has) = length.and_then(|length| watched::shorten(session, length)) {
        let read = read_long(session, has, deadline).await;
        let body = watched::finish_long(session);
        return read.and_then(|()| body.ok_or(BodyError::Malformed));
    }
    if session.is_body_empty() {
        return Ok(Bytes::new());
    }
    if length.is_none() {
        room.grow(STEP)?;
    }
    read_pieces(session, length, room, deadline).await
}

/// Tells a client to send the body that waits to be told; one of HTTP/1.0 would not understand (RFC 9110
/// 10.1.1).
async fn proceed(session: &mut ServerSession) -> Result<(), BodyError> {
    let head = session.req_header();
    let expected = head.headers.get(EXPECT).filter(|_| head.version >= Version::HTTP_11);
    if !expected.is_some_and(|what| what.as_bytes().eq_ignore_ascii_case(b"100-continue")) {
        return Ok(());
    }
    let keepalive = session.get_keepalive();
    session.write_continue_response().await.map_err(|_| BodyError::Gone)?;
    // Pingora takes it for an answer that came before the body, and would close the connection.
    session.set_keepalive(keepalive);
    Ok(())
}

async fn read_pieces(
    session: &mut ServerSession,
    length: Option<usize>,
    room: &mut Room,
    mut deadline: Instant,
) -> Result<Bytes, BodyError> {
    proceed(session).await?;
    let limits = room.limits;
    let mut pieces = Pieces::new(length);
    while let Some(piece) = next(session, deadline).await? {
        let total = pieces.len() + piece.len() as u64;
        if total > limits.max_body {
            return Err(BodyError::TooLarge);
        }
        if total > room.bytes {
            room.grow(total.saturating_mul(2).max(STEP).min(limits.max_body))?;
        }
        deadline += extra_time(piece.len());
        pieces.push(piece);
    }
    Ok(pieces.join())
}

/// Reads a body past Pingora, which [has](watched::shorten) so many bytes of it.
async fn read_long(
    session: &mut ServerSession,
    has: usize,
    mut deadline: Instant,
) -> Result<(), BodyError> {
    proceed(session).await?;
    let first =
        if has > 0 { next(session, deadline).await?.unwrap_or_default() } else { Bytes::new() };
    if first.len() != has {
        return Err(BodyError::Malformed);
    }
    watched::begin_long(session, &first);
    while let Some(step) = next(session, deadline).await? {
        if step.len() != 1 {
            return Err(BodyError::Malformed);
        }
        deadline += extra_time(long_body::STEP);
    }
    Ok(())
}

fn extra_time(bytes: usize) -> Duration {
    Duration::from_millis(bytes as u64 * 1000 / BYTES_PER_EXTRA_SECOND)
}

async fn next(session: &mut ServerSession, deadline: Instant) -> Result<Option<Bytes>, BodyError> {
    match timeout_at(deadline, session.read_request_body()).await {
        Err(_) => Err(BodyError::TooSlow),
        Ok(Err(error)) => Err(match error.etype() {
            ErrorType::Custom(_) | ErrorType::InvalidHTTPHeader => BodyError::Malformed,
            _ => BodyError::Gone,
        }),
        Ok(Ok(piece)) => Ok(piece),
    }
}

/// A body so far. One piece, the usual case of a small body, is never copied.
pub struct Pieces {
    first: Option<Bytes>,
    rest: BytesMut,
    expected: usize,
}

impl Pieces {
    pub fn new(length: Option<usize>) -> Self {
        Self { first: None, rest: BytesMut::new(), expected: length.unwrap_or(0) }
    }

    pub fn len(&self) -> u64 {
        (self.first.as_ref().map_or(0, Bytes::len) + self.rest.len()) as u64
    }

    pub fn push(&mut self, piece: Bytes) {
        if self.first.is_none() && self.rest.is_empty() {
            self.first = Some(piece);
            return;
        }
        if let Some(first) = self.first.take() {
            self.rest.reserve(self.expected.max(first.len() + piece.len()));
            self.rest.extend_from_slice(&first);
        }
        self.rest.extend_from_slice(&piece);
    }

    pub fn join(self) -> Bytes {
        self.first.unwrap_or_else(|| self.rest.freeze())
    }
}
