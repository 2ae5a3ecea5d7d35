//! What is known about keys, by hash: bounded, short-lived, and exact about revocation.
//!
//! A lookup that began before a revocation must not put its old finding back afterwards. So every
//! lookup takes a ticket (the count of revocations so far) and its finding is kept only if no
//! revocation came between, which is decided under the same lock that revocations take. Hits take no
//! lock.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use moka::{Expiry, sync::Cache};

use super::keys::{KeyRefusal, Principal};

/// Hashes remembered at most; about 30 MB when full of distinct keys.
const CAPACITY: u64 = 100_000;
/// How long a valid key is believed. Bounds the time until another process's revocation is seen.
const VALID_FOR: Duration = Duration::from_secs(30);
/// How long a valid key is kept for the time that the store is away.
const KEPT_FOR: Duration = Duration::from_secs(24 * 60 * 60);
/// How long a refusal is believed. Bounds the time until a restored database is seen.
const REFUSED_FOR: Duration = Duration::from_secs(5);

/// What a lookup found.
pub(super) type Finding = Result<Arc<Principal>, KeyRefusal>;

/// Findings by key hash.
pub(super) struct KeyCache {
    entries: Cache<[u8; 32], Entry>,
    /// Revocations so far. The lock orders them with insertions.
    revocations: Mutex<u64>,
    /// Entries with an older ticket are void: makes forgetting everything exact and immediate.
    valid_from: AtomicU64,
}

#[derive(Clone)]
struct Entry {
    finding: Finding,
    ticket: u64,
    learnt: Instant,
}

/// Taken before a lookup, given back with its finding.
pub(super) struct Ticket(u64);

impl KeyCache {
    pub(super) fn new() -> Self {
        Self {
            entries: Cache::builder().max_capacity(CAPACITY).expire_after(Lifetimes).build(),
            revocations: Mutex::new(0),
            valid_from: AtomicU64::new(0),
        }
    }

    pub(super) fn get(&self, hash: &[u8; 32]) -> Option<Finding> {
        self.entry(hash)
            .filter(|entry| entry.learnt.elapsed() < VALID_FOR)
            .map(|entry| entry.finding)
    }

    /// A valid key that should be asked for again: what to go by where the store cannot be asked.
    pub(super) fn last_known(&self, hash: &[u8; 32]) -> Option<Finding> {
        self.entry(hash).map(|entry| entry.finding)
    }

    fn entry(&self, hash: &[u8; 32]) -> Option<Entry> {
        let entry = self.entries.get(hash)?;
        (entry.ticket >= self.valid_from.load(Ordering::Acquire)).then_some(entry)
    }

