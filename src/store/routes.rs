//! Model routes (wire name: model mappings).

use super::{
    RouteRow, StoreError, Tx,
    record::{Found, Record},
    statement::sql,
};
use crate::domain::{OrgId, ProviderId, RouteId};

const LIST: &str =
    "SELECT * FROM routes WHERE org_id = $1 ORDER BY model_alias, priority, created_at, id";
const OF_PROVIDER: &str = "SELECT * FROM routes WHERE org_id = $1 AND provider_id = $2
    ORDER BY model_alias, priority, created_at, id";
const GET: &str = "SELECT * FROM routes WHERE org_id = $1 AND id = $2";
const ENABLEMENT: &str = "SELECT * FROM routes WHERE org_id = $1 AND provider_id = $2
    AND upstream_model = $3 AND model_alias = upstream_model";
const CUSTOM_ALIASES: &str = "SELECT model_alias FROM routes WHERE org_id = $1 AND provider_id = $2
    AND upstream_model = $3 AND model_alias <> upstream_model ORDER BY model_alias";
const INSERT: &str = "INSERT INTO routes (id, org_id, provider_id, model_alias, upstream_model,
        enabled, priority, retry_on_429_count, retry_on_429_max_wait_secs, bare_alias,
        request_timeout_secs, request_timeout_inherited, stream_idle_timeout_secs,
        stream_idle_timeout_inherited, max_concurrent_requests, created_at, updated_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)";
const UPDATE: &str = "UPDATE routes SET model_alias = $3, upstream_model = $4, enabled = $5,
        priority = $6, retry_on_429_count = $7, retry_on_429_max_wait_secs = $8, bare_alias = $9,
        request_timeout_secs = $10, request_timeout_inherited = $11,
        stream_idle_timeout_secs = $12, stream_idle_timeout_inherited = $13,
        max_concurrent_requests = $14, updated_at = $15
    WHERE org_id = $1 AND id = $2";
const DELETE: &str = "DELETE FROM routes WHERE org_id = $1 AND id = $2";

impl Tx {
    /// The organization's routes, by alias in the order in which they are tried.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn routes(&mut self, org: OrgId) -> Result<Vec<RouteRow>, StoreError> {
        let query = sql(LIST).bind(org.0);
        Ok(self.all(query).await?)
    }

    /// One provider's routes.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn provider_routes(
        &mut self,
        org: OrgId,
        provider: ProviderId,
    ) -> Result<Vec<RouteRow>, StoreError> {
        let query = sql(OF_PROVIDER).bind(org.0).bind(provider.0);
        Ok(self.all(query).await?)
    }

    /// One route.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn route(&mut self, org: OrgId, id: RouteId) -> Result<Option<RouteRow>, StoreError> {
        let query = sql(GET).bind(org.0).bind(id.0);
        Ok(self.optional(query).await?)
    }

    /// The 1:1 row of a model on a provider.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn enablement(
        &mut self,
        org: OrgId,
        provider: ProviderId,
        upstream_model: &str,
    ) -> Result<Option<RouteRow>, StoreError> {
        let query = sql(ENABLEMENT).bind(org.0).bind(provider.0);
        let query = query.bind(upstream_model.to_owned());
        Ok(self.optional(query).await?)
    }

    /// The custom aliases of a model on a provider.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn custom_aliases(
        &mut self,
        org: OrgId,
        provider: ProviderId,
        upstream_model: &str,
    ) -> Result<Vec<String>, StoreError> {
        let query = sql(CUSTOM_ALIASES).bind(org.0).bind(provider.0);
        let query = query.bind(upstream_model.to_owned());
        Ok(self.all(query).await?)
    }

    /// Adds a route.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the model has a 1:1 row and this is another.
    pub async fn insert_route(&mut self, new: &RouteRow) -> Result<(), StoreError> {
        let query = sql(INSERT)
            .bind(new.id.0)
            .bind(new.org_id.0)
            .bind(new.provider_id.0)
            .bind(new.model_alias.clone())
            .bind(new.upstream_model.clone())
            .bind(new.enabled)
            .bind(new.priority)
            .bind(i64::from(new.retry_on_429_count))
            .bind(i64::from(new.retry_on_429_max_wait_secs))
            .bind(new.bare_alias)
            .bind(new.request_timeout_secs.map(i64::from))
            .bind(new.request_timeout_inherited)
            .bind(new.stream_idle_timeout_secs.map(i64::from))
            .bind(new.stream_idle_timeout_inherited)
            .bind(new.max_concurrent_requests.map(i64::from))
            .bind(new.created_at.0)
            .bind(new.updated_at.0);
        self.execute(query).await?;
        Ok(())
    }

    /// Replaces what can change of a route: all but its provider.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when it would be a second 1:1 row of its model.
    pub async fn update_route(&mut self, changed: &RouteRow) -> Result<(), StoreError> {
        let query = sql(UPDATE)
            .bind(changed.org_id.0)
            .bind(changed.id.0)
            .bind(changed.model_alias.clone())
            .bind(changed.upstream_model.clone())
            .bind(changed.enabled)
            .bind(changed.priority)
            .bind(i64::from(changed.retry_on_429_count))
            .bind(i64::from(changed.retry_on_429_max_wait_secs))
            .bind(changed.bare_alias)
            .bind(changed.request_timeout_secs.map(i64::from))
            .bind(changed.request_timeout_inherited)
            .bind(changed.stream_idle_timeout_secs.map(i64::from))
            .bind(changed.stream_idle_timeout_inherited)
            .bind(changed.max_concurrent_requests.map(i64::from))
            .bind(changed.updated_at.0);
        self.execute(query).await?;
        Ok(())
    }

    /// Removes a route; answers whether there was one.
    ///
    /// # Errors
    /// When the database is unavailable.
    pub async fn delete_route(&mut self, org: OrgId, id: RouteId) -> Result<bool, StoreError> {
        let query = sql(DELETE).bind(org.0).bind(id.0);
        Ok(self.execute(query).await? > 0)
    }
}

impl Record for RouteRow {
    fn read(found: &Found<'_>) -> sqlx::Result<Self> {
        Ok(Self {
            id: found.id("id", RouteId)?,
            org_id: found.id("org_id", OrgId)?,
            provider_id: found.id("provider_id", ProviderId)?,
            model_alias: found.get("model_alias")?,
            upstream_model: found.get("upstream_model")?,
            enabled: found.get("enabled")?,
            priority: found.get("priority")?,
            retry_on_429_count: found.count("retry_on_429_count")?,
            retry_on_429_max_wait_secs: found.count("retry_on_429_max_wait_secs")?,
            bare_alias: found.get("bare_alias")?,
            request_timeout_secs: found.count_opt("request_timeout_secs")?,
            request_timeout_inherited: found.get("request_timeout_inherited")?,
            stream_idle_timeout_secs: found.count_opt("stream_idle_timeout_secs")?,
            stream_idle_timeout_inherited: found.get("stream_idle_timeout_inherited")?,
            max_concurrent_requests: found.count_opt("max_concurrent_requests")?,
            created_at: found.time("created_at")?,
            updated_at: found.time("updated_at")?,
        })
    }
}
