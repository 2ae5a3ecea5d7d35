//! `/admin/usage` and `/user/usage`: usage records, newest first, in pages.

use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{
    error::AdminError,
    extract::Params,
    paging::{self, Cursor},
    state::AdminState,
};
use crate::{
    auth::Caller,
    domain::{KeyId, ProviderId, RecordId, Timestamp, UsageRecord, UserId},
    store::{UsageFilter, UsagePosition},
};

/// The query string, as text: each refusal then names its parameter.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Query {
    /// Earliest time.
    #[param(value_type = Option<Timestamp>)]
    from: Option<String>,
    /// The time before which they are.
    #[param(value_type = Option<Timestamp>)]
    to: Option<String>,
    #[param(value_type = Option<UserId>)]
    user: Option<String>,
    group: Option<String>,
    #[param(value_type = Option<KeyId>)]
    api_key: Option<String>,
    /// Id or name.
    provider: Option<String>,
    /// Upstream model.
    model: Option<String>,
    alias: Option<String>,
    #[param(value_type = Option<u16>, maximum = 65535)]
    status: Option<String>,
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
    params(Query),
    responses((status = 200, body = Page))
)]
pub(super) async fn of_org(
    State(state): State<AdminState>,
    caller: Caller,
    Params(query): Params<Query>,
) -> Result<Json<Page>, AdminError> {
    page(&state, &caller, &query, None).await
}

/// List the caller's own usage records
///
/// Whatever `user` says.
#[utoipa::path(
    get,
    path = "/user/usage",
    operation_id = "listUserUsage",
    tag = "Usage",
    params(Query),
    responses((status = 200, body = Page))
)]
pub(super) async fn of_user(
    State(state): State<AdminState>,
    caller: Caller,
    Params(query): Params<Query>,
) -> Result<Json<Page>, AdminError> {
    page(&state, &caller, &query, Some(caller.user)).await
}

async fn page(
    state: &AdminState,
    caller: &Caller,
    query: &Query,
    only: Option<UserId>,
) -> Result<Json<Page>, AdminError> {
    let mut filter = filter(query)?;
    filter.user = only.or(filter.user);
    let limit = paging::limit(query.limit.as_deref())?;
    let after = Cursor::read(query.cursor.as_deref())?;
    let after = after.map(|at| UsagePosition { ts: at.ts, id: RecordId(at.id) });
    let page = state.store.usage(caller.org, &filter, after, limit).await?;
    let next_cursor = page.next.map(|at| Cursor { ts: at.ts, id: at.id.0 }.write());
    Ok(Json(Page { data: page.records, next_cursor }))
}

fn filter(query: &Query) -> Result<UsageFilter, AdminError> {
    let provider = query.provider.as_deref().map(|text| (Uuid::parse_str(text), text));
    Ok(UsageFilter {
        from: paging::time("from", query.from.as_deref())?,
        to: paging::time("to", query.to.as_deref())?,
        user: paging::id("user", query.user.as_deref())?.map(UserId),
        group: query.group.clone(),
        api_key: paging::id("api_key", query.api_key.as_deref())?.map(KeyId),
        provider: provider.as_ref().and_then(|(id, _)| id.as_ref().ok().copied()).map(ProviderId),
        provider_name: provider.filter(|(id, _)| id.is_err()).map(|(_, name)| name.to_owned()),
        model: query.model.clone(),
        alias: query.alias.clone(),
        status: query.status.as_deref().map(status).transpose()?,
    })
}

fn status(text: &str) -> Result<u16, AdminError> {
    text.parse().map_err(|_| AdminError::bad_request("status must be a number such as 200"))
}
