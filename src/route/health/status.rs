//! A route's health as people see it.

use std::time::Duration;

use super::{Cause, Change, Reason, State, Tuning};

/// How a route is, in this process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// Whether it is used.
    pub state: State,
    /// Why it is ejected, or was before it is probed; none while it is healthy.
    pub reason: Option<Reason>,
    /// Failures since the last answer.
    pub consecutive_failures: u32,
    /// How many times the first cool-down the current or last one lasts; 1 once that is forgotten.
    pub multiplier: u32,
    /// How long it is still ejected.
    pub remaining: Option<Duration>,
    /// Attempts under way.
    pub in_flight: u32,
    /// Changes of state, the newest first.
    pub transitions: Vec<Transition>,
}

impl Default for Status {
    /// That of a route which nobody has used yet.
    fn default() -> Self {
        Self {
            state: State::Healthy,
            reason: None,
            consecutive_failures: 0,
            multiplier: 1,
            remaining: None,
            in_flight: 0,
            transitions: Vec::new(),
        }
    }
}

/// A change of state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transition {
    /// The state before.
    pub from: State,
    /// The state since.
    pub to: State,
    /// What brought it about.
    pub cause: Cause,
    /// The window in which failures were counted, where they were.
    pub window: Option<Duration>,
    /// How long ago it was.
    pub age: Duration,
}

impl Transition {
    pub(super) fn of(change: &Change, now: Duration, tuning: &Tuning) -> Self {
        let counted = change.from == State::Healthy
            && change.cause == Cause::Ejected(Reason::RollingFailures);
        Self {
            from: change.from,
            to: change.to,
            cause: change.cause,
            window: counted.then_some(tuning.window),
            age: now.saturating_sub(change.at),
        }
    }
}
