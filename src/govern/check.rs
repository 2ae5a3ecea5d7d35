//! What a request is checked against: one policy's rule, and whose counter it is held to.

use std::{
    hash::{BuildHasher as _, Hash, Hasher},
    sync::{Arc, LazyLock},
};

use hashbrown::DefaultHashBuilder;
use uuid::Uuid;

use crate::domain::{Money, OrgId, Period};

/// A policy, and one of those whom it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counter {
    /// Hash of the other fields: a counter is looked up many times, and made once for a caller.
    hash: u64,
    /// Whose policy.
    pub org: OrgId,
    /// Which policy.
    pub policy: Uuid,
    /// Which user, key, group, …; empty where the policy has but one counter.
    pub entity: Arc<str>,
}

/// Seeded anew in every process.
static HASHER: LazyLock<DefaultHashBuilder> = LazyLock::new(DefaultHashBuilder::default);

impl Counter {
    /// The counter of `entity`.
    #[must_use]
    pub fn new(org: OrgId, policy: Uuid, entity: Arc<str>) -> Self {
        Self { hash: HASHER.hash_one((org, policy, &entity)), org, policy, entity }
    }

    /// Its hash, the same as long as this process lives.
    pub(super) const fn hash(&self) -> u64 {
        self.hash
    }
}

impl Hash for Counter {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash);
    }
}

/// What a counter is held to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rule {
    /// Over a rolling window of 60 seconds.
    Rate {
        /// Most requests in any 60 seconds.
        requests: Option<u32>,
        /// Tokens in the last 60 seconds from which on nothing more is admitted.
        tokens: Option<u32>,
    },
    /// Over a period of the calendar.
    Budget {
        /// The period, in UTC.
        period: Period,
        /// Most tokens; none for no limit.
        tokens: Option<u64>,
        /// Most money; none for no limit.
        cost: Option<Money>,
        /// Whether an exhausted one refuses; else it only counts.
        blocks: bool,
        /// Whether requests that are served though it is exhausted are marked.
        marks: bool,
        /// Whether it may not be exceeded at all: requests reserve the most that they may use.
        strict: bool,
    },
}

/// One thing that a request has to pass, and that it counts for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// Where it is counted.
    pub counter: Counter,
    /// What that is held to.
    pub rule: Rule,
}
