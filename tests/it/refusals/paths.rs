//! Paths and methods that do not exist.

use serde_json::json;

use crate::support::Scene;

#[tokio::test]
async fn an_unknown_path_is_not_found_in_the_dialect_of_its_neighbourhood() {
    let scene = Scene::new().await;
    for path in [
        "/v1/nowhere",
        "/v1",
        "/v1/",
        "/v1/chat",
        "/v1/chat/completions/x",
        "/api/llm-gateway/v1/x",
        "/v1/audio/speech",
    ] {
        let answer = scene.key.post(path, "{}").await;
        assert_eq!(answer.status, 404, "{path}: {}", answer.tell());
        answer.openai_error();
    }
    for path in ["/v1/messages/nowhere", "/v1/messages/count_tokens/x"] {
        scene.key.post(path, "{}").await.has_status(404).anthropic_error();
    }
    scene.openai.saw_nothing();
}

#[tokio::test]
async fn paths_that_pretend_to_be_others_reach_nothing() {
    let scene = Scene::new().await;
    let body = json!({"model": "fast", "messages": []}).to_string();
    for path in [
        "/v1/../v1/chat/completions",
        "/v1//chat/completions",
        "/v1/chat/completions/",
        "//v1/chat/completions",
        "/V1/chat/completions",
        "/v1/chat%2Fcompletions",
        "/v1/chat/completions%00",
        "/v1/./chat/completions",
    ] {
        let answer = scene.key.post(path, body.clone()).await;
        assert!([400, 404].contains(&answer.status), "{path}: {}", answer.tell());
        if path.contains("v1//") || path.starts_with("//") {
            let message = answer.openai_error()["message"].to_string();
            assert!(
                message.contains(path) && message.contains("/v1/chat/completions"),
                "{message}"
            );
        }
    }
    scene.openai.saw_nothing();
    scene.key.post("/v1/chat/completions?beta=true", body).await.has_status(200);
}

#[tokio::test]
async fn a_method_that_an_operation_lacks_is_refused() {
    let scene = Scene::new().await;
    for (method, path) in [
        ("GET", "/v1/chat/completions"),
        ("PUT", "/v1/chat/completions"),
        ("DELETE", "/v1/embeddings"),
        ("PATCH", "/v1/responses"),
        ("GET", "/v1/completions"),
        ("POST", "/v1/models"),
    ] {
        let answer = scene.key.ask(method, path).json("{}").await;
        assert_eq!(answer.status, 405, "{method} {path}: {}", answer.tell());
        assert!(answer.header("allow").is_some(), "{method} {path}: {}", answer.tell());
        answer.openai_error();
    }
    for path in ["/v1/messages", "/v1/messages/count_tokens"] {
        scene.key.get(path).await.has_status(405).anthropic_error();
    }
    for method in ["CONNECT", "TRACE"] {
        let answer = scene.key.ask(method, "/v1/chat/completions").await;
        assert!([400, 404, 405, 501].contains(&answer.status), "{method}: {}", answer.tell());
    }
    scene.openai.saw_nothing();
}

#[tokio::test]
async fn the_list_of_models_can_be_asked_for_its_header_alone() {
    let scene = Scene::new().await;
    let whole = scene.key.get("/v1/models").await.has_status(200);
    let request = scene.key.ask("HEAD", "/v1/models").bytes();
    let mut wire = scene.key.connect().await;
    wire.send([&request[..], &scene.key.chat("fast").bytes()].concat()).await;
    let head = wire.answer_without_body().await.has_status(200);
    assert_eq!(head.header("content-length"), Some(whole.body.len().to_string().as_str()));
    wire.answer().await.has_status(200);
}

#[tokio::test]
async fn unknown_admin_paths_and_methods_answer_in_the_admin_shape() {
    let scene = Scene::new().await;
    scene.acme.get("/admin/nowhere").await.refusal(404, "NotFound");
    scene.acme.get("/user/nowhere").await.refusal(404, "NotFound");
    let answer = scene.acme.put("/admin/providers", json!({})).await.has_status(405);
    assert!(
        answer.json()["error"].is_string() && answer.json()["message"].is_string(),
        "{}",
        answer.tell()
    );
}
