//! `/admin/providers`

use serde_json::{Value, json};
use uuid::Uuid;

use super::desk::{Desk, id};

const PATH: &str = "/admin/providers";

fn openai(name: &str) -> Value {
    json!({"name": name, "model_provider": "openai", "api_key": "sk-very-secret"})
}

#[tokio::test]
async fn a_provider_echoes_what_was_sent_and_fills_in_the_rest() {
    let desk = Desk::open().await;
    let acme = desk.admin("acme").await;
    let body = json!({
        "name": "OpenAI (US)", "model_provider": "custom", "auth_type": "bearer_api_key",
        "base_url": "https://api.openai.com/v1/", "api_key": "sk-very-secret",
        "settings": {"dialects": ["responses", "embeddings"], "own": {"a": [1, null]}},
        "enforce_health_check": false, "request_timeout_secs": 3600,
    });
    let made = acme.post(PATH, body.clone()).await.ok();
    for field in ["name", "base_url", "auth_type", "settings", "enforce_health_check"] {
        assert_eq!(made[field], body[field], "{field}");
    }
    assert_eq!(made["enabled"], true);
    assert_eq!(made["health_status"], "unverified");
    assert_eq!(made["request_timeout_secs"], 3600);
    assert_eq!(made["stream_idle_timeout_secs"], Value::Null);
    assert_eq!(made["connection_id"], Value::Null);
    assert_eq!(made["catalog_id"], Value::Null);
    assert_eq!(made.get("health_detail"), None);
    assert!(!made.to_string().contains("sk-very-secret"));
    assert_eq!(acme.get(PATH).await.ok(), json!([made]));
    assert_eq!(acme.get(&format!("{PATH}/{}", id(&made))).await.ok(), made);
}

#[tokio::test]
async fn omitted_settings_come_back_empty() {
    let desk = Desk::open().await;
    let acme = desk.admin("acme").await;
    assert_eq!(acme.post(PATH, openai("a")).await.ok()["settings"], json!({}));
    let mut body = openai("b");
    body["settings"] = Value::Null;
    assert_eq!(acme.post(PATH, body).await.ok()["settings"], json!({}));
}

#[tokio::test]
async fn models_are_enabled_in_the_same_call_each_once() {
    let desk = Desk::open().await;
    let acme = desk.admin("acme").await;
    let provider = acme.provider("p", &["gpt-4o", "gpt-4o-mini", "gpt-4o"]).await;
    let rows = acme.get(&format!("{PATH}/{provider}/model-mappings")).await.ok();
    let names = |row: &Value| (row["model_alias"].clone(), row["upstream_model"].clone());
    let names: Vec<_> = rows.as_array().unwrap().iter().map(names).collect();
    let pair = |name: &str| (json!(name), json!(name));
    assert_eq!(names, [pair("gpt-4o"), pair("gpt-4o-mini")]);
    assert_eq!(rows[0]["bare_alias"], false);
    assert_eq!(rows[0]["provider_name"], "p");
}

#[tokio::test]
async fn nothing_is_stored_when_one_model_is_wrong() {
    let desk = Desk::open().await;
    let acme = desk.admin("acme").await;
    let mut body = openai("p");
    body["models"] = json!(["m", ""]);
    let message = acme.post(PATH, body).await.refused(400, "BadRequest");
    assert!(message.contains("models[1] must not be empty"), "{message}");
    assert_eq!(acme.get(PATH).await.ok(), json!([]));
}

