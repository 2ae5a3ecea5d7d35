//! Opening PostgreSQL: its connections and its migrations.

use std::time::{Duration, Instant};

use sqlx::{
    ConnectOptions as _, Connection as _, PgConnection, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};

use super::{
    Store, StoreError,
    migrations::{TAKEN, check_newer, migrator},
    pool::{Engine, Pool},
    postgres_url::{self, Place},
    session::Sessions,
};

/// How long an operation waits for a connection, a new one or one that is in use; beyond it the
/// store counts as unavailable, and whoever asked is told so while there is still time for an answer.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(1);
/// How long the server works on one statement, and waits for a lock, milliseconds: a statement that
/// takes longer is lost work, because whoever asked has left.
const STATEMENT_TIMEOUT_MS: &str = "15000";
const LOCK_TIMEOUT_MS: &str = "5000";
/// How long a transaction may wait for its next statement, milliseconds: one whose process froze
/// must not keep the other replicas from writing.
const IDLE_IN_TRANSACTION_MS: &str = "10000";
/// How long a statement is waited for: longer than the server works on it.
const PATIENCE: Duration = Duration::from_secs(16);
/// The same for what the data plane asks, which takes no time.
const LOOKUP_PATIENCE: Duration = Duration::from_secs(5);
/// How long a connection that is not needed stays open.
const IDLE: Duration = Duration::from_secs(600);
/// How long a server that is starting is waited for, and how long any server may take to answer.
const START_PATIENCE: Duration = Duration::from_secs(10);
const START_AGAIN: Duration = Duration::from_millis(200);

/// Opens the database with at most so many connections, not counting the one that hears of changes.
pub(super) async fn open(url: &str, connections: u32) -> Result<Store, StoreError> {
    let (options, place) = postgres_url::read(url)?;
    if place.is_exposed() {
        tracing::warn!(
            "storage.url does not ask for a verified connection: add sslmode=verify-full, and \
             sslrootcert=<file> where the server's certificate is by an authority of your own"
        );
    }
    let options = options.application_name("turnpike").disable_statement_logging();
    // Migrations may wait for those of another replica, or work for long.
    let mut first = connect(&options, &place).await?;
    let migrated = migrator(Engine::Postgres).run(&mut first).await;
    migrated.map_err(|error| place.refused_to_migrate(&error))?;
    let taken = sqlx::query_as(TAKEN).fetch_all(&mut first).await;
    let taken: Vec<(i64, String)> = taken.map_err(|error| place.refused(&error))?;
    check_newer(taken, Engine::Postgres).map_err(|reason| place.refuse(reason))?;
    let _closed_or_gone = first.close().await;
    let options = options.options([
        ("statement_timeout", STATEMENT_TIMEOUT_MS),
        ("lock_timeout", LOCK_TIMEOUT_MS),
        ("idle_in_transaction_session_timeout", IDLE_IN_TRANSACTION_MS),
    ]);
    // What is read for the admin API has filters that may be given or not: a plan that is made for
    // any values walks everything, and planning costs nothing beside that.
    let planned = options.clone().options([("plan_cache_mode", "force_custom_plan")]);
    let by = Instant::now() + START_PATIENCE;
    let pool = async |connections, patience, options| {
        let pool = pool(connections).connect_lazy_with(options);
        match first_of(&pool, by).await {
            Err(sqlx::Error::PoolTimedOut) => return Err(place.silent()),
            Err(error) => return Err(place.refused(&error)),
            Ok(()) => {}
        }
        Ok::<_, StoreError>(Pool::Postgres(Sessions::new(pool, patience)))
    };
    let shares = Shares::of(connections);
    Ok(Store::new(
        pool(shares.readers, PATIENCE, planned).await?,
        pool(shares.lookups, LOOKUP_PATIENCE, options.clone()).await?,
        pool(shares.writers, PATIENCE, options).await?,
    ))
}

/// The first connection, whose failure is told to the operator: it is not hidden behind a pool's.
async fn connect(options: &PgConnectOptions, place: &Place) -> Result<PgConnection, StoreError> {
    let end = Instant::now() + START_PATIENCE;
    loop {
        let answered = tokio::time::timeout(START_PATIENCE, PgConnection::connect_with(options));
        match answered.await {
            Ok(Ok(connection)) => return Ok(connection),
            Ok(Err(error)) if is_starting(&error) && Instant::now() < end => {
                tokio::time::sleep(START_AGAIN).await;
            }
            Ok(Err(error)) => return Err(place.refused(&error)),
            Err(_) => return Err(place.silent()),
        }
    }
}

/// A pool's first connection. Who starts can wait for a busy server; requests cannot.
async fn first_of(pool: &PgPool, by: Instant) -> sqlx::Result<()> {
    loop {
        match pool.acquire().await {
            Err(sqlx::Error::PoolTimedOut) if Instant::now() < by => {}
            other => return other.map(drop),
        }
    }
}

/// It says so itself (`57P03`), or has no connection left at the moment (`53300`).
fn is_starting(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    code.is_some_and(|code| code == "57P03" || code == "53300")
}

fn pool(connections: u32) -> PgPoolOptions {
    PgPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .idle_timeout(IDLE)
        // A connection that died while nobody used it is found out before a statement is lost on it.
        .test_before_acquire(true)
}

/// Who gets how many connections: the data plane's questions a quarter, the admin API's reading and
/// all writing the same of the rest.
#[derive(Debug, PartialEq, Eq)]
struct Shares {
    lookups: u32,
    readers: u32,
    writers: u32,
}

impl Shares {
    fn of(connections: u32) -> Self {
        let lookups = (connections / 4).max(1);
        let rest = connections.saturating_sub(lookups);
        let readers = (rest / 2).max(1);
        Self { lookups, readers, writers: rest.saturating_sub(readers).max(1) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_are_shared_out_to_the_last_and_nobody_gets_none() {
        for connections in 3..200 {
            let shares = Shares::of(connections);
            assert_eq!(shares.lookups + shares.readers + shares.writers, connections);
            assert!(shares.lookups > 0 && shares.readers > 0 && shares.writers > 0);
        }
        assert_eq!(Shares::of(16), Shares { lookups: 4, readers: 6, writers: 6 });
    }
}
