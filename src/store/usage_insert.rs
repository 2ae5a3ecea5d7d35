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
static SINGLE: LazyLock<Arc<str>> = LazyLock::new(|| insert_of(1));

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
    async fn insert_usage(&self, batch: &[Bytes]) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        let mut rest: &[Bytes] = batch;
        for (rows, statement) in STATEMENTS.iter() {
            let mut chunks = rest.chunks_exact(*rows);
            for chunk in &mut chunks {
                insert_chunk(tx.connection_mut(), chunk, *rows, statement).await?;
            }
            rest = chunks.remainder();
        }
        tx.commit().await
    }
}

async fn insert_chunk(
    connection: &mut SqliteConnection,
    chunk: &[Bytes],
    rows: usize,
    statement: &Arc<str>,
) -> Result<(), StoreError> {
    let parsed: Vec<_> = chunk.iter().filter_map(|record| parse(record)).collect();
    if parsed.len() == rows {
        return insert_rows(connection, &parsed, statement).await;
    }
    // A record that no version can read would stop the ledger for good: the others go in singly.
    for record in parsed.chunks(1) {
        insert_rows(connection, record, &SINGLE).await?;
    }
    Ok(())
}

async fn insert_rows(
    connection: &mut SqliteConnection,
    records: &[(Place, &str)],
    statement: &Arc<str>,
) -> Result<(), StoreError> {
    let mut query = sqlx::query(AssertSqlSafe(Arc::clone(statement)));
    for (place, record) in records {
        query = query
            .bind(place.org_id.map_or(Uuid::nil(), |id| id.0))
            .bind(place.ts.0)
            .bind(place.id.0)
            .bind(*record);
    }
    query.execute(connection).await?;
    Ok(())
}

fn parse(record: &Bytes) -> Option<(Place, &str)> {
    let parsed = std::str::from_utf8(record).map_err(|error| error.to_string()).and_then(|text| {
        match serde_json::from_str(text) {
            Ok(place) => Ok((place, text)),
            Err(error) => Err(error.to_string()),
        }
    });
    parsed.inspect_err(|error| tracing::error!(error, "a usage record is unreadable: dropped")).ok()
}