#[tokio::test]
async fn what_is_wrong_is_told_with_the_remedy() {
    let desk = Desk::open().await;
    let acme = desk.admin("acme").await;
    let cases = [
        (json!({"request_timeout_secs": 0}), "request_timeout_secs must be between 1 and 3600"),
        (json!({"request_timeout_secs": 3601}), "request_timeout_secs must be between 1 and 3600"),
        (json!({"request_timeout_secs": -1}), "request_timeout_secs must be between 1 and 3600"),
        (
            json!({"stream_idle_timeout_secs": 1801}),
            "stream_idle_timeout_secs must be between 1 and 1800",
        ),
        (json!({"api_key": ""}), "api_key is required for API-key auth providers"),
        (json!({"settings": 5}), "settings must be a JSON object"),
        (json!({"model_provider": "x"}), "unknown model provider: x"),
        (json!({"model_provider": "vertex"}), "not supported by this version"),
        (json!({"auth_type": "oauth_passthrough"}), "not supported by this version"),
        (json!({"credentials": {"access_key_id": "a"}, "api_key": null}), "API keys only"),
    ];
    for (change, expected) in cases {
        let mut body = openai("p");
        for (field, value) in change.as_object().unwrap() {
            body[field] = value.clone();
        }
        let message = acme.post(PATH, body).await.refused(400, "BadRequest");
        assert!(message.contains(expected), "{change}: {message}");
    }
    for dialects in [json!("embeddings"), json!([]), json!(["nope"]), json!([1])] {
        let body = json!({
            "name": "p", "model_provider": "custom", "base_url": "http://host",
            "settings": {"dialects": dialects},
        });
        let message = acme.post(PATH, body).await.refused(400, "BadRequest");
        assert!(message.contains("settings.dialects must be a list out of"), "{message}");
    }
}

#[tokio::test]
async fn an_unknown_connection_or_template_is_not_found() {
    let desk = Desk::open().await;
    let acme = desk.admin("acme").await;
    for field in ["connection_id", "catalog_id"] {
        let mut body = json!({"name": "p", "model_provider": "openai"});
        body[field] = json!(Uuid::new_v4());
        acme.post(PATH, body).await.refused(404, "NotFound");
    }
}

#[tokio::test]
async fn a_name_is_taken_whatever_its_case() {
    let desk = Desk::open().await;
    let acme = desk.admin("acme").await;
    acme.post(PATH, openai("OpenAI")).await.ok();
    acme.post(PATH, openai("openai")).await.refused(409, "Conflict");
    let other = acme.provider("other", &[]).await;
    let path = format!("{PATH}/{other}");
    acme.put(&path, json!({"name": "OPENAI"})).await.refused(409, "Conflict");
    acme.put(&path, json!({"name": "Other"})).await.ok();
}

#[tokio::test]
async fn an_update_keeps_what_it_omits_and_clears_timeouts_with_null() {
    let desk = Desk::open().await;
    let acme = desk.admin("acme").await;
    let mut body = openai("p");
    body["request_timeout_secs"] = json!(60);
    body["settings"] = json!({"a": 1});
    let made = acme.post(PATH, body).await.ok();
    let path = format!("{PATH}/{}", id(&made));

    let off = acme.put(&path, json!({"enabled": false})).await.ok();
    assert_eq!(off["enabled"], false);
    for field in ["name", "settings", "request_timeout_secs", "base_url", "created_at"] {
        assert_eq!(off[field], made[field], "{field}");
    }
    let nulls = json!({
        "name": null, "base_url": null, "auth_type": null, "api_key": null, "enabled": null,
        "settings": null, "enforce_health_check": null, "request_timeout_secs": null,
    });
    let kept = acme.put(&path, nulls).await.ok();
    assert_eq!(kept["request_timeout_secs"], Value::Null);
    for field in ["name", "settings", "enabled", "base_url", "auth_type"] {
        assert_eq!(kept[field], off[field], "{field}");
    }
    acme.put(&path, json!({"request_timeout_secs": 9999})).await.refused(400, "BadRequest");
}

#[tokio::test]
async fn a_provider_inherits_from_its_connection_and_may_override() {
    let desk = Desk::open().await;
    let acme = desk.admin("acme").await;
    let shared = json!({
        "name": "c", "model_provider": "custom", "auth_type": "bearer_api_key",
        "base_url": "https://one.example", "settings": {"dialects": ["embeddings"]},
        "api_key": "sk-1",
    });
    let shared = id(&acme.post("/admin/connections", shared).await.ok());
    let body = json!({
        "name": "p", "model_provider": "custom", "connection_id": shared,
        "settings": {"dialects": ["responses"]},
    });
    let made = acme.post(PATH, body).await.ok();
    assert_eq!(made["connection_id"], shared);
    assert_eq!(made["auth_type"], "bearer_api_key");
    assert_eq!(made["base_url"], "https://one.example");
    assert_eq!(made["settings"], json!({"dialects": ["responses"]}));

    let moved = json!({"base_url": "https://two.example"});
    acme.put(&format!("/admin/connections/{shared}"), moved).await.ok();
    let path = format!("{PATH}/{}", id(&made));
    assert_eq!(acme.get(&path).await.ok()["base_url"], "https://two.example");
}

