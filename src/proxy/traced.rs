//! What a request that is traced notes on its way, and the spans made of it at its end.
//!
//! A request that is not traced has none of this, and pays one test for each call.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use http::Method;

use super::{
    ctx::{Attempt, Call},
    identity::Trace,
    shared::Shared,
};
use crate::{
    domain::{AttemptOutcome, Timestamp, UsageRecord},
    observe::otel::{AttemptSpan, Place, RequestSpan, Traces, new_span_id},
    route::{Failure, Plan},
    snapshot::Route,
};

/// A request's place in its trace, and what was tried for it so far.
pub struct Traced {
    place: Place,
    method: &'static str,
    began: Instant,
    under_way: Option<UnderWay>,
    attempts: Vec<AttemptSpan>,
}

/// The attempt under way.
#[derive(Clone, Copy)]
struct UnderWay {
    span: u64,
    began: Instant,
}

/// Whether the request is traced; and its trace, which is a new one where the client named none.
pub fn begin(
    traces: Option<&Traces>,
    trace: Option<Trace>,
    method: &Method,
    began: Instant,
) -> (Option<Trace>, Option<Box<Traced>>) {
    let Some(traces) = traces else { return (trace, None) };
    let parent = trace.as_ref().and_then(Trace::parent);
    let Some(place) = traces.begin(parent) else { return (trace, None) };
    let method = known(method);
    let traced = Traced { place, method, began, under_way: None, attempts: Vec::new() };
    (Some(Trace::recorded(place.trace)), Some(Box::new(traced)))
}

/// The method as the conventions name it: what a client made up is none of the spans' business.
fn known(method: &Method) -> &'static str {
    let methods = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "CONNECT"];
    methods.into_iter().find(|known| method == *known).unwrap_or("_OTHER")
}

/// Notes that an attempt begins: its way out is looked for.
pub fn attempt(call: &mut Call) {
    if let Some(traced) = call.traced.as_deref_mut() {
        traced.under_way = Some(UnderWay { span: new_span_id(), began: Instant::now() });
    }
}

/// The `traceparent` for the vendor that the attempt under way calls; none for a request without a trace.
pub fn below_attempt(call: &Call) -> Option<String> {
    let trace = call.trace.as_ref()?;
    let under_way = call.traced.as_deref().and_then(|traced| traced.under_way);
    Some(trace.child(under_way.map_or_else(new_span_id, |under_way| under_way.span)))
}

/// The `traceparent` for what the gateway itself asks on the request's behalf; none for one without a trace.
pub fn below_request(call: &Call) -> Option<String> {
    let trace = call.trace.as_ref()?;
    let traced = call.traced.as_deref();
    Some(trace.child(traced.map_or_else(new_span_id, |traced| traced.place.span)))
}

/// Notes that the attempt under way, if one is, has ended. Called before the plan moves on.
pub fn ended(call: &mut Call, end: &Failure) {
    let Some(traced) = call.traced.as_deref_mut() else { return };
    let Some(plan) = call.plan.as_ref() else { return };
    let Some(route) = plan.current() else { return };
    let Some(under_way) = traced.under_way.take() else { return };
    let span = traced.span(under_way, &call.attempt, plan, route, end);
    traced.attempts.push(span);
}

/// Notes that one of several calls of the same route has ended well.
pub fn went_on(call: &mut Call) {
    if call.traced.is_some() {
        ended(call, &Failure::of(AttemptOutcome::Ok, ""));
    }
}

impl Traced {
    fn span(
        &self,
        under_way: UnderWay,
        attempt: &Attempt,
        plan: &Plan,
        route: &Arc<Route>,
        end: &Failure,
    ) -> AttemptSpan {
        // One that found no address to call leaves what the attempt before it has noted.
        let sent = attempt.began.is_some_and(|began| began >= under_way.began);
        AttemptSpan {
            span: under_way.span,
            began: self.since(under_way.began),
            ended: self.since(Instant::now()),
            vendor: route.provider.vendor.telemetry_name(),
            provider: Arc::clone(&route.provider.name),
            model: Arc::clone(&route.upstream_model),
            host: Arc::clone(&route.provider.base.host),
            port: route.provider.base.port,
            status: end.status.or(attempt.status.filter(|_| sent)),
            outcome: end.outcome,
            resent: plan.retries_here,
            first_chunk: attempt.latency.filter(|_| sent),
        }
    }

    fn since(&self, at: Instant) -> Duration {
        at.saturating_duration_since(self.began)
    }
}

/// Leaves the spans of a request that is over.
pub fn settle(
    shared: &Shared,
    traced: Option<&Traced>,
    record: &UsageRecord<'_>,
    (arrived, elapsed): (Timestamp, Duration),
) {
    let (Some(traces), Some(traced)) = (shared.traces.as_ref(), traced) else { return };
    let Traced { place, method, .. } = *traced;
    let attempts = &*traced.attempts;
    traces.record(&RequestSpan { place, method, arrived, elapsed, record, attempts });
}
