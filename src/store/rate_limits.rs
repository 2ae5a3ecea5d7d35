//! Rate limits.

use super::{
    RateLimitRow, StoreError, Tx,
    record::{Found, Record},
    statement::sql,
};
use crate::domain::{OrgId, RateLimitId};

const LIST: &str = "SELECT * FROM rate_limits WHERE org_id = $1 ORDER BY created_at, id";
const GET: &str = "SELECT * FROM rate_limits WHERE org_id = $1 AND id = $2";
const INSERT: &str = "INSERT INTO rate_limits (org_id, id, name, scope_type, scope_id, scope_value,
        requests_per_minute, tokens_per_minute, traffic_type, enabled, updated_at, created_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
const UPDATE: &str = "UPDATE rate_limits SET name = $3, scope_type = $4, scope_id = $5,
        scope_value = $6, requests_per_minute = $7, tokens_per_minute = $8, traffic_type = $9,
        enabled = $10, updated_at = $11
    WHERE org_id = $1 AND id = $2";
const DELETE: &str = "DELETE FROM rate_limits WHERE org_id = $1 AND id = $2";

impl Tx {
    /// The organization's rate limits, oldest first.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn rate_limits(&mut self, org: OrgId) -> Result<Vec<RateLimitRow>, StoreError> {
        Ok(self.all(sql(LIST).bind(org.0)).await?)
    }

    /// One rate limit.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn rate_limit(
        &mut self,
        org: OrgId,
        id: RateLimitId,
    ) -> Result<Option<RateLimitRow>, StoreError> {
        Ok(self.optional(sql(GET).bind(org.0).bind(id.0)).await?)
    }

    /// Adds a rate limit.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when another has its scope and lane.
    pub async fn insert_rate_limit(&mut self, new: &RateLimitRow) -> Result<(), StoreError> {
        self.execute(bound(INSERT, new).bind(new.created_at.0)).await?;
        Ok(())
    }

    /// Replaces all of a rate limit.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when another has its scope and lane.
    pub async fn update_rate_limit(&mut self, changed: &RateLimitRow) -> Result<(), StoreError> {
        self.execute(bound(UPDATE, changed)).await?;
        Ok(())
    }

    /// Removes a rate limit; answers whether there was one.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn delete_rate_limit(
        &mut self,
        org: OrgId,
        id: RateLimitId,
    ) -> Result<bool, StoreError> {
        Ok(self.execute(sql(DELETE).bind(org.0).bind(id.0)).await? > 0)
    }
}

fn bound(text: &'static str, row: &RateLimitRow) -> super::statement::Statement {
    sql(text)
        .bind(row.org_id.0)
        .bind(row.id.0)
        .bind(row.name.as_str())
        .bind(row.scope.kind.as_str())
        .bind(row.scope.id)
        .bind(row.scope.value.as_deref())
        .bind(row.requests_per_minute)
        .bind(row.tokens_per_minute)
        .bind(row.traffic.as_str())
        .bind(row.enabled)
        .bind(row.updated_at.0)
}

impl Record for RateLimitRow {
    fn read(found: &Found<'_>) -> sqlx::Result<Self> {
        Ok(Self {
            id: found.id("id", RateLimitId)?,
            org_id: found.id("org_id", OrgId)?,
            name: found.get("name")?,
            scope: found.scope()?,
            requests_per_minute: found.count_opt("requests_per_minute")?,
            tokens_per_minute: found.count_opt("tokens_per_minute")?,
            traffic: found.word("traffic_type")?,
            enabled: found.get("enabled")?,
            created_at: found.time("created_at")?,
            updated_at: found.time("updated_at")?,
        })
    }
}
