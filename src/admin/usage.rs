//! `/admin/usage` and `/user/usage`: usage records, newest first, in pages.

use axum::{Json, extract::State};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{error::AdminError, extract::Params, state::AdminState, usage_filter::Which};
use crate::{
    auth::Caller,
    domain::{OrgId, RecordId, Timestamp, UsageRecord, UserId},
    store::{UsageFilter, UsagePosition},
};

const DEFAULT_LIMIT: u32 = 50;
const MAX_LIMIT: u32 = 500;

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
    let limit = limit(paging.limit.as_deref())?;
    let after = paging.cursor.as_deref().map(read_cursor).transpose()?;
    let page = state.store.usage(org, &filter, after, limit).await?;
    Ok(Json(Page { data: page.records, next_cursor: page.next.map(write_cursor) }))
}

fn limit(text: Option<&str>) -> Result<u32, AdminError> {
    let Some(text) = text else { return Ok(DEFAULT_LIMIT) };
    let value = text.parse().ok().filter(|limit| (1..=MAX_LIMIT).contains(limit));
    value.ok_or_else(|| AdminError::bad_request(format!("limit must be between 1 and {MAX_LIMIT}")))
}

/// Opaque to clients: time and id of the last record, 24 bytes in base64url.
fn write_cursor(at: UsagePosition) -> String {
    let mut bytes = [0; 24];
    let (ts, id) = bytes.split_at_mut(8);
    ts.copy_from_slice(&at.ts.0.to_be_bytes());
    id.copy_from_slice(at.id.0.as_bytes());
    URL_SAFE_NO_PAD.encode(bytes)
}

fn read_cursor(text: &str) -> Result<UsagePosition, AdminError> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok();
    let parts = bytes.as_deref().and_then(|bytes| {
        let (ts, id) = bytes.split_first_chunk::<8>()?;
        Some(UsagePosition {
            ts: Timestamp(i64::from_be_bytes(*ts)),
            id: RecordId(Uuid::from_slice(id).ok()?),
        })
    });
    parts
        .ok_or_else(|| AdminError::bad_request("cursor must be the next_cursor of an earlier page"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_comes_back_as_it_went() {
        let at = UsagePosition { ts: Timestamp(1_234_567_890), id: RecordId::random() };
        assert_eq!(read_cursor(&write_cursor(at)).unwrap(), at);
    }

    #[test]
    fn any_other_text_is_no_cursor() {
        for text in ["", "x", "%%%", &"A".repeat(200)] {
            assert!(read_cursor(text).is_err(), "{text}");
        }
    }
}
