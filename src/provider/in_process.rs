//! Pipes in this process that Pingora takes for connections: the way to the sandbox, and the gateway's own
//! way in.

use std::{
    fmt, io,
    pin::Pin,
    task::{Context, Poll},
};

use async_trait::async_trait;
use axum::Router;
use hyper::server::conn::http1;
use hyper_util::{rt::TokioIo, service::TowerToHyperService};
use pingora_core::{
    connectors::l4::Connect,
    protocols::l4::{
        socket::SocketAddr,
        stream::Stream,
        virt::{VirtualSockOpt, VirtualSocket, VirtualSocketStream},
    },
};
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf};

use super::sandbox::sandbox_router;

/// Bytes on their way in each direction before the writer has to wait, as a socket's buffers have.
const PIPE_BYTES: usize = 64 * 1024;

/// Connects to the sandbox instead of to an address. Every connection is a pipe whose far end is
/// served over HTTP/1.1 with keep-alive until either end closes it.
///
/// Pingora never takes such a connection out of its pool again: it checks the file descriptor of what
/// it takes, and a pipe has none. A peer that is reached this way should have an `idle_timeout` of
/// zero, so that no pipe waits in the pool for nothing.
#[derive(Clone)]
pub struct InProcess {
    router: Router,
}

impl InProcess {
    /// A way to the sandbox.
    #[must_use]
    pub fn new() -> Self {
        Self { router: sandbox_router() }
    }

    /// Opens a connection and returns its near end. Must be called within a tokio runtime.
    #[must_use]
    pub fn open(&self) -> DuplexStream {
        let (near, far) = tokio::io::duplex(PIPE_BYTES);
        let service = TowerToHyperService::new(self.router.clone());
        let connection = http1::Builder::new().serve_connection(TokioIo::new(far), service);
        // The far end is the vendor: like a remote server, it must run while the near end waits for
        // it, and nobody owns it but the connection. It ends with the near end: reading then meets
        // the end of the stream, writing a broken pipe, and hyper drops the handler either way.
        tokio::spawn(async move {
            if let Err(fault) = connection.await {
                tracing::debug!(%fault, "connection to the sandbox ended");
            }
        });
        near
    }
}

impl Default for InProcess {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for InProcess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InProcess")
    }
}

#[async_trait]
impl Connect for InProcess {
    /// The address is not used: there is one sandbox.
    async fn connect(&self, _: &SocketAddr) -> pingora_error::Result<Stream> {
        Ok(connection(self.open()))
    }
}

/// An end of a pipe, as Pingora takes it.
#[must_use]
pub fn connection(end: DuplexStream) -> Stream {
    VirtualSocketStream::new(Box::new(Pipe(end))).into()
}

/// An end of a pipe.
#[derive(Debug)]
struct Pipe(DuplexStream);

impl VirtualSocket for Pipe {
    /// There is no delay to switch off and no peer to probe.
    fn set_socket_option(&self, _: VirtualSockOpt) -> io::Result<()> {
        Ok(())
    }
}

impl AsyncRead for Pipe {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

impl AsyncWrite for Pipe {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests;
