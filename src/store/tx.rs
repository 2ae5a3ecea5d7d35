//! One transaction.

use sqlx::{Sqlite, Transaction};

use super::{
    StoreError,
    pool::{Engine, Pool},
    record::Record,
    session::Session,
    statement::{Link, Statement, sql},
};

/// Begins a transaction that sees one moment of the database.
const PG_READ: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
/// Writers of all replicas queue here, as SQLite's do on its lock. The number is ours alone, and stays:
/// replicas of two versions must queue at the same place.
const PG_QUEUE: &str = "SELECT pg_advisory_xact_lock(8391737126164883301) IS NULL";

/// A transaction; its operations are in the files of what they are about. Dropped without
/// [`Tx::commit`], it changes nothing. After an operation was refused, dropping is all that is left:
/// PostgreSQL takes no more of it.
pub struct Tx(Begun);

enum Begun {
    Sqlite(Transaction<'static, Sqlite>),
    Postgres(Session),
}

impl Tx {
    /// For reading: one moment of the database.
    pub(super) async fn read(pool: &Pool) -> Result<Self, StoreError> {
        Ok(Self(match pool {
            Pool::Sqlite(pool) => Begun::Sqlite(pool.begin().await?),
            Pool::Postgres(pool) => Begun::Postgres(pool.begin(PG_READ).await?),
        }))
    }

    /// For adding rows that no rule depends on: beside other writers where the engine can.
    pub(super) async fn append(pool: &Pool) -> Result<Self, StoreError> {
        Ok(Self(match pool {
            Pool::Sqlite(pool) => Begun::Sqlite(pool.begin_with("BEGIN IMMEDIATE").await?),
            Pool::Postgres(pool) => Begun::Postgres(pool.begin("BEGIN").await?),
        }))
    }

    /// For changing: one at a time.
    pub(super) async fn write(pool: &Pool) -> Result<Self, StoreError> {
        let mut tx = Self::append(pool).await?;
        if tx.engine() == Engine::Postgres {
            tx.optional::<bool>(sql(PG_QUEUE)).await?;
        }
        Ok(tx)
    }

    pub(super) const fn engine(&self) -> Engine {
        match &self.0 {
            Begun::Sqlite(_) => Engine::Sqlite,
            Begun::Postgres(_) => Engine::Postgres,
        }
    }

    pub(super) fn link(&mut self) -> Link<'_> {
        match &mut self.0 {
            Begun::Sqlite(transaction) => Link::Sqlite(transaction),
            Begun::Postgres(session) => Link::Postgres(session),
        }
    }

    /// Every row.
    pub(super) async fn all<R: Record>(&mut self, statement: Statement) -> sqlx::Result<Vec<R>> {
        self.link().all(statement).await
    }

    /// The first row, if there is one.
    pub(super) async fn optional<R: Record>(
        &mut self,
        statement: Statement,
    ) -> sqlx::Result<Option<R>> {
        self.link().optional(statement).await
    }

    /// The row that must be there.
    pub(super) async fn one<R: Record>(&mut self, statement: Statement) -> sqlx::Result<R> {
        self.optional(statement).await?.ok_or(sqlx::Error::RowNotFound)
    }

    /// Runs it for its effect; answers how many rows it touched.
    pub(super) async fn execute(&mut self, statement: Statement) -> sqlx::Result<u64> {
        self.link().execute(statement).await
    }

    /// Makes everything done through it durable at once.
    ///
    /// # Errors
    /// When the database is unavailable. Then nothing was done; only where the connection was lost
    /// during this very call, nobody knows.
    pub async fn commit(self) -> Result<(), StoreError> {
        match self.0 {
            Begun::Sqlite(transaction) => transaction.commit().await?,
            Begun::Postgres(session) => session.commit().await?,
        }
        Ok(())
    }
}
