//! `/admin/usage` and `/user/usage`: usage records, newest first, in pages.

use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::{IntoParams, ToSchema};

use super::{
    error::AdminError,
    extract::Params,
    paging::{self, Cursor},
    state::AdminState,
    usage_filter::Which,
};
use crate::{
    auth::Caller,
    domain::{OrgId, RecordId, UsageRecord, UserId},
    store::{UsageFilter, UsagePosition},
};

/// Which page, as text: each refusal then names its parameter.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Paging {
    #[param(value_type = Option<u32>, minimum = 1, maximum = 500, default = 50)]
    limit: Option<String>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

// The records are the ledger's own text.
/// One page of usage records
#[derive(Serialize, ToSchema)]
#[schema(as = UsagePage)]
pub(super) struct Page {
    #[schema(value_type = Vec<UsageRecord<'static>>)]
    data: Vec<Box<RawValue>>,
    /// Null on the last page.
    next_cursor: Option<String>,
}

/// List usage records
///
/// Newest first, in pages.
#[utoipa::path(
    get,
    path = "/admin/usage",
    operation_id = "listUsage",
    tag = "Usage",
    params(Which, Paging),
    responses((status = 200, body = Page))
)]
pub(super) async fn of_org(
    State(state): State<AdminState>,
    caller: Caller,
    Params(which): Params<Which>,
    Params(paging): Params<Paging>,
) -> Result<Json<Page>, AdminError> {
    page(&state, caller.org, which.filter()?, &paging, None).await
}

/// List the caller's own usage records
///
/// Whatever `user` says.
#[utoipa::path(
    get,
    path = "/user/usage",
    operation_id = "listUserUsage",
    tag = "Usage",
    params(Which, Paging),
    responses((status = 200, body = Page))
)]
pub(super) async fn of_user(
    State(state): State<AdminState>,
    caller: Caller,
    Params(which): Params<Which>,
    Params(paging): Params<Paging>,
) -> Result<Json<Page>, AdminError> {
    page(&state, caller.org, which.filter()?, &paging, Some(caller.user)).await
}

async fn page(
    state: &AdminState,
    org: OrgId,
    mut filter: UsageFilter,
    paging: &Paging,
    only: Option<UserId>,
) -> Result<Json<Page>, AdminError> {
    filter.user = only.or(filter.user);
    let limit = paging::limit(paging.limit.as_deref())?;
    let after = Cursor::read(paging.cursor.as_deref())?;
    let after = after.map(|at| UsagePosition { ts: at.ts, id: RecordId(at.id) });
    let page = state.store.usage(org, &filter, after, limit).await?;
    let next_cursor = page.next.map(|at| Cursor { ts: at.ts, id: at.id.0 }.write());
    Ok(Json(Page { data: page.records, next_cursor }))
}
