//! The store: opening it, and the kinds of transaction.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use super::{StoreError, Tx, open_postgres, open_sqlite, pool::Pool, postgres_url};

/// Connections to PostgreSQL where nothing is said: three replicas leave most of its default of 100.
const CONNECTIONS: u32 = 16;

/// The database. Clones share its connections.
///
/// With SQLite one connection writes, so that writers queue here instead of failing on its lock;
/// the others read. Some of these are for the data plane alone, whose questions take no time: a
/// scan of the usage must not keep a key from being looked up. PostgreSQL is asked through the same
/// three, and its writers queue in the database, those of other replicas too.
#[derive(Clone)]
pub struct Store {
    pub(super) readers: Pool,
    pub(super) lookups: Pool,
    pub(super) writer: Pool,
    away: Arc<AtomicBool>,
}

impl Store {
    /// Opens `sqlite://<path>`, made with mode 0600 if there is none, or `postgres://…`, and brings
    /// its schema to this version. Processes that open a new database together wait for each other.
    ///
    /// # Errors
    /// [`StoreError::Open`] when the URL is not understood, the database cannot be reached, or it
    /// was written by a newer version.
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        Self::open_with(url, CONNECTIONS).await
    }

    /// The same with at most so many connections to PostgreSQL.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub async fn open_with(url: &str, connections: u32) -> Result<Self, StoreError> {
        if url.starts_with("sqlite://") {
            open_sqlite::open(url).await
        } else if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            open_postgres::open(url, connections).await
        } else {
            let reason = "the URL must start with sqlite:// or postgres://".to_owned();
            Err(StoreError::Open { path: "at storage.url".to_owned(), reason })
        }
    }

    /// Whether [`Store::open`] would understand the URL.
    ///
    /// # Errors
    /// [`StoreError::Open`] when it would not.
    pub fn understands(url: &str) -> Result<(), StoreError> {
        if url.starts_with("sqlite://") {
            open_sqlite::read(url).map(drop)
        } else {
            postgres_url::read(url).map(drop)
        }
    }

    pub(super) fn new(readers: Pool, lookups: Pool, writer: Pool) -> Self {
        Self { readers, lookups, writer, away: Arc::default() }
    }

    /// Whether the database did not answer when it was last looked at.
    pub fn is_away(&self) -> bool {
        self.away.load(Ordering::Relaxed)
    }

    /// Takes note of whether it did; answers what was known before.
    pub fn note_away(&self, away: bool) -> bool {
        self.away.swap(away, Ordering::Relaxed)
    }

    /// A transaction that sees one moment of the database. For reading only.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn read(&self) -> Result<Tx, StoreError> {
        Tx::read(&self.readers).await
    }

    /// A transaction that may write. There is one at a time: what it read stays true until it
    /// commits, so a rule can be checked and the row written without a race. Dropping it undoes it.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn write(&self) -> Result<Tx, StoreError> {
        Tx::write(&self.writer).await
    }

    /// What stands in the way of a new connection, for the log; nothing if one can be made.
    pub async fn trouble(&self) -> Option<String> {
        match &self.lookups {
            Pool::Sqlite(_) => None,
            Pool::Postgres(sessions) => sessions.trouble().await,
        }
    }

    /// Whether [`Store::close`] was called.
    pub fn is_closed(&self) -> bool {
        match &self.lookups {
            Pool::Sqlite(pool) => pool.is_closed(),
            Pool::Postgres(sessions) => sessions.pool().is_closed(),
        }
    }

    /// Closes every connection once it is idle. Clones of this store stop working.
    pub async fn close(&self) {
        self.lookups.close().await;
        self.readers.close().await;
        self.writer.close().await;
    }
}
