//! Telling of budgets that pass their thresholds.

use std::sync::Arc;

use super::{Amount, Counter, Limits, Policy, calendar::Span};
use crate::domain::Timestamp;

/// A budget has passed a threshold, or is used up. The same may be told more than once, by every
/// replica and after a restart; (counter, start, limits, percent) is its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Crossing {
    /// The budget, and whose of it.
    pub counter: Counter,
    /// When its period began.
    pub start: Timestamp,
    /// When its period ends.
    pub end: Timestamp,
    /// The threshold that is reached, percent; 100 when it is used up.
    pub percent: u8,
    /// What is used.
    pub used: Amount,
    /// Of how much.
    pub limits: Limits,
    /// Percent of its tokens, if they are limited.
    pub tokens_percent: Option<u8>,
    /// Percent of its money, if that is limited.
    pub cost_percent: Option<u8>,
}

/// Who is told.
pub type Listener = Box<dyn Fn(Crossing) + Send + Sync>;

/// What a budget is watched for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Watched {
    limits: Limits,
    /// In order, and the end.
    thresholds: Arc<[u8]>,
}

impl Watched {
    /// Of a policy.
    pub fn of(policy: &Policy) -> Self {
        let mut all: Vec<u8> = policy.thresholds.iter().copied().filter(|at| *at < 100).collect();
        all.push(100);
        all.sort_unstable();
        all.dedup();
        Self { limits: policy.limits, thresholds: all.into() }
    }
}

/// The highest threshold that was told of a counter, of the limits that held then.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Told {
    limits: Limits,
    percent: u8,
}

impl Told {
    /// Every threshold that is reached and was not told, lowest first; they are told from now on. With other
    /// limits all of them are to be told again.
    pub fn reached(
        &mut self,
        counter: &Counter,
        span: Span,
        used: Amount,
        watched: &Watched,
    ) -> Vec<Crossing> {
        let limits = watched.limits;
        let told = if self.limits == limits { self.percent } else { 0 };
        let (tokens_percent, cost_percent) = limits.percents(used);
        let Some(highest) = tokens_percent.max(cost_percent) else { return Vec::new() };
        let is_news = |at: &u8| *at <= highest && *at > told;
        let reached = watched.thresholds.iter().copied().filter(is_news);
        let Span { start, end } = span;
        let all: Vec<Crossing> = reached
            .map(|percent| Crossing {
                counter: counter.clone(),
                start,
                end,
                percent,
                used,
                limits,
                tokens_percent,
                cost_percent,
            })
            .collect();
        if let Some(last) = all.last() {
            *self = Self { limits, percent: last.percent };
        }
        all
    }
}

impl Limits {
    /// How much of each limit is used, percent.
    fn percents(&self, used: Amount) -> (Option<u8>, Option<u8>) {
        let nanos = |amount: i64| u64::try_from(amount).unwrap_or(0);
        let tokens = self.tokens.map(|limit| percent(used.tokens, limit));
        (tokens, self.cost.map(|limit| percent(nanos(used.cost.0), nanos(limit.0))))
    }
}

/// Rounded down, so that 100 is not told before it is so; 255 at most.
fn percent(used: u64, limit: u64) -> u8 {
    if limit == 0 {
        return 100;
    }
    // Every request asks, and a division of 128 bits takes several times as long.
    match used.checked_mul(100) {
        Some(product) => u8::try_from(product / limit).unwrap_or(u8::MAX),
        None => u8::try_from(u128::from(used) * 100 / u128::from(limit)).unwrap_or(u8::MAX),
    }
}
