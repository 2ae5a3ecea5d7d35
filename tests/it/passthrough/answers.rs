//! Answers: the vendor's own bytes.

use serde_json::json;

use crate::support::{Ending, Reply, Scene, operations};

#[tokio::test]
async fn every_byte_of_an_answer_is_the_vendors_own() {
    let scene = Scene::new().await;
    let odd = "{ \"model\" : \"x\" ,\r\n \"n\":1e400, \"k\":\"\\u00e9\u{e9}\", \"usage\":{ \"prompt_tokens\":3,\"completion_tokens\":4 } }\n";
    for operation in operations::ALL.iter().filter(|operation| operation.name != "chat_completions")
    {
        for reply in [
            Reply::says(odd),
            Reply::says(odd).chunked(),
            Reply::says(odd).split_at(20),
            Reply::says(odd).chunked().byte_by_byte(),
        ] {
            let vendor = if operation.anthropic { &scene.anthropic } else { &scene.openai };
            vendor.will(reply);
            let answer = scene
                .key
                .post(operation.path, operation.body(operation.alias()))
                .await
                .has_status(200);
            assert_eq!(answer.text(), odd, "{}", operation.name);
            assert_eq!(answer.ending, Ending::Complete);
            assert_eq!(answer.header("content-type"), Some("application/json"));
        }
    }
}

#[tokio::test]
async fn chat_answers_keep_every_byte_and_are_followed_by_the_gateways_metadata() {
    let scene = Scene::new().await;
    let whole = r#"{"id":"x","object":"chat.completion","model":"gpt-4o-2026-05-05","choices":[{"index":0,"message":{"role":"assistant","content":"\u00e9 é 😀"},"finish_reason":"stop"}],"x_odd":1.50E+1}"#;
    scene.openai.will(Reply::says(whole));
    let answer = scene.key.chat("fast").await.has_status(200);
    assert!(is_followed_by_metadata(answer.text(), whole), "{}", answer.text());
}

/// Whether an answer is `whole`, with one member more.
fn is_followed_by_metadata(answer: &str, whole: &str) -> bool {
    let own = whole.strip_suffix('}').expect("an object");
    let added = answer.strip_prefix(own).unwrap_or_default();
    added.starts_with(",\"metadata\":{\"requested_model\":\"fast\",") && added.ends_with("}]}}")
}

#[tokio::test]
async fn an_answer_that_should_have_been_a_stream_is_told_as_what_it_is() {
    let scene = Scene::new().await;
    let whole = r#"{"id":"x","object":"chat.completion","choices":[]}"#;
    scene.openai.will(Reply::says(whole));
    let answer = scene.key.chat_stream("fast").await.has_status(200);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert!(is_followed_by_metadata(answer.text(), whole), "{}", answer.text());
}

#[tokio::test]
async fn every_byte_of_a_stream_is_the_vendors_own_and_it_is_never_compressed() {
    let scene = Scene::new().await;
    for operation in operations::ALL.iter().filter(|operation| operation.streams) {
        let vendor = if operation.anthropic { &scene.anthropic } else { &scene.openai };
        let odd = ": a comment\r\n\r\ndata: {\"odd\" : 1}\r\n\r\nid: 7\nevent: x\ndata: {\"two\":\ndata: 2}\n\ndata: [DONE]\n\n";
        vendor.will(Reply::streams([odd]));
        let answer = scene
            .key
            .post(operation.path, operation.stream_body(operation.alias()))
            .header("accept-encoding", "gzip, br, zstd, deflate")
            .await
            .has_status(200);
        assert!(answer.text().starts_with(odd), "{}: {}", operation.name, answer.text());
        assert_eq!(answer.header("content-encoding"), None);
        assert!(answer.header("content-type").unwrap().starts_with("text/event-stream"));
        assert_eq!(answer.header("content-length"), None);
        assert!(matches!(
            vendor.saw().pop().unwrap().header("accept-encoding"),
            None | Some("identity")
        ));
    }
}

#[tokio::test]
async fn the_callers_own_mistakes_come_back_in_the_vendors_words_without_failover() {
    let scene = Scene::new().await;
    let spare = scene.acme.provider("spare").at(&scene.anthropic).model("gpt-4o").await;
    scene.acme.route("fast", &spare, "gpt-4o", serde_json::json!({"priority": 9})).await;
    for status in [400, 404, 409, 413, 415, 422] {
        let words = format!(
            "{{\"error\":{{\"message\":\"own words {status}\",\"type\":\"t\",\"param\":null,\"code\":\"c\"}}, \"x\":1}}"
        );
        scene.openai.will(Reply::status_with(status, words.clone()));
        let answer = scene.key.chat("fast").await.has_status(status);
        assert_eq!(answer.text(), words);
        assert!(answer.headers.observability().is_empty(), "{}", answer.tell());
    }
    scene.anthropic.saw_nothing();
    assert_eq!(scene.openai.saw().len(), 6);
}

