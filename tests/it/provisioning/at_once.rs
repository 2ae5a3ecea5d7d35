//! A write is in force before its answer is sent.

use serde_json::json;

use crate::support::Scene;

#[tokio::test]
async fn a_new_alias_works_with_the_next_request() {
    let scene = Scene::new().await;
    scene.key.chat("brand-new").await.has_status(404);
    scene.acme.alias("brand-new", &[(&scene.openai_provider, "gpt-4o")]).await;
    scene.key.chat("brand-new").await.has_status(200);
}

#[tokio::test]
async fn disabling_a_provider_or_the_model_darkens_its_aliases_and_enabling_brings_them_back() {
    let scene = Scene::new().await;
    scene.openai_provider.put(json!({"enabled": false})).await.has_status(200);
    scene.key.chat("fast").await.has_status(404);
    scene.openai_provider.put(json!({"enabled": true})).await.has_status(200);
    scene.key.chat("fast").await.has_status(200);

    let row = scene.openai_provider.one_to_one("gpt-4o").await;
    let path = format!("/admin/model-mappings/{}", row["id"].as_str().unwrap());
    scene.acme.put(&path, json!({"enabled": false})).await.has_status(200);
    scene.key.chat("fast").await.has_status(404);
    scene.key.chat("openai/gpt-4o").await.has_status(404);
    scene.acme.put(&path, json!({"enabled": true})).await.has_status(200);
    scene.key.chat("fast").await.has_status(200);
}

#[tokio::test]
async fn a_rotated_key_is_used_by_the_next_request() {
    let scene = Scene::new().await;
    scene.key.chat("fast").await.has_status(200);
    scene.openai_provider.put(json!({"api_key": "sk-rotated"})).await.has_status(200);
    scene.key.chat("fast").await.has_status(200);
    let calls = scene.openai.saw();
    assert_eq!(calls[0].header("authorization"), Some("Bearer sk-openai-vendor-key"));
    assert_eq!(calls[1].header("authorization"), Some("Bearer sk-rotated"));
}

#[tokio::test]
async fn a_moved_provider_is_called_at_its_new_place() {
    let scene = Scene::new().await;
    scene.openai_provider.put(json!({"base_url": scene.anthropic.url()})).await.has_status(200);
    scene.key.chat("fast").await.has_status(200);
    scene.openai.saw_nothing();
    assert_eq!(scene.anthropic.saw_one().path, "/v1/chat/completions");
}

#[tokio::test]
async fn a_deleted_provider_is_gone_with_the_next_request() {
    let scene = Scene::new().await;
    scene.openai_provider.delete().await.has_status(200);
    scene.key.chat("fast").await.has_status(404);
    scene.openai.saw_nothing();
}
