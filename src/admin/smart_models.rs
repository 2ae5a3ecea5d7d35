//! `/admin/smart-models`: aliases behind which a model chooses the model.

use axum::{Json, extract::State};

use super::{
    change::{Actor, Audit},
    error::AdminError,
    extract::{Body, Params, PathId},
    paging::{Listed, Listing},
    refusals::Conflict,
    reply::{DELETED, Deleted},
    smart_inputs::{Create, SmartModelView, Update, refuse_dead_ends},
    sorting::{self, Order},
    state::AdminState,
};
use crate::{
    auth::Caller,
    domain::{OrgId, SmartModelId, Timestamp},
    store::{SmartModelRow, StoreError, Tx},
};

const WHAT: &str = "smart model";

/// List smart models
///
/// Each word of `q` is searched in alias, description, slots and determiner; `sort` is `alias` or
/// `determiner`.
#[utoipa::path(
    get,
    path = "/admin/smart-models",
    operation_id = "listSmartModels",
    tag = "Smart Models",
    params(Listing, Order),
    responses((status = 200, body = [SmartModelView]))
)]
pub(super) async fn list(
    State(state): State<AdminState>,
    caller: Caller,
    Params(listing): Params<Listing>,
    Params(order): Params<Order>,
) -> Result<Listed<SmartModelView>, AdminError> {
    let rows = state.store.read().await?.smart_models(caller.org).await?;
    sorting::part(rows.into_iter().map(SmartModelView::from).collect(), &listing, &order)
}

/// Create a smart model
///
/// Its determiner and its slots must lead to enabled routes.
#[utoipa::path(
    post,
    path = "/admin/smart-models",
    operation_id = "createSmartModel",
    tag = "Smart Models",
    request_body = Create,
    responses((status = 200, body = SmartModelView), Conflict)
)]
pub(super) async fn create(
    State(state): State<AdminState>,
    actor: Actor,
    Body(body): Body<Create>,
) -> Result<Json<SmartModelView>, AdminError> {
    let row = body.row(actor.org, Timestamp::now())?;
    let mut change = state.change(&actor).await?;
    let tx = change.tx();
    refuse_a_routes_alias(tx, &row).await?;
    refuse_dead_ends(tx, &row).await?;
    tx.insert_smart_model(&row).await.map_err(|error| taken(error, &row.model_alias))?;
    let id = row.id.0;
    let view = SmartModelView::from(row);
    change.commit(Audit::created(WHAT, id, &view)?).await?;
    Ok(Json(view))
}

/// Update a smart model
#[utoipa::path(
    put,
    path = "/admin/smart-models/{id}",
    operation_id = "updateSmartModel",
    tag = "Smart Models",
    request_body = Update,
    responses((status = 200, body = SmartModelView), Conflict)
)]
pub(super) async fn update(
    State(state): State<AdminState>,
    actor: Actor,
    PathId(id): PathId,
    Body(body): Body<Update>,
) -> Result<Json<SmartModelView>, AdminError> {
    let mut change = state.change(&actor).await?;
    let tx = change.tx();
    let stored = existing(tx, actor.org, SmartModelId(id)).await?;
    let (row, look_again) = body.applied(stored.clone(), Timestamp::now())?;
    if row.model_alias != stored.model_alias {
        refuse_a_routes_alias(tx, &row).await?;
    }
    if look_again {
        refuse_dead_ends(tx, &row).await?;
    }
    tx.update_smart_model(&row).await.map_err(|error| taken(error, &row.model_alias))?;
    let (before, view) = (SmartModelView::from(stored), SmartModelView::from(row));
    change.commit(Audit::updated(WHAT, id, &before, &view)?).await?;
    Ok(Json(view))
}

/// Delete a smart model
#[utoipa::path(
    delete,
    path = "/admin/smart-models/{id}",
    operation_id = "deleteSmartModel",
    tag = "Smart Models",
    responses((status = 200, body = Deleted))
)]
pub(super) async fn delete(
    State(state): State<AdminState>,
    actor: Actor,
    PathId(id): PathId,
) -> Result<Json<Deleted>, AdminError> {
    let mut change = state.change(&actor).await?;
    let row = existing(change.tx(), actor.org, SmartModelId(id)).await?;
    change.tx().delete_smart_model(actor.org, row.id).await?;
    change.commit(Audit::deleted(WHAT, id, &SmartModelView::from(row))?).await?;
    Ok(DELETED)
}

/// The message for a route whose alias a smart model has; none where none has it.
pub(super) async fn smart_alias_taken(
    tx: &mut Tx,
    org: OrgId,
    alias: &str,
) -> Result<Option<String>, AdminError> {
    let known = tx.smart_model_named(org, alias).await?;
    Ok(known.map(|known| {
        format!("the alias '{alias}' is that of the smart model '{}'", known.model_alias)
    }))
}

async fn refuse_a_routes_alias(tx: &mut Tx, row: &SmartModelRow) -> Result<(), AdminError> {
    let wanted = row.model_alias.to_lowercase();
    let routes = tx.routes(row.org_id).await?;
    match routes.iter().find(|route| route.model_alias.to_lowercase() == wanted) {
        Some(route) => Err(AdminError::conflict(format!(
            "model_alias: the alias '{}' is that of a model mapping",
            route.model_alias
        ))),
        None => Ok(()),
    }
}

async fn existing(tx: &mut Tx, org: OrgId, id: SmartModelId) -> Result<SmartModelRow, AdminError> {
    tx.smart_model(org, id).await?.ok_or_else(|| AdminError::not_found(WHAT))
}

fn taken(error: StoreError, alias: &str) -> AdminError {
    match error {
        StoreError::Conflict => {
            AdminError::conflict(format!("a smart model with the alias '{alias}' already exists"))
        }
        other => other.into(),
    }
}
