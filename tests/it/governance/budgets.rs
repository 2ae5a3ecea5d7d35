//! Budgets: periods, limits of tokens and money, targets, and what an exhausted one does.

use futures_util::future::{join, join_all};
use serde_json::{Value, json};

use super::{costing, tokens_a_day};
use crate::support::{Gate, Gateway, Reply, Scene, TwoRoutes, until};

fn id(row: &Value) -> &str {
    row["id"].as_str().unwrap()
}

#[tokio::test]
async fn an_exhausted_budget_refuses_and_names_itself() {
    let scene = Scene::new().await;
    scene.acme.create("budgets", tokens_a_day(100)).await;
    scene.openai.always(costing(50, 30));
    scene.key.chat("fast").await.has_status(200);
    scene.key.chat("fast").await.has_status(200);
    let refused = scene.key.chat("fast").await.has_status(429);
    let error = refused.openai_error();
    assert_eq!(error["code"], "budget_exceeded");
    let message = error["message"].as_str().unwrap();
    assert!(message.contains("'daily tokens'") && message.contains("100 tokens"), "{message}");
    let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=86_400).contains(&wait), "until the day is over: {wait}");
    assert_eq!(scene.openai.saw().len(), 2);
    let record = scene.acme.records(3).await;
    assert!(record.iter().any(|record| record["denied_by"] == "budget"));
}

#[tokio::test]
async fn money_is_limited_as_tokens_are() {
    let scene = Scene::new().await;
    let price = json!({"model_pattern": "gpt-4o", "model_provider": "openai",
        "input_cost_per_million_tokens": 1_000_000, "output_cost_per_million_tokens": 1_000_000});
    scene.acme.create("model-pricing", price).await;
    let body = json!({"name": "money", "scope_type": "org", "period": "monthly", "token_limit": 0,
        "cost_limit": 15, "action_on_exhaust": "block"});
    scene.acme.create("budgets", body).await;
    scene.openai.always(costing(5, 5));
    scene.key.chat("fast").await.has_status(200);
    scene.key.chat("fast").await.has_status(200);
    let refused = scene.key.chat("fast").await.has_status(429);
    let message = refused.openai_error()["message"].as_str().unwrap().to_owned();
    assert!(message.contains("15 USD monthly"), "{message}");
}

#[tokio::test]
async fn a_burst_overdraws_by_no_more_than_is_expected_of_what_is_in_flight() {
    let scene = Scene::new().await;
    scene.openai.always(costing(60, 40));
    // What such requests use is learnt first.
    for _ in 0..20 {
        scene.key.chat("fast").await.has_status(200);
    }
    scene.acme.create("budgets", tokens_a_day(20 * 100 + 1000)).await;
    let answers = join_all((0..64).map(|_| async { scene.key.chat("fast").await })).await;
    let passed = answers.iter().filter(|answer| answer.status == 200).count();
    assert!((10..=11).contains(&passed), "{passed}");
    assert_eq!(scene.openai.saw().len(), 20 + passed);
}

#[tokio::test]
async fn a_budget_made_in_the_middle_counts_from_the_periods_start() {
    let scene = Scene::new().await;
    scene.openai.always(costing(50, 50));
    scene.key.chat("fast").await.has_status(200);
    scene.acme.records(1).await;
    scene.acme.create("budgets", tokens_a_day(100)).await;
    scene.key.chat("fast").await.has_status(429);
}

#[tokio::test]
async fn what_was_used_is_known_after_a_kill() {
    let mut scene = Scene::new().await;
    scene.acme.create("budgets", tokens_a_day(100)).await;
    scene.openai.always(costing(50, 50));
    scene.key.chat("fast").await.has_status(200);
    let secret = scene.key.secret.clone();
    scene.gateway = scene.gateway.killed_and_restarted().await;
    scene.gateway.caller(&secret).chat("fast").await.has_status(429);
}

