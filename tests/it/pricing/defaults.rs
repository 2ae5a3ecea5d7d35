//! The managed defaults: listed, copied, followed.

use std::collections::HashSet;

use serde_json::{Value, json};

use super::{Prices, desk::price};
use crate::support::{Gateway, Org};

const PATH: &str = "/admin/model-pricing";

async fn default_of(prices: &Prices<'_>, slug: &str, pattern: &str) -> Value {
    let all = prices.list("/defaults").await;
    let found = all
        .iter()
        .find(|row| row["provider_slug"] == slug && row["model_pattern"] == pattern)
        .unwrap_or_else(|| panic!("a default for {slug} {pattern}"));
    found.clone()
}

async fn import(acme: &Org, body: Value) -> Value {
    let answer = acme.post(&format!("{PATH}/import-defaults"), body).await;
    answer.has_status(200).json()["imported"].clone()
}

async fn sync(acme: &Org, body: Value) -> Value {
    let answer = acme.post(&format!("{PATH}/sync-defaults"), body).await;
    answer.has_status(200).json()["synced"].clone()
}

#[tokio::test]
async fn defaults_are_listed_with_their_source_and_small_enough_for_clients() {
    let gateway = Gateway::start().await;
    let acme = gateway.org("acme");
    let answer = acme.get(&format!("{PATH}/defaults")).await.has_status(200);
    assert!(answer.text().len() < 1 << 20, "public clients read no more");
    let prices = Prices(&acme.admin);
    let gpt = default_of(&prices, "openai", "gpt-4o").await;
    assert_eq!(gpt["input_cost_per_million_tokens"], 2.5);
    assert_eq!(gpt["output_cost_per_million_tokens"], 10);
    assert_eq!(gpt["cache_read_cost_per_million_tokens"], 1.25);
    assert_eq!(gpt["currency"], "USD");
    assert!(gpt["source"].as_str().unwrap().starts_with("https://"), "{gpt}");
    assert!(gpt.get("cache_write_cost_per_million_tokens").is_none(), "left out where unknown");
    let rows = answer.json();
    let ids: HashSet<&str> =
        rows.as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), rows.as_array().unwrap().len());
}

#[tokio::test]
async fn importing_makes_the_rules_that_are_missing_and_leaves_the_others() {
    let gateway = Gateway::start().await;
    let acme = gateway.org("acme");
    let prices = Prices(&acme.admin);
    let own = prices.set_with(price("gpt-4o", 9.0, 9.0), json!({"model_provider": "openai"})).await;
    let [gpt, mini] = [
        default_of(&prices, "openai", "gpt-4o").await,
        default_of(&prices, "openai", "gpt-4.1-mini").await,
    ];
    let body = json!({"ids": [gpt["id"], mini["id"], mini["id"]], "sync_mode": "auto"});
    assert_eq!(import(&acme, body.clone()).await, 1);
    assert_eq!(prices.history("gpt-4o", "openai").await, [own], "left alone");
    let copy = &prices.history("gpt-4.1-mini", "openai").await[0];
    assert_eq!((&copy["change_source"], &copy["sync_mode"]), (&json!("import"), &json!("auto")));
    let rate = "input_cost_per_million_tokens";
    assert_eq!(copy[rate], mini[rate]);
    assert_eq!(import(&acme, body.clone()).await, 0);
    prices.delete(copy).await.has_status(200);
    assert_eq!(import(&acme, body).await, 0, "an archived rule is there, too");

    let all = prices.list("/defaults").await.len();
    let rest = acme.admin.caller.post(&format!("/api/llm-gateway{PATH}/import-defaults"), "").await;
    assert_eq!(rest.has_status(200).json()["imported"], json!(all - 2), "no body means all");
    let tracking = prices.list("").await;
    let tracking = tracking.iter().filter(|rule| rule["sync_mode"] == "tracking").count();
    assert_eq!(tracking, all - 2, "the default mode");
}

#[tokio::test]
async fn syncing_brings_copies_to_the_defaults_unless_they_are_pinned() {
    let gateway = Gateway::start().await;
    let acme = gateway.org("acme");
    let prices = Prices(&acme.admin);
    let models = [("gpt-4o", "pinned"), ("gpt-4o-mini", "tracking"), ("gpt-4.1", "auto")];
    for (model, mode) in models {
        let more = json!({"model_provider": "openai", "sync_mode": mode});
        prices.set_with(price(model, 77.0, 77.0), more).await;
    }
    let tracked = default_of(&prices, "openai", "gpt-4o-mini").await;
    assert_eq!(sync(&acme, json!({"ids": [tracked["id"]]})).await, 1);
    let newest = prices.history("gpt-4o-mini", "openai").await[0].clone();
    assert_eq!(newest["change_source"], "sync_manual");
    assert_eq!(newest["sync_mode"], "tracking");
    assert!(newest["created_by_user_id"].is_string());
    for rate in ["input_cost_per_million_tokens", "cache_read_cost_per_million_tokens"] {
        assert_eq!(newest[rate], tracked[rate]);
    }
    assert_eq!(sync(&acme, json!({})).await, 1, "the one that follows by itself");
    assert_eq!(sync(&acme, json!({})).await, 0, "all is as it should be");
    let pinned = &prices.history("gpt-4o", "openai").await;
    assert_eq!((pinned.len(), &pinned[0]["sync_mode"]), (1, &json!("pinned")));
}

#[tokio::test]
async fn what_is_no_default_can_be_neither_imported_nor_synced() {
    let gateway = Gateway::start().await;
    let acme = gateway.org("acme");
    for operation in ["import-defaults", "sync-defaults"] {
        let body = json!({"ids": [uuid::Uuid::new_v4()]});
        let refused = acme.post(&format!("{PATH}/{operation}"), body).await;
        assert!(refused.refusal(400, "BadRequest").contains("ids[0]"), "{operation}");
    }
    assert!(Prices(&acme.admin).list("").await.is_empty());
}

#[tokio::test]
async fn a_rule_that_follows_by_itself_does_so_at_the_next_start() {
    let gateway = Gateway::start().await;
    let acme = gateway.org("acme");
    let more = json!({"model_provider": "openai", "sync_mode": "auto"});
    // As if the default had been another one when the rule was made.
    Prices(&acme.admin).set_with(price("gpt-4o", 77.0, 77.0), more).await;
    let gateway = gateway.restarted().await;
    let acme = gateway.org("acme");
    let history = Prices(&acme.admin).history("gpt-4o", "openai").await;
    assert_eq!(history.len(), 2);
    assert_eq!(history[0]["change_source"], "sync_auto");
    assert_eq!(history[0]["input_cost_per_million_tokens"], 2.5);
    assert_eq!(history[0]["created_by_user_id"], Value::Null, "nobody did it");
}
