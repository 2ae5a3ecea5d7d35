//! Opening PostgreSQL: its connections and its migrations.

use std::{str::FromStr as _, time::Duration};

use sqlx::{
    ConnectOptions as _,
    postgres::{PgConnectOptions, PgPoolOptions},
};

use super::{
    Store, StoreError,
    migrations::migrator,
    pool::{Engine, Pool},
};

/// How long an operation waits for a connection, a new one or one that is in use; beyond it the
/// store counts as unavailable, and whoever asked is told so while there is still time for an answer.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(1);
/// How long the server works on one statement, milliseconds: a statement that takes longer is lost
/// work, because whoever asked has left.
const STATEMENT_TIMEOUT_MS: &str = "15000";
/// Connections that read for the admin API.
const READERS: u32 = 8;
/// Connections that read what the data plane asks for, and one on which changes are announced.
const LOOKUPS: u32 = 5;
/// Connections that write: usage, and changes that queue.
const WRITERS: u32 = 12;
/// How long a connection that is not needed stays open.
const IDLE: Duration = Duration::from_secs(600);

pub(super) async fn open(url: &str) -> Result<Store, StoreError> {
    let options = PgConnectOptions::from_str(url).map_err(|_| StoreError::Open {
        path: "at storage.url".to_owned(),
        reason: "it must look like postgres://user:password@host:5432/database".to_owned(),
    })?;
    // The URL holds a password.
    let place = format!("at {}:{}", options.get_host(), options.get_port());
    let refuse = |reason: String| StoreError::Open { path: place.clone(), reason };
    let options = options
        .application_name("turnpike")
        .options([("statement_timeout", STATEMENT_TIMEOUT_MS)])
        .disable_statement_logging();
    // Migrations may wait for those of another replica, or work for long.
    let unhurried = options.clone().options([("statement_timeout", "0")]);
    let first = PgPoolOptions::new().max_connections(1).connect_with(unhurried).await;
    let first = first.map_err(|error| refuse(error.to_string()))?;
    let migrated = migrator(Engine::Postgres).run(&first).await;
    migrated.map_err(|error| refuse(error.to_string()))?;
    first.close().await;
    let pool = |connections| Pool::Postgres(pool(connections).connect_lazy_with(options.clone()));
    Ok(Store { readers: pool(READERS), lookups: pool(LOOKUPS), writer: pool(WRITERS) })
}

fn pool(connections: u32) -> PgPoolOptions {
    PgPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .idle_timeout(IDLE)
        // A connection that died while nobody used it is found out before a statement is lost on it.
        .test_before_acquire(true)
}
