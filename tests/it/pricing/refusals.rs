//! What is no price, and what belongs to others.

use serde_json::{Value, json};

use super::{
    Prices,
    desk::{price, soon},
};
use crate::support::Gateway;

/// A body with a price written as it stands there.
fn raw(cost: &str) -> String {
    format!(
        r#"{{"model_pattern":"m","input_cost_per_million_tokens":{cost},"output_cost_per_million_tokens":1}}"#
    )
}

#[tokio::test]
async fn prices_come_back_as_the_doubles_that_were_sent() {
    let gateway = Gateway::start().await;
    let acme = gateway.org("acme");
    let path = "/api/llm-gateway/admin/model-pricing";
    for cost in [
        "0",
        "0.1",
        "0.15",
        "2.5",
        "3",
        "3.0",
        "0.0375",
        "1e-12",
        "7.123456789012",
        "1E3",
        "999999.5",
    ] {
        let answer = acme.admin.caller.post(path, raw(cost)).await.has_status(200);
        let shown = answer.json()["input_cost_per_million_tokens"].as_f64().unwrap();
        assert_eq!(shown.to_bits(), cost.parse::<f64>().unwrap().to_bits(), "{cost}");
    }
}

#[tokio::test]
async fn what_is_no_price_is_refused_by_name() {
    let gateway = Gateway::start().await;
    let acme = gateway.org("acme");
    let path = "/api/llm-gateway/admin/model-pricing";
    for (cost, why) in [
        ("-0.01", "must not be negative"),
        ("0.1234567890123", "more than 12 digits"),
        ("1e-400", "more than 12 digits"),
        ("1000000.5", "at most 1000000"),
        ("1e400", "at most 1000000"),
        ("\"2.5\"", "must be a number"),
        ("null", "must be a number"),
        ("true", "must be a number"),
    ] {
        let answer = acme.admin.caller.post(path, raw(cost)).await;
        let message = answer.refusal(400, "BadRequest");
        let named = message.starts_with("input_cost_per_million_tokens: ");
        assert!(named && message.contains(why), "{cost}: {message}");
    }
    assert!(Prices(&acme.admin).history("m", "").await.is_empty());
}

#[tokio::test]
async fn other_fields_are_checked_as_well() {
    let gateway = Gateway::start().await;
    let acme = gateway.org("acme");
    let prices = Prices(&acme.admin);
    for (field, value) in [
        ("model_pattern", json!("")),
        ("model_pattern", json!("gpt*4")),
        ("model_pattern", json!("**")),
        ("model_pattern", json!(7)),
        ("model_provider", json!("\u{7}")),
        ("sync_mode", json!("sometimes")),
        ("effective_from", json!("tomorrow")),
        ("provider_id", json!("main")),
        ("change_reason", json!("x".repeat(2_001))),
        ("cache_read_cost_per_million_tokens", json!(-1)),
    ] {
        let mut body = price("m", 1.0, 1.0);
        body[field] = value.clone();
        let message = prices.post(body).await.refusal(400, "BadRequest");
        assert!(message.contains(field), "{field} {value}: {message}");
    }
    let message = prices.post(json!({"model_pattern": "m"})).await.refusal(400, "BadRequest");
    assert!(message.contains("input_cost_per_million_tokens"), "{message}");
    let missing = acme.get("/admin/model-pricing/history").await.refusal(400, "BadRequest");
    assert!(missing.contains("model_pattern"), "{missing}");
    let odd = acme.get("/admin/model-pricing/version/7").await.refusal(400, "BadRequest");
    assert!(odd.contains("UUID parsing failed"), "{odd}");
}

