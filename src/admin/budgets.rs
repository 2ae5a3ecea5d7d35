//! `/admin/budgets`

use axum::{Json, extract::State};

use super::{
    budget_inputs::{self, BudgetView, Create, Update},
    change::{Actor, Audit},
    error::AdminError,
    extract::{Body, Params, PathId},
    never_matches::NeverMatches,
    paging::{Listed, Listing},
    policy_list::{self, Names, Policy},
    refusals::Conflict,
    reply::{DELETED, Deleted},
    sorting::Order,
    state::AdminState,
};
use crate::{
    auth::Caller,
    domain::{BudgetId, OrgId, Timestamp},
    store::{BudgetRow, StoreError, Tx},
};

const WHAT: &str = "token budget";

/// List budgets
///
/// Each word of `q` is searched in name, scope and target; `sort` is `name`, `scope`, `period`,
/// `tokens` or `cost`.
#[utoipa::path(
    get,
    path = "/admin/budgets",
    operation_id = "listBudgets",
    tag = "Token Budgets",
    params(Listing, Order),
    responses((status = 200, body = [BudgetView]))
)]
pub(super) async fn list(
    State(state): State<AdminState>,
    caller: Caller,
    Params(listing): Params<Listing>,
    Params(order): Params<Order>,
) -> Result<Listed<BudgetView>, AdminError> {
    let mut tx = state.store.read().await?;
    let rows = tx.budgets(caller.org).await?;
    let scopes: Vec<_> = rows.iter().map(|row| &row.scope).collect();
    let names = Names::of(&mut tx, caller.org, &scopes, (&listing, &order)).await?;
    drop(tx);
    let rows = rows.into_iter();
    let policy =
        |row| Policy { place: budget_inputs::place(&row, &names), shown: BudgetView::from(row) };
    policy_list::part(rows.map(policy).collect(), &listing, &order)
}

/// Create a budget
///
/// It counts what was used since its period began. One whose scope or target can never match is kept, and the
/// answer has the header `Warning`.
#[utoipa::path(
    post,
    path = "/admin/budgets",
    operation_id = "createBudget",
    tag = "Token Budgets",
    request_body = Create,
    responses((status = 200, body = BudgetView), Conflict)
)]
pub(super) async fn create(
    State(state): State<AdminState>,
    actor: Actor,
    Body(body): Body<Create>,
) -> Result<(NeverMatches, Json<BudgetView>), AdminError> {
    let row = body.row(actor.org, Timestamp::now())?;
    let mut change = state.change(&actor).await?;
    change.tx().insert_budget(&row).await.map_err(taken)?;
    let (id, warning) = (row.id.0, warning(change.tx(), &row).await?);
    let view = BudgetView::from(row);
    change.commit(Audit::created(WHAT, id, &view)?).await?;
    Ok((warning, Json(view)))
}

/// Update a budget
///
/// Scope, target and currency cannot change.
#[utoipa::path(
    put,
    path = "/admin/budgets/{id}",
    operation_id = "updateBudget",
    tag = "Token Budgets",
    request_body = Update,
    responses((status = 200, body = BudgetView), Conflict)
)]
pub(super) async fn update(
    State(state): State<AdminState>,
    actor: Actor,
    PathId(id): PathId,
    Body(body): Body<Update>,
) -> Result<(NeverMatches, Json<BudgetView>), AdminError> {
    let mut change = state.change(&actor).await?;
    let stored = existing(change.tx(), actor.org, BudgetId(id)).await?;
    let row = body.applied(stored.clone(), Timestamp::now())?;
    change.tx().update_budget(&row).await.map_err(taken)?;
    let warning = warning(change.tx(), &row).await?;
    let (before, view) = (BudgetView::from(stored), BudgetView::from(row));
    change.commit(Audit::updated(WHAT, id, &before, &view)?).await?;
    Ok((warning, Json(view)))
}

/// Delete a budget
#[utoipa::path(
    delete,
    path = "/admin/budgets/{id}",
    operation_id = "deleteBudget",
    tag = "Token Budgets",
    responses((status = 200, body = Deleted))
)]
pub(super) async fn delete(
    State(state): State<AdminState>,
    actor: Actor,
    PathId(id): PathId,
) -> Result<Json<Deleted>, AdminError> {
    let mut change = state.change(&actor).await?;
    let row = existing(change.tx(), actor.org, BudgetId(id)).await?;
    change.tx().delete_budget(actor.org, row.id).await?;
    change.commit(Audit::deleted(WHAT, id, &BudgetView::from(row))?).await?;
    Ok(DELETED)
}

async fn existing(tx: &mut Tx, org: OrgId, id: BudgetId) -> Result<BudgetRow, AdminError> {
    tx.budget(org, id).await?.ok_or_else(|| AdminError::not_found(WHAT))
}

async fn warning(tx: &mut Tx, row: &BudgetRow) -> Result<NeverMatches, AdminError> {
    let text =
        "299 - \"target_provider_id is no provider of this organization: it never matches here\"";
    let told = NeverMatches::of(&row.scope, row.traffic);
    told.or_missing(tx, row.org_id, row.target.provider.as_slice(), text).await
}

/// In the public client's words, on which its users' checks match.
fn taken(error: StoreError) -> AdminError {
    match error {
        StoreError::Conflict => AdminError::conflict(
            "A budget with this scope, target, traffic type, and period already exists. Edit the \
             existing one, or vary the scope, target, traffic type, or period.",
        ),
        other => other.into(),
    }
}
