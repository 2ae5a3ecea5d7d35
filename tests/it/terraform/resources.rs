//! Each resource type of the provider, with a configuration and one that changes every attribute.

use serde_json::{Value, json};

use super::{
    Provider,
    kinds::{MODEL_MAPPING, PROVIDER},
    lifecycle::{create, lives},
    provider::attributes,
};
use crate::support::Gateway;

/// A provider's id that other resources can use, with models enabled.
async fn upstream(terraform: &Provider) -> Value {
    let config = json!({
        "name": "upstream", "model_provider": "openai", "base_url": "http://127.0.0.1:9/v1",
        "api_key": "sk-1", "enforce_health_check": false,
    });
    let state = create(terraform, PROVIDER, &attributes(config)).await.expect("a provider");
    for model in ["gpt-4o", "gpt-4o-mini"] {
        let config = json!({
            "provider_id": state["id"], "model_alias": model, "upstream_model": model,
            "enabled": true,
        });
        create(terraform, MODEL_MAPPING, &attributes(config)).await.expect("a 1:1 row");
    }
    state["id"].clone()
}

#[tokio::test]
async fn a_provider() {
    let gateway = Gateway::start().await;
    let terraform = Provider::of(&gateway, "acme");
    for steps in [
        // The least that can be said, then everything, then the other way round.
        vec![
            json!({"name": "p", "model_provider": "openai", "base_url": "http://127.0.0.1:9",
                "api_key": "sk-1", "enforce_health_check": true}),
            json!({"name": "q", "model_provider": "openai", "base_url": "http://127.0.0.1:9/v1/",
                "auth_type": "x_api_key", "api_key": "sk-2", "enabled": false,
                "settings": {"region": "eu", "nested": {"list": [1, 2.5, null, "x"]}},
                "enforce_health_check": false}),
            json!({"name": "p", "model_provider": "openai", "base_url": "http://127.0.0.1:9/v1",
                "auth_type": "bearer_api_key", "api_key": "sk-1", "enabled": true,
                "settings": {"other": true}, "enforce_health_check": true}),
        ],
        vec![json!({"name": "disabled", "model_provider": "anthropic", "enabled": false,
            "base_url": "https://vendor.test/", "api_key": "sk-1", "auth_type": "api_key",
            "enforce_health_check": false})],
    ] {
        lives(&terraform, PROVIDER, &steps).await;
    }
}

#[tokio::test]
async fn a_providers_refusals_are_told_as_practitioners_expect() {
    let gateway = Gateway::start().await;
    let terraform = Provider::of(&gateway, "acme");
    let provider = |settings: Value| {
        attributes(json!({"name": "p", "model_provider": "openai", "api_key": "sk-1",
            "base_url": "http://127.0.0.1:9", "settings": settings}))
    };
    let refused = create(&terraform, PROVIDER, &provider(json!([1]))).await.unwrap_err();
    assert_eq!(refused.title, "rejected by the LLM Gateway API");
    assert!(refused.detail.contains("settings must be a JSON object"), "{}", refused.detail);
    create(&terraform, PROVIDER, &provider(json!({}))).await.expect("the first of that name");
    let refused = create(&terraform, PROVIDER, &provider(json!({}))).await.unwrap_err();
    assert_eq!(refused.title, "conflicts with an existing one");
    assert!(refused.detail.contains("'p'"), "{}", refused.detail);
}

#[tokio::test]
async fn a_model_mapping() {
    let gateway = Gateway::start().await;
    let terraform = Provider::of(&gateway, "acme");
    let provider = upstream(&terraform).await;
    let steps = [
        json!({"provider_id": provider, "model_alias": "fast", "upstream_model": "gpt-4o",
            "enabled": true}),
        json!({"provider_id": provider, "model_alias": "faster", "upstream_model": "gpt-4o-mini",
            "enabled": false, "priority": 7, "retry_on_429_count": 10,
            "retry_on_429_max_wait_secs": 180, "bare_alias": false,
            "stream_idle_timeout_secs": 120, "request_timeout_secs": 600}),
        json!({"provider_id": provider, "model_alias": "fast", "upstream_model": "gpt-4o",
            "enabled": true, "priority": 0, "retry_on_429_count": 0,
            "retry_on_429_max_wait_secs": 0, "bare_alias": true,
            "stream_idle_timeout_secs": 1, "request_timeout_secs": 1}),
    ];
    lives(&terraform, MODEL_MAPPING, &steps).await;
}

#[tokio::test]
async fn a_model_that_is_enabled_twice_is_one_row() {
    let gateway = Gateway::start().await;
    let terraform = Provider::of(&gateway, "acme");
    let provider = upstream(&terraform).await;
    let config = attributes(json!({
        "provider_id": provider, "model_alias": "gpt-4o", "upstream_model": "gpt-4o",
        "enabled": true,
    }));
    let first = create(&terraform, MODEL_MAPPING, &config).await.expect("it folds");
    let second = create(&terraform, MODEL_MAPPING, &config).await.expect("it folds");
    assert_eq!(first, second);
}

#[tokio::test]
async fn an_alias_of_a_model_that_is_not_enabled_is_told_in_the_words_that_tests_match() {
    let gateway = Gateway::start().await;
    let terraform = Provider::of(&gateway, "acme");
    let provider = upstream(&terraform).await;
    let config = attributes(json!({
        "provider_id": provider, "model_alias": "fast", "upstream_model": "o9", "enabled": true,
    }));
    let refused = create(&terraform, MODEL_MAPPING, &config).await.unwrap_err();
    assert_eq!(refused.title, "rejected by the LLM Gateway API");
    assert!(refused.detail.contains("the model is not enabled"), "{}", refused.detail);
}
