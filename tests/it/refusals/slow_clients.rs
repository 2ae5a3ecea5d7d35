//! Clients that announce a body, take their time, or never finish.

use serde_json::json;

use crate::support::{Answer, Ask, Gateway, Scene, Wire, operations, within};

/// Sends the body of `ask` once it is told to.
async fn told_to_continue(ask: Ask, body: &str, wire: &mut Wire) -> Answer {
    wire.send(ask.header("expect", "100-continue").head()).await;
    let interim = within("100 Continue", wire.any_head()).await.unwrap();
    assert_eq!(interim.status, 100);
    wire.send(body).await;
    wire.answer().await
}

#[tokio::test]
async fn a_client_that_expects_100_is_told_to_continue_and_keeps_its_connection() {
    let scene = Scene::new().await;
    let mut wire = scene.key.connect().await;
    for length in [100, 9_000, 200_000] {
        let user = "x".repeat(length);
        let body = format!(r#"{{"model":"fast","messages":[],"user":"{user}"}}"#);
        let ask = scene.key.post("/v1/chat/completions", body.clone());
        told_to_continue(ask, &body, &mut wire).await.has_status(200);
        let call = scene.openai.saw().pop().unwrap();
        assert_eq!(call.header("expect"), None);
        assert!(call.text() == body.replacen("fast", "gpt-4o", 1), "{length}");
    }
}

#[tokio::test]
async fn who_expects_100_of_the_administration_is_told_to_continue() {
    let scene = Scene::new().await;
    let mut wire = scene.key.connect().await;
    for length in [100, 9_000, 200_000] {
        let provider = json!({
            "name": format!("p{length}"), "model_provider": "openai", "api_key": "sk-test",
            "base_url": scene.openai.url(), "models": [], "enforce_health_check": false,
        });
        let body = provider.to_string() + &" ".repeat(length);
        let caller = &scene.acme.admin.caller;
        let ask = caller.post("/api/llm-gateway/admin/providers", body.clone());
        let answer = told_to_continue(ask, &body, &mut wire).await.has_status(200);
        assert_eq!(answer.json()["name"], provider["name"]);
    }
}

#[tokio::test]
async fn a_client_of_an_old_protocol_is_not_told_to_continue() {
    let scene = Scene::new().await;
    let ask = scene.key.chat("fast").header("expect", "100-continue");
    let old = String::from_utf8(ask.bytes().to_vec()).unwrap().replacen("HTTP/1.1", "HTTP/1.0", 1);
    let mut wire = scene.key.connect().await;
    wire.send(old).await;
    assert_eq!(within("an answer", wire.any_head()).await.unwrap().status, 200);
}

#[tokio::test]
async fn a_client_that_expects_100_without_a_key_is_refused_at_once() {
    let scene = Scene::new().await;
    let ask = scene
        .gateway
        .caller("bd-wrong")
        .post("/v1/chat/completions", "{}")
        .header("expect", "100-continue");
    let mut wire = scene.key.connect().await;
    wire.send(ask.head()).await;
    assert_eq!(within("a refusal", wire.any_head()).await.unwrap().status, 401);
}

#[tokio::test]
async fn a_body_that_never_comes_times_out() {
    let scene = Scene::with(Gateway::configured().set("server.body_timeout_secs", 1)).await;
    for operation in [operations::CHAT, operations::MESSAGES] {
        let ask = scene.key.post(operation.path, operation.body(operation.alias()));
        let bytes = ask.header("x-request-id", operation.name).bytes();
        let mut wire = scene.key.connect().await;
        wire.send(&bytes[..bytes.len() - 30]).await;
        let answer = wire.answer().await.has_status(408);
        if operation.anthropic {
            answer.anthropic_error()
        } else {
            answer.openai_error()
        };
        wire.closed().await;
        assert_eq!(scene.acme.record_of(operation.name).await["status"], 408);
    }
    scene.openai.saw_nothing();
}

#[tokio::test]
async fn a_body_that_drips_times_out_as_a_whole_and_its_sender_reads_why() {
    let scene = Scene::with(Gateway::configured().set("server.body_timeout_secs", 1)).await;
    for length in [1_000, 100_000] {
        let ask = scene.key.post("/v1/chat/completions", "x".repeat(length));
        let mut wire = scene.key.connect().await;
        wire.send(ask.head()).await;
        let dripping = async {
            while wire.try_send("x").await.is_ok() {
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
                if let Ok(answer) =
                    tokio::time::timeout(std::time::Duration::from_millis(1), wire.head()).await
                {
                    return answer.map(|head| head.status);
                }
            }
            None
        };
        let status = within("the gateway to lose patience", dripping).await;
        assert_eq!(status, Some(408), "{length}");
    }
    scene.openai.saw_nothing();
}

#[tokio::test]
async fn who_is_refused_and_sends_on_for_ever_is_cut_off() {
    let scene = Scene::new().await;
    let ask = scene.gateway.caller("bd-wrong").post("/v1/chat/completions", "x".repeat(100_000));
    let mut wire = scene.gateway.stranger().connect().await;
    wire.send(ask.head()).await;
    wire.send("x").await;
    let head = within("a refusal", wire.head()).await.unwrap();
    assert_eq!(head.status, 401);
    let dripping = async {
        while wire.try_send("x").await.is_ok() {
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
    };
    within("the connection's end", dripping).await;
}

#[tokio::test]
async fn a_head_that_never_ends_times_out() {
    let scene = Scene::with(Gateway::configured().set("server.header_timeout_secs", 1)).await;
    for part in [
        "",
        "P",
        "POST /v1/chat/completions HTTP/1.1\r\n",
        "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nx-slow: ",
    ] {
        let mut wire = scene.key.connect().await;
        wire.send(part).await;
        wire.closed().await;
    }
    scene.key.chat("fast").await.has_status(200);
}

#[tokio::test]
async fn a_head_that_never_ends_times_out_on_a_used_connection_too() {
    let scene = Scene::with(Gateway::configured().set("server.header_timeout_secs", 1)).await;
    let mut wire = scene.key.connect().await;
    scene.key.chat("fast").on(&mut wire).await.has_status(200);
    wire.send("POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\n").await;
    wire.closed().await;
}

#[tokio::test]
async fn a_huge_head_is_refused() {
    let scene = Scene::new().await;
    let answer = scene.key.with("x-huge", &"x".repeat(900_000)).chat("fast").await;
    assert!([400, 413, 431].contains(&answer.status), "{}", answer.status);
    let mut many = scene.key.clone();
    for n in 0..2000 {
        many = many.with(&format!("x-{n}"), "1");
    }
    let mut wire = many.chat("fast").sent().await;
    let answer = within("a refusal", wire.head()).await;
    assert!(answer.is_none_or(|head| [400, 413, 431].contains(&head.status)));
    scene.openai.saw_nothing();
}
