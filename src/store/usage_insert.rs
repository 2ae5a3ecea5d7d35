//! Taking batches of usage records from the ledger.
//!
//! This runs for every request that the gateway serves, so it counts: of a record only what is
//! needed is parsed, without allocating; rows go in a few statements of fixed size, which stay
//! prepared; and a batch is summed up in memory before its sums are added.

use std::{
    collections::HashSet,
    sync::{Arc, LazyLock},
};

use bytes::Bytes;
use sqlx::{AssertSqlSafe, Connection as _, Row as _, SqliteConnection};
use uuid::Uuid;

use super::{
    Store, StoreError, Tx, bulk::Bulk, rollup::Rollup, session::Session, statement::Link,
    usage_facts::Facts,
};
use crate::{
    domain::Mark,
    ledger::{SinkError, UsageSink},
};

const COLUMNS: &str = "INSERT INTO usage_records (org_id, ts, id, record, rolled_up)";
const ONCE: &str = "ON CONFLICT (org_id, ts, id) DO NOTHING";

/// Placeholders are anonymous here: SQLite finds numbered ones by a linear search per value.
static SQLITE: LazyLock<Bulk> = LazyLock::new(|| Bulk::new(COLUMNS, "(?,?,?,?,TRUE)", ONCE));

/// The same one by one, telling by its identifier that a record was added.
const SQLITE_TELLING: &str = "INSERT INTO usage_records (org_id, ts, id, record, rolled_up)
    VALUES (?,?,?,?,TRUE) ON CONFLICT (org_id, ts, id) DO NOTHING RETURNING id";

const POSTGRES: &str = "INSERT INTO usage_records (org_id, ts, id, record, user_id, api_key_id,
        provider_id, provider_name, upstream_model, alias, status, group_names, rolled_up)
    SELECT org_id, ts, id, record, user_id, api_key_id, provider_id, provider_name, upstream_model,
        alias, status, group_names::jsonb, TRUE
    FROM UNNEST($1::uuid[], $2::bigint[], $3::uuid[], $4::text[], $5::uuid[], $6::uuid[],
        $7::uuid[], $8::text[], $9::text[], $10::text[], $11::bigint[], $12::text[])
        AS new (org_id, ts, id, record, user_id, api_key_id, provider_id, provider_name,
            upstream_model, alias, status, group_names)
    ON CONFLICT (org_id, ts, id) DO NOTHING RETURNING id";

/// A record, parsed and as it came.
type Parsed<'a> = (Facts<'a>, &'a str);

#[async_trait::async_trait]
impl UsageSink for Store {
    async fn store_usage(&self, batch: &[Bytes]) -> Result<(), SinkError> {
        self.insert_usage(batch, None).await.map_err(told)
    }

    async fn store_usage_up_to(&self, batch: &[Bytes], mark: Mark) -> Result<(), SinkError> {
        self.insert_usage(batch, Some(mark)).await.map_err(told)
    }
}

impl Store {
    /// Stores all or nothing; which record is at fault is the ledger's to find out.
    async fn insert_usage(&self, batch: &[Bytes], mark: Option<Mark>) -> Result<(), StoreError> {
        let batch: Result<Vec<Parsed<'_>>, StoreError> =
            batch.iter().map(|record| Facts::parse(record)).collect();
        let batch = batch?;
        let mut tx = Tx::append(&self.writer).await?;
        if !batch.is_empty() {
            tx.add_usage(&batch).await?;
        }
        if let Some(mark) = mark {
            tx.move_mark(mark).await?;
        }
        tx.commit().await
    }
}

#[expect(clippy::needless_pass_by_value, reason = "errors are mapped by value")]
fn told(error: StoreError) -> SinkError {
    let text = error.to_string();
    if error.is_about_the_value() { SinkError::Refused(text) } else { SinkError::Away(text) }
}

