//! Model access: allow and deny lists, refused in words and left out of listings.

use serde_json::{Value, json};

use crate::support::{Caller, Gateway, MockVendor, Scene, TwoRoutes};

async fn listed(key: &Caller) -> Vec<String> {
    let list = key.get("/v1/models").await.has_status(200).json();
    let models = list["data"].as_array().unwrap().iter();
    models.map(|model| model["id"].as_str().unwrap().to_owned()).collect()
}

fn policy(kind: &str, targets: &Value) -> Value {
    json!({"name": kind, "policy_type": kind, "scope_type": "org", "targets": targets})
}

#[tokio::test]
async fn a_denied_model_is_refused_and_not_listed() {
    let scene = Scene::new().await;
    let targets = json!([{"kind": "model_alias", "alias": "fa*"}]);
    scene.acme.create("model-access", policy("denylist", &targets)).await;
    let error = scene.key.chat("fast").await.has_status(403).openai_error();
    assert_eq!(error["message"], "model 'fast' is not allowed for this caller");
    assert_eq!((&error["code"], &error["param"]), (&json!("model_not_allowed"), &json!("model")));
    let message = r#"{"model":"fast","max_tokens":5,"messages":[{"role":"user","content":"Hi"}]}"#;
    let answer = scene.key.post("/v1/messages", message).await.has_status(403);
    assert_eq!(answer.anthropic_error()["type"], "permission_error");
    scene.openai.saw_nothing();
    let models = listed(&scene.key).await;
    assert!(!models.contains(&"fast".to_owned()) && models.contains(&"smart".to_owned()));
    scene.key.get("/v1/models/fast").await.has_status(404);
    let own = scene.acme.get("/user/models").await.has_status(200).json();
    assert!(own.as_array().unwrap().iter().all(|model| model["id"] != "fast"), "{own}");
}

#[tokio::test]
async fn a_denied_model_of_a_provider_is_refused_however_the_provider_is_written() {
    let scene = Scene::new().await;
    let targets = json!([{"kind": "model_alias", "alias": "openai/gpt-4o"}]);
    scene.acme.create("model-access", policy("denylist", &targets)).await;
    for name in ["openai/gpt-4o", "OpenAI/gpt-4o", "OPENAI/gpt-4o"] {
        scene.key.chat(name).await.has_status(403);
    }
    assert!(!listed(&scene.key).await.contains(&"openai/gpt-4o".to_owned()));
    scene.openai.saw_nothing();
}

#[tokio::test]
async fn a_denied_slug_of_a_vendor_is_the_provider_that_it_means() {
    let gateway = Gateway::start().await;
    let vendor = MockVendor::start().await;
    let acme = gateway.org("acme");
    acme.provider("prod").vendor("groq").at(&vendor).model("llama").await;
    let targets = json!([{"kind": "model_alias", "alias": "groq/*"}]);
    acme.create("model-access", policy("denylist", &targets)).await;
    let key = acme.key().await;
    for name in ["groq/llama", "prod/llama", "Prod/llama", "GROQ/llama"] {
        key.chat(name).await.has_status(403);
    }
    vendor.saw_nothing();
}

#[tokio::test]
async fn an_allowlist_is_all_that_may_be_used() {
    let scene = Scene::new().await;
    let targets = json!([{"kind": "model", "model": "gpt-4*"}]);
    scene.acme.create("model-access", policy("allowlist", &targets)).await;
    scene.key.chat("fast").await.has_status(200);
    scene.key.chat("openai/gpt-4o").await.has_status(200);
    scene.key.chat("smart").await.has_status(403);
    assert_eq!(listed(&scene.key).await, ["fast", "openai/gpt-4o"]);
}

#[tokio::test]
async fn a_denied_provider_takes_its_routes_out_of_every_alias() {
    let scene = TwoRoutes::new().await;
    let targets = json!([{"kind": "provider", "provider_id": scene.first_provider.id}]);
    scene.acme.create("model-access", policy("denylist", &targets)).await;
    let answer = scene.key.chat("fast").await.has_status(200);
    assert_eq!(answer.header("x-bd-provider-route-attempt"), Some("2"));
    scene.key.chat("first/gpt-4o").await.has_status(403);
    scene.first.saw_nothing();
}

#[tokio::test]
async fn lists_hold_for_those_whom_they_are_about() {
    let scene = Scene::new().await;
    let mut body = policy("denylist", &json!([{"kind": "model_alias", "alias": "fast"}]));
    body["scope_type"] = json!("group");
    body["scope_value"] = json!("interns");
    let row = scene.acme.create("model-access", body).await;
    let interns = scene.acme.key_with(json!({"name": "i", "group_name": "interns"})).await;
    interns.chat("fast").await.has_status(403);
    scene.key.chat("fast").await.has_status(200);
    let path = format!("/admin/model-access/{}", row["id"].as_str().unwrap());
    scene.acme.put(&path, json!({"enabled": false})).await.has_status(200);
    interns.chat("fast").await.has_status(200);
}

#[tokio::test]
async fn a_used_up_limit_answers_before_a_denial_does() {
    let scene = Scene::new().await;
    let targets = json!([{"kind": "model_alias", "alias": "fast"}]);
    scene.acme.create("model-access", policy("denylist", &targets)).await;
    let none = json!({"name": "none", "scope_type": "org", "requests_per_minute": 0});
    scene.acme.create("rate-limits", none).await;
    scene.key.chat("fast").await.has_status(429);
}
