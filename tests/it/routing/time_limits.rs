//! Total, first-byte and idle limits, by their tiers.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Ending, Gate, MockVendor, Reply, TwoRoutes, mock::Faces};

async fn with_route(more: Value) -> TwoRoutes {
    let scene = TwoRoutes::new().await;
    let rows = scene.first_provider.routes().await;
    let row = rows.iter().find(|row| row["model_alias"] == "fast").unwrap();
    let path = format!("/admin/model-mappings/{}", row["id"].as_str().unwrap());
    scene.acme.put(&path, more).await.has_status(200);
    scene
}

#[tokio::test]
async fn a_silent_vendor_runs_into_the_total_limit_and_the_next_route_is_asked() {
    let scene = with_route(json!({"request_timeout_secs": 1})).await;
    scene.first.will(Reply::hangs());
    let answer = scene.key.chat("fast").header("x-request-id", "slow").await.has_status(200);
    assert_eq!(answer.header("x-bd-provider-failover-count"), Some("1"));
    let record = scene.acme.record_of("slow").await;
    assert_eq!(record["attempts"][0]["error_type"], "timeout");
    assert!(record["latency_ms"].as_u64().unwrap() >= 990, "{record}");
    assert!(scene.first.saw_one().gone_at().is_some(), "the silent vendor's connection is closed");
}

#[tokio::test]
async fn a_stream_without_a_first_event_runs_into_the_idle_limit_and_fails_over() {
    let scene = with_route(json!({"stream_idle_timeout_secs": 1})).await;
    for silence in [Reply::hangs(), Reply::answers().stalls_after(0)] {
        scene.first.will(silence);
        let answer = scene.key.chat_stream("fast").await.has_status(200);
        assert_eq!(answer.header("x-bd-provider-failover-count"), Some("1"));
        assert!(answer.text().ends_with("data: [DONE]\n\n"));
    }
}

#[tokio::test]
async fn streams_have_no_total_limit() {
    let scene = with_route(json!({"request_timeout_secs": 1, "stream_idle_timeout_secs": 2})).await;
    scene.first.will(Reply::answers().dripping(Duration::from_millis(350)));
    let answer = scene.key.chat_stream("fast").await.has_status(200);
    assert_eq!(answer.header("x-bd-provider-route-attempt"), Some("1"));
    assert!(answer.text().ends_with("data: [DONE]\n\n"), "{}", answer.text());
    assert!(!answer.text().contains("error"));
}

#[tokio::test]
async fn plain_answers_have_no_idle_limit() {
    let scene =
        with_route(json!({"request_timeout_secs": 30, "stream_idle_timeout_secs": 1})).await;
    scene.first.will(Reply::answers().after(Duration::from_millis(1600)));
    let answer = scene.key.chat("fast").await.has_status(200);
    assert_eq!(answer.header("x-bd-provider-route-attempt"), Some("1"));
}

#[tokio::test]
async fn an_answer_that_stalls_halfway_is_cut_at_the_total_limit_and_recorded() {
    let scene = with_route(json!({"request_timeout_secs": 1})).await;
    scene.first.will(Reply::answers().split_at(30).stalls_after(1));
    let answer = scene.key.chat("fast").header("x-request-id", "half").await;
    // Either it was held back and failed over, or it was begun and must not look complete.
    if answer.header("x-bd-provider-route-attempt") != Some("2") {
        assert_eq!(answer.ending, Ending::Cut, "{}", answer.tell());
        scene.second.saw_nothing();
    }
    let record = scene.acme.record_of("half").await;
    assert_eq!(record["attempts"][0]["error_type"], "timeout", "{record}");
}

#[tokio::test]
async fn the_provider_tier_counts_where_the_route_says_nothing() {
    let scene = TwoRoutes::new().await;
    scene
        .first_provider
        .put(json!({"request_timeout_secs": 1, "stream_idle_timeout_secs": 1}))
        .await
        .has_status(200);
    scene.first.will(Reply::hangs()).will(Reply::hangs());
    for ask in [scene.key.chat("fast"), scene.key.chat_stream("fast")] {
        assert_eq!(ask.await.has_status(200).header("x-bd-provider-failover-count"), Some("1"));
    }
}

