//! Vertex AI: the project and location in the path, an access token of the chosen identity.

use serde_json::{Value, json};

use super::answers;
use crate::support::{Gateway, GatewayBuilder, MockCloud, MockVendor, Org, Provider, operations};

const PLACE: &str = "/v1/projects/p-1/locations/europe-west1/publishers";

/// With the mock as Google's metadata server, token endpoint and IAM credentials API.
fn at_google(google: &MockCloud) -> GatewayBuilder {
    google.says("/computeMetadata/", 200, token("canary-platform-token"));
    google.says("/token", 200, token("canary-account-token"));
    google.says(
        "/v1/projects/-/serviceAccounts/",
        200,
        json!({"accessToken": "canary-target-token", "expireTime": "2099-01-01T00:00:00Z"}),
    );
    Gateway::configured()
        .env("GCE_METADATA_HOST", google.address())
        .env("HOME", "/nonexistent")
        .set("google.iam_credentials_url", google.url())
        .set("upstream.trusted_hosts", r#"["127.0.0.1"]"#)
}

fn token(token: &str) -> Value {
    json!({"access_token": token, "expires_in": 3599, "token_type": "Bearer"})
}

fn private_key() -> String {
    rcgen::KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).unwrap().serialize_pem()
}

async fn vertex(org: &Org, name: &str, vendor: &MockVendor, family: &str, more: Value) -> Provider {
    let settings =
        json!({"project_id": "p-1", "location": "europe-west1", "model_api_family": family});
    let model =
        if family == "vertex_gemini" { "gemini-3.5-flash" } else { "claude-haiku-4-5@20251001" };
    let provider = org
        .provider(name)
        .vendor("vertex")
        .at(vendor)
        .model(model)
        .with(json!({"api_key": null, "settings": settings}))
        .with(more)
        .await;
    org.alias(name, &[(&provider, model)]).await;
    provider
}

fn asked(google: &MockCloud, path: &str) -> usize {
    google.asked().iter().filter(|asked| asked.path.starts_with(path)).count()
}

#[tokio::test]
async fn each_identity_has_its_token_fetched_once_for_many_requests() {
    let (google, vendor) = (MockCloud::start().await, MockVendor::start().await);
    vendor.always(answers::gemini());
    let gateway = at_google(&google).start().await;
    let acme = gateway.org("acme");
    let account = json!({"auth_type": "google_service_account", "credentials": {
        "client_email": "robot@p-1.iam.gserviceaccount.com", "private_key": private_key(),
        "token_uri": format!("{}/token", google.url()),
    }});
    let target = json!({"auth_type": "google_impersonation",
        "credentials": {"target_service_account": "target@p-1.iam.gserviceaccount.com"}});
    for (name, more, bearer) in [
        ("own", json!({"auth_type": "google_adc"}), "Bearer canary-platform-token"),
        ("key", account, "Bearer canary-account-token"),
        ("target", target, "Bearer canary-target-token"),
    ] {
        vertex(&acme, name, &vendor, "vertex_gemini", more).await;
        let key = acme.key().await;
        let asks = (0..8).map(|_| std::future::IntoFuture::into_future(key.chat(name)));
        for answer in futures_util::future::join_all(asks).await {
            answer.has_status(200);
        }
        let call = vendor.saw().pop().unwrap();
        assert_eq!(call.path, format!("{PLACE}/google/models/gemini-3.5-flash:generateContent"));
        assert_eq!(call.header("authorization"), Some(bearer), "{name}");
        for absent in ["x-goog-api-key", "x-goog-user-project", "anthropic-version"] {
            assert_eq!(call.header(absent), None, "{absent}");
        }
    }
    assert_eq!(asked(&google, "/computeMetadata/"), 1);
    assert_eq!(asked(&google, "/token"), 1);
    let impersonated = "/v1/projects/-/serviceAccounts/target@p-1.iam.gserviceaccount.com:generate";
    assert_eq!(asked(&google, impersonated), 1);
    assert!(!gateway.log().join("\n").contains("canary"));
}

