//! Against a server that answers as Google's do. The gateway's own identity is put in its place:
//! the environment is the whole process's.

use std::sync::Mutex;

use axum::{Router, extract::State, response::IntoResponse as _, routing::any};
use http::{StatusCode, Uri};
use serde_json::{Value, json};

use super::*;
use crate::net::{AddressPolicy, Resolver};

#[derive(Clone, Default)]
struct Server {
    answers: Arc<Mutex<Vec<(u16, String)>>>,
    seen: Arc<Mutex<Vec<(String, String, String)>>>,
}

impl Server {
    async fn start(&self) -> String {
        let app = Router::new().fallback(any(answer)).with_state(self.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, app).await });
        format!("http://{address}")
    }

    fn then(&self, status: u16, body: &Value) -> &Self {
        self.answers.lock().unwrap().push((status, body.to_string()));
        self
    }

    /// Path, authorization and body of every request.
    fn seen(&self) -> Vec<(String, String, String)> {
        self.seen.lock().unwrap().clone()
    }
}

async fn answer(
    State(server): State<Server>,
    uri: Uri,
    headers: http::HeaderMap,
    body: String,
) -> axum::response::Response {
    let token = headers.get(header::AUTHORIZATION).map(|value| value.to_str().unwrap().to_owned());
    server.seen.lock().unwrap().push((uri.to_string(), token.unwrap_or_default(), body));
    let mut answers = server.answers.lock().unwrap();
    let (status, body) = if answers.is_empty() { (599, String::new()) } else { answers.remove(0) };
    (StatusCode::from_u16(status).unwrap(), body).into_response()
}

fn fetcher() -> Fetcher {
    let second = Duration::from_secs(1);
    Fetcher::new(AddressPolicy::default(), Resolver::default(), second, None).unwrap()
}

/// With an identity of its own, whose token is `platform-token`.
async fn google(iam: &str) -> Google {
    let google = Google::new(fetcher(), fetcher(), iam.to_owned());
    let own = google.0.tokens.get_with(Identity::Adc, Arc::default);
    let hour = Duration::from_secs(3600);
    let token = Secret::new("platform-token".to_owned());
    own.get(move || async move { Ok((token, hour)) }).await.unwrap();
    google
}

fn impersonated() -> Identity {
    Identity::Impersonation("robot@p.iam.gserviceaccount.com".to_owned())
}

fn account(token_uri: String) -> Identity {
    Identity::ServiceAccount(ServiceAccount {
        client_email: "robot@p.iam.gserviceaccount.com".to_owned(),
        private_key: Secret::new(crate::cloud::google::assertion::testing::pem()),
        token_uri,
    })
}

fn model(base_url: &str, family: Family) -> VertexModel {
    VertexModel {
        base_url: base_url.to_owned(),
        project: "p-1".to_owned(),
        location: "us-central1".to_owned(),
        family,
        model: "m-1".to_owned(),
    }
}

#[tokio::test]
async fn a_service_account_is_impersonated_with_the_gateways_own_token() {
    let iam = Server::default();
    iam.then(200, &json!({"accessToken": "theirs", "expireTime": "2099-01-01T00:00:00Z"}));
    let google = google(&iam.start().await).await;
    for _ in 0..2 {
        assert_eq!(google.token(&impersonated()).await.unwrap().expose(), "theirs");
    }
    let seen = iam.seen();
    assert_eq!(seen.len(), 1, "the token is kept");
    assert_eq!(
        seen[0].0,
        "/v1/projects/-/serviceAccounts/robot@p.iam.gserviceaccount.com:generateAccessToken"
    );
    assert_eq!(seen[0].1, "Bearer platform-token");
    assert!(seen[0].2.contains("https://www.googleapis.com/auth/cloud-platform"));
}

#[tokio::test]
async fn a_service_accounts_key_is_exchanged_at_its_token_endpoint() {
    let server = Server::default();
    server.then(200, &json!({"access_token": "t", "expires_in": 3599, "token_type": "Bearer"}));
    let url = server.start().await;
    let google = google(&url).await;
    let token = google.token(&account(format!("{url}/token"))).await.unwrap();
    assert_eq!(token.expose(), "t");
    let (path, authorization, body) = server.seen().remove(0);
    assert_eq!((path.as_str(), authorization.as_str()), ("/token", ""));
    assert!(body.starts_with(
        "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=ey"
    ));
}

#[tokio::test]
async fn validation_gets_a_token_anew_and_asks_the_model() {
    for (family, path) in [
        (
            Family::Gemini,
            "/v1/projects/p-1/locations/us-central1/publishers/google/models/m-1:countTokens",
        ),
        (
            Family::Anthropic,
            "/v1/projects/p-1/locations/us-central1/publishers/anthropic/models/m-1:rawPredict",
        ),
    ] {
        let server = Server::default();
        let made = json!({"accessToken": "theirs", "expireTime": "2099-01-01T00:00:00Z"});
        server.then(200, &made).then(200, &json!({"totalTokens": 1}));
        let url = server.start().await;
        let google = google(&url).await;
        google.validate(&impersonated(), &model(&url, family)).await.unwrap();
        let seen = server.seen();
        assert_eq!((seen[1].0.as_str(), seen[1].1.as_str()), (path, "Bearer theirs"));
    }
}

#[tokio::test]
async fn a_refusal_at_either_step_is_told_in_googles_own_words() {
    let server = Server::default();
    let url = server.start().await;
    let google = google(&url).await;
    server.then(
        400,
        &json!({"error": "invalid_grant", "error_description": "Invalid JWT Signature."}),
    );
    let target = model(&url, Family::Gemini);
    let refused = google.validate(&account(format!("{url}/token")), &target).await;
    assert_eq!(refused, Err(CloudError::Vendor("Invalid JWT Signature.".to_owned())));
    assert_eq!(server.seen().len(), 1, "the model is not asked without a token");

    let made = json!({"accessToken": "theirs", "expireTime": "2099-01-01T00:00:00Z"});
    let denied =
        json!({"error": {"code": 403, "message": "Permission denied on p-1.", "status": "X"}});
    server.then(200, &made).then(403, &denied);
    let refused = google.validate(&impersonated(), &target).await;
    assert_eq!(refused, Err(CloudError::Vendor("Permission denied on p-1.".to_owned())));
}

#[tokio::test]
async fn an_answer_that_is_no_token_is_not_repeated() {
    let server = Server::default();
    let url = server.start().await;
    let google = google(&url).await;
    for (status, body) in
        [(200, json!({"canary": 1})), (200, json!("canary")), (302, json!("canary"))]
    {
        server.then(status, &body);
        let error = google.token(&account(format!("{url}/token"))).await.map(|_| ()).unwrap_err();
        assert!(matches!(&error, CloudError::Own(words) if !words.contains("canary")), "{error}");
    }
}
