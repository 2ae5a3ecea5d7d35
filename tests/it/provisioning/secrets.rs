//! Secrets are sealed at rest and never shown.

use std::os::unix::fs::PermissionsExt;

use serde_json::{Value, json};

use crate::{
    api::Document,
    support::{Answer, Gateway, MockVendor, Org, Reply, operations, scan::Canary},
};

const INLINE: &str = "sk-canary-inline-6f1d0c2b9a";
const SHARED: &str = "sk-ant-canary-shared-77ab31e0";
const ROTATED: &str = "sk-ant-canary-rotated-90cd42fe";
const COOKIE: &str = "session-canary-5d2c91f04b";
const PROMPT: &str = "prompt canary: the launch code is heron";
const ANSWER: &str = "answer canary: cormorants over the bay";

#[tokio::test]
async fn no_secret_prompt_or_answer_is_left_anywhere() {
    let gateway = Gateway::configured().set("log.filter", "trace").start().await;
    let (openai, anthropic) = (MockVendor::start().await, MockVendor::start().await);
    let acme = gateway.org("acme");
    let first =
        acme.provider("first").at(&openai).model("gpt-4o").with(json!({"api_key": INLINE})).await;
    let connection = acme
        .create(
            "connections",
            json!({"name": "c", "model_provider": "anthropic",
            "base_url": anthropic.url(), "api_key": SHARED}),
        )
        .await;
    let second = acme
        .provider("second")
        .vendor("anthropic")
        .with(json!({"connection_id": connection["id"], "models": ["claude-sonnet"], "api_key": null}))
        .await;
    acme.alias("fast", &[(&first, "gpt-4o")]).await;
    acme.alias("smart", &[(&second, "claude-sonnet")]).await;
    let key = acme.key().await;

    let mut answers: Vec<Answer> = Vec::new();
    let echo = |secret: &str| {
        json!({"error": {"message": format!("Incorrect API key: {secret}"), "type": "x"}})
            .to_string()
    };
    let body = |model: &str| {
        json!({"model": model, "max_tokens": 5, "messages": [{"role": "user", "content": PROMPT}]})
            .to_string()
    };
    openai
        .will(Reply::says(json!({"choices": [{"message": {"content": ANSWER}}], "usage": {"prompt_tokens": 1, "completion_tokens": 1}}).to_string()))
        .will(Reply::status_with(401, echo(INLINE)))
        .will(Reply::status_with(403, echo(INLINE)))
        .will(Reply::status_with(500, echo(INLINE)))
        .will(Reply::resets());
    for _ in 0..5 {
        answers.push(key.post("/v1/chat/completions", body("fast")).header("cookie", COOKIE).await);
    }
    anthropic.will(Reply::answers()).will(Reply::status_with(401, echo(SHARED)));
    for _ in 0..2 {
        answers.push(key.post("/v1/messages", body("smart")).header("cookie", COOKIE).await);
    }
    answers.push(key.post("/v1/chat/completions", operations::CHAT.stream_body("fast")).await);
    answers.push(
        gateway
            .stranger()
            .post("/v1/chat/completions", body("fast"))
            .header("authorization", "Bearer bd-wrong")
            .await,
    );
    for path in ["connections", "providers", "model-mappings", "api-keys"] {
        answers.push(acme.get(&format!("/admin/{path}")).await.has_status(200));
    }
    connection_is_rotated(&acme, &connection, &mut answers).await;
    let operations = Document::of(&gateway).await.operations();
    for operation in operations.iter().filter(|one| one.method == "GET" && !one.has_id()) {
        answers.push(acme.admin.caller.get(&operation.at("")).await);
    }
    acme.records(8).await;
    answers.push(acme.get("/admin/usage").await.has_status(200));

    let secrets = [
        Canary::new("an inline vendor key", INLINE.as_bytes()),
        Canary::new("a shared vendor key", SHARED.as_bytes()),
        Canary::new("a rotated vendor key", ROTATED.as_bytes()),
        Canary::new("a gateway key", key.secret.as_bytes()),
        Canary::new("an administrator's token", acme.admin.caller.secret.as_bytes()),
        Canary::new("a cookie", COOKIE.as_bytes()),
    ];
    let texts =
        [Canary::new("a prompt", PROMPT.as_bytes()), Canary::new("an answer", ANSWER.as_bytes())];
    let log = gateway.log().join("\n");
    let metrics = gateway.metrics().await;
    for canary in secrets.iter().chain(&texts) {
        canary.is_not_in("the log", log.as_bytes());
        canary.is_not_in("the metrics", metrics.text().as_bytes());
        canary.is_not_below(&gateway.data_dir(), &[]);
        if let Some(dump) = gateway.database_dump() {
            canary.is_not_in("the database", dump.as_bytes());
        }
    }
    for answer in &answers {
        for canary in &secrets {
            canary.is_not_in("an answer", answer.tell().as_bytes());
        }
    }
}

/// Changes and refusals that quote what was sent; then everything that the audit log tells of them.
async fn connection_is_rotated(acme: &Org, connection: &Value, answers: &mut Vec<Answer>) {
    let path = format!("/admin/connections/{}", connection["id"].as_str().unwrap());
    answers.push(acme.put(&path, json!({"api_key": ROTATED})).await.has_status(200));
    for refused in [
        json!({"api_key": {"api_key": ROTATED}}),
        json!({"api_key": [ROTATED]}),
        json!({"api_key": format!("{ROTATED}\n")}),
        json!({"credentials": ROTATED}),
        json!({"credentials": {"api_key": {"value": ROTATED}}}),
    ] {
        answers.push(acme.put(&path, refused).await.has_status(400));
    }
    let audit = acme.get("/admin/audit?limit=500").await.has_status(200);
    assert!(audit.text().contains(r#""credentials":"changed""#), "{}", audit.text());
    answers.push(audit);
}

#[tokio::test]
async fn the_master_key_lies_in_one_file_that_only_its_owner_reads() {
    let gateway = Gateway::configured().on_sqlite().start().await;
    gateway.org("acme").provider("openai").at_url("https://vendor.test").await;
    let path = gateway.data_dir().join("master.key");
    let stored = std::fs::read(&path).unwrap();
    let mode =
        |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&path), 0o600);
    assert_eq!(
        mode(&gateway.data_dir().join("turnpike.db")) & 0o077,
        0,
        "others may not read the database"
    );
    let canary = Canary::new("the master key", stored.trim_ascii());
    canary.is_not_below(&gateway.data_dir(), &["master.key"]);
    canary.is_not_in("the log", gateway.log().join("\n").as_bytes());
}

#[tokio::test]
async fn keys_of_the_gateway_are_not_in_its_data_folder_in_any_spelling() {
    let gateway = Gateway::start().await;
    let acme = gateway.org("acme");
    let key = acme.key().await;
    let inner = key.secret.strip_prefix("bd-").unwrap();
    Canary::new("a gateway key", inner.as_bytes()).is_not_below(&gateway.data_dir(), &[]);
}
