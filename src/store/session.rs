//! A connection to PostgreSQL while it is used.
//!
//! The server may freeze, or the network swallow every packet: then a statement neither ends nor
//! fails, and its connection would be lost to the pool for as long as the system tries (a quarter of
//! an hour). So every statement has its time here, and a connection on which one did not end is
//! closed instead of going back: the server undoes what was not committed.

use std::{io, time::Duration};

use sqlx::{
    Executor as _, PgConnection, PgPool, Postgres,
    pool::PoolConnection,
    postgres::{PgArguments, PgRow},
    query::Query,
};

/// How long undoing a transaction may take before its connection is closed instead.
const UNDO_PATIENCE: Duration = Duration::from_secs(2);

/// PostgreSQL's connections for one purpose.
#[derive(Clone)]
pub(super) struct Sessions {
    pool: PgPool,
    /// How long a statement may take, as seen from here.
    patience: Duration,
}

/// One of them, in use.
pub(super) struct Session {
    /// None once it is dropped.
    connection: Option<PoolConnection<Postgres>>,
    patience: Duration,
    /// A statement was sent and its end was not seen.
    busy: bool,
    transaction: Transaction,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Transaction {
    None,
    Open,
    /// The server refused a statement of it, and takes no more.
    Failed,
}

impl Sessions {
    pub(super) const fn new(pool: PgPool, patience: Duration) -> Self {
        Self { pool, patience }
    }

    pub(super) const fn pool(&self) -> &PgPool {
        &self.pool
    }

    pub(super) async fn acquire(&self) -> sqlx::Result<Session> {
        Ok(Session {
            connection: Some(self.pool.acquire().await?),
            patience: self.patience,
            busy: false,
            transaction: Transaction::None,
        })
    }

    /// A connection in a transaction that `words` begin.
    pub(super) async fn begin(&self, words: &'static str) -> sqlx::Result<Session> {
        let mut session = self.acquire().await?;
        session.say(words).await?;
        session.transaction = Transaction::Open;
        Ok(session)
    }
}

impl Session {
    pub(super) async fn all(
        &mut self,
        query: Query<'static, Postgres, PgArguments>,
    ) -> sqlx::Result<Vec<PgRow>> {
        let (patience, connection) = self.start()?;
        let done = tokio::time::timeout(patience, query.fetch_all(connection)).await;
        self.end(done.unwrap_or_else(|_| timed_out()))
    }

    pub(super) async fn optional(
        &mut self,
        query: Query<'static, Postgres, PgArguments>,
    ) -> sqlx::Result<Option<PgRow>> {
        let (patience, connection) = self.start()?;
        let done = tokio::time::timeout(patience, query.fetch_optional(connection)).await;
        self.end(done.unwrap_or_else(|_| timed_out()))
    }

    /// Runs it for its effect; answers how many rows it touched.
    pub(super) async fn execute(
        &mut self,
        query: Query<'_, Postgres, PgArguments>,
    ) -> sqlx::Result<u64> {
        let (patience, connection) = self.start()?;
        let done = tokio::time::timeout(patience, query.execute(connection)).await;
        self.end(done.unwrap_or_else(|_| timed_out())).map(|done| done.rows_affected())
    }

    /// Commits the transaction. PostgreSQL answers the commit of a failed one with success, and
    /// undoes it.
    pub(super) async fn commit(mut self) -> sqlx::Result<()> {
        if self.transaction == Transaction::Failed {
            return Err(sqlx::Error::Protocol("the transaction failed before".to_owned()));
        }
        self.say("COMMIT").await?;
        self.transaction = Transaction::None;
        Ok(())
    }

    async fn say(&mut self, words: &'static str) -> sqlx::Result<()> {
        let (patience, connection) = self.start()?;
        let done = tokio::time::timeout(patience, connection.execute(words)).await;
        self.end(done.unwrap_or_else(|_| timed_out())).map(drop)
    }

    fn start(&mut self) -> sqlx::Result<(Duration, &mut PgConnection)> {
        self.busy = true;
        let connection = self.connection.as_deref_mut();
        Ok((self.patience, connection.ok_or(sqlx::Error::WorkerCrashed)?))
    }

    /// Takes note of how a statement ended.
    fn end<T>(&mut self, done: sqlx::Result<T>) -> sqlx::Result<T> {
        // After any other error nobody knows what the server still has to say.
        self.busy = !matches!(done, Ok(_) | Err(sqlx::Error::Database(_)));
        if done.is_err() && self.transaction == Transaction::Open {
            self.transaction = Transaction::Failed;
        }
        done
    }
}

fn timed_out<T>() -> sqlx::Result<T> {
    Err(io::Error::from(io::ErrorKind::TimedOut).into())
}

impl Drop for Session {
    fn drop(&mut self) {
        let Some(mut connection) = self.connection.take() else { return };
        if self.busy {
            drop(connection.detach());
        } else if self.transaction != Transaction::None {
            let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
            runtime.spawn(async move {
                let undone = connection.execute("ROLLBACK");
                if !matches!(tokio::time::timeout(UNDO_PATIENCE, undone).await, Ok(Ok(_))) {
                    drop(connection.detach());
                }
            });
        }
    }
}
