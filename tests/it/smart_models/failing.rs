//! A determiner that fails, dawdles or talks: the request goes on, to the default slot or the floor.

use std::time::{Duration, Instant};

use serde_json::json;

use super::{Stage, chat, says};
use crate::support::{Gateway, Reply};

/// A gateway on which determiners have little time.
fn hasty() -> crate::support::GatewayBuilder {
    Gateway::configured().set("routing.determiner_timeout_ms", 300)
}

#[tokio::test]
async fn a_determiner_that_fails_or_says_nothing_useful_means_the_default() {
    let stage = Stage::new().await;
    for reply in [
        Reply::status(500),
        Reply::status(400),
        Reply::status(401),
        Reply::hangs_up(),
        Reply::resets(),
        Reply::says("1").header("content-type", "application/json"),
        Reply::says("garbage").header("content-type", "application/json"),
        Reply::says(vec![b'2'; 3 << 20]).header("content-type", "application/json"),
        says("I choose 2"),
        says("7"),
    ] {
        stage.judge.always(reply);
        assert_eq!(stage.slot_of("Hi").await, 1);
    }
    let metrics = stage.gateway.metrics().await;
    let defaults = [("reason", "default")];
    assert_eq!(metrics.sum("turnpike_smart_model_choices_total", &defaults), 10);
}

#[tokio::test]
async fn the_floor_stands_above_the_default() {
    let stage = Stage::new().await;
    stage.change(json!({"default_slot_on_failure": 0})).await;
    stage.judge.always(Reply::status(500));
    assert_eq!(stage.slot_of("Hi").await, 0);
    assert_eq!(stage.slot_of(&"word".repeat(1_000)).await, 1);
}

#[tokio::test]
async fn a_slow_determiner_is_not_waited_for() {
    let stage = Stage::with(hasty(), json!({})).await;
    stage.judge.always(Reply::hangs());
    let begun = Instant::now();
    let ask = stage.key.post("/v1/chat/completions", chat("Hi")).header("x-request-id", "slow");
    ask.await.has_status(200);
    let took = begun.elapsed();
    assert!((Duration::from_millis(300)..Duration::from_secs(3)).contains(&took), "{took:?}");
    assert_eq!(stage.seen(), [0, 1, 0]);
    stage.judge.saw_one().abandoned_after(begun).await;
    let record = stage.acme.record_of("slow.d").await;
    assert_eq!(record["status"], 499, "its record says that nobody waited: {record}");
}

#[tokio::test]
async fn a_determiner_that_drips_is_not_waited_for_either() {
    let stage = Stage::with(hasty(), json!({})).await;
    stage.judge.always(says("0").byte_by_byte().dripping(Duration::from_millis(50)));
    let begun = Instant::now();
    assert_eq!(stage.slot_of("Hi").await, 1);
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_client_that_leaves_takes_the_question_with_it() {
    let stage = Stage::new().await;
    stage.judge.always(Reply::hangs());
    let ask = stage.key.post("/v1/chat/completions", chat("Hi")).header("x-request-id", "gone");
    let wire = ask.sent().await;
    let call = stage.judge.wait_for_calls(1).await.remove(0);
    let after = call.abandoned_after(wire.leave()).await;
    assert!(after < Duration::from_secs(2), "the determiner is let go at once: {after:?}");
    for id in ["gone", "gone.d"] {
        let record = stage.acme.record_of(id).await;
        assert_eq!(record["status"], 499, "{record}");
    }
    assert_eq!(stage.acme.record_of("gone").await["requested_model"], "auto");
    assert_eq!(stage.seen(), [0, 0, 0]);
}

#[tokio::test]
async fn a_determiner_that_is_gone_means_the_default() {
    let stage = Stage::new().await;
    let routes = stage.acme.get("/admin/model-mappings").await.json();
    let judge = routes.as_array().unwrap().iter().find(|row| row["model_alias"] == "judge");
    let path = format!("/admin/model-mappings/{}", judge.unwrap()["id"].as_str().unwrap());
    stage.acme.delete(&path).await.has_status(200);
    assert_eq!(stage.slot_of("Hi").await, 1);
    stage.judge.saw_nothing();
}

#[tokio::test]
async fn a_slot_that_leads_nowhere_any_more_is_told_by_name() {
    let stage = Stage::new().await;
    let routes = stage.acme.get("/admin/model-mappings").await.json();
    let small = routes.as_array().unwrap().iter().find(|row| row["model_alias"] == "small");
    let path = format!("/admin/model-mappings/{}", small.unwrap()["id"].as_str().unwrap());
    stage.acme.delete(&path).await.has_status(200);
    let answer = stage.key.post("/v1/chat/completions", chat("Hi")).await.has_status(404);
    let error = answer.openai_error();
    assert_eq!(error["code"], "model_not_found");
    assert!(error["message"].as_str().unwrap().contains("'auto' chose 'small'"), "{error}");
}
