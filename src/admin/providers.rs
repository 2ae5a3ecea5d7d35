//! `/admin/providers`: named upstreams.

use axum::{Json, extract::State};

use super::{
    error::AdminError,
    extract::{Body, PathId},
    provider_inputs::{Create, ProviderView, Update},
    provider_write,
    reply::{DELETED, Deleted},
    route_inputs::new_enablement,
    route_view::{self, RouteView},
    state::AdminState,
    upstream,
};
use crate::{
    auth::Caller,
    domain::{OrgId, ProviderId, Timestamp},
    store::{ProviderRow, StoreError, Tx},
};

pub(super) const WHAT: &str = "provider";

/// `GET /admin/providers`
pub(super) async fn list(
    State(state): State<AdminState>,
    caller: Caller,
) -> Result<Json<Vec<ProviderView>>, AdminError> {
    let rows = state.store.read().await?.providers(caller.org).await?;
    Ok(Json(rows.into_iter().map(ProviderView::from).collect()))
}

/// `GET /admin/providers/{id}`
pub(super) async fn get(
    State(state): State<AdminState>,
    caller: Caller,
    PathId(id): PathId,
) -> Result<Json<ProviderView>, AdminError> {
    let mut tx = state.store.read().await?;
    Ok(Json(existing(&mut tx, caller.org, ProviderId(id)).await?.into()))
}

/// `GET /admin/providers/{id}/model-mappings`
pub(super) async fn list_routes(
    State(state): State<AdminState>,
    caller: Caller,
    PathId(id): PathId,
) -> Result<Json<Vec<RouteView>>, AdminError> {
    let mut tx = state.store.read().await?;
    let provider = existing(&mut tx, caller.org, ProviderId(id)).await?;
    let routes = tx.provider_routes(caller.org, provider.id).await?;
    Ok(Json(route_view::of_provider(routes, &provider)))
}

/// `POST /admin/providers`: with an inline key or a connection, and models to enable.
pub(super) async fn create(
    State(state): State<AdminState>,
    caller: Caller,
    Body(mut body): Body<Create>,
) -> Result<Json<ProviderView>, AdminError> {
    let vendor = upstream::vendor(&body.model_provider)?;
    let models = models(body.models.take().unwrap_or_default())?;
    if body.catalog_id.is_some() {
        // Templates have no ids in this version, so none is known.
        return Err(AdminError::not_found("catalog template"));
    }
    let mut tx = state.store.write().await?;
    let shared = match body.connection_id {
        Some(id) => Some(provider_write::connection(&mut tx, caller.org, id, vendor).await?),
        None => None,
    };
    let (row, inherits) =
        provider_write::new_row(&state, caller.org, body, vendor, shared.as_ref())?;
    let inserted = tx.insert_provider(&row, inherits).await;
    inserted.map_err(|error| name_taken(error, &row.name))?;
    for model in models {
        tx.insert_route(&new_enablement(&row, model, Timestamp::now())).await?;
    }
    tx.commit().await?;
    state.put_into_force(caller.org).await?;
    Ok(Json(row.into()))
}

/// `PUT /admin/providers/{id}`
pub(super) async fn update(
    State(state): State<AdminState>,
    caller: Caller,
    PathId(id): PathId,
    Body(body): Body<Update>,
) -> Result<Json<ProviderView>, AdminError> {
    let mut tx = state.store.write().await?;
    let mut row = existing(&mut tx, caller.org, ProviderId(id)).await?;
    let inherits = provider_write::change(&state, &mut tx, &mut row, body).await?;
    let updated = tx.update_provider(&row, inherits).await;
    updated.map_err(|error| name_taken(error, &row.name))?;
    tx.commit().await?;
    state.put_into_force(caller.org).await?;
    Ok(Json(row.into()))
}

/// `DELETE /admin/providers/{id}`: takes its routes and its inline key along.
pub(super) async fn delete(
    State(state): State<AdminState>,
    caller: Caller,
    PathId(id): PathId,
) -> Result<Json<Deleted>, AdminError> {
    let mut tx = state.store.write().await?;
    if !tx.delete_provider(caller.org, ProviderId(id)).await? {
        return Err(AdminError::not_found(WHAT));
    }
    tx.commit().await?;
    state.put_into_force(caller.org).await?;
    Ok(DELETED)
}

/// The organization's provider of that id.
pub(super) async fn existing(
    tx: &mut Tx,
    org: OrgId,
    id: ProviderId,
) -> Result<ProviderRow, AdminError> {
    tx.provider(org, id).await?.ok_or_else(|| AdminError::not_found(WHAT))
}

/// Models to enable, each once.
fn models(given: Vec<String>) -> Result<Vec<String>, AdminError> {
    let mut models = Vec::with_capacity(given.len());
    for (place, model) in given.into_iter().enumerate() {
        models.push(upstream::text(&format!("models[{place}]"), model)?);
    }
    models.sort_unstable();
    models.dedup();
    Ok(models)
}

fn name_taken(error: StoreError, name: &str) -> AdminError {
    match error {
        StoreError::Conflict => {
            AdminError::conflict(format!("a provider named '{name}' already exists"))
        }
        other => other.into(),
    }
}
