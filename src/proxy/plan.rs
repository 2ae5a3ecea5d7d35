//! Plan: the next attempt of a request, after its wait, with its body and its way out.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use pingora_core::upstreams::peer::HttpPeer;
use pingora_error::{Error, ErrorType, Result};
use pingora_proxy::Session;
use smallvec::SmallVec;

use super::{
    attempt, bound,
    ctx::{Attempt, Call, Ctx, Inbound},
    failed,
    limits::{self, Reservation},
    shared::Shared,
    traced, translation,
};
use crate::{
    domain::{AttemptOutcome, Endpoint},
    net::{self, Dial, Peer, PeerError, Peers, Wish},
    route::{Failure, Next, decide, move_on},
    snapshot::{Route, Way},
    translate::form::Refusal,
    wire::{self, Changes, Spliced, headers},
};

/// The peer of the next attempt. An error means that none is left, or that the client left.
pub async fn next_peer(session: &mut Session, ctx: &mut Ctx) -> Result<Box<HttpPeer>> {
    let shared = Arc::clone(&ctx.shared);
    let Some(call) = ctx.call.as_mut() else { return give_up() };
    loop {
        wait(session, call).await?;
        let Some(route) = attempt::enter(call, &shared) else { return give_up() };
        if call.endpoint.and_then(|endpoint| route.way(endpoint)) == Some(Way::Estimate) {
            // The vendor is not asked: the gateway answers once Pingora has ended the request.
            return give_up();
        }
        if let Err(refusal) = limits::follow(&shared, call, &route).await {
            call.lease = None;
            let Some(plan) = call.plan.as_mut() else { return give_up() };
            plan.skip();
            if plan.is_exhausted() && plan.attempts.is_empty() {
                call.callers_fault = Some(refusal);
            }
            continue;
        }
        let body = match made(session, call, &shared, &route).await {
            Ok(body) => body,
            Err(_) if call.callers_fault.is_some() => return give_up(),
            Err(refusal) => {
                call.refused.get_or_insert(refusal);
                call.lease = None;
                if let Some(plan) = call.plan.as_mut() {
                    plan.skip();
                }
                continue;
            }
        };
        let patience =
            if call.asks_stream() { route.stream_idle_timeout } else { route.request_timeout };
        traced::attempt(call);
        match connect(call, &shared.peers, &route, patience).await {
            Ok((peer, deadline)) => {
                begin(call, body, deadline, peer.dial);
                return Ok(peer.http);
            }
            Err(error) => {
                let failure = Failure::of(AttemptOutcome::NetworkError, error.to_string());
                if !after(call, &shared, &failure) {
                    return give_up();
                }
            }
        }
    }
}

/// The peer of an attempt and the attempt's deadline, which all addresses of its host share.
async fn connect(
    call: &mut Call,
    peers: &Peers,
    route: &Route,
    patience: Duration,
) -> Result<(Peer, Instant), PeerError> {
    let fresh = call.attempt.fresh;
    let now = Instant::now();
    let Some(addresses) = call.plan.as_mut().map(|plan| &mut plan.addresses) else {
        return Err(PeerError::Unreached);
    };
    let deadline = *addresses.deadline.get_or_insert(now + patience);
    let patience = deadline.saturating_duration_since(now);
    let wish = Wish { patience, fresh, unreached: &addresses.unreached };
    let peer = peers.peer(&route.provider, wish).await?;
    addresses.current = Some(peer.address);
    addresses.more = peer.more;
    Ok((peer, deadline))
}

/// What failed to connect, as a failure; later requests begin with another address.
pub fn unreached(call: Option<&Call>, peers: &Peers, error: &Error) -> Failure {
    let mut failure = failed::of_error(error);
    failure.unreached = net::is_unreached(error);
    // A pooled HTTP/2 connection that takes no further stream.
    failure.stale_connection = net::is_lost_h2(error);
    let plan = call.and_then(|call| call.plan.as_ref()).filter(|_| failure.unreached);
    if let Some((route, address)) = plan.and_then(|plan| plan.current().zip(plan.addresses.current))
    {
        peers.unreached(&route.provider, address);
    }
    failure
}

fn give_up<T>() -> Result<T> {
    let mut error = Error::explain(ErrorType::Custom("no route left"), "every route was tried");
    error.set_retry(false);
    Err(error)
}

