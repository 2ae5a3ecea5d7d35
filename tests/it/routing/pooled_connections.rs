//! Which connections to a vendor are used again: those whose answers are known to have ended, and no others.

use crate::support::{MockVendor, Reply, TwoRoutes, mock::Faces};
use serde_json::json;

const ANSWER: &str = r#"{"choices":[{"index":0,"message":{"role":"assistant","content":"hi"}}]}"#;

fn told() -> String {
    format!("content-type: application/json\r\ncontent-length: {}\r\n\r\n{ANSWER}", ANSWER.len())
}

/// Has the vendor answer so, and asks again: whether both came on one connection.
async fn is_used_again(scene: &TwoRoutes, bytes: &str) -> bool {
    let before = scene.first.saw().len();
    scene.first.will(Reply::writes_and_stays(bytes.to_owned()));
    let first = scene.key.chat("fast").await.has_status(200);
    assert!(first.text().contains("hi"), "{bytes}: {}", first.text());
    scene.key.chat("fast").await.has_status(200);
    let calls = scene.first.saw().split_off(before);
    let [first, second] = &calls[..] else { panic!("{bytes}: {} calls", calls.len()) };
    first.connection == second.connection
}

#[tokio::test]
async fn a_connection_whose_answer_has_ended_is_used_again() {
    let scene = TwoRoutes::new().await;
    let chunk = format!("{:x}\r\n{ANSWER}\r\n0\r\n", ANSWER.len());
    let chunked = "content-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n";
    for bytes in [
        format!("HTTP/1.1 200 OK\r\n{}", told()),
        format!("HTTP/1.1 200 OK\r\n{chunked}{chunk}\r\n"),
        format!("HTTP/1.1 200 OK\r\n{chunked}{chunk}x-cost: 1\r\n\r\n"),
        format!("HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\n{}", told()),
    ] {
        // It may be on its way back when the next request is already looking for one.
        let mut again = false;
        for _turn in 0..50 {
            again = again || is_used_again(&scene, &bytes).await;
        }
        assert!(again, "{bytes}");
    }
}

#[tokio::test]
async fn a_connection_that_may_say_more_or_is_to_end_is_not() {
    let scene = TwoRoutes::new().await;
    for bytes in [
        format!("HTTP/1.1 200 OK\r\nconnection: close\r\n{}", told()),
        format!("HTTP/1.0 200 OK\r\n{}", told()),
        format!("HTTP/1.1 200 OK\r\n{}HTTP/1.1 200 OK\r\n{}", told(), told()),
    ] {
        for _turn in 0..20 {
            assert!(!is_used_again(&scene, &bytes).await, "{bytes}");
        }
    }
}

#[tokio::test]
async fn with_tls_connections_of_http1_are_used_again_too() {
    let scene = TwoRoutes::new().await;
    let vendor = MockVendor::facing(Faces::Tls).await;
    scene.first_provider.put(json!({"base_url": vendor.url()})).await.has_status(200);
    for _ in 0..25 {
        scene.key.chat("fast").await.has_status(200);
    }
    let calls = vendor.saw();
    assert!(calls.iter().all(|call| call.version == "HTTP/1.1"));
    let again = calls.windows(2).any(|two| two[0].connection == two[1].connection);
    assert!(again, "25 answers took as many connections");
}
