//! A connection to PostgreSQL while it is used.
//!
//! The server may freeze, or the network swallow every packet: then a statement neither ends nor
//! fails, and its connection would be lost to the pool for as long as the system tries (a quarter of
//! an hour). So every statement has its time here, and a connection on which one did not end is
//! closed instead of going back: the server undoes what was not committed.

use std::{io, time::Duration};

use sqlx::{
    Connection as _, Executor as _, PgConnection, PgPool, Postgres,
    pool::PoolConnection,
    postgres::{PgArguments, PgRow},
    query::Query,
};

/// How long undoing a transaction may take before its connection is closed instead.
const UNDO_PATIENCE: Duration = Duration::from_secs(2);
/// How long a connection that is made for diagnosis may take.
const DIAGNOSIS_PATIENCE: Duration = Duration::from_secs(1);

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

    /// What a new connection meets. A pool would keep trying and only say that it took too long.
    pub(super) async fn trouble(&self) -> Option<String> {
        let options = self.pool.connect_options();
        let connecting = PgConnection::connect_with(&options);
        match tokio::time::timeout(DIAGNOSIS_PATIENCE, connecting).await {
            Ok(Ok(_)) => None,
            Ok(Err(error)) => Some(error.to_string()),
            Err(_) => Some("it takes connections and says nothing".to_owned()),
        }
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
        query: Query<'_, Postgres, PgArguments>,
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

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use sqlx::{Row as _, postgres::PgPoolOptions};

    use super::*;
    use crate::store::testing::postgres_url;

    /// One connection, and a fifth of a second for each statement.
    async fn one() -> Sessions {
        let url = tokio::task::spawn_blocking(postgres_url).await.unwrap();
        let options = PgPoolOptions::new().max_connections(1);
        let pool = options.acquire_timeout(Duration::from_secs(5)).connect_lazy(&url).unwrap();
        Sessions::new(pool, Duration::from_millis(200))
    }

    async fn works(sessions: &Sessions) {
        let began = Instant::now();
        let row = sessions.acquire().await.unwrap().optional(sqlx::query("SELECT 7")).await;
        assert_eq!(row.unwrap().unwrap().get::<i32, _>(0), 7);
        assert!(began.elapsed() < Duration::from_secs(3), "the connection was kept");
    }

    #[tokio::test]
    async fn a_statement_without_end_is_given_up_and_its_connection_with_it() {
        let sessions = one().await;
        let mut session = sessions.acquire().await.unwrap();
        let began = Instant::now();
        let answered = session.execute(sqlx::query("SELECT pg_sleep(60)")).await;
        assert!(
            matches!(answered, Err(sqlx::Error::Io(error)) if error.kind() == io::ErrorKind::TimedOut)
        );
        assert!(began.elapsed() < Duration::from_secs(5));
        drop(session);
        works(&sessions).await;
    }

    #[tokio::test]
    async fn a_statement_whose_caller_left_does_not_keep_its_connection() {
        let sessions = one().await;
        let mut session = sessions.acquire().await.unwrap();
        let left = tokio::time::timeout(
            Duration::from_millis(20),
            session.execute(sqlx::query("SELECT pg_sleep(60)")),
        );
        assert!(left.await.is_err());
        drop(session);
        works(&sessions).await;
    }

    #[tokio::test]
    async fn a_transaction_that_is_dropped_is_undone_on_a_connection_that_goes_on() {
        let sessions = one().await;
        let mut first = sessions.begin("BEGIN").await.unwrap();
        first.execute(sqlx::query("CREATE TABLE things (n BIGINT)")).await.unwrap();
        let process = || sqlx::query("SELECT pg_backend_pid()");
        let before: i32 = first.optional(process()).await.unwrap().unwrap().get(0);
        drop(first);
        let mut next = sessions.acquire().await.unwrap();
        let after: i32 = next.optional(process()).await.unwrap().unwrap().get(0);
        assert_eq!(before, after);
        assert!(next.execute(sqlx::query("SELECT * FROM things")).await.is_err());
    }

    #[tokio::test]
    async fn a_transaction_of_which_a_statement_was_refused_is_not_committed_in_silence() {
        let sessions = one().await;
        let mut session = sessions.begin("BEGIN").await.unwrap();
        session.execute(sqlx::query("SELECT 1/0")).await.unwrap_err();
        session.commit().await.unwrap_err();
        works(&sessions).await;
    }
}
