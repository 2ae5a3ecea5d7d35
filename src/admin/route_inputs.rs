//! What a route looks like in requests, and how a request becomes or changes a row.

use serde::Deserialize;
use utoipa::ToSchema;

use super::{error::AdminError, patch::Patch, upstream};
use crate::{
    domain::{OrgId, ProviderId, RouteId, Timestamp},
    store::{ProviderRow, RouteRow},
};

/// A new route; null is as absent
#[derive(Deserialize, ToSchema)]
#[schema(as = CreateModelRouteRequest)]
pub(super) struct Create {
    provider_id: ProviderId,
    /// The name that callers send.
    #[schema(min_length = 1, max_length = 256)]
    model_alias: String,
    /// The name that is sent to the vendor.
    #[schema(min_length = 1, max_length = 256)]
    upstream_model: String,
    #[schema(default = true)]
    enabled: Option<bool>,
    /// Lower is tried first.
    #[schema(default = 0, minimum = -2_147_483_648i64, maximum = 2_147_483_647i64)]
    priority: Option<i32>,
    /// Retries on this route after an upstream's 429, before the next is tried.
    #[schema(default = 0, minimum = 0, maximum = 10)]
    retry_on_429_count: Option<i64>,
    /// Longest Retry-After that is waited for, seconds; 0 ignores the header.
    #[schema(default = 0, minimum = 0, maximum = 180)]
    retry_on_429_max_wait_secs: Option<i64>,
    /// Where absent: true for a custom alias, false for a 1:1 row.
    bare_alias: Option<bool>,
    /// Total time of a request that is not streamed, seconds.
    #[schema(minimum = 1, maximum = 3600)]
    request_timeout_secs: Option<i64>,
    /// Longest gap between two chunks of a stream, seconds.
    #[schema(minimum = 1, maximum = 1800)]
    stream_idle_timeout_secs: Option<i64>,
    /// Requests at a time, in each process.
    #[schema(minimum = 1, maximum = 10_000)]
    max_concurrent_requests: Option<i64>,
}

/// Changes to a route; absent keeps, and so does null except where it clears
#[derive(Deserialize, ToSchema)]
#[schema(as = UpdateModelRouteRequest)]
pub(super) struct Update {
    /// Fixed; only the stored value is accepted.
    pub(super) provider_id: Option<ProviderId>,
    #[schema(min_length = 1, max_length = 256)]
    model_alias: Option<String>,
    #[schema(min_length = 1, max_length = 256)]
    upstream_model: Option<String>,
    enabled: Option<bool>,
    #[schema(minimum = -2_147_483_648i64, maximum = 2_147_483_647i64)]
    priority: Option<i32>,
    #[schema(minimum = 0, maximum = 10)]
    retry_on_429_count: Option<i64>,
    #[schema(minimum = 0, maximum = 180)]
    retry_on_429_max_wait_secs: Option<i64>,
    bare_alias: Option<bool>,
    /// Null clears.
    #[serde(default)]
    #[schema(value_type = Option<i64>, minimum = 1, maximum = 3600)]
    request_timeout_secs: Patch<i64>,
    /// Null clears.
    #[serde(default)]
    #[schema(value_type = Option<i64>, minimum = 1, maximum = 1800)]
    stream_idle_timeout_secs: Patch<i64>,
    /// Null clears.
    #[serde(default)]
    #[schema(value_type = Option<i64>, minimum = 1, maximum = 10_000)]
    max_concurrent_requests: Patch<i64>,
}

/// New priorities of routes: all are set, or none
#[derive(Deserialize, ToSchema)]
#[schema(as = ReorderRoutesRequest)]
pub(super) struct Reorder {
    pub(super) entries: Vec<ReorderEntry>,
}

/// The new priority of one route
#[derive(Deserialize, ToSchema)]
pub(super) struct ReorderEntry {
    pub(super) id: RouteId,
    #[schema(minimum = -2_147_483_648i64, maximum = 2_147_483_647i64)]
    pub(super) priority: i32,
}

fn retry_count(value: i64) -> Result<u32, AdminError> {
    upstream::in_range("retry_on_429_count", value, 0, 10)
}

fn retry_wait(value: i64) -> Result<u32, AdminError> {
    upstream::in_range("retry_on_429_max_wait_secs", value, 0, 180)
}

fn concurrency(value: i64) -> Result<u32, AdminError> {
    upstream::in_range("max_concurrent_requests", value, 1, 10_000)
}

/// The row that enables a model on a provider, with every default.
pub(super) fn new_enablement(provider: &ProviderRow, model: String, now: Timestamp) -> RouteRow {
    blank(provider.org_id, provider.id, model.clone(), model, now)
}

