//! `/admin/model-access`

use std::collections::HashSet;

use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    access_targets::{self, TargetInput},
    change::{Actor, Audit},
    error::AdminError,
    extract::{Body, Params, PathId},
    never_matches::NeverMatches,
    paging::{Listed, Listing},
    patch::Patch,
    policy_list::{self, BY_SCOPE, Names, Place, Policy, Shown, by_name, by_scope},
    refusals::Conflict,
    reply::{DELETED, Deleted},
    schemas::{AccessType, ScopeTypeIdentity, Traffic},
    scopes,
    sorting::{Order, Sorts},
    state::AdminState,
    upstream,
};
use crate::{
    auth::Caller,
    domain::{
        AccessKind, AccessPolicyId, AccessTarget, OrgId, ProviderId, ScopeType, Timestamp,
        TrafficType,
    },
    store::{AccessRow, Tx},
};

const WHAT: &str = "model access policy";

/// A new access policy; it is always enabled
#[derive(Deserialize, ToSchema)]
#[schema(as = CreateModelAccessRequest)]
pub(super) struct Create {
    #[schema(min_length = 1, max_length = 256)]
    name: String,
    #[schema(value_type = ScopeTypeIdentity)]
    scope_type: String,
    /// Which one, where it has an id.
    scope_id: Option<Uuid>,
    /// Which one, by name. With neither, everyone of that type.
    #[schema(max_length = 256)]
    scope_value: Option<String>,
    #[schema(value_type = AccessType)]
    policy_type: String,
    #[schema(value_type = Vec<AccessTarget>, min_items = 1, max_items = 500)]
    targets: Vec<TargetInput>,
    /// `llm` where absent.
    #[schema(value_type = Option<Traffic>)]
    traffic_type: Option<String>,
}

/// Changes to an access policy; absent keeps. Null clears the scope's id and its value, and keeps
/// everything else
#[derive(Deserialize, ToSchema)]
#[schema(as = UpdateModelAccessRequest)]
pub(super) struct Update {
    #[schema(min_length = 1, max_length = 256)]
    name: Option<String>,
    #[schema(value_type = Option<ScopeTypeIdentity>)]
    scope_type: Option<String>,
    #[serde(default)]
    #[schema(value_type = Option<Uuid>)]
    scope_id: Patch<Uuid>,
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 256)]
    scope_value: Patch<String>,
    #[schema(value_type = Option<AccessType>)]
    policy_type: Option<String>,
    /// All of them anew.
    #[schema(value_type = Option<Vec<AccessTarget>>, min_items = 1, max_items = 500)]
    targets: Option<Vec<TargetInput>>,
    #[schema(value_type = Option<Traffic>)]
    traffic_type: Option<String>,
    enabled: Option<bool>,
}

/// A model access policy
#[derive(Serialize, ToSchema)]
#[schema(as = ModelAccessPolicy)]
pub(super) struct AccessView {
    id: AccessPolicyId,
    org_id: OrgId,
    name: String,
    #[schema(value_type = ScopeTypeIdentity)]
    scope_type: ScopeType,
    scope_id: Option<Uuid>,
    scope_value: Option<String>,
    #[schema(value_type = AccessType)]
    policy_type: AccessKind,
    #[schema(min_items = 1)]
    targets: Vec<AccessTarget>,
    #[schema(value_type = Traffic)]
    traffic_type: TrafficType,
    enabled: bool,
}

impl From<AccessRow> for AccessView {
    fn from(row: AccessRow) -> Self {
        Self {
            id: row.id,
            org_id: row.org_id,
            name: row.name,
            scope_type: row.scope.kind,
            scope_id: row.scope.id,
            scope_value: row.scope.value,
            policy_type: row.kind,
            targets: row.targets,
            traffic_type: row.traffic,
            enabled: row.enabled,
        }
    }
}

impl Shown for AccessView {
    const LIST: &'static str = "model access";
    const SORTS: Sorts<Policy<Self>> = &[
        ("name", by_name),
        (BY_SCOPE, by_scope),
        ("kind", |policy| Some(policy.shown.policy_type.to_string())),
    ];
}

/// Where a policy stands in the list: searched for its targets, too.
fn place(row: &AccessRow, names: &Names) -> Place {
    let provider = |id: &ProviderId| names.provider(*id).unwrap_or_default();
    let targets = row.targets.iter().flat_map(|target| match target {
        AccessTarget::ModelAlias { alias: name } | AccessTarget::Model { model: name } => {
            [name.as_str(), ""]
        }
        AccessTarget::Provider { provider_id } => [provider(provider_id), ""],
        AccessTarget::ProviderModel { provider_id, model } => [model, provider(provider_id)],
    });
    names.place(row.id.0, &row.name, &row.scope, &targets.collect::<Vec<_>>())
}

/// List access policies
///
/// Each word of `q` is searched in name, scope and targets; `sort` is `name`, `scope` or `kind`.
#[utoipa::path(
    get,
    path = "/admin/model-access",
    operation_id = "listModelAccess",
    tag = "Model Access",
    params(Listing, Order),
    responses((status = 200, body = [AccessView]))
)]
pub(super) async fn list(
    State(state): State<AdminState>,
    caller: Caller,
    Params(listing): Params<Listing>,
    Params(order): Params<Order>,
) -> Result<Listed<AccessView>, AdminError> {
    let mut tx = state.store.read().await?;
    let rows = tx.access_policies(caller.org).await?;
    let scopes: Vec<_> = rows.iter().map(|row| &row.scope).collect();
    let names = Names::of(&mut tx, caller.org, &scopes, (&listing, &order)).await?;
    drop(tx);
    let rows = rows.into_iter();
    let policy = |row| Policy { place: place(&row, &names), shown: AccessView::from(row) };
    policy_list::part(rows.map(policy).collect(), &listing, &order)
}

