//! `/admin/api-keys`: the organization's `bd-` keys. A key is shown once, when it is made.

use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};

use super::{
    error::AdminError,
    extract::{Body, PathId},
    reply::{REVOKED, Revoked},
    state::AdminState,
    upstream,
};
use crate::{
    auth::Caller,
    domain::{KeyId, OrgId, Timestamp, UserId},
    store::KeyRow,
};

const WHAT: &str = "API key";

/// A key without its secret.
#[derive(Serialize)]
pub(super) struct KeyView {
    id: KeyId,
    org_id: OrgId,
    created_by_user_id: UserId,
    name: String,
    key_prefix: String,
    scopes: Vec<String>,
    created_at: Timestamp,
    user_id: Option<UserId>,
    group_name: Option<String>,
    expires_at: Option<Timestamp>,
    revoked_at: Option<Timestamp>,
}

impl From<KeyRow> for KeyView {
    fn from(row: KeyRow) -> Self {
        Self {
            id: row.id,
            org_id: row.org_id,
            created_by_user_id: row.created_by_user_id,
            name: row.name,
            key_prefix: row.key_prefix,
            scopes: row.scopes,
            created_at: row.created_at,
            user_id: row.user_id,
            group_name: row.group_name,
            expires_at: row.expires_at,
            revoked_at: row.revoked_at,
        }
    }
}

/// A key that was just made, and the only answer that holds it.
#[derive(Serialize)]
pub(super) struct CreatedKey {
    key: String,
    #[serde(flatten)]
    view: KeyView,
}

#[derive(Deserialize)]
pub(super) struct Create {
    name: String,
    user_id: Option<UserId>,
    group_name: Option<String>,
    scopes: Option<Vec<String>>,
    expires_at: Option<Timestamp>,
}

/// What a new key is, apart from its secret.
pub(super) struct NewKey {
    pub(super) name: String,
    pub(super) user_id: Option<UserId>,
    pub(super) group_name: Option<String>,
    pub(super) scopes: Vec<String>,
    pub(super) expires_at: Option<Timestamp>,
}

/// `GET /admin/api-keys`
pub(super) async fn list(
    State(state): State<AdminState>,
    caller: Caller,
) -> Result<Json<Vec<KeyView>>, AdminError> {
    let rows = state.store.read().await?.keys(caller.org).await?;
    Ok(Json(rows.into_iter().map(KeyView::from).collect()))
}

/// `GET /admin/api-keys/{id}`
pub(super) async fn get(
    State(state): State<AdminState>,
    caller: Caller,
    PathId(id): PathId,
) -> Result<Json<KeyView>, AdminError> {
    let row = state.store.read().await?.key(caller.org, KeyId(id)).await?;
    row.map(|row| Json(row.into())).ok_or_else(|| AdminError::not_found(WHAT))
}

/// `POST /admin/api-keys`: for a user, for a group, or for neither (a service).
pub(super) async fn create(
    State(state): State<AdminState>,
    caller: Caller,
    Body(body): Body<Create>,
) -> Result<Json<CreatedKey>, AdminError> {
    if body.user_id.is_some() && body.group_name.is_some() {
        let message = "user_id and group_name exclude each other; send at most one of them";
        return Err(AdminError::bad_request(message));
    }
    let group_name = body.group_name.map(|name| upstream::text("group_name", name)).transpose()?;
    let new = NewKey {
        name: body.name,
        user_id: body.user_id,
        group_name,
        scopes: body.scopes.unwrap_or_default(),
        expires_at: body.expires_at,
    };
    make(&state, &caller, new).await.map(Json)
}

/// `DELETE /admin/api-keys/{id}`
pub(super) async fn revoke(
    State(state): State<AdminState>,
    caller: Caller,
    PathId(id): PathId,
) -> Result<Json<Revoked>, AdminError> {
    revoke_where(&state, &caller, KeyId(id), |_| true).await
}

/// Mints and stores a key.
pub(super) async fn make(
    state: &AdminState,
    caller: &Caller,
    new: NewKey,
) -> Result<CreatedKey, AdminError> {
    let now = Timestamp::now();
    if new.expires_at.is_some_and(|at| at <= now) {
        return Err(AdminError::bad_request("expires_at must be in the future"));
    }
    let name = upstream::text("name", new.name)?;
    let minted = state.api_keys.mint()?;
    let row = KeyRow {
        id: KeyId::random(),
        org_id: caller.org,
        name,
        key_prefix: minted.prefix,
        hash: minted.hash.to_vec(),
        created_by_user_id: caller.user,
        user_id: new.user_id,
        group_name: new.group_name,
        scopes: new.scopes,
        created_at: now,
        expires_at: new.expires_at,
        revoked_at: None,
        user_groups: Vec::new(),
    };
    let mut tx = state.store.write().await?;
    if let Some(user) = row.user_id
        && tx.user(caller.org, user).await?.is_none()
    {
        return Err(AdminError::bad_request("user_id names no user of this organization"));
    }
    tx.insert_key(&row).await?;
    tx.commit().await?;
    Ok(CreatedKey { key: minted.plain.expose().to_owned(), view: row.into() })
}

/// Revokes a key that the caller may revoke; any other is not found. In force when this returns.
pub(super) async fn revoke_where(
    state: &AdminState,
    caller: &Caller,
    id: KeyId,
    may: impl Fn(&KeyRow) -> bool,
) -> Result<Json<Revoked>, AdminError> {
    let mut tx = state.store.write().await?;
    let row = tx.key(caller.org, id).await?.filter(may);
    let row = row.ok_or_else(|| AdminError::not_found(WHAT))?;
    tx.revoke_key(caller.org, id, Timestamp::now()).await?;
    tx.commit().await?;
    match <[u8; 32]>::try_from(row.hash) {
        Ok(hash) => state.api_keys.forget(&hash),
        Err(_) => state.api_keys.forget_all(),
    }
    Ok(REVOKED)
}