#[tokio::test]
async fn the_file_that_the_environment_names_is_the_gateways_identity() {
    let (google, vendor) = (MockCloud::start().await, MockVendor::start().await);
    vendor.always(answers::gemini());
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("adc.json");
    let content = json!({
        "type": "service_account", "client_email": "gateway@p.iam.gserviceaccount.com",
        "private_key": private_key(), "token_uri": format!("{}/token", google.url()),
    });
    std::fs::write(&file, content.to_string()).unwrap();
    let builder = at_google(&google).env("GOOGLE_APPLICATION_CREDENTIALS", file.display());
    let gateway = builder.start().await;
    let acme = gateway.org("acme");
    vertex(&acme, "own", &vendor, "vertex_gemini", json!({"auth_type": "google_adc"})).await;
    acme.key().await.chat("own").await.has_status(200);
    let call = vendor.saw_one();
    assert_eq!(call.header("authorization"), Some("Bearer canary-account-token"));
    assert_eq!(asked(&google, "/computeMetadata/"), 0);
}

#[tokio::test]
async fn claude_on_vertex_is_asked_by_raw_prediction() {
    let (google, vendor) = (MockCloud::start().await, MockVendor::start().await);
    vendor.always(answers::claude());
    let gateway = at_google(&google).start().await;
    let acme = gateway.org("acme");
    vertex(&acme, "smart", &vendor, "anthropic_messages", json!({"auth_type": "google_adc"})).await;
    let caller = acme
        .key()
        .await
        .with("anthropic-version", "2023-06-01")
        .with("anthropic-beta", "oauth-2025-04-20, context-1m-2025-08-07");
    let body = operations::MESSAGES.body("smart");
    caller.post("/v1/messages", body).await.has_status(200);
    let call = vendor.saw_one();
    assert_eq!(call.path, format!("{PLACE}/anthropic/models/claude-haiku-4-5@20251001:rawPredict"));
    let known = Some("context-1m-2025-08-07");
    assert_eq!((call.header("anthropic-version"), call.header("anthropic-beta")), (None, known));
    assert_eq!(call.json()["anthropic_version"], "vertex-2023-10-16");

    caller.post("/v1/messages", operations::MESSAGES.stream_body("smart")).await;
    let call = vendor.saw().pop().unwrap();
    assert_eq!(
        call.path,
        format!("{PLACE}/anthropic/models/claude-haiku-4-5@20251001:streamRawPredict")
    );
}

#[tokio::test]
async fn a_token_that_is_refused_fails_over_without_googles_words() {
    let (google, vendor) = (MockCloud::start().await, MockVendor::start().await);
    let fallback = MockVendor::start().await;
    let gateway = at_google(&google).start().await;
    google.says(
        "/v1/projects/-/serviceAccounts/",
        403,
        json!({"error": {"code": 403, "message": "canary: permission denied on t@p", "status": "X"}}),
    );
    let acme = gateway.org("acme");
    let target = json!({"auth_type": "google_impersonation",
        "credentials": {"target_service_account": "target@p-1.iam.gserviceaccount.com"}});
    let provider = vertex(&acme, "alone", &vendor, "vertex_gemini", target).await;
    let second = acme.provider("second").at(&fallback).model("gpt-4o").await;
    acme.alias("both", &[(&provider, "gemini-3.5-flash"), (&second, "gpt-4o")]).await;
    let key = acme.key().await;
    key.chat("both").await.has_status(200);
    let answer = key.chat("alone").await.has_status(502);
    let attempt = answer.openai_error()["attempts"][0].clone();
    assert_eq!(attempt["error_type"], "auth_failed");
    assert!(!answer.text().contains("canary"), "{}", answer.tell());
    assert!(vendor.saw().is_empty());
}

#[tokio::test]
async fn the_gateways_own_identity_is_shown_to_no_host_that_is_no_longer_trusted() {
    let (google, vendor) = (MockCloud::start().await, MockVendor::start().await);
    let builder = at_google(&google);
    let mut first = builder.clone().start().await;
    let acme = first.org("acme");
    vertex(&acme, "own", &vendor, "vertex_gemini", json!({"auth_type": "google_adc"})).await;
    let key = acme.key().await.secret;
    first.ask_to_end();
    first.ended().await;
    let gateway = builder.set("upstream.trusted_hosts", "[]").start().await;
    let answer = gateway.caller(&key).chat("own").await.has_status(502);
    assert!(answer.text().contains("upstream.trusted_hosts"), "{}", answer.tell());
    assert!(vendor.saw().is_empty() && google.asked().is_empty());
}
