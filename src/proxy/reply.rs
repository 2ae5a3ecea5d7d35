//! Answers that the gateway gives on its own account.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Method, header};
use pingora_error::Result;
use pingora_http::ResponseHeader;
use pingora_proxy::Session;

use super::{
    ctx::{Call, Ctx},
    dress,
    limits::PassedOver,
    observe,
    refusal::{self, Refusal},
    settle::{self, Outcome},
    translation,
};
use crate::{
    dialect::GatewayError,
    domain::{AttemptOutcome, Endpoint},
    wire::headers,
};

/// How long the rest of a refused request is read, so that the client sees the answer and no reset.
pub const LINGER: Duration = Duration::from_secs(1);

/// Answers a refusal. Always `Ok(true)`: the request is answered.
pub async fn refuse(session: &mut Session, ctx: &mut Ctx, refusal: Refusal) -> Result<bool> {
    let Refusal { error, reason } = refusal;
    settle::settle(
        ctx,
        Outcome::replied(error.status, error.code.unwrap_or(error.kind), Some(reason)),
    );
    if reason == refusal::BAD_FRAMING {
        session.set_keepalive(None);
    }
    write(session, ctx, *error).await;
    linger(session).await;
    Ok(true)
}

/// The client left while it was sending: there is nobody to answer.
pub async fn gone(session: &mut Session, ctx: &mut Ctx) -> Result<bool> {
    settle::settle(ctx, Outcome::client_gone());
    session.set_keepalive(None);
    session.downstream_session.shutdown().await;
    Ok(true)
}

/// Answers `GET /v1/models`, and other things that no vendor is asked for.
pub async fn listing(session: &mut Session, ctx: &mut Ctx, body: Bytes) -> Result<bool> {
    ctx_first_byte(ctx);
    settle::settle(ctx, Outcome { status: Some(200), ..Outcome::answered() });
    let Some(call) = ctx.call.as_ref() else { return Ok(true) };
    let closing = ctx.shared.drain.draining();
    let _left = send(session, header(call, 200, body.len())?, body, closing).await;
    Ok(true)
}

/// Whether an answer has begun to leave. `100 Continue` is none.
pub fn answered(session: &Session) -> bool {
    session.response_written().is_some_and(|head| !head.status.is_informational())
}

/// Writes an error in the client's dialect. A client that is gone by now is nobody's fault.
pub async fn write(session: &mut Session, ctx: &Ctx, error: GatewayError) {
    let Some(call) = ctx.call.as_ref() else { return };
    let error = error.request_id(call.id.as_str());
    let body = error.body(call.dialect);
    let closing = ctx.shared.drain.draining();
    let Ok(mut head) = header(call, error.status, body.len()) else { return };
    if let Some(seconds) = error.retry_after_secs {
        let _ = head.insert_header(header::RETRY_AFTER, headers::number(seconds));
    }
    if error.status == 405 {
        let _ = head.insert_header(header::ALLOW, allowed(call.endpoint));
    }
    if error.status == 401 {
        let _ = head.insert_header(header::WWW_AUTHENTICATE, "Bearer");
    }
    let _left = send(session, head, body, closing).await;
}

fn allowed(endpoint: Option<Endpoint>) -> String {
    endpoint.map_or_else(|| "POST".to_owned(), |endpoint| endpoint.methods().join(", "))
}

fn ctx_first_byte(ctx: &mut Ctx) {
    let elapsed = ctx.began.elapsed();
    if let Some(call) = ctx.call.as_mut() {
        call.first_byte = Some(elapsed);
    }
}

fn header(call: &Call, status: u16, length: usize) -> Result<ResponseHeader> {
    let mut head = ResponseHeader::build_no_case(status, Some(6))?;
    dress::redress(&mut head, |to| {
        to.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        to.insert(header::CONTENT_LENGTH, headers::count(length));
        dress::name(to, call);
    })?;
    Ok(head)
}

