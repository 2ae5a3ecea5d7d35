//! `/admin/connections`: reusable upstream credentials. What is secret goes in and never comes out.

use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    error::AdminError,
    extract::{Body, PathId},
    reply::{DELETED, Deleted},
    sealing::{CredentialsInput, KeyInput, given_key},
    state::AdminState,
    upstream,
};
use crate::{
    auth::Caller,
    domain::{CredentialId, OrgId, Timestamp},
    store::{ConnectionRow, StoreError},
};

const WHAT: &str = "connection";

/// A credential without its secret.
#[derive(Serialize)]
pub(super) struct CredentialView {
    id: CredentialId,
    org_id: OrgId,
    name: String,
    model_provider: String,
    auth_type: String,
    base_url: String,
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

#[derive(Deserialize)]
pub(super) struct Create {
    name: String,
    model_provider: String,
    auth_type: Option<String>,
    base_url: Option<String>,
    api_key: Option<KeyInput>,
    credentials: Option<CredentialsInput>,
    settings: Option<Value>,
}

/// Absent and null both keep.
#[derive(Deserialize)]
pub(super) struct Update {
    name: Option<String>,
    model_provider: Option<String>,
    auth_type: Option<String>,
    base_url: Option<String>,
    api_key: Option<KeyInput>,
    credentials: Option<CredentialsInput>,
    settings: Option<Value>,
}

/// `GET /admin/connections`
pub(super) async fn list(
    State(state): State<AdminState>,
    caller: Caller,
) -> Result<Json<Vec<CredentialView>>, AdminError> {
    let rows = state.store.read().await?.connections(caller.org).await?;
    Ok(Json(rows.into_iter().map(CredentialView::from).collect()))
}

/// `GET /admin/connections/{id}`
pub(super) async fn get(
    State(state): State<AdminState>,
    caller: Caller,
    PathId(id): PathId,
) -> Result<Json<CredentialView>, AdminError> {
    let row = state.store.read().await?.connection(caller.org, CredentialId(id)).await?;
    row.map(|row| Json(row.into())).ok_or_else(|| AdminError::not_found(WHAT))
}

/// `POST /admin/connections`
pub(super) async fn create(
    State(state): State<AdminState>,
    caller: Caller,
    Body(body): Body<Create>,
) -> Result<Json<CredentialView>, AdminError> {
    let row = new_row(&state, caller.org, body)?;
    let mut tx = state.store.write().await?;
    tx.insert_connection(&row).await.map_err(|error| name_taken(error, &row.name))?;
    tx.commit().await?;
    state.put_into_force(caller.org).await?;
    Ok(Json(row.into()))
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

/// `PUT /admin/connections/{id}`: a key in the body rotates the stored one.
pub(super) async fn update(
    State(state): State<AdminState>,
    caller: Caller,
    PathId(id): PathId,
    Body(body): Body<Update>,
) -> Result<Json<CredentialView>, AdminError> {
    let mut tx = state.store.write().await?;
    let row = tx.connection(caller.org, CredentialId(id)).await?;
    let mut row = row.ok_or_else(|| AdminError::not_found(WHAT))?;
    change(&state, &mut row, body)?;
    tx.update_connection(&row).await.map_err(|error| name_taken(error, &row.name))?;
    tx.commit().await?;
    state.put_into_force(caller.org).await?;
    Ok(Json(row.into()))
}

fn change(state: &AdminState, row: &mut ConnectionRow, body: Update) -> Result<(), AdminError> {
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

/// `DELETE /admin/connections/{id}`: refused while a provider uses it.
pub(super) async fn delete(
    State(state): State<AdminState>,
    caller: Caller,
    PathId(id): PathId,
) -> Result<Json<Deleted>, AdminError> {
    let id = CredentialId(id);
    let mut tx = state.store.write().await?;
    let users = tx.connection_users(caller.org, id).await?;
    if !users.is_empty() {
        return Err(AdminError::conflict(format!(
            "this connection is still used by: {}; delete these providers or bind them to another \
             connection first",
            users.join(", ")
        )));
    }
    if !tx.delete_connection(caller.org, id).await? {
        return Err(AdminError::not_found(WHAT));
    }
    tx.commit().await?;
    state.put_into_force(caller.org).await?;
    Ok(DELETED)
}

fn name_taken(error: StoreError, name: &str) -> AdminError {
    match error {
        StoreError::Conflict => {
            AdminError::conflict(format!("a connection named '{name}' already exists"))
        }
        other => other.into(),
    }
}
