//! `/admin/usage` and `/user/usage`: usage records, newest first, in pages.

use axum::{Json, extract::State};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{
    error::AdminError,
    extract::{Params, uuid},
    state::AdminState,
};
use crate::{
    auth::Caller,
    domain::{KeyId, ProviderId, RecordId, Timestamp, UsageRecord, UserId},
    store::{UsageFilter, UsagePosition},
};

const DEFAULT_LIMIT: u32 = 50;
const MAX_LIMIT: u32 = 500;

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
    let limit = limit(query.limit.as_deref())?;
    let after = query.cursor.as_deref().map(read_cursor).transpose()?;
    let page = state.store.usage(caller.org, &filter, after, limit).await?;
    Ok(Json(Page { data: page.records, next_cursor: page.next.map(write_cursor) }))
}

fn filter(query: &Query) -> Result<UsageFilter, AdminError> {
    let id =
        |field, text: &Option<String>| text.as_deref().map(|text| uuid(field, text)).transpose();
    let provider = query.provider.as_deref().map(|text| (Uuid::parse_str(text), text));
    Ok(UsageFilter {
        from: query.from.as_deref().map(|text| time("from", text)).transpose()?,
        to: query.to.as_deref().map(|text| time("to", text)).transpose()?,
        user: id("user", &query.user)?.map(UserId),
        group: query.group.clone(),
        api_key: id("api_key", &query.api_key)?.map(KeyId),
        provider: provider.as_ref().and_then(|(id, _)| id.as_ref().ok().copied()).map(ProviderId),
        provider_name: provider.filter(|(id, _)| id.is_err()).map(|(_, name)| name.to_owned()),
        model: query.model.clone(),
        alias: query.alias.clone(),
        status: query.status.as_deref().map(status).transpose()?,
    })
}

fn time(field: &str, text: &str) -> Result<Timestamp, AdminError> {
    text.parse().map_err(|_| {
        AdminError::bad_request(format!("{field} must be a time such as 2026-06-12T18:30:00Z"))
    })
}

fn status(text: &str) -> Result<u16, AdminError> {
    text.parse().map_err(|_| AdminError::bad_request("status must be a number such as 200"))
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