#[tokio::test]
async fn a_raised_budget_and_a_removed_one_let_requests_through_again() {
    let scene = Scene::new().await;
    let row = scene.acme.create("budgets", tokens_a_day(10)).await;
    scene.openai.always(costing(10, 10));
    scene.key.chat("fast").await.has_status(200);
    scene.key.chat("fast").await.has_status(429);
    let path = format!("/admin/budgets/{}", id(&row));
    scene.acme.put(&path, json!({"token_limit": 30})).await.has_status(200);
    scene.key.chat("fast").await.has_status(200);
    scene.key.chat("fast").await.has_status(429);
    scene.acme.put(&path, json!({"enabled": false})).await.has_status(200);
    scene.key.chat("fast").await.has_status(200);
    scene.acme.put(&path, json!({"enabled": true})).await.has_status(200);
    scene.key.chat("fast").await.has_status(429);
    scene.acme.delete(&path).await.has_status(200);
    scene.key.chat("fast").await.has_status(200);
}

#[tokio::test]
async fn budgets_that_only_warn_never_refuse() {
    let scene = Scene::new().await;
    for action in ["warn", "alert", "throttle"] {
        let mut body = tokens_a_day(1);
        body["action_on_exhaust"] = json!(action);
        body["period"] = json!(["daily", "weekly", "monthly"][action.len() % 3]);
        scene.acme.post("/admin/budgets", body).await;
    }
    scene.openai.always(costing(10, 10));
    for _ in 0..4 {
        scene.key.chat("fast").await.has_status(200);
    }
}

#[tokio::test]
async fn what_an_exhausted_throttle_serves_is_marked_in_its_record() {
    let scene = Scene::new().await;
    for (name, action) in [("told only", "warn"), ("marks", "throttle")] {
        let body = json!({"name": name, "scope_type": "org", "token_limit": 20,
            "period": if action == "warn" { "weekly" } else { "daily" },
            "action_on_exhaust": action});
        scene.acme.create("budgets", body).await;
    }
    scene.openai.always(costing(10, 10));
    let within = scene.key.chat("fast").await.has_status(200);
    let over = scene.key.chat("fast").await.has_status(200);
    scene.acme.records(2).await;
    for (answer, mark) in [(within, Value::Null), (over, json!("marks"))] {
        let id = answer.header("x-request-id").unwrap().to_owned();
        let records = scene.acme.records_of(&id).await;
        assert_eq!(records[0]["throttled_by"], mark, "{records:?}");
    }
}

#[tokio::test]
async fn a_refused_request_is_found_by_its_alias() {
    let scene = Scene::new().await;
    scene.acme.create("budgets", tokens_a_day(10)).await;
    scene.openai.always(costing(10, 10));
    scene.key.chat("fast").await.has_status(200);
    scene.key.chat("fast").await.has_status(429);
    scene.acme.records(2).await;
    let refused = scene.acme.usage_where("alias=fast&status=429").await;
    assert_eq!(refused.len(), 1, "{refused:?}");
    assert_eq!(
        (&refused[0]["alias"], &refused[0]["denied_by"]),
        (&json!("fast"), &json!("budget"))
    );
    let metrics = scene.gateway.metrics().await;
    let counted =
        |alias| metrics.sum("turnpike_requests_total", &[("alias", alias), ("status", "429")]);
    assert_eq!((counted("fast"), counted("other")), (1, 0));
}

#[tokio::test]
async fn an_exhausted_target_drops_its_routes_and_not_the_request() {
    let scene = TwoRoutes::new().await;
    let mut body = tokens_a_day(10);
    body["target_provider_id"] = json!(scene.first_provider.id);
    scene.acme.create("budgets", body).await;
    assert_eq!(holds(&scene).await, [Value::Null, Value::Null]);
    scene.first.always(costing(10, 10));
    scene.key.chat("fast").await.has_status(200);
    let second = scene.key.chat("fast").await.has_status(200);
    assert_eq!(second.header("x-bd-provider-route-attempt"), Some("2"));
    assert_eq!((scene.first.saw().len(), scene.second.saw().len()), (1, 1));
    // Where no route is left, the request is refused.
    scene.key.chat("first/gpt-4o").await.has_status(429);

    let [first, second] = until("the list of routes says so", async || {
        Some(holds(&scene).await).filter(|[first, _]| !first.is_null())
    })
    .await;
    assert_eq!(
        (&first["budget_name"], &first["period"], &first["scope"], &first["target_id"]),
        (&json!("daily tokens"), &json!("daily"), &json!("org"), &json!(scene.first_provider.id))
    );
    assert_eq!((&first["usage"], &first["limit"]), (&json!(20), &json!(10)));
    assert!(second.is_null(), "{second}");
}

