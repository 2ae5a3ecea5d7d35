//! What an organization has used since a time, summed by what policies tell apart.
//!
//! The one place that derives the state of limits and budgets from the ledger.

use uuid::Uuid;

use super::{
    Store, StoreError, Tx,
    record::{Found, Record, unreadable},
    statement::sql,
};
use crate::domain::{DETERMINER_CLIENT, KeyId, Money, OrgId, ProviderId, Spent, Timestamp, UserId};

/// Requests that were refused on the way in used nothing. One record is read once, and only those
/// of the organization and time.
///
/// A smart model's determiner is asked by the gateway itself: that is none of the caller's requests.
///
/// `second` is when, in whole seconds since the epoch; listings are no calls of models.
const SPENT_SQLITE: &str = "SELECT
        ts / 1000000 AS second,
        json_extract(record, '$.api_key_id') AS api_key_id,
        json_extract(record, '$.user_id') AS user_id,
        json_extract(record, '$.group_names') AS group_names,
        json_extract(record, '$.alias') AS alias,
        json_extract(record, '$.smart_model') AS smart_model,
        json_extract(record, '$.provider_id') AS provider_id,
        json_extract(record, '$.provider_name') AS provider_name,
        json_extract(record, '$.upstream_model') AS upstream_model,
        COUNT(*) FILTER (WHERE json_extract(record, '$.client') IS NOT $3) AS requests,
        SUM(json_extract(record, '$.input_tokens') + json_extract(record, '$.output_tokens')
            + COALESCE(json_extract(record, '$.cache_read_tokens'), 0)
            + COALESCE(json_extract(record, '$.cache_write_tokens'), 0)) AS tokens,
        SUM(CAST(ROUND(COALESCE(json_extract(record, '$.cost_total'), 0) * 1e9) AS INTEGER))
            AS cost
    FROM usage_records
    WHERE org_id = $1 AND ts >= $2 AND json_extract(record, '$.denied_by') IS NULL
        AND json_extract(record, '$.alias') IS NOT NULL
    GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9";
const SPENT_POSTGRES: &str = "WITH used AS MATERIALIZED
        (SELECT ts, record::jsonb AS r FROM usage_records WHERE org_id = $1 AND ts >= $2)
    SELECT ts / 1000000 AS second, r ->> 'api_key_id' AS api_key_id, r ->> 'user_id' AS user_id,
        r ->> 'group_names' AS group_names, r ->> 'alias' AS alias,
        r ->> 'smart_model' AS smart_model,
        r ->> 'provider_id' AS provider_id, r ->> 'provider_name' AS provider_name,
        r ->> 'upstream_model' AS upstream_model,
        COUNT(*) FILTER (WHERE r ->> 'client' IS DISTINCT FROM $3) AS requests,
        SUM((r ->> 'input_tokens')::BIGINT + (r ->> 'output_tokens')::BIGINT
            + COALESCE((r ->> 'cache_read_tokens')::BIGINT, 0)
            + COALESCE((r ->> 'cache_write_tokens')::BIGINT, 0))::BIGINT AS tokens,
        SUM(ROUND(COALESCE((r ->> 'cost_total')::NUMERIC, 0) * 1000000000))::BIGINT AS cost
    FROM used WHERE r ->> 'denied_by' IS NULL AND r ->> 'alias' IS NOT NULL
    GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9";

/// Periods of budgets begin at midnight, so whole days are all that is needed of them.
const SPENT_IN_DAYS: &str = "SELECT s.api_key_id, s.user_id, s.group_names, s.alias, s.smart_model,
        s.provider_id, s.provider_name, s.upstream_model,
        CAST(SUM(r.requests) AS BIGINT) AS requests,
        CAST(SUM(r.input_tokens + r.output_tokens + r.cache_read_tokens + r.cache_write_tokens)
            AS BIGINT) AS tokens,
        CAST(SUM(r.cost) AS BIGINT) AS cost
    FROM usage_rollups r JOIN usage_series s ON s.org_id = r.org_id AND s.id = r.series
    WHERE r.org_id = $1 AND r.width = 24 AND r.start >= $2 AND r.start < $3
    GROUP BY s.api_key_id, s.user_id, s.group_names, s.alias, s.smart_model, s.provider_id,
        s.provider_name, s.upstream_model";

