//! `GET /v1/models`.

use serde_json::json;

use crate::support::Scene;

#[tokio::test]
async fn every_name_that_a_caller_may_send_is_listed() {
    let scene = Scene::new().await;
    let spare = scene.acme.provider("spare").at(&scene.openai).model("gpt-4o").await;
    scene.acme.alias("twice", &[(&scene.openai_provider, "gpt-4o"), (&spare, "gpt-4o")]).await;

    for path in ["/v1/models", "/api/llm-gateway/v1/models"] {
        let answer = scene.key.get(path).await.has_status(200);
        assert!(answer.headers.observability().is_empty());
        let listed = answer.json();
        assert_eq!(listed["object"], "list");
        let mut ids: Vec<_> = Vec::new();
        for model in listed["data"].as_array().unwrap() {
            assert_eq!(model["object"], "model");
            assert!(model["created"].is_i64() && model["owned_by"].is_string(), "{model}");
            ids.push(model["id"].as_str().unwrap().to_owned());
        }
        for id in [
            "fast",
            "smart",
            "twice",
            "openai/twice",
            "spare/twice",
            "openai/gpt-4o",
            "spare/gpt-4o",
            "anthropic/claude-sonnet",
        ] {
            assert!(ids.iter().any(|known| known == id), "{id} in {ids:?}");
        }
        for id in ["openai/fast", "anthropic/smart", "gpt-4o"] {
            assert!(!ids.iter().any(|known| known == id), "{id} in {ids:?}");
        }
        for id in &ids {
            let anthropic = id.contains("smart") || id.contains("claude");
            let answer = if anthropic {
                let body = json!({"model": id, "max_tokens": 1, "messages": []}).to_string();
                scene.key.post("/v1/messages", body).await
            } else {
                scene.key.chat(id).await
            };
            assert_eq!(answer.status, 200, "{id} is listed: {}", answer.tell());
            // By itself, too, as openai-node writes it.
            let alone = format!("{path}/{}", id.replace('/', "%2F"));
            assert_eq!(scene.key.get(&alone).await.has_status(200).json()["id"], id.as_str());
        }
    }
}

#[tokio::test]
async fn what_cannot_be_reached_is_not_listed() {
    let scene = Scene::new().await;
    scene.openai_provider.put(json!({"enabled": false})).await.has_status(200);
    let listed = scene.key.get("/v1/models").await.has_status(200);
    assert!(
        !listed.text().contains("fast") && !listed.text().contains("gpt-4o"),
        "{}",
        listed.text()
    );
    assert!(listed.text().contains("smart"));
}
