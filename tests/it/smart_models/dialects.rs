//! Smart models answer on every endpoint, streamed or not; what is no conversation asks nobody.

use serde_json::{Value, json};

use super::{Stage, says};
use crate::support::{MockVendor, operations};

fn said(stage: &Stage) -> String {
    let call: Value = stage.judge.saw().pop().unwrap().json();
    call["messages"][1]["content"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn every_client_dialect_is_judged_and_answered_streamed_or_not() {
    let stage = Stage::new().await;
    stage.judge.always(says("2"));
    let mut asked = 0;
    for (operation, words) in [
        (operations::CHAT, "Say \"model\":\"x\""),
        (operations::COMPLETIONS, "Once upon"),
        (operations::RESPONSES, "Say hello"),
        (operations::MESSAGES, "Hello"),
    ] {
        for streams in [false, true] {
            let body = if streams { operation.stream_body("auto") } else { operation.body("auto") };
            let answer = stage.key.post(operation.path, body).await.has_status(200);
            asked += 1;
            assert_eq!(stage.judge.saw().len(), asked, "{}", operation.name);
            assert_eq!(stage.seen(), [0, 0, asked], "{}", operation.name);
            assert!(said(&stage).contains(&format!("\n{words}\n")), "{}", said(&stage));
            let question = stage.judge.saw().pop().unwrap().json();
            assert!(question.get("stream").is_none(), "a determiner is never streamed");
            if streams {
                assert!(answer.events().len() > 2, "{}", answer.tell());
            }
        }
    }
}

#[tokio::test]
async fn a_determiner_may_speak_another_dialect() {
    let stage = Stage::new().await;
    let claude = MockVendor::start().await;
    let provider =
        stage.acme.provider("claude").vendor("anthropic").at(&claude).model("claude-haiku").await;
    stage.acme.alias("haiku", &[(&provider, "claude-haiku")]).await;
    stage.change(json!({"determiner_model_alias": "haiku"})).await;
    let answer = json!({"id": "msg_1", "type": "message", "role": "assistant", "model": "claude-haiku",
        "content": [{"type": "text", "text": "2"}], "stop_reason": "end_turn",
        "usage": {"input_tokens": 9, "output_tokens": 1}});
    let reply = crate::support::Reply::says(answer.to_string());
    claude.will(reply.header("content-type", "application/json"));
    assert_eq!(stage.slot_of("Hi").await, 2);
    assert_eq!(claude.saw_one().path, "/v1/messages");
}

#[tokio::test]
async fn embeddings_and_counts_of_tokens_ask_nobody() {
    let stage = Stage::new().await;
    let embed = operations::EMBEDDINGS.body("auto");
    stage.key.post("/v1/embeddings", embed).await.has_status(200);
    assert_eq!(stage.seen(), [0, 1, 0], "the default");
    let count = |words: &str| {
        let messages = json!([{"role": "user", "content": words}]);
        json!({"model": "auto", "messages": messages}).to_string()
    };
    let path = operations::COUNT_TOKENS.path;
    let counted = stage.key.post(path, count("Hello")).await.has_status(200).json();
    assert!(counted["input_tokens"].as_u64().unwrap() > 0, "{counted}");
    stage.judge.saw_nothing();
}

#[tokio::test]
async fn a_refused_smart_model_is_told_in_the_clients_dialect() {
    let stage = Stage::new().await;
    stage.change(json!({"enabled": false})).await;
    let messages = stage.key.post("/v1/messages", operations::MESSAGES.body("auto"));
    let error = messages.await.has_status(400).anthropic_error();
    assert!(error["message"].as_str().unwrap().contains("switched off"), "{error}");
}
