//! Signing in at an identity provider: `OpenID` Connect's authorization code (Core 1.0, 3.1) with PKCE
//! (RFC 7636), a state and a nonce.
//!
//! What has to be known when the browser comes back travels with the browser itself, sealed: any
//! replica can go on, and nothing is stored for those who never come back.

use std::time::{Duration, Instant};

use aws_lc_rs::digest;
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use bytes::Bytes;
use http::{Request, header};
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;
use url::{Url, form_urlencoded};

use super::{
    CallerRefusal, TokenRefusal,
    issuer_keys::{KeysError, Published},
    jwt::Jwt,
    links::SignInError,
    sessions,
};
use crate::{
    domain::Timestamp,
    net::{Bounds, FetchError},
    secrets::Secret,
};

/// How long someone may take to sign in at the provider.
pub(super) const ATTEMPT_LIVES: Duration = Duration::from_secs(10 * 60);
/// How long the provider's endpoints are taken as known.
const FRESH: Duration = Duration::from_secs(10 * 60);
/// How long it is not asked again after it could not be.
const FAILED: Duration = Duration::from_secs(2);
const BOUNDS: Bounds = Bounds { time: Duration::from_secs(10), bytes: 256 << 10 };
/// Longest error of a provider that is repeated, characters.
const MAX_ERROR: usize = 64;

/// As which client the console signs its users in.
#[derive(Clone, Debug)]
pub struct ClientRules {
    /// Its id, for which the provider's `id_token` must be.
    pub id: String,
    /// Its secret, where it has one.
    pub secret: Option<Secret>,
    /// What it asks for.
    pub scopes: Vec<String>,
}

/// Where the provider signs people in.
#[derive(Clone, Debug)]
pub(super) struct Endpoints {
    authorization: String,
    token: String,
    /// Whether the client's secret goes into the body, where the provider takes it nowhere else.
    secret_in_body: bool,
}

/// A sign-in that is under way: what the browser keeps, sealed.
#[derive(Serialize, Deserialize)]
pub(super) struct Attempt {
    pub(super) issuer: String,
    pub(super) state: String,
    nonce: String,
    verifier: String,
    redirect_uri: String,
    token_endpoint: String,
    secret_in_body: bool,
    /// Path in the console to go on at.
    pub(super) return_to: String,
    /// The organization that was asked for.
    pub(super) org: Option<String>,
    ends_at: i64,
}

/// Why a sign-in at a provider comes to nothing. Messages are for the one who signs in.
#[derive(Debug, thiserror::Error)]
pub enum FlowRefusal {
    /// No such issuer, or one without a client.
    #[error("this identity provider is not set up for signing in")]
    NoProvider,
    /// The browser has nothing that belongs to this answer, or too late.
    #[error("the sign-in has expired or belongs to another browser; begin again")]
    NoAttempt,
    /// The answer is to another question.
    #[error("the answer of the identity provider is not for this sign-in; begin again")]
    State,
    /// The provider says no.
    #[error("the identity provider refused the sign-in ({0})")]
    Refused(String),
    /// The provider cannot be asked.
    #[error("the identity provider cannot be reached at the moment; try again")]
    Unreached(#[from] FetchError),
    /// It does not say where to sign in.
    #[error("the identity provider does not say where to sign in")]
    Discovery(#[from] KeysFault),
    /// It gives no token for the code.
    #[error("the identity provider gave no token for this sign-in; begin again")]
    Exchange,
    /// What it says cannot be believed.
    #[error("the identity provider's token is refused: {0}")]
    Token(#[from] TokenRefusal),
    /// The gateway's own trouble.
    #[error("the gateway cannot sign anyone in at the moment; try again")]
    Own(#[from] SignInError),
    /// The user belongs to several organizations.
    #[error(
        "you belong to several organizations: choose one by adding org=<its name> to the address of \
         the sign-in"
    )]
    SeveralOrganizations,
    /// The user is nobody here.
    #[error(transparent)]
    Caller(#[from] CallerRefusal),
}

impl FlowRefusal {
    /// Its name, by which the console's page tells it in words of its own: a page that showed a text
    /// from its address would show anybody's.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::NoProvider => "no_provider",
            Self::NoAttempt | Self::State => "expired",
            Self::Refused(_) => "refused",
            Self::Unreached(_) | Self::Discovery(_) => "provider_unreachable",
            Self::Exchange | Self::Token(_) => "token_refused",
            Self::Own(_) => "unavailable",
            Self::SeveralOrganizations => "several_organizations",
            Self::Caller(_) => "not_allowed",
        }
    }
}

/// Why a provider's documents are not to be had.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct KeysFault(String);

impl From<KeysError> for FlowRefusal {
    fn from(error: KeysError) -> Self {
        Self::Discovery(KeysFault(error.to_string()))
    }
}

/// The endpoints of one provider, asked for once in a while, by one at a time: whoever comes meanwhile
/// waits for the same answer, and a failure is not asked for again at once.
#[derive(Default)]
pub(super) struct KnownEndpoints(Mutex<Option<(Option<Endpoints>, Instant)>>);

impl KnownEndpoints {
    pub(super) async fn get(&self, published: &Published) -> Result<Endpoints, FlowRefusal> {
        let mut known = self.0.lock().await;
        match &*known {
            Some((Some(endpoints), at)) if at.elapsed() < FRESH => return Ok(endpoints.clone()),
            Some((None, at)) if at.elapsed() < FAILED => {
                return Err(KeysFault("it could not be asked a moment ago".to_owned()).into());
            }
            _ => {}
        }
        *known = Some((None, Instant::now()));
        let endpoints = Self::ask(published).await;
        *known = Some((endpoints.as_ref().ok().cloned(), Instant::now()));
        endpoints
    }

