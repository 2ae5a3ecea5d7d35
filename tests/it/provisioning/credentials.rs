//! Connections: reusable credentials.

use serde_json::json;

use crate::support::{Gateway, MockVendor};

#[tokio::test]
async fn a_credential_is_created_read_listed_changed_and_deleted_without_its_secret() {
    let gateway = Gateway::start().await;
    let acme = gateway.org("acme");
    let made = acme
        .create(
            "connections",
            json!({"name": "shared", "model_provider": "openai",
            "auth_type": "api_key", "base_url": "https://vendor.test/v1", "api_key": "sk-secret"}),
        )
        .await;
    let id = made["id"].as_str().unwrap().to_owned();
    assert_eq!(made["name"], "shared");
    assert_eq!(made["model_provider"], "openai");
    assert_eq!(made["auth_type"], "api_key");
    assert_eq!(made["base_url"], "https://vendor.test/v1", "it is echoed as given");
    assert_eq!(made["settings"], json!({}));
    for field in ["org_id", "created_at", "updated_at"] {
        assert!(made[field].is_string(), "{field} in {made}");
    }
    for field in ["api_key", "credentials", "sealed"] {
        assert!(made.get(field).is_none(), "{field} in {made}");
    }

    let path = format!("/admin/connections/{id}");
    assert_eq!(acme.get(&path).await.has_status(200).json(), made);
    assert_eq!(acme.get("/admin/connections").await.has_status(200).json(), json!([made]));

    let changed = acme.put(&path, json!({"name": "renamed"})).await.has_status(200).json();
    assert_eq!(changed["name"], "renamed");
    assert_eq!(changed["base_url"], made["base_url"], "what is absent is kept");

    let deleted = acme.delete(&path).await.has_status(200).json();
    assert_eq!(deleted, json!({"deleted": true}));
    acme.get(&path).await.refusal(404, "NotFound");
    acme.delete(&path).await.refusal(404, "NotFound");
}

#[tokio::test]
async fn names_of_credentials_are_unique_within_the_organization() {
    let gateway = Gateway::start().await;
    let (acme, globex) = (gateway.org("acme"), gateway.org("globex"));
    let body = json!({"name": "shared", "model_provider": "openai", "api_key": "sk-1"});
    acme.create("connections", body.clone()).await;
    acme.post("/admin/connections", body.clone()).await.refusal(409, "Conflict");
    globex.create("connections", body).await;
}

#[tokio::test]
async fn what_a_credential_lacks_is_named() {
    let gateway = Gateway::start().await;
    let acme = gateway.org("acme");
    let refused =
        async |body| acme.post("/admin/connections", body).await.refusal(400, "BadRequest");

    let message = refused(json!({"name": "x", "model_provider": "nobody", "api_key": "k"})).await;
    assert!(message.starts_with("unknown model provider: nobody; model_provider"), "{message}");
    let message =
        refused(json!({"name": "x", "model_provider": "openai", "api_key": "k", "settings": []}))
            .await;
    assert!(message.contains("settings must be a JSON object"), "{message}");
    let message = refused(json!({"model_provider": "openai", "api_key": "k"})).await;
    assert!(message.contains("name"), "{message}");
    let message = refused(json!({"name": "", "model_provider": "openai", "api_key": "k"})).await;
    assert!(message.contains("name"), "{message}");
    let message = refused(
        json!({"name": "x", "model_provider": "openai", "api_key": "k", "base_url": "no url"}),
    )
    .await;
    assert!(message.contains("base_url"), "{message}");
    let message = refused(json!({"name": "x", "model_provider": "openai"})).await;
    assert!(message.contains("api_key"), "{message}");
}

#[tokio::test]
async fn unreadable_bodies_and_ids_are_bad_requests_in_the_flat_shape() {
    let gateway = Gateway::start().await;
    let acme = gateway.org("acme");
    let path = "/api/llm-gateway/admin/connections";
    acme.admin.caller.post(path, "{\"name\": ").await.refusal(400, "BadRequest");
    acme.admin.caller.post(path, "[1]").await.refusal(400, "BadRequest");
    let message = acme.get("/admin/connections/not-a-uuid").await.refusal(400, "BadRequest");
    assert!(message.contains("UUID parsing failed"), "{message}");
}

#[tokio::test]
async fn many_providers_share_a_credential_and_its_rotation_reaches_them_all_at_once() {
    let gateway = Gateway::start().await;
    let acme = gateway.org("acme");
    let vendor = MockVendor::start().await;
    let connection = acme
        .create(
            "connections",
            json!({"name": "shared", "model_provider": "openai",
            "base_url": vendor.url(), "api_key": "sk-before"}),
        )
        .await;
    for name in ["one", "two"] {
        acme.create("providers", json!({"name": name, "model_provider": "openai",
            "connection_id": connection["id"], "models": ["gpt-4o"], "enforce_health_check": false}))
            .await;
    }
    let key = acme.key().await;
    for model in ["one/gpt-4o", "two/gpt-4o"] {
        key.chat(model).await.has_status(200);
    }
    let path = format!("/admin/connections/{}", connection["id"].as_str().unwrap());
    acme.put(&path, json!({"api_key": "sk-after"})).await.has_status(200);
    for model in ["one/gpt-4o", "two/gpt-4o"] {
        key.chat(model).await.has_status(200);
    }
    let sent: Vec<_> =
        vendor.saw().iter().map(|call| call.header("authorization").unwrap().to_owned()).collect();
    assert_eq!(
        sent,
        ["Bearer sk-before", "Bearer sk-before", "Bearer sk-after", "Bearer sk-after"]
    );
}

#[tokio::test]
async fn a_credential_that_a_provider_uses_is_not_deleted_from_under_it() {
    let gateway = Gateway::start().await;
    let acme = gateway.org("acme");
    let connection = acme
        .create(
            "connections",
            json!({"name": "shared", "model_provider": "openai", "api_key": "sk-1",
            "base_url": "https://vendor.test"}),
        )
        .await;
    acme.create(
        "providers",
        json!({"name": "one", "model_provider": "openai",
        "connection_id": connection["id"], "enforce_health_check": false}),
    )
    .await;
    let path = format!("/admin/connections/{}", connection["id"].as_str().unwrap());
    acme.delete(&path).await.refusal(409, "Conflict");
}
