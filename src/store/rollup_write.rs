//! Adding a batch's sums to those that are kept.
//!
//! It happens in the transaction that adds the records, so a record counts exactly once. Replicas
//! add to the same rows: each locks them in the order of their keys, for as long as its transaction
//! takes.
//!
//! Histograms are joined, not merged: the database need not understand them, and nothing is read
//! before it is written. One that has grown too long comes back and is written anew, shorter.

use std::sync::{Arc, LazyLock};

use sqlx::{AssertSqlSafe, SqliteConnection};
use uuid::Uuid;

use super::{
    StoreError, Tx,
    bulk::Bulk,
    histogram::Histogram,
    record::{Found, Record},
    rollup::{Entry, Rollup, Series},
    session::Session,
    statement::{Link, sql},
};

const SERIES: &str = "INSERT INTO usage_series (org_id, id, user_id, api_key_id, group_names,
    provider_id, provider_name, upstream_model, alias, smart_model, status, last_start)";
/// Locks the row even where nothing changes, so that it cannot be removed meanwhile.
const SEEN: &str = "ON CONFLICT (org_id, id) DO UPDATE SET last_start = excluded.last_start
    WHERE usage_series.last_start < excluded.last_start";
const SUMS: &str =
    "INSERT INTO usage_rollups (org_id, width, start, series, requests, priced, cost,
    input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, reasoning_tokens, latency,
    ttfb)";
/// 1,000 characters are about three times what an hour's histogram needs.
const ADD: &str = "ON CONFLICT (org_id, width, start, series) DO UPDATE SET
        requests = usage_rollups.requests + excluded.requests,
        priced = usage_rollups.priced + excluded.priced,
        cost = usage_rollups.cost + excluded.cost,
        input_tokens = usage_rollups.input_tokens + excluded.input_tokens,
        output_tokens = usage_rollups.output_tokens + excluded.output_tokens,
        cache_read_tokens = usage_rollups.cache_read_tokens + excluded.cache_read_tokens,
        cache_write_tokens = usage_rollups.cache_write_tokens + excluded.cache_write_tokens,
        reasoning_tokens = usage_rollups.reasoning_tokens + excluded.reasoning_tokens,
        latency = usage_rollups.latency || excluded.latency,
        ttfb = usage_rollups.ttfb || excluded.ttfb
    RETURNING org_id, width, start, series,
        CASE WHEN length(latency) + length(ttfb) > 1000 THEN latency END AS latency,
        CASE WHEN length(latency) + length(ttfb) > 1000 THEN ttfb END AS ttfb";
const SHORTEN: &str = "UPDATE usage_rollups SET latency = $5, ttfb = $6
    WHERE org_id = $1 AND width = $2 AND start = $3 AND series = $4";

static SQLITE_SERIES: LazyLock<Bulk> =
    LazyLock::new(|| Bulk::new(SERIES, "(?,?,?,?,?,?,?,?,?,?,?,?)", SEEN));
static SQLITE_SUMS: LazyLock<Bulk> =
    LazyLock::new(|| Bulk::new(SUMS, "(?,?,?,?,?,?,?,?,?,?,?,?,?,?)", ADD));
static POSTGRES_SERIES: LazyLock<Arc<str>> = LazyLock::new(|| {
    let rows = "SELECT * FROM UNNEST($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::text[],
        $6::uuid[], $7::text[], $8::text[], $9::text[], $10::text[], $11::bigint[],
        $12::bigint[])";
    format!("{SERIES} {rows} {SEEN}").into()
});
static POSTGRES_SUMS: LazyLock<Arc<str>> = LazyLock::new(|| {
    let rows = "SELECT * FROM UNNEST($1::uuid[], $2::bigint[], $3::bigint[], $4::uuid[],
        $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[], $10::bigint[],
        $11::bigint[], $12::bigint[], $13::text[], $14::text[])";
    format!("{SUMS} {rows} {ADD}").into()
});

impl Tx {
    /// Adds what a batch sums up to.
    pub(super) async fn roll_up(&mut self, rollup: Rollup<'_>) -> Result<(), StoreError> {
        if rollup.entries.is_empty() {
            return Ok(());
        }
        let long = match self.link() {
            Link::Sqlite(link) => {
                series_into_sqlite(&mut *link, &rollup.series).await?;
                sums_into_sqlite(link, &rollup.entries).await?
            }
            Link::Postgres(link) => {
                series_into_postgres(&mut *link, &rollup.series).await?;
                sums_into_postgres(link, &rollup.entries).await?
            }
        };
        for sums in long {
            self.shorten(sums).await?;
        }
        Ok(())
    }

    async fn shorten(&mut self, sums: Written) -> Result<(), StoreError> {
        let Some((latency, ttfb)) = sums.long else { return Ok(()) };
        let shortest = |text: &str| {
            let mut histogram = Histogram::default();
            histogram.read(text);
            histogram.text()
        };
        let shorten = sql(SHORTEN)
            .bind(sums.org)
            .bind(sums.width)
            .bind(sums.start)
            .bind(sums.series)
            .bind(shortest(&latency))
            .bind(shortest(&ttfb));
        self.execute(shorten).await?;
        Ok(())
    }
}

