//! `/admin/audit`: who changed what, newest first, in pages. Entries come about with the changes
//! themselves ([`super::change`]); no operation alters or removes one.

use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use serde_json::Value;
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
    domain::{OrgId, Timestamp, UserId},
    store::{AuditFilter, AuditPosition, AuditRow},
};

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Query {
    /// Earliest time.
    #[param(value_type = Option<Timestamp>)]
    from: Option<String>,
    /// The time before which they are.
    #[param(value_type = Option<Timestamp>)]
    to: Option<String>,
    /// Who did it: id or name.
    user: Option<String>,
    /// Such as `provider.update`.
    action: Option<String>,
    /// Such as `provider`.
    resource: Option<String>,
    #[param(value_type = Option<Uuid>)]
    resource_id: Option<String>,
    #[param(value_type = Option<u32>, minimum = 1, maximum = 500, default = 50)]
    limit: Option<String>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// One page of the audit log
#[derive(Serialize, ToSchema)]
#[schema(as = AuditPage)]
pub(super) struct Page {
    data: Vec<Entry>,
    /// Null on the last page.
    next_cursor: Option<String>,
}

/// One change
#[derive(Serialize, ToSchema)]
#[schema(as = AuditEntry)]
struct Entry {
    id: Uuid,
    org_id: OrgId,
    ts: Timestamp,
    /// Who did it; null where the gateway itself acted.
    user_id: Option<UserId>,
    /// Their e-mail or name then.
    user: String,
    /// Such as `provider.update`.
    action: String,
    /// The kind of thing.
    resource: String,
    /// The thing, where it is one.
    resource_id: Option<Uuid>,
    /// As the API showed it; null where it was new. Secrets are never in it.
    #[schema(value_type = Value)]
    before: Option<Value>,
    /// As the API shows it; null where it is gone. `credentials` says that a secret was set.
    #[schema(value_type = Value)]
    after: Option<Value>,
    /// The `x-request-id` of the request that did it.
    request_id: String,
}

impl From<AuditRow> for Entry {
    fn from(AuditRow { id, change }: AuditRow) -> Self {
        Self {
            id,
            org_id: change.org,
            ts: change.at,
            user_id: change.actor,
            user: change.actor_name,
            action: change.action,
            resource: change.resource,
            resource_id: change.resource_id,
            before: change.before,
            after: change.after,
            request_id: change.request_id,
        }
    }
}

/// List changes
///
/// Who changed what, before and after, newest first, in pages.
#[utoipa::path(
    get,
    path = "/admin/audit",
    operation_id = "listAudit",
    tag = "Audit",
    params(Query),
    responses((status = 200, body = Page))
)]
pub(super) async fn list(
    State(state): State<AdminState>,
    caller: Caller,
    Params(query): Params<Query>,
) -> Result<Json<Page>, AdminError> {
    let filter = filter(&query)?;
    let limit = paging::limit(query.limit.as_deref())?;
    let after = Cursor::read(query.cursor.as_deref())?;
    let after = after.map(|at| AuditPosition { ts: at.ts, id: at.id });
    let (rows, next) = state.store.audit(caller.org, &filter, after, limit).await?;
    let next_cursor = next.map(|at| Cursor { ts: at.ts, id: at.id }.write());
    Ok(Json(Page { data: rows.into_iter().map(Entry::from).collect(), next_cursor }))
}

fn filter(query: &Query) -> Result<AuditFilter, AdminError> {
    let user = query.user.as_deref().map(|text| Uuid::parse_str(text).map_err(|_| text));
    Ok(AuditFilter {
        from: paging::time("from", query.from.as_deref())?,
        to: paging::time("to", query.to.as_deref())?,
        actor: user.and_then(Result::ok).map(UserId),
        actor_name: user.and_then(Result::err).map(str::to_owned),
        action: query.action.clone(),
        resource: query.resource.clone(),
        resource_id: paging::id("resource_id", query.resource_id.as_deref())?,
    })
}
