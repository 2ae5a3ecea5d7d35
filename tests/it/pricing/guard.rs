//! The switch that wants a price for every enabled route, and what routes say of theirs.

use serde_json::{Value, json};

use super::{Prices, desk::price};
use crate::support::{Gateway, Org};

const PATH: &str = "/admin/governance-config";

async fn require(acme: &Org, on: bool) {
    let body = json!({"require_pricing_for_mappings": on});
    let answer = acme.put(PATH, body.clone()).await.has_status(200).json();
    assert_eq!(answer, body);
    assert_eq!(acme.get(PATH).await.has_status(200).json(), body);
}

#[tokio::test]
async fn the_switch_is_off_until_it_is_set_and_must_be_named() {
    let gateway = Gateway::start().await;
    let acme = gateway.org("acme");
    let off = json!({"require_pricing_for_mappings": false});
    assert_eq!(acme.get(PATH).await.has_status(200).json(), off);
    for body in [json!({}), json!({"require_pricing_for_mappings": null})] {
        let message = acme.put(PATH, body).await.refusal(400, "BadRequest");
        assert!(message.contains("require_pricing_for_mappings"), "{message}");
    }
    require(&acme, true).await;
    assert_eq!(gateway.org("globex").get(PATH).await.has_status(200).json(), off, "for itself");
    require(&acme, false).await;
}

#[tokio::test]
async fn an_enabled_route_needs_a_price_while_the_switch_is_on() {
    let gateway = Gateway::start().await;
    let acme = gateway.org("acme");
    let openai = acme.provider("openai").at_url("http://127.0.0.1:9").model("before").await;
    require(&acme, true).await;

    let row = |model: &str, more: Value| {
        let mut body =
            json!({"provider_id": openai.id, "model_alias": model, "upstream_model": model});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    let refused = acme.post("/admin/model-mappings", row("secret", json!({}))).await;
    let message = refused.refusal(400, "BadRequest");
    let remedies = ["'secret'", "'openai'", "POST /admin/model-pricing", "enabled: false"];
    assert!(remedies.iter().all(|words| message.contains(words)), "{message}");

    let dark = acme.create("model-mappings", row("secret", json!({"enabled": false}))).await;
    let path = format!("/admin/model-mappings/{}", dark["id"].as_str().unwrap());
    acme.put(&path, json!({"priority": 4})).await.has_status(200);
    acme.put(&path, json!({"enabled": true})).await.refusal(400, "BadRequest");
    acme.create("model-mappings", row("gpt-4o", json!({}))).await;

    let old = openai.one_to_one("before").await;
    let old = format!("/admin/model-mappings/{}", old["id"].as_str().unwrap());
    acme.put(&old, json!({"priority": 1})).await.refusal(400, "BadRequest");
    acme.put(&old, json!({"enabled": false})).await.has_status(200);

    let unpriced = json!({"name": "two", "model_provider": "openai", "api_key": "sk-2",
        "base_url": "http://127.0.0.1:9", "models": ["gpt-4o", "secret"]});
    let refused = acme.post("/admin/providers", unpriced.clone()).await.refusal(400, "BadRequest");
    assert!(refused.contains("'secret'"), "{refused}");
    assert_eq!(acme.get("/admin/providers").await.json().as_array().unwrap().len(), 1, "not made");

    let prices = Prices(&acme.admin);
    let rule = prices.set(price("secret*", 1.0, 1.0)).await;
    acme.put(&path, json!({"enabled": true})).await.has_status(200);
    acme.post("/admin/providers", unpriced).await.has_status(200);
    prices.delete(&rule).await.has_status(200);
    acme.put(&path, json!({"priority": 5})).await.refusal(400, "BadRequest");
    require(&acme, false).await;
    acme.put(&path, json!({"priority": 5})).await.has_status(200);
}

#[tokio::test]
async fn a_route_shows_which_tier_prices_it() {
    let gateway = Gateway::start().await;
    let acme = gateway.org("acme");
    let openai = acme
        .provider("openai")
        .at_url("http://127.0.0.1:9")
        .model("gpt-4o")
        .model("unheard-of")
        .await;
    let prices = Prices(&acme.admin);
    let shown = async |model: &str| openai.one_to_one(model).await["effective_pricing"].clone();
    let none = json!({"source": "none", "pricing_rule_id": null,
        "input_cost_per_million_tokens": null, "output_cost_per_million_tokens": null,
        "cache_read_cost_per_million_tokens": null, "cache_write_cost_per_million_tokens": null});
    assert_eq!(shown("unheard-of").await, none);
    let default = shown("gpt-4o").await;
    assert_eq!(default["source"], "barndoor_default");
    assert_eq!(default["input_cost_per_million_tokens"], 2.5);
    assert_eq!(default["cache_read_cost_per_million_tokens"], 1.25);
    assert_eq!(default["cache_write_cost_per_million_tokens"], 2.5, "the input's");

    for (source, more) in [
        ("org_generic", json!({})),
        ("org_catalog", json!({"model_provider": "openai"})),
        ("org_instance", json!({"provider_id": openai.id})),
    ] {
        let rule = prices.set_with(price("gpt*", 7.0, 8.0), more).await;
        let expected = json!({"source": source, "pricing_rule_id": rule["id"],
            "input_cost_per_million_tokens": 7, "output_cost_per_million_tokens": 8,
            "cache_read_cost_per_million_tokens": 1.25,
            "cache_write_cost_per_million_tokens": 7});
        assert_eq!(shown("gpt-4o").await, expected);
        let all = acme.get("/admin/model-mappings").await.json();
        let row = all.as_array().unwrap().iter().find(|row| row["model_alias"] == "gpt-4o");
        assert_eq!(row.unwrap()["effective_pricing"], expected, "in every listing");
    }
}
