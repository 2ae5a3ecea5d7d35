//! In front of Pingora's proxy: a time limit for request headers.
//!
//! Pingora limits each read of a header, not the whole of it, so that a client which sends a byte
//! now and then could hold a connection for ever.

use std::{cell::Cell, sync::Arc, time::Duration};

use async_trait::async_trait;
use pingora_core::{
    apps::{HttpServerApp, HttpServerOptions, ReusedHttpStream},
    protocols::http::{ServerSession, v2::server::H2Options},
    server::ShutdownWatch,
};
use pingora_proxy::HttpProxy;

use super::service::Gateway;

/// Longest wait for the next request on a kept-alive connection.
const IDLE: Duration = Duration::from_secs(75);

tokio::task_local! {
    /// Whether the header of the request under way has arrived.
    static ARRIVED: Cell<bool>;
}

/// Called by the first phase that runs once the header is there.
pub fn header_arrived() {
    // Requests over HTTP/2 have no such scope: their header is there from the start.
    let _outside = ARRIVED.try_with(|arrived| arrived.set(true));
}

/// Marks a connection that has served a request before.
pub struct Reused;

/// Pingora's proxy behind a header deadline.
pub struct Front {
    inner: Arc<HttpProxy<Gateway>>,
    header_timeout: Duration,
}

impl Front {
    /// Wraps the proxy.
    #[must_use]
    pub const fn new(inner: Arc<HttpProxy<Gateway>>, header_timeout: Duration) -> Self {
        Self { inner, header_timeout }
    }

    /// Serves a request whose header must have arrived within `patience`.
    async fn guarded(
        &self,
        session: ServerSession,
        shutdown: &ShutdownWatch,
        patience: Duration,
    ) -> Option<ReusedHttpStream> {
        let serve = self.inner.process_new_http(session, shutdown);
        tokio::pin!(serve);
        tokio::select! {
            biased;
            done = &mut serve => return done,
            () = tokio::time::sleep(patience) => {}
        }
        if ARRIVED.with(Cell::get) { serve.await } else { None }
    }

    /// Waits for the first byte of a kept-alive connection's next request, so that idling and
    /// sending a header slowly can be told apart. None: the connection has ended.
    async fn next_request(
        &self,
        session: ServerSession,
        shutdown: &ShutdownWatch,
    ) -> Option<(ServerSession, Duration)> {
        let (keepalive, reuses) =
            (session.get_keepalive(), session.get_keepalive_reuses_remaining());
        let session = match session {
            ServerSession::H1(h1) => h1,
            other => return Some((other, self.header_timeout)),
        };
        let mut stream = session.into_inner();
        let mut closing = shutdown.clone();
        let mut first = [0];
        let peeked = tokio::select! {
            biased;
            peeked = stream.try_peek(&mut first) => peeked.ok()?,
            _ = closing.wait_for(|closing| *closing) => return None,
            () = tokio::time::sleep(IDLE) => return None,
        };
        let mut session = ServerSession::new_http1(stream);
        session.set_keepalive(keepalive);
        session.set_keepalive_reuses_remaining(reuses);
        // Pingora cannot look into a TLS stream: idling counts there too.
        let patience = if peeked { self.header_timeout } else { IDLE + self.header_timeout };
        Some((session, patience))
    }
}

#[async_trait]
impl HttpServerApp for Front {
    async fn process_new_http(
        self: &Arc<Self>,
        mut session: ServerSession,
        shutdown: &ShutdownWatch,
    ) -> Option<ReusedHttpStream> {
        if session.is_http2() {
            return self.inner.process_new_http(session, shutdown).await;
        }
        let reused = session.take_connection_user_context().is_some_and(|mark| mark.is::<Reused>());
        let (session, patience) = if reused {
            self.next_request(session, shutdown).await?
        } else {
            (session, self.header_timeout)
        };
        ARRIVED.scope(Cell::new(false), self.guarded(session, shutdown, patience)).await
    }

    fn h2_options(&self) -> Option<H2Options> {
        self.inner.h2_options()
    }

    fn server_options(&self) -> Option<&HttpServerOptions> {
        self.inner.server_options()
    }

    async fn http_cleanup(&self) {
        self.inner.http_cleanup().await;
    }
}
