//! `/admin/providers`: named upstreams.

use axum::{Json, extract::State};

use super::{
    change::{Actor, Audit},
    error::AdminError,
    extract::{Body, Params, PathId},
    paging::{Listed, Listing},
    price_guard, provider_catalog,
    provider_inputs::{Create, ProviderView, Update},
    provider_write,
    refusals::Conflict,
    reply::{DELETED, Deleted},
    route_inputs::new_enablement,
    route_list::{self, Which},
    route_standing::Standing,
    route_view::{self, RouteView},
    smart_models::smart_alias_taken,
    sorting::{self, Order},
    state::AdminState,
    upstream,
};
use crate::{
    auth::Caller,
    domain::{OrgId, ProviderId, Timestamp},
    store::{ProviderRow, StoreError, Tx},
};

pub(super) const WHAT: &str = "provider";

/// List providers
///
/// Oldest first. Each word of `q` is searched in name, vendor and base URL; `sort` is `name`, `vendor`,
/// `health` or `created`.
#[utoipa::path(
    get,
    path = "/admin/providers",
    operation_id = "listProviders",
    tag = "Providers",
    params(Listing, Order),
    responses((status = 200, body = [ProviderView]))
)]
pub(super) async fn list(
    State(state): State<AdminState>,
    caller: Caller,
    Params(listing): Params<Listing>,
    Params(order): Params<Order>,
) -> Result<Listed<ProviderView>, AdminError> {
    let rows = state.store.read().await?.providers(caller.org).await?;
    sorting::part(rows.into_iter().map(ProviderView::from).collect(), &listing, &order)
}

/// Get a provider
#[utoipa::path(
    get,
    path = "/admin/providers/{id}",
    operation_id = "getProvider",
    tag = "Providers",
    responses((status = 200, body = ProviderView))
)]
pub(super) async fn get(
    State(state): State<AdminState>,
    caller: Caller,
    PathId(id): PathId,
) -> Result<Json<ProviderView>, AdminError> {
    let mut tx = state.store.read().await?;
    Ok(Json(existing(&mut tx, caller.org, ProviderId(id)).await?.into()))
}

/// List the routes of one provider
///
/// Searched, sorted and paged as the list of all routes.
#[utoipa::path(
    get,
    path = "/admin/providers/{provider_id}/model-mappings",
    operation_id = "listProviderRoutes",
    tag = "Model Routes",
    params(Which, Listing, Order),
    responses((status = 200, body = [RouteView]))
)]
pub(super) async fn list_routes(
    State(state): State<AdminState>,
    caller: Caller,
    PathId(id): PathId,
    Params(which): Params<Which>,
    Params(listing): Params<Listing>,
    Params(order): Params<Order>,
) -> Result<Listed<RouteView>, AdminError> {
    let mut tx = state.store.read().await?;
    let provider = existing(&mut tx, caller.org, ProviderId(id)).await?;
    let views = route_view::of_provider(&mut tx, &provider).await?;
    drop(tx);
    let standing = Standing::now(&state, caller.org).await?;
    Ok(route_list::part(views, &which, &listing, &order)?.map(|view| view.standing(&standing)))
}

