//! `/admin/connections`

use serde_json::{Value, json};

use super::desk::{Client, Desk, id};
use crate::domain::{CredentialId, OrgId};

const PATH: &str = "/admin/connections";

fn openai(name: &str) -> Value {
    json!({"name": name, "model_provider": "openai", "api_key": "sk-very-secret"})
}

/// What is sealed in the store, opened.
async fn stored_key(client: &Client<'_>, row: &Value) -> Option<String> {
    let org = OrgId(row["org_id"].as_str().unwrap().parse().unwrap());
    let id = CredentialId(row["id"].as_str().unwrap().parse().unwrap());
    let mut tx = client.desk.store.read().await.unwrap();
    let sealed = tx.connection(org, id).await.unwrap().unwrap().sealed?;
    let plain = client.desk.keyring.open(org, id.0, "credentials", &sealed).unwrap();
    let plain: Value = serde_json::from_slice(&plain).unwrap();
    Some(plain["api_key"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn a_credential_is_made_read_changed_and_deleted() {
    let desk = Desk::open().await;
    let acme = desk.admin("acme").await;
    let made = acme.post(PATH, openai("main")).await.ok();
    assert_eq!(made["model_provider"], "openai");
    assert_eq!(made["auth_type"], "api_key");
    assert_eq!(made["base_url"], "https://api.openai.com");
    assert_eq!(made["settings"], json!({}));
    assert_eq!(acme.get(PATH).await.ok(), json!([made]));

    let path = format!("{PATH}/{}", id(&made));
    assert_eq!(acme.get(&path).await.ok(), made);
    let base_url = "https://proxy.example/v1/";
    let changed = acme.put(&path, json!({"base_url": base_url, "name": null})).await.ok();
    assert_eq!(changed["base_url"], base_url);
    assert_eq!(changed["name"], "main");
    assert_eq!(acme.delete(&path).await.ok(), json!({"deleted": true}));
    acme.get(&path).await.refused(404, "NotFound");
    acme.delete(&path).await.refused(404, "NotFound");
}

#[tokio::test]
async fn the_key_is_sealed_and_in_no_answer() {
    let desk = Desk::open().await;
    let acme = desk.admin("acme").await;
    let made = acme.post(PATH, openai("main")).await.ok();
    let path = format!("{PATH}/{}", id(&made));
    for body in [&made, &acme.get(PATH).await.ok(), &acme.get(&path).await.ok()] {
        assert!(!body.to_string().contains("sk-very-secret"), "{body}");
    }
    assert_eq!(stored_key(&acme, &made).await.as_deref(), Some("sk-very-secret"));
}

#[tokio::test]
async fn a_key_in_an_update_rotates_and_null_keeps() {
    let desk = Desk::open().await;
    let acme = desk.admin("acme").await;
    let made = acme.post(PATH, openai("main")).await.ok();
    let path = format!("{PATH}/{}", id(&made));
    acme.put(&path, json!({"api_key": null})).await.ok();
    assert_eq!(stored_key(&acme, &made).await.as_deref(), Some("sk-very-secret"));
    acme.put(&path, json!({"api_key": "sk-2"})).await.ok();
    assert_eq!(stored_key(&acme, &made).await.as_deref(), Some("sk-2"));
    acme.put(&path, json!({"credentials": {"api_key": "sk-3"}})).await.ok();
    assert_eq!(stored_key(&acme, &made).await.as_deref(), Some("sk-3"));
    acme.put(&path, json!({"api_key": ""})).await.refused(400, "BadRequest");
    assert_eq!(stored_key(&acme, &made).await.as_deref(), Some("sk-3"));
}

#[tokio::test]
async fn a_vendor_without_key_needs_none_but_an_address() {
    let desk = Desk::open().await;
    let acme = desk.admin("acme").await;
    let custom = json!({"name": "c", "model_provider": "custom", "base_url": "http://vllm:8000"});
    let made = acme.post(PATH, custom).await.ok();
    assert_eq!(stored_key(&acme, &made).await, None);
    let message = acme
        .post(PATH, json!({"name": "d", "model_provider": "custom"}))
        .await
        .refused(400, "BadRequest");
    assert!(message.contains("base_url is required"), "{message}");
}

#[tokio::test]
async fn what_is_wrong_is_told_with_the_remedy() {
    let desk = Desk::open().await;
    let acme = desk.admin("acme").await;
    let long = format!("https://host/{}", "a".repeat(2048));
    let cases = [
        (json!({"api_key": null}), "api_key is required for API-key auth providers"),
        (json!({"api_key": ""}), "api_key is required for API-key auth providers"),
        (json!({"api_key": "sk-1\n"}), "without spaces or line breaks"),
        (json!({"settings": []}), "settings must be a JSON object"),
        (json!({"settings": "x"}), "settings must be a JSON object"),
        (json!({"name": " "}), "name must not be empty"),
        (json!({"name": "a\u{0}b"}), "name must not contain control characters"),
        (json!({"model_provider": "nope"}), "unknown model provider: nope"),
        (
            json!({"model_provider": "azure_foundry"}),
            "not supported by this version; supported are",
        ),
        (json!({"auth_type": "aws_role"}), "not one of openai's, which are: api_key"),
        (json!({"auth_type": "codex_oauth"}), "not supported by this version; openai takes"),
        (json!({"auth_type": "nope"}), "unknown auth_type 'nope'"),
        (json!({"base_url": "ftp://x"}), "base_url must begin with https:// or http://"),
        (json!({"base_url": "nonsense"}), "base_url must be an absolute URL"),
        (json!({"base_url": ""}), "base_url must be an absolute URL"),
        (json!({"base_url": "https://u:p@host"}), "base_url must not contain a user name"),
        (json!({"base_url": "https://host?a=b"}), "base_url must not contain a query"),
        (json!({"base_url": "https://host/#f"}), "base_url must not contain a query"),
        (json!({"base_url": " https://host"}), "base_url must not contain spaces"),
        // What the data plane could not use would be a provider without effect.
        (json!({"base_url": "https://host:0"}), "base_url must not have port 0"),
        (json!({"base_url": "https:\\\\host"}), "base_url must not contain spaces, control"),
        (json!({"base_url": long}), "base_url must be at most 2048 bytes"),
    ];
    for (change, expected) in cases {
        let mut body = openai("main");
        for (field, value) in change.as_object().unwrap() {
            body[field] = value.clone();
        }
        let message = acme.post(PATH, body).await.refused(400, "BadRequest");
        assert!(message.contains(expected), "{change}: {message}");
    }
    assert_eq!(acme.get(PATH).await.ok(), json!([]));
}

#[tokio::test]
async fn both_vocabularies_of_auth_types_are_echoed_as_written() {
    let desk = Desk::open().await;
    let acme = desk.admin("acme").await;
    for auth_type in ["api_key", "bearer_api_key", "x_api_key"] {
        let mut body = openai(auth_type);
        body["auth_type"] = json!(auth_type);
        assert_eq!(acme.post(PATH, body).await.ok()["auth_type"], auth_type);
    }
}

#[tokio::test]
async fn a_name_is_taken_once_per_organization() {
    let desk = Desk::open().await;
    let acme = desk.admin("acme").await;
    acme.post(PATH, openai("main")).await.ok();
    let other = acme.post(PATH, openai("other")).await.ok();
    let message = acme.post(PATH, openai("main")).await.refused(409, "Conflict");
    assert!(message.contains("'main' already exists"), "{message}");
    let path = format!("{PATH}/{}", id(&other));
    acme.put(&path, json!({"name": "main"})).await.refused(409, "Conflict");
    desk.admin("evil").await.post(PATH, openai("main")).await.ok();
}

#[tokio::test]
async fn a_credential_in_use_is_not_deleted_and_its_users_are_named() {
    let desk = Desk::open().await;
    let acme = desk.admin("acme").await;
    let shared = id(&acme.post(PATH, openai("main")).await.ok());
    let body = json!({"name": "eu-west", "model_provider": "openai", "connection_id": shared});
    let provider = id(&acme.post("/admin/providers", body).await.ok());
    let path = format!("{PATH}/{shared}");
    let message = acme.delete(&path).await.refused(409, "Conflict");
    assert!(message.contains("eu-west"), "{message}");
    acme.delete(&format!("/admin/providers/{provider}")).await.ok();
    acme.delete(&path).await.ok();
}

#[tokio::test]
async fn the_vendor_of_a_credential_cannot_change() {
    let desk = Desk::open().await;
    let acme = desk.admin("acme").await;
    let path = format!("{PATH}/{}", id(&acme.post(PATH, openai("main")).await.ok()));
    acme.put(&path, json!({"model_provider": "openai"})).await.ok();
    acme.put(&path, json!({"model_provider": "groq"})).await.refused(400, "BadRequest");
}
