//! What a counter shows, and whether it lets a request pass.

use std::time::Duration;

use super::{Amount, Check, Reason, Room, Rule, Standing};
use crate::domain::Timestamp;

/// What a counter shows before the request is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reading {
    /// A limit per minute.
    Rate(RateReading),
    /// A budget.
    Budget(BudgetReading),
}

/// What a limit's window holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct RateReading {
    pub requests: Counted,
    pub tokens: Counted,
}

/// One of its sums.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counted {
    pub sum: u64,
    /// Milliseconds until it is below the limit; zero where it is.
    pub wait_ms: u64,
    /// Milliseconds until it is zero.
    pub reset_ms: u64,
}

/// What a budget's counter holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct BudgetReading {
    pub spent: Amount,
    pub reserved: Amount,
    /// When its period ends.
    pub end: Timestamp,
}

/// The wait that is told where a limit of zero never lets anything pass.
const NEVER_MS: u64 = 60_000;

/// Why a check refuses, and for how long; none where it does not. `at` is the request's time.
pub(super) fn refusal(
    check: &Check,
    reading: &Reading,
    at: Timestamp,
) -> Option<(Reason, Duration)> {
    match (&check.rule, reading) {
        (Rule::Rate { requests, tokens }, Reading::Rate(rate)) => {
            let requests = full(*requests, rate.requests).map(|wait| (Reason::Requests, wait));
            let tokens = full(*tokens, rate.tokens).map(|wait| (Reason::Tokens, wait));
            requests.into_iter().chain(tokens).max_by_key(|(_, wait)| *wait)
        }
        (Rule::Budget { tokens, cost, blocks: true, .. }, Reading::Budget(budget)) => {
            let used = budget.spent.plus(budget.reserved);
            let reason = if tokens.is_some_and(|limit| used.tokens >= limit) {
                Reason::BudgetTokens
            } else if cost.is_some_and(|limit| used.cost >= limit) {
                Reason::BudgetCost
            } else {
                return None;
            };
            Some((reason, budget_wait(budget, check, at)))
        }
        _ => None,
    }
}

/// Whether a budget is exhausted that marks what it serves.
pub(super) fn marks(check: &Check, reading: &Reading) -> bool {
    match (&check.rule, reading) {
        (Rule::Budget { marks: true, .. }, Reading::Budget(budget)) => is_spent(budget, check),
        _ => false,
    }
}

/// Whether what was settled alone exhausts a budget.
fn is_spent(budget: &BudgetReading, check: &Check) -> bool {
    let Rule::Budget { tokens, cost, .. } = &check.rule else { return false };
    tokens.is_some_and(|limit| budget.spent.tokens >= limit)
        || cost.is_some_and(|limit| budget.spent.cost >= limit)
}

/// Until the period ends; where only requests in flight fill the budget, a moment.
pub(super) fn budget_wait(budget: &BudgetReading, check: &Check, at: Timestamp) -> Duration {
    let end = until_end(budget, at);
    if is_spent(budget, check) { end } else { end.min(Duration::from_secs(1)) }
}

/// Until its period ends.
pub(super) fn until_end(budget: &BudgetReading, at: Timestamp) -> Duration {
    let micros = u64::try_from(budget.end.0.saturating_sub(at.0)).unwrap_or(0);
    Duration::from_micros(micros)
}

fn full(limit: Option<u32>, counted: Counted) -> Option<Duration> {
    let limit = u64::from(limit?);
    let wait = if limit == 0 { NEVER_MS } else { counted.wait_ms };
    (counted.sum >= limit).then_some(Duration::from_millis(wait))
}

/// What the check's limits have left. `counted` is whether the request is counted, but not yet in
/// the reading.
pub(super) fn standing(check: &Check, reading: &Reading, counted: bool) -> Standing {
    let (Rule::Rate { requests, tokens }, Reading::Rate(rate)) = (&check.rule, reading) else {
        return Standing::default();
    };
    let mut of_requests = rate.requests;
    if counted {
        of_requests.sum += 1;
        of_requests.reset_ms = u64::from(super::window::SPAN) * 1000;
    }
    Standing {
        requests: requests.map(|limit| room(limit, of_requests)),
        tokens: tokens.map(|limit| room(limit, rate.tokens)),
    }
}

fn room(limit: u32, counted: Counted) -> Room {
    let limit = u64::from(limit);
    Room {
        limit,
        remaining: limit.saturating_sub(counted.sum),
        reset: Duration::from_millis(counted.reset_ms),
    }
}
