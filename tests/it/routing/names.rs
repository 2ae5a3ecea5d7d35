//! What a `model` may be and whom it reaches.

use serde_json::json;

use crate::support::{Caller, MockVendor, Scene, operations};

/// Which upstream model a name reaches, and where.
async fn reached(key: &Caller, vendor: &MockVendor, name: &str) -> String {
    key.chat(name).await.has_status(200);
    vendor.saw().pop().unwrap().json()["model"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_prefixed_name_reaches_the_providers_alias_or_upstream_model() {
    let scene = Scene::new().await;
    for name in ["openai/gpt-4o", "openai/fast", "OpenAI/gpt-4o", "OPENAI/fast"] {
        assert_eq!(reached(&scene.key, &scene.openai, name).await, "gpt-4o", "{name}");
    }
}

#[tokio::test]
async fn a_one_to_one_row_is_not_reached_by_its_bare_name_unless_it_says_so() {
    let scene = Scene::new().await;
    scene.key.chat("gpt-4o").await.has_status(404);
    let row = scene.openai_provider.one_to_one("gpt-4o").await;
    let path = format!("/admin/model-mappings/{}", row["id"].as_str().unwrap());
    scene.acme.put(&path, json!({"bare_alias": true})).await.has_status(200);
    scene.key.chat("gpt-4o").await.has_status(200);
}

#[tokio::test]
async fn an_alias_without_bare_alias_is_reached_only_through_its_provider() {
    let scene = Scene::new().await;
    scene
        .acme
        .route("hidden", &scene.openai_provider, "gpt-4o", json!({"bare_alias": false}))
        .await;
    scene.key.chat("hidden").await.has_status(404);
    scene.key.chat("openai/hidden").await.has_status(200);
}

#[tokio::test]
async fn a_prefix_is_a_name_first_and_else_a_slug_that_one_provider_has() {
    let scene = Scene::new().await;
    let eu = MockVendor::start().await;
    scene.acme.provider("Europe").vendor("groq").at(&eu).model("llama").await;
    assert_eq!(reached(&scene.key, &eu, "groq/llama").await, "llama", "one provider has the slug");
    assert_eq!(reached(&scene.key, &eu, "europe/llama").await, "llama");
    scene.acme.provider("Asia").vendor("groq").at(&scene.openai).model("llama").await;
    scene.key.chat("groq/llama").await.has_status(404);
    scene.acme.provider("groq").at(&scene.openai).model("llama").await;
    assert_eq!(
        reached(&scene.key, &scene.openai, "groq/llama").await,
        "llama",
        "a name wins over a slug"
    );
}

#[tokio::test]
async fn the_whole_name_is_tried_as_an_alias_before_it_is_cut() {
    let scene = Scene::new().await;
    let router = scene.acme.provider("router").at(&scene.openai).model("meta/llama-3").await;
    scene.acme.alias("meta/llama", &[(&router, "meta/llama-3")]).await;
    scene.acme.alias("anthropic/claude-sonnet", &[(&router, "meta/llama-3")]).await;
    assert_eq!(reached(&scene.key, &scene.openai, "meta/llama").await, "meta/llama-3");
    assert_eq!(reached(&scene.key, &scene.openai, "anthropic/claude-sonnet").await, "meta/llama-3");
    assert_eq!(reached(&scene.key, &scene.openai, "router/meta/llama-3").await, "meta/llama-3");
}

#[tokio::test]
async fn routes_are_tried_in_ascending_priority() {
    let scene = Scene::new().await;
    let other = scene.acme.provider("other").at(&scene.anthropic).model("gpt-4o").await;
    let late =
        scene.acme.route("ordered", &scene.openai_provider, "gpt-4o", json!({"priority": 5})).await;
    scene.acme.route("ordered", &other, "gpt-4o", json!({"priority": 3})).await;
    scene.key.chat("ordered").await.has_status(200);
    assert_eq!((scene.openai.saw().len(), scene.anthropic.saw().len()), (0, 1));
    let order = json!({"entries": [{"id": late["id"], "priority": -1}]});
    scene.acme.put("/admin/model-mappings/reorder", order).await.has_status(200);
    scene.key.chat("ordered").await.has_status(200);
    assert_eq!((scene.openai.saw().len(), scene.anthropic.saw().len()), (1, 1));
}

#[tokio::test]
async fn disabled_rows_providers_and_models_are_skipped() {
    let scene = Scene::new().await;
    let other = scene.acme.provider("other").at(&scene.anthropic).model("gpt-4o").await;
    scene.acme.route("fast", &other, "gpt-4o", json!({"priority": 9})).await;
    let disable = async |row: &serde_json::Value, enabled: bool| {
        let path = format!("/admin/model-mappings/{}", row["id"].as_str().unwrap());
        scene.acme.put(&path, json!({"enabled": enabled})).await.has_status(200);
    };
    let rows = scene.openai_provider.routes().await;
    for row in &rows {
        disable(row, false).await;
        scene.openai.saw_nothing();
        scene.key.chat("fast").await.has_status(200);
        scene.openai.saw_nothing();
        disable(row, true).await;
    }
    scene.openai_provider.put(json!({"enabled": false})).await.has_status(200);
    scene.key.chat("fast").await.has_status(200);
    scene.openai.saw_nothing();
    assert_eq!(scene.anthropic.saw().len(), rows.len() + 1);
}

#[tokio::test]
async fn a_name_that_resolves_to_nothing_is_not_found_in_the_callers_dialect() {
    let scene = Scene::new().await;
    for name in
        ["nothing", "openai/nothing", "nobody/gpt-4o", "/", "openai/", "/gpt-4o", " fast", "FAST"]
    {
        let answer = scene.key.chat(name).await.has_status(404);
        let error = answer.openai_error();
        assert_eq!(error["code"], "model_not_found", "{name}");
        assert!(error["message"].as_str().unwrap().contains(name), "{error}");
        let body = json!({"model": name, "max_tokens": 1, "messages": []}).to_string();
        let answer = scene.key.post("/v1/messages", body).await.has_status(404);
        assert_eq!(answer.anthropic_error()["type"], "not_found_error", "{name}");
    }
    scene.openai.saw_nothing();
    scene.anthropic.saw_nothing();
}

#[tokio::test]
async fn every_operation_resolves_alike() {
    let scene = Scene::new().await;
    for operation in operations::ALL {
        let pinned = format!(
            "{}/{}",
            if operation.anthropic { "anthropic" } else { "openai" },
            operation.upstream_model()
        );
        scene.key.post(operation.path, operation.body(&pinned)).await.has_status(200);
        scene.key.post(operation.path, operation.body("nothing")).await.has_status(404);
    }
}
