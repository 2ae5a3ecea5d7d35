//! A stream that breaks says so, in the client's dialect.

use bytes::Bytes;
use serde_json::{Value, json};

use crate::support::{
    Answer, Caller, Ending, Reply, Scene,
    mock::{data, event},
    operations::{self, Operation},
};

async fn broken(scene: &Scene, operation: Operation, reply: Reply, id: &str) -> Answer {
    let vendor = if operation.anthropic { &scene.anthropic } else { &scene.openai };
    vendor.will(reply);
    let body = operation.stream_body(operation.alias());
    let answer =
        scene.key.post(operation.path, body).header("x-request-id", id).await.has_status(200);
    assert_eq!(answer.ending, Ending::Complete, "{id}: the error event is the proper end");
    answer
}

/// The length of the first two events that the vendor sends.
async fn two_events(scene: &Scene, operation: Operation) -> usize {
    let vendor = if operation.anthropic { &scene.anthropic } else { &scene.openai };
    let direct = Caller::bearer(vendor.address(), "sk-direct");
    let body = operation.stream_body(operation.upstream_model());
    let whole = direct.post(operation.path, body).await.has_status(200);
    whole.text().split_inclusive("\n\n").take(2).map(str::len).sum()
}

/// Asserts that the stream tells of an error and then ends as its dialect wants.
fn tells_of_the_error(operation: Operation, answer: &Answer, id: &str) {
    let mut events = answer.events();
    if ["chat_completions", "completions"].contains(&operation.name) {
        assert_eq!(events.pop().as_deref(), Some("[DONE]"), "{id}: {}", answer.text());
        assert!(!events.iter().any(|event| event == "[DONE]"), "{id}: once");
    }
    let last: Value = serde_json::from_str(events.last().unwrap()).unwrap();
    let message = match operation.name {
        "responses" => {
            assert!(
                answer.text().contains("event: error")
                    || answer.text().contains("event: response.failed"),
                "{id}: {}",
                answer.text()
            );
            last.to_string()
        }
        "messages" => {
            assert_eq!(last["type"], "error", "{id}: {}", answer.text());
            assert!(answer.text().contains("event: error\n"), "{id}");
            last["error"]["message"].as_str().unwrap_or_default().to_owned()
        }
        _ => last["error"]["message"].as_str().unwrap_or_default().to_owned(),
    };
    assert!(!message.is_empty(), "{id}: {}", answer.text());
    for complete in ["message_stop", "response.completed"] {
        assert!(!answer.text().contains(complete), "{id} looks complete: {}", answer.text());
    }
}

#[tokio::test]
async fn a_cut_a_reset_and_an_end_without_an_ending_become_error_events() {
    let scene = Scene::new().await;
    for operation in operations::ALL.into_iter().filter(|operation| operation.streams) {
        let inside_the_third = two_events(&scene, operation).await + 20;
        for (fault, reply) in [
            ("cut", Reply::answers().cut_after(2)),
            ("reset", Reply::answers().resets_after(2)),
            ("ended", Reply::answers().ends_after(2)),
            ("half", Reply::answers().split_at(inside_the_third).cut_after(1)),
        ] {
            let id = format!("{}-{fault}", operation.name);
            let answer = broken(&scene, operation, reply, &id).await;
            tells_of_the_error(operation, &answer, &id);
            let record = scene.acme.record_of(&id).await;
            assert!(record["error_type"].is_string(), "{id}: {record}");
        }
    }
}

