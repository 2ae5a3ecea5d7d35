//! `/user`: what a caller may do for themselves, whatever their role.

use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};

use super::{
    api_keys::{self, CreatedKey, KeyView, NewKey},
    error::AdminError,
    extract::{Body, PathId},
    reply::Revoked,
    state::AdminState,
};
use crate::{
    auth::Caller,
    domain::{KeyId, Timestamp},
    provider::catalog,
    snapshot::build_org,
};

#[derive(Deserialize)]
pub(super) struct CreateKey {
    name: String,
    expires_at: Option<Timestamp>,
}

/// A name that the caller can send as `model`.
#[derive(Serialize)]
pub(super) struct ModelView {
    id: String,
    object: &'static str,
    created: i64,
    owned_by: String,
}

/// `GET /user/api-keys`: the caller's own.
pub(super) async fn list_keys(
    State(state): State<AdminState>,
    caller: Caller,
) -> Result<Json<Vec<KeyView>>, AdminError> {
    let rows = state.store.read().await?.user_keys(caller.org, caller.user).await?;
    Ok(Json(rows.into_iter().map(KeyView::from).collect()))
}

/// `POST /user/api-keys`: a key that acts for the caller.
pub(super) async fn create_key(
    State(state): State<AdminState>,
    caller: Caller,
    Body(body): Body<CreateKey>,
) -> Result<Json<CreatedKey>, AdminError> {
    let new = NewKey {
        name: body.name,
        user_id: Some(caller.user),
        group_name: None,
        scopes: Vec::new(),
        expires_at: body.expires_at,
    };
    api_keys::make(&state, &caller, new).await.map(Json)
}

/// `DELETE /user/api-keys/{id}`: one of the caller's own; anyone else's is not found.
pub(super) async fn revoke_key(
    State(state): State<AdminState>,
    caller: Caller,
    PathId(id): PathId,
) -> Result<Json<Revoked>, AdminError> {
    let owner = caller.user;
    api_keys::revoke_where(&state, &caller, KeyId(id), |row| row.user_id == Some(owner)).await
}

/// `GET /user/models`: the listing that `GET /v1/models` gives, made by the same code.
pub(super) async fn list_models(
    State(state): State<AdminState>,
    caller: Caller,
) -> Result<Json<Vec<ModelView>>, AdminError> {
    let rows = state.store.runtime_rows(caller.org).await?;
    let built = build_org(&rows, &state.keyring, catalog()).map_err(|error| {
        tracing::error!(org = %caller.org, %error, "the model listing cannot be made");
        AdminError::internal()
    })?;
    let view = |model: crate::snapshot::ListedModel| ModelView {
        id: model.id,
        object: "model",
        created: model.created,
        owned_by: model.owned_by,
    };
    Ok(Json(built.listing.into_iter().map(view).collect()))
}