#[tokio::test]
async fn the_one_to_one_tier_counts_before_the_providers() {
    let scene = TwoRoutes::new().await;
    scene.first_provider.put(json!({"request_timeout_secs": 600})).await.has_status(200);
    let row = scene.first_provider.one_to_one("gpt-4o").await;
    let path = format!("/admin/model-mappings/{}", row["id"].as_str().unwrap());
    scene.acme.put(&path, json!({"request_timeout_secs": 1})).await.has_status(200);
    scene.first.will(Reply::hangs());
    assert_eq!(
        scene.key.chat("fast").await.has_status(200).header("x-bd-provider-failover-count"),
        Some("1")
    );
}

#[tokio::test]
async fn the_routes_own_limit_counts_before_every_other() {
    let scene = with_route(json!({"request_timeout_secs": 20})).await;
    scene.first_provider.put(json!({"request_timeout_secs": 1})).await.has_status(200);
    scene.first.will(Reply::answers().after(Duration::from_millis(1600)));
    let answer = scene.key.chat("fast").await.has_status(200);
    assert_eq!(answer.header("x-bd-provider-route-attempt"), Some("1"));
}

#[tokio::test]
async fn each_attempt_has_its_own_limit() {
    let scene = TwoRoutes::new().await;
    scene.first_provider.put(json!({"request_timeout_secs": 1})).await.has_status(200);
    scene.second_provider.put(json!({"request_timeout_secs": 2})).await.has_status(200);
    scene.first.will(Reply::hangs());
    scene.second.will(Reply::answers().after(Duration::from_millis(1300)));
    scene.key.chat("fast").await.has_status(200);
}

#[tokio::test]
async fn an_idle_stream_ends_with_an_error_event_after_its_limit() {
    let scene = with_route(json!({"stream_idle_timeout_secs": 1})).await;
    let gate = Gate::closed();
    gate.let_one_through();
    gate.let_one_through();
    scene.first.will(Reply::answers().gated(&gate));
    let answer = scene.key.chat_stream("fast").header("x-request-id", "idle").await.has_status(200);
    assert_eq!(answer.ending, Ending::Complete);
    let events = answer.events();
    assert_eq!(events.last().map(String::as_str), Some("[DONE]"));
    let error: Value = serde_json::from_str(&events[events.len() - 2]).unwrap();
    assert!(error["error"]["message"].is_string(), "{events:?}");
    scene.second.saw_nothing();
    let record = scene.acme.record_of("idle").await;
    assert!(record["error_type"].is_string(), "{record}");
    assert_eq!(record["attempts"][0]["error_type"], "timeout");
    assert!(scene.first.saw_one().gone_at().is_some());
}

#[tokio::test]
async fn a_vendor_that_does_not_take_the_body_runs_into_the_limit() {
    for faces in [Faces::Plain, Faces::TlsH2] {
        let scene = TwoRoutes::new().await;
        let vendor = MockVendor::facing(faces).await;
        let settings = json!({"base_url": vendor.url(), "request_timeout_secs": 1});
        scene.first_provider.put(settings).await.has_status(200);
        vendor.will(Reply::hangs().early());
        let padding = "x".repeat(16 << 20);
        let body = format!(r#"{{"model":"fast","messages":[],"padding":"{padding}"}}"#);
        let ask = scene.key.post("/v1/chat/completions", body);
        let answer = ask.header("x-request-id", "stuck").await.has_status(200);
        assert_eq!(answer.header("x-bd-provider-failover-count"), Some("1"));
        let record = scene.acme.record_of("stuck").await;
        assert_eq!(record["attempts"][0]["error_type"], "timeout", "{record}");
    }
}
