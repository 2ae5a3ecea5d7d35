//! Histograms of durations, as text that is merged by being joined.
//!
//! Buckets are log-linear: a millisecond each up to 32, then sixteen to every doubling. A bucket
//! stands for its middle, so what is read off differs from what was measured by 1/32 (3.1 %) at most.
//!
//! The text is a sequence of entries: two letters for the bucket (base 32: `A`–`Z`, `a`–`f`, high
//! digit first), then the count in decimal, left out where it is 1. `ABAC3` is one value of 1 ms and
//! three of 2 ms. Buckets may repeat, in any order: the database joins texts with `||` and
//! `string_agg` and knows nothing of buckets. [`Histogram::text`] is the shortest form.

use std::{collections::BTreeMap, fmt::Write as _};

/// Buckets to a doubling, as a power of two.
const PRECISION: u32 = 4;
/// How many two letters can name: more than there are.
const BUCKETS: usize = 1 << 10;
const LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdef";

/// How often values fell into which bucket.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Histogram(BTreeMap<u16, u64>);

impl Histogram {
    /// What a text says, added to what is there. Letters and digits that are none are passed over:
    /// only [`Histogram::text`] writes what is read here.
    pub(super) fn read(&mut self, text: &str) {
        // Joined texts name the same buckets over and over: these are added up in place first.
        let mut counts = vec![0_u64; BUCKETS];
        let mut bytes = text.bytes().peekable();
        while let Some(high) = bytes.next() {
            let low = bytes.next().and_then(digit);
            let Some((high, low)) = digit(high).zip(low) else { continue };
            let mut count = None;
            while let Some(figure) = bytes.next_if(u8::is_ascii_digit) {
                let figure = u64::from(figure - b'0');
                count = Some(count.unwrap_or(0_u64).saturating_mul(10).saturating_add(figure));
            }
            if let Some(sum) = counts.get_mut(usize::from(high << 5 | low)) {
                *sum = sum.saturating_add(count.unwrap_or(1));
            }
        }
        for (bucket, count) in (0..).zip(counts).filter(|(_, count)| *count > 0) {
            self.add(bucket, count);
        }
    }

    /// One value.
    pub(super) fn count(&mut self, millis: u64) {
        self.add(bucket(millis), 1);
    }

    fn add(&mut self, bucket: u16, count: u64) {
        let sum = self.0.entry(bucket).or_default();
        *sum = sum.saturating_add(count);
    }

    /// Everything of another one.
    pub(super) fn merge(&mut self, other: &Self) {
        for (bucket, count) in &other.0 {
            self.add(*bucket, *count);
        }
    }

    /// The shortest text.
    pub(super) fn text(&self) -> String {
        let mut text = String::with_capacity(self.0.len() * 3);
        for (bucket, count) in &self.0 {
            write_entry(&mut text, *bucket, *count);
        }
        text
    }

    /// The value that so many of a hundred do not exceed (nearest rank); none without values.
    pub(super) fn percentile(&self, percent: u8) -> Option<u64> {
        let total: u64 = self.0.values().sum();
        let rank = (u128::from(total) * u128::from(percent)).div_ceil(100).max(1);
        let mut below = 0_u128;
        let found = self.0.iter().find(|(_, count)| {
            below += u128::from(**count);
            below >= rank
        });
        found.map(|(bucket, _)| middle(*bucket))
    }
}

/// The text of values that were put into buckets; sorts them.
pub(super) fn text_of(buckets: &mut [u16]) -> String {
    buckets.sort_unstable();
    let mut text = String::with_capacity(buckets.len().min(64) * 3);
    for run in buckets.chunk_by(|a, b| a == b) {
        if let Some(bucket) = run.first() {
            write_entry(&mut text, *bucket, u64::try_from(run.len()).unwrap_or(u64::MAX));
        }
    }
    text
}

fn write_entry(text: &mut String, bucket: u16, count: u64) {
    for digit in [bucket >> 5, bucket & 31] {
        text.push(LETTERS.get(usize::from(digit)).copied().map_or('A', char::from));
    }
    if count != 1 {
        // Writing to a string does not fail.
        let _written = write!(text, "{count}");
    }
}

fn digit(letter: u8) -> Option<u16> {
    match letter {
        b'A'..=b'Z' => Some(u16::from(letter - b'A')),
        b'a'..=b'f' => Some(u16::from(letter - b'a') + 26),
        _ => None,
    }
}

/// The bucket of a value: at most 975.
pub(super) fn bucket(millis: u64) -> u16 {
    let doubling = millis.checked_ilog2().unwrap_or(0);
    let number = if doubling <= PRECISION {
        millis
    } else {
        let shift = doubling - PRECISION;
        (u64::from(shift) << PRECISION) + (millis >> shift)
    };
    u16::try_from(number).unwrap_or(u16::MAX)
}

/// What a bucket stands for.
fn middle(bucket: u16) -> u64 {
    let bucket = u64::from(bucket);
    let doubling = bucket >> PRECISION;
    if doubling <= 1 {
        return bucket;
    }
    let shift = doubling - 1;
    let lowest = (bucket - (shift << PRECISION)) << shift;
    lowest + (1 << shift >> 1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(values: &[u64]) -> Histogram {
        let mut histogram = Histogram::default();
        for value in values {
            histogram.count(*value);
        }
        histogram
    }

    #[test]
    fn small_values_are_exact_and_the_largest_has_a_bucket() {
        for value in 0..32 {
            assert_eq!(middle(bucket(value)), value);
        }
        assert_eq!(bucket(u64::MAX), 975);
        assert_eq!(of(&[u64::MAX]).text(), "eP");
    }

    #[test]
    fn the_text_is_as_documented() {
        assert_eq!(of(&[1, 2, 2, 2]).text(), "ABAC3");
        assert_eq!(text_of(&mut [2, 1, 2, 2]), "ABAC3");
    }

    #[test]
    fn nothing_has_no_percentile() {
        assert_eq!(Histogram::default().percentile(50), None);
    }

    proptest! {
        #[test]
        fn a_bucket_is_near_what_fell_into_it(value in 0..1_u64 << 62) {
            let error = middle(bucket(value)).abs_diff(value);
            prop_assert!(error * 32 <= value, "{value}: {error}");
        }

        #[test]
        fn percentiles_are_near_those_of_the_values(
            mut values in prop::collection::vec(0..100_000_u64, 1..200),
            percent in prop::sample::select(vec![50_u8, 90, 95, 99]),
        ) {
            let found = of(&values).percentile(percent).unwrap();
            values.sort_unstable();
            let rank = (values.len() * usize::from(percent)).div_ceil(100).max(1);
            let exact = values[rank - 1];
            prop_assert!(found.abs_diff(exact) * 32 <= exact, "{found} for {exact}");
        }

        #[test]
        fn joined_texts_are_the_sum(
            left in prop::collection::vec(any::<u64>(), 0..50),
            right in prop::collection::vec(0..5_u64, 0..50),
        ) {
            let mut read = Histogram::default();
            read.read(&(of(&left).text() + &of(&right).text()));
            let mut merged = of(&left);
            merged.merge(&of(&right));
            prop_assert_eq!(&read, &merged);
            prop_assert_eq!(&merged, &of(&[left, right].concat()));
            let mut again = Histogram::default();
            again.read(&merged.text());
            prop_assert_eq!(again, merged);
        }
    }
}
