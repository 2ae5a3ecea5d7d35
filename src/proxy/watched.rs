//! A client's connection that knows how far the next request on it has come.
//!
//! Pingora says nothing of a request before its header is complete, but a client may idle for long
//! and may not send a header for long. What tells the two apart is the first byte. And where Pingora
//! cannot read a header, it answers by itself, without a word of what is wrong: whatever is written
//! before a header was heard is such an answer, and the gateway's own refusal goes out in its place.
//!
//! While a request is answered, Pingora reads on to learn whether the client leaves, and would learn no
//! more once the client has sent a byte of its next request. What comes early waits here instead.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicU8, AtomicUsize, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use pingora_core::protocols::{
    ALPN, GetProxyDigest, GetSocketDigest, GetTimingDigest, Peek, Shutdown, SocketDigest, Ssl,
    Stream, TimingDigest, UniqueID, UniqueIDType,
    http::ServerSession,
    raw_connect::ProxyDigest,
    tls::{SslDigest, TlsRef},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::Sleep,
};

use super::{
    long_body::{self, LongBody},
    reply::LINGER,
    unreadable::Unreadable,
};

/// Nothing of a request has come.
const IDLE: u8 = 0;
/// Nothing has, but must: the connection is new.
const AWAITED: u8 = 1;
/// Its first byte has.
const BEGUN: u8 = 2;
/// Pingora has its beginning: it came with the end of the request before.
const CARRIED: u8 = 3;
/// Its header has come.
const HEARD: u8 = 4;
/// It has come as a whole, and is being answered.
const ANSWERING: u8 = 5;

/// Bytes that wait while a request is answered, at most; more stay in the kernel.
const MOST_AHEAD: usize = 64 * 1024;

/// Bytes of a request's first line that tell its dialect.
const OPENING: usize = 48;

/// How far the next request has come.
#[derive(Debug)]
pub struct Progress {
    state: AtomicU8,
    /// Bytes that Pingora was given of the request, and whatever follows it.
    given: AtomicUsize,
    /// How many of them the request has; as many as there can be where that is not told.
    length: AtomicUsize,
    unreadable: OnceLock<Unreadable>,
}

impl Progress {
    const fn new(state: u8) -> Self {
        Self {
            state: AtomicU8::new(state),
            given: AtomicUsize::new(0),
            length: AtomicUsize::new(usize::MAX),
            unreadable: OnceLock::new(),
        }
    }

    /// Whether a header is on its way.
    pub fn in_header(&self) -> bool {
        matches!(self.state(), AWAITED | BEGUN | CARRIED)
    }

    /// What was answered to a header that could not be read.
    pub fn unreadable(&self) -> Option<&Unreadable> {
        self.unreadable.get()
    }

    fn state(&self) -> u8 {
        self.state.load(Ordering::Relaxed)
    }

    fn set(&self, state: u8) {
        self.state.store(state, Ordering::Relaxed);
    }

    /// The request has been answered, and the next one may come, or has in part.
    fn next(&self) {
        let length = self.length.swap(usize::MAX, Ordering::Relaxed);
        let carried = self.given.load(Ordering::Relaxed).saturating_sub(length);
        self.given.store(carried, Ordering::Relaxed);
        self.set(if carried > 0 { CARRIED } else { IDLE });
    }
}

/// The connection.
#[derive(Debug)]
struct Watched {
    inner: Stream,
    progress: Arc<Progress>,
    /// The first bytes of the request that came last.
    opening: [u8; OPENING],
    /// What came while a request was answered.
    ahead: BytesMut,
    /// The body that is read past Pingora.
    long: Mutex<Option<LongBody>>,
    /// Nothing more is read: nobody knows for sure where the next request begins.
    ends: bool,
    /// What is still to be written of a refusal, once there is one.
    refusal: Option<Bytes>,
    /// How long the rest of a refused request is read.
    lingering: Option<Pin<Box<Sleep>>>,
}

impl Watched {
    fn long(&self) -> MutexGuard<'_, Option<LongBody>> {
        self.long.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives Pingora a byte once another step of a long body has come.
    fn poll_long(
        &mut self,
        cx: &mut Context<'_>,
        mut body: LongBody,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let polled = body.poll_step(cx, self);
        *self.long() = Some(body);
        if ready!(polled)? {
            buf.put_slice(b" ");
        }
        Poll::Ready(Ok(()))
    }

    /// Notes the first bytes of a request.
    fn begin(&mut self, bytes: &[u8]) {
        self.progress.set(BEGUN);
        self.opening = [0; OPENING];
        for (to, from) in self.opening.iter_mut().zip(bytes) {
            *to = *from;
        }
    }

