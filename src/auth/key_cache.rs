//! What is known about keys, by hash: bounded, short-lived, and exact about revocation.
//!
//! A valid key that was not asked for in a while is stale: one request at a time goes and asks, the
//! others go by what is known. So the store's slowness is never more than one request's.
//!
//! A lookup that began before a revocation must not put its old finding back afterwards. So every
//! lookup takes a ticket (the count of revocations so far) and its finding is kept only if no
//! revocation came between, which is decided under the same lock that revocations take. Hits do not
//! take it.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use hashbrown::DefaultHashBuilder;
use quick_cache::{
    UnitWeighter,
    sync::{Cache, DefaultLifecycle},
};

use super::keys::{KeyRefusal, Principal};

/// Hashes remembered at most; about 30 MB when full of distinct keys. Those that were asked for once, as
/// guessed ones are, make room before others do.
const CAPACITY: usize = 100_000;
/// How long a valid key is believed. Bounds the time until another process's revocation is seen,
/// but for the request that asks.
pub(super) const VALID_FOR: Duration = Duration::from_secs(30);
/// How long others go by a stale finding while one asks, or after it has asked in vain.
pub(super) const ASKED_FOR: Duration = Duration::from_secs(1);
/// How long a valid key is kept for the time that the store is away.
const KEPT_FOR: Duration = Duration::from_secs(24 * 60 * 60);
/// How long a refusal is believed. Bounds the time until a restored database is seen.
const REFUSED_FOR: Duration = Duration::from_secs(5);

/// What a lookup found.
pub(super) type Finding = Result<Arc<Principal>, KeyRefusal>;

/// Findings by key hash.
pub(super) struct KeyCache {
    entries: Cache<[u8; 32], Arc<Entry>, UnitWeighter, DefaultHashBuilder>,
    /// Revocations so far. The lock orders them with insertions.
    revocations: Mutex<u64>,
    /// Entries with an older ticket are void: makes forgetting everything exact and immediate.
    valid_from: AtomicU64,
}

struct Entry {
    finding: Finding,
    ticket: u64,
    learnt: Instant,
    /// Age at which someone is to ask again, milliseconds. Whoever puts it off is the one who asks.
    ask_at: AtomicU64,
}

impl Entry {
    fn new(finding: Finding, ticket: u64, learnt: Instant) -> Self {
        Self { finding, ticket, learnt, ask_at: AtomicU64::new(millis(VALID_FOR)) }
    }

