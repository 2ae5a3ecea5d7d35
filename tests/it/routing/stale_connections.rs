//! A pooled connection that dies before a byte of the answer is no failure of the route.

use crate::support::{Reply, TwoRoutes};

#[tokio::test]
async fn a_pooled_connection_that_dies_is_replaced_once_and_nobody_notices() {
    let scene = TwoRoutes::new().await;
    for death in [Reply::hangs_up(), Reply::resets()] {
        scene.key.chat("fast").await.has_status(200);
        let (calls, connections) = (scene.first.saw().len(), scene.first.connections());
        scene.first.will(death);
        let answer = scene
            .key
            .chat("fast")
            .header("x-request-id", &format!("stale-{calls}"))
            .await
            .has_status(200);
        assert_eq!(answer.header("x-bd-provider-route-attempt"), Some("1"));
        assert_eq!(answer.header("x-bd-provider-failover-count"), Some("0"));
        assert_eq!(answer.header("x-bd-provider-retry-count"), Some("0"));
        assert_eq!(scene.first.saw().len(), calls + 2, "the same route is asked again");
        assert_eq!(scene.first.connections(), connections + 1, "on a fresh connection");
        let record = scene.acme.record_of(&format!("stale-{calls}")).await;
        assert_eq!(record["attempts"].as_array().unwrap().len(), 1);
        assert_eq!(record["attempts"][0]["error_type"], "ok");
    }
    scene.second.saw_nothing();
    assert_eq!(scene.gateway.metrics().await.sum("turnpike_failovers_total", &[]), 0);
}

#[tokio::test]
async fn if_the_fresh_connection_dies_too_the_route_has_failed() {
    let scene = TwoRoutes::new().await;
    scene.key.chat("fast").await.has_status(200);
    scene.first.will(Reply::hangs_up()).will(Reply::hangs_up());
    let answer = scene.key.chat("fast").await.has_status(200);
    assert_eq!(answer.header("x-bd-provider-route-attempt"), Some("2"));
    assert_eq!(answer.header("x-bd-provider-failover-count"), Some("1"));
    assert_eq!((scene.first.saw().len(), scene.second.saw().len()), (3, 1));
}

#[tokio::test]
async fn a_fresh_connection_that_dies_is_not_tried_again() {
    let scene = TwoRoutes::new().await;
    scene.first.will(Reply::hangs_up());
    scene.key.chat("fast").await.has_status(200);
    assert_eq!((scene.first.saw().len(), scene.second.saw().len()), (1, 1));
}

#[tokio::test]
async fn connections_are_kept_and_used_again() {
    let scene = TwoRoutes::new().await;
    let mut wire = scene.key.connect().await;
    for _ in 0..5 {
        scene.key.chat("fast").on(&mut wire).await.has_status(200);
        scene.key.chat_stream("fast").on(&mut wire).await.has_status(200);
    }
    let used: Vec<_> = scene.first.saw().iter().map(|call| call.connection).collect();
    assert_eq!(used, vec![used[0]; 10], "ten answers came over one connection");
}

#[tokio::test]
async fn a_large_body_survives_the_death_of_a_pooled_connection() {
    let scene = TwoRoutes::new().await;
    scene.key.chat("fast").await.has_status(200);
    scene.first.will(Reply::hangs_up());
    let padding = "x".repeat(3 << 20);
    let body =
        |model: &str| format!(r#"{{"model":"{model}","messages":[],"padding":"{padding}"}}"#);
    scene.key.post("/v1/chat/completions", body("fast")).await.has_status(200);
    let calls = scene.first.saw();
    assert_eq!(calls.len(), 3);
    assert!(calls[2].body == body("gpt-4o").as_bytes());
}
