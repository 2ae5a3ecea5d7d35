//! `/admin/llm-gw/route-health`: whether routes are skipped, per provider and upstream model.

use std::collections::BTreeMap;

use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    change::{Actor, Audit},
    error::AdminError,
    extract::{Body, PathId},
    providers,
    schemas::{CooldownReason, ModelProvider, RouteState},
    state::AdminState,
};
use crate::{
    auth::Caller,
    domain::{OrgId, ProviderId},
    store::{ProviderRow, RouteRow, Tx},
};

const WHAT: &str = "route";
const HEALTHY: &str = "healthy";

/// Every enabled route
#[derive(Serialize, ToSchema)]
#[schema(as = RouteHealth)]
pub(super) struct RouteHealth {
    routes: Vec<RouteView>,
}

/// The health of one route, as this process sees it
#[derive(Serialize, ToSchema)]
#[schema(as = RouteHealthEntry)]
struct RouteView {
    provider_id: ProviderId,
    provider_name: String,
    #[schema(value_type = ModelProvider)]
    model_provider: String,
    upstream_model: String,
    #[schema(value_type = RouteState)]
    state: &'static str,
    /// Why it is ejected, or was last; null while it is healthy.
    #[schema(value_type = Option<CooldownReason>)]
    cooldown_reason: Option<&'static str>,
    consecutive_failures: u32,
    /// By which the next ejection lasts longer than the first.
    multiplier: u32,
    eject_remaining_secs: Option<u32>,
    /// Requests under way.
    in_flight: u32,
    /// `max_concurrent_requests` of the model's 1:1 route.
    concurrency_cap: Option<u32>,
    /// Changes of state, the newest first.
    recent_transitions: Vec<Transition>,
}

/// A change of state
#[derive(Serialize, ToSchema)]
#[schema(as = RouteHealthTransition)]
struct Transition {
    from: String,
    to: String,
    reason: String,
    window_secs: Option<u32>,
    age_secs: u32,
}

/// Which route
#[derive(Deserialize, ToSchema)]
#[schema(as = ResetRouteHealthRequest)]
pub(super) struct Reset {
    upstream_model: String,
}

/// What a reset did
#[derive(Serialize, ToSchema)]
#[schema(as = ResetRouteHealthResult)]
pub(super) struct WasReset {
    provider_id: ProviderId,
    upstream_model: String,
    /// Whether this process skipped the route.
    was_ejected: bool,
    /// Whether other processes were told.
    shared_state_cleared: bool,
}

/// Health of every route
#[utoipa::path(
    get,
    path = "/admin/llm-gw/route-health",
    operation_id = "getRouteHealth",
    tag = "Route Health",
    responses((status = 200, body = RouteHealth))
)]
pub(super) async fn list(
    State(state): State<AdminState>,
    caller: Caller,
) -> Result<Json<RouteHealth>, AdminError> {
    let mut tx = state.store.read().await?;
    let providers = tx.providers(caller.org).await?;
    let routes = enabled(&mut tx, caller.org, &providers).await?;
    Ok(Json(RouteHealth { routes: routes.into_iter().map(|(p, r)| healthy(p, &r)).collect() }))
}

/// Force a route healthy
#[utoipa::path(
    post,
    path = "/admin/llm-gw/route-health/{provider_id}/reset",
    operation_id = "resetRouteHealth",
    tag = "Route Health",
    request_body = Reset,
    responses((status = 200, body = WasReset))
)]
pub(super) async fn reset(
    State(state): State<AdminState>,
    actor: Actor,
    PathId(id): PathId,
    Body(body): Body<Reset>,
) -> Result<Json<WasReset>, AdminError> {
    let mut change = state.change(&actor).await?;
    let tx = change.tx();
    let provider = providers::existing(tx, actor.org, ProviderId(id)).await?;
    let known = tx.enablement(actor.org, provider.id, &body.upstream_model).await?;
    known.ok_or_else(|| AdminError::not_found(WHAT))?;
    // Nothing is ejected by this version, so there is nothing to lift.
    let view = WasReset {
        provider_id: provider.id,
        upstream_model: body.upstream_model,
        was_ejected: false,
        shared_state_cleared: false,
    };
    change.commit(Audit::new("route health", "reset", Some(id)).after(&view)?).await?;
    Ok(Json(view))
}

/// The 1:1 rows that can be tried, by provider and model: what custom aliases hang on.
async fn enabled<'a>(
    tx: &mut Tx,
    org: OrgId,
    providers: &'a [ProviderRow],
) -> Result<Vec<(&'a ProviderRow, RouteRow)>, AdminError> {
    let mut found = BTreeMap::new();
    for row in tx.routes(org).await?.into_iter().filter(|row| row.enabled && row.is_enablement()) {
        let provider = providers.iter().find(|known| known.id == row.provider_id && known.enabled);
        if let Some(provider) = provider {
            found.insert((&provider.name, row.upstream_model.clone()), (provider, row));
        }
    }
    Ok(found.into_values().collect())
}

fn healthy(provider: &ProviderRow, route: &RouteRow) -> RouteView {
    RouteView {
        provider_id: provider.id,
        provider_name: provider.name.clone(),
        model_provider: provider.model_provider.clone(),
        upstream_model: route.upstream_model.clone(),
        state: HEALTHY,
        cooldown_reason: None,
        consecutive_failures: 0,
        multiplier: 1,
        eject_remaining_secs: None,
        in_flight: 0,
        concurrency_cap: route.max_concurrent_requests,
        recent_transitions: Vec::new(),
    }
}