/// Create a provider
///
/// With an inline key or a connection, and models to enable.
#[utoipa::path(
    post,
    path = "/admin/providers",
    operation_id = "createProvider",
    tag = "Providers",
    request_body = Create,
    responses((status = 200, body = ProviderView), Conflict)
)]
pub(super) async fn create(
    State(state): State<AdminState>,
    actor: Actor,
    Body(mut body): Body<Create>,
) -> Result<Json<ProviderView>, AdminError> {
    let vendor = upstream::vendor(&body.model_provider)?;
    let models = models(body.models.take().unwrap_or_default())?;
    if let Some(template) = provider_catalog::template(body.catalog_id, &body.model_provider)?
        && body.connection_id.is_none()
    {
        body.auth_type = body.auth_type.or_else(|| template.auth_types.first().cloned());
    }
    let mut change = state.change(&actor).await?;
    let tx = change.tx();
    let shared = match body.connection_id {
        Some(id) => Some(provider_write::connection(tx, actor.org, id, vendor).await?),
        None => None,
    };
    let (mut row, inherits, credential) =
        provider_write::new_row(&state, actor.org, body, vendor, shared.as_ref())?;
    row.sealed = state.seal(tx, row.org_id, row.id.0, credential.as_ref()).await?;
    let inserted = tx.insert_provider(&row, inherits).await;
    inserted.map_err(|error| name_taken(error, &row.name))?;
    price_guard::require(tx, &row, models.iter().map(String::as_str)).await?;
    for model in models {
        if let Some(message) = smart_alias_taken(tx, actor.org, &model).await? {
            return Err(AdminError::conflict(format!("models: {message}")));
        }
        tx.insert_route(&new_enablement(&row, model, Timestamp::now())).await?;
    }
    let (id, sealed) = (row.id.0, row.sealed.is_some());
    let view = ProviderView::from(row);
    change.commit(Audit::created(WHAT, id, &view)?.credentials(sealed)).await?;
    Ok(Json(probed(&state, actor.org, view).await))
}

/// Update a provider
///
/// `model_provider` cannot change.
#[utoipa::path(
    put,
    path = "/admin/providers/{id}",
    operation_id = "updateProvider",
    tag = "Providers",
    request_body = Update,
    responses((status = 200, body = ProviderView), Conflict)
)]
pub(super) async fn update(
    State(state): State<AdminState>,
    actor: Actor,
    PathId(id): PathId,
    Body(body): Body<Update>,
) -> Result<Json<ProviderView>, AdminError> {
    let mut change = state.change(&actor).await?;
    let tx = change.tx();
    let mut row = existing(tx, actor.org, ProviderId(id)).await?;
    let (before, sealed) = (ProviderView::from(row.clone()), row.sealed.clone());
    let inherits = provider_write::change(&state, tx, &mut row, body).await?;
    let updated = tx.update_provider(&row, inherits).await;
    updated.map_err(|error| name_taken(error, &row.name))?;
    let rotated = row.sealed != sealed;
    let view = ProviderView::from(row);
    change.commit(Audit::updated(WHAT, id, &before, &view)?.credentials(rotated)).await?;
    if view.was_checked() {
        return Ok(Json(view));
    }
    Ok(Json(probed(&state, actor.org, view).await))
}

/// Check a provider's health now
///
/// Answers the provider with what was found out, or with what is known where that takes longer than a
/// few seconds. Vendors that are not probed stay unverified.
#[utoipa::path(
    post,
    path = "/admin/providers/{id}/check",
    operation_id = "checkProvider",
    tag = "Providers",
    responses((status = 200, body = ProviderView))
)]
pub(super) async fn check(
    State(state): State<AdminState>,
    caller: Caller,
    PathId(id): PathId,
) -> Result<Json<ProviderView>, AdminError> {
    let row = existing(&mut state.store.read().await?, caller.org, ProviderId(id)).await?;
    Ok(Json(probed(&state, caller.org, row.into()).await))
}

/// The provider after a probe; as it was, where it cannot be read then: what was asked for is done.
async fn probed(state: &AdminState, org: OrgId, view: ProviderView) -> ProviderView {
    state.probe(org, view.id()).await;
    let Ok(mut tx) = state.store.read().await else { return view };
    match tx.provider(org, view.id()).await {
        Ok(Some(row)) => row.into(),
        _ => view,
    }
}

/// Delete a provider
///
/// Takes its routes and its inline key along.
#[utoipa::path(
    delete,
    path = "/admin/providers/{id}",
    operation_id = "deleteProvider",
    tag = "Providers",
    responses((status = 200, body = Deleted))
)]
pub(super) async fn delete(
    State(state): State<AdminState>,
    actor: Actor,
    PathId(id): PathId,
) -> Result<Json<Deleted>, AdminError> {
    let mut change = state.change(&actor).await?;
    let row = existing(change.tx(), actor.org, ProviderId(id)).await?;
    change.tx().set_claim(actor.org, id, None).await?;
    change.tx().delete_provider(actor.org, row.id).await?;
    change.commit(Audit::deleted(WHAT, id, &ProviderView::from(row))?).await?;
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
