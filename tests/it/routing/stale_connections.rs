//! A pooled connection that dies before a byte of the answer is no failure of the route.

use serde_json::json;

use crate::support::{Answer, MockVendor, Reply, TwoRoutes, mock::Faces, operations};

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

/// The scene's first provider at a vendor that speaks HTTP/2, one answer after its start.
async fn over_http2() -> (TwoRoutes, MockVendor) {
    let scene = TwoRoutes::new().await;
    let vendor = MockVendor::facing(Faces::TlsH2).await;
    scene.first_provider.put(json!({"base_url": vendor.url()})).await.has_status(200);
    scene.key.chat("fast").await.has_status(200);
    assert_eq!(vendor.saw_one().version, "HTTP/2");
    (scene, vendor)
}

#[tokio::test]
async fn an_http2_connection_that_takes_no_more_requests_is_replaced_and_nobody_notices() {
    for (id, leave) in [("refused", Reply::refuses()), ("away", Reply::goes_away())] {
        let (scene, vendor) = over_http2().await;
        vendor.will(leave);
        let answer = scene.key.chat("fast").header("x-request-id", id).await.has_status(200);
        assert_eq!(answer.header("x-bd-provider-route-attempt"), Some("1"), "{id}");
        assert_eq!(answer.header("x-bd-provider-failover-count"), Some("0"), "{id}");
        let connections: Vec<_> = vendor.saw().iter().map(|call| call.connection).collect();
        let [first, second, third] = connections[..] else { panic!("{id}: {connections:?}") };
        assert!(first == second && third > second, "{id}: asked again on a fresh connection");
        let record = scene.acme.record_of(id).await;
        assert_eq!(record["attempts"].as_array().map(Vec::len), Some(1), "{record}");
    }
}

#[tokio::test]
async fn an_http2_stream_that_the_vendor_breaks_off_is_a_failure_of_the_route() {
    let (scene, vendor) = over_http2().await;
    vendor.will(Reply::resets());
    let answer = scene.key.chat("fast").await.has_status(200);
    assert_eq!(answer.header("x-bd-provider-failover-count"), Some("1"));
    assert_eq!(vendor.saw().len(), 2);
}

#[tokio::test]
async fn a_vendor_that_refuses_every_stream_has_failed_after_the_second() {
    let (scene, vendor) = over_http2().await;
    vendor.always(Reply::refuses());
    let answer = scene.key.chat("fast").await.has_status(200);
    assert_eq!(answer.header("x-bd-provider-failover-count"), Some("1"));
    assert_eq!(vendor.saw().len(), 3);
}

#[tokio::test]
async fn more_headers_than_anybody_reads_are_a_failure_of_the_route() {
    let (scene, vendor) = over_http2().await;
    // As many as a map can hold: what the gateway adds would be too many.
    let answer = (0..24_570).fold(Reply::answers(), |reply, n| reply.header(&format!("h{n}"), ""));
    vendor.will(answer);
    let answer = scene.key.chat("fast").await.has_status(200);
    assert_eq!(answer.header("x-bd-provider-failover-count"), Some("1"));
    assert_eq!(vendor.saw().len(), 2);
}
