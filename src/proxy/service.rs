//! Pingora's `ProxyHttp`: a switchboard. Each phase is a line or two into one of the five steps.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use pingora_core::{modules::http::HttpModules, upstreams::peer::HttpPeer};
use pingora_error::{Error, ErrorSource, Result};
use pingora_http::{RequestHeader, ResponseHeader};
use pingora_proxy::{FailToProxy, ProxyHttp, ProxyWarnLogContext, Session};

use super::{
    admit, attempt,
    ctx::{Ctx, Stage},
    dress, failed, observe, plan, reply, send,
    settle::{self, Outcome},
    shared::Shared,
    traced, watched,
};
use crate::{net, route::Failure};

/// Seconds that an idle connection of a client is kept.
const KEEPALIVE_SECS: u64 = 75;
/// A client that takes nothing for so long is gone.
const WRITE_TIMEOUT: Duration = Duration::from_secs(60);

/// The data plane.
pub struct Gateway {
    shared: Arc<Shared>,
}

impl Gateway {
    /// A data plane over the shared parts.
    #[must_use]
    pub const fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }
}

#[async_trait]
impl ProxyHttp for Gateway {
    type CTX = Ctx;

    fn new_ctx(&self) -> Ctx {
        Ctx::new(&self.shared)
    }

    /// No modules: Pingora's default one would offer to compress.
    fn init_downstream_modules(&self, _modules: &mut HttpModules) {}

    async fn early_request_filter(&self, session: &mut Session, _ctx: &mut Ctx) -> Result<()> {
        watched::heard(&mut session.downstream_session);
        // Off where the client wants its connection closed.
        let wanted = session.get_keepalive().filter(|_| !self.shared.drain.draining());
        session.set_keepalive(wanted.map(|_| KEEPALIVE_SECS));
        // The body has a deadline of its own, which a pause may not undercut.
        session.set_read_timeout(None);
        session.set_write_timeout(Some(WRITE_TIMEOUT));
        Ok(())
    }

    async fn request_filter(&self, session: &mut Session, ctx: &mut Ctx) -> Result<bool> {
        admit::admit(session, ctx).await
    }

    async fn upstream_peer(&self, session: &mut Session, ctx: &mut Ctx) -> Result<Box<HttpPeer>> {
        plan::next_peer(session, ctx).await
    }

    async fn upstream_request_filter(
        &self,
        session: &mut Session,
        upstream: &mut RequestHeader,
        ctx: &mut Ctx,
    ) -> Result<()> {
        send::rebuild(session.req_header(), upstream, ctx)?;
        send::authorize(upstream, ctx).await?;
        send::in_http1(upstream, ctx);
        Ok(())
    }

    async fn upstream_response_filter(
        &self,
        _session: &mut Session,
        upstream: &mut ResponseHeader,
        ctx: &mut Ctx,
    ) -> Result<()> {
        observe::judge(upstream, ctx);
        Ok(())
    }

    async fn response_filter(
        &self,
        session: &mut Session,
        answer: &mut ResponseHeader,
        ctx: &mut Ctx,
    ) -> Result<()> {
        dress::dress(answer, session.req_header().version, ctx)
    }

    fn response_body_filter(
        &self,
        _session: &mut Session,
        body: &mut Option<Bytes>,
        end: bool,
        ctx: &mut Ctx,
    ) -> Result<Option<Duration>> {
        observe::body(body, end, ctx).map(|()| None)
    }

    /// An answer over HTTP/2 may end in trailers instead of a last piece of its body.
    async fn response_trailer_filter(
        &self,
        _session: &mut Session,
        _trailers: &mut http::HeaderMap,
        ctx: &mut Ctx,
    ) -> Result<Option<Bytes>> {
        let mut last = None;
        observe::body(&mut last, true, ctx)?;
        Ok(last)
    }

    fn fail_to_connect(
        &self,
        session: &mut Session,
        _peer: &HttpPeer,
        ctx: &mut Ctx,
        mut error: Box<Error>,
    ) -> Box<Error> {
        let failure = plan::unreached(ctx.call.as_deref(), &self.shared.peers, &error);
        consequence(session, ctx, &mut error, failure);
        error
    }

    fn error_while_proxy(
        &self,
        _peer: &HttpPeer,
        session: &mut Session,
        mut error: Box<Error>,
        ctx: &mut Ctx,
        reused: bool,
    ) -> Box<Error> {
        let Some(call) = ctx.call.as_mut() else {
            error.set_retry(false);
            return error;
        };
        let expired = call.gate.as_ref().is_some_and(|gate| gate.control.expired());
        if *error.esource() == ErrorSource::Downstream && !expired {
            call.client_gone = true;
            error.set_retry(false);
            return error;
        }
        if call.attempt.goes_on {
            plan::go_on(call);
            error.set_retry(true);
            return error;
        }
        let pooled = reused || call.attempt.dial.as_ref().is_some_and(|dial| dial.was_pooled());
        let failure = failed::failure(call, &error, pooled);
        consequence(session, ctx, &mut error, failure);
        if let Some(call) = ctx.call.as_mut().filter(|_| net::is_downgrade(&error)) {
            // Pingora has noted HTTP/1.1 for the pool's key, not for one that is used once.
            call.attempt.fresh = false;
        }
        error
    }

    async fn fail_to_proxy(
        &self,
        session: &mut Session,
        error: &Error,
        ctx: &mut Ctx,
    ) -> FailToProxy
    where
        Ctx: Send + Sync,
    {
        if *error.esource() == ErrorSource::Downstream
            && ctx.call.as_ref().is_some_and(|call| call.plan.is_none())
        {
            settle::settle(ctx, Outcome::client_gone());
        }
        reply::conclude(session, ctx).await;
        let status = session.response_written().map_or(0, |answer| answer.status.as_u16());
        FailToProxy { error_code: status, can_reuse_downstream: false }
    }

    async fn logging(&self, session: &mut Session, _error: Option<&Error>, ctx: &mut Ctx)
    where
        Ctx: Send + Sync,
    {
        if let Some(gate) = ctx.call.as_ref().and_then(|call| call.gate.as_ref()) {
            gate.remove(&mut session.downstream_session);
        }
        settle::settle(ctx, Outcome::answered());
    }

    /// One line per request is written when it settles.
    fn suppress_error_log(&self, _session: &Session, _ctx: &Ctx, _error: &Error) -> bool {
        true
    }

    fn suppress_proxy_warn_log(
        &self,
        _session: &Session,
        _ctx: &Ctx,
        _error: &Error,
        _context: ProxyWarnLogContext,
    ) -> bool {
        true
    }
}

/// The one place where a failed attempt becomes a retry, the next route, or the end.
fn consequence(session: &Session, ctx: &mut Ctx, error: &mut Error, failure: Failure) {
    let shared = Arc::clone(&ctx.shared);
    let again = match ctx.call.as_mut() {
        // Nothing is tried again once a byte of an answer has left.
        Some(call) if reply::answered(session) => {
            call.attempt.failure = Some(failure);
            false
        }
        // Nor where the caller's own credential is what is missing.
        Some(call) if call.callers_fault.is_some() => {
            traced::ended(call, &failure);
            if let Some(plan) = call.plan.as_mut() {
                plan.note(&failure);
            }
            false
        }
        // Nor once it was let through: the body to send again is gone by then.
        Some(call) if call.attempt.stage != Stage::Held => {
            attempt::fail(call, &shared, &failure);
            false
        }
        Some(call) => plan::after(call, &shared, &failure),
        None => false,
    };
    error.set_retry(again);
}