fn blank(
    org: OrgId,
    provider: ProviderId,
    model_alias: String,
    upstream_model: String,
    now: Timestamp,
) -> RouteRow {
    RouteRow {
        id: RouteId::random(),
        org_id: org,
        provider_id: provider,
        enabled: true,
        priority: 0,
        retry_on_429_count: 0,
        retry_on_429_max_wait_secs: 0,
        bare_alias: model_alias != upstream_model,
        request_timeout_secs: None,
        request_timeout_inherited: true,
        stream_idle_timeout_secs: None,
        stream_idle_timeout_inherited: true,
        max_concurrent_requests: None,
        model_alias,
        upstream_model,
        created_at: now,
        updated_at: now,
    }
}

impl Create {
    /// The new row.
    pub(super) fn row(self, org: OrgId, now: Timestamp) -> Result<RouteRow, AdminError> {
        let alias = upstream::text("model_alias", self.model_alias)?;
        let model = upstream::text("upstream_model", self.upstream_model)?;
        let mut row = blank(org, self.provider_id, alias, model, now);
        row.enabled = self.enabled.unwrap_or(row.enabled);
        row.priority = self.priority.map_or(row.priority, i64::from);
        row.retry_on_429_count = self.retry_on_429_count.map_or(Ok(0), retry_count)?;
        row.retry_on_429_max_wait_secs =
            self.retry_on_429_max_wait_secs.map_or(Ok(0), retry_wait)?;
        row.bare_alias = self.bare_alias.unwrap_or(row.bare_alias);
        if let Some(value) = self.request_timeout_secs {
            row.request_timeout_secs = Some(upstream::request_timeout(value)?);
            row.request_timeout_inherited = false;
        }
        if let Some(value) = self.stream_idle_timeout_secs {
            row.stream_idle_timeout_secs = Some(upstream::stream_idle_timeout(value)?);
            row.stream_idle_timeout_inherited = false;
        }
        row.max_concurrent_requests = self.max_concurrent_requests.map(concurrency).transpose()?;
        Ok(row)
    }
}

/// A 1:1 row that is posted again takes over what was posted, and the defaults of what was not; its
/// timeouts and its cap change only where they were posted.
pub(super) fn fold(posted: RouteRow, stored: &RouteRow) -> RouteRow {
    let keep_total = posted.request_timeout_secs.is_none();
    let keep_idle = posted.stream_idle_timeout_secs.is_none();
    RouteRow {
        id: stored.id,
        created_at: stored.created_at,
        request_timeout_secs: posted.request_timeout_secs.or(stored.request_timeout_secs),
        request_timeout_inherited: keep_total && stored.request_timeout_inherited,
        stream_idle_timeout_secs: posted
            .stream_idle_timeout_secs
            .or(stored.stream_idle_timeout_secs),
        stream_idle_timeout_inherited: keep_idle && stored.stream_idle_timeout_inherited,
        max_concurrent_requests: posted.max_concurrent_requests.or(stored.max_concurrent_requests),
        ..posted
    }
}

impl Update {
    /// The changed row.
    pub(super) fn applied(self, mut row: RouteRow, now: Timestamp) -> Result<RouteRow, AdminError> {
        if let Some(alias) = self.model_alias {
            row.model_alias = upstream::text("model_alias", alias)?;
        }
        if let Some(model) = self.upstream_model {
            row.upstream_model = upstream::text("upstream_model", model)?;
        }
        row.enabled = self.enabled.unwrap_or(row.enabled);
        row.priority = self.priority.map_or(row.priority, i64::from);
        if let Some(count) = self.retry_on_429_count {
            row.retry_on_429_count = retry_count(count)?;
        }
        if let Some(wait) = self.retry_on_429_max_wait_secs {
            row.retry_on_429_max_wait_secs = retry_wait(wait)?;
        }
        row.bare_alias = self.bare_alias.unwrap_or(row.bare_alias);
        let total = self.request_timeout_secs.try_map(upstream::request_timeout)?;
        row.request_timeout_inherited &= total == Patch::Keep;
        total.apply(&mut row.request_timeout_secs);
        let idle = self.stream_idle_timeout_secs.try_map(upstream::stream_idle_timeout)?;
        row.stream_idle_timeout_inherited &= idle == Patch::Keep;
        idle.apply(&mut row.stream_idle_timeout_secs);
        self.max_concurrent_requests.try_map(concurrency)?.apply(&mut row.max_concurrent_requests);
        row.updated_at = now;
        Ok(row)
    }
}
