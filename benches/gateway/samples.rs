//! Every measured value of one run, exact: a bench of minutes fits in memory, so nothing is binned.

use serde::{Deserialize, Serialize};

/// Values in microseconds, in the order they were taken.
#[derive(Debug, Default)]
pub struct Samples(Vec<u32>);

impl Samples {
    /// Keeps one value; what exceeds an hour is an hour.
    pub fn add(&mut self, micros: u128) {
        self.0.push(u32::try_from(micros).unwrap_or(u32::MAX));
    }

    /// Takes over another worker's values.
    pub fn absorb(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// The usual points of the distribution.
    pub fn summary(mut self) -> Summary {
        self.0.sort_unstable();
        Summary {
            count: self.0.len() as u64,
            p50: self.at(50),
            p90: self.at(90),
            p99: self.at(99),
            max: self.at(100),
        }
    }

    fn at(&self, percentile: usize) -> u32 {
        let last = self.0.len().saturating_sub(1);
        self.0.get(last * percentile / 100).copied().unwrap_or(0)
    }
}

/// Points of a distribution, in microseconds.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Summary {
    /// Number of values.
    pub count: u64,
    /// Median.
    pub p50: u32,
    /// 90th percentile.
    pub p90: u32,
    /// 99th percentile.
    pub p99: u32,
    /// Largest value.
    pub max: u32,
}

/// The middle of `values` (the mean of the middle two when their number is even); NaN when empty.
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let (low, high) = (sorted.len().saturating_sub(1) / 2, sorted.len() / 2);
    match (sorted.get(low), sorted.get(high)) {
        (Some(low), Some(high)) => f64::midpoint(*low, *high),
        _ => f64::NAN,
    }
}
