//! What requests of a kind lately used: what one in flight is taken to use.

use std::{
    collections::HashMap,
    hash::{BuildHasher as _, Hash, RandomState},
    sync::{Mutex, PoisonError},
};

use super::Amount;
use crate::domain::Money;

/// Most kinds that are remembered; with more, those that were not met lately are forgotten.
const MOST: usize = 65_536;

/// How fast it follows: the last so many requests make up most of it. Until so many were met, it is
/// the mean of all of them: the first would else weigh for long.
const MEMORY: f64 = 16.0;

/// What is expected of a kind that was never met: the size of a short exchange.
const UNKNOWN: Amount = Amount { tokens: 1_000, cost: Money(1_000_000) };

/// What requests lately used, by kind: say, alias and endpoint. Kinds are kept as their hashes.
pub struct Expectations {
    kinds: Mutex<Kinds>,
    hasher: RandomState,
}

/// Two generations: what is met is moved to the younger one, and the elder one is forgotten when
/// that is full.
#[derive(Default)]
struct Kinds {
    young: HashMap<u64, Mean>,
    old: HashMap<u64, Mean>,
}

#[derive(Clone, Copy)]
struct Mean {
    tokens: f64,
    cost: f64,
    /// How many it is made of, as far as that matters.
    of: f64,
}

impl Default for Expectations {
    fn default() -> Self {
        Self { kinds: Mutex::default(), hasher: RandomState::new() }
    }
}

impl Expectations {
    /// What a request of a kind is taken to use.
    #[must_use]
    pub fn of(&self, kind: impl Hash) -> Amount {
        let kind = self.hasher.hash_one(kind);
        let kinds = self.kinds.lock().unwrap_or_else(PoisonError::into_inner);
        let mean = kinds.young.get(&kind).or_else(|| kinds.old.get(&kind));
        mean.map_or(UNKNOWN, Mean::amount)
    }

    /// Learns what one has used.
    pub fn learn(&self, kind: impl Hash, used: Amount) {
        let kind = self.hasher.hash_one(kind);
        let mut kinds = self.kinds.lock().unwrap_or_else(PoisonError::into_inner);
        let before = kinds.young.get(&kind).or_else(|| kinds.old.get(&kind)).copied();
        let mean = before.map_or_else(|| Mean::from(used), |mean| mean.toward(used));
        if kinds.young.len() >= MOST / 2 && !kinds.young.contains_key(&kind) {
            kinds.old = std::mem::take(&mut kinds.young);
        }
        kinds.young.insert(kind, mean);
    }
}

impl Mean {
    #[expect(clippy::cast_precision_loss, reason = "it is an estimate")]
    fn from(used: Amount) -> Self {
        Self { tokens: used.tokens as f64, cost: used.cost.0 as f64, of: 1.0 }
    }

    fn toward(self, used: Amount) -> Self {
        let used = Self::from(used);
        let of = (self.of + used.of).min(MEMORY);
        let step = |from: f64, to: f64| from + (to - from) / of;
        Self { tokens: step(self.tokens, used.tokens), cost: step(self.cost, used.cost), of }
    }

    /// Rounded up: what is expected of something is never nothing.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it saturates")]
    fn amount(&self) -> Amount {
        Amount { tokens: self.tokens.ceil() as u64, cost: Money(self.cost.ceil() as i64) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn used(tokens: u64) -> Amount {
        Amount { tokens, cost: Money(0) }
    }

    #[test]
    fn a_kind_that_was_never_met_is_taken_for_a_short_exchange() {
        assert_eq!(Expectations::default().of("new"), UNKNOWN);
    }

    #[test]
    fn the_first_of_a_kind_weighs_no_more_than_the_next() {
        let all = Expectations::default();
        for tokens in [10, 100, 100, 100, 100] {
            all.learn("kind", used(tokens));
        }
        assert_eq!(all.of("kind").tokens, 82);
    }

    #[test]
    fn what_requests_use_lately_outweighs_what_they_used_long_ago() {
        let all = Expectations::default();
        (0..1_000).for_each(|_| all.learn("kind", used(10)));
        (0..100).for_each(|_| all.learn("kind", used(1_000)));
        assert!(all.of("kind").tokens > 990);
    }
}
