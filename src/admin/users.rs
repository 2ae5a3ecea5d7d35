//! `/admin/users`: everybody whom a token has presented, as last seen, and the groups that an
//! administrator puts in place of those that tokens name.

use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    change::{Actor, Audit},
    error::AdminError,
    extract::{Body, Params, PathId},
    paging::{Cursor, Listed, Listing, Picked},
    patch::Patch,
    state::AdminState,
    upstream,
};
use crate::{
    auth::Caller,
    domain::{Timestamp, UserId},
    store::{UserPosition, UserRow},
};

const WHAT: &str = "user";
/// What one user's groups may be at most.
const MAX_GROUPS: usize = 1000;

/// A user of the organization
#[derive(Serialize, ToSchema)]
#[schema(as = User)]
pub(super) struct UserView {
    /// Stays with organization, issuer and subject.
    id: UserId,
    /// Who issued their tokens.
    issuer: String,
    /// The issuer's name for them.
    subject: String,
    /// As last seen. Never links accounts.
    email: Option<String>,
    /// As last seen.
    roles: Vec<String>,
    /// As last seen.
    groups: Vec<String>,
    /// In place of `groups`, until it is taken away; an empty list is no groups. Null where there is
    /// none.
    groups_override: Option<Vec<String>>,
    /// To about a minute.
    last_seen_at: Timestamp,
}

impl From<UserRow> for UserView {
    fn from(row: UserRow) -> Self {
        Self {
            id: row.id,
            issuer: row.issuer,
            subject: row.subject,
            email: row.email,
            roles: row.roles,
            groups: row.groups,
            groups_override: row.groups_override,
            last_seen_at: row.last_seen_at,
        }
    }
}

/// What an administrator may say about a user
#[derive(Deserialize, ToSchema)]
#[schema(as = UpdateUserRequest)]
pub(super) struct Update {
    /// Left out it keeps its value; null takes the override away; an empty list is no groups.
    #[serde(default)]
    #[schema(value_type = Option<Vec<String>>, required = false, max_items = 1000)]
    groups_override: Patch<Vec<String>>,
}

/// List users
///
/// Everybody whom a token has presented, by name. `q` searches subject, e-mail, roles, and the groups
/// that count.
#[utoipa::path(
    get,
    path = "/admin/users",
    operation_id = "listUsers",
    tag = "Users",
    params(Picked, Listing),
    responses((
        status = 200,
        body = [UserView],
        headers(("x-next-cursor" = String, description = "Where the next page begins; absent on the last."))
    ))
)]
pub(super) async fn list(
    State(state): State<AdminState>,
    caller: Caller,
    Params(picked): Params<Picked>,
    Params(listing): Params<Listing>,
) -> Result<Listed<UserView>, AdminError> {
    if let Some(ids) = picked.ids(&listing)? {
        let ids: Vec<UserId> = ids.into_iter().map(UserId).collect();
        let rows = state.store.read().await?.users_by_id(caller.org, &ids).await?;
        return Ok(Listed { entries: rows, next: None, total: None }.map(UserView::from));
    }
    let (text, limit, after) = (listing.search()?, listing.limit()?, listing.after()?);
    let mut tx = state.store.read().await?;
    let after = match after {
        Some(at) => Some(position(tx.user(caller.org, UserId(at.id)).await?)?),
        None => None,
    };
    let (rows, more) = tx.page_of_users(caller.org, text, after.as_ref(), limit).await?;
    let last = rows.last().map(|row| Cursor { ts: row.last_seen_at, id: row.id.0 });
    let next = last.filter(|_| more).map(Cursor::write);
    Ok(Listed { entries: rows, next, total: None }.map(UserView::from))
}

/// Names do not change: where a page ended is found again by the id of its last user.
fn position(last: Option<UserRow>) -> Result<UserPosition, AdminError> {
    last.map(UserPosition::from).ok_or_else(Cursor::refused)
}

/// Override a user's groups
///
/// In force at once for the user's keys. It never grants roles.
#[utoipa::path(
    put,
    path = "/admin/users/{id}",
    operation_id = "updateUser",
    tag = "Users",
    request_body = Update,
    responses((status = 200, body = UserView))
)]
pub(super) async fn update(
    State(state): State<AdminState>,
    actor: Actor,
    PathId(id): PathId,
    Body(body): Body<Update>,
) -> Result<Json<UserView>, AdminError> {
    let groups = body.groups_override.try_map(checked)?;
    let id = UserId(id);
    let mut change = state.change(&actor).await?;
    let tx = change.tx();
    let before = tx.user(actor.org, id).await?.ok_or_else(|| AdminError::not_found(WHAT))?;
    let mut after = before.clone();
    groups.apply(&mut after.groups_override);
    if after == before {
        return Ok(Json(before.into()));
    }
    tx.override_groups(actor.org, id, after.groups_override.as_deref()).await?;
    let (before, after) = (UserView::from(before), UserView::from(after));
    change.commit(Audit::updated(WHAT, id.0, &before, &after)?).await?;
    state.api_keys.forget_user(actor.org, id).await;
    state.authenticator.sessions().forget();
    Ok(Json(after))
}

/// Names of groups, each once.
fn checked(groups: Vec<String>) -> Result<Vec<String>, AdminError> {
    if groups.len() > MAX_GROUPS {
        let message = format!("groups_override must name at most {MAX_GROUPS} groups");
        return Err(AdminError::bad_request(message));
    }
    let mut names: Vec<String> = Vec::with_capacity(groups.len());
    for group in groups {
        let name = upstream::text("groups_override", group)?;
        if !names.contains(&name) {
            names.push(name);
        }
    }
    Ok(names)
}
