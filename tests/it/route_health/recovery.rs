//! How a route comes back.

use std::future::IntoFuture as _;

use serde_json::json;
use tokio::task::JoinHandle;

use crate::support::{Answer, Gate, Gateway, Reply, TwoRoutes, until};

/// Two routes whose cool-downs are short.
async fn short() -> TwoRoutes {
    let builder = Gateway::configured().set("ejection.base_ms", 40).set("ejection.max_ms", 200);
    TwoRoutes::with(builder).await
}

/// Asks until a request reaches the first route, and leaves it there.
async fn probe(scene: &TwoRoutes) -> JoinHandle<Answer> {
    let before = scene.first.saw().len();
    loop {
        let asked = tokio::spawn(scene.key.chat("fast").into_future());
        let reached = until("a vendor has been asked", async || {
            let reached = scene.first.saw().len() > before;
            (reached || asked.is_finished()).then_some(reached)
        })
        .await;
        if reached {
            return asked;
        }
    }
}

#[tokio::test]
async fn it_is_probed_by_one_request_at_a_time_and_used_again_once_three_were_answered() {
    let scene = short().await;
    scene.first.always(Reply::status(503));
    scene.asks(10, 200).await;
    let gate = Gate::closed();
    scene.first.always(Reply::answers().gated(&gate));
    let probe = probe(&scene).await;
    assert_eq!(scene.first_health().await["state"], "half_open");
    for _ in 0..3 {
        let answer = scene.key.chat("fast").await.has_status(200);
        assert_eq!(answer.header("x-bd-provider-route-attempt"), Some("2"), "one probe at a time");
    }
    assert_eq!(scene.first.saw().len(), 11);
    gate.open();
    let answer = probe.await.unwrap().has_status(200);
    assert_eq!(answer.header("x-bd-provider-route-attempt"), Some("1"));
    for _ in 0..2 {
        assert_eq!(scene.first_health().await["state"], "half_open");
        let answer = scene.key.chat("fast").await.has_status(200);
        assert_eq!(answer.header("x-bd-provider-route-attempt"), Some("1"));
    }
    let health = scene.first_health().await;
    assert_eq!((&health["state"], &health["cooldown_reason"]), (&json!("healthy"), &json!(null)));
    assert_eq!(health["consecutive_failures"], 0);
}

#[tokio::test]
async fn a_client_that_leaves_its_probe_makes_room_for_another() {
    let scene = short().await;
    scene.first.always(Reply::status(503));
    scene.asks(10, 200).await;
    scene.first.always(Reply::hangs());
    let left = probe(&scene).await;
    left.abort();
    scene.first.always(Reply::answers());
    let answer = probe(&scene).await.await.unwrap().has_status(200);
    assert_eq!(answer.header("x-bd-provider-route-attempt"), Some("1"));
}

#[tokio::test]
async fn each_probe_that_fails_doubles_the_cool_down() {
    let scene = short().await;
    scene.first.always(Reply::status(503));
    scene.asks(10, 200).await;
    for multiplier in [2, 4] {
        probe(&scene).await.await.unwrap().has_status(200);
        let health = scene.first_health().await;
        assert_eq!(health["multiplier"], multiplier, "{health}");
    }
    assert_eq!(scene.first.saw().len(), 12);
}

#[tokio::test]
async fn an_administrator_brings_it_back_at_once() {
    let scene = TwoRoutes::new().await;
    scene.first.always(Reply::status(503));
    scene.asks(12, 200).await;
    scene.first.always(Reply::answers());
    let path = format!("/admin/llm-gw/route-health/{}/reset", scene.first_provider.id);
    let reset = || scene.acme.post(&path, json!({"upstream_model": "gpt-4o"}));
    let done = reset().await.has_status(200).json();
    assert_eq!(
        (&done["was_ejected"], &done["shared_state_cleared"]),
        (&json!(true), &json!(false))
    );
    let answer = scene.key.chat("fast").await.has_status(200);
    assert_eq!(answer.header("x-bd-provider-route-attempt"), Some("1"));
    let health = scene.first_health().await;
    assert_eq!((&health["state"], &health["multiplier"]), (&json!("healthy"), &json!(1)));
    assert_eq!(health["recent_transitions"][0]["reason"], "reset");
    assert_eq!(reset().await.has_status(200).json()["was_ejected"], false);
    let audit = scene.acme.get("/admin/audit?limit=500").await.has_status(200).json();
    let resets = audit["data"].as_array().unwrap().iter();
    let resets = resets.filter(|row| row["action"] == "route_health.reset").count();
    assert_eq!(resets, 1, "the second one changed nothing");
}