#[tokio::test]
async fn a_provider_moves_between_inline_key_and_connection() {
    let desk = Desk::open().await;
    let acme = desk.admin("acme").await;
    let shared = json!({
        "name": "c", "model_provider": "openai", "base_url": "https://eu.example",
        "api_key": "sk-1",
    });
    let shared = id(&acme.post("/admin/connections", shared).await.ok());
    let path = format!("{PATH}/{}", acme.provider("p", &[]).await);

    let bound = acme.put(&path, json!({"connection_id": shared})).await.ok();
    assert_eq!(bound["base_url"], "https://eu.example");
    let message = acme.put(&path, json!({"api_key": "sk-2"})).await.refused(400, "BadRequest");
    assert!(message.contains("exclude each other"), "{message}");
    let message = acme.put(&path, json!({"connection_id": null})).await.refused(400, "BadRequest");
    assert!(message.contains("api_key is required"), "{message}");
    let detached = json!({"connection_id": null, "api_key": "sk-2"});
    let detached = acme.put(&path, detached).await.ok();
    assert_eq!(detached["connection_id"], Value::Null);
    assert_eq!(detached["base_url"], "https://eu.example");
    acme.delete(&format!("/admin/connections/{shared}")).await.ok();
    assert_eq!(acme.get(&path).await.ok()["base_url"], "https://eu.example");
}

#[tokio::test]
async fn a_connection_of_another_vendor_or_beside_a_key_is_refused() {
    let desk = Desk::open().await;
    let acme = desk.admin("acme").await;
    let shared = id(&acme.post("/admin/connections", openai("c")).await.ok());
    let groq = json!({"name": "p", "model_provider": "groq", "connection_id": shared});
    let message = acme.post(PATH, groq).await.refused(400, "BadRequest");
    assert!(message.contains("'openai'"), "{message}");
    let mut both = openai("p");
    both["connection_id"] = json!(shared);
    acme.post(PATH, both).await.refused(400, "BadRequest");
}

#[tokio::test]
async fn a_deleted_provider_takes_its_routes_along() {
    let desk = Desk::open().await;
    let acme = desk.admin("acme").await;
    let provider = acme.provider("p", &["m"]).await;
    acme.mapping(&provider, "fast", "m").await;
    let path = format!("{PATH}/{provider}");
    assert_eq!(acme.delete(&path).await.ok(), json!({"deleted": true}));
    assert_eq!(acme.get("/admin/model-mappings").await.ok(), json!([]));
    acme.get(&format!("{path}/model-mappings")).await.refused(404, "NotFound");
}

#[tokio::test]
async fn every_write_is_put_into_force_before_its_answer_and_no_refused_one() {
    let desk = Desk::open().await;
    let acme = desk.admin("acme").await;
    let count = || desk.refreshed.0.lock().unwrap().len();
    let made = acme.post(PATH, openai("p")).await.ok();
    let path = format!("{PATH}/{}", id(&made));
    assert_eq!(count(), 1);
    assert_eq!(desk.refreshed.0.lock().unwrap()[0].to_string(), made["org_id"]);
    acme.put(&path, json!({"enabled": false})).await.ok();
    assert_eq!(count(), 2);
    let mapping = acme.mapping(&id(&made), "m", "m").await;
    assert_eq!(count(), 3);
    acme.delete(&format!("/admin/model-mappings/{mapping}")).await.ok();
    assert_eq!(count(), 4);
    acme.put(&path, json!({"name": ""})).await.refused(400, "BadRequest");
    acme.get(PATH).await.ok();
    assert_eq!(count(), 4);
    acme.delete(&path).await.ok();
    assert_eq!(count(), 5);
}

#[tokio::test]
async fn a_name_that_no_model_could_be_called_by_is_refused() {
    let desk = Desk::open().await;
    let acme = desk.admin("acme").await;
    let message = acme.post(PATH, openai("eu/openai")).await.refused(400, "BadRequest");
    assert!(message.contains("name") && message.contains("'/'"), "{message}");
    let made = acme.post(PATH, openai("eu-openai")).await.ok();
    let path = format!("{PATH}/{}", id(&made));
    acme.put(&path, json!({"name": "eu/openai"})).await.refused(400, "BadRequest");
    acme.put(&path, json!({"name": "eu-openai"})).await.ok();
}
