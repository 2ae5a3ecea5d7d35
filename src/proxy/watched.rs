//! A client's connection that knows how far the next request on it has come.
//!
//! Pingora says nothing of a request before its header is complete, but a client may idle for long
//! and may not send a header for long. What tells the two apart is the first byte.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use async_trait::async_trait;
use pingora_core::protocols::{
    ALPN, GetProxyDigest, GetSocketDigest, GetTimingDigest, Peek, Shutdown, SocketDigest, Ssl,
    Stream, TimingDigest, UniqueID, UniqueIDType,
    http::ServerSession,
    raw_connect::ProxyDigest,
    tls::{SslDigest, TlsRef},
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Nothing of a request has come.
const IDLE: u8 = 0;
/// Its first byte has, or must on a new connection.
const BEGUN: u8 = 1;
/// Its header has.
const HEARD: u8 = 2;

/// How far the next request has come.
#[derive(Debug)]
pub struct Progress(AtomicU8);

impl Progress {
    /// Whether a header is on its way.
    pub fn in_header(&self) -> bool {
        self.0.load(Ordering::Relaxed) == BEGUN
    }

    fn set(&self, state: u8) {
        self.0.store(state, Ordering::Relaxed);
    }
}

/// The connection.
#[derive(Debug)]
struct Watched {
    inner: Stream,
    progress: Arc<Progress>,
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
    let progress = Arc::new(Progress(AtomicU8::new(BEGUN)));
    let watched = Watched { inner, progress: Arc::clone(&progress) };
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
        if buf.filled().len() > before && self.progress.0.load(Ordering::Relaxed) == IDLE {
            self.progress.set(BEGUN);
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
