//! `/admin/model-mappings`: model routes.
//!
//! A row whose alias is its upstream model enables the model on its provider (the 1:1 row); custom
//! aliases hang on it. No operation may leave a custom alias without its 1:1 row.

use std::collections::HashSet;

use axum::{Json, extract::State};
use serde_json::json;

use super::{
    change::{Actor, Audit, Change},
    error::AdminError,
    extract::{Body, Params, PathId},
    paging::{Listed, Listing},
    price_guard, providers,
    refusals::Conflict,
    reply::{DELETED, DONE, Deleted, Done},
    route_inputs::{Create, Reorder, Update, fold},
    route_list::{self, Which},
    route_standing::Standing,
    route_view::{self, RouteView},
    smart_models::smart_alias_taken,
    sorting::Order,
    state::AdminState,
    upstream,
};
use crate::{
    auth::Caller,
    domain::{OrgId, RouteId, Timestamp},
    store::{RouteRow, Tx},
};

const WHAT: &str = "model mapping";
/// In the audit log.
const KIND: &str = "model_mapping";

/// List all routes
///
/// By alias, each alias's in the order in which they are tried. A page has whole aliases: `limit` is
/// of those. With `kind=model` it is of routes. Each word of `q` is searched in alias, provider
/// and upstream model; `sort` is `alias`, and with `kind=model` also `provider`, `input` or `output` (prices).
#[utoipa::path(
    get,
    path = "/admin/model-mappings",
    operation_id = "listRoutes",
    tag = "Model Routes",
    params(Which, Listing, Order),
    responses((status = 200, body = [RouteView]))
)]
pub(super) async fn list(
    State(state): State<AdminState>,
    caller: Caller,
    Params(which): Params<Which>,
    Params(listing): Params<Listing>,
    Params(order): Params<Order>,
) -> Result<Listed<RouteView>, AdminError> {
    let standing = Standing::now(&state, caller.org).await?;
    let views = route_view::all(&mut state.store.read().await?, caller.org).await?;
    Ok(route_list::part(views, &which, &listing, &order)?.map(|view| view.standing(&standing)))
}

/// Create a route
///
/// Where the 1:1 row of that model is already there, it takes over what is posted.
#[utoipa::path(
    post,
    path = "/admin/model-mappings",
    operation_id = "createRoute",
    tag = "Model Routes",
    request_body = Create,
    responses((status = 200, body = RouteView))
)]
pub(super) async fn create(
    State(state): State<AdminState>,
    actor: Actor,
    Body(body): Body<Create>,
) -> Result<Json<RouteView>, AdminError> {
    let posted = body.row(actor.org, Timestamp::now())?;
    let standing = Standing::now(&state, actor.org).await?;
    let mut change = state.change(&actor).await?;
    let tx = change.tx();
    let provider = providers::existing(tx, actor.org, posted.provider_id).await?;
    let stored = tx.enablement(actor.org, posted.provider_id, &posted.upstream_model).await?;
    if stored.is_none() && !posted.is_enablement() {
        return Err(not_enabled(&posted.upstream_model));
    }
    if posted.enabled {
        price_guard::require(tx, &provider, [posted.upstream_model.as_str()]).await?;
    }
    let row = match stored {
        Some(stored) if posted.is_enablement() => {
            let folded = fold(posted, &stored);
            tx.update_route(&folded).await?;
            return updated(change, stored, folded, &standing).await;
        }
        _ => {
            refuse_a_smart_models_alias(tx, &posted).await?;
            tx.insert_route(&posted).await?;
            posted
        }
    };
    let id = row.id.0;
    let view = route_view::one(tx, row).await?;
    change.commit(Audit::created(KIND, id, &view)?).await?;
    Ok(Json(view.standing(&standing)))
}

/// Update a route
///
/// `provider_id` cannot change.
#[utoipa::path(
    put,
    path = "/admin/model-mappings/{id}",
    operation_id = "updateRoute",
    tag = "Model Routes",
    request_body = Update,
    responses((status = 200, body = RouteView), Conflict)
)]
pub(super) async fn update(
    State(state): State<AdminState>,
    actor: Actor,
    PathId(id): PathId,
    Body(body): Body<Update>,
) -> Result<Json<RouteView>, AdminError> {
    let standing = Standing::now(&state, actor.org).await?;
    let mut change = state.change(&actor).await?;
    let tx = change.tx();
    let stored = existing(tx, actor.org, RouteId(id)).await?;
    let given = body.provider_id.map(|id| id.to_string());
    upstream::unchanged("provider_id", given.as_deref(), &stored.provider_id.to_string())?;
    let changed = body.applied(stored.clone(), Timestamp::now())?;
    check_change(tx, &stored, &changed).await?;
    if changed.enabled {
        let provider = providers::existing(tx, actor.org, changed.provider_id).await?;
        price_guard::require(tx, &provider, [changed.upstream_model.as_str()]).await?;
    }
    tx.update_route(&changed).await?;
    updated(change, stored, changed, &standing).await
}

