//! Housekeeping: usage records past `ledger.retention_days`, tables for the months to come, sums of
//! records that have none, sessions that are over.

use std::time::Duration;

use crate::{
    auth,
    domain::Timestamp,
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
        expire(store.expire_usage(before).await);
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

fn expire(result: Result<Expired, StoreError>) {
    match result {
        Ok(expired) if expired == Expired::default() => {}
        Ok(Expired { records, months }) => {
            tracing::info!(records, months, "usage past ledger.retention_days was removed");
        }
        Err(error) => tracing::warn!(%error, "old usage records cannot be removed now"),
    }
}
