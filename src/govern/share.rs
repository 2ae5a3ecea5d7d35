//! The part of every limit that is one replica's own while Redis is away.

use std::sync::atomic::{AtomicU64, Ordering};

/// One of so many parts, that together make no more than the whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Share {
    /// How many there are; at least one.
    replicas: u32,
    /// How many of these come first: what cannot be divided goes to the first ones.
    rank: u32,
}

impl Share {
    /// Everything.
    pub const WHOLE: Self = Self { replicas: 1, rank: 0 };

    /// That of the replica before which `rank` others come.
    pub fn of(replicas: u32, rank: u32) -> Self {
        let replicas = replicas.max(1);
        Self { replicas, rank: rank.min(replicas - 1) }
    }

    /// The least of so many.
    pub fn least(replicas: u32) -> Self {
        Self::of(replicas, u32::MAX)
    }

    /// How many share.
    pub const fn replicas(self) -> u32 {
        self.replicas
    }

    /// How much of a whole that is.
    pub const fn part(self, whole: u64) -> u64 {
        if self.replicas == 1 {
            return whole;
        }
        let replicas = self.replicas as u64;
        let is_one_more = (self.rank as u64) < whole % replicas;
        whole / replicas + is_one_more as u64
    }
}

/// The share that was heard of last.
#[derive(Debug, Default)]
pub(super) struct LastShare(AtomicU64);

impl LastShare {
    /// Nothing was heard yet.
    const UNKNOWN: u64 = 0;

    /// It; none if nothing was heard yet.
    pub fn known(&self) -> Option<Share> {
        match self.0.load(Ordering::Relaxed) {
            Self::UNKNOWN => None,
            told => {
                let [replicas, rank] = [told >> 32, told & u64::from(u32::MAX)];
                let word = |number| u32::try_from(number).unwrap_or(u32::MAX);
                Some(Share::of(word(replicas), word(rank)))
            }
        }
    }

    /// It; everything if nothing was heard yet.
    pub fn get(&self) -> Share {
        self.known().unwrap_or(Share::WHOLE)
    }

    /// Redis tells it; whether there are as many as before.
    pub fn hear(&self, share: Share) -> bool {
        let before = self.0.swap(Self::word(share), Ordering::Relaxed);
        before >> 32 == u64::from(share.replicas)
    }

    /// Takes it for that until Redis tells.
    pub fn suppose(&self, share: Share) {
        let (unknown, word) = (Self::UNKNOWN, Self::word(share));
        // Redis has told meanwhile.
        let _ = self.0.compare_exchange(unknown, word, Ordering::Relaxed, Ordering::Relaxed);
    }

    fn word(share: Share) -> u64 {
        u64::from(share.replicas) << 32 | u64::from(share.rank)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_together_the_whole() {
        for replicas in 1..=9 {
            for whole in 0..40 {
                let parts = (0..replicas).map(|rank| Share::of(replicas, rank).part(whole));
                assert_eq!(parts.sum::<u64>(), whole, "{replicas} of {whole}");
                assert_eq!(Share::least(replicas).part(whole), whole / u64::from(replicas));
            }
        }
        assert_eq!(Share::of(0, 7), Share::WHOLE);
    }

    #[test]
    fn what_redis_tells_is_not_replaced_by_what_is_supposed() {
        let last = LastShare::default();
        assert_eq!((last.known(), last.get()), (None, Share::WHOLE));
        last.suppose(Share::least(4));
        assert_eq!(last.known(), Some(Share::of(4, 3)));
        assert!(last.hear(Share::of(4, 1)), "as many");
        assert!(!last.hear(Share::of(3, 1)));
        last.suppose(Share::least(9));
        assert_eq!(last.get(), Share::of(3, 1));
    }
}
