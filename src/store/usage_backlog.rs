//! Summing up records that were written without sums: by a version before this one, which may still
//! run on another replica.

use super::{Store, StoreError, Tx, statement::sql, usage_facts::Facts};

/// Records per transaction.
const BATCH: i64 = 500;

// What is taken out is put back in by the one path that adds records, in the same transaction.
const TAKE_SQLITE: &str = "DELETE FROM usage_records WHERE rowid IN
    (SELECT rowid FROM usage_records WHERE rolled_up = FALSE LIMIT $1) RETURNING record";
/// Replicas share the work: each leaves alone what another has in hand.
const TAKE_POSTGRES: &str =
    "DELETE FROM usage_records WHERE rolled_up = FALSE AND (org_id, ts, id) IN
    (SELECT org_id, ts, id FROM usage_records WHERE rolled_up = FALSE LIMIT $1
        FOR UPDATE SKIP LOCKED)
    RETURNING record";

impl Store {
    /// Adds the records that have not been summed up to the sums, in small transactions; answers how
    /// many there were.
    ///
    /// # Errors
    /// When the database is unavailable, or a record is unreadable; what was added until then stays.
    pub async fn roll_up_backlog(&self) -> Result<u64, StoreError> {
        let mut added = 0;
        loop {
            let mut tx = Tx::append(&self.writer).await?;
            let take = sql(tx.engine().pick(TAKE_SQLITE, TAKE_POSTGRES)).bind(BATCH);
            let records: Vec<String> = tx.all(take).await?;
            if records.is_empty() {
                return Ok(added);
            }
            let batch: Result<Vec<_>, StoreError> =
                records.iter().map(|record| Facts::parse(record.as_bytes())).collect();
            tx.add_usage(&batch?).await?;
            tx.commit().await?;
            added += u64::try_from(records.len()).unwrap_or(0);
        }
    }
}
