//! Each resource type of the provider, with a configuration and one that changes every attribute.

use serde_json::{Value, json};

use super::{
    Provider,
    kinds::{GOVERNANCE, MODEL_ACCESS, MODEL_MAPPING, PROVIDER, RATE_LIMIT, TOKEN_BUDGET},
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

#[tokio::test]
async fn a_model_access_policy() {
    let gateway = Gateway::start().await;
    let terraform = Provider::of(&gateway, "acme");
    let provider = upstream(&terraform).await;
    let somebody = uuid::Uuid::new_v4();
    let steps = [
        json!({"name": "a", "scope_type": "org", "policy_type": "allowlist",
            "targets": [{"kind": "model_alias", "alias": "gpt-*"}], "traffic_type": "llm"}),
        json!({"name": "b", "scope_type": "group", "scope_value": "research",
        "policy_type": "denylist", "traffic_type": "all", "enabled": false, "targets": [
            {"kind": "provider_model", "provider_id": provider, "model": "gpt-4o"},
            {"kind": "model", "model": "o*"},
            {"kind": "provider", "provider_id": provider},
        ]}),
        json!({"name": "a", "scope_type": "role", "scope_value": "user",
            "policy_type": "allowlist", "traffic_type": "mcp", "enabled": true,
            "targets": [{"kind": "model", "model": "gpt-4o"}]}),
    ];
    lives(&terraform, MODEL_ACCESS, &steps).await;
    let steps = [json!({"name": "one", "scope_type": "user", "scope_id": somebody,
        "policy_type": "denylist", "traffic_type": "llm", "enabled": false,
        "targets": [{"kind": "model_alias", "alias": "fast"}]})];
    lives(&terraform, MODEL_ACCESS, &steps).await;
}

#[tokio::test]
async fn a_target_whose_provider_is_no_uuid_is_told_in_the_words_that_tests_match() {
    let gateway = Gateway::start().await;
    let terraform = Provider::of(&gateway, "acme");
    let config = attributes(json!({"name": "a", "scope_type": "org", "policy_type": "allowlist",
        "targets": [{"kind": "provider", "provider_id": "nope"}], "traffic_type": "llm"}));
    let refused = create(&terraform, MODEL_ACCESS, &config).await.unwrap_err();
    assert_eq!(refused.title, "rejected by the LLM Gateway API");
    assert!(refused.detail.contains("UUID parsing failed"), "{}", refused.detail);
}

#[tokio::test]
async fn a_rate_limit() {
    let gateway = Gateway::start().await;
    let terraform = Provider::of(&gateway, "acme");
    let steps = [
        json!({"name": "a", "scope_type": "org", "requests_per_minute": 5, "traffic_type": "all"}),
        json!({"name": "b", "scope_type": "group", "scope_value": "research",
            "tokens_per_minute": 2_147_483_647, "traffic_type": "llm", "enabled": false}),
        json!({"name": "a", "scope_type": "role", "scope_value": "user", "enabled": true,
            "requests_per_minute": 0, "tokens_per_minute": 1000, "traffic_type": "mcp"}),
    ];
    // What is disabled comes back enabled where it was deleted behind its back: the last is not.
    lives(&terraform, RATE_LIMIT, &steps).await;
    let config = attributes(steps[0].clone());
    create(&terraform, RATE_LIMIT, &config).await.expect("the first");
    let refused = create(&terraform, RATE_LIMIT, &config).await.unwrap_err();
    assert_eq!(refused.title, "conflicts with an existing one");
    let words = "A policy with this scope and traffic type already exists";
    assert!(refused.detail.contains(words), "{}", refused.detail);
}

#[tokio::test]
async fn a_token_budget() {
    let gateway = Gateway::start().await;
    let terraform = Provider::of(&gateway, "acme");
    let steps = [
        json!({"name": "a", "scope_type": "org", "period": "daily", "token_limit": 1,
            "action_on_exhaust": "block", "traffic_type": "all"}),
        json!({"name": "b", "scope_type": "org", "period": "monthly",
            "token_limit": 1_099_511_627_776_u64, "alert_thresholds": [100, 0, 50],
            "action_on_exhaust": "throttle", "traffic_type": "llm", "enabled": false}),
        json!({"name": "a", "scope_type": "org", "period": "weekly", "token_limit": 5,
            "alert_thresholds": [80, 90], "action_on_exhaust": "warn", "traffic_type": "mcp",
            "enabled": false}),
    ];
    lives(&terraform, TOKEN_BUDGET, &steps).await;
    let config = attributes(steps[0].clone());
    let state = create(&terraform, TOKEN_BUDGET, &config).await.expect("the first");
    assert_eq!(state["alert_thresholds"], json!([80, 90]), "where none are configured");
    let refused = create(&terraform, TOKEN_BUDGET, &config).await.unwrap_err();
    assert_eq!(refused.title, "conflicts with an existing one");
    let words = "A budget with this scope, target, traffic type, and period already exists";
    assert!(refused.detail.contains(words), "{}", refused.detail);
}

#[tokio::test]
async fn the_governance_configuration() {
    let gateway = Gateway::start().await;
    let terraform = Provider::of(&gateway, "acme");
    let unset = terraform.read(GOVERNANCE.path).await.expect("it is always there");
    assert_eq!(unset["require_pricing_for_mappings"], json!(false));
    let (on, off) = (
        json!({"require_pricing_for_mappings": true}),
        json!({"require_pricing_for_mappings": false}),
    );
    // The last is what destroying it does.
    lives(&terraform, GOVERNANCE, &[on.clone(), off.clone(), on, off]).await;
}
