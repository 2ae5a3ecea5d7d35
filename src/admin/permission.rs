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
    auth::{Caller, CallerRefusal, Head},
    domain::{RequestId, Role, Timestamp},
};

const REQUEST_ID: &str = "x-request-id";

/// What a caller must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Needs {
    /// Anyone at all, with or without a token; the handler knows no caller.
    Nothing,
    /// Anyone with a valid token; the handler answers about the caller alone.
    AnyUser,
    /// An admin of the organization, or higher.
    Admin,
}

impl Needs {
    fn allows(self, role: Role) -> bool {
        match self {
            Self::Nothing | Self::AnyUser => true,
            Self::Admin => role >= Role::Admin,
        }
    }

    /// As the API's description names it.
    pub(super) const fn role(self) -> &'static str {
        match self {
            Self::Nothing => "anyone",
            Self::AnyUser => "any authenticated user",
            Self::Admin => "admin",
        }
    }
}

/// Lets a request through to its handler if its caller may make it.
pub(super) async fn guard(
    State((state, needs)): State<(AdminState, Needs)>,
    request: Request,
    next: Next,
) -> Response {
    let id = request_id(&request);
    let mut response = admitted(&state, needs, &id, request, next).await;
    // A request that came through the public port has it already.
    if let Ok(id) = HeaderValue::try_from(String::from(id)) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    response
}

fn request_id(request: &Request) -> RequestId {
    let given = request.headers().get(REQUEST_ID).and_then(|value| value.to_str().ok());
    given.and_then(RequestId::taken).unwrap_or_else(RequestId::random)
}

async fn admitted(
    state: &AdminState,
    needs: Needs,
    id: &RequestId,
    mut request: Request,
    next: Next,
) -> Response {
    if needs == Needs::Nothing {
        return next.run(request).await;
    }
    let now = Timestamp::now();
    let caller = match state.authenticator.authenticate(&Head::of(&request), now).await {
        Ok(caller) => caller,
        Err(refusal) => return AdminError::from(refusal).into_response(),
    };
    if !needs.allows(caller.role) {
        return AdminError::forbidden("this needs the role admin").into_response();
    }
    request.extensions_mut().insert(caller);
    request.extensions_mut().insert(id.clone());
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
