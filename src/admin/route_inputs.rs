//! What a route looks like in requests, and how a request becomes or changes a row.

use serde::Deserialize;

use super::{error::AdminError, patch::Patch, upstream};
use crate::{
    domain::{OrgId, ProviderId, RouteId, Timestamp},
    store::{ProviderRow, RouteRow},
};

/// Null is as absent.
#[derive(Deserialize)]
pub(super) struct Create {
    provider_id: ProviderId,
    model_alias: String,
    upstream_model: String,
    enabled: Option<bool>,
    priority: Option<i32>,
    retry_on_429_count: Option<i64>,
    retry_on_429_max_wait_secs: Option<i64>,
    bare_alias: Option<bool>,
    request_timeout_secs: Option<i64>,
    stream_idle_timeout_secs: Option<i64>,
    max_concurrent_requests: Option<i64>,
}

/// Null keeps, except for the three that it clears.
#[derive(Deserialize)]
pub(super) struct Update {
    pub(super) provider_id: Option<ProviderId>,
    model_alias: Option<String>,
    upstream_model: Option<String>,
    enabled: Option<bool>,
    priority: Option<i32>,
    retry_on_429_count: Option<i64>,
    retry_on_429_max_wait_secs: Option<i64>,
    bare_alias: Option<bool>,
    #[serde(default)]
    request_timeout_secs: Patch<i64>,
    #[serde(default)]
    stream_idle_timeout_secs: Patch<i64>,
    #[serde(default)]
    max_concurrent_requests: Patch<i64>,
}

#[derive(Deserialize)]
pub(super) struct Reorder {
    pub(super) entries: Vec<ReorderEntry>,
}

#[derive(Deserialize)]
pub(super) struct ReorderEntry {
    pub(super) id: RouteId,
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