/// Sleeps the back-off, unless the client leaves first.
async fn wait(session: &mut Session, call: &mut Call) -> Result<()> {
    let delay = std::mem::take(&mut call.attempt.delay);
    if delay.is_zero() {
        return Ok(());
    }
    if let Some(gate) = &call.gate {
        gate.control.disarm();
    }
    tokio::select! {
        () = tokio::time::sleep(delay) => Ok(()),
        _ = session.downstream_session.read_body_or_idle(true) => {
            call.client_gone = true;
            give_up()
        }
    }
}

/// The body for the route: made once for all tries on it.
async fn made(
    session: &Session,
    call: &mut Call,
    shared: &Shared,
    route: &Arc<Route>,
) -> std::result::Result<Spliced, Refusal> {
    if !call.attempt.body.is_empty() {
        return Ok(call.attempt.body.clone());
    }
    let betas: SmallVec<[&str; 4]> = headers::betas(&session.req_header().headers).collect();
    translation::body(call, &shared.media, route, &betas).await
}

fn begin(call: &mut Call, body: Spliced, deadline: Instant, dial: Option<Arc<Dial>>) {
    if let Some(gate) = &call.gate {
        gate.control.begin(body.clone(), deadline);
    }
    call.attempt = Attempt { body, dial, began: Some(Instant::now()), ..Attempt::default() };
}

/// The client's body with the route's model in it, and usage asked for where the client did not.
pub fn body_for(
    inbound: &Inbound,
    route: &Route,
    endpoint: Option<Endpoint>,
    held: Option<&Reservation>,
) -> Spliced {
    let quirks = &route.provider.vendor.quirks;
    let name = match endpoint {
        Some(Endpoint::Responses) => "max_output_tokens",
        Some(Endpoint::ChatCompletions) if quirks.max_completion_tokens || quirks.openai_models => {
            "max_completion_tokens"
        }
        _ => "max_tokens",
    };
    let changes = Changes {
        model_json: Some(&route.upstream_model_json),
        ask_usage: asks_usage(inbound, route, endpoint),
        output_limit: bound::limit(inbound, held, name),
        no_negative_limits: held.is_some_and(|held| held.is_strict),
    };
    wire::rewrite_start(&inbound.body, &inbound.head, changes)
}

/// Whether the gateway asks this route's stream for usage on its own account.
pub fn asks_usage(inbound: &Inbound, route: &Route, endpoint: Option<Endpoint>) -> bool {
    inbound.head.stream
        && matches!(endpoint, Some(Endpoint::ChatCompletions | Endpoint::Completions))
        && !inbound.head.asks_usage()
        && route.provider.vendor.stream_usage_option
}

/// Draws the consequence of a failed attempt. Whether there is another one.
pub fn after(call: &mut Call, shared: &Shared, failure: &Failure) -> bool {
    let metrics = &shared.metrics;
    traced::ended(call, failure);
    call.attempt.sent = None;
    let Some(plan) = call.plan.as_ref() else { return false };
    let Some(route) = plan.current().cloned() else { return false };
    let (provider, model) = (&route.provider.name, &route.upstream_model);
    let next = match decide(plan, failure, jitter()) {
        Next::RetryHere(_) if !attempt::may_retry(call) => move_on(plan),
        next => next,
    };
    match next {
        Next::Reconnect | Next::NextAddress => {}
        Next::RetryHere(_) => attempt::pause(call, shared, &route, failure),
        Next::NextRoute | Next::GiveUp => attempt::end(call, shared, &route, failure),
    }
    let Some(plan) = call.plan.as_mut() else { return false };
    match next {
        Next::Reconnect => {
            plan.reconnect();
            call.attempt.fresh = true;
        }
        Next::NextAddress => plan.next_address(),
        Next::RetryHere(wait) => {
            plan.retry_here(wait);
            metrics.retry(provider, model);
            call.attempt.fresh = false;
            call.attempt.delay = wait;
        }
        Next::NextRoute => {
            plan.fail_route(failure);
            metrics.failover(provider, model);
            attempt::forget(call);
        }
        Next::GiveUp => plan.fail_route(failure),
    }
    next != Next::GiveUp
}

/// Goes on with the next call of a series, on the same route.
pub fn go_on(call: &mut Call) {
    traced::went_on(call);
    call.attempt = Attempt::default();
    if let Some(plan) = call.plan.as_mut() {
        plan.addresses.deadline = None;
        plan.reconnected = false;
    }
}

/// 0 to 1, from the operating system's randomness by way of a UUID.
fn jitter() -> f64 {
    let bits = u32::try_from(uuid::Uuid::new_v4().as_u64_pair().1 & 0xffff_ffff).unwrap_or(0);
    f64::from(bits) / f64::from(u32::MAX)
}
