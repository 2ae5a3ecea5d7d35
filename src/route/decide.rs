//! Retry here, take the next route, or give up: one pure function.

use std::time::Duration;

use super::{Failure, Plan, wait_before_retry};
use crate::domain::AttemptOutcome;

/// What follows a failed attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// The same route, on a connection that has not been used before. No failure, no retry counted.
    Reconnect,
    /// The same route at another address of its host. No failure, no retry counted.
    NextAddress,
    /// The same route after a wait.
    RetryHere(Duration),
    /// The route after it.
    NextRoute,
    /// Nothing is left.
    GiveUp,
}

/// Decides after `failure` on the plan's current route. `jitter` is 0 to 1.
#[must_use]
pub fn decide(plan: &Plan, failure: &Failure, jitter: f64) -> Next {
    let Some(route) = plan.current() else { return Next::GiveUp };
    if failure.stale_connection && !plan.reconnected {
        return Next::Reconnect;
    }
    if failure.unreached && plan.addresses.more {
        return Next::NextAddress;
    }
    if failure.outcome == AttemptOutcome::RateLimited
        && plan.retries_here < route.retry_on_429_count
    {
        let max_wait = route.retry_on_429_max_wait;
        return Next::RetryHere(wait_before_retry(
            plan.retries_here,
            failure.retry_after,
            max_wait,
            jitter,
        ));
    }
    move_on(plan)
}

/// What follows a failed attempt that is not made again on its route.
#[must_use]
pub fn move_on(plan: &Plan) -> Next {
    if plan.has_next() { Next::NextRoute } else { Next::GiveUp }
}
