//! `/admin/usage` and `/user/usage`: usage records, newest first, in pages or as CSV.

use axum::{
    Json,
    extract::State,
    response::{IntoResponse as _, Response},
};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::{IntoParams, ToSchema};

use super::{
    error::AdminError,
    extract::Params,
    paging::{self, Cursor},
    state::AdminState,
    usage_csv,
    usage_export::{self, export},
    usage_filter::{Single, Told, Which},
};
use crate::{
    auth::Caller,
    domain::{OrgId, RecordId, UsageRecord},
    store::{RecordFilter, UsageFilter, UsagePosition},
};

/// Which page, as text: each refusal then names its parameter.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Paging {
    /// Of a CSV: without it there is no page, but every record from `cursor` on.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 500, default = 50)]
    limit: Option<String>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

// The records are texts already.
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
/// Newest first, in pages. As CSV: every record that matches, at most 100000, with what a record says
/// in one value each; or, with `limit`, one page.
#[utoipa::path(
    get,
    path = "/admin/usage",
    operation_id = "listUsage",
    tag = "Usage",
    params(Which, Single, Paging, Told),
    responses((
        status = 200,
        content((Page = "application/json"), (String = "text/csv")),
        headers(("x-next-cursor" = String, description = "Where the next page of a CSV begins; absent on the last, and where it is no page."))
    ))
)]
pub(super) async fn of_org(
    State(state): State<AdminState>,
    caller: Caller,
    Params(which): Params<Which>,
    Params(single): Params<Single>,
    Params(paging): Params<Paging>,
    Params(told): Params<Told>,
) -> Result<Response, AdminError> {
    let filter = which.filter()?;
    answer(&state, caller.org, single.with(filter)?, &paging, &told).await
}

/// List the caller's own usage records
///
/// Whatever `user` says. As CSV: as for the organization's.
#[utoipa::path(
    get,
    path = "/user/usage",
    operation_id = "listUserUsage",
    tag = "Usage",
    params(Which, Single, Paging, Told),
    responses((
        status = 200,
        content((Page = "application/json"), (String = "text/csv")),
        headers(("x-next-cursor" = String, description = "Where the next page of a CSV begins; absent on the last, and where it is no page."))
    ))
)]
pub(super) async fn of_user(
    State(state): State<AdminState>,
    caller: Caller,
    Params(which): Params<Which>,
    Params(single): Params<Single>,
    Params(paging): Params<Paging>,
    Params(told): Params<Told>,
) -> Result<Response, AdminError> {
    let filter = UsageFilter { user: Some(caller.user), ..which.filter()? };
    answer(&state, caller.org, single.with(filter)?, &paging, &told).await
}

async fn answer(
    state: &AdminState,
    org: OrgId,
    filter: RecordFilter,
    paging: &Paging,
    told: &Told,
) -> Result<Response, AdminError> {
    let as_csv = told.is_csv()?;
    let limit = paging::limit(paging.limit.as_deref())?;
    let after = Cursor::read(paging.cursor.as_deref())?;
    let after = after.map(|at| UsagePosition { ts: at.ts, id: RecordId(at.id) });
    if as_csv && paging.limit.is_none() {
        return export(state.store.clone(), org, filter, after).await;
    }
    let page = state.store.usage(org, &filter, after, limit).await?;
    let next = page.next.map(|at| Cursor { ts: at.ts, id: at.id.0 });
    if !as_csv {
        let next_cursor = next.map(Cursor::write);
        return Ok(Json(Page { data: page.records, next_cursor }).into_response());
    }
    let lines = usage_export::lines(&page.records)?;
    let csv = usage_csv::record_header() + &lines;
    let mut response = (usage_csv::headers(usage_export::FILE), csv).into_response();
    if let Some(next) = next {
        paging::tell(response.headers_mut(), &next.write());
    }
    Ok(response)
}
