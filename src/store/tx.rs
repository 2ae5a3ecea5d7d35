//! One transaction.

use sqlx::{Sqlite, SqliteConnection, Transaction};

use super::StoreError;

/// A transaction; its operations are in the files of what they are about. Dropped without
/// [`Tx::commit`], it changes nothing.
pub struct Tx(Transaction<'static, Sqlite>);

impl Tx {
    pub(super) fn new(transaction: Transaction<'static, Sqlite>) -> Self {
        Self(transaction)
    }

    pub(super) fn connection_mut(&mut self) -> &mut SqliteConnection {
        &mut self.0
    }

    /// Makes everything done through it durable at once.
    ///
    /// # Errors
    /// When the database is unavailable; then nothing was done.
    pub async fn commit(self) -> Result<(), StoreError> {
        Ok(self.0.commit().await?)
    }
}
