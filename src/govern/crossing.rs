//! Telling of budgets that pass their thresholds.

use std::sync::Arc;

use super::{Amount, Counter, Limits, Policy, Reason, calendar::Span};
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
    /// The threshold that is reached, percent; 100 when it is used up. A strict budget is used up when it has no
    /// room for what it is asked for, with whatever is left.
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

/// Percent at which a budget is used up.
const USED_UP: u8 = 100;

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
        let mut all: Vec<u8> =
            policy.thresholds.iter().copied().filter(|at| *at < USED_UP).collect();
        all.push(USED_UP);
        all.sort_unstable();
        all.dedup();
        Self { limits: policy.limits, thresholds: all.into() }
    }
}

/// What was told of a counter, of the limits that held then.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Told {
    limits: Limits,
    /// The highest threshold.
    percent: u8,
    /// Whether it was told to be used up before it was.
    is_refusing: bool,
}

/// Percent that is used at least of a strict budget that is told to be used up when it refuses. With less, it is the
/// request that is large.
const HALF: u8 = 50;

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
        self.hold(limits);
        let (tokens_percent, cost_percent) = limits.percents(used);
        let Some(highest) = tokens_percent.max(cost_percent) else { return Vec::new() };
        let Self { percent: told, is_refusing, .. } = *self;
        let is_news = |at: &u8| *at <= highest && *at > told && !(is_refusing && *at == USED_UP);
        let reached = watched.thresholds.iter().copied().filter(is_news);
        let crossing = |percent| Crossing::of(counter, span, used, limits, percent);
        let all: Vec<Crossing> = reached.map(crossing).collect();
        if let Some(last) = all.last() {
            self.percent = last.percent;
        }
        all
    }

    /// That a strict budget is used up: it refuses for the rest of its period, for want of what `reason` says, and a
    /// good part of it is used. Told once.
    pub fn refused(
        &mut self,
        counter: &Counter,
        span: Span,
        (used, reason): (Amount, Reason),
        watched: &Watched,
    ) -> Option<Crossing> {
        let limits = watched.limits;
        self.hold(limits);
        let (tokens_percent, cost_percent) = limits.percents(used);
        let percent = if reason == Reason::BudgetCost { cost_percent } else { tokens_percent };
        let is_news = percent? >= HALF && self.percent < USED_UP && !self.is_refusing;
        self.is_refusing |= is_news;
        is_news.then(|| Crossing::of(counter, span, used, limits, USED_UP))
    }

    /// With other limits all is to be told again.
    fn hold(&mut self, limits: Limits) {
        if self.limits != limits {
            *self = Self { limits, ..Self::default() };
        }
    }
}

impl Crossing {
    fn of(counter: &Counter, span: Span, used: Amount, limits: Limits, percent: u8) -> Self {
        let (tokens_percent, cost_percent) = limits.percents(used);
        let Span { start, end } = span;
        let counter = counter.clone();
        Self { counter, start, end, percent, used, limits, tokens_percent, cost_percent }
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
        return USED_UP;
    }
    // Every request asks, and a division of 128 bits takes several times as long.
    match used.checked_mul(100) {
        Some(product) => u8::try_from(product / limit).unwrap_or(u8::MAX),
        None => u8::try_from(u128::from(used) * 100 / u128::from(limit)).unwrap_or(u8::MAX),
    }
}
