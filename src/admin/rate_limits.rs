//! `/admin/rate-limits`

use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    change::{Actor, Audit},
    error::AdminError,
    extract::{Body, Params, PathId},
    never_matches::NeverMatches,
    paging::{Listed, Listing},
    patch::Patch,
    policy_list::{self, BY_SCOPE, Names, Place, Policy, Shown, by_name, by_scope},
    refusals::Conflict,
    reply::{DELETED, Deleted},
    schemas::{ScopeTypeLimit, Traffic},
    scopes,
    sorting::{Order, Sorts, number},
    state::AdminState,
    upstream,
};
use crate::{
    auth::Caller,
    domain::{OrgId, RateLimitId, ScopeType, Timestamp, TrafficType},
    store::{RateLimitRow, StoreError, Tx},
};

const WHAT: &str = "rate limit policy";

/// A new rate limit; one of the two metrics is needed, and it is always enabled
#[derive(Deserialize, ToSchema)]
#[schema(as = CreateRateLimitRequest)]
pub(super) struct Create {
    #[schema(min_length = 1, max_length = 256)]
    name: String,
    #[schema(value_type = ScopeTypeLimit)]
    scope_type: String,
    /// Which one, where it has an id.
    scope_id: Option<Uuid>,
    /// Which one, by name. With neither, everyone of that type, each on their own.
    #[schema(max_length = 256)]
    scope_value: Option<String>,
    /// In any 60 seconds.
    #[schema(value_type = Option<i32>, minimum = 0, maximum = 2_147_483_647i64)]
    requests_per_minute: Option<i64>,
    /// In any 60 seconds.
    #[schema(value_type = Option<i32>, minimum = 0, maximum = 2_147_483_647i64)]
    tokens_per_minute: Option<i64>,
    /// `all` where absent.
    #[schema(value_type = Option<Traffic>)]
    traffic_type: Option<String>,
}

/// Changes to a rate limit; absent keeps. Null clears a metric, the scope's id and its value, and
/// keeps everything else; one metric must remain
#[derive(Deserialize, ToSchema)]
#[schema(as = UpdateRateLimitRequest)]
pub(super) struct Update {
    #[schema(min_length = 1, max_length = 256)]
    name: Option<String>,
    #[schema(value_type = Option<ScopeTypeLimit>)]
    scope_type: Option<String>,
    #[serde(default)]
    #[schema(value_type = Option<Uuid>)]
    scope_id: Patch<Uuid>,
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 256)]
    scope_value: Patch<String>,
    #[serde(default)]
    #[schema(value_type = Option<i32>, minimum = 0, maximum = 2_147_483_647i64)]
    requests_per_minute: Patch<i64>,
    #[serde(default)]
    #[schema(value_type = Option<i32>, minimum = 0, maximum = 2_147_483_647i64)]
    tokens_per_minute: Patch<i64>,
    #[schema(value_type = Option<Traffic>)]
    traffic_type: Option<String>,
    enabled: Option<bool>,
}

/// A rate limit
#[derive(Serialize, ToSchema)]
#[schema(as = RateLimit)]
pub(super) struct RateLimitView {
    id: RateLimitId,
    org_id: OrgId,
    name: String,
    #[schema(value_type = ScopeTypeLimit)]
    scope_type: ScopeType,
    scope_id: Option<Uuid>,
    scope_value: Option<String>,
    /// In any 60 seconds.
    #[schema(value_type = Option<i32>, minimum = 0)]
    requests_per_minute: Option<u32>,
    /// In any 60 seconds.
    #[schema(value_type = Option<i32>, minimum = 0)]
    tokens_per_minute: Option<u32>,
    #[schema(value_type = Traffic)]
    traffic_type: TrafficType,
    enabled: bool,
}

impl From<RateLimitRow> for RateLimitView {
    fn from(row: RateLimitRow) -> Self {
        Self {
            id: row.id,
            org_id: row.org_id,
            name: row.name,
            scope_type: row.scope.kind,
            scope_id: row.scope.id,
            scope_value: row.scope.value,
            requests_per_minute: row.requests_per_minute,
            tokens_per_minute: row.tokens_per_minute,
            traffic_type: row.traffic,
            enabled: row.enabled,
        }
    }
}

