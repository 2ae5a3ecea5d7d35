//! `/admin/connections`: reusable upstream credentials. What is secret goes in and never comes out.

use std::collections::HashMap;

use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::{
    change::{Actor, Audit},
    error::AdminError,
    extract::{Body, Params, PathId},
    paging::{Listed, Listing},
    refusals::Conflict,
    reply::{DELETED, Deleted},
    schemas::{AuthType, Credentials, ModelProvider, Settings, Url},
    sealing::{CredentialsInput, Given, KeyInput, Purpose},
    sorting::{self, Entry, Order, Sorts, name, number, time},
    state::AdminState,
    upstream,
};
use crate::{
    auth::Caller,
    domain::{CredentialId, OrgId, Timestamp},
    provider::{AuthKind, templates},
    secrets::Credential,
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
    /// `api_key` where absent, or the vendor's first.
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

/// A credential in the list, and how many providers use it.
struct Used(CredentialView, i64);

impl Entry for Used {
    const LIST: &'static str = "credentials";
    const SORTS: Sorts<Self> = &[
        ("name", |used| Some(name(&used.0.name))),
        ("vendor", |used| Some(name(templates().vendor_name(&used.0.model_provider)))),
        ("used", |used| Some(number(used.1))),
        ("changed", |used| Some(time(used.0.updated_at))),
    ];

    fn text(&self) -> String {
        let view = &self.0;
        let vendor = templates().vendor_name(&view.model_provider);
        [&*view.name, vendor, &*view.model_provider, &*view.base_url].join("\n")
    }

    /// Names are the organization's own.
    fn identity(&self) -> String {
        self.0.name.clone()
    }
}

/// List credentials
///
/// Each word of `q` is searched in name, vendor and base URL; `sort` is `name`, `vendor`, `used` (how
/// many providers use it) or `changed`.
#[utoipa::path(
    get,
    path = "/admin/connections",
    operation_id = "listCredentials",
    tag = "Credentials",
    params(Listing, Order),
    responses((status = 200, body = [CredentialView]))
)]
pub(super) async fn list(
    State(state): State<AdminState>,
    caller: Caller,
    Params(listing): Params<Listing>,
    Params(order): Params<Order>,
) -> Result<Listed<CredentialView>, AdminError> {
    let mut tx = state.store.read().await?;
    let rows = tx.connections(caller.org).await?;
    let mut users: HashMap<CredentialId, i64> = HashMap::new();
    for id in tx.providers(caller.org).await?.into_iter().filter_map(|row| row.connection_id) {
        *users.entry(id).or_default() += 1;
    }
    drop(tx);
    let used = |row: ConnectionRow| {
        let count = users.get(&row.id).copied().unwrap_or_default();
        Used(row.into(), count)
    };
    let part = sorting::part(rows.into_iter().map(used).collect(), &listing, &order)?;
    Ok(part.map(|used| used.0))
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
    let (mut row, credential) = new_row(&state, actor.org, body)?;
    let mut change = state.change(&actor).await?;
    row.sealed = state.seal(change.tx(), row.org_id, row.id.0, credential.as_ref()).await?;
    let inserted = change.tx().insert_connection(&row).await;
    inserted.map_err(|error| name_taken(error, &row.name))?;
    let (id, sealed) = (row.id.0, row.sealed.is_some());
    let view = CredentialView::from(row);
    change.commit(Audit::created(WHAT, id, &view)?.credentials(sealed)).await?;
    Ok(Json(view))
}

/// A new connection's row, its secret yet to be sealed into it.
fn new_row(
    state: &AdminState,
    org: OrgId,
    body: Create,
) -> Result<(ConnectionRow, Option<Credential>), AdminError> {
    let now = Timestamp::now();
    let name = upstream::text("name", body.name)?;
    let vendor = upstream::vendor(&body.model_provider)?;
    let auth_type = match body.auth_type {
        Some(given) => upstream::auth_type(given, vendor)?,
        None => upstream::default_auth_type(vendor),
    };
    shareable(&auth_type)?;
    let settings = upstream::settings(body.settings, vendor)?.unwrap_or_else(|| json!({}));
    let base_url = match body.base_url {
        Some(given) => upstream::base_url(given)?,
        None => upstream::default_base_url(vendor, &settings)?,
    };
    upstream::complete(state, vendor, &auth_type, &base_url, &settings)?;
    let purpose = Purpose { vendor, auth_type: &auth_type, settings: &settings };
    let credential = Given::new(body.api_key, body.credentials).credential(purpose, None)?;
    let row = ConnectionRow {
        id: CredentialId::random(),
        org_id: org,
        name,
        model_provider: body.model_provider,
        auth_type,
        base_url,
        settings,
        sealed: None,
        created_at: now,
        updated_at: now,
    };
    Ok((row, credential))
}

