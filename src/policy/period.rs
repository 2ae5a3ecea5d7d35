//! The windows of budgets: parts of the calendar, in UTC.

use jiff::{civil::Date, tz::TimeZone};

use crate::domain::{Period, Timestamp};

/// When the period began that `now` lies in. The epoch, where the calendar does not reach.
#[must_use]
pub fn start_of(period: Period, now: Timestamp) -> Timestamp {
    let Ok(now) = jiff::Timestamp::from_microsecond(now.0) else { return Timestamp(0) };
    let today = now.to_zoned(TimeZone::UTC).date();
    let first = match period {
        Period::Daily => Some(today),
        Period::Weekly => {
            let since_monday = i64::from(today.weekday().to_monday_zero_offset());
            today.checked_sub(jiff::Span::new().days(since_monday)).ok()
        }
        Period::Monthly => Some(today.first_of_month()),
        Period::Quarterly => Date::new(today.year(), (today.month() - 1) / 3 * 3 + 1, 1).ok(),
        Period::Yearly => Some(today.first_of_year()),
    };
    let start = first.and_then(|day| day.to_zoned(TimeZone::UTC).ok());
    start.map_or(Timestamp(0), |at| Timestamp(at.timestamp().as_microsecond()))
}

/// When the period ends that `now` lies in, and the next begins.
#[must_use]
pub fn end_of(period: Period, now: Timestamp) -> Timestamp {
    /// Longer than what is left of the period from its first day on, shorter than two of them.
    const fn days(period: Period) -> u64 {
        match period {
            Period::Daily => 1,
            Period::Weekly => 7,
            Period::Monthly => 31,
            Period::Quarterly => 92,
            Period::Yearly => 366,
        }
    }
    let start = start_of(period, now);
    start_of(period, start.after(std::time::Duration::from_secs(days(period) * 86_400)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn starts(now: &str, expected: [&str; 5]) {
        let now: Timestamp = now.parse().unwrap();
        for (period, expected) in Period::ALL.iter().zip(expected) {
            assert_eq!(start_of(*period, now).to_string(), format!("{expected}T00:00:00Z"));
        }
    }

    #[test]
    fn periods_begin_with_the_calendar() {
        // A Saturday.
        starts(
            "2026-11-21T15:04:05.999999Z",
            ["2026-11-21", "2026-11-16", "2026-11-01", "2026-10-01", "2026-01-01"],
        );
        // A Monday, at its first moment; the week before lies in another year.
        starts(
            "2029-01-01T00:00:00Z",
            ["2029-01-01", "2029-01-01", "2029-01-01", "2029-01-01", "2029-01-01"],
        );
        starts(
            "2028-02-29T23:59:59.999999Z",
            ["2028-02-29", "2028-02-28", "2028-02-01", "2028-01-01", "2028-01-01"],
        );
        starts(
            "2027-01-01T00:00:00Z",
            ["2027-01-01", "2026-12-28", "2027-01-01", "2027-01-01", "2027-01-01"],
        );
    }

    #[test]
    fn a_period_ends_where_the_next_begins() {
        let day = std::time::Duration::from_secs(86_400);
        for period in Period::ALL {
            let mut now: Timestamp = "2026-01-01T12:00:00Z".parse().unwrap();
            for _ in 0..1500 {
                let end = end_of(*period, now);
                assert!(now < end, "{period} {now}");
                assert_eq!(start_of(*period, end), end);
                let last = end.before(std::time::Duration::from_micros(1));
                assert_eq!(start_of(*period, last), start_of(*period, now));
                now = now.after(day);
            }
        }
    }

    #[test]
    fn a_time_outside_the_calendar_is_no_panic() {
        for time in [i64::MIN, i64::MAX] {
            assert_eq!(start_of(Period::Weekly, Timestamp(time)), Timestamp(0));
        }
    }
}
