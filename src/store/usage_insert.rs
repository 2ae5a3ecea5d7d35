//! Taking batches of usage records from the ledger.
//!
//! This runs for every request that the gateway serves, so it counts: of a record only its place is
//! parsed, without allocating; rows go in a few statements of fixed size, which stay prepared.

use std::sync::{Arc, LazyLock};

use bytes::Bytes;
use serde::Deserialize;
use sqlx::{AssertSqlSafe, PgConnection, SqliteConnection};
use uuid::Uuid;

use super::{Store, StoreError, Tx, statement::Link};
use crate::{
    domain::{OrgId, RecordId, Timestamp},
    ledger::{SinkError, UsageSink},
};

/// Rows per statement, largest first. 4 columns each.
static STATEMENTS: LazyLock<[(usize, Arc<str>); 3]> =
    LazyLock::new(|| [64, 8, 1].map(|rows| (rows, insert_of(rows))));

/// Placeholders are anonymous here: SQLite finds numbered ones by a linear search per value.
fn insert_of(rows: usize) -> Arc<str> {
    let row = "(?,?,?,?)";
    format!(
        "INSERT INTO usage_records (org_id, ts, id, record)
         VALUES {} ON CONFLICT (org_id, ts, id) DO NOTHING",
        vec![row; rows].join(",")
    )
    .into()
}

const POSTGRES: &str = "INSERT INTO usage_records (org_id, ts, id, record)
    SELECT * FROM UNNEST($1::uuid[], $2::bigint[], $3::uuid[], $4::text[])
    ON CONFLICT (org_id, ts, id) DO NOTHING";

/// The part of a [`crate::domain::UsageRecord`] by which it is found.
#[derive(Deserialize)]
struct Place {
    id: RecordId,
    ts: Timestamp,
    org_id: Option<OrgId>,
}

impl Place {
    fn org(&self) -> Uuid {
        self.org_id.map_or(Uuid::nil(), |id| id.0)
    }
}

#[async_trait::async_trait]
impl UsageSink for Store {
    async fn store_usage(&self, batch: &[Bytes]) -> Result<(), SinkError> {
        self.insert_usage(batch).await.map_err(|error| SinkError(error.to_string()))
    }
}

impl Store {
    /// Stores all or nothing; which record is at fault is the ledger's to find out.
    async fn insert_usage(&self, batch: &[Bytes]) -> Result<(), StoreError> {
        let mut tx = Tx::append(&self.writer).await?;
        match tx.link() {
            Link::Sqlite(link) => into_sqlite(link, batch).await?,
            Link::Postgres(link) => into_postgres(link, batch).await?,
        }
        tx.commit().await
    }
}

async fn into_sqlite(link: &mut SqliteConnection, batch: &[Bytes]) -> Result<(), StoreError> {
    let mut rest: &[Bytes] = batch;
    for (rows, statement) in STATEMENTS.iter() {
        let mut chunks = rest.chunks_exact(*rows);
        for chunk in &mut chunks {
            insert_rows(link, chunk, statement).await?;
        }
        rest = chunks.remainder();
    }
    Ok(())
}

async fn insert_rows(
    link: &mut SqliteConnection,
    records: &[Bytes],
    statement: &Arc<str>,
) -> Result<(), StoreError> {
    let mut query = sqlx::query(AssertSqlSafe(Arc::clone(statement)));
    for record in records {
        let (place, record) = parse(record)?;
        query = query.bind(place.org()).bind(place.ts.0).bind(place.id.0).bind(record);
    }
    query.execute(link).await?;
    Ok(())
}

async fn into_postgres(link: &mut PgConnection, batch: &[Bytes]) -> Result<(), StoreError> {
    let size = batch.len();
    let (mut orgs, mut times) = (Vec::with_capacity(size), Vec::with_capacity(size));
    let (mut ids, mut records) = (Vec::with_capacity(size), Vec::with_capacity(size));
    for record in batch {
        let (place, record) = parse(record)?;
        orgs.push(place.org());
        times.push(place.ts.0);
        ids.push(place.id.0);
        records.push(record);
    }
    let query = sqlx::query(POSTGRES).bind(orgs).bind(times).bind(ids).bind(records);
    query.execute(link).await?;
    Ok(())
}

fn parse(record: &[u8]) -> Result<(Place, &str), StoreError> {
    let unreadable = |error: &dyn std::error::Error| {
        StoreError::Invalid(format!("a usage record is unreadable: {error}"))
    };
    let text = std::str::from_utf8(record).map_err(|error| unreadable(&error))?;
    let place = serde_json::from_str(text).map_err(|error| unreadable(&error))?;
    Ok((place, text))
}
