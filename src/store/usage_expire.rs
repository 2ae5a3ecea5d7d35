//! Forgetting usage records whose time is over.

use uuid::Uuid;

use super::{Store, StoreError, statement::sql};
use crate::domain::Timestamp;

/// Rows per transaction: short enough that a batch of new records never waits long.
const BATCH: i64 = 1_000;

const OWNERS: &str = "SELECT id FROM orgs";
const DELETE: &str = "DELETE FROM usage_records WHERE org_id = $1 AND (ts, id) IN
    (SELECT ts, id FROM usage_records WHERE org_id = $1 AND ts < $2 ORDER BY ts, id LIMIT $3)";

impl Store {
    /// Deletes the records older than `before`, in small transactions; answers how many there were.
    ///
    /// # Errors
    /// When the database is unavailable; what was deleted until then stays deleted.
    pub async fn expire_usage(&self, before: Timestamp) -> Result<u64, StoreError> {
        let mut owners: Vec<Uuid> = self.readers.all(sql(OWNERS)).await?;
        // Records without an organization.
        owners.push(Uuid::nil());
        let mut expired = 0;
        for owner in owners {
            loop {
                let delete = sql(DELETE).bind(owner).bind(before.0).bind(BATCH);
                match self.writer.execute(delete).await? {
                    0 => break,
                    deleted => expired += deleted,
                }
            }
        }
        Ok(expired)
    }
}
