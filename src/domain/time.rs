//! Points in time as the store and the ledger keep them.
//!
//! This is the only file that reads the wall clock.

use std::{ops::RangeInclusive, time::Duration};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error, Visitor},
};

/// Microseconds since the Unix epoch, UTC; RFC 3339 on the wire.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, utoipa::ToSchema)]
#[schema(value_type = String, format = DateTime)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// Now, by the system's clock.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the wall clock")]
    pub fn now() -> Self {
        Self(jiff::Timestamp::now().as_microsecond())
    }

    /// So much later.
    #[must_use]
    pub fn after(self, wait: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(wait.as_micros()).unwrap_or(i64::MAX)))
    }

    /// So much earlier.
    #[must_use]
    pub fn before(self, ago: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(ago.as_micros()).unwrap_or(i64::MAX)))
    }

    /// Whole seconds since the epoch.
    #[must_use]
    pub const fn unix_seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }
}

impl std::fmt::Display for Timestamp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(text) = Text::of(*self) {
            return f.write_str(text.as_str());
        }
        match jiff::Timestamp::from_microsecond(self.0) {
            Ok(at) => at.fmt(f),
            Err(_) => self.0.fmt(f),
        }
    }
}

/// Microseconds of a second.
const SECOND: i64 = 1_000_000;
/// Seconds of a day.
const DAY: i64 = 86_400;
/// From 1970 to the last instant that can be read back, microseconds.
const WRITTEN: RangeInclusive<i64> = 0..=253_402_207_200_000_000;

/// A time written out: `2026-11-21T02:30:38.123456Z`, without zeros at the fraction's end.
///
/// Every request's record has one, and a formatter of all calendars takes ten times as long.
pub(super) struct Text {
    bytes: [u8; 27],
    length: usize,
}

impl Text {
    /// None for a time that few ever write.
    pub(super) fn of(time: Timestamp) -> Option<Self> {
        if !WRITTEN.contains(&time.0) {
            return None;
        }
        let (seconds, micros) = (time.0 / SECOND, time.0 % SECOND);
        let (year, month, day) = civil(seconds / DAY);
        let clock = seconds % DAY;
        let mut text = Self { bytes: *b"0000-00-00T00:00:00.000000Z", length: 27 };
        text.put(0..4, year);
        text.put(5..7, month);
        text.put(8..10, day);
        text.put(11..13, clock / 3600);
        text.put(14..16, clock / 60 % 60);
        text.put(17..19, clock % 60);
        text.put(20..26, micros);
        text.trim(micros);
        Some(text)
    }

    /// Writes a number's last digits.
    fn put(&mut self, place: std::ops::Range<usize>, mut number: i64) {
        for digit in self.bytes.get_mut(place).unwrap_or_default().iter_mut().rev() {
            *digit = b'0' + u8::try_from(number % 10).unwrap_or_default();
            number /= 10;
        }
    }

    fn trim(&mut self, micros: i64) {
        let mut end = if micros == 0 { 19 } else { 26 };
        while micros != 0 && self.bytes.get(end - 1) == Some(&b'0') {
            end -= 1;
        }
        if let Some(last) = self.bytes.get_mut(end) {
            *last = b'Z';
            self.length = end + 1;
        }
    }

    pub(super) fn as_str(&self) -> &str {
        let written = self.bytes.get(..self.length).unwrap_or_default();
        std::str::from_utf8(written).unwrap_or_default()
    }
}

/// The date of a day since 1970-01-01, counted in eras of 400 years that begin on a first of March
/// (<https://howardhinnant.github.io/date_algorithms.html#civil_from_days>).
const fn civil(day: i64) -> (i64, i64, i64) {
    let shifted = day + 719_468;
    let era = shifted / 146_097;
    let of_era = shifted % 146_097;
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let march_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    (year + era * 400 + if month <= 2 { 1 } else { 0 }, month, day)
}

impl std::str::FromStr for Timestamp {
    type Err = jiff::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse::<jiff::Timestamp>().map(|at| Self(at.as_microsecond()))
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match Text::of(*self) {
            Some(text) => serializer.serialize_str(text.as_str()),
            None => serializer.collect_str(self),
        }
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(TextVisitor)
    }
}

struct TextVisitor;

impl Visitor<'_> for TextVisitor {
    type Value = Timestamp;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a time as in RFC 3339")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Timestamp, E> {
        text.parse().map_err(E::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Timestamp, WRITTEN};

    fn told_by_jiff(time: Timestamp) -> String {
        jiff::Timestamp::from_microsecond(time.0).unwrap().to_string()
    }

    #[test]
    fn the_turns_of_years_and_the_ends_of_the_range_are_written_as_by_the_calendar() {
        let day = 86_400_000_000;
        let turns = (0..40_000).map(|number| number * day);
        let ends = [-1, 0, 1, *WRITTEN.end() - 1, *WRITTEN.end(), -62_135_596_800_000_000];
        for time in turns.chain(ends).map(Timestamp) {
            assert_eq!(time.to_string(), told_by_jiff(time));
        }
    }

    proptest! {
        #[test]
        fn any_time_is_written_as_by_the_calendar_and_read_back(
            micros in -62_135_596_800_000_000..253_402_207_200_000_000_i64,
            precision in prop_oneof![Just(1), Just(1000), Just(100_000), Just(1_000_000)],
        ) {
            let time = Timestamp(micros / precision * precision);
            prop_assert_eq!(time.to_string(), told_by_jiff(time));
            let json = serde_json::to_string(&time).unwrap();
            prop_assert_eq!(&json, &format!("\"{}\"", told_by_jiff(time)));
            prop_assert_eq!(serde_json::from_str::<Timestamp>(&json).unwrap(), time);
        }
    }
}