/// Delete a route
///
/// A 1:1 row goes only after the custom aliases that hang on it.
#[utoipa::path(
    delete,
    path = "/admin/model-mappings/{id}",
    operation_id = "deleteRoute",
    tag = "Model Routes",
    responses((status = 200, body = Deleted), Conflict)
)]
pub(super) async fn delete(
    State(state): State<AdminState>,
    actor: Actor,
    PathId(id): PathId,
) -> Result<Json<Deleted>, AdminError> {
    let mut change = state.change(&actor).await?;
    let tx = change.tx();
    let stored = existing(tx, actor.org, RouteId(id)).await?;
    refuse_orphans(tx, &stored).await?;
    tx.delete_route(actor.org, stored.id).await?;
    let view = route_view::one(tx, stored).await?;
    change.commit(Audit::deleted(KIND, id, &view)?).await?;
    Ok(DELETED)
}

/// Set many priorities at once
///
/// All of them, or none.
#[utoipa::path(
    put,
    path = "/admin/model-mappings/reorder",
    operation_id = "reorderRoutes",
    tag = "Model Routes",
    request_body = Reorder,
    responses((status = 200, body = Done))
)]
pub(super) async fn reorder(
    State(state): State<AdminState>,
    actor: Actor,
    Body(body): Body<Reorder>,
) -> Result<Json<Done>, AdminError> {
    let mut listed = HashSet::with_capacity(body.entries.len());
    let now = Timestamp::now();
    let mut change = state.change(&actor).await?;
    let tx = change.tx();
    let (mut before, mut after) = (Vec::new(), Vec::new());
    for entry in body.entries {
        if !listed.insert(entry.id) {
            let message = format!("entries: the id {} is listed twice", entry.id);
            return Err(AdminError::bad_request(message));
        }
        let stored = existing(tx, actor.org, entry.id).await?;
        let priority = i64::from(entry.priority);
        before.push(json!({"id": stored.id, "priority": stored.priority}));
        after.push(json!({"id": stored.id, "priority": priority}));
        tx.update_route(&RouteRow { priority, updated_at: now, ..stored }).await?;
    }
    let audit = Audit::new(KIND, "reorder", None).before(&before)?.after(&after)?;
    change.commit(audit).await?;
    Ok(DONE)
}

async fn updated(
    mut change: Change<'_>,
    stored: RouteRow,
    changed: RouteRow,
    standing: &Standing,
) -> Result<Json<RouteView>, AdminError> {
    let id = changed.id.0;
    let before = route_view::one(change.tx(), stored).await?;
    let after = route_view::one(change.tx(), changed).await?;
    change.commit(Audit::updated(KIND, id, &before, &after)?).await?;
    Ok(Json(after.standing(standing)))
}

async fn existing(tx: &mut Tx, org: OrgId, id: RouteId) -> Result<RouteRow, AdminError> {
    tx.route(org, id).await?.ok_or_else(|| AdminError::not_found(WHAT))
}

/// The rules for an edit that changes which model a row is about.
async fn check_change(
    tx: &mut Tx,
    stored: &RouteRow,
    changed: &RouteRow,
) -> Result<(), AdminError> {
    let same_model = stored.upstream_model == changed.upstream_model;
    if same_model && stored.model_alias == changed.model_alias {
        return Ok(());
    }
    if stored.model_alias != changed.model_alias {
        refuse_a_smart_models_alias(tx, changed).await?;
    }
    refuse_orphans(tx, stored).await?;
    let (org, provider) = (changed.org_id, changed.provider_id);
    let enablement = tx.enablement(org, provider, &changed.upstream_model).await?;
    let other = enablement.is_some_and(|row| row.id != changed.id);
    match (changed.is_enablement(), other) {
        (true, true) => Err(AdminError::conflict(format!(
            "the model '{}' is already enabled on this provider by another mapping",
            changed.upstream_model
        ))),
        (false, false) => Err(not_enabled(&changed.upstream_model)),
        _ => Ok(()),
    }
}

/// A route may have any alias that other routes have, so that a smart model's is one that no route can have,
/// and no conflict: 409 is about another 1:1 row.
async fn refuse_a_smart_models_alias(tx: &mut Tx, row: &RouteRow) -> Result<(), AdminError> {
    match smart_alias_taken(tx, row.org_id, &row.model_alias).await? {
        Some(message) => Err(AdminError::bad_request(format!("model_alias: {message}"))),
        None => Ok(()),
    }
}

/// Refuses to take a 1:1 row away from the custom aliases that hang on it.
async fn refuse_orphans(tx: &mut Tx, stored: &RouteRow) -> Result<(), AdminError> {
    if !stored.is_enablement() {
        return Ok(());
    }
    let (org, provider) = (stored.org_id, stored.provider_id);
    let aliases = tx.custom_aliases(org, provider, &stored.upstream_model).await?;
    if aliases.is_empty() {
        return Ok(());
    }
    Err(AdminError::conflict(format!(
        "the model '{}' still has custom aliases on this provider: {}; delete them first",
        stored.upstream_model,
        aliases.join(", ")
    )))
}

/// In the public client's words, on which its users' checks match.
fn not_enabled(upstream_model: &str) -> AdminError {
    AdminError::bad_request(format!(
        "Cannot route to '{upstream_model}' on this provider: the model is not enabled. Enable it \
         under LLM Configuration → Models first, then create the route."
    ))
}