    /// Whether `theirs` is Pingora's answer to a header that it could not read, and what goes out
    /// instead has gone: from there on nothing more is written.
    fn poll_refuse(&mut self, cx: &mut Context<'_>, theirs: &[u8]) -> Poll<io::Result<bool>> {
        let state = self.progress.state();
        if matches!(state, HEARD | ANSWERING) {
            return Poll::Ready(Ok(false));
        }
        let opening = if state == BEGUN { &self.opening[..] } else { &[] };
        let progress = &self.progress;
        let mut left = self.refusal.take().unwrap_or_else(|| {
            progress.unreadable.get_or_init(|| Unreadable::of(opening, theirs)).answer()
        });
        while !left.is_empty() {
            match Pin::new(&mut self.inner).poll_write(cx, &left) {
                Poll::Ready(Ok(written)) if written > 0 => drop(left.split_to(written)),
                Poll::Ready(Ok(_)) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => {
                    self.refusal = Some(left);
                    return Poll::Pending;
                }
            }
        }
        self.refusal = Some(left);
        Poll::Ready(Ok(true))
    }

    /// Waits for the client's leaving, which alone ends the wait, and keeps what it sends instead.
    fn poll_left(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut piece = [0; 4096];
        while self.ahead.len() < MOST_AHEAD {
            let mut buf = ReadBuf::new(&mut piece);
            ready!(Pin::new(&mut self.inner).poll_read(cx, &mut buf))?;
            if buf.filled().is_empty() {
                return Poll::Ready(Ok(()));
            }
            // Where nobody knows for sure where a request ends, nothing is served that came early.
            if self.progress.length.load(Ordering::Relaxed) == usize::MAX {
                self.ends = true;
            } else {
                self.ahead.extend_from_slice(buf.filled());
            }
        }
        Poll::Pending
    }

    /// Reads what the client still sends after a refusal, for a while: else it would reset the connection
    /// before the client has read the answer.
    fn poll_linger(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let limit = self.lingering.get_or_insert_with(|| Box::pin(tokio::time::sleep(LINGER)));
        if limit.as_mut().poll(cx).is_ready() {
            return Poll::Ready(());
        }
        let mut piece = [0; 4096];
        loop {
            let mut buf = ReadBuf::new(&mut piece);
            let read = ready!(Pin::new(&mut self.inner).poll_read(cx, &mut buf));
            if read.is_err() || buf.filled().is_empty() {
                return Poll::Ready(());
            }
        }
    }
}

/// The session with its connection watched from here on, and what is seen there. Over HTTP/2 there
/// is nothing to see: a request is there with its header.
pub fn watch(session: ServerSession) -> (ServerSession, Option<Arc<Progress>>) {
    if let Some(watched) = watched(&session) {
        watched.progress.next();
        let progress = Arc::clone(&watched.progress);
        return (session, Some(progress));
    }
    let (keepalive, reuses) = (session.get_keepalive(), session.get_keepalive_reuses_remaining());
    let inner = match session {
        ServerSession::H1(session) => session.into_inner(),
        other => return (other, None),
    };
    let progress = Arc::new(Progress::new(AWAITED));
    let watched = Watched {
        inner,
        progress: Arc::clone(&progress),
        opening: [0; OPENING],
        ahead: BytesMut::new(),
        long: Mutex::new(None),
        ends: false,
        refusal: None,
        lingering: None,
    };
    let mut session = ServerSession::new_http1(Box::new(watched));
    session.set_keepalive(keepalive);
    session.set_keepalive_reuses_remaining(reuses);
    (session, Some(progress))
}

/// Notes that the session's header is there. Whether the client may send its next request early: not
/// behind a body in chunks, whose end others may see elsewhere, nor where Pingora may have written bytes
/// of the request line anew (`%20` for a space), so that it has more of the header than the client sent.
pub fn heard(session: &mut ServerSession) {
    let Some(http1) = session.as_http1() else { return };
    let headers = &http1.req_header().headers;
    let chunked = headers.contains_key(TRANSFER_ENCODING);
    let raw = http1.get_headers_raw_bytes();
    let line = raw.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let is_known = !chunked && !line.contains(&b'%');
    if let Some(watched) = watched(session) {
        // The same length twice is one.
        let told =
            headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.split(',').next());
        let told = told.and_then(|length| length.trim().parse().ok());
        let length =
            if is_known { raw.len().saturating_add(told.unwrap_or(0)) } else { usize::MAX };
        watched.progress.length.store(length, Ordering::Relaxed);
        watched.progress.set(HEARD);
    }
    session.set_pipelining_enabled(is_known);
}

/// Notes that the session's request is there to its end.
pub fn answering(session: &ServerSession) {
    if let Some(watched) = watched(session) {
        watched.progress.set(ANSWERING);
    }
}

