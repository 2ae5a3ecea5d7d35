//! In front of Pingora's proxy: a time limit for request headers, and an account of those that it
//! could not read.
//!
//! Pingora limits each read of a header, not the whole of it, so that a client which sends a byte
//! now and then could hold a connection for ever. Idling between requests is Pingora's to limit.

use std::{future::poll_fn, sync::Arc, task::Poll, time::Duration};

use async_trait::async_trait;
use pingora_core::{
    apps::{HttpServerApp, HttpServerOptions, ReusedHttpStream},
    protocols::http::{ServerSession, v2::server::H2Options},
    server::ShutdownWatch,
};
use pingora_proxy::HttpProxy;

use super::{
    service::Gateway,
    shared::{LULL, Shared},
    watched,
};

/// Pingora's proxy behind a header deadline.
pub struct Front {
    inner: Arc<HttpProxy<Gateway>>,
    shared: Arc<Shared>,
    header_timeout: Duration,
}

impl Front {
    /// Wraps the proxy.
    #[must_use]
    pub const fn new(
        inner: Arc<HttpProxy<Gateway>>,
        shared: Arc<Shared>,
        header_timeout: Duration,
    ) -> Self {
        Self { inner, shared, header_timeout }
    }
}

#[async_trait]
impl HttpServerApp for Front {
    async fn process_new_http(
        self: &Arc<Self>,
        session: ServerSession,
        shutdown: &ShutdownWatch,
    ) -> Option<ReusedHttpStream> {
        let (session, progress) = watched::watch(session);
        let mut serve = self.inner.process_new_http(session, shutdown);
        let Some(progress) = progress else { return serve.await };
        // Set only where the header does not come at once, which it mostly does.
        let mut limit = None;
        let reused = poll_fn(|cx| {
            if let Poll::Ready(done) = serve.as_mut().poll(cx) {
                return Poll::Ready(done);
            }
            if !progress.in_header() {
                limit = None;
                return Poll::Pending;
            }
            let sleep = || Box::pin(tokio::time::sleep(self.header_timeout));
            limit.get_or_insert_with(sleep).as_mut().poll(cx).map(|()| None)
        })
        .await;
        if let Some(unreadable) = progress.unreadable() {
            unreadable.settle(&self.shared);
        }
        reused
    }

    fn h2_options(&self) -> Option<H2Options> {
        self.inner.h2_options()
    }

    fn server_options(&self) -> Option<&HttpServerOptions> {
        self.inner.server_options()
    }

    /// Closes the connections that bring no request, a while after the listener.
    async fn http_cleanup(&self) {
        tokio::time::sleep(LULL).await;
        self.inner.http_cleanup().await;
    }
}
