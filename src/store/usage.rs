//! Reading usage records, newest first, in pages.

use serde_json::value::RawValue;
use uuid::Uuid;

use super::{
    Engine, Store, StoreError, Tx, listing,
    record::{Found, Record, unreadable},
    statement::{Statement, sql},
};
use crate::domain::{KeyId, OrgId, ProviderId, RecordId, Timestamp, UserId, whole_record};

/// Where a page ended: the next holds what is older.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UsagePosition {
    /// Time of the last record.
    pub ts: Timestamp,
    /// Its id, which orders records of one moment.
    pub id: RecordId,
}

/// Which records; what is none does not narrow.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UsageFilter {
    /// At or after.
    pub from: Option<Timestamp>,
    /// Before.
    pub to: Option<Timestamp>,
    /// Of this user.
    pub user: Option<UserId>,
    /// Of callers in this group.
    pub group: Option<String>,
    /// Of this key.
    pub api_key: Option<KeyId>,
    /// Of this provider, by id.
    pub provider: Option<ProviderId>,
    /// Of the provider that had this name then.
    pub provider_name: Option<String>,
    /// Of this upstream model.
    pub model: Option<String>,
    /// Of this alias.
    pub alias: Option<String>,
    /// Of this smart model: its requests and those of its determiner.
    pub smart_model: Option<String>,
    /// Answered with this status.
    pub status: Option<u16>,
}

/// Which single records: what sums can be narrowed by, and what only a record has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecordFilter {
    /// As for sums.
    pub usage: UsageFilter,
    /// Of the request with this id.
    pub request_id: Option<String>,
    /// Whether the request failed: was answered with 400 or more.
    pub failed: Option<bool>,
}

impl From<UsageFilter> for RecordFilter {
    fn from(usage: UsageFilter) -> Self {
        Self { usage, ..Self::default() }
    }
}

/// Records, and where to go on.
#[derive(Debug)]
pub struct UsagePage {
    /// [`crate::domain::UsageRecord`]s with all their members.
    pub records: Vec<Box<RawValue>>,
    /// None on the last page.
    pub next: Option<UsagePosition>,
}

/// `(ts, id) < ($3, $4)` carries both the end of the period and the cursor, and walks the index.
/// `$13` and `$15` are members as records write them: see [`member`].
const PAGE_SQLITE: &str = "SELECT ts, id, record FROM usage_records
    WHERE org_id = $1 AND ts >= $2 AND (ts, id) < ($3, $4)
        AND ($5 IS NULL OR json_extract(record, '$.user_id') = $5)
        AND ($6 IS NULL OR json_extract(record, '$.api_key_id') = $6)
        AND ($7 IS NULL OR json_extract(record, '$.provider_id') = $7)
        AND ($8 IS NULL OR json_extract(record, '$.provider_name') = $8)
        AND ($9 IS NULL OR json_extract(record, '$.upstream_model') = $9)
        AND ($10 IS NULL OR json_extract(record, '$.alias') = $10)
        AND ($11 IS NULL OR json_extract(record, '$.status') = $11)
        AND ($12 IS NULL OR EXISTS
            (SELECT 1 FROM json_each(record, '$.group_names') WHERE value = $12))
        AND ($13 IS NULL OR instr(record, $13) > 0)
        AND ($14 IS NULL OR (json_extract(record, '$.status') >= 400) = $14)
        AND ($15 IS NULL OR instr(record, $15) > 0)
    ORDER BY ts DESC, id DESC LIMIT $16";
/// `ts <= $3` tells which months can be left out.
const PAGE_POSTGRES: &str = "SELECT ts, id, record FROM usage_records
    WHERE org_id = $1 AND ts >= $2 AND ts <= $3 AND (ts, id) < ($3, $4)
        AND ($5 IS NULL OR user_id = ($5::text)::uuid)
        AND ($6 IS NULL OR api_key_id = ($6::text)::uuid)
        AND ($7 IS NULL OR provider_id = ($7::text)::uuid)
        AND ($8 IS NULL OR provider_name = $8)
        AND ($9 IS NULL OR upstream_model = $9)
        AND ($10 IS NULL OR alias = $10)
        AND ($11 IS NULL OR status = $11)
        AND ($12 IS NULL OR group_names ? $12)
        AND ($13 IS NULL OR strpos(record, $13) > 0)
        AND ($14 IS NULL OR (status >= 400) = $14)
        AND ($15 IS NULL OR strpos(record, $15) > 0)
    ORDER BY ts DESC, id DESC LIMIT $16";

