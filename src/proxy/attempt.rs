//! Where attempts begin and end: a place on a route, and what the end says about it.

use std::{sync::Arc, time::Instant};

use super::{ctx::Call, shared::Shared, traced};
use crate::{
    route::{Failure, Plan, health::Closed},
    snapshot::{Route, Way},
    wire::Spliced,
};

/// Moves the plan to the next route that may be tried now, and takes a place on it; none if there is none
/// left. An attempt that is under way already keeps its place.
pub fn enter(call: &mut Call, shared: &Shared) -> Option<Arc<Route>> {
    let org = call.principal.as_ref()?.org;
    loop {
        let plan = call.plan.as_mut()?;
        let Some(route) = plan.current().cloned() else {
            if plan.resort() {
                continue;
            }
            return None;
        };
        let estimated =
            call.endpoint.and_then(|endpoint| route.way(endpoint)) == Some(Way::Estimate);
        if call.lease.is_some() || estimated {
            return Some(route);
        }
        match shared.routes.enter(org, &route, plan.turn(), Instant::now()) {
            Ok(lease) => {
                plan.retried = None;
                call.lease = Some(lease);
                return Some(route);
            }
            Err(closed) => leave(call, shared, &route, closed),
        }
    }
}

/// Passes over a route that cannot be tried now. One whose place was taken while it was to be asked again
/// has failed.
fn leave(call: &mut Call, shared: &Shared, route: &Route, closed: Closed) {
    let Some(plan) = call.plan.as_mut() else { return };
    match plan.retried.take() {
        None => plan.pass_over(closed),
        Some(failure) => {
            plan.fail_route(&failure);
            shared.metrics.failover(&route.provider.name, &route.upstream_model);
        }
    }
    forget(call);
}

/// What was made for a route is of no use on another one.
pub fn forget(call: &mut Call) {
    call.attempt.fresh = false;
    call.attempt.body = Spliced::default();
    lose(call);
}

/// Keeps what a series has used so far: what its calls were answered is lost, what they cost is not.
pub fn lose(call: &mut Call) {
    call.lost.extend(std::mem::take(&mut call.series).lost());
}

/// The answer of the attempt is one.
pub fn answered(call: &mut Call) {
    if call.attempt.status.is_some_and(|status| status < 400)
        && let Some(lease) = call.lease.as_mut()
    {
        lease.answered(Instant::now());
    }
}

/// The attempt under way ended so, and is not made again on its route.
pub fn end(call: &mut Call, shared: &Shared, route: &Route, end: &Failure) {
    shared.refused.note(call, route, end);
    let latency = call.attempt.latency;
    if let Some(lease) = call.lease.take() {
        lease.end(end, latency, Instant::now());
    }
    shared.metrics.attempt(&route.provider.name, &route.upstream_model, end.outcome);
}

/// The attempt under way ended in a 429, and is made again on its route after a while.
pub fn pause(call: &mut Call, shared: &Shared, route: &Route, failure: &Failure) {
    if let Some(lease) = call.lease.take() {
        lease.pause(failure, Instant::now());
    }
    shared.metrics.attempt(&route.provider.name, &route.upstream_model, failure.outcome);
    if let Some(plan) = call.plan.as_mut() {
        plan.retried = Some(failure.clone());
    }
}

/// Whether the current route's retry budget allows to ask it again; then it is paid for.
pub fn may_retry(call: &Call) -> bool {
    call.lease.as_ref().is_none_or(|lease| lease.may_retry(Instant::now()))
}

/// The attempt failed once its answer had been let through: it is the last one.
pub fn fail(call: &mut Call, shared: &Shared, failure: &Failure) {
    let Some(route) = call.plan.as_deref().and_then(Plan::current).cloned() else { return };
    traced::ended(call, failure);
    end(call, shared, &route, failure);
    if let Some(plan) = call.plan.as_mut() {
        plan.fail_route(failure);
    }
}
