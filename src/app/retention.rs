//! Housekeeping: usage records past `ledger.retention_days`, tables for the months to come, sums of
//! records that have none, sessions that are over.

use std::time::Duration;

use crate::{
    auth,
    domain::{Period, Timestamp},
    policy::start_of,
    store::{Expired, Store, StoreError},
};

/// How often there is something to do.
const EVERY: Duration = Duration::from_secs(60 * 60);
const DAY_MICROS: i64 = 24 * 60 * 60 * 1_000_000;

/// Keeps house at start and every hour, as long as the process lives.
pub async fn run(store: Store, days: u32) {
    let mut tick = tokio::time::interval(EVERY);
    loop {
        tick.tick().await;
        let now = Timestamp::now();
        let before = Timestamp(now.0.saturating_sub(i64::from(days) * DAY_MICROS));
        if let Err(error) = store.make_usage_months(before, now).await {
            // Their records are kept with those of odd times until it succeeds.
            tracing::warn!(%error, "tables for the months of usage records cannot be made now");
        }
        expire(store.expire_usage(before, days_kept(now)).await);
        if let Err(error) = auth::expire_sessions(&store, now).await {
            tracing::warn!(%error, "sessions that are over cannot be removed now");
        }
        match store.roll_up_backlog().await {
            Ok(0) => {}
            Ok(records) => tracing::info!(records, "earlier usage records were summed up"),
            Err(error) => tracing::warn!(%error, "earlier usage records cannot be summed up now"),
        }
    }
}

/// The first day of which sums are kept, however old: the longest period of a budget counts what was used since
/// its start, also if the budget is made at its end. A year that has just ended may still be settled.
fn days_kept(now: Timestamp) -> Timestamp {
    let yesterday = Timestamp(now.0.saturating_sub(DAY_MICROS));
    // The first week of a year begins before it.
    start_of(Period::Yearly, yesterday).min(start_of(Period::Weekly, yesterday))
}

fn expire(result: Result<Expired, StoreError>) {
    match result {
        Ok(expired) if expired == Expired::default() => {}
        Ok(Expired { records, months }) => {
            tracing::info!(records, months, "usage past ledger.retention_days was removed");
        }
        Err(error) => tracing::warn!(%error, "old usage records cannot be removed now"),
    }
}

#[cfg(test)]
mod tests {
    use super::{Timestamp, days_kept};

    #[test]
    fn sums_are_kept_since_the_start_of_the_year_and_of_the_week_in_which_yesterday_was() {
        for (now, kept) in [
            ("2026-11-22T10:00:00Z", "2026-01-01T00:00:00Z"),
            ("2027-01-01T23:59:59Z", "2026-01-01T00:00:00Z"),
            ("2027-01-02T00:00:00Z", "2026-12-28T00:00:00Z"),
            ("2027-01-05T00:00:00Z", "2027-01-01T00:00:00Z"),
        ] {
            let at =
                |text: &str| Timestamp(text.parse::<jiff::Timestamp>().unwrap().as_microsecond());
            assert_eq!(days_kept(at(now)), at(kept), "{now}");
        }
    }
}
