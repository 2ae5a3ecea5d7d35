//! `/user`: what a caller may do for themselves, whatever their role.

use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    api_keys::{self, CreatedKey, KeyView, NewKey, Which},
    change::Actor,
    error::AdminError,
    extract::{Body, Params, PathId},
    paging::{Listed, Listing, Picked},
    reply::Revoked,
    state::AdminState,
};
use crate::{
    auth::Caller,
    domain::{KeyId, Person, Timestamp},
    policy::Subject,
    provider::catalog,
    snapshot::{ListedModel, build_org},
};

/// A new key of one's own
#[derive(Deserialize, ToSchema)]
#[schema(as = CreateUserApiKeyRequest)]
pub(super) struct CreateKey {
    #[schema(min_length = 1, max_length = 256)]
    name: String,
    expires_at: Option<Timestamp>,
}

/// A name that the caller can send as `model`
#[derive(Serialize, ToSchema)]
#[schema(as = UserModel)]
pub(super) struct ModelView {
    id: String,
    object: &'static str,
    created: i64,
    owned_by: String,
}

/// List the caller's own keys
///
/// Newest first, revoked ones too. `q` searches name and first characters.
#[utoipa::path(
    get,
    path = "/user/api-keys",
    operation_id = "listUserApiKeys",
    tag = "User self-service",
    params(Which, Picked, Listing),
    responses((
        status = 200,
        body = [KeyView],
        headers(("x-next-cursor" = String, description = "Where the next page begins; absent on the last."))
    ))
)]
pub(super) async fn list_keys(
    State(state): State<AdminState>,
    caller: Caller,
    Params(which): Params<Which>,
    Params(picked): Params<Picked>,
    Params(listing): Params<Listing>,
) -> Result<Listed<KeyView>, AdminError> {
    if let Some(ids) = picked.ids(&listing)? {
        return api_keys::picked_of(&state, caller.org, Some(caller.user), &which, ids).await;
    }
    api_keys::listed(&state, caller.org, Some(caller.user), &which, &listing).await
}

/// Create a key that acts for the caller
///
/// Shown once, in this answer.
#[utoipa::path(
    post,
    path = "/user/api-keys",
    operation_id = "createUserApiKey",
    tag = "User self-service",
    request_body = CreateKey,
    responses((status = 200, body = CreatedKey))
)]
pub(super) async fn create_key(
    State(state): State<AdminState>,
    actor: Actor,
    Body(body): Body<CreateKey>,
) -> Result<Json<CreatedKey>, AdminError> {
    let new = NewKey {
        name: body.name,
        user_id: Some(actor.user),
        group_name: None,
        user_email: None,
        scopes: Vec::new(),
        expires_at: body.expires_at,
    };
    api_keys::make(&state, &actor, new).await.map(Json)
}

/// Revoke one of the caller's own keys
///
/// Anyone else's is not found.
#[utoipa::path(
    delete,
    path = "/user/api-keys/{id}",
    operation_id = "revokeUserApiKey",
    tag = "User self-service",
    responses((status = 200, body = Revoked))
)]
pub(super) async fn revoke_key(
    State(state): State<AdminState>,
    actor: Actor,
    PathId(id): PathId,
) -> Result<Json<Revoked>, AdminError> {
    let owner = actor.user;
    api_keys::revoke_where(&state, &actor, KeyId(id), |row| row.user_id == Some(owner)).await
}

/// List the models that the caller can use
///
/// What `GET /v1/models` lists, made by the same code.
#[utoipa::path(
    get,
    path = "/user/models",
    operation_id = "listUserModels",
    tag = "User self-service",
    responses((status = 200, body = [ModelView]))
)]
pub(super) async fn list_models(
    State(state): State<AdminState>,
    caller: Caller,
) -> Result<Json<Vec<ModelView>>, AdminError> {
    let rows = state.store.runtime_rows(caller.org).await?;
    let user = state.store.read().await?.user(caller.org, caller.user).await?;
    let built = build_org(&rows, &state.keyring, catalog()).map_err(|error| {
        tracing::error!(org = %caller.org, %error, "the model listing cannot be made");
        AdminError::internal()
    })?;
    let person = Person {
        subject: caller.subject,
        email: caller.email,
        roles: user.map(|user| user.roles).unwrap_or_default(),
    };
    let subject = Subject {
        user: Some(caller.user),
        person: Some(&person),
        groups: &caller.groups,
        ..Subject::default()
    };
    let held = built.policies.of_caller(built.id, &subject);
    let view = |model: &ListedModel| ModelView {
        id: model.id.clone(),
        object: "model",
        created: model.created,
        owned_by: model.owned_by.clone(),
    };
    Ok(Json(built.listing_for(&held).map(view).collect()))
}
