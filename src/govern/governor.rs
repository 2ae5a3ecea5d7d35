//! The governor: the one place that says whether a request may be served.

use std::{
    hash::{BuildHasher as _, RandomState},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use super::{
    Amount, Ask, Block, BlockedRoute, Crossing, Denied, Grant, History, Lease, Listener, Policy,
    RouteAsk, Standing, Verdict,
    book::{Book, Clock},
    decide::{Decision, standing_of},
    lease::Hold,
};
use crate::domain::{LedgerId, OrgId, Position};

/// How many locks there are; an organization's counters are under one.
const SHARDS: usize = 64;

/// What is done about requests while Redis is away.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnFailure {
    /// Each replica enforces its share, by what it counted itself.
    #[default]
    Local,
    /// They are refused.
    Deny,
    /// They are admitted and counted.
    Allow,
}

/// What a governor is made of.
pub struct Settings {
    /// This process's ledger.
    pub ledger: LedgerId,
    /// What the database knows.
    pub history: Arc<dyn History>,
    /// Who is told of budgets that pass a threshold. Called on the request path: to hand over, not
    /// to work.
    pub listener: Listener,
    /// What replicas share; none for one process alone.
    pub link: Option<Arc<super::redis::Link>>,
    /// What is done while Redis is away.
    pub on_failure: OnFailure,
}

/// Says whether requests may be served, and counts what they use. One per process.
pub struct Governor {
    settings: Settings,
    shards: Vec<Mutex<Book>>,
    hasher: RandomState,
    begun: Instant,
}

/// What became of a request that moves on to another route.
#[derive(Debug)]
#[must_use]
pub enum Moved {
    /// It may be sent there.
    Granted {
        /// As [`Grant::output_cap`].
        output_cap: Option<u64>,
        /// The route's own limits.
        standing: Standing,
    },
    /// The route may not be used now. What was reserved for the former one is free again.
    Blocked(Block),
    /// Redis is away and `redis.on_failure` is `deny`.
    Unavailable,
}

impl Governor {
    /// A governor; [`Governor::run`] is to be spawned.
    #[must_use]
    pub fn new(settings: Settings) -> Arc<Self> {
        let shards = (0..SHARDS).map(|_| Mutex::default()).collect();
        Arc::new(Self { settings, shards, hasher: RandomState::new(), begun: Instant::now() })
    }

    /// Says whether a request may be served, and if so counts it. Without Redis it never waits; with
    /// Redis at most 50 ms, once, when that goes away.
    #[expect(clippy::unused_async, reason = "Redis is asked over the network")]
    pub async fn admit(self: &Arc<Self>, ask: &Ask<'_>) -> Verdict {
        let now = self.now();
        let (readings, decision) = self.book(ask.org).admit(ask, None, now);
        let standing = standing_of(ask, &readings, &decision);
        match decision {
            Decision::Deny { by, route } => Verdict::Denied(Denied { by, route, standing }),
            Decision::Grant(chosen) => {
                let route = chosen.route.and_then(|route| ask.routes.get(route));
                let hold = Hold {
                    org: ask.org,
                    at: ask.at,
                    caller: Arc::clone(ask.caller),
                    route: route.map(|route| Arc::clone(route.checks)),
                    expected: ask.expected,
                    strict: chosen.strict.unwrap_or(ask.expected),
                    shared: false,
                };
                Verdict::Granted(Grant {
                    route: chosen.route,
                    blocked: chosen.blocked,
                    lease: ask.counts.then(|| Lease::new(Arc::clone(self), hold)),
                    standing,
                    output_cap: chosen.output_cap,
                })
            }
        }
    }

    /// Tells which policies there are, whenever they change: so that their counters begin with what
    /// was used before, and their thresholds are known.
    pub fn policies(&self, _org: OrgId, _policies: Vec<Policy>) {}

    /// Until every budget that was told of has begun; `false` if some have not after `within`.
    #[expect(clippy::unused_async, reason = "counters begin in the background")]
    pub async fn begun(&self, _within: std::time::Duration) -> bool {
        true
    }

    /// Keeps the counters: begins them, tidies them up, talks with Redis. Ends when `stop` is true,
    /// with everything told to Redis that it takes.
    pub async fn run(self: Arc<Self>, mut stop: tokio::sync::watch::Receiver<bool>) {
        let _ = stop.wait_for(|stop| *stop).await;
    }

    /// Whether limits are enforced by this process alone though Redis is configured.
    #[must_use]
    pub fn is_degraded(&self) -> bool {
        false
    }

    #[expect(clippy::unused_async, reason = "Redis is asked over the network")]
    pub(super) async fn move_hold(&self, hold: &mut Hold, route: RouteAsk<'_>) -> Moved {
        let now = self.now();
        let mut book = self.book(hold.org);
        book.leave_route(hold);
        hold.route = None;
        let routes = [route];
        let ask = Ask {
            org: hold.org,
            at: hold.at,
            caller: &hold.caller,
            routes: &routes,
            expected: hold.expected,
            counts: true,
        };
        let (readings, decision) = book.admit(&ask, Some(hold.strict), now);
        drop(book);
        let standing = standing_of(&ask, &readings, &decision);
        match decision {
            Decision::Deny { by, .. } => Moved::Blocked(by),
            Decision::Grant(chosen) => {
                hold.strict = chosen.strict.unwrap_or(hold.strict);
                hold.route = Some(Arc::clone(route.checks));
                Moved::Granted { output_cap: chosen.output_cap, standing }
            }
        }
    }

    pub(super) fn settle(&self, hold: &Hold, used: Amount, position: Option<Position>) {
        let now = self.now();
        self.book(hold.org).settle(hold, used, position, now, |_, _, _| {});
    }

    fn now(&self) -> Clock {
        // The beginning lies behind the windows, so that what was used before has its place.
        let elapsed = u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        Clock(elapsed.saturating_add(100_000))
    }

    fn book(&self, org: OrgId) -> MutexGuard<'_, Book> {
        let shard = usize::try_from(self.hasher.hash_one(org) % SHARDS as u64).unwrap_or(0);
        #[expect(clippy::indexing_slicing, reason = "there are SHARDS shards")]
        self.shards[shard].lock().unwrap_or_else(PoisonError::into_inner)
    }
}
