//! `/admin/llm-gw/route-health`: whether routes are skipped, per provider and upstream model.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    change::{Actor, Audit},
    error::AdminError,
    extract::{Body, PathId},
    providers,
    route_standing::seconds_up,
    schemas::{CooldownReason, ModelProvider, RouteState},
    state::AdminState,
};
use crate::{
    auth::Caller,
    domain::{OrgId, ProviderId},
    route::health::{self, Origin, RouteKey, Status},
    store::{ProviderRow, RouteRow, Tx},
};

const WHAT: &str = "route";

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
    /// Why it is ejected, or was before it is probed; null while it is healthy.
    #[schema(value_type = Option<CooldownReason>)]
    cooldown_reason: Option<&'static str>,
    consecutive_failures: u32,
    /// How many times the first cool-down the current or last one lasts.
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
    from: &'static str,
    to: &'static str,
    reason: &'static str,
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
    /// Whether this process skipped or probed the route.
    was_ejected: bool,
    /// Whether there was a cool-down that replicas share.
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
    let now = Instant::now();
    let view = |(provider, route): (&ProviderRow, RouteRow)| {
        let model = Arc::from(route.upstream_model.as_str());
        view(provider, &route, &state.outside.routes.status(provider.id, &model, now))
    };
    Ok(Json(RouteHealth { routes: routes.into_iter().map(view).collect() }))
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
    let model = Arc::from(body.upstream_model.as_str());
    let key = RouteKey { org: actor.org, provider: provider.id, model };
    let (was_ejected, shared_state_cleared) = lift(&state, &key).await?;
    let view = WasReset {
        provider_id: provider.id,
        upstream_model: body.upstream_model,
        was_ejected,
        shared_state_cleared,
    };
    // Where there was nothing to lift, nothing has changed.
    if was_ejected || shared_state_cleared {
        change.commit(Audit::new("route health", "reset", Some(id)).after(&view)?).await?;
    }
    Ok(Json(view))
}

/// Makes the route healthy here and on the other replicas; whether it was not, here and there.
async fn lift(state: &AdminState, key: &RouteKey) -> Result<(bool, bool), AdminError> {
    let shared = match &state.outside.sharing {
        Some(sharing) => sharing.reset(key).await.map_err(|error| {
            tracing::warn!(%error, "a route's health could not be reset on every replica");
            AdminError::unavailable("the other replicas cannot be told now; try again")
        })?,
        None => false,
    };
    let here = state.outside.routes.reset(key.provider, &key.model, Origin::Here, Instant::now());
    Ok((here, shared))
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

fn view(provider: &ProviderRow, route: &RouteRow, status: &Status) -> RouteView {
    RouteView {
        provider_id: provider.id,
        provider_name: provider.name.clone(),
        model_provider: provider.model_provider.clone(),
        upstream_model: route.upstream_model.clone(),
        state: status.state.as_str(),
        cooldown_reason: status.reason.map(health::Reason::as_str),
        consecutive_failures: status.consecutive_failures,
        multiplier: status.multiplier,
        eject_remaining_secs: status.remaining.map(seconds),
        in_flight: status.in_flight,
        concurrency_cap: route.max_concurrent_requests,
        recent_transitions: status.transitions.iter().map(transition).collect(),
    }
}

fn transition(change: &health::Transition) -> Transition {
    Transition {
        from: change.from.as_str(),
        to: change.to.as_str(),
        reason: change.cause.as_str(),
        window_secs: change.window.map(seconds),
        age_secs: u32::try_from(change.age.as_secs()).unwrap_or(u32::MAX),
    }
}

fn seconds(time: Duration) -> u32 {
    u32::try_from(seconds_up(time)).unwrap_or(u32::MAX)
}
