//! Route health where nothing is ejected.

use serde_json::json;

use crate::support::Scene;

#[tokio::test]
async fn every_enabled_route_is_shown_once_and_healthy() {
    let scene = Scene::new().await;
    let acme = &scene.acme;
    let row = scene.openai_provider.one_to_one("gpt-4o").await;
    let path = format!("/admin/model-mappings/{}", row["id"].as_str().unwrap());
    acme.put(&path, json!({"max_concurrent_requests": 7})).await.has_status(200);
    let shown = acme.get("/admin/llm-gw/route-health").await.has_status(200).json();
    let routes = shown["routes"].as_array().unwrap();
    let models: Vec<_> =
        routes.iter().map(|route| (&route["provider_name"], &route["upstream_model"])).collect();
    assert_eq!(
        models,
        [(&json!("anthropic"), &json!("claude-sonnet")), (&json!("openai"), &json!("gpt-4o"))]
    );
    let expected = json!({
        "provider_id": scene.openai_provider.id, "provider_name": "openai",
        "model_provider": "openai", "upstream_model": "gpt-4o", "state": "healthy",
        "cooldown_reason": null, "consecutive_failures": 0, "multiplier": 1,
        "eject_remaining_secs": null, "in_flight": 0, "concurrency_cap": 7,
        "recent_transitions": [],
    });
    assert_eq!(routes[1], expected);
    acme.put(&path, json!({"enabled": false})).await.has_status(200);
    let shown = acme.get("/admin/llm-gw/route-health").await.json();
    assert_eq!(shown["routes"].as_array().unwrap().len(), 1, "disabled routes are not routes");
}

#[tokio::test]
async fn a_reset_of_a_healthy_route_says_that_there_was_nothing_to_lift() {
    let scene = Scene::new().await;
    let acme = &scene.acme;
    let id = &scene.openai_provider.id;
    let path = |id: &str| format!("/admin/llm-gw/route-health/{id}/reset");
    let done = acme.post(&path(id), json!({"upstream_model": "gpt-4o"})).await.has_status(200);
    assert_eq!(
        done.json(),
        json!({"provider_id": id, "upstream_model": "gpt-4o", "was_ejected": false,
            "shared_state_cleared": false})
    );
    acme.post(&path(id), json!({"upstream_model": "x"})).await.refusal(404, "NotFound");
    let unknown = uuid::Uuid::new_v4().to_string();
    acme.post(&path(&unknown), json!({"upstream_model": "gpt-4o"})).await.refusal(404, "NotFound");
    let message = acme.post(&path(id), json!({})).await.refusal(400, "BadRequest");
    assert!(message.contains("upstream_model"), "{message}");
}
