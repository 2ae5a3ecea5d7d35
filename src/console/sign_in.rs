//! The pages through which people sign in. Browsers walk through them; whatever goes wrong is told on
//! the console's own page.

use std::sync::Arc;

use axum::{
    Router,
    extract::{Query, Request, State},
    response::Response,
    routing::get,
};
use http::{HeaderValue, Method, StatusCode, header};
use serde::Deserialize;

use super::headers::guarded;
use crate::{
    auth::{Answered, Authenticator, FlowRefusal, Head, SignInError},
    domain::Timestamp,
};

/// The name of what is wrong with a link that does nothing; the others are [`FlowRefusal::name`]'s.
const USED: &str = "link_used";
const UNAVAILABLE: &str = "unavailable";

/// The pages below `/auth`.
pub fn router(people: Arc<Authenticator>) -> Router {
    Router::new()
        .route("/auth/login", get(login))
        .route("/auth/callback", get(callback))
        .route("/auth/link", get(link))
        .with_state(people)
}

/// Query of `/auth/login`.
#[derive(Deserialize)]
struct Login {
    #[serde(default)]
    issuer: String,
    return_to: Option<String>,
    org: Option<String>,
}

async fn login(
    State(people): State<Arc<Authenticator>>,
    Query(query): Query<Login>,
    request: Request,
) -> Response {
    let head = Head::of(&request);
    let wanted = (query.return_to.as_deref(), query.org.as_deref());
    match people.begin_sign_in(&head, &query.issuer, wanted, Timestamp::now()).await {
        Ok(begun) => go(&begun.location, begun.cookies),
        Err(refusal) => refused(&refusal),
    }
}

/// Query of `/auth/callback` (RFC 6749, 4.1.2; RFC 9207).
#[derive(Deserialize)]
struct Callback {
    code: Option<String>,
    state: Option<String>,
    error: Option<String>,
    iss: Option<String>,
}

async fn callback(
    State(people): State<Arc<Authenticator>>,
    Query(query): Query<Callback>,
    request: Request,
) -> Response {
    if request.method() == Method::HEAD {
        return told(StatusCode::METHOD_NOT_ALLOWED);
    }
    let head = Head::of(&request);
    let answered = Answered {
        code: query.code.as_deref(),
        state: query.state.as_deref(),
        error: query.error.as_deref(),
        iss: query.iss.as_deref(),
    };
    match people.end_sign_in(&head, answered, Timestamp::now()).await {
        Ok(ended) => go(&ended.return_to, ended.cookies),
        Err(refusal) => {
            let mut response = refused(&refusal);
            // Whatever it was, it is not tried twice.
            if let Some(gone) = people.sessions().drop_attempt() {
                response.headers_mut().append(header::SET_COOKIE, gone);
            }
            response
        }
    }
}

/// Query of `/auth/link`.
#[derive(Deserialize)]
struct Link {
    #[serde(default)]
    token: String,
}

async fn link(
    State(people): State<Arc<Authenticator>>,
    Query(query): Query<Link>,
    request: Request,
) -> Response {
    // Programs that look at links before people do must not use them up.
    if request.method() == Method::HEAD {
        return told(StatusCode::METHOD_NOT_ALLOWED);
    }
    match people.sign_in_by_link(&Head::of(&request), &query.token, Timestamp::now()).await {
        Ok(Some(ended)) => go(&ended.return_to, ended.cookies),
        Ok(None) => sorry(USED),
        Err(error) => own_fault(&error),
    }
}

fn refused(refusal: &FlowRefusal) -> Response {
    match refusal {
        FlowRefusal::Own(error) => return own_fault(error),
        FlowRefusal::Discovery(cause) => tracing::warn!(%cause, "nobody can sign in at a provider"),
        _ => tracing::info!(%refusal, "someone could not sign in"),
    }
    sorry(refusal.name())
}

fn own_fault(error: &SignInError) -> Response {
    tracing::error!(%error, "nobody can sign in");
    sorry(UNAVAILABLE)
}

/// To the console's own page, which says it in words.
fn sorry(name: &str) -> Response {
    go(&format!("/?error={name}"), Vec::new())
}

/// Sends the browser on.
fn go(location: &str, cookies: Vec<HeaderValue>) -> Response {
    let Ok(location) = HeaderValue::try_from(location) else {
        return told(StatusCode::INTERNAL_SERVER_ERROR);
    };
    let mut response = told(StatusCode::SEE_OTHER);
    let headers = response.headers_mut();
    headers.insert(header::LOCATION, location);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    for cookie in cookies {
        headers.append(header::SET_COOKIE, cookie);
    }
    response
}

fn told(status: StatusCode) -> Response {
    let mut response = guarded(Response::default());
    *response.status_mut() = status;
    response
}
