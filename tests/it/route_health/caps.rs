//! `max_concurrent_requests`: a route that is full is passed over.

use serde_json::json;

use crate::support::{Gate, Reply, TwoRoutes, until};

/// Two routes, of which the first one takes one request at a time.
async fn capped() -> TwoRoutes {
    let scene = TwoRoutes::new().await;
    let row = scene.first_provider.one_to_one("gpt-4o").await;
    let path = format!("/admin/model-mappings/{}", row["id"].as_str().unwrap());
    scene.acme.put(&path, json!({"max_concurrent_requests": 1})).await.has_status(200);
    scene
}

#[tokio::test]
async fn a_full_route_is_passed_over_until_its_request_has_ended() {
    let scene = capped().await;
    let gate = Gate::closed();
    scene.first.will(Reply::answers().gated(&gate));
    let held = scene.key.chat("fast").sent().await;
    scene.first.wait_for_calls(1).await;
    let answer = scene.key.chat("fast").await.has_status(200);
    assert_eq!(answer.header("x-bd-provider-route-attempt"), Some("2"));
    assert_eq!(answer.header("x-bd-provider-failover-count"), Some("0"));
    let health = scene.first_health().await;
    assert_eq!((&health["in_flight"], &health["concurrency_cap"]), (&json!(1), &json!(1)));
    gate.open();
    let mut held = held;
    held.answer().await.has_status(200);
    let answer = scene.key.chat("fast").await.has_status(200);
    assert_eq!(answer.header("x-bd-provider-route-attempt"), Some("1"));
    assert_eq!(scene.first_health().await["in_flight"], 0);
}

#[tokio::test]
async fn where_every_route_is_full_the_client_is_asked_to_come_back() {
    let scene = capped().await;
    let gate = Gate::closed();
    scene.first.will(Reply::answers().gated(&gate));
    let _held = scene.key.chat("first/gpt-4o").sent().await;
    scene.first.wait_for_calls(1).await;
    let ask = scene.key.chat("first/gpt-4o").header("x-request-id", "one-too-many");
    let answer = ask.await.has_status(503);
    assert_eq!(answer.header("retry-after"), Some("1"));
    assert_eq!(answer.openai_error()["code"], "routes_full");
    assert!(answer.text().contains("max_concurrent_requests"), "{}", answer.tell());
    assert_eq!(scene.first.saw().len(), 1);
    let record = scene.acme.record_of("one-too-many").await;
    assert_eq!((&record["status"], &record["denied_by"]), (&json!(503), &json!("concurrency")));
    gate.open();
}

#[tokio::test]
async fn a_client_that_leaves_in_mid_stream_makes_room() {
    let scene = capped().await;
    for turn in 1..=3 {
        scene.first.will(Reply::answers().stalls_after(1));
        let mut live = scene.key.chat_stream("first/gpt-4o").open().await;
        live.event().await;
        assert_eq!(scene.first.saw().len(), turn);
        scene.key.chat("first/gpt-4o").await.has_status(503);
        live.leave();
        until("there is room again", async || {
            (scene.first_health().await["in_flight"] == 0).then_some(())
        })
        .await;
    }
    scene.key.chat("first/gpt-4o").await.has_status(200);
}

#[tokio::test]
async fn an_aliass_own_cap_is_its_own() {
    let scene = TwoRoutes::new().await;
    let (provider, cap) = (&scene.first_provider, json!({"max_concurrent_requests": 1}));
    let row = scene.acme.route("narrow", provider, "gpt-4o", cap).await;
    assert_eq!(row["max_concurrent_requests"], 1);
    let gate = Gate::closed();
    scene.first.will(Reply::answers().gated(&gate));
    let _held = scene.key.chat("narrow").sent().await;
    scene.first.wait_for_calls(1).await;
    scene.key.chat("narrow").await.has_status(503);
    let answer = scene.key.chat("fast").await.has_status(200);
    assert_eq!(answer.header("x-bd-provider-route-attempt"), Some("1"));
    gate.open();
}
