//! `/admin/api-keys`: the organization's `bd-` keys. A key is shown once, when it is made.

use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{
    change::{Actor, Audit},
    error::AdminError,
    extract::{Body, Params, PathId},
    paging::{Cursor, Listed, Listing, Picked},
    reply::{REVOKED, Revoked},
    state::AdminState,
    upstream,
};
use crate::{
    auth::Caller,
    domain::{KeyId, OrgId, Timestamp, UserId},
    store::{KeyFilter, KeyPosition, KeyRow},
};

const WHAT: &str = "API key";
/// In the audit log.
const KIND: &str = "api_key";

/// A gateway key, without its secret
#[derive(Serialize, ToSchema)]
#[schema(as = ApiKey)]
pub(super) struct KeyView {
    id: KeyId,
    org_id: OrgId,
    created_by_user_id: UserId,
    name: String,
    /// The key's first 8 characters.
    #[schema(examples("bd-abcde"))]
    key_prefix: String,
    scopes: Vec<String>,
    created_at: Timestamp,
    /// Whom it acts for; null for keys of groups and services.
    user_id: Option<UserId>,
    /// The group that it is bound to.
    group_name: Option<String>,
    /// The e-mail recorded on it.
    user_email: Option<String>,
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
            user_email: row.user_email,
            expires_at: row.expires_at,
            revoked_at: row.revoked_at,
        }
    }
}

/// A key that was just made, in the only answer that holds it
#[derive(Serialize, ToSchema)]
#[schema(as = CreatedApiKey)]
pub(super) struct CreatedKey {
    /// The key itself.
    #[schema(examples("bd-abcd1234ef56..."))]
    key: String,
    #[serde(flatten)]
    view: KeyView,
}

/// A new key
#[derive(Deserialize, ToSchema)]
#[schema(as = CreateApiKeyRequest)]
pub(super) struct Create {
    #[schema(min_length = 1, max_length = 256)]
    name: String,
    /// Excludes `group_name`.
    user_id: Option<UserId>,
    /// Excludes `user_id`.
    #[schema(min_length = 1, max_length = 256)]
    group_name: Option<String>,
    /// The e-mail to record; its user's where absent.
    #[schema(min_length = 1, max_length = 256)]
    user_email: Option<String>,
    /// Stored and shown; empty is all.
    scopes: Option<Vec<String>>,
    expires_at: Option<Timestamp>,
}

/// What a new key is, apart from its secret.
pub(super) struct NewKey {
    pub(super) name: String,
    pub(super) user_id: Option<UserId>,
    pub(super) group_name: Option<String>,
    pub(super) user_email: Option<String>,
    pub(super) scopes: Vec<String>,
    pub(super) expires_at: Option<Timestamp>,
}

/// Which keys, as text.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Which {
    /// `active`: those that work; `ended`: those that are revoked or expired.
    #[param(value_type = Option<KeyState>, inline)]
    state: Option<String>,
}

/// Whether a key works
#[derive(ToSchema)]
#[schema(as = ApiKeyState, rename_all = "lowercase")]
#[expect(dead_code, reason = "describes a parameter that is read as text")]
enum KeyState {
    Active,
    Ended,
}

impl Which {
    fn works(&self) -> Result<Option<bool>, AdminError> {
        match self.state.as_deref() {
            None => Ok(None),
            Some("active") => Ok(Some(true)),
            Some("ended") => Ok(Some(false)),
            Some(_) => Err(AdminError::bad_request("state must be active or ended")),
        }
    }
}

/// List keys
///
/// Newest first, revoked ones too. `q` searches name, first characters, group, and the user's e-mail
/// and subject.
#[utoipa::path(
    get,
    path = "/admin/api-keys",
    operation_id = "listApiKeys",
    tag = "API Keys",
    params(Which, Picked, Listing),
    responses((
        status = 200,
        body = [KeyView],
        headers(("x-next-cursor" = String, description = "Where the next page begins; absent on the last."))
    ))
)]
pub(super) async fn list(
    State(state): State<AdminState>,
    caller: Caller,
    Params(which): Params<Which>,
    Params(picked): Params<Picked>,
    Params(listing): Params<Listing>,
) -> Result<Listed<KeyView>, AdminError> {
    if let Some(ids) = picked.ids(&listing)? {
        return picked_of(&state, caller.org, None, &which, ids).await;
    }
    listed(&state, caller.org, None, &which, &listing).await
}

/// Those of these keys which the organization has, or which act for one user.
pub(super) async fn picked_of(
    state: &AdminState,
    org: OrgId,
    user: Option<UserId>,
    which: &Which,
    ids: Vec<Uuid>,
) -> Result<Listed<KeyView>, AdminError> {
    if which.works()?.is_some() {
        return Err(AdminError::bad_request("id excludes state"));
    }
    let ids: Vec<KeyId> = ids.into_iter().map(KeyId).collect();
    let mut rows = state.store.read().await?.keys_by_id(org, &ids).await?;
    rows.retain(|row| user.is_none() || row.user_id == user);
    Ok(Listed { entries: rows, next: None, total: None }.map(KeyView::from))
}

