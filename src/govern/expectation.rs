//! What requests of a kind lately used: what one in flight is taken to use.

use std::{
    collections::HashMap,
    hash::{BuildHasher as _, RandomState},
    sync::{Mutex, PoisonError},
};

use super::{Amount, Check, Rule};
use crate::domain::{Endpoint, Money, OrgId};

/// Most kinds that are remembered; with more, those that were not met lately are forgotten.
const MOST: usize = 65_536;

/// How fast it follows: the last so many requests make up most of it. Until so many were met, it is
/// the mean of all of them: the first would else weigh for long.
const MEMORY: f64 = 16.0;

/// What is expected of a kind that was never met: the size of a short exchange.
const UNKNOWN: Amount = Amount { tokens: 1_000, cost: Money(1_000_000) };

/// The part of a budget that such a guess reserves at most, one so manieth: a budget that is small beside it
/// would else refuse the second of two requests though it has everything left.
const PART: u64 = 100;

/// What requests are told apart by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Kind<'a> {
    /// Whose they are.
    pub org: OrgId,
    /// Where they go.
    pub alias: &'a str,
    /// What they ask for there.
    pub endpoint: Option<Endpoint>,
}

/// What requests lately used, by kind. Kinds are kept as their hashes.
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
    /// What a request of a kind is taken to use, that is held to these checks.
    #[must_use]
    pub fn of<'c>(&self, kind: Kind<'_>, checks: impl Iterator<Item = &'c Check>) -> Amount {
        let kind = self.hasher.hash_one(kind);
        let kinds = self.kinds.lock().unwrap_or_else(PoisonError::into_inner);
        let mean = kinds.young.get(&kind).or_else(|| kinds.old.get(&kind)).copied();
        drop(kinds);
        mean.map_or_else(|| guess(checks), |mean| mean.amount())
    }

    /// Whether a kind was met.
    #[must_use]
    pub fn knows(&self, kind: Kind<'_>) -> bool {
        let kind = self.hasher.hash_one(kind);
        let kinds = self.kinds.lock().unwrap_or_else(PoisonError::into_inner);
        kinds.young.contains_key(&kind) || kinds.old.contains_key(&kind)
    }

    /// Learns what one has used.
    pub fn learn(&self, kind: Kind<'_>, used: Amount) {
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

/// What is taken of a kind that was never met: of each budget a small part at most, and never nothing.
fn guess<'c>(checks: impl Iterator<Item = &'c Check>) -> Amount {
    checks.fold(UNKNOWN, |guess, check| {
        let Rule::Budget { tokens, cost, .. } = check.rule else { return guess };
        let tokens = tokens.map_or(guess.tokens, |limit| guess.tokens.min(limit / PART));
        let part = i64::try_from(PART).unwrap_or(1);
        let cost = cost.map_or(guess.cost.0, |limit| guess.cost.0.min(limit.0 / part));
        Amount { tokens: tokens.max(1), cost: Money(cost.max(1)) }
    })
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
    use crate::govern::tests::scene::{budget, budget_of, tokens};

    fn used(tokens: u64) -> Amount {
        Amount { tokens, cost: Money(0) }
    }

    const KIND: Kind<'_> =
        Kind { org: OrgId(uuid::Uuid::nil()), alias: "fast", endpoint: Some(Endpoint::Messages) };

    fn of(all: &Expectations) -> Amount {
        all.of(KIND, [].iter())
    }

    #[test]
    fn a_kind_that_was_never_met_is_taken_for_a_short_exchange() {
        assert_eq!(of(&Expectations::default()), UNKNOWN);
    }

    #[test]
    fn a_guess_takes_a_small_part_of_a_small_budget_and_what_is_known_takes_all_it_takes() {
        let all = Expectations::default();
        let (small, smaller) = (budget_of(1, Some(5_000), Some(2_000), false), budget(2, 30));
        let of = |checks: &[Check]| all.of(KIND, checks.iter());
        assert_eq!(of(std::slice::from_ref(&small)), Amount { tokens: 50, cost: Money(20) });
        assert_eq!(of(&[small.clone(), smaller]), Amount { tokens: 1, cost: Money(20) });
        assert_eq!(of(&[tokens(3, 10), budget(4, 10_000_000)]), UNKNOWN);
        all.learn(KIND, used(400));
        assert_eq!(of(&[small]).tokens, 400);
    }

    #[test]
    fn kinds_are_those_of_an_alias_and_an_endpoint() {
        let all = Expectations::default();
        all.learn(KIND, used(7));
        for other in [
            Kind { alias: "slow", ..KIND },
            Kind { endpoint: Some(Endpoint::Embeddings), ..KIND },
            Kind { org: OrgId(uuid::Uuid::max()), ..KIND },
        ] {
            assert_eq!(all.of(other, [].iter()), UNKNOWN);
        }
    }

    #[test]
    fn the_first_of_a_kind_weighs_no_more_than_the_next() {
        let all = Expectations::default();
        for tokens in [10, 100, 100, 100, 100] {
            all.learn(KIND, used(tokens));
        }
        assert_eq!(of(&all).tokens, 82);
    }

    #[test]
    fn what_requests_use_lately_outweighs_what_they_used_long_ago() {
        let all = Expectations::default();
        (0..1_000).for_each(|_| all.learn(KIND, used(10)));
        (0..100).for_each(|_| all.learn(KIND, used(1_000)));
        assert!(of(&all).tokens > 990);
    }
}