impl Shown for RateLimitView {
    const LIST: &'static str = "rate limits";
    const SORTS: Sorts<Policy<Self>> = &[
        ("name", by_name),
        (BY_SCOPE, by_scope),
        ("requests", |limit| limit.shown.requests_per_minute.map(|most| number(most.into()))),
        ("tokens", |limit| limit.shown.tokens_per_minute.map(|most| number(most.into()))),
    ];
}

/// Where a rate limit stands in a list.
pub(super) fn place(row: &RateLimitRow, names: &Names) -> Place {
    names.place(row.id.0, &row.name, &row.scope, &[])
}

/// List rate limits
///
/// Each word of `q` is searched in name and scope; `sort` is `name`, `scope`, `requests` or `tokens`.
#[utoipa::path(
    get,
    path = "/admin/rate-limits",
    operation_id = "listRateLimits",
    tag = "Rate Limits",
    params(Listing, Order),
    responses((status = 200, body = [RateLimitView]))
)]
pub(super) async fn list(
    State(state): State<AdminState>,
    caller: Caller,
    Params(listing): Params<Listing>,
    Params(order): Params<Order>,
) -> Result<Listed<RateLimitView>, AdminError> {
    let mut tx = state.store.read().await?;
    let rows = tx.rate_limits(caller.org).await?;
    let scopes: Vec<_> = rows.iter().map(|row| &row.scope).collect();
    let names = Names::of(&mut tx, caller.org, &scopes, (&listing, &order)).await?;
    drop(tx);
    let rows = rows.into_iter();
    let policy = |row| Policy { place: place(&row, &names), shown: RateLimitView::from(row) };
    policy_list::part(rows.map(policy).collect(), &listing, &order)
}

/// Create a rate limit
///
/// One whose scope can never match is kept, and the answer has the header `Warning`.
#[utoipa::path(
    post,
    path = "/admin/rate-limits",
    operation_id = "createRateLimit",
    tag = "Rate Limits",
    request_body = Create,
    responses((status = 200, body = RateLimitView), Conflict)
)]
pub(super) async fn create(
    State(state): State<AdminState>,
    actor: Actor,
    Body(body): Body<Create>,
) -> Result<(NeverMatches, Json<RateLimitView>), AdminError> {
    let row = body.row(actor.org, Timestamp::now())?;
    let mut change = state.change(&actor).await?;
    change.tx().insert_rate_limit(&row).await.map_err(taken)?;
    let (id, warning) = (row.id.0, NeverMatches::of(&row.scope, row.traffic));
    let view = RateLimitView::from(row);
    change.commit(Audit::created(WHAT, id, &view)?).await?;
    Ok((warning, Json(view)))
}

/// Update a rate limit
#[utoipa::path(
    put,
    path = "/admin/rate-limits/{id}",
    operation_id = "updateRateLimit",
    tag = "Rate Limits",
    request_body = Update,
    responses((status = 200, body = RateLimitView), Conflict)
)]
pub(super) async fn update(
    State(state): State<AdminState>,
    actor: Actor,
    PathId(id): PathId,
    Body(body): Body<Update>,
) -> Result<(NeverMatches, Json<RateLimitView>), AdminError> {
    let mut change = state.change(&actor).await?;
    let stored = existing(change.tx(), actor.org, RateLimitId(id)).await?;
    let row = body.applied(stored.clone(), Timestamp::now())?;
    change.tx().update_rate_limit(&row).await.map_err(taken)?;
    let warning = NeverMatches::of(&row.scope, row.traffic);
    let (before, view) = (RateLimitView::from(stored), RateLimitView::from(row));
    change.commit(Audit::updated(WHAT, id, &before, &view)?).await?;
    Ok((warning, Json(view)))
}

