//! Opening SQLite: the file, its settings and its migrations.

use std::{path::Path, str::FromStr as _, time::Duration};

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};

use super::{
    Store, StoreError,
    migrations::{TAKEN, check_newer, migrator},
    pool::{Engine, Pool},
};

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

/// Reads the URL.
pub(super) fn read(url: &str) -> Result<SqliteConnectOptions, StoreError> {
    SqliteConnectOptions::from_str(url).map_err(|error| refused(url, error.to_string()))
}

fn refused(url: &str, reason: String) -> StoreError {
    StoreError::Open { path: url.to_owned(), reason }
}

pub(super) async fn open(url: &str) -> Result<Store, StoreError> {
    let refuse = |reason: String| refused(url, reason);
    let options = read(url)?
        .page_size(PAGE_SIZE)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(BUSY_TIMEOUT);
    create_private(options.get_filename()).map_err(|error| refuse(error.to_string()))?;

    // Whoever migrates comes first: it switches a new file to WAL.
    let migrating = pool(1).connect_with(options.clone()).await;
    let migrating = migrating.map_err(|error| refuse(error.to_string()))?;
    let migrated = migrator(Engine::Sqlite).run(&migrating).await;
    migrated.map_err(|error| refuse(error.to_string()))?;
    let taken = sqlx::query_as(TAKEN).fetch_all(&migrating).await;
    let taken: Vec<(i64, String)> = taken.map_err(|error| refuse(error.to_string()))?;
    check_newer(taken, Engine::Sqlite).map_err(refuse)?;
    migrating.close().await;
    // What a statement or savepoint may have to take back is kept in memory, not in a temporary file: that was a third
    // of all that was written. Readers and migrations sort what may not fit in memory, so they keep their files.
    let writer = pool(1).connect_with(options.clone().pragma("temp_store", "MEMORY")).await;
    let writer = writer.map_err(|error| refuse(error.to_string()))?;
    let options = options.pragma("query_only", "ON");
    let readers = pool(READERS).connect_with(options.clone()).await;
    let readers = readers.map_err(|error| refuse(error.to_string()))?;
    let lookups = pool(LOOKUPS).connect_with(options).await;
    let lookups = lookups.map_err(|error| refuse(error.to_string()))?;
    Ok(Store::new(Pool::Sqlite(readers), Pool::Sqlite(lookups), Pool::Sqlite(writer)))
}

fn pool(connections: u32) -> SqlitePoolOptions {
    SqlitePoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
}

/// Makes the file readable by its owner alone. SQLite gives `-wal` and `-shm` the same mode.
fn create_private(path: &Path) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}