#[tokio::test]
async fn a_stream_that_falls_silent_ends_with_an_error_event_of_its_dialect() {
    let scene = Scene::new().await;
    let rows = scene.acme.get("/admin/model-mappings").await.has_status(200).json();
    for row in rows.as_array().unwrap() {
        let path = format!("/admin/model-mappings/{}", row["id"].as_str().unwrap());
        scene.acme.put(&path, json!({"stream_idle_timeout_secs": 1})).await.has_status(200);
    }
    for operation in operations::ALL.into_iter().filter(|operation| operation.streams) {
        let id = format!("{}-silent", operation.name);
        let answer = broken(&scene, operation, Reply::answers().stalls_after(2), &id).await;
        tells_of_the_error(operation, &answer, &id);
        let record = scene.acme.record_of(&id).await;
        assert_eq!(record["attempts"][0]["error_type"], "timeout", "{id}: {record}");
    }
}

#[tokio::test]
async fn the_error_event_stands_on_its_own_even_after_half_an_event() {
    let scene = Scene::new().await;
    scene.openai.will(Reply::streams(["data: {\"choices\":[]}\n\n", "data: {\"cho"]).cut_after(2));
    let answer = scene.key.chat_stream("fast").await.has_status(200);
    let text = answer.text();
    let last_two: Vec<_> = text.trim_end().rsplit("\n\n").take(2).collect();
    assert_eq!(last_two[0], "data: [DONE]");
    let error = last_two[1].lines().last().unwrap().strip_prefix("data: ").expect(text);
    let error: Value = serde_json::from_str(error).expect(text);
    assert!(error["error"]["message"].is_string());
}

#[tokio::test]
async fn a_vendors_late_error_is_passed_on_and_the_stream_ended() {
    let scene = Scene::new().await;
    let error = "data: {\"error\":{\"message\":\"ran out of luck\",\"type\":\"server_error\",\"code\":null}}\n\n";
    let chunk = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"}}]}\n\n";
    for reply in
        [Reply::streams([chunk, error]), Reply::streams([chunk, error, "data: [DONE]\n\n"])]
    {
        let answer = broken(&scene, operations::CHAT, reply, "late").await;
        assert_eq!(answer.text(), [chunk, error, "data: [DONE]\n\n"].concat());
    }
    let late = "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"Overloaded\"}}\n\n";
    let start = "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"model\":\"c\",\"usage\":{\"input_tokens\":3,\"output_tokens\":1}}}\n\n";
    let answer =
        broken(&scene, operations::MESSAGES, Reply::streams([start, late]), "late-messages").await;
    assert_eq!(answer.text(), [start, late].concat());
    for id in ["late", "late-messages"] {
        let record = scene.acme.record_of(id).await;
        assert!(record["error_type"].is_string(), "{record}");
        assert_eq!(record["attempts"][0]["error_type"], "upstream_error", "{record}");
    }
}

#[tokio::test]
async fn what_a_broken_stream_had_used_is_recorded() {
    let scene = Scene::new().await;
    broken(&scene, operations::MESSAGES, Reply::answers().cut_after(4), "interrupted").await;
    let record = scene.acme.record_of("interrupted").await;
    assert_eq!(record["input_tokens"], 25, "message_start had told it: {record}");
    assert_eq!(record["cache_read_tokens"], 6);
}

/// What a vendor says before it breaks: 400 bytes of text.
fn half_said(operation: Operation) -> Vec<Bytes> {
    let text = "lorem \"ipsum\"\n".repeat(25) + &"x".repeat(50);
    match operation.name {
        "messages" => {
            let usage = json!({"input_tokens": 25, "output_tokens": 1});
            let message = json!({"id": "msg_1", "model": "claude-1", "usage": usage});
            let delta = json!({"type": "text_delta", "text": text});
            vec![
                event("message_start", &json!({"type": "message_start", "message": message})),
                event(
                    "content_block_delta",
                    &json!({"type": "content_block_delta", "index": 0, "delta": delta}),
                ),
            ]
        }
        "responses" => {
            let name = "response.output_text.delta";
            vec![event(name, &json!({"type": name, "sequence_number": 4, "delta": text}))]
        }
        "completions" => vec![data(&json!({"choices": [{"index": 0, "text": text}]}))],
        _ => vec![data(&json!({"choices": [{"index": 0, "delta": {"content": text}}]}))],
    }
}

