//! Clients of HTTP/1.0, which know no chunks and no connection that stays open unasked.

use crate::support::{Ending, Reply, Scene, Wire, operations};

/// Sends a request as an old client does.
async fn send(wire: &mut Wire, request: &[u8], connection: &str) {
    let text = String::from_utf8(request.to_vec()).unwrap();
    let old = format!(" HTTP/1.0\r\nconnection: {connection}\r\n");
    wire.send(text.replacen(" HTTP/1.1\r\n", &old, 1)).await;
}

#[tokio::test]
async fn an_old_client_gets_answers_with_a_length_or_until_the_connection_closes() {
    let scene = Scene::new().await;
    let stream = operations::CHAT.stream_body("fast");
    scene.openai.will(Reply::answers()).will(Reply::answers().chunked());
    for body in [operations::CHAT.body("fast"), operations::CHAT.body("fast"), stream] {
        let new = scene.key.post("/v1/chat/completions", body.clone());
        let mut wire = scene.key.connect().await;
        send(&mut wire, &new.bytes(), "close").await;
        let answer = wire.answer().await.has_status(200);
        assert_eq!(answer.header("transfer-encoding"), None);
        assert_eq!(answer.header("connection"), Some("close"));
        assert_eq!(answer.ending, Ending::Complete);
        assert!(!answer.body.is_empty());
        wire.closed().await;
    }
}

#[tokio::test]
async fn an_old_client_gets_the_gateways_own_answers_without_chunks() {
    let scene = Scene::new().await;
    scene.openai.will(Reply::status_with(400, r#"{"detail":"no"}"#));
    for ask in [
        scene.key.post("/v1/chat/completions", operations::CHAT.body("fast")),
        scene.key.post("/v1/chat/completions", "{}"),
        scene.key.get("/healthz"),
        scene.key.get("/api/llm-gateway/admin/providers"),
    ] {
        let mut wire = scene.key.connect().await;
        send(&mut wire, &ask.bytes(), "close").await;
        let answer = wire.answer().await;
        assert_eq!(answer.header("transfer-encoding"), None, "{}", ask.head());
        assert_eq!(answer.header("connection"), Some("close"), "{}", ask.head());
        wire.closed().await;
    }
}

#[tokio::test]
async fn an_old_client_that_asks_for_it_keeps_its_connection_where_answers_have_a_length() {
    let scene = Scene::new().await;
    let mut wire = scene.key.connect().await;
    for _ in 0..2 {
        let ask = scene.key.post("/v1/embeddings", operations::EMBEDDINGS.body("fast"));
        send(&mut wire, &ask.bytes(), "keep-alive").await;
        let answer = wire.answer().await.has_status(200);
        assert_eq!(answer.header("connection"), Some("keep-alive"));
    }
}

#[tokio::test]
async fn an_old_client_is_sent_no_interim_answer() {
    let scene = Scene::new().await;
    let answer = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}";
    for interim in ["100 Continue", "103 Early Hints"] {
        for operation in [operations::CHAT, operations::EMBEDDINGS] {
            scene
                .openai
                .will(Reply::writes(format!("HTTP/1.1 {interim}\r\nlink: </a>\r\n\r\n{answer}")));
            let ask = scene.key.post(operation.path, operation.body("fast"));
            let mut wire = scene.key.connect().await;
            send(&mut wire, &ask.bytes(), "close").await;
            assert_eq!(wire.any_head().await.unwrap().status, 200, "{} {interim}", operation.name);
        }
    }
}
