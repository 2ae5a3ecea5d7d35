//! An attempt on a route, from its beginning to its end.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use super::{
    Origin, State, Verdict,
    tracked::{Place, Tracked},
};
use crate::route::Failure;

/// A place among a route's attempts under way. Dropped without [`Lease::end`], it says nothing about the
/// route: the client left, or a phase panicked.
#[must_use]
pub struct Lease {
    route: Arc<Tracked>,
    /// None once it is given back.
    place: Option<Place>,
    /// Whether the answer was seen to be good before its end.
    answered: bool,
}

impl Lease {
    pub(super) const fn new(route: Arc<Tracked>, place: Place) -> Self {
        Self { route, place: Some(place), answered: false }
    }

    /// The start of the answer is good. Where that is news, it need not wait for the end of a long stream; the
    /// place stays taken.
    pub fn answered(&mut self, now: Instant) {
        let common = &self.route.common;
        let clock = common.clock(now);
        let Some(place) = self.place.as_mut().filter(|place| place.pass.is_trial()) else { return };
        self.answered = true;
        self.route.with(Origin::Here, |inner| {
            inner.breaker.note(place.pass, Verdict::Good, clock, &common.tuning);
        });
        place.pass = place.pass.told();
    }

    /// The attempt ended so; `latency` is the time to its answer's first byte. Answers the route's state.
    pub fn end(mut self, end: &Failure, latency: Option<Duration>, now: Instant) -> State {
        let route = Arc::clone(&self.route);
        let common = &route.common;
        let clock = common.clock(now);
        let Some(place) = self.place.take() else { return State::Healthy };
        let verdict = match Verdict::of(end) {
            Verdict::Good if self.answered => Verdict::Neither,
            verdict => verdict,
        };
        route.with(Origin::Here, |inner| {
            inner.leave(place.alias);
            inner.stats.note(end.outcome, latency, clock);
            inner.breaker.note(place.pass, verdict, clock, &common.tuning);
            inner.breaker.state(clock)
        })
    }

    /// Whether the budget allows to ask again here; then it is paid for.
    #[must_use]
    pub fn may_retry(&self, now: Instant) -> bool {
        let clock = self.route.common.clock(now);
        self.route.with(Origin::Here, |inner| inner.budget.spend(clock))
    }

    /// Gives the place back before a retry in place: the 429 counts as an attempt that was not answered,
    /// and not against the route until its retries are spent.
    pub fn pause(mut self, end: &Failure, now: Instant) {
        let Some(place) = self.place.take() else { return };
        let clock = self.route.common.clock(now);
        self.route.with(Origin::Here, |inner| {
            inner.leave(place.alias);
            inner.stats.note(end.outcome, None, clock);
            inner.breaker.release(place.pass);
        });
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let Some(place) = self.place.take() else { return };
        self.route.with(Origin::Here, |inner| {
            inner.leave(place.alias);
            inner.breaker.release(place.pass);
        });
    }
}