impl Store {
    /// One page of an organization's records, newest first; `after` is where the last one ended.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn usage(
        &self,
        org: OrgId,
        filter: &RecordFilter,
        after: Option<UsagePosition>,
        limit: u32,
    ) -> Result<UsagePage, StoreError> {
        let page = page(self.readers.engine(), org, filter, after, limit);
        Ok(cut(self.readers.all(page).await?, limit))
    }
}

impl Tx {
    /// The same, as this transaction sees it.
    pub(super) async fn usage(
        &mut self,
        org: OrgId,
        filter: &RecordFilter,
        after: Option<UsagePosition>,
        limit: u32,
    ) -> Result<UsagePage, StoreError> {
        let page = page(self.engine(), org, filter, after, limit);
        Ok(cut(self.all(page).await?, limit))
    }
}

/// Asks for one record more than fits the page: it tells whether there is another page.
fn page(
    engine: Engine,
    org: OrgId,
    filter: &RecordFilter,
    after: Option<UsagePosition>,
    limit: u32,
) -> Statement {
    let RecordFilter { usage, request_id, failed } = filter;
    let (until, until_id) = upper_bound(usage.to, after);
    let query = sql(engine.pick(PAGE_SQLITE, PAGE_POSTGRES))
        .bind(org.0)
        .bind(usage.from.map_or(i64::MIN, |at| at.0))
        .bind(until.0)
        .bind(until_id)
        .bind(usage.user.map(|id| id.to_string()))
        .bind(usage.api_key.map(|id| id.to_string()))
        .bind(usage.provider.map(|id| id.to_string()));
    let request_id = request_id.as_deref().map(|id| member("request_id", id));
    let smart_model = usage.smart_model.as_deref().map(|name| member("smart_model", name));
    let query = usage.names(query).bind(request_id).bind(*failed).bind(smart_model);
    query.bind(listing::one_more(Some(limit)))
}

/// The text that a record has where this member is this text, and no other: records are written without
/// spaces, within a string every quote would be escaped, and nothing within a record has members so called.
fn member(name: &str, text: &str) -> String {
    format!("\"{name}\":{}", serde_json::Value::from(text))
}

fn cut(mut rows: Vec<Line>, limit: u32) -> UsagePage {
    let more = listing::cut(&mut rows, Some(limit));
    let next = rows.last().map(|line| line.at).filter(|_| more);
    UsagePage { records: rows.into_iter().map(|line| line.record).collect(), next }
}

impl UsageFilter {
    /// Binds what both records and sums are narrowed by in the same words, other than ids and time.
    pub(super) fn names(&self, query: Statement) -> Statement {
        query
            .bind(self.provider_name.clone())
            .bind(self.model.clone())
            .bind(self.alias.clone())
            .bind(self.status.map(i64::from))
            .bind(self.group.clone())
    }
}

/// The smaller of the period's end and the cursor, as an exclusive bound on (ts, id).
fn upper_bound(to: Option<Timestamp>, after: Option<UsagePosition>) -> (Timestamp, Uuid) {
    let end = (to.unwrap_or(Timestamp(i64::MAX)), Uuid::nil());
    after.map_or(end, |at| end.min((at.ts, at.id.0)))
}

/// A row of a page.
struct Line {
    at: UsagePosition,
    record: Box<RawValue>,
}

impl Record for Line {
    fn read(found: &Found<'_>) -> sqlx::Result<Self> {
        let at = UsagePosition { ts: found.time("ts")?, id: found.id("id", RecordId)? };
        let record = whole_record(found.get("record")?).and_then(RawValue::from_string);
        Ok(Self { at, record: record.map_err(|error| unreadable("record", error))? })
    }
}
