//! The worked example of seed 001: the caller's subscription first, Claude on Bedrock behind it.

use serde_json::json;

use super::answers;
use crate::support::{Caller, Gateway, MockVendor, Reply, Signed, operations};

#[tokio::test]
async fn bedrock_takes_over_when_anthropic_is_degraded_and_its_model_is_named() {
    let (claude, bedrock) = (MockVendor::start().await, MockVendor::start().await);
    bedrock.always(answers::claude());
    let builder = Gateway::configured().set("upstream.trusted_hosts", r#"["127.0.0.1"]"#);
    let gateway = builder.start().await;
    let acme = gateway.org("acme");
    let first = acme
        .provider("Anthropic Claude OAuth")
        .vendor("anthropic")
        .at(&claude)
        .model("claude-opus-4-7")
        .with(json!({"auth_type": "claude_oauth", "api_key": null}))
        .await;
    let second = acme
        .provider("AWS Bedrock")
        .vendor("bedrock")
        .at(&bedrock)
        .model("us.anthropic.claude-opus-4-7")
        .with(json!({
            "auth_type": "aws_static_credentials", "api_key": null,
            "settings": {"region": "us-east-1", "model_api_family": "anthropic_messages"},
            "credentials": {"access_key_id": "AKIA", "secret_access_key": "s"},
        }))
        .await;
    for (priority, provider, model) in
        [(0, &first, "claude-opus-4-7"), (1, &second, "us.anthropic.claude-opus-4-7")]
    {
        let more = json!({"priority": priority, "bare_alias": true});
        acme.route("claude-opus-4-7", provider, model, more).await;
    }
    let key = Caller::x_api_key(gateway.address(), &acme.key().await.secret);
    let caller = key.with("authorization", "Bearer sk-ant-oat01-canary");
    let body = operations::MESSAGES.body("claude-opus-4-7");

    caller.post("/v1/messages", body.clone()).await.has_status(200);
    assert!(bedrock.saw().is_empty());

    claude.will(Reply::status(529));
    let answer = caller.post("/v1/messages", body.clone()).await.has_status(200);
    assert_eq!(answer.json()["model"], "us.anthropic.claude-opus-4-7");
    assert_eq!(answer.header("x-bd-provider-route-attempt"), Some("2"));
    let call = bedrock.saw_one();
    Signed::of(&call).is_by("s", &call);
    assert!(call.headers.iter().all(|(_, value)| !value.contains("canary")));

    key.post("/v1/messages", body).await.has_status(401);
    assert_eq!(bedrock.saw().len(), 1, "a missing token is no reason to fail over");
}
