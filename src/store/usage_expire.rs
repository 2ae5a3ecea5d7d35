//! Forgetting usage records whose time is over.

use uuid::Uuid;

use super::{Store, StoreError};
use crate::domain::Timestamp;

/// Rows per transaction: short enough that a batch of new records never waits long.
const BATCH: i64 = 1_000;

/// Every organization, and the nil UUID of records without one.
const OWNERS: &str = "SELECT id FROM orgs UNION ALL SELECT zeroblob(16)";
const DELETE: &str = "DELETE FROM usage_records WHERE org_id = $1 AND (ts, id) IN
    (SELECT ts, id FROM usage_records WHERE org_id = $1 AND ts < $2 ORDER BY ts, id LIMIT $3)";

impl Store {
    /// Deletes the records older than `before`, in small transactions; answers how many there were.
    ///
    /// # Errors
    /// When the database is unavailable; what was deleted until then stays deleted.
    pub async fn expire_usage(&self, before: Timestamp) -> Result<u64, StoreError> {
        let owners: Vec<Uuid> = sqlx::query_scalar(OWNERS).fetch_all(&self.readers).await?;
        let mut expired = 0;
        for owner in owners {
            loop {
                let delete = sqlx::query(DELETE).bind(owner).bind(before.0).bind(BATCH);
                match delete.execute(&self.writer).await?.rows_affected() {
                    0 => break,
                    deleted => expired += deleted,
                }
            }
        }
        Ok(expired)
    }
}