/// A row that was added to, with its histograms where they have grown long.
struct Written {
    org: Uuid,
    width: i64,
    start: i64,
    series: Uuid,
    long: Option<(String, String)>,
}

impl Record for Written {
    fn read(found: &Found<'_>) -> sqlx::Result<Self> {
        let latency: Option<String> = found.get("latency")?;
        Ok(Self {
            org: found.get("org_id")?,
            width: found.get("width")?,
            start: found.get("start")?,
            series: found.get("series")?,
            long: latency.zip(found.get("ttfb")?),
        })
    }
}

type SeriesRow<'a> = (Uuid, Series<'a>, i64);

async fn series_into_sqlite(
    link: &mut SqliteConnection,
    series: &[SeriesRow<'_>],
) -> sqlx::Result<()> {
    for (rows, statement) in SQLITE_SERIES.parts(series) {
        let mut query = sqlx::query(AssertSqlSafe(Arc::clone(statement)));
        for (id, of, last_start) in rows {
            query = query.bind(of.org).bind(id).bind(of.user).bind(of.api_key).bind(&*of.groups);
            query = query.bind(of.provider).bind(of.provider_name).bind(of.upstream_model);
            query = query.bind(of.alias).bind(of.smart_model);
            query = query.bind(i64::from(of.status)).bind(last_start);
        }
        query.execute(&mut *link).await?;
    }
    Ok(())
}

async fn sums_into_sqlite(
    link: &mut SqliteConnection,
    entries: &[Entry],
) -> sqlx::Result<Vec<Written>> {
    let mut written = Vec::new();
    for (rows, statement) in SQLITE_SUMS.parts(entries) {
        let mut query = sqlx::query(AssertSqlSafe(Arc::clone(statement)));
        for Entry { org, width, start, series, added } in rows {
            query = query.bind(org).bind(width).bind(start).bind(series);
            query = query.bind(added.requests).bind(added.priced).bind(added.cost);
            query = query.bind(added.input).bind(added.output).bind(added.cache_read);
            query = query.bind(added.cache_write).bind(added.reasoning);
            query = query.bind(added.latency()).bind(added.ttfb());
        }
        for row in query.fetch_all(&mut *link).await? {
            written.push(Written::read(&Found::Sqlite(&row))?);
        }
    }
    Ok(written)
}

async fn series_into_postgres(link: &mut Session, series: &[SeriesRow<'_>]) -> sqlx::Result<()> {
    let of = || series.iter().map(|(_, of, _)| of);
    let query = sqlx::query(AssertSqlSafe(Arc::clone(&POSTGRES_SERIES)))
        .bind(of().map(|of| of.org).collect::<Vec<_>>())
        .bind(series.iter().map(|(id, ..)| *id).collect::<Vec<_>>())
        .bind(of().map(|of| of.user).collect::<Vec<_>>())
        .bind(of().map(|of| of.api_key).collect::<Vec<_>>())
        .bind(of().map(|of| &*of.groups).collect::<Vec<_>>())
        .bind(of().map(|of| of.provider).collect::<Vec<_>>())
        .bind(of().map(|of| of.provider_name).collect::<Vec<_>>())
        .bind(of().map(|of| of.upstream_model).collect::<Vec<_>>())
        .bind(of().map(|of| of.alias).collect::<Vec<_>>())
        .bind(of().map(|of| of.smart_model).collect::<Vec<_>>())
        .bind(of().map(|of| i64::from(of.status)).collect::<Vec<_>>())
        .bind(series.iter().map(|(.., start)| *start).collect::<Vec<_>>());
    link.execute(query).await?;
    Ok(())
}

async fn sums_into_postgres(link: &mut Session, entries: &[Entry]) -> sqlx::Result<Vec<Written>> {
    let latency: Vec<String> = entries.iter().map(|entry| entry.added.latency()).collect();
    let ttfb: Vec<String> = entries.iter().map(|entry| entry.added.ttfb()).collect();
    let sum = |of: fn(&Entry) -> i64| entries.iter().map(of).collect::<Vec<_>>();
    let query = sqlx::query(AssertSqlSafe(Arc::clone(&POSTGRES_SUMS)))
        .bind(entries.iter().map(|entry| entry.org).collect::<Vec<_>>())
        .bind(sum(|entry| entry.width))
        .bind(sum(|entry| entry.start))
        .bind(entries.iter().map(|entry| entry.series).collect::<Vec<_>>())
        .bind(sum(|entry| entry.added.requests))
        .bind(sum(|entry| entry.added.priced))
        .bind(sum(|entry| entry.added.cost))
        .bind(sum(|entry| entry.added.input))
        .bind(sum(|entry| entry.added.output))
        .bind(sum(|entry| entry.added.cache_read))
        .bind(sum(|entry| entry.added.cache_write))
        .bind(sum(|entry| entry.added.reasoning))
        .bind(latency)
        .bind(ttfb);
    let rows = link.all(query).await?;
    rows.iter().map(|row| Written::read(&Found::Postgres(row))).collect()
}