impl Store {
    /// What the organization has used at or after `since`, from the records themselves: for short
    /// times.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn spent(&self, org: OrgId, since: Timestamp) -> Result<Vec<Spent>, StoreError> {
        Ok(self.spent_by_second(org, since).await?.into_iter().map(|(_, spent)| spent).collect())
    }

    /// The same, each with the second since the epoch in which it arrived.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn spent_by_second(
        &self,
        org: OrgId,
        since: Timestamp,
    ) -> Result<Vec<(i64, Spent)>, StoreError> {
        let text = self.readers.engine().pick(SPENT_SQLITE, SPENT_POSTGRES);
        let rows: Vec<InSecond> =
            self.readers.all(sql(text).bind(org.0).bind(since.0).bind(DETERMINER_CLIENT)).await?;
        Ok(rows.into_iter().map(|row| (row.second, row.spent)).collect())
    }
}

impl Tx {
    /// What the organization has used in the days from `start` to before `end`, by the sums that are kept
    /// with the records. Refused requests are among the requests; they used nothing else.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn spent_in_days(
        &mut self,
        org: OrgId,
        start: Timestamp,
        end: Timestamp,
    ) -> Result<Vec<Spent>, StoreError> {
        let query = sql(SPENT_IN_DAYS).bind(org.0).bind(start.0).bind(end.0);
        let rows: Vec<Summed> = self.all(query).await?;
        Ok(rows.into_iter().map(|row| row.0).collect())
    }
}

fn id<T>(found: &Found<'_>, column: &str, wrap: fn(Uuid) -> T) -> sqlx::Result<Option<T>> {
    let text: Option<String> = found.get(column)?;
    let id = text.map(|text| text.parse()).transpose();
    Ok(id.map_err(|error| unreadable(column, error))?.map(wrap))
}

fn sum(found: &Found<'_>, column: &str) -> sqlx::Result<u64> {
    let value: i64 = found.get(column)?;
    u64::try_from(value).map_err(|error| unreadable(column, error))
}

impl Record for Spent {
    fn read(found: &Found<'_>) -> sqlx::Result<Self> {
        Ok(Self {
            api_key: id(found, "api_key_id", KeyId)?,
            user: id(found, "user_id", UserId)?,
            groups: found.json_opt("group_names")?.unwrap_or_default(),
            alias: found.get("alias")?,
            smart_model: found.get("smart_model")?,
            provider: id(found, "provider_id", ProviderId)?,
            provider_name: found.get("provider_name")?,
            upstream_model: found.get("upstream_model")?,
            requests: sum(found, "requests")?,
            tokens: sum(found, "tokens")?,
            cost: Money(found.get("cost")?),
        })
    }
}

/// What was used in one second.
struct InSecond {
    second: i64,
    spent: Spent,
}

impl Record for InSecond {
    fn read(found: &Found<'_>) -> sqlx::Result<Self> {
        Ok(Self { second: found.get("second")?, spent: Spent::read(found)? })
    }
}

/// A row of sums, whose ids are columns of their own.
struct Summed(Spent);

impl Record for Summed {
    fn read(found: &Found<'_>) -> sqlx::Result<Self> {
        Ok(Self(Spent {
            api_key: found.id_opt("api_key_id", KeyId)?,
            user: found.id_opt("user_id", UserId)?,
            groups: found.json("group_names")?,
            alias: found.get("alias")?,
            smart_model: found.get("smart_model")?,
            provider: found.id_opt("provider_id", ProviderId)?,
            provider_name: found.get("provider_name")?,
            upstream_model: found.get("upstream_model")?,
            requests: sum(found, "requests")?,
            tokens: sum(found, "tokens")?,
            cost: Money(found.get("cost")?),
        }))
    }
}
