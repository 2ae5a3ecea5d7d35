//! `/admin/connections`: reusable upstream credentials. What is secret goes in and never comes out.

use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::{
    change::{Actor, Audit},
    error::AdminError,
    extract::{Body, PathId},
    refusals::Conflict,
    reply::{DELETED, Deleted},
    schemas::{AuthType, Credentials, ModelProvider, Settings, Url},
    sealing::{CredentialsInput, KeyInput, given_key},
    state::AdminState,
    upstream,
};
use crate::{
    auth::Caller,
    domain::{CredentialId, OrgId, Timestamp},
    store::{ConnectionRow, StoreError, Tx},
};

const WHAT: &str = "connection";

/// A reusable upstream credential (wire name: connection), without its secret
#[derive(Clone, Serialize, ToSchema)]
#[schema(as = Credential)]
pub(super) struct CredentialView {
    id: CredentialId,
    org_id: OrgId,
    name: String,
    #[schema(value_type = ModelProvider)]
    model_provider: String,
    #[schema(value_type = AuthType)]
    auth_type: String,
    #[schema(value_type = Url)]
    base_url: String,
    #[schema(value_type = Settings)]
    settings: Value,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl From<ConnectionRow> for CredentialView {
    fn from(row: ConnectionRow) -> Self {
        Self {
            id: row.id,
            org_id: row.org_id,
            name: row.name,
            model_provider: row.model_provider,
            auth_type: row.auth_type,
            base_url: row.base_url,
            settings: row.settings,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

/// A new credential
#[derive(Deserialize, ToSchema)]
#[schema(as = CreateCredentialRequest)]
pub(super) struct Create {
    #[schema(min_length = 1, max_length = 256)]
    name: String,
    #[schema(value_type = ModelProvider)]
    model_provider: String,
    /// `api_key` where absent.
    #[schema(value_type = Option<AuthType>)]
    auth_type: Option<String>,
    /// The vendor's own where absent.
    #[schema(value_type = Option<Url>)]
    base_url: Option<String>,
    /// The upstream's key, for auth types that are one key.
    #[schema(value_type = Option<String>, write_only)]
    api_key: Option<KeyInput>,
    #[schema(value_type = Option<Credentials>, write_only)]
    credentials: Option<CredentialsInput>,
    #[schema(value_type = Option<Settings>)]
    settings: Option<Value>,
}

/// Changes to a credential; absent and null both keep
#[derive(Deserialize, ToSchema)]
#[schema(as = UpdateCredentialRequest)]
pub(super) struct Update {
    #[schema(min_length = 1, max_length = 256)]
    name: Option<String>,
    /// Fixed; only the stored value is accepted.
    #[schema(value_type = Option<ModelProvider>)]
    model_provider: Option<String>,
    #[schema(value_type = Option<AuthType>)]
    auth_type: Option<String>,
    #[schema(value_type = Option<Url>)]
    base_url: Option<String>,
    /// Rotates the stored key.
    #[schema(value_type = Option<String>, write_only)]
    api_key: Option<KeyInput>,
    /// Rotates the stored secret.
    #[schema(value_type = Option<Credentials>, write_only)]
    credentials: Option<CredentialsInput>,
    #[schema(value_type = Option<Settings>)]
    settings: Option<Value>,
}

/// List credentials
#[utoipa::path(
    get,
    path = "/admin/connections",
    operation_id = "listCredentials",
    tag = "Credentials",
    responses((status = 200, body = [CredentialView]))
)]
pub(super) async fn list(
    State(state): State<AdminState>,
    caller: Caller,
) -> Result<Json<Vec<CredentialView>>, AdminError> {
    let rows = state.store.read().await?.connections(caller.org).await?;
    Ok(Json(rows.into_iter().map(CredentialView::from).collect()))
}

/// Get a credential
#[utoipa::path(
    get,
    path = "/admin/connections/{id}",
    operation_id = "getCredential",
    tag = "Credentials",
    responses((status = 200, body = CredentialView))
)]
pub(super) async fn get(
    State(state): State<AdminState>,
    caller: Caller,
    PathId(id): PathId,
) -> Result<Json<CredentialView>, AdminError> {
    let mut tx = state.store.read().await?;
    Ok(Json(existing(&mut tx, caller.org, CredentialId(id)).await?.into()))
}

/// Create a credential
#[utoipa::path(
    post,
    path = "/admin/connections",
    operation_id = "createCredential",
    tag = "Credentials",
    request_body = Create,
    responses((status = 200, body = CredentialView), Conflict)
)]
pub(super) async fn create(
    State(state): State<AdminState>,
    actor: Actor,
    Body(body): Body<Create>,
) -> Result<Json<CredentialView>, AdminError> {
    let row = new_row(&state, actor.org, body)?;
    let mut change = state.change(&actor).await?;
    let inserted = change.tx().insert_connection(&row).await;
    inserted.map_err(|error| name_taken(error, &row.name))?;
    let (id, sealed) = (row.id.0, row.sealed.is_some());
    let view = CredentialView::from(row);
    change.commit(Audit::created(WHAT, id, &view)?.credentials(sealed)).await?;
    Ok(Json(view))
}

