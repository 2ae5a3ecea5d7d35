//! Opening the database: the file, its settings and its migrations.

use std::{path::Path, str::FromStr as _, time::Duration};

use sqlx::{
    SqlSafeStr as _, SqlitePool,
    migrate::{Migration, MigrationType, Migrator},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

use super::{StoreError, Tx};

/// How long a statement waits for another process's transaction.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// How long an operation waits for a connection; beyond it the store counts as unavailable.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);
/// Bytes. Twice SQLite's default: usage rows of about 1 KB fill it better and are written with less
/// work. A file keeps what it was made with.
const PAGE_SIZE: u32 = 8192;
/// Connections that only read. WAL lets them run beside the writer.
const READERS: u32 = 4;
/// Connections that only read what the data plane asks for.
const LOOKUPS: u32 = 2;

/// The database. Clones share its connections.
///
/// One connection writes, so that writers queue here instead of failing on SQLite's lock; the others
/// read. A few of these are for the data plane alone, whose questions take no time: a scan of the
/// usage must not keep a key from being looked up. Other processes may work on the same file at the same time.
#[derive(Clone)]
pub struct Store {
    pub(super) readers: SqlitePool,
    pub(super) lookups: SqlitePool,
    pub(super) writer: SqlitePool,
}

impl Store {
    /// Opens `sqlite://<path>`, makes the file (mode 0600) if there is none, and brings its schema
    /// to this version.
    ///
    /// # Errors
    /// [`StoreError::Open`] when the URL is not understood, the file cannot be opened, or it was
    /// written by a newer version.
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        let refuse = |reason: String| StoreError::Open { path: url.to_owned(), reason };
        if !url.starts_with("sqlite://") {
            return Err(refuse("the URL must start with sqlite://".to_owned()));
        }
        let options = SqliteConnectOptions::from_str(url)
            .map_err(|error| refuse(error.to_string()))?
            .page_size(PAGE_SIZE)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(BUSY_TIMEOUT);
        create_private(options.get_filename()).map_err(|error| refuse(error.to_string()))?;

        // The writer comes first: it switches a new file to WAL and migrates it.
        let writer = pool(1).connect_with(options.clone()).await;
        let writer = writer.map_err(|error| refuse(error.to_string()))?;
        migrator().run(&writer).await.map_err(|error| refuse(error.to_string()))?;
        let options = options.pragma("query_only", "ON");
        let readers = pool(READERS).connect_with(options.clone()).await;
        let readers = readers.map_err(|error| refuse(error.to_string()))?;
        let lookups = pool(LOOKUPS).connect_with(options).await;
        let lookups = lookups.map_err(|error| refuse(error.to_string()))?;
        Ok(Self { readers, lookups, writer })
    }

    /// A transaction that sees one moment of the database. For reading only.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn read(&self) -> Result<Tx, StoreError> {
        Ok(Tx::new(self.readers.begin().await?))
    }

    /// A transaction that may write. There is one at a time: what it read stays true until it
    /// commits, so a rule can be checked and the row written without a race. Dropping it undoes it.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn write(&self) -> Result<Tx, StoreError> {
        Ok(Tx::new(self.writer.begin_with("BEGIN IMMEDIATE").await?))
    }

    /// Closes every connection once it is idle. Clones of this store stop working.
    pub async fn close(&self) {
        self.lookups.close().await;
        self.readers.close().await;
        self.writer.close().await;
    }
}

fn pool(connections: u32) -> SqlitePoolOptions {
    SqlitePoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
}

/// Forward-only; a file's checksum is kept by the database, so a shipped one is never edited.
fn migrator() -> Migrator {
    let initial = include_str!("../../migrations/sqlite/0001_initial.sql").into_sql_str();
    Migrator::with_migrations(vec![Migration::new(
        1,
        "initial".into(),
        MigrationType::Simple,
        initial,
        false,
    )])
}

/// Makes the file readable by its owner alone. SQLite gives `-wal` and `-shm` the same mode.
fn create_private(path: &Path) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}