    async fn ask(published: &Published) -> Result<Endpoints, FlowRefusal> {
        let found = published.discovery().await?;
        let no_endpoint = || KeysFault("no authorization_endpoint or token_endpoint".to_owned());
        let methods = found.token_endpoint_auth_methods_supported.unwrap_or_default();
        let takes = |method: &str| methods.iter().any(|known| known == method);
        let endpoints = Endpoints {
            authorization: found.authorization_endpoint.ok_or_else(no_endpoint)?,
            token: found.token_endpoint.ok_or_else(no_endpoint)?,
            secret_in_body: takes("client_secret_post") && !takes("client_secret_basic"),
        };
        for url in [&endpoints.authorization, &endpoints.token] {
            if published.issuer.starts_with("https://") && !url.starts_with("https://") {
                return Err(KeysFault("an endpoint without TLS".to_owned()).into());
            }
        }
        Ok(endpoints)
    }
}

impl Attempt {
    /// Begins a sign-in at these endpoints, to come back to `redirect_uri`.
    pub(super) fn new(
        issuer: &str,
        endpoints: &Endpoints,
        redirect_uri: String,
        now: Timestamp,
    ) -> Result<Self, SignInError> {
        let text = || sessions::random().map(|secret| secret.expose().to_owned());
        Ok(Self {
            issuer: issuer.to_owned(),
            state: text()?,
            nonce: text()?,
            verifier: text()?,
            redirect_uri,
            token_endpoint: endpoints.token.clone(),
            secret_in_body: endpoints.secret_in_body,
            return_to: "/".to_owned(),
            org: None,
            ends_at: now.after(ATTEMPT_LIVES).0,
        })
    }

    pub(super) const fn is_over(&self, now: Timestamp) -> bool {
        self.ends_at <= now.0
    }

    /// Where the browser is sent.
    pub(super) fn location(&self, endpoints: &Endpoints, client: &ClientRules) -> Option<String> {
        let mut url = Url::parse(&endpoints.authorization).ok()?;
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &client.id)
            .append_pair("redirect_uri", &self.redirect_uri)
            .append_pair("scope", &client.scopes.join(" "))
            .append_pair("state", &self.state)
            .append_pair("nonce", &self.nonce)
            .append_pair("code_challenge", &challenge(&self.verifier))
            .append_pair("code_challenge_method", "S256");
        Some(url.into())
    }

