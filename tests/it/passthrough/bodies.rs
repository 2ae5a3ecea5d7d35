//! Request bodies: only `model` is rewritten, in place.

use serde_json::{Value, json};

use crate::support::{Scene, operations};

#[tokio::test]
async fn every_byte_but_the_model_reaches_the_vendor() {
    let scene = Scene::new().await;
    for operation in operations::ALL {
        for prefix in ["", "/api/llm-gateway"] {
            let vendor = if operation.anthropic { &scene.anthropic } else { &scene.openai };
            let body = operation.body(operation.alias());
            let path = format!("{prefix}{}", operation.path);
            let answer = scene.key.post(&path, body.clone()).await;
            assert_eq!(answer.status, 200, "{}: {}", operation.name, answer.tell());
            let call = vendor.saw().pop().unwrap();
            assert_eq!(call.path, operation.path);
            assert_eq!(
                call.text(),
                operation.body(operation.upstream_model()),
                "{}",
                operation.name
            );
            assert_eq!(call.header("content-length"), Some(call.body.len().to_string().as_str()));
            assert_eq!(call.header("transfer-encoding"), None);
        }
    }
}

#[tokio::test]
async fn a_body_that_names_the_upstream_model_already_is_passed_unchanged() {
    let scene = Scene::new().await;
    let one_to_one = scene.openai_provider.one_to_one("gpt-4o").await;
    let path = format!("/admin/model-mappings/{}", one_to_one["id"].as_str().unwrap());
    scene.acme.put(&path, json!({"bare_alias": true})).await.has_status(200);
    let body = operations::CHAT.body("gpt-4o");
    scene.key.post("/v1/chat/completions", body.clone()).await.has_status(200);
    assert_eq!(scene.openai.saw_one().text(), body);
}

#[tokio::test]
async fn the_model_may_be_spelled_with_escapes() {
    let scene = Scene::new().await;
    let body = r#"{"mod\u0065l":"f\u0061st","messages":[]}"#;
    scene.key.post("/v1/chat/completions", body).await.has_status(200);
    assert_eq!(scene.openai.saw_one().text(), r#"{"mod\u0065l":"gpt-4o","messages":[]}"#);
}

#[tokio::test]
async fn an_upstream_model_of_any_characters_is_written_as_valid_json() {
    let scene = Scene::new().await;
    let odd = "a/b \"c\"\\\u{e9}\u{1F30D}";
    let provider = scene.acme.provider("odd").at(&scene.openai).model(odd).await;
    scene.acme.alias("plain", &[(&provider, odd)]).await;
    scene.key.chat("plain").await.has_status(200);
    assert_eq!(scene.openai.saw_one().json()["model"], odd);
}

#[tokio::test]
async fn a_stream_request_is_changed_only_by_asking_for_usage() {
    let scene = Scene::new().await;
    for operation in [operations::CHAT, operations::COMPLETIONS] {
        let body = operation.stream_body("fast");
        scene.key.post(operation.path, body.clone()).await.has_status(200);
        let sent = scene.openai.saw().pop().unwrap();
        let mut expected: Value = serde_json::from_str(&body).unwrap();
        expected["model"] = json!("gpt-4o");
        expected["stream_options"] = json!({"include_usage": true});
        assert_eq!(sent.json(), expected, "{}", operation.name);
        let untouched = operation.body("gpt-4o");
        let tail = &untouched[untouched.find('{').unwrap() + 1..];
        assert!(sent.text().contains(tail), "the rest is as it was: {}", sent.text());
    }
}

#[tokio::test]
async fn usage_is_asked_for_in_every_shape_that_stream_options_can_have() {
    let scene = Scene::new().await;
    for (given, expected) in [
        ("null", json!({"include_usage": true})),
        ("{}", json!({"include_usage": true})),
        (r#"{"include_usage":false}"#, json!({"include_usage": true})),
        (r#"{"include_usage" : true}"#, json!({"include_usage": true})),
        (
            r#"{"include_obfuscation":false}"#,
            json!({"include_obfuscation": false, "include_usage": true}),
        ),
    ] {
        let body =
            format!(r#"{{"model":"fast","stream":true,"stream_options":{given},"messages":[]}}"#);
        let answer = scene.key.post("/v1/chat/completions", body).await.has_status(200);
        let sent = scene.openai.saw().pop().unwrap().json();
        assert_eq!(sent["stream_options"], expected, "{given}");
        let asked = given.contains("true");
        assert_eq!(answer.text().contains("prompt_tokens"), asked, "{given}: {}", answer.text());
    }
}

#[tokio::test]
async fn streams_that_carry_usage_by_themselves_are_not_asked() {
    let scene = Scene::new().await;
    for operation in [operations::MESSAGES, operations::RESPONSES] {
        let vendor = if operation.anthropic { &scene.anthropic } else { &scene.openai };
        scene
            .key
            .post(operation.path, operation.stream_body(operation.alias()))
            .await
            .has_status(200);
        let sent = vendor.saw().pop().unwrap();
        assert_eq!(sent.text(), operation.stream_body(operation.upstream_model()));
    }
}

/// In one packet where they fit, so that a vendor's server wakes up once.
#[tokio::test]
async fn the_header_waits_for_the_body() {
    const ROUNDS: usize = 40;
    let scene = Scene::new().await;
    for _ in 0..ROUNDS {
        scene.key.chat("fast").await.has_status(200);
    }
    let at_once = scene.openai.saw().iter().filter(|call| call.came_at_once()).count();
    assert_eq!(at_once, ROUNDS, "requests that came in one piece");
}

#[tokio::test]
async fn a_response_in_the_background_is_refused_unless_a_stream_tells_of_it() {
    let scene = Scene::new().await;
    let ask = |more: &str| {
        let body = format!(r#"{{"model":"fast","input":"Hi",{more}}}"#);
        scene.key.post("/v1/responses", body)
    };
    for more in [
        r#""background":true"#,
        r#""b\u0061ckground":true,"stream":false"#,
        r#""background":1,"background":false"#,
    ] {
        let error = ask(more).await.has_status(400).openai_error();
        assert_eq!(error["param"], "background", "{error}");
        assert!(error["message"].as_str().unwrap().contains("ask for a stream"), "{error}");
    }
    scene.openai.saw_nothing();
    for more in [r#""background":false"#, r#""background":true,"stream":true"#] {
        ask(more).await.has_status(200);
    }
    assert_eq!(scene.openai.saw().len(), 2);
}
