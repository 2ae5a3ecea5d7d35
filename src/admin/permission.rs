//! Who may call what.
//!
//! A route is registered with the permission that it needs ([`Needs`] is an argument that cannot be
//! left out); [`guard`] then authenticates and hands the [`Caller`] to the handler. A handler that
//! was registered without the guard finds no caller and answers 403: what nobody allowed is denied.

use axum::{
    extract::{FromRequestParts, Request, State},
    http::{HeaderValue, header, request::Parts},
    middleware::Next,
    response::{IntoResponse as _, Response},
};

use super::{error::AdminError, state::AdminState};
use crate::{
    auth::{Caller, CallerRefusal},
    domain::{Role, Timestamp},
};

/// What a caller must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Needs {
    /// Anyone with a valid token; the handler answers about the caller alone.
    AnyUser,
    /// An admin of the organization, or higher.
    Admin,
}

impl Needs {
    fn allows(self, role: Role) -> bool {
        match self {
            Self::AnyUser => true,
            Self::Admin => role >= Role::Admin,
        }
    }
}

/// Lets a request through to its handler if its caller may make it.
pub(super) async fn guard(
    State((state, needs)): State<(AdminState, Needs)>,
    mut request: Request,
    next: Next,
) -> Response {
    let now = Timestamp::now();
    let caller = match state.authenticator.authenticate(request.headers(), now).await {
        Ok(caller) => caller,
        Err(refusal) => return AdminError::from(refusal).into_response(),
    };
    if !needs.allows(caller.role) {
        return AdminError::forbidden("this needs the role admin").into_response();
    }
    request.extensions_mut().insert(caller);
    let mut response = if request.method().is_safe() {
        next.run(request).await
    } else {
        run_to_its_end(request, next).await
    };
    // One organization's answer, possibly with a new key in it.
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// A client that leaves after its write was committed would otherwise stop the handler before the
/// write is in force.
async fn run_to_its_end(request: Request, next: Next) -> Response {
    tokio::spawn(next.run(request)).await.unwrap_or_else(|error| {
        tracing::error!(%error, "a handler failed");
        AdminError::internal().into_response()
    })
}

impl From<CallerRefusal> for AdminError {
    fn from(refusal: CallerRefusal) -> Self {
        let message = refusal.to_string();
        match refusal.status() {
            400 => Self::bad_request(message),
            403 => Self::forbidden(message),
            404 => Self::not_found("organization"),
            503 => Self::unavailable(message),
            _ => Self::unauthorized(message),
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = AdminError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, AdminError> {
        let caller = parts.extensions.get::<Self>().cloned();
        caller.ok_or_else(|| AdminError::forbidden("nobody is allowed to do this"))
    }
}
