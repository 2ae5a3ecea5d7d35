//! How routes have done lately: the measure behind a choice among equals.

use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use crate::domain::{AttemptOutcome, ProviderId};

/// One bucket of the window.
const BUCKET_SECS: u64 = 60;
/// Buckets of the window: five minutes.
const BUCKETS: usize = 5;
/// Locks: two requests seldom want the same one.
const SHARDS: usize = 16;
/// Routes of one shard beyond which those that nobody used lately are dropped.
const SWEEP_AT: usize = 1024;

/// A provider's model.
type Key = (ProviderId, Arc<str>);

/// What became of attempts in the last minutes, of this process.
pub struct RouteStats {
    began: Instant,
    hasher: RandomState,
    shards: [Mutex<HashMap<Key, Window>>; SHARDS],
}

impl Default for RouteStats {
    fn default() -> Self {
        let shards = std::array::from_fn(|_| Mutex::default());
        Self { began: Instant::now(), hasher: RandomState::new(), shards }
    }
}

/// How one route has done.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Standing {
    /// Share of attempts that the vendor answered, 0 to 1; none where there were none.
    pub uptime: Option<f64>,
    /// Mean time to the answer's first byte, milliseconds; none where there was none.
    pub latency_ms: Option<f64>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Bucket {
    /// Its number since the start.
    minute: u64,
    answered: u32,
    failed: u32,
    waited: Duration,
    timed: u32,
}

#[derive(Clone, Copy, Debug, Default)]
struct Window {
    buckets: [Bucket; BUCKETS],
}

impl RouteStats {
    /// Notes the end of an attempt. What is the caller's doing says nothing of the vendor.
    pub fn note(
        &self,
        provider: ProviderId,
        model: &Arc<str>,
        outcome: AttemptOutcome,
        latency: Option<Duration>,
        now: Instant,
    ) {
        let answered = match outcome {
            AttemptOutcome::Ok => true,
            AttemptOutcome::ClientError | AttemptOutcome::ClientGone => return,
            AttemptOutcome::RateLimited
            | AttemptOutcome::AuthFailed
            | AttemptOutcome::UpstreamError
            | AttemptOutcome::NetworkError
            | AttemptOutcome::TlsError
            | AttemptOutcome::Timeout => false,
        };
        let minute = self.minute(now);
        let key = (provider, Arc::clone(model));
        let mut routes = self.shard(&key).lock().unwrap_or_else(PoisonError::into_inner);
        if routes.len() >= SWEEP_AT && !routes.contains_key(&key) {
            routes.retain(|_, window| window.lives(minute));
        }
        let bucket = routes.entry(key).or_default().bucket(minute);
        if answered {
            bucket.answered = bucket.answered.saturating_add(1);
        } else {
            bucket.failed = bucket.failed.saturating_add(1);
        }
        if let Some(latency) = latency {
            bucket.waited += latency;
            bucket.timed = bucket.timed.saturating_add(1);
        }
    }

    /// How a route has done in the window that ends now.
    #[must_use]
    pub fn standing(&self, provider: ProviderId, model: &Arc<str>, now: Instant) -> Standing {
        let minute = self.minute(now);
        let key = (provider, Arc::clone(model));
        let routes = self.shard(&key).lock().unwrap_or_else(PoisonError::into_inner);
        routes.get(&key).map_or_else(Standing::default, |window| window.standing(minute))
    }

    fn minute(&self, now: Instant) -> u64 {
        // The first one is 1: an untouched bucket is of none.
        now.saturating_duration_since(self.began).as_secs() / BUCKET_SECS + 1
    }

    #[expect(clippy::cast_possible_truncation, clippy::indexing_slicing, reason = "below SHARDS")]
    fn shard(&self, key: &Key) -> &Mutex<HashMap<Key, Window>> {
        &self.shards[(self.hasher.hash_one(key) % SHARDS as u64) as usize]
    }
}

impl Window {
    #[expect(clippy::cast_possible_truncation, clippy::indexing_slicing, reason = "below BUCKETS")]
    fn bucket(&mut self, minute: u64) -> &mut Bucket {
        let bucket = &mut self.buckets[(minute % BUCKETS as u64) as usize];
        if bucket.minute != minute {
            *bucket = Bucket { minute, ..Bucket::default() };
        }
        bucket
    }

    fn recent(&self, minute: u64) -> impl Iterator<Item = &Bucket> {
        let known =
            move |bucket: &&Bucket| bucket.minute > 0 && bucket.minute + (BUCKETS as u64) > minute;
        self.buckets.iter().filter(known)
    }

    fn lives(&self, minute: u64) -> bool {
        self.recent(minute).next().is_some()
    }

    fn standing(&self, minute: u64) -> Standing {
        let (mut answered, mut failed, mut timed) = (0_u32, 0_u32, 0_u32);
        let mut waited = Duration::ZERO;
        for bucket in self.recent(minute) {
            answered = answered.saturating_add(bucket.answered);
            failed = failed.saturating_add(bucket.failed);
            timed = timed.saturating_add(bucket.timed);
            waited += bucket.waited;
        }
        let all = answered.saturating_add(failed);
        Standing {
            uptime: (all > 0).then(|| f64::from(answered) / f64::from(all)),
            latency_ms: (timed > 0).then(|| waited.as_secs_f64() * 1000.0 / f64::from(timed)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_route_is_known_by_its_last_five_minutes() {
        let stats = RouteStats::default();
        let (provider, model) = (ProviderId::random(), Arc::<str>::from("m"));
        let at = |secs| stats.began + Duration::from_secs(secs);
        let standing = |secs| stats.standing(provider, &model, at(secs));
        assert_eq!(standing(0), Standing::default());
        let note = |outcome, latency: Option<u64>, secs| {
            stats.note(provider, &model, outcome, latency.map(Duration::from_millis), at(secs));
        };
        note(AttemptOutcome::Ok, Some(100), 0);
        note(AttemptOutcome::Ok, Some(300), 30);
        note(AttemptOutcome::Timeout, None, 61);
        note(AttemptOutcome::UpstreamError, None, 62);
        note(AttemptOutcome::ClientError, Some(9), 62);
        assert_eq!(standing(62), Standing { uptime: Some(0.5), latency_ms: Some(200.0) });
        assert_eq!(standing(310).uptime, Some(0.0), "the first minute is over");
        assert_eq!(standing(400), Standing::default());
        note(AttemptOutcome::Ok, None, 401);
        assert_eq!(standing(401).uptime, Some(1.0));
    }
}