/// The caller's own token is nothing to be kept.
fn shareable(auth_type: &str) -> Result<(), AdminError> {
    if upstream::kind(auth_type) == AuthKind::OauthPassthrough {
        return Err(AdminError::bad_request(format!(
            "auth_type '{auth_type}' has no credential to be shared: set it on the provider"
        )));
    }
    Ok(())
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
    let was = (row.auth_type.clone(), row.base_url.clone());
    let mut probed = Vec::new();
    apply(&state, change.tx(), &mut row, body).await?;
    let rotated = row.sealed != sealed;
    if rotated || was != (row.auth_type.clone(), row.base_url.clone()) {
        // What was found out with the old one says nothing of its providers.
        change.tx().forget_health_of(actor.org, row.id).await?;
        for provider in change.tx().providers(actor.org).await? {
            probed.extend(Some(provider.id).filter(|_| provider.connection_id == Some(row.id)));
        }
    }
    let updated = change.tx().update_connection(&row).await;
    updated.map_err(|error| name_taken(error, &row.name))?;
    let view = CredentialView::from(row);
    change.commit(Audit::updated(WHAT, id, &before, &view)?.credentials(rotated)).await?;
    for provider in probed {
        state.probe_later(actor.org, provider);
    }
    Ok(Json(view))
}

async fn apply(
    state: &AdminState,
    tx: &mut Tx,
    row: &mut ConnectionRow,
    body: Update,
) -> Result<(), AdminError> {
    let given = body.model_provider.as_deref();
    upstream::unchanged("model_provider", given, &row.model_provider)?;
    let vendor = upstream::vendor(&row.model_provider)?;
    if let Some(name) = body.name {
        row.name = upstream::text("name", name)?;
    }
    if let Some(auth_type) = body.auth_type {
        row.auth_type = upstream::auth_type(auth_type, vendor)?;
        shareable(&row.auth_type)?;
    }
    // An address that follows from the settings follows them.
    let follows = upstream::usual_base_url(vendor, &row.settings).as_ref() == Some(&row.base_url);
    if let Some(settings) = upstream::settings(body.settings, vendor)? {
        row.settings = settings;
    }
    if let Some(base_url) = body.base_url {
        row.base_url = upstream::base_url(base_url)?;
    } else if follows {
        let usual = upstream::usual_base_url(vendor, &row.settings);
        row.base_url = usual.unwrap_or_else(|| row.base_url.clone());
    }
    upstream::complete(state, vendor, &row.auth_type, &row.base_url, &row.settings)?;
    let given = Given::new(body.api_key, body.credentials);
    let is_given = given.is_given();
    let stored = state.open(row.org_id, row.id.0, row.sealed.as_deref())?;
    let claimed = stored.as_ref().and_then(Credential::claim);
    let had = stored.is_some();
    let purpose = Purpose { vendor, auth_type: &row.auth_type, settings: &row.settings };
    let credential = given.credential(purpose, stored)?;
    let claims = credential.as_ref().and_then(Credential::claim);
    if is_given || claims != claimed || had != credential.is_some() {
        row.sealed = state.seal(tx, row.org_id, row.id.0, credential.as_ref()).await?;
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
    change.tx().set_claim(actor.org, id, None).await?;
    change.tx().delete_connection(actor.org, row.id).await?;
    change.commit(Audit::deleted(WHAT, id, &CredentialView::from(row))?).await?;
    Ok(DELETED)
}

/// The organization's connection of that id.
pub(super) async fn existing(
    tx: &mut Tx,
    org: OrgId,
    id: CredentialId,
) -> Result<ConnectionRow, AdminError> {
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
