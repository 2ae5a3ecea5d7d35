//! `/auth/session`, `/auth/logout`, `/auth/issuers`: what the console asks about who is signed in. How
//! people sign in is for browsers to walk through, not for programs.

use axum::{
    Json,
    extract::{Request, State},
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use url::form_urlencoded;
use utoipa::ToSchema;

use super::{
    error::AdminError,
    reply::{DONE, Done},
    state::AdminState,
};
use crate::{
    auth::{CallerRefusal, Head, Sessions},
    domain::{OrgId, Role, Timestamp, UserId},
    store::SessionRow,
};

/// A session of the console
#[derive(Serialize, ToSchema)]
#[schema(as = Session)]
pub(super) struct SessionView {
    user: SignedIn,
    org: Home,
    role: Role,
    /// For the header `x-turnpike-csrf`, without which requests by session change nothing.
    csrf_token: String,
    /// If it is not used until then.
    expires_at: Timestamp,
    /// Where clients reach the runtime, without `/v1`; absent where that is this very address, below
    /// `/api/llm-gateway`.
    #[serde(skip_serializing_if = "Option::is_none")]
    gateway_url: Option<String>,
}

/// Who is signed in
#[derive(Serialize, ToSchema)]
#[schema(as = SessionUser)]
struct SignedIn {
    id: UserId,
    /// The issuer's name for them.
    subject: String,
    email: Option<String>,
}

/// The organization of whoever is signed in
#[derive(Serialize, ToSchema)]
#[schema(as = SessionOrganization)]
struct Home {
    id: OrgId,
    name: String,
}

/// A way to sign in
#[derive(Serialize, ToSchema)]
#[schema(as = SignInIssuer)]
pub(super) struct IssuerView {
    /// Its address, without the scheme.
    name: String,
    /// Where to send the browser; `return_to=<path>` may be added, and `org=<name>` where someone
    /// belongs to several.
    login_url: String,
}

/// Get the session
///
/// By the cookie that signing in to the console gives the browser.
#[utoipa::path(
    get,
    path = "/auth/session",
    operation_id = "getSession",
    tag = "Authentication",
    responses(
        (status = 200, body = SessionView),
        (status = 401, body = super::error::Flat, description = "Nobody is signed in.")
    )
)]
pub(super) async fn get(
    State(state): State<AdminState>,
    request: Request,
) -> Result<Response, AdminError> {
    let head = Head::of(&request);
    let (session, role) = state.authenticator.session(&head, Timestamp::now()).await?;
    let sessions = state.authenticator.sessions();
    let token = sessions.csrf_token(&head).ok_or(CallerRefusal::NoSession)?;
    let expires_at = Sessions::end(&session);
    let SessionRow { user, org_name, .. } = session;
    let view = SessionView {
        user: SignedIn { id: user.id, subject: user.subject, email: user.email },
        org: Home { id: user.org_id, name: org_name },
        role,
        csrf_token: token,
        expires_at,
        gateway_url: sessions.site().gateway_url.clone(),
    };
    Ok(unstored(Json(view), None))
}

/// Sign out
///
/// Ends the session of the request's cookie, if it has one.
#[utoipa::path(
    post,
    path = "/auth/logout",
    operation_id = "signOut",
    tag = "Authentication",
    responses(
        (status = 200, body = Done),
        (status = 403, body = super::error::Flat, description = "The session's token is missing.")
    )
)]
pub(super) async fn end(
    State(state): State<AdminState>,
    request: Request,
) -> Result<Response, AdminError> {
    let head = Head::of(&request);
    let sessions = state.authenticator.sessions();
    if sessions.find(&head, Timestamp::now()).await?.is_some() {
        sessions.check_forgery(&head).map_err(CallerRefusal::from)?;
    }
    let cleared = sessions.finish(&head).await?;
    Ok(unstored(DONE, cleared))
}

/// List the ways to sign in
///
/// The identity providers that are set up for signing in to the console.
#[utoipa::path(
    get,
    path = "/auth/issuers",
    operation_id = "listSignInIssuers",
    tag = "Authentication",
    responses((status = 200, body = [IssuerView]))
)]
pub(super) async fn issuers(State(state): State<AdminState>) -> Json<Vec<IssuerView>> {
    let issuers = state.authenticator.sign_in_issuers().map(|issuer| {
        let encoded: String = form_urlencoded::byte_serialize(issuer.as_bytes()).collect();
        let name = issuer.split_once("://").map_or(issuer, |(_, name)| name);
        IssuerView { name: name.to_owned(), login_url: format!("/auth/login?issuer={encoded}") }
    });
    Json(issuers.collect())
}

fn unstored(body: impl IntoResponse, cookie: Option<HeaderValue>) -> Response {
    let mut response = body.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(cookie) = cookie {
        headers.append(header::SET_COOKIE, cookie);
    }
    response
}