#[tokio::test]
async fn an_anthropic_error_comes_back_as_it_was_said() {
    let scene = Scene::new().await;
    for status in [400, 404, 413, 422] {
        scene.anthropic.will(Reply::status(status));
        let answer = scene
            .key
            .post("/v1/messages", operations::MESSAGES.body("smart"))
            .await
            .has_status(status);
        assert_eq!(
            answer.anthropic_error()["message"],
            format!("the vendor's own words for {status}")
        );
    }
}

#[tokio::test]
async fn an_early_refusal_of_a_large_body_is_passed_on() {
    let scene = Scene::new().await;
    scene.openai.will(Reply::status(413).early());
    let padding = "x".repeat(8 << 20);
    let body = format!(r#"{{"model":"fast","messages":[],"padding":"{padding}"}}"#);
    let answer = scene.key.post("/v1/chat/completions", body).await.has_status(413);
    assert_eq!(answer.openai_error()["message"], "the vendor's own words for 413");
}

#[tokio::test]
async fn an_answer_without_a_body_is_passed_on() {
    let scene = Scene::new().await;
    scene.openai.will(Reply::writes("HTTP/1.1 400 No\r\ncontent-length: 0\r\n\r\n"));
    let answer = scene.key.chat("fast").await.has_status(400);
    assert_eq!(answer.ending, Ending::Complete);
}

#[tokio::test]
async fn interim_answers_stay_with_the_gateway() {
    let scene = Scene::new().await;
    let body = r#"{"id":"x","choices":[]}"#;
    let hints = "HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n".repeat(100);
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n";
    let answer = format!("{hints}{head}content-length: {}\r\n\r\n{body}", body.len());
    scene.openai.will(Reply::writes(answer));
    let answer = scene.key.chat("fast").await.has_status(200);
    assert!(is_followed_by_metadata(answer.text(), body), "{}", answer.text());
}

#[tokio::test]
async fn a_credential_that_a_vendor_echoes_is_taken_out() {
    let scene = Scene::new().await;
    let secret = "sk-echoed-7f3a9b2c1d";
    scene.openai_provider.put(json!({"api_key": secret})).await.has_status(200);
    let echo = format!(r#"{{"error":{{"message":"bad key {secret}","type":"x"}}}}"#);
    for reply in [
        Reply::status_with(400, echo.clone()),
        Reply::status_with(404, format!("no such thing for {secret}")),
        Reply::answers().header("x-echo", &format!("Bearer {secret}")),
    ] {
        scene.openai.will(reply);
        let answer = scene.key.chat("fast").await;
        assert!(!answer.tell().contains(secret), "{}", answer.tell());
    }
}

#[tokio::test]
async fn a_vendors_error_is_told_as_plain_json_whatever_it_came_as() {
    let scene = Scene::new().await;
    let long = format!(r#"{{"error":{{"message":"{}","type":"x"}}}}"#, "x".repeat(200_000));
    for (kind, coding, body, said) in [
        ("text/html", "identity", "<html>no</html>", "without a readable error"),
        ("application/json", "gzip", "\u{1f}\u{8b} packed", "without a readable error"),
        ("text/plain", "identity", "no such thing", "no such thing"),
        ("application/json; charset=utf-8", "identity", r#"[{"error":{"message":"bad"}}]"#, "bad"),
        ("application/json", "identity", &long, "without a readable error"),
    ] {
        let length = body.len();
        scene.openai.will(Reply::writes(format!(
            "HTTP/1.1 400 Bad Request\r\ncontent-type: {kind}\r\ncontent-encoding: {coding}\r\n\
             content-length: {length}\r\n\r\n{body}"
        )));
        let answer = scene.key.chat("fast").await.has_status(400);
        assert!(answer.header("content-type").unwrap().starts_with("application/json"), "{kind}");
        assert_eq!(answer.header("content-encoding"), None);
        assert_eq!(answer.ending, Ending::Complete);
        let message = answer.openai_error()["message"].to_string();
        assert!(message.contains(said) && message.len() < 3000, "{message}");
    }
}
