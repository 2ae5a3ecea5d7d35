//! All that is kept of one provider's model.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use smallvec::SmallVec;

use super::{
    Breaker, Change, Event, Origin, Pass, Phase, RetryBudget, RouteKey, Shut, State, Status,
    Transition, Tuning, Turn,
};
use crate::{
    domain::RouteId,
    route::{Standing, stats},
    snapshot::Caps,
};

/// Changes of state that are remembered.
const REMEMBERED: usize = 10;
/// Failures in a row from which on a route is known to be failing, though it is not ejected yet.
const FAILING: u32 = 3;

/// What all routes have in common.
pub(super) struct Common {
    pub(super) tuning: Tuning,
    /// Where the breakers' clock begins.
    pub(super) began: Instant,
    /// Hears of every change.
    pub(super) tell: Box<dyn Fn(&Event) + Send + Sync>,
}

impl Common {
    pub(super) fn clock(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.began)
    }
}

/// A provider's model.
pub(super) struct Tracked {
    pub(super) common: Arc<Common>,
    pub(super) key: RouteKey,
    /// The provider's name, as it was when the route was first used.
    pub(super) provider_name: Arc<str>,
    /// Held for some tens of nanoseconds; never while anything is waited for.
    inner: Mutex<Inner>,
}

#[derive(Default)]
pub(super) struct Inner {
    pub(super) breaker: Breaker,
    pub(super) budget: RetryBudget,
    pub(super) stats: stats::Window,
    in_flight: u32,
    /// Attempts of custom aliases that have a cap of their own.
    by_alias: SmallVec<[(RouteId, u32); 1]>,
    history: VecDeque<Change>,
}

/// Why a route cannot be tried now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closed {
    /// It is ejected, or its probe is under way.
    Shut(Shut),
    /// It has as many attempts under way as it may have.
    Full,
    /// It is failing, and its retry budget is spent.
    Spent,
}

/// A place among the attempts under way.
pub(super) struct Place {
    pub(super) pass: Pass,
    /// The alias whose own cap it counts towards.
    pub(super) alias: Option<RouteId>,
}

impl Tracked {
    pub(super) fn new(common: Arc<Common>, key: RouteKey, provider_name: Arc<str>) -> Self {
        Self { common, key, provider_name, inner: Mutex::default() }
    }

    /// Works on the state, then tells of what changed.
    pub(super) fn with<T>(&self, origin: Origin, work: impl FnOnce(&mut Inner) -> T) -> T {
        let (done, changes) = {
            let mut inner = self.lock();
            let done = work(&mut inner);
            (done, inner.drain())
        };
        for change in changes {
            let (key, provider_name) = (self.key.clone(), Arc::clone(&self.provider_name));
            (self.common.tell)(&Event { key, provider_name, change, origin });
        }
        done
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place for an attempt on the route `row`.
    pub(super) fn enter(
        &self,
        row: RouteId,
        caps: Caps,
        turn: Turn,
        now: Duration,
    ) -> Result<Place, Closed> {
        self.with(Origin::Here, |inner| inner.enter(row, caps, turn, now))
    }

    /// How it is, for people.
    pub(super) fn status(&self, now: Duration) -> Status {
        let tuning = self.common.tuning;
        // A cool-down that is over by now ends by being looked at, which is told first.
        self.with(Origin::Here, |inner| inner.breaker.phase(now));
        self.with(Origin::Here, |inner| inner.status(now, &tuning))
    }

    pub(super) fn standing(&self, now: Duration) -> Standing {
        self.lock().stats.standing(now)
    }

    /// Whether it is neither ejected nor probed, without looking at the clock.
    pub(super) fn is_calm(&self) -> bool {
        self.lock().breaker.is_calm()
    }

    /// Whether nothing would be lost with it.
    pub(super) fn is_forgettable(&self, now: Duration) -> bool {
        let inner = self.lock();
        inner.in_flight == 0 && inner.breaker.is_calm() && !inner.stats.lives(now)
    }
}

impl Inner {
    fn enter(
        &mut self,
        row: RouteId,
        caps: Caps,
        turn: Turn,
        now: Duration,
    ) -> Result<Place, Closed> {
        let alias = caps.alias.map(|_| row);
        if is_full(self.in_flight, caps.model) || is_full(self.of_alias(row), caps.alias) {
            return Err(Closed::Full);
        }
        let pass = self.pass(turn, now)?;
        self.in_flight += 1;
        if let Some(row) = alias {
            match self.by_alias.iter_mut().find(|(known, _)| *known == row) {
                Some((_, count)) => *count += 1,
                None => self.by_alias.push((row, 1)),
            }
        }
        Ok(Place { pass, alias })
    }

    fn pass(&mut self, turn: Turn, now: Duration) -> Result<Pass, Closed> {
        let extra = match turn {
            // Paid for when it was decided on.
            Turn::Retry => return Ok(self.breaker.force(now)),
            Turn::First => false,
            Turn::Failover => self.breaker.consecutive_failures() >= FAILING,
            Turn::LastResort { first } => !first,
        };
        let forced = matches!(turn, Turn::LastResort { .. });
        if !forced && self.breaker.state(now) != State::Healthy {
            // Probes come one at a time: they need no other bound.
            let pass = self.breaker.admit(now).map_err(Closed::Shut)?;
            self.budget.request(now);
            return Ok(pass);
        }
        if extra && !self.budget.spend(now) {
            return Err(Closed::Spent);
        }
        if !extra {
            self.budget.request(now);
        }
        Ok(self.breaker.force(now))
    }

    fn of_alias(&self, row: RouteId) -> u32 {
        let found = self.by_alias.iter().find(|(known, _)| *known == row);
        found.map_or(0, |(_, count)| *count)
    }

    /// Gives a place back.
    pub(super) fn leave(&mut self, alias: Option<RouteId>) {
        self.in_flight = self.in_flight.saturating_sub(1);
        if let Some(row) = alias
            && let Some(at) = self.by_alias.iter().position(|(known, _)| *known == row)
            && let Some((_, count)) = self.by_alias.get_mut(at)
        {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.by_alias.swap_remove(at);
            }
        }
    }

    /// What is yet to be told.
    fn drain(&mut self) -> SmallVec<[Change; 2]> {
        let changes = self.breaker.changes();
        for change in &changes {
            self.history.push_front(*change);
        }
        self.history.truncate(REMEMBERED);
        changes
    }

    fn status(&mut self, now: Duration, tuning: &Tuning) -> Status {
        let phase = self.breaker.phase(now);
        let transitions = self.history.iter().map(|change| Transition::of(change, now, tuning));
        Status {
            state: phase.state(),
            reason: self.breaker.reason(),
            consecutive_failures: self.breaker.consecutive_failures(),
            multiplier: self.breaker.multiplier(now, tuning),
            remaining: match phase {
                Phase::Ejected { since, lasts } => {
                    Some(lasts.saturating_sub(now.saturating_sub(since)))
                }
                Phase::Healthy { .. } | Phase::HalfOpen { .. } => None,
            },
            in_flight: self.in_flight,
            transitions: transitions.collect(),
        }
    }
}

fn is_full(in_flight: u32, cap: Option<u32>) -> bool {
    cap.is_some_and(|cap| in_flight >= cap)
}