/// Create an access policy
///
/// One whose scope or one of whose targets can never match is kept, and the answer has the header `Warning`.
#[utoipa::path(
    post,
    path = "/admin/model-access",
    operation_id = "createModelAccess",
    tag = "Model Access",
    request_body = Create,
    responses((status = 200, body = AccessView), Conflict)
)]
pub(super) async fn create(
    State(state): State<AdminState>,
    actor: Actor,
    Body(body): Body<Create>,
) -> Result<(NeverMatches, Json<AccessView>), AdminError> {
    let row = body.row(actor.org, Timestamp::now())?;
    let mut change = state.change(&actor).await?;
    change.tx().insert_access_policy(&row).await?;
    let (id, warning) = (row.id.0, warning(change.tx(), &row).await?);
    let view = AccessView::from(row);
    change.commit(Audit::created(WHAT, id, &view)?).await?;
    Ok((warning, Json(view)))
}

/// Update an access policy
#[utoipa::path(
    put,
    path = "/admin/model-access/{id}",
    operation_id = "updateModelAccess",
    tag = "Model Access",
    request_body = Update,
    responses((status = 200, body = AccessView), Conflict)
)]
pub(super) async fn update(
    State(state): State<AdminState>,
    actor: Actor,
    PathId(id): PathId,
    Body(body): Body<Update>,
) -> Result<(NeverMatches, Json<AccessView>), AdminError> {
    let mut change = state.change(&actor).await?;
    let stored = existing(change.tx(), actor.org, AccessPolicyId(id)).await?;
    let row = body.applied(stored.clone(), Timestamp::now())?;
    change.tx().update_access_policy(&row).await?;
    let warning = warning(change.tx(), &row).await?;
    let (before, view) = (AccessView::from(stored), AccessView::from(row));
    change.commit(Audit::updated(WHAT, id, &before, &view)?).await?;
    Ok((warning, Json(view)))
}

/// Delete an access policy
#[utoipa::path(
    delete,
    path = "/admin/model-access/{id}",
    operation_id = "deleteModelAccess",
    tag = "Model Access",
    responses((status = 200, body = Deleted))
)]
pub(super) async fn delete(
    State(state): State<AdminState>,
    actor: Actor,
    PathId(id): PathId,
) -> Result<Json<Deleted>, AdminError> {
    let mut change = state.change(&actor).await?;
    let row = existing(change.tx(), actor.org, AccessPolicyId(id)).await?;
    change.tx().delete_access_policy(actor.org, row.id).await?;
    change.commit(Audit::deleted(WHAT, id, &AccessView::from(row))?).await?;
    Ok(DELETED)
}

async fn warning(tx: &mut Tx, row: &AccessRow) -> Result<NeverMatches, AdminError> {
    let text =
        "299 - \"targets name a provider that this organization has not: it never matches here\"";
    let provider = |target: &AccessTarget| match target {
        AccessTarget::Provider { provider_id }
        | AccessTarget::ProviderModel { provider_id, .. } => Some(*provider_id),
        AccessTarget::ModelAlias { .. } | AccessTarget::Model { .. } => None,
    };
    // Each is looked up once, however many of its models are named.
    let providers: HashSet<_> = row.targets.iter().filter_map(provider).collect();
    let providers: Vec<_> = providers.into_iter().collect();
    NeverMatches::of(&row.scope, row.traffic).or_missing(tx, row.org_id, &providers, text).await
}

impl Create {
    fn row(self, org: OrgId, now: Timestamp) -> Result<AccessRow, AdminError> {
        if self.targets.is_empty() {
            return Err(AdminError::bad_request("targets: at least one target is required"));
        }
        let kind = self.scope_type.as_str();
        Ok(AccessRow {
            id: AccessPolicyId::random(),
            org_id: org,
            name: upstream::text("name", self.name)?,
            scope: scopes::scope(scopes::IDENTITY, kind, self.scope_id, self.scope_value)?,
            kind: policy_type(&self.policy_type)?,
            targets: access_targets::targets(self.targets)?,
            traffic: self
                .traffic_type
                .map_or(Ok(TrafficType::Llm), |text| scopes::traffic(&text))?,
            enabled: true,
            created_at: now,
            updated_at: now,
        })
    }
}

impl Update {
    fn applied(self, mut row: AccessRow, now: Timestamp) -> Result<AccessRow, AdminError> {
        if let Some(name) = self.name {
            row.name = upstream::text("name", name)?;
        }
        let kind = self.scope_type.as_deref();
        scopes::change(&mut row.scope, scopes::IDENTITY, kind, self.scope_id, self.scope_value)?;
        if let Some(text) = self.policy_type {
            row.kind = policy_type(&text)?;
        }
        if let Some(targets) = self.targets {
            if targets.is_empty() {
                return Err(AdminError::bad_request("targets cannot be empty when provided"));
            }
            row.targets = access_targets::targets(targets)?;
        }
        if let Some(text) = self.traffic_type {
            row.traffic = scopes::traffic(&text)?;
        }
        row.enabled = self.enabled.unwrap_or(row.enabled);
        row.updated_at = now;
        Ok(row)
    }
}

fn policy_type(text: &str) -> Result<AccessKind, AdminError> {
    text.parse()
        .map_err(|_| AdminError::bad_request("policy_type must be 'allowlist' or 'denylist'"))
}

async fn existing(tx: &mut Tx, org: OrgId, id: AccessPolicyId) -> Result<AccessRow, AdminError> {
    tx.access_policy(org, id).await?.ok_or_else(|| AdminError::not_found(WHAT))
}
