//! What is not said has the documented value.

use serde_json::{Value, json};

use crate::support::Gateway;

#[tokio::test]
async fn new_policies_have_the_documented_defaults() {
    let gateway = Gateway::start().await;
    let acme = gateway.org("acme");
    let openai = acme.provider("openai").at_url("https://vendor.test").model("gpt-4o").await;
    acme.alias("fast", &[(&openai, "gpt-4o")]).await;
    let org = acme.get("/admin/providers").await.json()[0]["org_id"].clone();
    let same = |made: Value, mut expected: Value| {
        expected["id"] = made["id"].clone();
        expected["org_id"] = org.clone();
        for time in ["created_at", "updated_at"] {
            if made.get(time).is_some() {
                expected[time] = made[time].clone();
            }
        }
        assert_eq!(made, expected);
    };
    let body = json!({"name": "n", "scope_type": "org", "tokens_per_minute": 7});
    same(
        acme.create("rate-limits", body).await,
        json!({
            "name": "n", "scope_type": "org", "scope_id": null, "scope_value": null,
            "requests_per_minute": null, "tokens_per_minute": 7, "traffic_type": "all",
            "enabled": true,
        }),
    );
    let body = json!({"name": "n", "scope_type": "org", "period": "daily", "token_limit": 1});
    let budget = acme.create("budgets", body).await;
    assert!(budget["created_at"].is_string());
    same(
        budget,
        json!({
            "name": "n", "scope_type": "org", "scope_id": null, "scope_value": null,
            "period": "daily", "token_limit": 1, "alert_thresholds": [80, 90],
            "action_on_exhaust": "block", "traffic_type": "all", "enabled": true,
            "cost_limit": null, "currency": "USD", "target_provider_id": null,
            "target_upstream_model": null, "target_model_alias": null, "strict": false,
        }),
    );
    let targets = json!([{"kind": "model", "model": "m"}]);
    let body =
        json!({"name": "n", "scope_type": "org", "policy_type": "denylist", "targets": targets});
    same(
        acme.create("model-access", body).await,
        json!({
            "name": "n", "scope_type": "org", "scope_id": null, "scope_value": null,
            "policy_type": "denylist", "targets": targets, "traffic_type": "llm", "enabled": true,
        }),
    );
    let slot = json!({"model_alias": "fast", "label": null});
    for (count, breakpoints, default_slot) in
        [(1, json!([]), 0), (2, json!([128_000]), 1), (3, json!([128_000, 512_000]), 1)]
    {
        let slots: Vec<Value> = vec![slot.clone(); count];
        let alias = format!("auto-{count}");
        let body = json!({"model_alias": alias, "determiner_model_alias": "fast", "slots": slots});
        same(
            acme.create("smart-models", body).await,
            json!({
                "model_alias": alias, "description": null, "enabled": true,
                "determiner_model_alias": "fast", "slots": slots,
                "context_breakpoints": breakpoints, "determiner_input_max_chars": 12_000,
                "default_slot_on_failure": default_slot,
            }),
        );
    }
    let body = json!({"name": "n", "url": "https://a.test", "events": ["route_ejected"]});
    assert_eq!(acme.create("alert-webhooks", body).await["enabled"], true);
}
