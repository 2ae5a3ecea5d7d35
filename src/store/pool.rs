//! Connections of either engine.

use sqlx::{Sqlite, SqlitePool, pool::PoolConnection};

use super::{
    record::Record,
    session::{Session, Sessions},
    statement::{Link, Statement},
};

/// Which database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// A file beside the process.
    Sqlite,
    /// A server that replicas share.
    Postgres,
}

impl Engine {
    /// The text that this engine understands.
    pub(super) const fn pick(self, sqlite: &'static str, postgres: &'static str) -> &'static str {
        match self {
            Self::Sqlite => sqlite,
            Self::Postgres => postgres,
        }
    }
}

/// A number of connections for one purpose. Clones share them.
#[derive(Clone)]
pub(super) enum Pool {
    Sqlite(SqlitePool),
    Postgres(Sessions),
}

enum Connection {
    Sqlite(PoolConnection<Sqlite>),
    Postgres(Session),
}

impl Connection {
    fn link(&mut self) -> Link<'_> {
        match self {
            Self::Sqlite(connection) => Link::Sqlite(connection),
            Self::Postgres(session) => Link::Postgres(session),
        }
    }
}

impl Pool {
    pub(super) const fn engine(&self) -> Engine {
        match self {
            Self::Sqlite(_) => Engine::Sqlite,
            Self::Postgres(_) => Engine::Postgres,
        }
    }

    async fn acquire(&self) -> sqlx::Result<Connection> {
        Ok(match self {
            Self::Sqlite(pool) => Connection::Sqlite(pool.acquire().await?),
            Self::Postgres(pool) => Connection::Postgres(pool.acquire().await?),
        })
    }

    /// Every row of a statement on its own, which only reads: it is tried again where its connection
    /// was lost, as all are when the server is restarted.
    pub(super) async fn all<R: Record>(&self, statement: Statement) -> sqlx::Result<Vec<R>> {
        match self.acquire().await?.link().all(statement.clone()).await {
            Err(error) if is_lost(&error) => self.acquire().await?.link().all(statement).await,
            done => done,
        }
    }

    /// The first row, if there is one; like [`Pool::all`].
    pub(super) async fn optional<R: Record>(
        &self,
        statement: Statement,
    ) -> sqlx::Result<Option<R>> {
        match self.acquire().await?.link().optional(statement.clone()).await {
            Err(error) if is_lost(&error) => self.acquire().await?.link().optional(statement).await,
            done => done,
        }
    }

    /// The row that must be there.
    pub(super) async fn one<R: Record>(&self, statement: Statement) -> sqlx::Result<R> {
        self.optional(statement).await?.ok_or(sqlx::Error::RowNotFound)
    }

    /// Runs it for its effect; answers how many rows it touched.
    pub(super) async fn execute(&self, statement: Statement) -> sqlx::Result<u64> {
        self.acquire().await?.link().execute(statement).await
    }

    /// How many connections it may have.
    #[cfg(test)]
    pub(super) fn size_limit(&self) -> u32 {
        match self {
            Self::Sqlite(pool) => pool.options().get_max_connections(),
            Self::Postgres(sessions) => sessions.pool().options().get_max_connections(),
        }
    }

    pub(super) async fn close(&self) {
        match self {
            Self::Sqlite(pool) => pool.close().await,
            Self::Postgres(sessions) => sessions.pool().close().await,
        }
    }
}

/// Whether the connection ended under a statement. One that took too long is none of these.
fn is_lost(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(error) => error.kind() != std::io::ErrorKind::TimedOut,
        // Class 57P: the server is told to stop, or restarts.
        sqlx::Error::Database(error) => error.code().is_some_and(|code| code.starts_with("57P")),
        _ => false,
    }
}
