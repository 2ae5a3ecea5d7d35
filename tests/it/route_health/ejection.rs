//! What ejects a route, what does not, and what is tried then.

use serde_json::json;

use super::scene::health;
use crate::support::{MockVendor, Reply, TwoRoutes, operations, until};

#[tokio::test]
async fn a_route_that_failed_ten_times_is_skipped() {
    let scene = TwoRoutes::new().await;
    scene.first.always(Reply::status(503));
    scene.asks(10, 200).await;
    assert_eq!(scene.first.saw().len(), 10);
    for _ in 0..5 {
        let answer = scene.key.chat("fast").await.has_status(200);
        assert_eq!(answer.header("x-bd-provider-route-attempt"), Some("2"), "it keeps its place");
        assert_eq!(answer.header("x-bd-provider-failover-count"), Some("0"), "nothing has failed");
    }
    assert_eq!((scene.first.saw().len(), scene.second.saw().len()), (10, 15));
    let health = scene.first_health().await;
    assert_eq!((&health["state"], &health["multiplier"]), (&json!("ejected"), &json!(1)));
    assert_eq!(health["cooldown_reason"], "rolling_failures");
    assert_eq!(health["consecutive_failures"], 10);
    assert!((1..=30).contains(&health["eject_remaining_secs"].as_u64().unwrap()), "{health}");
    let change = &health["recent_transitions"][0];
    assert_eq!((&change["from"], &change["to"]), (&json!("healthy"), &json!("ejected")));
    assert_eq!(
        (&change["reason"], &change["window_secs"]),
        (&json!("rolling_failures"), &json!(60))
    );
}

#[tokio::test]
async fn a_refused_credential_counts_against_the_route() {
    let scene = TwoRoutes::new().await;
    scene.first.always(Reply::status(401));
    scene.asks(13, 200).await;
    assert_eq!(scene.first.saw().len(), 10);
}

#[tokio::test]
async fn a_route_that_fails_now_and_then_is_used_on() {
    let scene = TwoRoutes::new().await;
    for _ in 0..12 {
        scene.first.will(Reply::answers()).will(Reply::answers()).will(Reply::status(500));
        scene.asks(3, 200).await;
    }
    assert_eq!(scene.first.saw().len(), 36);
    assert_eq!(scene.first_health().await["state"], "healthy");
}

#[tokio::test]
async fn what_is_the_clients_fault_never_ejects() {
    let scene = TwoRoutes::new().await;
    for status in [400, 404, 413, 422] {
        scene.first.always(Reply::status(status));
        scene.asks(6, status).await;
    }
    scene.first.always(Reply::hangs());
    for turn in 25..=36 {
        let wire = scene.key.chat("fast").sent().await;
        scene.first.wait_for_calls(turn).await;
        wire.leave();
    }
    let health = until("those who left are gone", async || {
        let health = scene.first_health().await;
        (health["in_flight"] == 0).then_some(health)
    })
    .await;
    assert_eq!(health["state"], "healthy", "{health}");
    scene.first.always(Reply::answers());
    scene.asks(1, 200).await;
    scene.second.saw_nothing();
}

#[tokio::test]
async fn a_429_ejects_for_as_long_as_the_vendor_says() {
    let scene = TwoRoutes::new().await;
    scene.first.will(Reply::status(429).retry_after(120));
    scene.asks(4, 200).await;
    assert_eq!((scene.first.saw().len(), scene.second.saw().len()), (1, 4));
    let health = scene.first_health().await;
    assert_eq!(
        (&health["state"], &health["cooldown_reason"]),
        (&json!("ejected"), &json!("rate_limited"))
    );
    assert!((90..=120).contains(&health["eject_remaining_secs"].as_u64().unwrap()), "{health}");
}

#[tokio::test]
async fn a_vendor_that_has_too_much_to_do_is_spared_at_once_in_whatever_form_it_says_so() {
    let told = "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"Overloaded\"}}\n\n";
    for reply in [Reply::status(529), Reply::streams([told])] {
        let scene = TwoRoutes::new().await;
        let provider =
            |name, vendor| scene.acme.provider(name).vendor("anthropic").at(vendor).model("claude");
        let first = provider("a1", &scene.first).await;
        let second = provider("a2", &scene.second).await;
        scene.acme.alias("smart", &[(&first, "claude"), (&second, "claude")]).await;
        scene.first.will(reply);
        let body = operations::MESSAGES.stream_body("smart");
        scene.key.post("/v1/messages", body).await.has_status(200);
        let health = health(&scene.acme, &first, "claude").await;
        assert_eq!(
            (&health["state"], &health["cooldown_reason"]),
            (&json!("ejected"), &json!("rate_limited"))
        );
    }
}

#[tokio::test]
async fn a_429_that_is_retried_with_success_ejects_nobody() {
    let scene = TwoRoutes::new().await;
    let retries = json!({"retry_on_429_count": 1, "retry_on_429_max_wait_secs": 1, "priority": -1});
    scene.acme.route("patient", &scene.first_provider, "gpt-4o", retries).await;
    scene.first.will(Reply::status(429).retry_after(0));
    let answer = scene.key.chat("patient").await.has_status(200);
    assert_eq!(answer.header("x-bd-provider-retry-count"), Some("1"));
    assert_eq!(scene.first_health().await["state"], "healthy");
}

#[tokio::test]
async fn where_every_route_is_ejected_the_one_nearest_recovery_is_tried() {
    let scene = TwoRoutes::new().await;
    scene.first.will(Reply::status(429).retry_after(200));
    scene.second.will(Reply::status(429).retry_after(100));
    scene.asks(1, 502).await;
    scene.second.will(Reply::status(503));
    let failed = scene.key.chat("fast").await.has_status(502);
    assert_eq!(failed.openai_error()["attempts"].as_array().map(Vec::len), Some(1), "it alone");
    let answer = scene.key.chat("fast").await.has_status(200);
    assert_eq!(answer.header("x-bd-provider-route-attempt"), Some("2"));
    assert_eq!((scene.first.saw().len(), scene.second.saw().len()), (1, 3));
}

#[tokio::test]
async fn a_pinned_request_is_always_tried() {
    let scene = TwoRoutes::new().await;
    scene.first.always(Reply::status(503));
    for _ in 0..12 {
        scene.key.chat("first/gpt-4o").await.has_status(502);
    }
    assert_eq!(scene.first.saw().len(), 12);
    assert_eq!(scene.first_health().await["state"], "ejected");
}

#[tokio::test]
async fn health_is_kept_for_each_model_of_a_provider_and_of_nobody_else() {
    let scene = TwoRoutes::new().await;
    let vendor = MockVendor::start().await;
    let both = scene.acme.provider("both").at(&vendor).model("a").model("b").await;
    let globex = scene.gateway.org("globex");
    let theirs = globex.provider("both").at(&vendor).model("a").await;
    vendor.always(Reply::status(500));
    for _ in 0..10 {
        scene.key.chat("both/a").await.has_status(502);
    }
    assert_eq!(health(&scene.acme, &both, "a").await["state"], "ejected");
    assert_eq!(health(&scene.acme, &both, "b").await["state"], "healthy");
    assert_eq!(health(&globex, &theirs, "a").await["state"], "healthy");
}
