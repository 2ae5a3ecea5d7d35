//! Keys that open nothing.

use serde_json::json;

use crate::support::{Scene, operations, until};

#[tokio::test]
async fn a_missing_malformed_unknown_or_foreign_key_is_refused_in_both_dialects() {
    let scene = Scene::new().await;
    let unknown = "bd-0123456789abcdefghijABCDEFGHIJ0123456789";
    let mut almost = scene.key.secret.clone();
    let last = if almost.ends_with('a') { 'b' } else { 'a' };
    almost.pop();
    almost.push(last);
    let jwt = scene.acme.admin.caller.secret.clone();
    let sql = "bd-' OR 1=1 --";
    let long = format!("bd-{}", "x".repeat(7000));
    let mut strangers = vec![
        scene.gateway.stranger(),
        scene.gateway.stranger().with("authorization", ""),
        scene.gateway.stranger().with("authorization", "Bearer"),
        scene.gateway.stranger().with("authorization", "Bearer "),
        scene.gateway.stranger().with("authorization", &format!("Basic {}", scene.key.secret)),
        scene.gateway.stranger().with("authorization", &scene.key.secret),
        scene.gateway.stranger().with("x-api-key", ""),
        scene.gateway.stranger().with("api-key", &scene.key.secret),
    ];
    for secret in [unknown, &almost, &jwt, sql, &long, "bd-", "sk-something", "bd-\u{e9}"] {
        strangers.push(scene.gateway.caller(secret));
        strangers.push(scene.gateway.stranger().with("x-api-key", secret));
    }
    for stranger in strangers {
        for operation in operations::ALL {
            let answer = stranger.post(operation.path, operation.body(operation.alias())).await;
            assert_eq!(answer.status, 401, "{stranger:?}: {}", answer.tell());
            if operation.anthropic {
                assert_eq!(answer.anthropic_error()["type"], "authentication_error");
            } else {
                assert_eq!(answer.openai_error()["code"], "invalid_api_key");
            }
        }
        let answer = stranger.get("/v1/models").await.has_status(401);
        assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
    }
    scene.openai.saw_nothing();
    scene.anthropic.saw_nothing();
}

#[expect(clippy::disallowed_methods, reason = "the gateway's clock is the machine's")]
fn now() -> jiff::Timestamp {
    jiff::Timestamp::now()
}

#[tokio::test]
async fn an_expired_key_is_refused_from_its_moment_on() {
    let scene = Scene::new().await;
    let expiry = now() + jiff::SignedDuration::from_secs(3);
    let key = scene.acme.key_with(json!({"name": "brief", "expires_at": expiry.to_string()})).await;
    key.chat("fast").await.has_status(200);
    let refusal = until("the key has expired", async || {
        let answer = key.chat("fast").await;
        (answer.status == 401).then_some(answer)
    })
    .await;
    assert!(now() >= expiry, "not before its time");
    assert_eq!(refusal.openai_error()["code"], "invalid_api_key");
}

#[tokio::test]
async fn a_key_is_checked_before_the_body_is_asked_for() {
    let scene = Scene::new().await;
    let ask = scene.gateway.caller("bd-wrong").post("/v1/chat/completions", vec![b'x'; 1000]);
    let mut wire = scene.gateway.stranger().connect().await;
    wire.send(ask.head()).await;
    assert_eq!(wire.answer().await.status, 401);
}
