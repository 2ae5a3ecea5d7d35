//! Up to where the records of each ledger are stored.

use super::{
    StoreError, Tx,
    record::{Found, Record},
    statement::sql,
};
use crate::domain::{LedgerId, Mark, Position, Timestamp};

/// A batch that is delivered again does not take back what a later one has said.
const MOVE: &str = "INSERT INTO ledger_marks (ledger, position, at) VALUES ($1, $2, $3)
    ON CONFLICT (ledger) DO UPDATE SET position = excluded.position, at = excluded.at
    WHERE ledger_marks.position < excluded.position";
const SINCE: &str = "SELECT ledger, position FROM ledger_marks WHERE at >= $1";

/// Clocks of replicas may differ by so much, microseconds.
const SKEW: i64 = 86_400_000_000;

impl Tx {
    /// Up to where the records of each ledger are stored that was delivered since then. Read in one
    /// transaction with sums, they tell what is among these.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn marks(&mut self, since: Timestamp) -> Result<Vec<Mark>, StoreError> {
        Ok(self.all(sql(SINCE).bind(since.0.saturating_sub(SKEW))).await?)
    }

    /// Notes that every record up to `mark` is stored.
    pub(super) async fn move_mark(&mut self, mark: Mark) -> Result<(), StoreError> {
        let position = i64::try_from(mark.position.0).unwrap_or(i64::MAX);
        let moved = sql(MOVE).bind(mark.ledger.0).bind(position).bind(Timestamp::now().0);
        self.execute(moved).await?;
        Ok(())
    }
}

impl Record for Mark {
    fn read(found: &Found<'_>) -> sqlx::Result<Self> {
        let position: i64 = found.get("position")?;
        Ok(Self {
            ledger: found.id("ledger", LedgerId)?,
            position: Position(u64::try_from(position).unwrap_or(0)),
        })
    }
}
