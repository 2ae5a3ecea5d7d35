//! The health of every route that this process uses.

use std::{
    hash::BuildHasher,
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use hashbrown::{DefaultHashBuilder, HashMap};

use super::{
    Change, Ejection, Lease, Status, Tuning,
    tracked::{Closed, Common, Tracked},
};
use crate::{
    domain::{OrgId, ProviderId},
    route::Standing,
    snapshot::Route,
};

/// Locks: two requests seldom want the same one.
const SHARDS: usize = 16;
/// Routes of one shard beyond which those that nobody used lately are dropped.
const SWEEP_AT: usize = 1024;

/// What health is kept of: a provider's model.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RouteKey {
    /// Whose.
    pub org: OrgId,
    /// Which provider.
    pub provider: ProviderId,
    /// Which of its models.
    pub model: Arc<str>,
}

/// Who brought a change about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// This process.
    Here,
    /// Another replica.
    Elsewhere,
}

/// A change of a route's state.
#[derive(Clone, Debug)]
pub struct Event {
    /// Which route.
    pub key: RouteKey,
    /// Its provider's name.
    pub provider_name: Arc<str>,
    /// What changed.
    pub change: Change,
    /// Who brought it about.
    pub origin: Origin,
}

/// How a request comes to try a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// It is the request's first.
    First,
    /// Another one failed. Free, unless this one is failing, too.
    Failover,
    /// Again, after a 429 ([`Lease::may_retry`] has paid for it).
    Retry,
    /// There is no other one: an ejection does not count.
    LastResort {
        /// Whether nothing has been tried; else it is paid for.
        first: bool,
    },
}

/// The health of every route that this process uses, found by provider and model: organizations share no
/// provider.
pub struct RouteHealth {
    common: Arc<Common>,
    hasher: DefaultHashBuilder,
    shards: [Mutex<Shard>; SHARDS],
}

type Shard = HashMap<(ProviderId, Arc<str>), Arc<Tracked>>;

impl RouteHealth {
    /// `tell` hears of every change, on the thread that brought it about: it must not wait.
    #[must_use]
    pub fn new(tuning: Tuning, tell: impl Fn(&Event) + Send + Sync + 'static) -> Self {
        let common = Common { tuning, began: Instant::now(), tell: Box::new(tell) };
        Self {
            common: Arc::new(common),
            hasher: DefaultHashBuilder::default(),
            shards: std::array::from_fn(|_| Mutex::default()),
        }
    }

    /// Begins an attempt.
    ///
    /// # Errors
    /// Why the route cannot be tried now.
    pub fn enter(
        &self,
        org: OrgId,
        route: &Route,
        turn: Turn,
        now: Instant,
    ) -> Result<Lease, Closed> {
        let key =
            RouteKey { org, provider: route.provider.id, model: Arc::clone(&route.upstream_model) };
        let tracked = self.tracked(key, &route.provider.name, now);
        let place = tracked.enter(route.id, route.caps, turn, self.common.clock(now))?;
        Ok(Lease::new(tracked, place))
    }

    /// How a route has done in the last minutes.
    #[must_use]
    pub fn standing(&self, provider: ProviderId, model: &Arc<str>, now: Instant) -> Standing {
        let clock = self.common.clock(now);
        let found = self.find(provider, model);
        found.map_or_else(Standing::default, |tracked| tracked.standing(clock))
    }

    /// How a route is now.
    #[must_use]
    pub fn status(&self, provider: ProviderId, model: &Arc<str>, now: Instant) -> Status {
        let clock = self.common.clock(now);
        let found = self.find(provider, model);
        found.map_or_else(Status::default, |tracked| tracked.status(clock))
    }

    /// Shows `see` every route of which something is kept, and whether it is used as usual.
    pub fn each(&self, mut see: impl FnMut(&RouteKey, bool)) {
        for shard in &self.shards {
            let shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            let all: Vec<Arc<Tracked>> = shard.values().cloned().collect();
            drop(shard);
            for tracked in all {
                see(&tracked.key, tracked.is_calm());
            }
        }
    }

    /// Makes a route healthy, with nothing remembered. Whether it was ejected or probed.
    pub fn reset(
        &self,
        provider: ProviderId,
        model: &Arc<str>,
        origin: Origin,
        now: Instant,
    ) -> bool {
        let clock = self.common.clock(now);
        self.find(provider, model)
            .is_some_and(|tracked| tracked.with(origin, |inner| inner.breaker.reset(clock)))
    }

    /// Takes over what another replica found out. Whether that changed anything.
    pub fn adopt(
        &self,
        key: RouteKey,
        provider_name: &Arc<str>,
        ejection: Ejection,
        now: Instant,
    ) -> bool {
        let clock = self.common.clock(now);
        let tracked = self.tracked(key, provider_name, now);
        tracked.with(Origin::Elsewhere, |inner| {
            inner.breaker.adopt(ejection, clock, &self.common.tuning)
        })
    }

    fn find(&self, provider: ProviderId, model: &Arc<str>) -> Option<Arc<Tracked>> {
        let key = (provider, Arc::clone(model));
        let shard = self.shard(&key).lock().unwrap_or_else(PoisonError::into_inner);
        shard.get(&key).cloned()
    }

    fn tracked(&self, key: RouteKey, provider_name: &Arc<str>, now: Instant) -> Arc<Tracked> {
        let own = (key.provider, Arc::clone(&key.model));
        let mut shard = self.shard(&own).lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = shard.get(&own) {
            return Arc::clone(found);
        }
        if shard.len() >= SWEEP_AT {
            let clock = self.common.clock(now);
            shard.retain(|_, tracked| !tracked.is_forgettable(clock));
        }
        let made = Tracked::new(Arc::clone(&self.common), key, Arc::clone(provider_name));
        let made = Arc::new(made);
        shard.insert(own, Arc::clone(&made));
        made
    }

    #[expect(clippy::cast_possible_truncation, clippy::indexing_slicing, reason = "below SHARDS")]
    fn shard(&self, key: &(ProviderId, Arc<str>)) -> &Mutex<Shard> {
        &self.shards[(self.hasher.hash_one(key) % SHARDS as u64) as usize]
    }
}
