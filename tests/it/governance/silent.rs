//! Vendors that do not tell what was used: it is estimated, never nothing.

use bytes::Bytes;
use serde_json::{Value, json};

use super::tokens_a_day;
use crate::support::{
    Reply, Scene,
    mock::{data, event},
    operations::{self, Operation},
};

/// 400 bytes of text, as they are escaped.
fn text() -> String {
    "lorem \"i\" ".repeat(30) + &"x".repeat(40)
}

/// A whole answer without its usage.
fn whole(operation: Operation) -> Value {
    let text = text();
    match operation.name {
        "embeddings" => json!({"object": "list", "data": [{"embedding": [0.5]}], "model": "m"}),
        "messages" => json!({"id": "msg_1", "type": "message", "role": "assistant", "model": "m",
            "content": [{"type": "text", "text": text}], "stop_reason": "end_turn"}),
        "responses" => {
            json!({"id": "resp_1", "object": "response", "status": "completed", "output": [
            {"type": "message", "content": [{"type": "output_text", "text": text}]}]})
        }
        "completions" => json!({"id": "c", "choices": [{"text": text, "finish_reason": "stop"}]}),
        _ => json!({"id": "c", "object": "chat.completion", "choices": [{"index": 0,
            "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}]}),
    }
}

/// A stream without it, to its end.
fn streamed(operation: Operation) -> Vec<Bytes> {
    let text = text();
    let done = Bytes::from_static(b"data: [DONE]\n\n");
    match operation.name {
        "messages" => {
            let delta = json!({"type": "text_delta", "text": text});
            [
                ("message_start", json!({"message": {"id": "msg_1", "model": "m"}})),
                ("content_block_delta", json!({"index": 0, "delta": delta})),
                ("message_stop", json!({})),
            ]
            .map(|(name, mut said)| {
                said["type"] = name.into();
                event(name, &said)
            })
            .to_vec()
        }
        "responses" => [
            ("response.output_text.delta", json!({"sequence_number": 1, "delta": text})),
            ("response.completed", json!({"sequence_number": 2, "response": {"id": "resp_1"}})),
        ]
        .map(|(name, mut said)| {
            said["type"] = name.into();
            event(name, &said)
        })
        .to_vec(),
        "completions" => vec![data(&json!({"choices": [{"index": 0, "text": text}]})), done],
        _ => {
            let ended = json!({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]});
            let said = json!({"choices": [{"index": 0, "delta": {"content": text}}]});
            vec![data(&said), data(&ended), done]
        }
    }
}

#[tokio::test]
async fn answers_of_every_kind_without_usage_count_by_what_they_say() {
    let scene = Scene::new().await;
    let answers = |operation: &Operation| operation.name != operations::COUNT_TOKENS.name;
    for operation in operations::ALL.into_iter().filter(answers) {
        for streams in [false, true].into_iter().filter(|streams| !streams || operation.streams) {
            let alias = operation.alias();
            let (body, said) = if streams {
                (operation.stream_body(alias), Reply::streams(streamed(operation)))
            } else {
                (operation.body(alias), Reply::says(whole(operation).to_string()))
            };
            let vendor = if operation.anthropic { &scene.anthropic } else { &scene.openai };
            vendor.will(said);
            let id = format!("{}-{streams}", operation.name);
            let ask = scene.key.post(operation.path, body).header("x-request-id", &id);
            ask.await.has_status(200);
            let record = scene.acme.record_of(&id).await;
            assert_eq!(record["usage_source"], "estimated", "{record}");
            let output = if operation.name == "embeddings" { 0 } else { 100 };
            assert_eq!(record["output_tokens"], output, "{record}");
            let input = record["input_tokens"].as_u64().unwrap();
            assert!((20..=100).contains(&input), "{record}");
        }
    }
}

#[tokio::test]
async fn errors_and_counts_of_tokens_use_nothing() {
    let scene = Scene::new().await;
    scene.openai.will(Reply::status(400));
    scene.key.chat("fast").header("x-request-id", "error").await.has_status(400);
    scene.anthropic.will(Reply::says(r#"{"input_tokens": 9}"#));
    let body = json!({"model": "smart", "messages": [{"role": "user", "content": "Hi"}]});
    let count = scene.key.post("/v1/messages/count_tokens", body.to_string());
    count.header("x-request-id", "count").await.has_status(200);
    // Gateways that have begun to answer tell their error with the status of success: the caller's, and their own.
    for (id, code, status) in [("refused", 400, 200), ("late", 502, 502)] {
        let told = json!({"error": {"code": code, "message": "gone"}});
        scene.openai.will(Reply::says(told.to_string()));
        scene.key.chat("fast").header("x-request-id", id).await.has_status(status);
    }
    for id in ["error", "refused", "late", "count"] {
        let record = scene.acme.record_of(id).await;
        let used = (&record["input_tokens"], &record["output_tokens"]);
        assert_eq!(used, (&json!(0), &json!(0)), "{record}");
    }
}

#[tokio::test]
async fn a_budget_is_used_up_by_a_vendor_that_is_silent() {
    let scene = Scene::new().await;
    scene.acme.create("budgets", tokens_a_day(300)).await;
    scene.openai.always(Reply::streams(streamed(operations::CHAT)));
    let mut served = 0;
    for id in 0..8 {
        if scene.key.chat_stream("fast").header("x-request-id", &id.to_string()).await.status == 200
        {
            served += 1;
        }
    }
    assert!((2..=3).contains(&served), "{served}");
}
