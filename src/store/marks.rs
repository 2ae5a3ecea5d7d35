//! Up to where each ledger's records are in the database: with it, what a process has counted and the
//! database does not hold yet is known exactly.

use super::{
    Store, StoreError, Tx,
    record::{Found, Record},
    statement::sql,
};
use crate::domain::{LedgerId, Mark, Position, Timestamp};

const SET: &str = "INSERT INTO usage_marks (ledger, position, at) VALUES ($1, $2, $3)
    ON CONFLICT (ledger) DO UPDATE SET position = excluded.position, at = excluded.at
    WHERE excluded.position > usage_marks.position";
const ALL: &str = "SELECT ledger, position FROM usage_marks";
const FORGET: &str = "DELETE FROM usage_marks WHERE at < $1";

impl Tx {
    /// Notes up to where a ledger's records are there, in the transaction that brings them.
    pub(super) async fn set_mark(&mut self, mark: Mark) -> Result<(), StoreError> {
        let place = i64::try_from(mark.position.0).unwrap_or(i64::MAX);
        let query = sql(SET).bind(mark.ledger.0).bind(place).bind(Timestamp::now().0);
        self.execute(query).await?;
        Ok(())
    }

    /// Up to where each ledger's records are there.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn marks(&mut self) -> Result<Vec<Mark>, StoreError> {
        Ok(self.all(sql(ALL)).await?)
    }
}

impl Store {
    /// Forgets the marks of ledgers that have brought nothing since.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn forget_marks(&self, since: Timestamp) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        tx.execute(sql(FORGET).bind(since.0)).await?;
        tx.commit().await
    }
}

impl Record for Mark {
    fn read(found: &Found<'_>) -> sqlx::Result<Self> {
        let place: i64 = found.get("position")?;
        Ok(Self {
            ledger: found.id("ledger", LedgerId)?,
            position: Position(u64::try_from(place).unwrap_or(0)),
        })
    }
}
