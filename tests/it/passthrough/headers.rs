//! Which headers travel.

use crate::support::{Reply, Scene, operations};

#[tokio::test]
async fn headers_travel_by_an_allow_list() {
    let scene = Scene::new().await;
    let mut caller = scene.key.clone();
    for (name, value) in [
        ("x-forwarded-for", "10.0.0.1"),
        ("x-forwarded-host", "evil.test"),
        ("forwarded", "for=10.0.0.1"),
        ("x-real-ip", "10.0.0.1"),
        ("x-amz-date", "20260101T000000Z"),
        ("x-goog-user-project", "p"),
        ("x-turnpike-org", "globex"),
        ("x-bd-anything", "1"),
        ("api-key", "azure-style"),
        ("x-goog-api-key", "google-style"),
        ("x-custom", "1"),
        ("origin", "https://evil.test"),
        ("referer", "https://evil.test/x"),
        ("te", "trailers"),
        ("keep-alive", "timeout=5"),
        ("proxy-connection", "keep-alive"),
    ] {
        caller = caller.with(name, value);
    }
    for operation in [operations::CHAT, operations::MESSAGES] {
        let vendor = if operation.anthropic { &scene.anthropic } else { &scene.openai };
        caller.post(operation.path, operation.body(operation.alias())).await.has_status(200);
        let call = vendor.saw_one();
        let host = vendor.url().replace("http://", "");
        assert_eq!(call.header("host"), Some(host.as_str()));
        assert_eq!(call.header("content-type"), Some("application/json"));
        for (name, _) in &call.headers {
            let known = [
                "host",
                "content-type",
                "content-length",
                "authorization",
                "x-api-key",
                "accept",
                "accept-encoding",
                "user-agent",
                "x-request-id",
                "traceparent",
                "tracestate",
                "anthropic-version",
                "connection",
            ];
            assert!(known.contains(&name.as_str()), "{name} went to the vendor");
        }
        if let Some(connection) = call.header("connection") {
            assert_eq!(connection, "keep-alive");
        }
    }
}

#[tokio::test]
async fn the_vendors_own_headers_are_kept() {
    let scene = Scene::new().await;
    scene
        .key
        .with("openai-organization", "org-1")
        .with("openai-project", "proj-1")
        .with("openai-beta", "assistants=v2")
        .chat("fast")
        .await
        .has_status(200);
    let call = scene.openai.saw_one();
    assert_eq!(call.header("openai-organization"), Some("org-1"));
    assert_eq!(call.header("openai-project"), Some("proj-1"));
    assert_eq!(call.header("openai-beta"), Some("assistants=v2"));

    let body = operations::MESSAGES.body("smart");
    let caller =
        scene.key.with("anthropic-version", "2024-01-01").with("anthropic-beta", "a-1,b-2");
    caller.post("/v1/messages", body.clone()).await.has_status(200);
    let call = scene.anthropic.saw_one();
    assert_eq!(call.header("anthropic-version"), Some("2024-01-01"));
    assert_eq!(call.header("anthropic-beta"), Some("a-1,b-2"));

    scene.key.post("/v1/messages", body).await.has_status(200);
    let call = scene.anthropic.saw().remove(1);
    assert_eq!(call.header("anthropic-version"), Some("2023-06-01"), "the vendor demands one");
    assert_eq!(call.header("anthropic-beta"), None);
}

#[tokio::test]
async fn headers_nominated_by_connection_are_removed_and_cannot_remove_the_gateways_own() {
    let scene = Scene::new().await;
    for nominated in
        ["authorization", "x-api-key", "content-length", "host", "openai-beta", "content-type"]
    {
        let hop = format!("keep-alive, {nominated}");
        let ask = scene.key.with("openai-beta", "x").with("connection", &hop).chat("fast");
        let answer = ask.sent().await.try_answer().await;
        // A request whose framing or key is said to belong to the hop may be refused, never bent.
        let Some(answer) = answer.filter(|answer| answer.status == 200) else {
            assert_ne!(nominated, "openai-beta", "an ordinary header may be nominated");
            continue;
        };
        assert!(answer.json().is_object());
        let call = scene.openai.saw().pop().unwrap();
        assert_eq!(
            call.header("authorization"),
            Some("Bearer sk-openai-vendor-key"),
            "{nominated}"
        );
        assert!(call.header("host").is_some() && call.header("content-length").is_some());
        if nominated == "openai-beta" {
            assert_eq!(call.header("openai-beta"), None);
        }
    }
}

#[tokio::test]
async fn the_vendors_answer_headers_come_back_without_those_of_the_hop() {
    let scene = Scene::new().await;
    scene.openai.will(
        Reply::answers()
            .header("openai-processing-ms", "123")
            .header("x-ratelimit-remaining-requests", "59")
            .header("keep-alive", "timeout=9")
            .header("proxy-authenticate", "Basic")
            .header("x-hop", "1")
            .header("connection", "keep-alive, x-hop")
            .header("x-request-id", "the-vendors-own"),
    );
    let answer = scene.key.chat("fast").header("x-request-id", "mine").await.has_status(200);
    assert_eq!(answer.header("openai-processing-ms"), Some("123"));
    assert_eq!(answer.header("x-ratelimit-remaining-requests"), Some("59"));
    assert_eq!(answer.header("x-request-id"), Some("mine"));
    for name in ["keep-alive", "proxy-authenticate", "x-hop"] {
        assert_eq!(answer.header(name), None, "{name}");
    }
}