    fn age(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.learnt)
    }

    const fn kept_for(&self) -> Duration {
        if self.finding.is_ok() { KEPT_FOR } else { REFUSED_FOR }
    }

    /// Whether it falls to this caller to ask again.
    fn claim(&self, now: Instant) -> bool {
        let age = millis(self.age(now));
        let due = self.ask_at.load(Ordering::Relaxed);
        let next = age.saturating_add(millis(ASKED_FOR));
        age >= due
            && self.ask_at.compare_exchange(due, next, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// Taken before a lookup, given back with its finding.
pub(super) struct Ticket(u64);

impl KeyCache {
    pub(super) fn new() -> Self {
        Self {
            entries: Cache::with(
                CAPACITY,
                CAPACITY as u64,
                UnitWeighter,
                DefaultHashBuilder::default(),
                DefaultLifecycle::default(),
            ),
            revocations: Mutex::new(0),
            valid_from: AtomicU64::new(0),
        }
    }

    /// What can be believed.
    pub(super) fn get(&self, hash: &[u8; 32], now: Instant) -> Option<Finding> {
        let entry = self.entry(hash, now).filter(|entry| entry.age(now) < VALID_FOR)?;
        Some(entry.finding.clone())
    }

    /// What to go by. None where nothing is known, or where it is for this caller to ask again.
    pub(super) fn get_or_ask(&self, hash: &[u8; 32], now: Instant) -> Option<Finding> {
        let entry = self.entry(hash, now).filter(|entry| !entry.claim(now))?;
        Some(entry.finding.clone())
    }

    /// What is known, also if it is stale: what to go by where the store does not answer.
    pub(super) fn last_known(&self, hash: &[u8; 32], now: Instant) -> Option<Finding> {
        self.entry(hash, now).map(|entry| entry.finding.clone())
    }

    fn entry(&self, hash: &[u8; 32], now: Instant) -> Option<Arc<Entry>> {
        let entry = self.entries.get(hash)?;
        let is_valid = entry.ticket >= self.valid_from.load(Ordering::Acquire);
        (is_valid && entry.age(now) < entry.kept_for()).then_some(entry)
    }

    pub(super) fn ticket(&self) -> Ticket {
        Ticket(*self.revocations.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Keeps a finding, unless something was revoked since the ticket was taken. `asked`: when.
    pub(super) fn insert(&self, ticket: &Ticket, hash: [u8; 32], finding: Finding, asked: Instant) {
        let revocations = self.revocations.lock().unwrap_or_else(PoisonError::into_inner);
        if *revocations == ticket.0 {
            self.entries.insert(hash, Arc::new(Entry::new(finding, ticket.0, asked)));
        }
    }

    /// When this returns, no later [`KeyCache::get`] sees what was known about the key.
    pub(super) fn forget(&self, hash: &[u8; 32]) {
        let mut revocations = self.revocations.lock().unwrap_or_else(PoisonError::into_inner);
        *revocations += 1;
        self.entries.remove(hash);
    }

    /// Like [`KeyCache::forget`], for every key.
    pub(super) fn forget_all(&self) {
        let mut revocations = self.revocations.lock().unwrap_or_else(PoisonError::into_inner);
        *revocations += 1;
        self.valid_from.store(*revocations, Ordering::Release);
        self.entries.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{KeyId, OrgId};

    fn someone() -> Arc<Principal> {
        Arc::new(Principal {
            org: OrgId::random(),
            key: Some(KeyId::random()),
            key_name: "ci".into(),
            user: None,
            person: None,
            groups: Arc::new([]),
            expires_at: None,
        })
    }

    #[test]
    fn a_finding_is_remembered() {
        let cache = KeyCache::new();
        assert!(cache.get(&[1; 32], Instant::now()).is_none());
        cache.insert(&cache.ticket(), [1; 32], Ok(someone()), Instant::now());
        cache.insert(&cache.ticket(), [2; 32], Err(KeyRefusal::Unknown), Instant::now());
        assert!(matches!(cache.get(&[1; 32], Instant::now()), Some(Ok(_))));
        assert!(matches!(cache.get(&[2; 32], Instant::now()), Some(Err(KeyRefusal::Unknown))));
    }

    #[test]
    fn a_revoked_key_is_forgotten_at_once_and_others_are_not() {
        let cache = KeyCache::new();
        cache.insert(&cache.ticket(), [1; 32], Ok(someone()), Instant::now());
        cache.insert(&cache.ticket(), [2; 32], Ok(someone()), Instant::now());
        cache.forget(&[1; 32]);
        assert!(cache.get(&[1; 32], Instant::now()).is_none());
        assert!(cache.get(&[2; 32], Instant::now()).is_some());
    }

    #[test]
    fn a_lookup_that_began_before_a_revocation_is_not_kept() {
        let cache = KeyCache::new();
        let ticket = cache.ticket();
        cache.forget(&[1; 32]);
        cache.insert(&ticket, [1; 32], Ok(someone()), Instant::now());
        assert!(cache.get(&[1; 32], Instant::now()).is_none());
        cache.insert(&cache.ticket(), [1; 32], Err(KeyRefusal::Unavailable), Instant::now());
        assert!(matches!(cache.get(&[1; 32], Instant::now()), Some(Err(KeyRefusal::Unavailable))));
    }

    #[test]
    fn forgetting_everything_spares_only_what_is_learnt_afterwards() {
        let cache = KeyCache::new();
        let before = cache.ticket();
        cache.insert(&before, [1; 32], Ok(someone()), Instant::now());
        cache.forget_all();
        cache.insert(&before, [2; 32], Ok(someone()), Instant::now());
        assert!(cache.get(&[1; 32], Instant::now()).is_none());
        assert!(cache.get(&[2; 32], Instant::now()).is_none());
        cache.insert(&cache.ticket(), [1; 32], Ok(someone()), Instant::now());
        assert!(cache.get(&[1; 32], Instant::now()).is_some());
    }

    #[test]
    fn a_revocation_wins_against_any_number_of_lookups_under_way() {
        let cache = KeyCache::new();
        for round in 0..200_u8 {
            let hash = [round; 32];
            std::thread::scope(|scope| {
                for _ in 0..3 {
                    let ticket = cache.ticket();
                    let cache = &cache;
                    scope.spawn(move || cache.insert(&ticket, hash, Ok(someone()), Instant::now()));
                }
                scope.spawn(|| {
                    cache.forget(&hash);
                    assert!(cache.get(&hash, Instant::now()).is_none());
                });
            });
            assert!(cache.get(&hash, Instant::now()).is_none(), "round {round}");
        }
    }

    #[test]
    fn of_those_who_find_a_key_stale_one_at_a_time_asks_again() {
        let cache = KeyCache::new();
        let learnt = Instant::now();
        cache.insert(&cache.ticket(), [1; 32], Ok(someone()), learnt);
        let asks = |at: Duration| {
            let callers = || (0..5).map(|_| cache.get_or_ask(&[1; 32], learnt + at));
            callers().filter(Option::is_none).count()
        };
        let second = Duration::from_secs(1);
        assert_eq!(asks(29 * second), 0, "it is believed");
        assert_eq!(asks(30 * second), 1);
        assert_eq!(asks(30 * second), 0, "one is under way");
        assert_eq!(asks(31 * second), 1, "that one came to nothing");
        assert_eq!(asks(3600 * second), 1);
        assert!(cache.get(&[1; 32], learnt + 30 * second).is_none());
        assert!(cache.last_known(&[1; 32], learnt + 3600 * second).is_some());
        cache.insert(&cache.ticket(), [1; 32], Ok(someone()), learnt + 3600 * second);
        assert_eq!(asks(3629 * second), 0, "it is believed again");
    }

    #[test]
    fn a_stale_key_that_was_revoked_is_not_known_to_anyone() {
        let cache = KeyCache::new();
        let learnt = Instant::now();
        cache.insert(&cache.ticket(), [1; 32], Ok(someone()), learnt);
        let later = learnt + VALID_FOR;
        let ticket = cache.ticket();
        assert!(cache.get_or_ask(&[1; 32], later).is_none());
        cache.forget(&[1; 32]);
        cache.insert(&ticket, [1; 32], Ok(someone()), later);
        assert!(cache.get_or_ask(&[1; 32], later).is_none());
        assert!(cache.last_known(&[1; 32], later).is_none());
    }

    #[test]
    fn a_refusal_lives_shorter_than_a_permission() {
        let cache = KeyCache::new();
        let learnt = Instant::now();
        cache.insert(&cache.ticket(), [1; 32], Err(KeyRefusal::Unknown), learnt);
        let knows = |at: Duration| {
            let known = cache.last_known(&[1; 32], learnt + at).is_some();
            assert!(known || cache.get(&[1; 32], learnt + at).is_none());
            assert!(known || cache.get_or_ask(&[1; 32], learnt + at).is_none());
            known
        };
        let shortly_before = |time: Duration| time.saturating_sub(Duration::from_millis(1));
        assert!(knows(shortly_before(REFUSED_FOR)) && !knows(REFUSED_FOR));
        cache.insert(&cache.ticket(), [1; 32], Ok(someone()), learnt);
        assert!(knows(shortly_before(KEPT_FOR)), "for the time that the store is away");
        assert!(!knows(KEPT_FOR));
    }
}
