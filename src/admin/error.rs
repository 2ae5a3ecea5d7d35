//! Refusals of the admin and user API: `{"error":"BadRequest","message":"…"}` (seed 002).

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{secrets::SealError, store::StoreError};

/// A refusal: status, class, and a message for the caller that names the field and the remedy.
/// What is wrong inside the gateway goes to the log, not into the message.
#[derive(Debug)]
pub struct AdminError {
    status: StatusCode,
    class: &'static str,
    message: String,
}

impl AdminError {
    fn new(status: StatusCode, class: &'static str, message: impl Into<String>) -> Self {
        Self { status, class, message: message.into() }
    }

    /// 400: the request is wrong as it stands.
    pub(super) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "BadRequest", message)
    }

    /// 401: nobody we know.
    pub(super) fn unauthorized(message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "Unauthorized", message)
    }

    /// 403: known, but not allowed.
    pub(super) fn forbidden(message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "Forbidden", message)
    }

    /// 404: there is none, or it is another organization's; the two are told alike, to the byte.
    pub(super) fn not_found(what: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "NotFound", format!("{what} not found"))
    }

    /// 405: the path exists, the method does not.
    pub(super) fn method_not_allowed() -> Self {
        let message = "this path does not take that method; the Allow header lists those it takes";
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed", message)
    }

    /// 409: clashes with what is stored.
    pub(super) fn conflict(message: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, "Conflict", message)
    }

    /// 413: the body is over the limit.
    pub(super) fn too_large(limit_mb: usize) -> Self {
        let message = format!("the body is larger than {limit_mb} MB");
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "PayloadTooLarge", message)
    }

    /// 415: the body is not JSON.
    pub(super) fn unsupported_media_type() -> Self {
        let message = "the body must be JSON; send the header Content-Type: application/json";
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "UnsupportedMediaType", message)
    }

    /// 500: our fault; trying again does not help.
    pub(super) fn internal() -> Self {
        let message = "the gateway failed to do this; its log says why";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "Internal", message)
    }

    /// 503: try again later.
    pub(super) fn unavailable(message: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "Unavailable", message)
    }
}

/// The body of every refusal
#[derive(Serialize, ToSchema)]
#[schema(as = Error)]
pub(super) struct Flat {
    /// Class of the refusal; stable.
    #[schema(examples("BadRequest"))]
    error: &'static str,
    /// What is wrong and what to do, for people.
    #[schema(examples("request_timeout_secs must be between 1 and 3600"))]
    message: String,
}

impl IntoResponse for AdminError {
    fn into_response(self) -> Response {
        let body = Json(Flat { error: self.class, message: self.message });
        let mut response = (self.status, body).into_response();
        if self.status == StatusCode::UNAUTHORIZED {
            // RFC 9110, 15.5.2 asks for the challenge.
            let challenge = HeaderValue::from_static("Bearer");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

impl From<StoreError> for AdminError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotFound(what) => Self::not_found(what),
            StoreError::Invalid(message) => Self::bad_request(message),
            // Where a clash is the caller's, the handler names what clashes before it gets here.
            StoreError::Conflict => Self::conflict("this clashes with what is stored"),
            StoreError::Open { .. } | StoreError::Unavailable(_) => {
                tracing::error!(%error, "the store failed");
                Self::unavailable("the store is unavailable; try again")
            }
        }
    }
}

impl From<SealError> for AdminError {
    fn from(error: SealError) -> Self {
        tracing::error!(%error, "sealing a secret failed");
        Self::internal()
    }
}