fn new_row(state: &AdminState, org: OrgId, body: Create) -> Result<ConnectionRow, AdminError> {
    let now = Timestamp::now();
    let id = CredentialId::random();
    let name = upstream::text("name", body.name)?;
    let vendor = upstream::vendor(&body.model_provider)?;
    let auth_type = body.auth_type.unwrap_or_else(upstream::default_auth_type);
    let auth_type = upstream::auth_type(auth_type)?;
    let base_url = match body.base_url {
        Some(given) => upstream::base_url(given)?,
        None => upstream::default_base_url(vendor)?,
    };
    let settings = upstream::settings(body.settings, vendor)?.unwrap_or_else(|| json!({}));
    let key = given_key(body.api_key, body.credentials)?;
    upstream::require_key(vendor, key.as_ref())?;
    let key = key.filter(|key| !key.is_empty());
    let sealed = key.map(|key| key.seal(&state.keyring, org, id.0)).transpose()?;
    Ok(ConnectionRow {
        id,
        org_id: org,
        name,
        model_provider: body.model_provider,
        auth_type,
        base_url,
        settings,
        sealed,
        created_at: now,
        updated_at: now,
    })
}

/// Update or rotate a credential
///
/// A key in the body rotates the stored one. `model_provider` cannot change.
#[utoipa::path(
    put,
    path = "/admin/connections/{id}",
    operation_id = "updateCredential",
    tag = "Credentials",
    request_body = Update,
    responses((status = 200, body = CredentialView), Conflict)
)]
pub(super) async fn update(
    State(state): State<AdminState>,
    actor: Actor,
    PathId(id): PathId,
    Body(body): Body<Update>,
) -> Result<Json<CredentialView>, AdminError> {
    let mut change = state.change(&actor).await?;
    let mut row = existing(change.tx(), actor.org, CredentialId(id)).await?;
    let (before, sealed) = (CredentialView::from(row.clone()), row.sealed.clone());
    apply(&state, &mut row, body)?;
    let updated = change.tx().update_connection(&row).await;
    updated.map_err(|error| name_taken(error, &row.name))?;
    let rotated = row.sealed != sealed;
    let view = CredentialView::from(row);
    change.commit(Audit::updated(WHAT, id, &before, &view)?.credentials(rotated)).await?;
    Ok(Json(view))
}

fn apply(state: &AdminState, row: &mut ConnectionRow, body: Update) -> Result<(), AdminError> {
    let given = body.model_provider.as_deref();
    upstream::unchanged("model_provider", given, &row.model_provider)?;
    let vendor = upstream::vendor(&row.model_provider)?;
    if let Some(name) = body.name {
        row.name = upstream::text("name", name)?;
    }
    if let Some(auth_type) = body.auth_type {
        row.auth_type = upstream::auth_type(auth_type)?;
    }
    if let Some(base_url) = body.base_url {
        row.base_url = upstream::base_url(base_url)?;
    }
    if let Some(settings) = upstream::settings(body.settings, vendor)? {
        row.settings = settings;
    }
    if let Some(key) = given_key(body.api_key, body.credentials)? {
        upstream::require_key(vendor, Some(&key))?;
        let full = Some(key).filter(|key| !key.is_empty());
        let sealed = full.map(|key| key.seal(&state.keyring, row.org_id, row.id.0));
        row.sealed = sealed.transpose()?;
    }
    row.updated_at = Timestamp::now();
    Ok(())
}

/// Delete a credential
///
/// Refused while a provider uses it.
#[utoipa::path(
    delete,
    path = "/admin/connections/{id}",
    operation_id = "deleteCredential",
    tag = "Credentials",
    responses((status = 200, body = Deleted), Conflict)
)]
pub(super) async fn delete(
    State(state): State<AdminState>,
    actor: Actor,
    PathId(id): PathId,
) -> Result<Json<Deleted>, AdminError> {
    let mut change = state.change(&actor).await?;
    let row = existing(change.tx(), actor.org, CredentialId(id)).await?;
    let users = change.tx().connection_users(actor.org, row.id).await?;
    if !users.is_empty() {
        return Err(AdminError::conflict(format!(
            "this connection is still used by: {}; delete these providers or bind them to another \
             connection first",
            users.join(", ")
        )));
    }
    change.tx().delete_connection(actor.org, row.id).await?;
    change.commit(Audit::deleted(WHAT, id, &CredentialView::from(row))?).await?;
    Ok(DELETED)
}

async fn existing(tx: &mut Tx, org: OrgId, id: CredentialId) -> Result<ConnectionRow, AdminError> {
    tx.connection(org, id).await?.ok_or_else(|| AdminError::not_found(WHAT))
}

fn name_taken(error: StoreError, name: &str) -> AdminError {
    match error {
        StoreError::Conflict => {
            AdminError::conflict(format!("a connection named '{name}' already exists"))
        }
        other => other.into(),
    }
}