impl Tx {
    /// Adds those that are not there yet, and their figures to the sums.
    pub(super) async fn add_usage(&mut self, batch: &[Parsed<'_>]) -> Result<(), StoreError> {
        let new = match self.link() {
            Link::Sqlite(link) => into_sqlite(link, batch).await?,
            Link::Postgres(link) => into_postgres(link, batch).await?,
        };
        let rollup = match new {
            New::All => Rollup::of(batch.iter().map(|(facts, _)| facts)),
            New::Only(mut new) => {
                Rollup::of(batch.iter().map(|(facts, _)| facts).filter(|of| new.remove(&of.id.0)))
            }
        };
        self.roll_up(rollup).await
    }
}

/// Which records of a batch were not there yet.
enum New {
    All,
    /// The rest was there before, or the batch holds one twice: then the first counts.
    Only(HashSet<Uuid>),
}

/// Adds the batch as if all of it were new, which it is but for what a crash has left half
/// delivered, and only counts what was added: a row that is answered is handed from SQLite's thread
/// to this one by itself. Where the count falls short, the batch is taken back and asked about.
async fn into_sqlite(link: &mut SqliteConnection, batch: &[Parsed<'_>]) -> Result<New, StoreError> {
    let mut attempt = link.begin().await?;
    let mut added = 0;
    for (records, statement) in SQLITE.parts(batch) {
        let mut query = sqlx::query(AssertSqlSafe(Arc::clone(statement)));
        for (facts, record) in records {
            query = query.bind(org(facts)).bind(facts.ts.0).bind(facts.id.0);
            // In one allocation: a slice would take two.
            query = query.bind(Arc::<str>::from(*record));
        }
        added += query.execute(&mut *attempt).await?.rows_affected();
    }
    if added == batch.len() as u64 {
        attempt.commit().await?;
        return Ok(New::All);
    }
    attempt.rollback().await?;
    let mut new = HashSet::with_capacity(batch.len());
    for (facts, record) in batch {
        let query = sqlx::query_scalar::<_, Uuid>(SQLITE_TELLING);
        let query = query.bind(org(facts)).bind(facts.ts.0).bind(facts.id.0).bind(*record);
        new.extend(query.fetch_optional(&mut *link).await?);
    }
    Ok(New::Only(new))
}

fn org(facts: &Facts<'_>) -> Uuid {
    facts.org_id.map_or(Uuid::nil(), |id| id.0)
}

async fn into_postgres(link: &mut Session, batch: &[Parsed<'_>]) -> Result<New, StoreError> {
    let facts = || batch.iter().map(|(facts, _)| facts);
    let query = sqlx::query(POSTGRES)
        .bind(facts().map(org).collect::<Vec<_>>())
        .bind(facts().map(|of| of.ts.0).collect::<Vec<_>>())
        .bind(facts().map(|of| of.id.0).collect::<Vec<_>>())
        .bind(batch.iter().map(|(_, record)| *record).collect::<Vec<_>>())
        .bind(facts().map(|of| of.user_id.map(|id| id.0)).collect::<Vec<_>>())
        .bind(facts().map(|of| of.api_key_id.map(|id| id.0)).collect::<Vec<_>>())
        .bind(facts().map(|of| of.provider_id.map(|id| id.0)).collect::<Vec<_>>())
        .bind(facts().map(Facts::provider_name).collect::<Vec<_>>())
        .bind(facts().map(Facts::upstream_model).collect::<Vec<_>>())
        .bind(facts().map(Facts::alias).collect::<Vec<_>>())
        .bind(facts().map(|of| i64::from(of.status)).collect::<Vec<_>>())
        .bind(facts().map(Facts::groups).collect::<Vec<_>>());
    let new = link.all(query).await?;
    if new.len() == batch.len() {
        return Ok(New::All);
    }
    Ok(New::Only(new.iter().map(|row| row.try_get(0)).collect::<sqlx::Result<_>>()?))
}
