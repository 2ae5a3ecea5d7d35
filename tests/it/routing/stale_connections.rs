//! A pooled connection that dies before a byte of the answer is no failure of the route.

use crate::support::{Answer, Reply, TwoRoutes, operations};

/// Has the first vendor answer once and then meet `deaths` on the next request, until that request
/// came on the connection of the answer: a connection may be on its way back to the pool when the
/// next request is already looking for one. Gives the answer and how many calls came before.
async fn on_a_used_connection(
    scene: &TwoRoutes,
    deaths: &[Reply],
    id: &str,
    body: &str,
) -> (Answer, usize) {
    for turn in 0..50 {
        scene.key.chat("fast").await.has_status(200);
        let before = scene.first.saw();
        for death in deaths {
            scene.first.will(death.clone());
        }
        let ask = scene.key.post(operations::CHAT.path, body.to_owned());
        let answer = ask.header("x-request-id", &format!("{id}-{turn}")).await.has_status(200);
        let died = scene.first.saw()[before.len()].connection;
        if before.iter().any(|call| call.connection == died) {
            return (answer, before.len());
        }
        scene.first.forget_what_was_said();
    }
    panic!("the gateway never used a connection again");
}

fn small(model: &str) -> String {
    operations::CHAT.body(model)
}

#[tokio::test]
async fn a_pooled_connection_that_dies_is_replaced_once_and_nobody_notices() {
    let scene = TwoRoutes::new().await;
    for (id, death) in [("closed", Reply::hangs_up()), ("reset", Reply::resets())] {
        let (answer, before) = on_a_used_connection(&scene, &[death], id, &small("fast")).await;
        assert_eq!(answer.header("x-bd-provider-route-attempt"), Some("1"), "{id}");
        assert_eq!(answer.header("x-bd-provider-failover-count"), Some("0"));
        assert_eq!(answer.header("x-bd-provider-retry-count"), Some("0"));
        let calls = scene.first.saw();
        assert_eq!(calls.len(), before + 2, "the same route is asked again");
        let fresh = calls[before + 1].connection;
        assert!(calls[..=before].iter().all(|call| call.connection != fresh), "{id}: a fresh one");
        let record = scene.acme.record_of(answer.header("x-request-id").unwrap()).await;
        assert_eq!(record["attempts"].as_array().unwrap().len(), 1);
        assert_eq!(record["attempts"][0]["error_type"], "ok");
    }
}

#[tokio::test]
async fn if_the_fresh_connection_dies_too_the_route_has_failed() {
    let scene = TwoRoutes::new().await;
    let deaths = [Reply::hangs_up(), Reply::hangs_up()];
    let (answer, before) = on_a_used_connection(&scene, &deaths, "twice", &small("fast")).await;
    assert_eq!(answer.header("x-bd-provider-route-attempt"), Some("2"));
    assert_eq!(answer.header("x-bd-provider-failover-count"), Some("1"));
    assert_eq!(scene.first.saw().len(), before + 2);
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
    for _ in 0..25 {
        scene.key.chat("fast").on(&mut wire).await.has_status(200);
        scene.key.chat_stream("fast").on(&mut wire).await.has_status(200);
    }
    let connections = scene.first.connections();
    assert!(connections <= 10, "50 answers took {connections} connections");
}

#[tokio::test]
async fn a_large_body_survives_the_death_of_a_pooled_connection() {
    let scene = TwoRoutes::new().await;
    let padding = "x".repeat(3 << 20);
    let body =
        |model: &str| format!(r#"{{"model":"{model}","messages":[],"padding":"{padding}"}}"#);
    let deaths = [Reply::hangs_up()];
    let (_, before) = on_a_used_connection(&scene, &deaths, "large", &body("fast")).await;
    let calls = scene.first.saw();
    assert_eq!(calls.len(), before + 2);
    assert!(calls[before + 1].body == body("gpt-4o").as_bytes());
}
