//! `/auth/token`: tokens for service accounts (OAuth 2.0, client credentials: RFC 6749, 4.4), with
//! OAuth's own errors (5.2). The client is told by the body or by HTTP Basic (2.3.1).

use axum::{
    Json,
    body::{Bytes, to_bytes},
    extract::{Request, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};
use url::form_urlencoded;
use utoipa::ToSchema;

use super::{error::AdminError, state::AdminState};
use crate::{
    auth::{AccessToken, GrantRefusal},
    domain::Timestamp,
    secrets::Secret,
};

/// Largest body, bytes.
const MAX_BODY: usize = 16 << 10;
const FORM: &str = "application/x-www-form-urlencoded";
const GRANT_TYPE: &str = "client_credentials";

/// A request for a token
#[derive(Deserialize, ToSchema)]
#[expect(dead_code, reason = "only described: the form is read by hand, to tell OAuth's errors")]
pub(super) struct TokenRequest {
    /// `client_credentials`
    grant_type: String,
    /// Of the service account; here or in the header Authorization (Basic).
    client_id: Option<String>,
    client_secret: Option<String>,
}

/// A token for the admin and user API
#[derive(Serialize, ToSchema)]
pub(super) struct TokenResponse {
    access_token: String,
    /// Always Bearer.
    token_type: &'static str,
    /// How long it lives, seconds.
    expires_in: u64,
}

/// Why there is no token
#[derive(Serialize, ToSchema)]
pub(super) struct TokenError {
    /// `invalid_request`, `invalid_client` or `unsupported_grant_type`.
    error: &'static str,
    error_description: String,
}

/// Get a token
///
/// OAuth 2.0 client credentials, for service accounts.
#[utoipa::path(
    post,
    path = "/auth/token",
    operation_id = "createToken",
    tag = "Authentication",
    request_body(content = TokenRequest, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, body = TokenResponse),
        (status = 400, body = TokenError, description = "The request is wrong as it stands."),
        (status = 401, body = TokenError, description = "No such client, or another secret.")
    )
)]
pub(super) async fn create(State(state): State<AdminState>, request: Request) -> Response {
    let answer = match grant(&state, request).await {
        Ok(token) => success(token).into_response(),
        Err(refusal) => refusal.into_response(),
    };
    ([(header::CACHE_CONTROL, "no-store"), (header::PRAGMA, "no-cache")], answer).into_response()
}

fn success(token: AccessToken) -> Json<TokenResponse> {
    Json(TokenResponse {
        access_token: token.token,
        token_type: "Bearer",
        expires_in: token.lives.as_secs(),
    })
}

async fn grant(state: &AdminState, request: Request) -> Result<AccessToken, Refusal> {
    let (head, body) = request.into_parts();
    if !is_form(&head.headers) {
        return Err(invalid(format!("the body must be a form; send Content-Type: {FORM}")));
    }
    let body = to_bytes(body, MAX_BODY).await;
    let body = body.map_err(|_| invalid(format!("the body must have at most {MAX_BODY} bytes")))?;
    let form = Form::read(&body)?;
    match form.grant_type.as_deref() {
        Some(GRANT_TYPE) => {}
        Some(_) => return Err(Refusal::GrantType),
        None => return Err(invalid("grant_type is missing".to_owned())),
    }
    let (id, secret) = client(&head.headers, form)?;
    Ok(state.tokens.grant(&id, secret.expose(), Timestamp::now()).await?)
}

fn is_form(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let kind = kind.and_then(|kind| kind.split(';').next()).unwrap_or_default();
    kind.trim().eq_ignore_ascii_case(FORM)
}

/// The parameters that count. One without a value is as one that is left out (RFC 6749, 3.2).
#[derive(Default)]
struct Form {
    grant_type: Option<String>,
    client_id: Option<String>,
    client_secret: Option<Secret>,
}

impl Form {
    fn read(body: &Bytes) -> Result<Self, Refusal> {
        let mut form = Self::default();
        for (name, value) in form_urlencoded::parse(body) {
            if value.is_empty() {
                continue;
            }
            let value = value.into_owned();
            let twice = match name.as_ref() {
                "grant_type" => form.grant_type.replace(value).is_some(),
                "client_id" => form.client_id.replace(value).is_some(),
                "client_secret" => form.client_secret.replace(Secret::new(value)).is_some(),
                _ => false,
            };
            if twice {
                return Err(invalid(format!("{name} is given twice")));
            }
        }
        Ok(form)
    }
}

/// Id and secret, from one place.
fn client(headers: &HeaderMap, form: Form) -> Result<(String, Secret), Refusal> {
    let basic = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let basic = basic.and_then(|value| value.split_once(' '));
    let basic = basic.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("basic"));
    match (basic, form.client_id, form.client_secret) {
        (None, Some(id), Some(secret)) => Ok((id, secret)),
        (None, None, None) => Err(Refusal::Client),
        (None, Some(_), None) => Err(invalid("client_secret is missing".to_owned())),
        (None, None, Some(_)) => Err(invalid("client_id is missing".to_owned())),
        (Some(_), _, Some(_)) => {
            Err(invalid("the secret is given twice: in the body and as Basic".to_owned()))
        }
        (Some((_, credentials)), id, None) => {
            let given = decoded(credentials.trim()).ok_or(Refusal::Client)?;
            let same = id.is_none_or(|id| id == given.0);
            if same { Ok(given) } else { Err(invalid("client_id is given twice".to_owned())) }
        }
    }
}

/// Of `id:secret`, each in the form's encoding (RFC 6749, 2.3.1).
fn decoded(credentials: &str) -> Option<(String, Secret)> {
    let text = String::from_utf8(STANDARD.decode(credentials).ok()?).ok()?;
    let (id, secret) = text.split_once(':')?;
    let plain = |part: &str| {
        form_urlencoded::parse(part.as_bytes()).next().map(|(text, _)| text.into_owned())
    };
    Some((plain(id)?, Secret::new(plain(secret)?)))
}

/// Why there is no token.
enum Refusal {
    Request(String),
    GrantType,
    Client,
    Ours(GrantRefusal),
}

const fn invalid(message: String) -> Refusal {
    Refusal::Request(message)
}

impl From<GrantRefusal> for Refusal {
    fn from(refusal: GrantRefusal) -> Self {
        match refusal {
            GrantRefusal::Client => Self::Client,
            other => Self::Ours(other),
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let refused = |error, error_description| Json(TokenError { error, error_description });
        match self {
            Self::Request(message) => {
                (StatusCode::BAD_REQUEST, refused("invalid_request", message)).into_response()
            }
            Self::GrantType => {
                let message = format!("grant_type must be {GRANT_TYPE}");
                let body = refused("unsupported_grant_type", message);
                (StatusCode::BAD_REQUEST, body).into_response()
            }
            Self::Client => {
                let challenge = [(header::WWW_AUTHENTICATE, "Basic realm=\"turnpike\"")];
                let message = GrantRefusal::Client.to_string();
                let body = refused("invalid_client", message);
                (StatusCode::UNAUTHORIZED, challenge, body).into_response()
            }
            Self::Ours(error) => {
                tracing::error!(%error, "a service account gets no token");
                AdminError::unavailable(error.to_string()).into_response()
            }
        }
    }
}
