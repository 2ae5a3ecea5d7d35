//! An ejection is told: in the log, in the metrics, to webhooks.

use serde_json::{Value, json};

use crate::support::{MockVendor, Reply, TwoRoutes, until};

/// The log's lines about the health of routes, once there are so many.
async fn changes(scene: &TwoRoutes, count: usize) -> Vec<Value> {
    until("the changes are logged", async || {
        let lines = scene.gateway.log();
        let lines = lines.iter().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let changes = lines.filter(|line| line["message"] == "a route's health changed");
        Some(changes.collect()).filter(|lines: &Vec<_>| lines.len() >= count)
    })
    .await
}

#[tokio::test]
async fn an_ejection_is_one_log_line_one_metric_and_one_message() {
    let scene = TwoRoutes::new().await;
    let receiver = MockVendor::start().await;
    receiver.always(Reply::says("{}"));
    let url = format!("{}/hook", receiver.url());
    let hook = json!({"name": "ops", "url": url, "events": ["route_ejected"]});
    scene.acme.create("alert-webhooks", hook).await;
    scene.first.always(Reply::status(503));
    scene.asks(14, 200).await;

    let lines = changes(&scene, 1).await;
    assert_eq!(lines.len(), 1, "{lines:?}");
    let line = &lines[0];
    assert_eq!((&line["provider"], &line["upstream_model"]), (&json!("first"), &json!("gpt-4o")));
    assert_eq!((&line["from"], &line["to"]), (&json!("healthy"), &json!("ejected")));
    assert_eq!((&line["reason"], &line["lasts_ms"]), (&json!("rolling_failures"), &json!(30_000)));

    let metrics = scene.gateway.metrics().await;
    let state = |provider| metrics.sum("turnpike_upstream_state", &[("provider", provider)]);
    assert_eq!((state("first"), state("second")), (0, 1));

    let told = receiver.wait_for_calls(1).await;
    let message = told[0].json();
    assert_eq!(message["type"], "route_ejected", "{message}");
    let data = &message["data"];
    assert_eq!(data["provider_id"], scene.first_provider.id.as_str());
    assert_eq!(
        (&data["provider_name"], &data["upstream_model"]),
        (&json!("first"), &json!("gpt-4o"))
    );
    assert_eq!(data["reason"], "rolling_failures");
    assert!(data["until"].is_string(), "{message}");
    assert_eq!(receiver.saw().len(), 1);
}

#[tokio::test]
async fn a_reset_is_told_as_well() {
    let scene = TwoRoutes::new().await;
    scene.first.will(Reply::status(429).retry_after(100));
    scene.asks(1, 200).await;
    let path = format!("/admin/llm-gw/route-health/{}/reset", scene.first_provider.id);
    scene.acme.post(&path, json!({"upstream_model": "gpt-4o"})).await.has_status(200);
    let lines = changes(&scene, 2).await;
    assert_eq!((&lines[1]["to"], &lines[1]["reason"]), (&json!("healthy"), &json!("reset")));
    let metrics = scene.gateway.metrics().await;
    assert_eq!(metrics.sum("turnpike_upstream_state", &[("provider", "first")]), 1);
}

#[tokio::test]
async fn another_organizations_provider_of_the_same_name_hides_no_ejection() {
    let scene = TwoRoutes::new().await;
    scene.first.will(Reply::status(429).retry_after(100));
    scene.asks(1, 200).await;
    let beta = scene.gateway.org("beta");
    beta.provider("first").at(&scene.second).model("gpt-4o").await;
    beta.key().await.chat("first/gpt-4o").await.has_status(200);
    let state = async || {
        let metrics = scene.gateway.metrics().await;
        metrics.sum("turnpike_upstream_state", &[("provider", "first")])
    };
    assert_eq!(state().await, 0, "acme's is ejected, beta's is not");
    // Nobody tries a provider that is gone: what became of it speaks for nobody any more.
    scene.first_provider.delete().await.has_status(200);
    assert_eq!(state().await, 1, "beta's alone");
}

#[tokio::test]
async fn the_list_of_routes_says_which_is_skipped_and_why() {
    let scene = TwoRoutes::new().await;
    assert_eq!(
        holds(&scene).await,
        [("first".to_owned(), Value::Null), ("second".into(), Value::Null)]
    );
    scene.first.will(Reply::status(429).retry_after(100));
    scene.asks(1, 200).await;
    let holds = holds(&scene).await;
    let hold = &holds[0].1;
    assert_eq!(
        (&hold["state"], &hold["reason"], &hold["scope"]),
        (&json!("suspended"), &json!("rate_limited"), &json!("all_users"))
    );
    let seconds = hold["recovers_in_secs"].as_u64().unwrap();
    assert!((1..=100).contains(&seconds), "{hold}");
    assert!(hold["message"].as_str().unwrap().contains("too much to do"), "{hold}");
    assert_eq!(holds[1].1, Value::Null);
}

/// The providers of the alias `fast`, and the `route_health_status` of its routes.
async fn holds(scene: &TwoRoutes) -> Vec<(String, Value)> {
    let routes = scene.acme.get("/admin/model-mappings").await.has_status(200).json();
    let routes = routes.as_array().unwrap().iter().filter(|route| route["model_alias"] == "fast");
    let hold = |route: &Value| {
        (route["provider_name"].as_str().unwrap().to_owned(), route["route_health_status"].clone())
    };
    routes.map(hold).collect()
}
