//! Telling of budgets that pass their thresholds.

use std::sync::Arc;

use super::{Amount, Counter, Policy, Rule, calendar::Span};
use crate::domain::Timestamp;

/// A budget has passed a threshold, or is used up. The same may be told more than once, by every
/// replica and after a restart; (counter, start, percent) is its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Crossing {
    /// The budget, and whose of it.
    pub counter: Counter,
    /// When its period began.
    pub start: Timestamp,
    /// When its period ends.
    pub end: Timestamp,
    /// The highest threshold that is reached, percent; 100 when it is used up.
    pub percent: u8,
    /// What is used.
    pub used: Amount,
    /// Percent of its tokens, if they are limited.
    pub tokens_percent: Option<u8>,
    /// Percent of its money, if that is limited.
    pub cost_percent: Option<u8>,
}

/// Who is told.
pub type Listener = Box<dyn Fn(Crossing) + Send + Sync>;

/// The thresholds of a policy, in order, and its end.
pub(super) fn thresholds(policy: &Policy) -> Arc<[u8]> {
    let mut all: Vec<u8> = policy.thresholds.iter().copied().filter(|at| *at < 100).collect();
    all.push(100);
    all.sort_unstable();
    all.dedup();
    all.into()
}

/// What is reached of the thresholds above `told`, the highest that was told before.
pub(super) fn crossing(
    (counter, rule): (&Counter, &Rule),
    span: Span,
    used: Amount,
    thresholds: &[u8],
    told: u8,
) -> Option<Crossing> {
    let Rule::Budget { tokens, cost, .. } = rule else { return None };
    let tokens_percent = tokens.map(|limit| percent(used.tokens, limit));
    let nanos = |amount: i64| u64::try_from(amount).unwrap_or(0);
    let cost_percent = cost.map(|limit| percent(nanos(used.cost.0), nanos(limit.0)));
    let highest = tokens_percent.max(cost_percent)?;
    let reached = thresholds.iter().copied().filter(|at| *at <= highest && *at > told).max()?;
    let Span { start, end } = span;
    let percent = reached;
    Some(Crossing {
        counter: counter.clone(),
        start,
        end,
        percent,
        used,
        tokens_percent,
        cost_percent,
    })
}

/// Rounded down, so that 100 is not told before it is so; 255 at most.
fn percent(used: u64, limit: u64) -> u8 {
    if limit == 0 {
        return 100;
    }
    let percent = u128::from(used) * 100 / u128::from(limit);
    u8::try_from(percent).unwrap_or(u8::MAX)
}