/// Delete a rate limit
#[utoipa::path(
    delete,
    path = "/admin/rate-limits/{id}",
    operation_id = "deleteRateLimit",
    tag = "Rate Limits",
    responses((status = 200, body = Deleted))
)]
pub(super) async fn delete(
    State(state): State<AdminState>,
    actor: Actor,
    PathId(id): PathId,
) -> Result<Json<Deleted>, AdminError> {
    let mut change = state.change(&actor).await?;
    let row = existing(change.tx(), actor.org, RateLimitId(id)).await?;
    change.tx().delete_rate_limit(actor.org, row.id).await?;
    change.commit(Audit::deleted(WHAT, id, &RateLimitView::from(row))?).await?;
    Ok(DELETED)
}

impl Create {
    fn row(self, org: OrgId, now: Timestamp) -> Result<RateLimitRow, AdminError> {
        let row = RateLimitRow {
            id: RateLimitId::random(),
            org_id: org,
            name: upstream::text("name", self.name)?,
            scope: scopes::scope(
                scopes::LIMITS,
                &self.scope_type,
                self.scope_id,
                self.scope_value,
            )?,
            requests_per_minute: requests(self.requests_per_minute)?,
            tokens_per_minute: tokens(self.tokens_per_minute)?,
            traffic: self
                .traffic_type
                .map_or(Ok(TrafficType::All), |text| scopes::traffic(&text))?,
            enabled: true,
            created_at: now,
            updated_at: now,
        };
        has_a_metric(&row, "is required")?;
        Ok(row)
    }
}

impl Update {
    fn applied(self, mut row: RateLimitRow, now: Timestamp) -> Result<RateLimitRow, AdminError> {
        if let Some(name) = self.name {
            row.name = upstream::text("name", name)?;
        }
        let kind = self.scope_type.as_deref();
        scopes::change(&mut row.scope, scopes::LIMITS, kind, self.scope_id, self.scope_value)?;
        if let Some(text) = self.traffic_type {
            row.traffic = scopes::traffic(&text)?;
        }
        let given = self.requests_per_minute.try_map(|value| metric(REQUESTS, value))?;
        given.apply(&mut row.requests_per_minute);
        let given = self.tokens_per_minute.try_map(|value| metric(TOKENS, value))?;
        given.apply(&mut row.tokens_per_minute);
        row.enabled = self.enabled.unwrap_or(row.enabled);
        row.updated_at = now;
        has_a_metric(&row, "must be set")?;
        Ok(row)
    }
}

const REQUESTS: &str = "requests_per_minute";
const TOKENS: &str = "tokens_per_minute";

fn requests(given: Option<i64>) -> Result<Option<u32>, AdminError> {
    given.map(|value| metric(REQUESTS, value)).transpose()
}

fn tokens(given: Option<i64>) -> Result<Option<u32>, AdminError> {
    given.map(|value| metric(TOKENS, value)).transpose()
}

/// Clients read 32 bits with a sign.
fn metric(field: &str, value: i64) -> Result<u32, AdminError> {
    if value < 0 {
        return Err(AdminError::bad_request(format!("{field} cannot be negative")));
    }
    let most = i32::MAX.unsigned_abs();
    upstream::in_range(field, value, 0, most)
}

fn has_a_metric(row: &RateLimitRow, missing: &str) -> Result<(), AdminError> {
    if row.requests_per_minute.is_some() || row.tokens_per_minute.is_some() {
        return Ok(());
    }
    let message = format!("at least one of {REQUESTS} or {TOKENS} {missing}");
    Err(AdminError::bad_request(message))
}

async fn existing(tx: &mut Tx, org: OrgId, id: RateLimitId) -> Result<RateLimitRow, AdminError> {
    tx.rate_limit(org, id).await?.ok_or_else(|| AdminError::not_found(WHAT))
}

/// In the public client's words, on which its users' checks match.
fn taken(error: StoreError) -> AdminError {
    match error {
        StoreError::Conflict => AdminError::conflict(
            "A policy with this scope and traffic type already exists. Edit the existing one, or \
             vary the scope or the traffic type.",
        ),
        other => other.into(),
    }
}
