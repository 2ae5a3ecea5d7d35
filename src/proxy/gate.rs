//! The attempt gate: Pingora's downstream session, wrapped for the time of the attempts.
//!
//! Pingora drops a request body that a filter has read, has one timeout for everything, and writes
//! an answer's header as soon as it comes. The gate stands between Pingora and the client's session
//! and
//! - replays the body that the current attempt sends,
//! - ends the attempt when its deadline passes or the client leaves, even while the vendor is silent,
//! - holds back the answer until [`Control::release`], so that a bad one can still fail over.
//!
//! Everything else goes to the wrapped session. See `docs/decisions/0001-pingora-phases-with-an-attempt-gate.md`.

use std::{
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use async_trait::async_trait;
use bytes::Bytes;
use futures_core::Stream;
use http::{
    HeaderMap, Method, StatusCode,
    header::{CONTENT_LENGTH, TRANSFER_ENCODING},
};
use pingora_core::protocols::{
    Digest,
    http::{
        HttpTask, ServerSession,
        custom::{CustomMessageWrite, server::Session as CustomSession},
    },
    l4::socket::SocketAddr,
};
use pingora_error::{Error, ErrorType, Result};
use pingora_http::{RequestHeader, ResponseHeader};
use tokio::time::Sleep;

use crate::wire::{
    Spliced,
    headers::{self, EVENT_STREAM, is_of_type},
};

/// Raised when an answer ended while it was still held back.
pub const ENDED_WHILE_HELD: ErrorType = ErrorType::Custom("answer ended before it was released");

/// Raised when an answer says nothing and goes on for long.
pub const HELD_TOO_MUCH: ErrorType = ErrorType::Custom("answer too long before its first event");

/// Bytes of an answer that are held back at most.
const MOST_HELD: usize = 8 * 1024 * 1024;

/// What the filters tell the gate, and what it tells them.
#[derive(Default)]
pub struct Control {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    body: Spliced,
    /// The rest of the body, while it is still to be handed out.
    rest: Option<Bytes>,
    sending: Sending,
    hold: bool,
    deadline: Option<Instant>,
    /// With it set, every write to the client moves the deadline.
    idle: Option<Duration>,
    expired: bool,
    close: bool,
}

/// How an attempt's body is sent.
#[derive(Default, PartialEq, Eq)]
enum Sending {
    /// Over HTTP/2, or not yet. There Pingora writes later pieces of a body while it looks at nothing else,
    /// and a failure to write them ends nothing: so the body is one piece.
    #[default]
    Whole,
    /// Over HTTP/1.
    InPieces,
}

impl Control {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins an attempt: its body, its first deadline, and the answer held back.
    pub fn begin(&self, body: Spliced, deadline: Instant) {
        let mut state = self.lock();
        let close = state.close;
        *state = State { body, hold: true, deadline: Some(deadline), close, ..State::default() };
    }

    /// The attempt is made over HTTP/1.
    pub fn in_pieces(&self) {
        self.lock().sending = Sending::InPieces;
    }

    /// Between attempts there is no deadline.
    pub fn disarm(&self) {
        let mut state = self.lock();
        state.deadline = None;
        // Of an attempt that ended before it was all sent.
        state.rest = None;
        state.sending = Sending::Whole;
    }

    /// Lets the answer through. `idle` is the longest gap from now on, none keeps the deadline.
    pub fn release(&self, idle: Option<Duration>) {
        let mut state = self.lock();
        state.hold = false;
        state.idle = idle;
    }

    /// The client's connection ends with this answer, and the answer says so.
    pub fn close_afterwards(&self) {
        self.lock().close = true;
    }

    /// Drops the body: nothing will be sent again.
    pub fn forget_body(&self) {
        self.lock().body = Spliced::default();
    }

    /// Shortens the deadline.
    pub fn within(&self, deadline: Instant) {
        let mut state = self.lock();
        state.deadline = Some(state.deadline.map_or(deadline, |old| old.min(deadline)));
    }

    /// Whether the attempt was ended by its deadline.
    pub fn expired(&self) -> bool {
        self.lock().expired
    }

    fn holding(&self) -> bool {
        self.lock().hold
    }

    fn progress(&self) {
        let mut state = self.lock();
        if let Some(idle) = state.idle {
            state.deadline = Some(Instant::now() + idle);
        }
    }

    fn expire(&self, now: Instant) -> bool {
        let mut state = self.lock();
        state.expired = state.deadline.is_some_and(|deadline| deadline <= now);
        state.expired
    }
}

/// Where the wrapped session comes back to when the gate is taken off.
type Home = Arc<Mutex<Option<Box<ServerSession>>>>;

/// Takes the gate off again.
pub struct Handle {
    /// Shared with the gate.
    pub control: Arc<Control>,
    home: Home,
}

impl Handle {
    /// Puts the client's own session back in its place; a second call does nothing.
    pub fn remove(&self, slot: &mut Box<ServerSession>) {
        if !slot.is_custom() {
            return;
        }
        // Drops the gate, which hands its session over.
        **slot = nobody();
        if let Some(session) = self.home.lock().unwrap_or_else(PoisonError::into_inner).take() {
            *slot = session;
        }
    }
}

/// Wraps the session in `slot`.
pub fn install(slot: &mut Box<ServerSession>) -> Handle {
    let control = Arc::new(Control::default());
    let home = Home::default();
    let inner = std::mem::replace(slot, placeholder());
    let gate = Gate {
        inner,
        home: Arc::clone(&home),
        control: Arc::clone(&control),
        held: Vec::new(),
        held_bytes: 0,
        timer: Box::pin(tokio::time::sleep(Duration::ZERO)),
        timer_at: None,
    };
    **slot = ServerSession::new_custom(Box::new(gate));
    Handle { control, home }
}

fn placeholder() -> Box<ServerSession> {
    Box::new(nobody())
}

/// A session that is never asked anything.
fn nobody() -> ServerSession {
    ServerSession::new_custom(Box::new(()))
}

struct Gate {
    /// The client's session.
    inner: Box<ServerSession>,
    home: Home,
    control: Arc<Control>,
    held: Vec<HttpTask>,
    held_bytes: usize,
    timer: Pin<Box<Sleep>>,
    timer_at: Option<Instant>,
}

impl Drop for Gate {
    fn drop(&mut self) {
        *self.home.lock().unwrap_or_else(PoisonError::into_inner) =
            Some(std::mem::replace(&mut self.inner, placeholder()));
    }
}

impl Gate {
    /// Sets the timer if the deadline moved closer. One that moved away is noticed when it fires,
    /// which keeps streams from touching the timer with every chunk.
    fn arm(&mut self) -> bool {
        let Some(deadline) = self.control.lock().deadline else { return false };
        if self.timer_at.is_none_or(|at| deadline < at) {
            self.timer.as_mut().reset(deadline.into());
            self.timer_at = Some(deadline);
        }
        true
    }

    fn has_room_for(&mut self, piece: &Bytes) -> bool {
        self.held_bytes += piece.len();
        self.held_bytes <= MOST_HELD
    }

    fn hold(&mut self, tasks: Vec<HttpTask>) -> Result<bool> {
        for task in tasks {
            match task {
                HttpTask::Failed(error) => return Err(error),
                // They may be without number.
                ref task if is_interim(task) => {}
                HttpTask::Body(Some(ref piece), _) if !self.has_room_for(piece) => {
                    return Error::e_explain(HELD_TOO_MUCH, "held answer");
                }
                // Of an answer that is collected elsewhere nothing is there to be held.
                HttpTask::Body(ref piece, false) if piece.as_ref().is_none_or(Bytes::is_empty) => {}
                task if task.is_end() => return Error::e_explain(ENDED_WHILE_HELD, "held answer"),
                task => self.held.push(task),
            }
        }
        Ok(false)
    }
}

fn is_interim(task: &HttpTask) -> bool {
    matches!(task, HttpTask::Header(head, _) if head.status.is_informational())
}

/// An answer that is there from its first byte to its last is told with its length: that is one write
/// where chunks are three. A stream is a stream, however short.
fn tell_length(tasks: &mut [HttpTask]) -> Result<()> {
    let [HttpTask::Header(head, false), pieces @ ..] = tasks else { return Ok(()) };
    let bodiless = matches!(head.status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
    let is_told = head.headers.contains_key(CONTENT_LENGTH);
    let stream = is_of_type(&head.headers, EVENT_STREAM);
    if head.status.is_informational() || bodiless || is_told || stream {
        return Ok(());
    }
    let (mut length, mut ends) = (0, false);
    for piece in pieces.iter() {
        match piece {
            HttpTask::Body(piece, end) => {
                length += piece.as_ref().map_or(0, Bytes::len);
                ends = *end;
            }
            HttpTask::Done => ends = true,
            _ => return Ok(()),
        }
    }
    if ends {
        head.remove_header(&TRANSFER_ENCODING);
        head.insert_header(CONTENT_LENGTH, headers::count(length))?;
    }
    Ok(())
}

#[async_trait]
impl CustomSession for Gate {
    fn req_header(&self) -> &RequestHeader {
        self.inner.req_header()
    }

    fn req_header_mut(&mut self) -> &mut RequestHeader {
        self.inner.req_header_mut()
    }

    async fn read_body_bytes(&mut self) -> Result<Option<Bytes>> {
        Ok(None)
    }

    async fn drain_request_body(&mut self) -> Result<()> {
        self.inner.drain_request_body().await
    }

    async fn write_response_header(&mut self, resp: Box<ResponseHeader>, _end: bool) -> Result<()> {
        self.inner.write_response_header(resp).await
    }

    async fn write_response_header_ref(&mut self, resp: &ResponseHeader, _end: bool) -> Result<()> {
        self.inner.write_response_header_ref(resp).await
    }

    async fn write_body(&mut self, data: Bytes, end: bool) -> Result<()> {
        self.inner.write_response_body(data, end).await
    }

    async fn write_trailers(&mut self, trailers: HeaderMap) -> Result<()> {
        self.inner.write_response_trailers(trailers).await
    }

    async fn response_duplex_vec(&mut self, tasks: Vec<HttpTask>) -> Result<bool> {
        if self.control.holding() {
            return self.hold(tasks);
        }
        let mut tasks = if self.held.is_empty() {
            tasks
        } else {
            let mut all = std::mem::take(&mut self.held);
            all.extend(tasks);
            all
        };
        // The vendor's business with us, and nothing for clients of HTTP/1.0 (RFC 9110, section 15.2).
        tasks.retain(|task| !is_interim(task));
        if self.inner.req_header().method != Method::HEAD {
            tell_length(&mut tasks)?;
        }
        if self.control.lock().close {
            self.inner.set_keepalive(None);
        }
        let done = self.inner.response_duplex_vec(tasks).await?;
        self.control.progress();
        Ok(done)
    }

    fn set_read_timeout(&mut self, timeout: Option<Duration>) {
        self.inner.set_read_timeout(timeout);
    }

    fn get_read_timeout(&self) -> Option<Duration> {
        self.inner.get_read_timeout()
    }

    fn set_write_timeout(&mut self, timeout: Option<Duration>) {
        self.inner.set_write_timeout(timeout);
    }

    fn get_write_timeout(&self) -> Option<Duration> {
        self.inner.get_write_timeout()
    }

    fn set_total_drain_timeout(&mut self, timeout: Option<Duration>) {
        self.inner.set_total_drain_timeout(timeout);
    }

    fn get_total_drain_timeout(&self) -> Option<Duration> {
        self.inner.get_total_drain_timeout()
    }

    fn request_summary(&self) -> String {
        self.inner.request_summary()
    }

    fn response_written(&self) -> Option<&ResponseHeader> {
        self.inner.response_written()
    }

    async fn shutdown(&mut self, _code: u32, _ctx: &str) {
        self.inner.shutdown().await;
    }

    /// The client's was read before the gate was put on.
    fn is_body_done(&mut self) -> bool {
        self.control.lock().rest.is_none()
    }

    async fn finish(&mut self) -> Result<()> {
        self.inner.finish_body().await
    }

    fn is_body_empty(&mut self) -> bool {
        self.control.lock().body.is_empty()
    }

    /// Pingora polls this for the whole attempt: the place to notice deadlines and leaving clients.
    async fn read_body_or_idle(&mut self, no_body_expected: bool) -> Result<Option<Bytes>> {
        if !no_body_expected && let Some(rest) = self.control.lock().rest.take() {
            return Ok(Some(rest));
        }
        loop {
            if !self.arm() {
                return self.inner.read_body_or_idle(true).await;
            }
            tokio::select! {
                biased;
                gone = self.inner.read_body_or_idle(true) => return gone,
                () = self.timer.as_mut() => {
                    self.timer_at = None;
                    if self.control.expire(Instant::now()) {
                        return Error::e_explain(ErrorType::ReadTimedout, "attempt deadline");
                    }
                }
            }
        }
    }

    fn body_bytes_sent(&self) -> usize {
        self.inner.body_bytes_sent()
    }

    fn body_bytes_read(&self) -> usize {
        self.inner.body_bytes_read()
    }

    fn digest(&self) -> Option<&Digest> {
        self.inner.digest()
    }

    fn digest_mut(&mut self) -> Option<&mut Digest> {
        self.inner.digest_mut()
    }

    fn client_addr(&self) -> Option<&SocketAddr> {
        self.inner.client_addr()
    }

    fn server_addr(&self) -> Option<&SocketAddr> {
        self.inner.server_addr()
    }

    fn pseudo_raw_h1_request_header(&self) -> Bytes {
        self.inner.to_h1_raw()
    }

    /// Pingora calls this at the start of every attempt: nothing of the one before may remain.
    fn enable_retry_buffering(&mut self) {
        self.held.clear();
        self.held_bytes = 0;
        let mut state = self.control.lock();
        let rest = Some(state.body.rest.clone());
        state.rest = rest.filter(|rest| state.sending == Sending::InPieces && !rest.is_empty());
    }

    fn retry_buffer_truncated(&self) -> bool {
        false
    }

    fn get_retry_buffer(&self) -> Option<Bytes> {
        let state = self.control.lock();
        if state.body.is_empty() {
            return None;
        }
        if state.rest.is_some() {
            return Some(state.body.start.clone());
        }
        Some(state.body.joined())
    }

    async fn finish_custom(&mut self) -> Result<()> {
        Ok(())
    }

    fn take_custom_message_reader(
        &mut self,
    ) -> Option<Box<dyn Stream<Item = Result<Bytes>> + Unpin + Send + Sync + 'static>> {
        None
    }

    fn restore_custom_message_reader(
        &mut self,
        _reader: Box<dyn Stream<Item = Result<Bytes>> + Unpin + Send + Sync + 'static>,
    ) -> Result<()> {
        Ok(())
    }

    fn take_custom_message_writer(&mut self) -> Option<Box<dyn CustomMessageWrite>> {
        None
    }

    fn restore_custom_message_writer(
        &mut self,
        _writer: Box<dyn CustomMessageWrite>,
    ) -> Result<()> {
        Ok(())
    }
}
