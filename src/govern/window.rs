//! What was counted in the last 60 seconds: buckets of a second, and their sum.
//!
//! The 60 whole buckets and the one that is running out are counted, so any 60 seconds lie within
//! what is summed up and the limit can't be exceeded; a steady caller loses one part in 61. Buckets
//! in which nothing happened take no memory, so an idle counter is small.

use std::collections::VecDeque;

/// How many seconds a bucket counts: its own, and the 60 behind it.
pub(super) const SPAN: u32 = 61;

/// A second, and what was counted in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bucket {
    pub second: u32,
    pub count: u32,
}

/// A rolling sum.
#[derive(Clone, Debug, Default)]
pub(super) struct Window {
    /// In order, none of them empty.
    buckets: VecDeque<Bucket>,
    sum: u64,
}

impl Window {
    /// Forgets what lies too far back; constant work per bucket that was ever made. Where the clock
    /// went back, what lies in the future is held to have happened now.
    pub fn advance(&mut self, now: u32) {
        let mut later = 0;
        while let Some(last) = self.buckets.pop_back_if(|last| last.second > now) {
            later += u64::from(last.count);
        }
        self.sum -= later;
        self.add(now, later);
        while let Some(first) = self.buckets.front().copied() {
            if u64::from(first.second) + u64::from(SPAN) > u64::from(now) {
                break;
            }
            self.sum -= u64::from(first.count);
            self.buckets.pop_front();
        }
    }

    /// Counts in a second.
    pub fn add(&mut self, second: u32, count: u64) {
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        if count == 0 {
            return;
        }
        let place = self.buckets.iter().rposition(|bucket| bucket.second <= second);
        match place.and_then(|place| self.buckets.get_mut(place)) {
            Some(bucket) if bucket.second == second => {
                let before = bucket.count;
                bucket.count = before.saturating_add(count);
                self.sum += u64::from(bucket.count - before);
            }
            _ => {
                self.buckets.insert(place.map_or(0, |place| place + 1), Bucket { second, count });
                self.sum += u64::from(count);
            }
        }
    }

    /// Both together.
    pub fn with(&self, other: &Self) -> Self {
        let mut both = self.clone();
        other.buckets().for_each(|bucket| both.add(bucket.second, bucket.count.into()));
        both
    }

    /// The sum.
    pub const fn sum(&self) -> u64 {
        self.sum
    }

    /// What it is made of.
    pub fn buckets(&self) -> impl Iterator<Item = Bucket> {
        self.buckets.iter().copied()
    }

    /// In which second the sum is below `limit`, if nothing is added; none if it never is.
    pub fn below(&self, limit: u64) -> Option<u32> {
        let mut left = self.sum;
        let mut second = 0;
        for bucket in &self.buckets {
            if left < limit {
                break;
            }
            left -= u64::from(bucket.count);
            second = bucket.second.saturating_add(SPAN);
        }
        (left < limit).then_some(second)
    }

    /// In which second nothing is counted any more.
    pub fn empty(&self) -> u32 {
        self.buckets.back().map_or(0, |last| last.second.saturating_add(SPAN))
    }
}