/// The organization's keys, or those that act for one user.
pub(super) async fn listed(
    state: &AdminState,
    org: OrgId,
    user: Option<UserId>,
    which: &Which,
    listing: &Listing,
) -> Result<Listed<KeyView>, AdminError> {
    let text = listing.search()?.map(str::to_owned);
    let filter = KeyFilter { user, works: which.works()?, text };
    let (after, limit) = (listing.after()?, listing.limit()?);
    let after = after.map(|at| KeyPosition { created_at: at.ts, id: KeyId(at.id) });
    let mut tx = state.store.read().await?;
    let (rows, next) = tx.page_of_keys(org, &filter, after, limit).await?;
    let next = next.map(|at| Cursor { ts: at.created_at, id: at.id.0 }.write());
    Ok(Listed { entries: rows, next, total: None }.map(KeyView::from))
}

/// Get a key
#[utoipa::path(
    get,
    path = "/admin/api-keys/{id}",
    operation_id = "getApiKey",
    tag = "API Keys",
    responses((status = 200, body = KeyView))
)]
pub(super) async fn get(
    State(state): State<AdminState>,
    caller: Caller,
    PathId(id): PathId,
) -> Result<Json<KeyView>, AdminError> {
    let row = state.store.read().await?.key(caller.org, KeyId(id)).await?;
    row.map(|row| Json(row.into())).ok_or_else(|| AdminError::not_found(WHAT))
}

/// Create a key
///
/// For a user, for a group, or for neither (a service). Shown once, in this answer.
#[utoipa::path(
    post,
    path = "/admin/api-keys",
    operation_id = "createApiKey",
    tag = "API Keys",
    request_body = Create,
    responses((status = 200, body = CreatedKey))
)]
pub(super) async fn create(
    State(state): State<AdminState>,
    actor: Actor,
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
        user_email: body.user_email.map(email).transpose()?,
        scopes: body.scopes.unwrap_or_default(),
        expires_at: body.expires_at,
    };
    make(&state, &actor, new).await.map(Json)
}

/// Revoke a key
#[utoipa::path(
    delete,
    path = "/admin/api-keys/{id}",
    operation_id = "revokeApiKey",
    tag = "API Keys",
    responses((status = 200, body = Revoked))
)]
pub(super) async fn revoke(
    State(state): State<AdminState>,
    actor: Actor,
    PathId(id): PathId,
) -> Result<Json<Revoked>, AdminError> {
    revoke_where(&state, &actor, KeyId(id), |_| true).await
}

fn email(given: String) -> Result<String, AdminError> {
    let given = upstream::text("user_email", given)?;
    match given.split_once('@') {
        Some((name, host)) if !name.is_empty() && !host.is_empty() => Ok(given),
        _ => Err(AdminError::bad_request("user_email must be an address such as ann@example.org")),
    }
}

/// Mints and stores a key.
pub(super) async fn make(
    state: &AdminState,
    actor: &Actor,
    new: NewKey,
) -> Result<CreatedKey, AdminError> {
    let now = Timestamp::now();
    if new.expires_at.is_some_and(|at| at <= now) {
        return Err(AdminError::bad_request("expires_at must be in the future"));
    }
    let name = upstream::text("name", new.name)?;
    let minted = state.api_keys.mint()?;
    let mut row = KeyRow {
        id: KeyId::random(),
        org_id: actor.org,
        name,
        key_prefix: minted.prefix,
        hash: minted.hash.to_vec(),
        created_by_user_id: actor.user,
        user_id: new.user_id,
        group_name: new.group_name,
        user_email: new.user_email,
        scopes: new.scopes,
        created_at: now,
        expires_at: new.expires_at,
        revoked_at: None,
        user_groups: Vec::new(),
        person: None,
    };
    let mut change = state.change(actor).await?;
    let tx = change.tx();
    if let Some(id) = row.user_id {
        let user = tx.user(actor.org, id).await?;
        let message = "user_id names no user of this organization";
        let user = user.ok_or_else(|| AdminError::bad_request(message))?;
        row.user_email = row.user_email.or(user.email);
    }
    tx.insert_key(&row).await?;
    let id = row.id.0;
    let view = KeyView::from(row);
    change.commit(Audit::created(KIND, id, &view)?).await?;
    Ok(CreatedKey { key: minted.plain.expose().to_owned(), view })
}

/// Revokes a key that the caller may revoke; any other is not found. In force when this returns.
pub(super) async fn revoke_where(
    state: &AdminState,
    actor: &Actor,
    id: KeyId,
    may: impl Fn(&KeyRow) -> bool,
) -> Result<Json<Revoked>, AdminError> {
    let mut change = state.change(actor).await?;
    let tx = change.tx();
    let row = tx.key(actor.org, id).await?.filter(may);
    let row = row.ok_or_else(|| AdminError::not_found(WHAT))?;
    tx.revoke_key(actor.org, id, Timestamp::now()).await?;
    let revoked = tx.key(actor.org, id).await?.ok_or_else(|| AdminError::not_found(WHAT))?;
    let (before, after) = (KeyView::from(row), KeyView::from(revoked.clone()));
    change.commit(Audit::new(KIND, "revoke", Some(id.0)).before(&before)?.after(&after)?).await?;
    match <[u8; 32]>::try_from(revoked.hash) {
        Ok(hash) => state.api_keys.forget(&hash),
        Err(_) => state.api_keys.forget_all(),
    }
    Ok(REVOKED)
}
