//! `/admin/service-accounts`: programs that get tokens with a secret, which is shown once, when the
//! account is made.

use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    change::{Actor, Audit},
    error::AdminError,
    extract::{Body, PathId},
    refusals::Conflict,
    reply::{DELETED, Deleted},
    state::AdminState,
    upstream,
};
use crate::{
    auth::{self, Caller, MintedSecret},
    domain::{Role, ServiceAccountId, Timestamp},
    store::{ServiceAccountRow, StoreError},
};

const WHAT: &str = "service account";

/// A service account, without its secret
#[derive(Serialize, ToSchema)]
#[schema(as = ServiceAccount)]
pub(super) struct AccountView {
    id: ServiceAccountId,
    name: String,
    role: Role,
    /// By which it asks for tokens.
    client_id: String,
    created_at: Timestamp,
    /// When it last got a token.
    last_used_at: Option<Timestamp>,
}

impl From<&ServiceAccountRow> for AccountView {
    fn from(row: &ServiceAccountRow) -> Self {
        Self {
            id: row.id,
            name: row.name.clone(),
            role: row.role,
            client_id: auth::client_id(row.id),
            created_at: row.created_at,
            last_used_at: row.last_used_at,
        }
    }
}

/// A service account that was just made, in the only answer that holds its secret
#[derive(Serialize, ToSchema)]
#[schema(as = CreatedServiceAccount)]
pub(super) struct CreatedAccount {
    /// The secret for the token endpoint.
    client_secret: String,
    #[serde(flatten)]
    view: AccountView,
}

/// A new service account
#[derive(Deserialize, ToSchema)]
#[schema(as = CreateServiceAccountRequest)]
pub(super) struct Create {
    /// Unique in the organization.
    #[schema(min_length = 1, max_length = 256)]
    name: String,
    /// No more than the caller's own.
    role: Role,
}

/// List service accounts
#[utoipa::path(
    get,
    path = "/admin/service-accounts",
    operation_id = "listServiceAccounts",
    tag = "Service Accounts",
    responses((status = 200, body = [AccountView]))
)]
pub(super) async fn list(
    State(state): State<AdminState>,
    caller: Caller,
) -> Result<Json<Vec<AccountView>>, AdminError> {
    let rows = state.store.read().await?.service_accounts(caller.org).await?;
    Ok(Json(rows.iter().map(AccountView::from).collect()))
}

/// Create a service account
///
/// Its secret is shown once, in this answer.
#[utoipa::path(
    post,
    path = "/admin/service-accounts",
    operation_id = "createServiceAccount",
    tag = "Service Accounts",
    request_body = Create,
    responses((status = 200, body = CreatedAccount), Conflict)
)]
pub(super) async fn create(
    State(state): State<AdminState>,
    actor: Actor,
    Body(body): Body<Create>,
) -> Result<Json<CreatedAccount>, AdminError> {
    let name = upstream::text("name", body.name)?;
    if body.role > actor.role {
        let message =
            format!("role must be no more than your own, which is {}", actor.role.as_str());
        return Err(AdminError::forbidden(message));
    }
    let minted = MintedSecret::new(&state.keyring)?;
    let row = auth::account(actor.org, &name, body.role, &minted);
    let mut change = state.change(&actor).await?;
    change.tx().insert_service_account(&row).await.map_err(|error| match error {
        StoreError::Conflict => {
            AdminError::conflict(format!("a service account with the name '{name}' already exists"))
        }
        other => other.into(),
    })?;
    let view = AccountView::from(&row);
    change.commit(Audit::created(WHAT, row.id.0, &view)?).await?;
    Ok(Json(CreatedAccount { client_secret: minted.plain.expose().to_owned(), view }))
}

/// Delete a service account
///
/// Its tokens are void at once.
#[utoipa::path(
    delete,
    path = "/admin/service-accounts/{id}",
    operation_id = "deleteServiceAccount",
    tag = "Service Accounts",
    responses((status = 200, body = Deleted))
)]
pub(super) async fn delete(
    State(state): State<AdminState>,
    actor: Actor,
    PathId(id): PathId,
) -> Result<Json<Deleted>, AdminError> {
    let mut change = state.change(&actor).await?;
    let tx = change.tx();
    let id = ServiceAccountId(id);
    let row = tx.service_account(actor.org, id).await?;
    let row = row.ok_or_else(|| AdminError::not_found(WHAT))?;
    tx.delete_service_account(actor.org, id).await?;
    change.commit(Audit::deleted(WHAT, id.0, &AccountView::from(&row))?).await?;
    Ok(DELETED)
}
