//! A client's connection that knows how far the next request on it has come.
//!
//! Pingora says nothing of a request before its header is complete, but a client may idle for long
//! and may not send a header for long. What tells the two apart is the first byte. And where Pingora
//! cannot read a header, it answers by itself, without a word of what is wrong: whatever is written
//! before a header was heard is such an answer, and the gateway's own refusal goes out in its place.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU8, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use pingora_core::protocols::{
    ALPN, GetProxyDigest, GetSocketDigest, GetTimingDigest, Peek, Shutdown, SocketDigest, Ssl,
    Stream, TimingDigest, UniqueID, UniqueIDType,
    http::ServerSession,
    raw_connect::ProxyDigest,
    tls::{SslDigest, TlsRef},
};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};

use super::{reply::LINGER, unreadable::Unreadable};

/// Nothing of a request has come.
const IDLE: u8 = 0;
/// Nothing has, but must: the connection is new.
const AWAITED: u8 = 1;
/// Its first byte has.
const BEGUN: u8 = 2;
/// Its header has.
const HEARD: u8 = 3;

/// Bytes of a request's first line that tell its dialect.
const OPENING: usize = 48;

/// How far the next request has come.
#[derive(Debug)]
pub struct Progress {
    state: AtomicU8,
    unreadable: OnceLock<Unreadable>,
}

impl Progress {
    const fn new(state: u8) -> Self {
        Self { state: AtomicU8::new(state), unreadable: OnceLock::new() }
    }

    /// Whether a header is on its way.
    pub fn in_header(&self) -> bool {
        matches!(self.state(), AWAITED | BEGUN)
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
}

/// The connection.
#[derive(Debug)]
struct Watched {
    inner: Stream,
    progress: Arc<Progress>,
    /// The first bytes of the request that came last.
    opening: [u8; OPENING],
    /// What is still to be written of a refusal, once there is one.
    refusal: Option<Bytes>,
}

impl Watched {
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
        if self.progress.state() == HEARD {
            return Poll::Ready(Ok(false));
        }
        let progress = &self.progress;
        let mut left = self.refusal.take().unwrap_or_else(|| {
            progress.unreadable.get_or_init(|| Unreadable::of(&self.opening, theirs)).answer()
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
}

/// The session with its connection watched from here on, and what is seen there. Over HTTP/2 there
/// is nothing to see: a request is there with its header.
pub fn watch(session: ServerSession) -> (ServerSession, Option<Arc<Progress>>) {
    if let Some(watched) = watched(&session) {
        watched.progress.set(IDLE);
        let progress = Arc::clone(&watched.progress);
        return (session, Some(progress));
    }
    let (keepalive, reuses) = (session.get_keepalive(), session.get_keepalive_reuses_remaining());
    let inner = match session {
        ServerSession::H1(session) => session.into_inner(),
        other => return (other, None),
    };
    let progress = Arc::new(Progress::new(AWAITED));
    let watched =
        Watched { inner, progress: Arc::clone(&progress), opening: [0; OPENING], refusal: None };
    let mut session = ServerSession::new_http1(Box::new(watched));
    session.set_keepalive(keepalive);
    session.set_keepalive_reuses_remaining(reuses);
    (session, Some(progress))
}

/// Notes that the session's header is there.
pub fn heard(session: &ServerSession) {
    if let Some(watched) = watched(session) {
        watched.progress.set(HEARD);
    }
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
        let before = buf.filled().len();
        let read = Pin::new(&mut self.inner).poll_read(cx, buf);
        if buf.filled().len() > before && matches!(self.progress.state(), IDLE | AWAITED) {
            self.begin(buf.filled().get(before..).unwrap_or_default());
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
        Pin::new(&mut self.inner).poll_shutdown(cx)
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
        if self.refusal.is_some() {
            // Else what the client still sends would reset the connection before it reads the answer.
            let _ = AsyncWriteExt::shutdown(&mut self.inner).await;
            let mut rest = [0; 4096];
            let drain = async { while matches!(self.inner.read(&mut rest).await, Ok(1..)) {} };
            let _timed_out = tokio::time::timeout(LINGER, drain).await;
        }
        Shutdown::shutdown(self.inner.as_mut()).await;
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
