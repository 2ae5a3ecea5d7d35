//! Forgetting usage records whose time is over, and their sums with them.

use uuid::Uuid;

use super::{
    Engine, Store, StoreError,
    rollup::{DAY, start_of},
    statement::{Statement, sql},
    usage_months::Month,
};
use crate::domain::Timestamp;

/// Rows per transaction: short enough that a batch of new records never waits long.
const BATCH: i64 = 1_000;

const OWNERS: &str = "SELECT id FROM orgs";
const RECORDS_SQLITE: &str = "DELETE FROM usage_records WHERE org_id = $1 AND (ts, id) IN
    (SELECT ts, id FROM usage_records WHERE org_id = $1 AND ts < $2 ORDER BY ts, id LIMIT $3)";
/// Only those that no month was made for: the others go with their month.
const RECORDS_POSTGRES: &str = "DELETE FROM usage_records_default
    WHERE org_id = $1 AND (ts, id) IN (SELECT ts, id FROM usage_records_default
        WHERE org_id = $1 AND ts < $2 ORDER BY ts, id LIMIT $3)";
const HOURS: &str = "DELETE FROM usage_rollups WHERE org_id = $1 AND (width, start, series) IN
    (SELECT width, start, series FROM usage_rollups
        WHERE org_id = $1 AND width = 1 AND start < $2 LIMIT $3)";
const DAYS: &str = "DELETE FROM usage_rollups WHERE org_id = $1 AND (width, start, series) IN
    (SELECT width, start, series FROM usage_rollups
        WHERE org_id = $1 AND width = 24 AND start < $2 LIMIT $3)";
/// Those that no sum is left of. A writer that uses one has locked it, or makes it anew.
const SERIES: &str = "DELETE FROM usage_series WHERE org_id = $1 AND id IN
    (SELECT id FROM usage_series WHERE org_id = $1 AND last_start < $2 LIMIT $3)
    AND last_start < $2";

/// What was forgotten.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Expired {
    /// Records, one by one.
    pub records: u64,
    /// Months of records, each as a whole.
    pub months: u64,
}

impl Store {
    /// Deletes the records older than `before` and the sums of hours of days that ended before, in small
    /// transactions; sums of days, only if they ended before `days`, too. PostgreSQL keeps what lies in the
    /// month of `before`: it drops whole months.
    ///
    /// # Errors
    /// When the database is unavailable; what was deleted until then stays deleted.
    pub async fn expire_usage(
        &self,
        before: Timestamp,
        days: Timestamp,
    ) -> Result<Expired, StoreError> {
        let mut expired = Expired::default();
        let mut kept = before;
        if self.writer.engine() == Engine::Postgres {
            let month = Month::of(before);
            expired.months = self.drop_months_before(month).await?;
            kept = month.start();
        }
        let mut owners: Vec<Uuid> = self.readers.all(sql(OWNERS)).await?;
        // Records without an organization.
        owners.push(Uuid::nil());
        let records = self.writer.engine().pick(RECORDS_SQLITE, RECORDS_POSTGRES);
        for owner in owners {
            expired.records += self.delete(|| sql(records).bind(owner).bind(before.0)).await?;
            let hours = start_of(DAY, kept);
            let days = start_of(DAY, days).min(hours);
            self.delete(|| sql(HOURS).bind(owner).bind(hours)).await?;
            self.delete(|| sql(DAYS).bind(owner).bind(days)).await?;
            self.delete(|| sql(SERIES).bind(owner).bind(days)).await?;
        }
        Ok(expired)
    }

    /// Runs a statement until it deletes nothing more.
    async fn delete(&self, statement: impl Fn() -> Statement) -> Result<u64, StoreError> {
        let mut deleted = 0;
        loop {
            match self.writer.execute(statement().bind(BATCH)).await? {
                0 => return Ok(deleted),
                more => deleted += more,
            }
        }
    }
}
