//! What was set up survives the process.

use serde_json::{Value, json};

use crate::support::{Gateway, Scene};

#[tokio::test]
async fn a_restart_keeps_everything() {
    let Scene { gateway, openai, acme, key, .. } = Scene::new().await;
    acme.create("connections", json!({"name": "c", "model_provider": "openai", "api_key": "sk-c"}))
        .await;
    let jwt = acme.admin.caller.secret.clone();
    let before = everything(&gateway, &jwt).await;

    let gateway = gateway.restarted().await;
    gateway.caller(&key.secret).chat("fast").await.has_status(200);
    assert_eq!(everything(&gateway, &jwt).await, before, "after an orderly end");

    let gateway = gateway.killed_and_restarted().await;
    gateway.caller(&key.secret).chat("fast").await.has_status(200);
    assert_eq!(everything(&gateway, &jwt).await, before, "after a kill");

    for call in openai.saw() {
        assert_eq!(call.header("authorization"), Some("Bearer sk-openai-vendor-key"));
    }
}

/// All that the organization has set up, as its administrator reads it.
async fn everything(gateway: &Gateway, jwt: &str) -> Vec<Value> {
    let mut all = Vec::new();
    for kind in ["connections", "providers", "model-mappings", "api-keys"] {
        let path = format!("/api/llm-gateway/admin/{kind}");
        all.push(gateway.caller(jwt).get(&path).await.has_status(200).json());
    }
    all
}