#[tokio::test]
async fn what_a_stream_without_its_end_has_used_is_estimated_never_nothing_and_never_all() {
    let scene = Scene::new().await;
    for operation in operations::ALL.into_iter().filter(|operation| operation.streams) {
        let id = format!("estimated-{}", operation.name);
        broken(&scene, operation, Reply::streams(half_said(operation)), &id).await;
        let record = scene.acme.record_of(&id).await;
        assert_eq!(record["usage_source"], "estimated", "{record}");
        let output = record["output_tokens"].as_u64().unwrap();
        // The text as it is escaped, behind what the vendor has told.
        let told = u64::from(operation.anthropic);
        assert_eq!(output, told + 475_u64.div_ceil(4), "{record}");
        let input = record["input_tokens"].as_u64().unwrap();
        let expected = if operation.anthropic { 25..=25 } else { 20..=100 };
        assert!(expected.contains(&input), "{record}");
        let whole = operation.stream_body(operation.alias());
        let ask = scene.key.post(operation.path, whole).header("x-request-id", operation.name);
        ask.await.has_status(200);
        let record = scene.acme.record_of(operation.name).await;
        assert_eq!(record["usage_source"], "reported", "{record}");
    }
}

#[tokio::test]
async fn a_choice_that_ends_before_the_others_does_not_end_the_count() {
    let scene = Scene::new().await;
    let ended = json!({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]});
    let more = json!({"choices": [{"index": 1, "delta": {"content": "x".repeat(400)}}]});
    let pieces = vec![data(&ended), data(&more)];
    scene.openai.will(Reply::streams(pieces));
    let body = operations::CHAT.stream_body("fast");
    let ask = scene.key.post("/v1/chat/completions", body).header("x-request-id", "one-of-two");
    ask.await.has_status(200);
    let record = scene.acme.record_of("one-of-two").await;
    assert_eq!(record["usage_source"], "estimated", "{record}");
    assert_eq!(record["output_tokens"], 100, "{record}");
}

#[tokio::test]
async fn nonsense_in_a_stream_is_passed_on_and_harms_nobody() {
    let scene = Scene::new().await;
    let nonsense = [
        "data: {not json\n\n",
        "\u{0}\u{1}\u{2}\n\n",
        "data: [1,2\n\n",
        ":\n\n",
        "data: [DONE]\n\n",
    ];
    scene.openai.will(Reply::streams(nonsense));
    let answer = scene.key.chat_stream("fast").await.has_status(200);
    assert_eq!(answer.text(), nonsense.concat());
    let one_long_line = format!("data: {}\n\n", "x".repeat(3 << 20));
    scene.openai.will(Reply::streams([one_long_line.clone(), "data: [DONE]\n\n".to_owned()]));
    let answer = scene.key.chat_stream("fast").await.has_status(200);
    assert!(answer.text().starts_with(&one_long_line));
    scene.openai.will(Reply::writes(
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n10\r\ndata: {\"n\": 0}\n\n\r\nZZZ\r\n",
    ));
    let answer = scene.key.chat_stream("fast").await.has_status(200);
    tells_of_the_error(operations::CHAT, &answer, "a bad chunk size");
    scene.key.chat("fast").await.has_status(200);
}

#[tokio::test]
async fn a_plain_answer_that_is_cut_does_not_look_complete() {
    let scene = Scene::new().await;
    for reply in [
        Reply::answers().split_at(40).cut_after(1),
        Reply::answers().chunked().split_at(40).resets_after(1),
    ] {
        scene.openai.will(reply);
        let answer = scene.key.chat("fast").header("x-request-id", "cut").await;
        assert!(answer.status == 502 || answer.ending == Ending::Cut, "{}", answer.tell());
    }
    let record = scene.acme.record_of("cut").await;
    assert_ne!(record["error_type"], json!(null), "{record}");
}