    pub(super) fn ticket(&self) -> Ticket {
        Ticket(*self.revocations.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Keeps a finding, unless something was revoked since the ticket was taken.
    pub(super) fn insert(&self, ticket: &Ticket, hash: [u8; 32], finding: Finding) {
        let revocations = self.revocations.lock().unwrap_or_else(PoisonError::into_inner);
        if *revocations == ticket.0 {
            self.entries.insert(hash, Entry { finding, ticket: ticket.0, learnt: Instant::now() });
        }
    }

    /// When this returns, no later [`KeyCache::get`] sees what was known about the key.
    pub(super) fn forget(&self, hash: &[u8; 32]) {
        let mut revocations = self.revocations.lock().unwrap_or_else(PoisonError::into_inner);
        *revocations += 1;
        self.entries.invalidate(hash);
    }

    /// Like [`KeyCache::forget`], for every key.
    pub(super) fn forget_all(&self) {
        let mut revocations = self.revocations.lock().unwrap_or_else(PoisonError::into_inner);
        *revocations += 1;
        self.valid_from.store(*revocations, Ordering::Release);
        self.entries.invalidate_all();
    }
}

struct Lifetimes;

impl Lifetimes {
    const fn of(entry: &Entry) -> Duration {
        if entry.finding.is_ok() { KEPT_FOR } else { REFUSED_FOR }
    }
}

impl Expiry<[u8; 32], Entry> for Lifetimes {
    fn expire_after_create(&self, _: &[u8; 32], entry: &Entry, _: Instant) -> Option<Duration> {
        Some(Self::of(entry))
    }

    // The default would keep what was left of the replaced entry's life.
    fn expire_after_update(
        &self,
        _: &[u8; 32],
        entry: &Entry,
        _: Instant,
        _: Option<Duration>,
    ) -> Option<Duration> {
        Some(Self::of(entry))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{KeyId, OrgId};

    fn someone() -> Arc<Principal> {
        Arc::new(Principal {
            org: OrgId::random(),
            key: KeyId::random(),
            user: None,
            groups: Arc::new([]),
            expires_at: None,
        })
    }

    #[test]
    fn a_finding_is_remembered() {
        let cache = KeyCache::new();
        assert!(cache.get(&[1; 32]).is_none());
        cache.insert(&cache.ticket(), [1; 32], Ok(someone()));
        cache.insert(&cache.ticket(), [2; 32], Err(KeyRefusal::Unknown));
        assert!(matches!(cache.get(&[1; 32]), Some(Ok(_))));
        assert!(matches!(cache.get(&[2; 32]), Some(Err(KeyRefusal::Unknown))));
    }

    #[test]
    fn a_revoked_key_is_forgotten_at_once_and_others_are_not() {
        let cache = KeyCache::new();
        cache.insert(&cache.ticket(), [1; 32], Ok(someone()));
        cache.insert(&cache.ticket(), [2; 32], Ok(someone()));
        cache.forget(&[1; 32]);
        assert!(cache.get(&[1; 32]).is_none());
        assert!(cache.get(&[2; 32]).is_some());
    }

    #[test]
    fn a_lookup_that_began_before_a_revocation_is_not_kept() {
        let cache = KeyCache::new();
        let ticket = cache.ticket();
        cache.forget(&[1; 32]);
        cache.insert(&ticket, [1; 32], Ok(someone()));
        assert!(cache.get(&[1; 32]).is_none());
        cache.insert(&cache.ticket(), [1; 32], Err(KeyRefusal::Revoked));
        assert!(matches!(cache.get(&[1; 32]), Some(Err(KeyRefusal::Revoked))));
    }

    #[test]
    fn forgetting_everything_spares_only_what_is_learnt_afterwards() {
        let cache = KeyCache::new();
        let before = cache.ticket();
        cache.insert(&before, [1; 32], Ok(someone()));
        cache.forget_all();
        cache.insert(&before, [2; 32], Ok(someone()));
        assert!(cache.get(&[1; 32]).is_none());
        assert!(cache.get(&[2; 32]).is_none());
        cache.insert(&cache.ticket(), [1; 32], Ok(someone()));
        assert!(cache.get(&[1; 32]).is_some());
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
                    scope.spawn(move || cache.insert(&ticket, hash, Ok(someone())));
                }
                scope.spawn(|| {
                    cache.forget(&hash);
                    assert!(cache.get(&hash).is_none());
                });
            });
            assert!(cache.get(&hash).is_none(), "round {round}");
        }
    }

    #[test]
    fn a_refusal_lives_shorter_than_a_permission() {
        let entry = |finding| Entry { finding, ticket: 0 };
        let now = Instant::now();
        let life = |entry: &Entry| Lifetimes.expire_after_create(&[0; 32], entry, now).unwrap();
        assert!(life(&entry(Err(KeyRefusal::Unknown))) <= Duration::from_secs(5));
        assert!(life(&entry(Ok(someone()))) <= Duration::from_secs(30));
        let replaced = Lifetimes.expire_after_update(
            &[0; 32],
            &entry(Ok(someone())),
            now,
            Some(Duration::ZERO),
        );
        assert_eq!(replaced, Some(VALID_FOR));
    }
}
