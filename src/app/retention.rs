//! `ledger.retention_days`: usage records that are older go.

use std::time::Duration;

use crate::{domain::Timestamp, store::Store};

/// How often old records are looked for.
const EVERY: Duration = Duration::from_secs(60 * 60);
const DAY_MICROS: i64 = 24 * 60 * 60 * 1_000_000;

/// Removes old records at start and every hour, as long as the process lives.
pub async fn run(store: Store, days: u32) {
    let mut tick = tokio::time::interval(EVERY);
    loop {
        tick.tick().await;
        let before = Timestamp(Timestamp::now().0.saturating_sub(i64::from(days) * DAY_MICROS));
        match store.expire_usage(before).await {
            Ok(0) => {}
            Ok(records) => {
                tracing::info!(records, "usage records past ledger.retention_days were removed");
            }
            Err(error) => tracing::warn!(%error, "old usage records cannot be removed now"),
        }
    }
}
