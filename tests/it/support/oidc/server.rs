//! The provider's server.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    extract::{Request, State},
    response::{IntoResponse as _, Response},
};
use serde_json::{Value, json};

use super::{Forge, SigningKey, now, sign_in::SignIns};

/// For whom its tokens are.
const AUDIENCE: &str = "https://turnpike.test";

/// A provider that runs until the test ends.
#[derive(Clone)]
pub struct OpenIdProvider {
    address: SocketAddr,
    state: Arc<Mutex<Behaviour>>,
}

struct Behaviour {
    /// The key that signs, and further ones that are published.
    keys: Vec<SigningKey>,
    /// In place of the published keys.
    document: Option<Value>,
    /// The issuer in the discovery document, where it is another.
    calls_itself: Option<String>,
    status: u16,
    delay: Duration,
    asked: Vec<String>,
    sign_ins: SignIns,
}

impl OpenIdProvider {
    /// One with a single RSA key.
    pub async fn start() -> Self {
        Self::with(SigningKey::new("first", "RS256")).await
    }

    /// One with this key.
    pub async fn with(key: SigningKey) -> Self {
        let behaviour = Behaviour {
            keys: vec![key],
            document: None,
            calls_itself: None,
            status: 200,
            delay: Duration::ZERO,
            asked: Vec::new(),
            sign_ins: SignIns::default(),
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let provider = Self { address, state: Arc::new(Mutex::new(behaviour)) };
        let router = Router::new().fallback(answer).with_state(provider.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        provider
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Says this in the tokens of sign-ins from now on; null leaves a claim out.
    pub fn says(&self, claim: &str, value: Value) {
        self.state.lock().unwrap().sign_ins.says.insert(claim.to_owned(), value);
    }

    /// `iss` of its tokens.
    pub fn issuer(&self) -> String {
        format!("http://{}/realms/acme", self.address)
    }

    /// Where its keys are, for those who do not ask.
    pub fn jwks_url(&self) -> String {
        format!("{}/certs", self.issuer())
    }

    /// An entry of `auth.issuers` that trusts it for these organizations.
    pub fn entry(&self, organizations: &[&str]) -> Value {
        json!({"issuer": self.issuer(), "audience": AUDIENCE, "organizations": organizations})
    }

    /// The key that signs now.
    pub fn key(&self) -> SigningKey {
        self.state.lock().unwrap().keys[0].clone()
    }

    /// Signs with that key from now on, and publishes nothing else.
    pub fn rotate(&self, key: SigningKey) {
        self.publish(&[key]);
    }

    /// Publishes these keys; the first signs.
    pub fn publish(&self, keys: &[SigningKey]) {
        self.state.lock().unwrap().keys = keys.to_vec();
    }

    /// Publishes this, whatever it is, in place of its keys.
    pub fn publish_document(&self, document: Value) {
        self.state.lock().unwrap().document = Some(document);
    }

    /// Says in its discovery document that it is someone else.
    pub fn call_itself(&self, issuer: &str) {
        self.state.lock().unwrap().calls_itself = Some(issuer.to_owned());
    }

    /// Answers everything with that status from now on.
    pub fn answer(&self, status: u16) {
        self.state.lock().unwrap().status = status;
    }

    /// Takes that long for every answer.
    pub fn take(&self, delay: Duration) {
        self.state.lock().unwrap().delay = delay;
    }

    /// The paths that it was asked for so far.
    pub fn asked(&self) -> Vec<String> {
        self.state.lock().unwrap().asked.clone()
    }

    /// How often it was asked for its keys.
    pub fn key_fetches(&self) -> usize {
        self.asked().iter().filter(|path| path.ends_with("/certs")).count()
    }

    /// A good token of an administrator of `acme`, as Keycloak makes them, to be changed and signed.
    pub fn token(&self) -> Forge {
        let claims = json!({
            "iss": self.issuer(),
            "aud": [AUDIENCE, "account"],
            "sub": "9c0b6c1e-ann",
            "email": "ann@acme.test",
            "iat": now(),
            "exp": now() + 600,
            "azp": "turnpike",
            "typ": "Bearer",
            "organization": {"acme": {"id": "6f1c1d0e-7c53-4a38-9a4e-0d4f3d2b1a00"}},
            "realm_access": {"roles": ["offline_access", "admin"]},
            "groups": ["/research", "/research/llm"],
        });
        Forge::new(&self.key(), claims)
    }

    fn discovery(&self, calls_itself: Option<&String>) -> Value {
        let issuer = calls_itself.cloned().unwrap_or_else(|| self.issuer());
        json!({
            "issuer": issuer, "jwks_uri": self.jwks_url(), "response_types_supported": ["code"],
            "authorization_endpoint": format!("{}/authorize", self.issuer()),
            "token_endpoint": format!("{}/token", self.issuer()),
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        })
    }
}

async fn answer(State(provider): State<OpenIdProvider>, request: Request) -> Response {
    let path = request.uri().path().to_owned();
    match path.as_str() {
        "/realms/acme/authorize" => {
            let query = request.uri().query().unwrap_or_default().to_owned();
            return provider.state.lock().unwrap().sign_ins.authorize(&query);
        }
        "/realms/acme/token" => {
            let usual = provider.token();
            let (head, body) = request.into_parts();
            let body = axum::body::to_bytes(body, 1 << 16).await.unwrap();
            let body = String::from_utf8(body.to_vec()).unwrap();
            return provider.state.lock().unwrap().sign_ins.token(&head.headers, &body, usual);
        }
        _ => {}
    }
    let (status, delay, body) = {
        let mut state = provider.state.lock().unwrap();
        state.asked.push(path.clone());
        let body = match path.as_str() {
            "/realms/acme/.well-known/openid-configuration" => {
                Some(provider.discovery(state.calls_itself.as_ref()))
            }
            "/realms/acme/certs" => Some(state.document.clone().unwrap_or_else(
                || json!({"keys": state.keys.iter().map(SigningKey::jwk).collect::<Vec<_>>()}),
            )),
            _ => None,
        };
        (state.status, state.delay, body)
    };
    tokio::time::sleep(delay).await;
    let status = if body.is_some() { status } else { 404 };
    let status = axum::http::StatusCode::from_u16(status).unwrap();
    (status, axum::Json(body.unwrap_or_default())).into_response()
}
