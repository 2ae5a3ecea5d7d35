//! Alerts of budgets: told to webhooks once per threshold and period.

use serde_json::{Value, json};

use super::{costing, strict};
use crate::support::{MockVendor, Reply, Scene, until};

/// A receiver that the organization's budgets are told to.
async fn told_of_budgets(scene: &Scene) -> MockVendor {
    let receiver = MockVendor::start().await;
    receiver.always(Reply::says("{}"));
    let events = ["budget_threshold", "budget_exhausted"];
    let hook = json!({"name": "ops", "url": format!("{}/hook", receiver.url()), "events": events});
    scene.acme.create("alert-webhooks", hook).await;
    receiver
}

#[tokio::test]
async fn thresholds_and_exhaustion_are_told_once_each() {
    let scene = Scene::new().await;
    let receiver = told_of_budgets(&scene).await;
    let budget = json!({"name": "day", "scope_type": "org", "period": "daily", "token_limit": 100,
        "alert_thresholds": [50, 80], "action_on_exhaust": "block"});
    scene.acme.create("budgets", budget).await;
    scene.openai.always(costing(20, 10));
    let told = || {
        let calls = receiver.saw();
        calls.iter().map(|call| call.json()).collect::<Vec<Value>>()
    };
    for percents in 0..=3 {
        scene.key.chat("fast").await.has_status(200);
        let count = until("it is told", async || {
            let count = told().len();
            (count >= percents).then_some(count)
        })
        .await;
        assert_eq!(count, percents, "{:?}", told());
    }
    scene.key.chat("fast").await.has_status(429);
    scene.key.chat("fast").await.has_status(429);
    let told = told();
    let of = |alert: &Value| (alert["type"].clone(), alert["data"]["threshold"].clone());
    assert_eq!(
        told.iter().map(of).collect::<Vec<_>>(),
        [
            (json!("budget_threshold"), json!(50)),
            (json!("budget_threshold"), json!(80)),
            (json!("budget_exhausted"), json!(100)),
        ]
    );
    assert_eq!(told[0]["data"]["budget_name"], "day");
    assert_eq!(told[0]["data"]["tokens_used"], 60);
    until("the figures say so", async || {
        let metrics = scene.gateway.metrics().await;
        let raised = |kind| metrics.sum("turnpike_alerts_total", &[("kind", kind)]);
        let sent = |how| metrics.sum("turnpike_alert_deliveries_total", &[("outcome", how)]);
        let kinds = ["budget_threshold", "budget_exhausted", "route_ejected"].map(raised);
        let sent = ["delivered", "failed", "given_up"].map(sent);
        (kinds == [2, 1, 0] && sent == [3, 0, 0]).then_some(())
    })
    .await;
}

/// What a receiver was told of budgets: the event and the percents of the limit.
fn thresholds(receiver: &MockVendor) -> Vec<(Value, Value, Value)> {
    let calls = receiver.saw();
    let told = calls.iter().map(|call| call.json()).map(|alert| {
        let data = &alert["data"];
        (alert["type"].clone(), data["threshold"].clone(), data["token_limit"].clone())
    });
    let mut told: Vec<_> = told.collect();
    told.sort_by_key(|(_, percent, limit)| (limit.as_i64(), percent.as_i64()));
    told
}

#[tokio::test]
async fn a_budget_that_is_made_or_changed_below_what_is_used_is_told_without_a_request() {
    let scene = Scene::new().await;
    let receiver = told_of_budgets(&scene).await;
    scene.openai.always(costing(20, 10));
    scene.key.chat("fast").await.has_status(200);
    let mut budget = json!({"name": "day", "scope_type": "org", "period": "daily",
        "token_limit": 20, "alert_thresholds": [50], "action_on_exhaust": "block"});
    let made = scene.acme.create("budgets", budget.clone()).await;
    let told = |count: usize| {
        let receiver = &receiver;
        until("it is told", async move || {
            Some(thresholds(receiver)).filter(|told| told.len() >= count)
        })
    };
    let half = |limit: i64| (json!("budget_threshold"), json!(50), json!(limit));
    let whole = |limit: i64| (json!("budget_exhausted"), json!(100), json!(limit));
    assert_eq!(told(2).await, [half(20), whole(20)]);
    scene.key.chat("fast").await.has_status(429);
    // What is reached of a raised limit is told of that one.
    budget["token_limit"] = json!(50);
    let path = format!("/admin/budgets/{}", made["id"].as_str().unwrap());
    scene.acme.put(&path, budget).await.has_status(200);
    assert_eq!(told(3).await, [half(20), whole(20), half(50)]);
    scene.key.chat("fast").await.has_status(200);
    assert_eq!(told(4).await, [half(20), whole(20), half(50), whole(50)]);
}

#[tokio::test]
async fn a_strict_budget_is_told_to_be_exhausted_when_what_is_left_serves_nobody() {
    let scene = Scene::new().await;
    let receiver = told_of_budgets(&scene).await;
    scene.acme.create("budgets", strict(500)).await;
    scene.openai.always(costing(440, 30));
    scene.key.chat("fast").await.has_status(200);
    for _ in 0..2 {
        scene.key.chat("fast").await.has_status(429);
    }
    let told = until("all of it is told", async || {
        let told: Vec<Value> = receiver.saw().iter().map(|call| call.json()).collect();
        (told.len() >= 3).then_some(told)
    })
    .await;
    let of = |alert: &Value| {
        let data = &alert["data"];
        let members = ["threshold", "tokens_used", "token_limit", "percentage_used"];
        (alert["type"].clone(), members.map(|name| data[name].as_i64()))
    };
    let threshold = |percent| (json!("budget_threshold"), [percent, 470, 500, 94].map(Some));
    let exhausted = (json!("budget_exhausted"), [100, 470, 500, 94].map(Some));
    // What is raised at once is delivered in any order.
    let mut told: Vec<_> = told.iter().map(of).collect();
    told.sort_by_key(|(_, figures)| *figures);
    assert_eq!(told, [threshold(80), threshold(90), exhausted]);
}

#[tokio::test]
async fn a_credential_that_the_vendor_refuses_is_told_once_for_each_provider() {
    let scene = Scene::new().await;
    let receiver = MockVendor::start().await;
    receiver.always(Reply::says("{}"));
    let hook = json!({"name": "ops", "url": format!("{}/hook", receiver.url()),
        "events": ["upstream_key_rejected"]});
    scene.acme.create("alert-webhooks", hook).await;
    scene.openai.always(Reply::status(401));
    scene.anthropic.always(Reply::status(403));
    for _ in 0..3 {
        scene.key.chat("fast").await.has_status(502);
    }
    scene.key.chat("smart").await.has_status(502);
    let told = until("both are told", async || {
        let told: Vec<Value> = receiver.saw().iter().map(|call| call.json()).collect();
        (told.len() >= 2).then_some(told)
    })
    .await;
    let of = |alert: &Value| {
        let data = &alert["data"];
        (alert["type"].clone(), data["provider_name"].clone(), data["status"].clone())
    };
    let mut told: Vec<_> = told.iter().map(of).collect();
    told.sort_by_key(|(_, name, _)| name.to_string());
    let rejected = json!("upstream_key_rejected");
    assert_eq!(
        told,
        [
            (rejected.clone(), json!("anthropic"), json!(403)),
            (rejected, json!("openai"), json!(401)),
        ]
    );
    assert!(!format!("{told:?}").contains("vendor-key"));
}