    /// Gives the provider its code back and takes what it says about the user.
    pub(super) async fn exchange(
        &self,
        published: &Published,
        client: &ClientRules,
        code: &str,
    ) -> Result<String, FlowRefusal> {
        let request = self.token_request(client, code).ok_or(FlowRefusal::Exchange)?;
        let answer = published.fetcher.send(request, BOUNDS).await?;
        if answer.status() == http::StatusCode::OK {
            let tokens: Tokens =
                serde_json::from_slice(answer.body()).map_err(|_| FlowRefusal::Exchange)?;
            return Ok(tokens.id_token);
        }
        let said = serde_json::from_slice::<Fault>(answer.body()).map(|fault| fault.error);
        let error = named(&said.unwrap_or_default());
        let (issuer, status) = (&self.issuer, answer.status().as_u16());
        tracing::warn!(%issuer, status, %error, "the identity provider gives no token for a code");
        Err(FlowRefusal::Exchange)
    }

    fn token_request(&self, client: &ClientRules, code: &str) -> Option<Request<Bytes>> {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("grant_type", "authorization_code")
            .append_pair("code", code)
            .append_pair("redirect_uri", &self.redirect_uri)
            .append_pair("code_verifier", &self.verifier)
            .append_pair("client_id", &client.id);
        let mut request = Request::post(&self.token_endpoint)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::ACCEPT, "application/json");
        match &client.secret {
            Some(secret) if self.secret_in_body => {
                form.append_pair("client_secret", secret.expose());
            }
            Some(secret) => {
                request = request.header(header::AUTHORIZATION, basic(&client.id, secret));
            }
            None => {}
        }
        request.body(Bytes::from(form.finish())).ok()
    }

    /// Whether a token is the answer to this very question (Core 1.0, 3.1.3.7). Its signature, its
    /// audience and its times are looked at elsewhere.
    pub(super) fn is_answered_by(&self, jwt: &Jwt<'_>, client: &ClientRules) -> bool {
        let text = |name: &str| jwt.claims.get(name).and_then(serde_json::Value::as_str);
        let other_party = text("azp").is_some_and(|party| party != client.id);
        jwt.issuer() == Some(&self.issuer) && text("nonce") == Some(&self.nonce) && !other_party
    }
}

#[derive(Deserialize)]
struct Tokens {
    id_token: String,
}

#[derive(Deserialize)]
struct Fault {
    error: String,
}

/// What a provider calls an error, as far as it is a name (RFC 6749, 5.2).
pub(super) fn named(error: &str) -> String {
    let plain = |letter: &char| letter.is_ascii_alphanumeric() || *letter == '_';
    error.chars().take(MAX_ERROR).filter(plain).collect()
}

/// Of a verifier (RFC 7636, 4.2).
fn challenge(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, verifier.as_bytes()))
}

/// RFC 6749, 2.3.1: each part in the form's encoding.
fn basic(id: &str, secret: &Secret) -> String {
    let part = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    format!("Basic {}", STANDARD.encode(format!("{}:{}", part(id), part(secret.expose()))))
}

/// Whether the console may send the browser there after a sign-in: a path of its own.
pub(super) fn is_own_path(path: &str) -> bool {
    let plain = path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    // Sign-in leads to pages, not to another sign-in.
    let is_page = !["/auth/", "/api/", "/v1/"].iter().any(|other| path.starts_with(other));
    path.starts_with('/') && !path.starts_with("//") && plain && is_page && path.len() <= 1024
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_challenge_is_that_of_the_standard() {
        // RFC 7636, appendix B.
        let challenge = challenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
        assert_eq!(challenge, "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }

    #[test]
    fn only_paths_of_the_console_are_returned_to() {
        for own in ["/", "/reporting/usage?by=day", "/a#b", "/%2F%2Fx"] {
            assert!(is_own_path(own), "{own}");
        }
        let others = [
            "",
            "a",
            "//evil.test",
            "/\\evil.test",
            "https://evil.test",
            "/a\tb",
            "/\n",
            "/ä",
            "/auth/link?token=x",
        ];
        for other in others {
            assert!(!is_own_path(other), "{other}");
        }
    }

    #[test]
    fn a_providers_error_is_repeated_as_a_name_alone() {
        assert_eq!(named("access_denied"), "access_denied");
        assert_eq!(named("<b>call 555</b>"), "bcall555b");
        assert_eq!(named(&"x".repeat(1000)).len(), MAX_ERROR);
    }
}