#[tokio::test]
async fn where_each_provider_has_a_budget_of_its_own_one_does_not_hold_the_other() {
    let scene = TwoRoutes::new().await;
    let mut body = tokens_a_day(10);
    body["scope_type"] = json!("llm_provider");
    scene.acme.create("budgets", body).await;
    scene.first.always(costing(10, 10));
    scene.key.chat("fast").await.has_status(200);
    let [first, second] = until("the list of routes says so", async || {
        Some(holds(&scene).await).filter(|[first, _]| !first.is_null())
    })
    .await;
    assert_eq!(first["scope"], "llm_provider");
    assert!(second.is_null(), "{second}");
    let answer = scene.key.chat("fast").await.has_status(200);
    assert_eq!(answer.header("x-bd-provider-route-attempt"), Some("2"));
}

/// The `budget_status` of the alias on both providers.
async fn holds(scene: &TwoRoutes) -> [Value; 2] {
    let of = async |provider: &str| {
        let path = format!("/admin/providers/{provider}/model-mappings");
        let routes = scene.acme.get(&path).await.has_status(200).json();
        let routes = routes.as_array().unwrap();
        let alias = routes.iter().find(|route| route["model_alias"] == "fast").unwrap();
        alias["budget_status"].clone()
    };
    [of(&scene.first_provider.id).await, of(&scene.second_provider.id).await]
}

#[tokio::test]
async fn each_user_has_a_budget_of_their_own() {
    let scene = Scene::new().await;
    let mut body = tokens_a_day(10);
    body["scope_type"] = json!("user");
    scene.acme.create("budgets", body).await;
    scene.openai.always(costing(10, 10));
    let mut keys = Vec::new();
    for name in ["ann", "bob"] {
        let user = scene.gateway.user("acme", name);
        let made = user.post("/user/api-keys", json!({"name": "own"})).await.has_status(200).json();
        keys.push(scene.key.holding(made["key"].as_str().unwrap()));
    }
    for key in &keys {
        key.chat("fast").await.has_status(200);
        key.chat("fast").await.has_status(429);
    }
    scene.key.chat("fast").await.has_status(200);
    scene.key.chat("fast").await.has_status(200);
}

#[tokio::test]
async fn where_every_other_route_fails_what_kept_the_request_from_one_is_told() {
    let scene = TwoRoutes::with(Gateway::configured().never_ejects()).await;
    let mut body = tokens_a_day(10);
    body["target_provider_id"] = json!(scene.second_provider.id);
    scene.acme.create("budgets", body).await;
    scene.first.always(Reply::status(503));
    scene.second.always(costing(10, 10));
    scene.key.chat("fast").await.has_status(200);
    let failed = scene.key.chat("fast").await.has_status(502);
    let error = failed.openai_error();
    let message = error["message"].as_str().unwrap();
    assert!(
        message
            .contains("gpt-4o-mini at second: budget 'daily tokens' is used up: 10 tokens daily"),
        "{message}"
    );
    let attempts = error["attempts"].as_array().unwrap();
    assert_eq!(
        (attempts.len(), &attempts[0]["provider"]),
        (1, &json!("first")),
        "tried ones alone"
    );
    assert_eq!(scene.second.saw().len(), 1);
}

#[tokio::test]
async fn a_budget_that_is_used_up_while_the_first_route_fails_is_told_too() {
    let scene = TwoRoutes::with(Gateway::configured().never_ejects()).await;
    let mut body = tokens_a_day(10);
    body["target_provider_id"] = json!(scene.second_provider.id);
    scene.acme.create("budgets", body).await;
    let gate = Gate::closed();
    scene.first.always(Reply::status(503).gated(&gate));
    scene.second.always(costing(10, 10));
    let waiting = async {
        until("it waits at the first", async || (scene.first.saw().len() == 1).then_some(())).await;
        scene.key.chat("second/gpt-4o-mini").await.has_status(200);
        gate.open();
    };
    let (failed, ()) = join(scene.key.chat("fast").into_future(), waiting).await;
    let message = failed.has_status(502).openai_error()["message"].as_str().unwrap().to_owned();
    assert!(message.contains("gpt-4o-mini at second: budget 'daily tokens'"), "{message}");
}