#[tokio::test]
async fn two_versions_at_one_instant_are_a_conflict() {
    let gateway = Gateway::start().await;
    let acme = gateway.org("acme");
    let prices = Prices(&acme.admin);
    for at in [soon(3_600_000), "2024-02-29T12:00:00Z".to_owned()] {
        let body = |input| {
            let mut body = price(&at, input, 1.0);
            body["effective_from"] = json!(at);
            body
        };
        prices.set(body(1.0)).await;
        let message = prices.post(body(2.0)).await.refusal(409, "Conflict");
        assert!(message.contains("effective_from"), "{message}");
    }
    let (one, two) = (soon(7_200_000), soon(10_800_000));
    prices.set_with(price("m", 1.0, 1.0), json!({"effective_from": one})).await;
    let second = prices.set_with(price("m", 1.0, 1.0), json!({"effective_from": two})).await;
    prices.put(&second, json!({"effective_from": one})).await.refusal(409, "Conflict");
    let past = prices.put(&second, json!({"effective_from": "2020-01-01T00:00:00Z"})).await;
    assert!(past.refusal(400, "BadRequest").contains("effective_from"));
}

#[tokio::test]
async fn a_price_does_not_take_effect_behind_the_one_that_is_in_force() {
    let gateway = Gateway::start().await;
    let acme = gateway.org("acme");
    let prices = Prices(&acme.admin);
    prices.set(price("m", 1.0, 1.0)).await;
    let mut earlier = price("m", 2.0, 1.0);
    earlier["effective_from"] = json!("2020-01-01T00:00:00Z");
    let message = prices.post(earlier).await.refusal(400, "BadRequest");
    assert!(message.contains("effective_from must not be before"), "{message}");
}

#[tokio::test]
async fn a_rule_for_a_provider_names_that_providers_line_or_none() {
    let gateway = Gateway::start().await;
    let acme = gateway.org("acme");
    let provider = acme.provider("main").at_url("http://127.0.0.1:9").await;
    let mut body = price("m", 1.0, 1.0);
    body["provider_id"] = json!(provider.id);
    body["model_provider"] = json!("anthropic");
    let message = Prices(&acme.admin).post(body.clone()).await.refusal(400, "BadRequest");
    assert!(message.contains("model_provider 'anthropic'"), "{message}");
    body["provider_id"] = json!(uuid::Uuid::new_v4());
    Prices(&acme.admin).post(body).await.refusal(404, "NotFound");
}

#[tokio::test]
async fn organizations_see_and_price_only_what_is_theirs() {
    let gateway = Gateway::start().await;
    let (acme, globex) = (gateway.org("acme"), gateway.org("globex"));
    let provider = acme.provider("main").at_url("http://127.0.0.1:9").model("gpt-4o").await;
    let (ours, theirs) = (Prices(&acme.admin), Prices(&globex.admin));
    let made = ours.set(price("gpt-4o", 1.0, 1.0)).await;
    let at = json!({"effective_from": soon(3_600_000)});
    let scheduled = ours.set_with(price("gpt-4o", 2.0, 1.0), at).await;
    for version in [&made, &scheduled] {
        theirs.put(version, json!({})).await.refusal(404, "NotFound");
        theirs.delete(version).await.refusal(404, "NotFound");
        theirs.restore(version).await.refusal(404, "NotFound");
        let id = version["id"].as_str().unwrap();
        globex.get(&format!("/admin/model-pricing/version/{id}")).await.refusal(404, "NotFound");
    }
    let mut stolen = price("m", 1.0, 1.0);
    stolen["provider_id"] = json!(provider.id);
    theirs.post(stolen).await.refusal(404, "NotFound");
    for list in ["", "/archived", "/history?model_pattern=gpt-4o"] {
        assert!(theirs.list(list).await.is_empty(), "{list}");
    }
    let other = globex.provider("main").at_url("http://127.0.0.1:9").model("gpt-4o").await;
    let route: Value = other.one_to_one("gpt-4o").await;
    assert_eq!(route["effective_pricing"]["source"], "barndoor_default");
    assert_eq!(ours.history("gpt-4o", "").await.len(), 2);
}
