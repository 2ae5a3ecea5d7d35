//! The gateway's own way in: a request that the gateway itself makes on behalf of a caller, through the same
//! service as any other, so that translation, failover, records and prices are the same.
//!
//! It comes over a pipe in this process. Who makes it is attached to the pipe, where no client's bytes can
//! put anything: what comes over a socket is never taken for one.

use std::{
    sync::{Arc, OnceLock, Weak},
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use pingora_core::{
    apps::HttpServerApp,
    protocols::{GetProxyDigest, http::ServerSession, raw_connect::ProxyDigest},
};
use pingora_http::ResponseHeader;
use pingora_proxy::{HttpProxy, Session};
use tokio::sync::watch;

use super::service::Gateway;
use crate::{auth::Principal, provider};

/// Bytes on their way in each direction before the writer has to wait.
const PIPE_BYTES: usize = 64 * 1024;
/// Largest answer that is read, bytes.
const MAX_ANSWER: usize = 1 << 20;

/// Who is behind a request of the gateway's own.
#[derive(Clone)]
pub struct Commission {
    /// The caller on whose behalf it is made.
    pub principal: Arc<Principal>,
    /// The smart model that the caller named.
    pub smart_model: Arc<str>,
}

/// On whose behalf the gateway itself makes this request; none where a client makes it.
pub fn commission(session: &Session) -> Option<&Commission> {
    let digest = session.downstream_session.digest()?.proxy_digest.as_ref()?;
    digest.user_data.as_ref()?.downcast_ref()
}

/// The way in. Leads nowhere until it was opened.
#[derive(Default)]
pub struct Inside {
    /// Weak: the service has the parts among which this is.
    service: OnceLock<Weak<HttpProxy<Gateway>>>,
}

impl Inside {
    /// Lets requests in to `service`. Once; a second time does nothing.
    pub fn open(&self, service: &Arc<HttpProxy<Gateway>>) {
        let _first = self.service.set(Arc::downgrade(service));
    }

    /// Makes a request as it was commissioned and reads the whole answer; none where that is not to be had within
    /// `patience`. Whoever stops waiting before cancels it.
    pub async fn ask(
        &self,
        commission: Commission,
        request: Request<Full<Bytes>>,
        patience: Duration,
    ) -> Option<Response<Bytes>> {
        let service = self.service.get().and_then(Weak::upgrade)?;
        let (near, far) = tokio::io::duplex(PIPE_BYTES);
        let mut connection = provider::connection(far);
        connection.set_proxy_digest(mark(commission)?);
        // The far end must run on when the near end is let go: it is what takes note of that, and settles.
        tokio::spawn(async move {
            let (_open, closing) = watch::channel(false);
            let session = ServerSession::new_http1(Box::new(connection));
            service.process_new_http(session, &closing).await;
        });
        tokio::time::timeout(patience, exchange(TokioIo::new(near), request)).await.ok().flatten()
    }
}

fn mark(commission: Commission) -> Option<ProxyDigest> {
    let unused = ResponseHeader::build_no_case(200, Some(0)).ok()?;
    Some(ProxyDigest::new(Box::new(unused), Some(Box::new(commission))))
}

async fn exchange(
    near: TokioIo<tokio::io::DuplexStream>,
    request: Request<Full<Bytes>>,
) -> Option<Response<Bytes>> {
    let (mut sender, connection) = http1::handshake(near).await.ok()?;
    let answer = async {
        let (head, body) = sender.send_request(request).await.ok()?.into_parts();
        let body = Limited::new(body, MAX_ANSWER).collect().await.ok()?;
        Some(Response::from_parts(head, body.to_bytes()))
    };
    // Its end is no answer: that comes, or fails, by itself.
    let drive = async {
        let _ended = connection.await;
        std::future::pending::<()>().await;
    };
    tokio::select! {
        answer = answer => answer,
        () = drive => None,
    }
}
