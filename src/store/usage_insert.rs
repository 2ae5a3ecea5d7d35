//! Taking batches of usage records from the ledger.
//!
//! This runs for every request that the gateway serves, so it counts: of a record only its place is
//! parsed, without allocating; rows go in a few statements of fixed size, which stay prepared.

use std::sync::{Arc, LazyLock};

use bytes::Bytes;
use serde::Deserialize;
use sqlx::{AssertSqlSafe, SqliteConnection};
use uuid::Uuid;

use super::{Store, StoreError};
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

/// The part of a [`crate::domain::UsageRecord`] by which it is found.
#[derive(Deserialize)]
struct Place {
    id: RecordId,
    ts: Timestamp,
    org_id: Option<OrgId>,
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
        let mut tx = self.write().await?;
        let mut rest: &[Bytes] = batch;
        for (rows, statement) in STATEMENTS.iter() {
            let mut chunks = rest.chunks_exact(*rows);
            for chunk in &mut chunks {
                insert_rows(tx.connection_mut(), chunk, statement).await?;
            }
            rest = chunks.remainder();
        }
        tx.commit().await
    }
}

async fn insert_rows(
    connection: &mut SqliteConnection,
    records: &[Bytes],
    statement: &Arc<str>,
) -> Result<(), StoreError> {
    let mut query = sqlx::query(AssertSqlSafe(Arc::clone(statement)));
    for record in records {
        let (place, record) = parse(record)?;
        query = query
            .bind(place.org_id.map_or(Uuid::nil(), |id| id.0))
            .bind(place.ts.0)
            .bind(place.id.0)
            .bind(record);
    }
    query.execute(connection).await?;
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
