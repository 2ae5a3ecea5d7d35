//! Bodies that are held at the same time have a bound together.

use crate::support::{Gateway, Reply, Scene, until};

#[tokio::test]
async fn beyond_the_bound_clients_are_asked_to_come_again() {
    let settings =
        Gateway::configured().set("server.max_body_mb", 1).set("server.max_buffered_mb", 4);
    let scene = Scene::with(settings).await;
    let padding = "x".repeat(900 << 10);
    let body = |model: &str| {
        format!(
            "{{\"model\":\"{model}\",\"messages\":[],\"max_tokens\":1,\"padding\":\"{padding}\"}}"
        )
    };
    scene.openai.will(Reply::hangs()).will(Reply::hangs());
    let mut held = Vec::new();
    for count in 1..=2 {
        held.push(scene.key.post("/v1/chat/completions", body("fast")).sent().await);
        scene.openai.wait_for_calls(count).await;
    }
    for (path, alias, anthropic) in
        [("/v1/chat/completions", "fast", false), ("/v1/messages", "smart", true)]
    {
        let answer = scene.key.post(path, body(alias)).await.has_status(503);
        assert!(answer.header("retry-after").unwrap().parse::<u32>().unwrap() >= 1);
        if anthropic {
            answer.anthropic_error()
        } else {
            answer.openai_error()
        };
        let chunked = scene.key.post(path, body(alias)).chunked().await.has_status(503);
        assert!(chunked.header("retry-after").is_some());
    }
    drop(held);
    until("there is room again", async || {
        (scene.key.post("/v1/chat/completions", body("fast")).await.status == 200).then_some(())
    })
    .await;
}
