//! Claude's OAuth passthrough (seed 001): what is forwarded, where, and whose fault a missing token is.

use serde_json::{Value, json};

use crate::support::{
    Caller, Gateway, GatewayBuilder, MockVendor, Org, Reply, operations, scan::Canary,
};

const TOKEN: &str = "sk-ant-oat01-canary-of-the-caller";

/// Claude's subscriptions first, then an Anthropic key; both behind `smart`.
struct Scene {
    gateway: Gateway,
    claude: MockVendor,
    fallback: MockVendor,
    acme: Org,
    /// With the gateway's key alone.
    key: Caller,
}

fn trusting() -> GatewayBuilder {
    Gateway::configured().set("upstream.trusted_hosts", r#"["127.0.0.1"]"#)
}

impl Scene {
    async fn new() -> Self {
        Self::on(trusting()).await
    }

    async fn on(builder: GatewayBuilder) -> Self {
        let gateway = builder.start().await;
        let (claude, fallback) = (MockVendor::start().await, MockVendor::start().await);
        let acme = gateway.org("acme");
        let callers = acme
            .provider("Claude OAuth")
            .vendor("anthropic")
            .at(&claude)
            .model("claude-opus-4-7")
            .with(json!({"auth_type": "oauth_passthrough", "api_key": null}))
            .await;
        let keyed = acme
            .provider("keyed")
            .vendor("anthropic")
            .at(&fallback)
            .model("claude-opus-4-7")
            .with(json!({"api_key": "sk-ant-api-fallback"}))
            .await;
        let both = [(&callers, "claude-opus-4-7"), (&keyed, "claude-opus-4-7")];
        acme.alias("smart", &both).await;
        acme.alias("fallback-first", &[both[1], both[0]]).await;
        let key = acme.key().await;
        let key = Caller::x_api_key(gateway.address(), &key.secret);
        Self { gateway, claude, fallback, acme, key }
    }

    /// With the caller's own token, too.
    fn caller(&self) -> Caller {
        self.key.with("authorization", &format!("Bearer {TOKEN}"))
    }

    fn nothing_was_sent(&self) {
        assert!(self.claude.saw().is_empty() && self.fallback.saw().is_empty());
    }
}

#[tokio::test]
async fn the_callers_token_is_forwarded_as_it_came_and_the_gateways_key_is_not() {
    let scene = Scene::new().await;
    let caller = scene.caller().with("anthropic-beta", "oauth-2025-04-20,claude-code-20250219");
    for operation in [operations::MESSAGES, operations::COUNT_TOKENS] {
        let path = format!("{}?beta=true", operation.path);
        caller.post(&path, operation.body("smart")).await.has_status(200);
        let call = scene.claude.saw().pop().unwrap();
        assert_eq!(call.path, path);
        assert_eq!(call.header("authorization"), Some(format!("Bearer {TOKEN}").as_str()));
        assert_eq!(call.header("x-api-key"), None);
        assert_eq!(call.header("anthropic-beta"), Some("oauth-2025-04-20,claude-code-20250219"));
        assert_eq!(call.header("anthropic-version"), Some("2023-06-01"));
        assert_eq!(
            call.text(),
            operation.body("claude-opus-4-7"),
            "every byte but the model is the caller's"
        );
    }
    assert!(scene.fallback.saw().is_empty());
}

#[tokio::test]
async fn without_a_token_of_the_kind_the_request_is_the_callers_fault_and_goes_nowhere() {
    let scene = Scene::new().await;
    let alone = scene.gateway.caller(&scene.key.secret);
    let mut callers = vec![scene.key.clone(), alone];
    for bad in [
        "Bearer sk-ant-api03-an-api-key",
        "Bearer sk-ant-oat",
        "Basic sk-ant-oat01-x",
        "sk-ant-oat01-x",
        "Bearer",
    ] {
        callers.push(scene.key.with("authorization", bad));
    }
    let twice = scene.caller().with("authorization", "Bearer sk-ant-oat01-another");
    callers.push(twice);
    for caller in callers {
        for operation in [operations::MESSAGES, operations::COUNT_TOKENS] {
            let answer = caller.post(operation.path, operation.body("smart")).await.has_status(401);
            let error = answer.anthropic_error();
            assert_eq!(error["type"], "authentication_error");
            let message = error["message"].as_str().unwrap();
            assert!(message.contains("Bearer sk-ant-oat"), "{message}");
            assert!(answer.headers.observability().is_empty(), "{}", answer.tell());
        }
    }
    scene.nothing_was_sent();
}

#[tokio::test]
async fn other_endpoints_are_told_to_use_the_messages_endpoint() {
    let scene = Scene::new().await;
    for caller in [scene.caller(), scene.key.clone()] {
        for operation in [
            operations::CHAT,
            operations::RESPONSES,
            operations::COMPLETIONS,
            operations::EMBEDDINGS,
        ] {
            for name in ["smart", "Claude OAuth/claude-opus-4-7"] {
                let answer = caller.post(operation.path, operation.body(name)).await;
                let error = answer.has_status(401).openai_error();
                let message = error["message"].as_str().unwrap();
                assert!(message.contains("POST /v1/messages"), "{message}");
            }
        }
    }
    scene.nothing_was_sent();
}

#[tokio::test]
async fn upstream_failures_fail_over_and_the_next_vendor_does_not_see_the_token() {
    let scene = Scene::on(trusting().never_ejects()).await;
    for failure in [Reply::status(500), Reply::status(529), Reply::status(429), Reply::resets()] {
        scene.claude.will(failure);
        let answer = scene
            .caller()
            .post("/v1/messages", operations::MESSAGES.body("smart"))
            .await
            .has_status(200);
        assert_eq!(answer.header("x-bd-provider-failover-count"), Some("1"));
    }
    for call in scene.fallback.saw() {
        assert_eq!(call.header("x-api-key"), Some("sk-ant-api-fallback"));
        assert_eq!(call.header("authorization"), None);
    }
    assert_eq!(scene.fallback.saw().len(), 4);
}

#[tokio::test]
async fn a_refused_token_is_the_callers_to_see_and_nobody_is_told_what_it_was() {
    let scene = Scene::new().await;
    let body = json!({"type": "error", "request_id": "req_1", "error": {
        "type": "authentication_error", "message": format!("OAuth token {TOKEN} has expired")}});
    for status in [401, 403] {
        let reply = Reply::status_with(status, body.to_string()).header("x-echo", TOKEN);
        scene.claude.will(reply);
        let id = format!("expired-{status}");
        let answer = scene
            .caller()
            .post("/v1/messages", operations::MESSAGES.body("smart"))
            .header("x-request-id", &id)
            .await
            .has_status(status);
        let error = answer.anthropic_error();
        assert_eq!(error["message"], "OAuth token *** has expired");
        assert!(!answer.tell().contains("canary"), "{}", answer.tell());
        let record = scene.acme.record_of(&id).await;
        assert_eq!(record["status"], status);
        assert_eq!(record["attempts"][0]["error_type"], "client_error", "{record}");
        assert!(!record.to_string().contains("canary"), "{record}");
    }
    assert!(scene.fallback.saw().is_empty(), "a caller's fault does not fail over");
    assert!(!scene.gateway.log().join("\n").contains("canary"));
    let metrics = scene.gateway.metrics().await;
    let refused = metrics.sum("turnpike_attempts_total", &[("outcome", "auth_failed")]);
    assert_eq!(refused, 0, "never counted against the gateway's own");
}

#[tokio::test]
async fn a_token_that_is_missing_once_it_is_needed_ends_the_request_too() {
    let scene = Scene::new().await;
    scene.fallback.will(Reply::status(503));
    let body = operations::MESSAGES.body("fallback-first");
    let answer = scene.key.post("/v1/messages", body.clone()).await.has_status(401);
    let message = answer.anthropic_error()["message"].as_str().unwrap().to_owned();
    assert!(message.contains("sk-ant-oat"), "{message}");
    assert!(scene.claude.saw().is_empty());

    scene.fallback.will(Reply::status(503));
    scene.caller().post("/v1/messages", body).await.has_status(200);
    let call = scene.claude.saw_one();
    assert_eq!(call.header("authorization"), Some(format!("Bearer {TOKEN}").as_str()));
}

#[tokio::test]
async fn streams_pass_as_they_are() {
    let scene = Scene::new().await;
    let body = operations::MESSAGES.stream_body("smart");
    let answer = scene.caller().post("/v1/messages", body).await.has_status(200);
    assert!(answer.text().ends_with("event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"));
}

#[tokio::test]
async fn a_host_that_is_no_longer_trusted_gets_no_token() {
    let builder = trusting();
    let mut scene = Scene::on(builder.clone()).await;
    scene.gateway.ask_to_end();
    scene.gateway.ended().await;
    let gateway = builder.set("upstream.trusted_hosts", "[]").start().await;
    let caller = Caller::x_api_key(gateway.address(), &scene.key.secret)
        .with("authorization", &format!("Bearer {TOKEN}"));
    let answer = caller
        .post("/v1/messages", operations::MESSAGES.body("Claude OAuth/claude-opus-4-7"))
        .await
        .has_status(502);
    assert!(answer.text().contains("upstream.trusted_hosts"), "{}", answer.tell());
    assert!(!answer.text().contains("canary"));
    caller.post("/v1/messages", operations::MESSAGES.body("smart")).await.has_status(200);
    assert!(scene.claude.saw().is_empty());
    assert_eq!(scene.fallback.saw_one().header("authorization"), None);
}

#[tokio::test]
async fn such_a_provider_stores_nothing() {
    let scene = Scene::new().await;
    let rows: Value = scene.acme.get("/admin/providers").await.has_status(200).json();
    let row = rows.as_array().unwrap().iter().find(|row| row["name"] == "Claude OAuth").unwrap();
    assert_eq!(row["auth_type"], "oauth_passthrough");
    scene.caller().post("/v1/messages", operations::MESSAGES.body("smart")).await.has_status(200);
    let token = Canary::new("the caller's token", TOKEN.as_bytes());
    token.is_not_below(&scene.gateway.data_dir(), &[]);
}