async fn send(
    session: &mut Session,
    head: ResponseHeader,
    body: Bytes,
    closing: bool,
) -> Result<()> {
    if closing {
        session.set_keepalive(None);
    }
    let body = if session.req_header().method == Method::HEAD { Bytes::new() } else { body };
    session.downstream_session.write_response_header(Box::new(head)).await?;
    session.downstream_session.write_response_body(body, true).await
}

/// Reads on for a while, so that what was written is seen before the connection goes.
pub async fn linger(session: &mut Session) {
    let drain = async {
        loop {
            match session.downstream_session.read_request_body().await {
                Ok(Some(_)) => {}
                Ok(None) => return true,
                Err(_) => return false,
            }
        }
    };
    // Whoever still sends after this is cut off: Pingora would read on for ever, to use the connection
    // again. And behind a body that cannot be read nobody knows where the next request begins.
    if tokio::time::timeout(LINGER, drain).await != Ok(true) {
        session.set_keepalive(None);
    }
}

/// Ends a request that Pingora could not serve: the last answer, or the end of a stream.
pub async fn conclude(session: &mut Session, ctx: &mut Ctx) {
    let Some(call) = ctx.call.as_mut() else { return };
    if let Some(gate) = &call.gate {
        gate.remove(&mut session.downstream_session);
    }
    if call.client_gone {
        settle::settle(ctx, Outcome::client_gone());
        return;
    }
    // Pingora does not use the connection again after an error, and the client should know.
    session.set_keepalive(None);
    if answered(session) {
        end_broken(session, ctx).await;
        return;
    }
    match translation::estimated(call).await {
        Ok(Some(estimated)) => {
            let _left = listing(session, ctx, estimated).await;
            return;
        }
        Ok(None) => {}
        Err(refusal) => call.callers_fault = Some(refusal),
    }
    let refused = call.refused.take();
    let untried = call.plan.as_ref().is_none_or(|plan| plan.attempts.is_empty());
    let full = call.plan.as_ref().filter(|plan| plan.is_full());
    let (error, denied_by) = match (call.callers_fault.take(), refused.filter(|_| untried)) {
        (Some(Refusal { error, reason }), _) => (*error, Some(reason)),
        (None, _) if full.is_some() => {
            let model = full.map_or("", |plan| plan.alias());
            let Refusal { error, reason } = refusal::routes_full(model);
            (*error, Some(reason))
        }
        (None, Some(refused)) => (refusal::unsupported(refused), Some("capability")),
        (None, None) => (all_failed(call, ctx.shared.limits.all_rate_limited_status), None),
    };
    let code = error.code.unwrap_or(error.kind);
    settle::settle(ctx, Outcome::replied(error.status, code, denied_by));
    write(session, ctx, error).await;
}

fn all_failed(call: &Call, all_rate_limited_status: u16) -> GatewayError {
    let attempts = call.plan.as_deref().map(crate::route::Plan::told).unwrap_or_default();
    let limited = call.plan.as_deref().is_some_and(crate::route::Plan::all_rate_limited);
    let retry_after = call.plan.as_ref().and_then(|plan| plan.retry_after).filter(|_| limited);
    let seconds = retry_after
        .map(|wait| wait.as_secs() + u64::from(wait.subsec_nanos() > 0))
        .map(|s| s.max(1));
    let status = if limited { all_rate_limited_status } else { 502 };
    let passed_over: Vec<String> = call.passed_over.iter().map(PassedOver::tell).collect();
    refusal::all_routes_failed(status, attempts, seconds, &passed_over)
}

/// A stream that broke after it had begun ends in an error event; anything else ends abruptly, which
/// is the only ending of a plain answer that does not look complete.
async fn end_broken(session: &mut Session, ctx: &mut Ctx) {
    let Some(call) = ctx.call.as_mut() else { return };
    let failure = call.attempt.failure.take();
    let failure = failure.unwrap_or_else(|| {
        crate::route::Failure::of(AttemptOutcome::NetworkError, "the vendor's answer was cut off")
    });
    let event = observe::last_words(call, &failure);
    settle::settle(ctx, Outcome::broken(failure));
    match event {
        Some(event) => {
            let _left = session.downstream_session.write_response_body(event, true).await;
        }
        None => session.downstream_session.shutdown().await,
    }
}