/// Tells Pingora of a shorter body than the one of `length` bytes that has begun, so that the rest can
/// be read [past it](long_body). How many bytes Pingora has already; `None` where it must read all of
/// the body itself.
///
/// To be asked before anything else asks for the body.
pub fn shorten(session: &mut ServerSession, length: usize) -> Option<usize> {
    let http1 = session.as_http1()?;
    let headers = &http1.req_header().headers;
    let progress = &watched(session)?.progress;
    if progress.length.load(Ordering::Relaxed) == usize::MAX {
        return None;
    }
    let given = progress.given.load(Ordering::Relaxed);
    let has = given.checked_sub(http1.get_headers_raw_bytes().len())?;
    let rest = length.checked_sub(has).filter(|rest| *rest >= long_body::LEAST)?;
    let mut lengths = headers.get_all(CONTENT_LENGTH).iter();
    let told = lengths.next()?.clone();
    if lengths.next().is_some() {
        return None;
    }
    let header = session.req_header_mut();
    header.insert_header(CONTENT_LENGTH, has + long_body::steps(rest)).ok()?;
    *watched(session)?.long() = Some(LongBody::new(has, length));
    // It looks at the header now, and not again.
    let _is_empty = session.is_body_empty();
    let _restored = session.req_header_mut().insert_header(CONTENT_LENGTH, told);
    Some(has)
}

/// Takes over what Pingora had of the body that was [shortened](shorten); the rest is read behind it.
pub fn begin_long(session: &ServerSession, first: &[u8]) {
    if let Some(watched) = watched(session)
        && let Some(body) = watched.long().as_mut()
    {
        body.begin(first);
    }
}

/// The body that was [shortened](shorten). Where not all of it has come, what comes yet is read for
/// nobody, also as another request.
pub fn finish_long(session: &ServerSession) -> Option<Bytes> {
    let mut long = watched(session)?.long();
    let body = long.as_mut()?.finish();
    if body.is_some() {
        *long = None;
    }
    body
}

fn watched(session: &ServerSession) -> Option<&Watched> {
    (**session.as_http1()?.stream()).as_any().downcast_ref()
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.progress.state() == ANSWERING {
            return self.poll_left(cx);
        }
        if self.ends {
            return Poll::Ready(Ok(()));
        }
        // It is read from here, past this.
        let long = self.long().take_if(|body| body.is_awaited());
        if let Some(body) = long {
            return self.poll_long(cx, body, buf);
        }
        let before = buf.filled().len();
        let read = if self.ahead.is_empty() {
            Pin::new(&mut self.inner).poll_read(cx, buf)
        } else {
            let piece = self.ahead.len().min(buf.remaining());
            buf.put_slice(&self.ahead.split_to(piece));
            if self.ahead.is_empty() {
                self.ahead = BytesMut::new();
            }
            Poll::Ready(Ok(()))
        };
        let given = buf.filled().get(before..).unwrap_or_default();
        if !given.is_empty() {
            self.progress.given.fetch_add(given.len(), Ordering::Relaxed);
            if matches!(self.progress.state(), IDLE | AWAITED) {
                self.begin(given);
            }
        }
        read
    }
}

impl AsyncWrite for Watched {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if ready!(self.poll_refuse(cx, bytes))? {
            return Poll::Ready(Ok(bytes.len()));
        }
        Pin::new(&mut self.inner).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.lingering.is_none() {
            ready!(Pin::new(&mut self.inner).poll_shutdown(cx))?;
        }
        if self.refusal.is_some() {
            ready!(self.poll_linger(cx));
        }
        Poll::Ready(Ok(()))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if ready!(self.poll_refuse(cx, pieces.first().map_or(&[][..], |piece| piece)))? {
            return Poll::Ready(Ok(pieces.iter().map(|piece| piece.len()).sum()));
        }
        Pin::new(&mut self.inner).poll_write_vectored(cx, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }
}

#[async_trait]
impl Shutdown for Watched {
    async fn shutdown(&mut self) {
        self.inner.shutdown().await;
    }
}

#[async_trait]
impl Peek for Watched {
    async fn try_peek(&mut self, bytes: &mut [u8]) -> io::Result<bool> {
        self.inner.try_peek(bytes).await
    }
}

impl UniqueID for Watched {
    fn id(&self) -> UniqueIDType {
        self.inner.id()
    }
}

impl Ssl for Watched {
    fn get_ssl(&self) -> Option<&TlsRef> {
        self.inner.get_ssl()
    }

    fn get_ssl_digest(&self) -> Option<Arc<SslDigest>> {
        self.inner.get_ssl_digest()
    }

    fn selected_alpn_proto(&self) -> Option<ALPN> {
        self.inner.selected_alpn_proto()
    }
}

impl GetTimingDigest for Watched {
    fn get_timing_digest(&self) -> Vec<Option<TimingDigest>> {
        self.inner.get_timing_digest()
    }

    fn get_read_pending_time(&self) -> Duration {
        self.inner.get_read_pending_time()
    }

    fn get_write_pending_time(&self) -> Duration {
        self.inner.get_write_pending_time()
    }
}

impl GetProxyDigest for Watched {
    fn get_proxy_digest(&self) -> Option<Arc<ProxyDigest>> {
        self.inner.get_proxy_digest()
    }

    fn set_proxy_digest(&mut self, digest: ProxyDigest) {
        self.inner.set_proxy_digest(digest);
    }
}

impl GetSocketDigest for Watched {
    fn get_socket_digest(&self) -> Option<Arc<SocketDigest>> {
        self.inner.get_socket_digest()
    }

    fn set_socket_digest(&mut self, digest: SocketDigest) {
        self.inner.set_socket_digest(digest);
    }
}
