//! One structured line per request.

use crate::support::{Reply, Scene};

#[tokio::test]
async fn every_request_has_one_line_with_its_facts() {
    let scene = Scene::new().await;
    scene.key.chat("fast").header("x-request-id", "logged").await.has_status(200);
    scene.openai.will(Reply::status(500));
    scene.key.chat("fast").header("x-request-id", "failed").await.has_status(502);
    scene.key.chat("nothing").header("x-request-id", "unresolved").await.has_status(404);
    for (id, status) in [("logged", 200), ("failed", 502), ("unresolved", 404)] {
        let line = scene.gateway.log_line(id).await;
        assert_eq!(line["status"], status, "{line}");
        assert_eq!(line["endpoint"], "chat_completions", "{line}");
        assert!(line["level"].is_string() && line["ts"].is_string(), "{line}");
        assert!(line["latency_ms"].is_u64(), "{line}");
        assert_eq!(scene.gateway.log_lines(id).len(), 1, "{id}");
    }
    let line = scene.gateway.log_line("logged").await;
    assert_eq!((&line["alias"], &line["provider_name"]), (&"fast".into(), &"openai".into()));
}

#[tokio::test]
async fn every_line_of_the_log_is_json_when_it_goes_to_a_pipe() {
    let scene = Scene::new().await;
    scene.openai.will(Reply::resets());
    scene.key.chat("fast").header("x-request-id", "one").await;
    scene
        .key
        .with("user-agent", "evil\"} {\"level\":\"FORGED")
        .chat("fast")
        .header("x-request-id", "three")
        .await;
    scene.gateway.log_line("three").await;
    for line in scene.gateway.log() {
        assert!(serde_json::from_str::<serde_json::Value>(&line).is_ok(), "{line}");
    }
}
