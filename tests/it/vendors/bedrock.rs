//! Bedrock: paths by family, and the three ways to show who asks.

use std::time::Duration;

use serde_json::{Value, json};

use super::answers;
use crate::support::{
    Gateway, GatewayBuilder, MockCloud, MockVendor, Org, Provider, Reply, Signed, operations, until,
};

const ARN: &str = "arn:aws:iam::123456789012:role/bedrock";
const MODEL: &str = "us.amazon.nova-lite-v1:0";
const PATH: &str = "/model/us.amazon.nova-lite-v1%3A0/converse";

/// With credentials of its own at AWS, and STS at the mock.
fn at_aws(sts: &MockCloud) -> GatewayBuilder {
    Gateway::configured()
        .env("AWS_ENDPOINT_URL_STS", sts.url())
        .env("AWS_ACCESS_KEY_ID", "AKIAPLATFORM")
        .env("AWS_SECRET_ACCESS_KEY", "canary-platform-secret")
        .env("AWS_EC2_METADATA_DISABLED", "true")
}

async fn bedrock(org: &Org, name: &str, vendor: &MockVendor, auth: &str, more: Value) -> Provider {
    let settings = json!({"region": "eu-west-1", "model_api_family": "bedrock_converse"});
    org.provider(name)
        .vendor("bedrock")
        .at(vendor)
        .model(MODEL)
        .with(json!({"auth_type": auth, "api_key": null, "settings": settings}))
        .with(more)
        .await
}

async fn by_role(org: &Org, vendor: &MockVendor) -> Provider {
    let role = json!({"credentials": {"iam_role_arn": ARN, "external_id": "ext-1"}});
    bedrock(org, "role", vendor, "aws_role", role).await
}

#[tokio::test]
async fn a_request_by_access_key_is_signed_over_what_arrives() {
    let (gateway, vendor) = (Gateway::start().await, MockVendor::start().await);
    vendor.always(answers::converse());
    let acme = gateway.org("acme");
    for token in [None, Some("canary/session+token==")] {
        let name = if token.is_some() { "temporary" } else { "lasting" };
        let keys = json!({"credentials": {
            "access_key_id": "AKIATHEIRS", "secret_access_key": "their-secret",
            "session_token": token,
        }});
        let provider = bedrock(&acme, name, &vendor, "aws_keys", keys).await;
        acme.alias(name, &[(&provider, MODEL)]).await;
        let caller = acme.key().await.with("anthropic-version", "2023-06-01");
        let answer = caller.chat(name).await.has_status(200);
        assert_eq!(answer.json()["choices"][0]["message"]["content"], "Hello.");
        let call = vendor.saw().pop().unwrap();
        assert_eq!(call.path, PATH);
        assert_eq!(call.header("x-amz-security-token"), token);
        assert_eq!(call.header("anthropic-version"), None);
        let signed = Signed::of(&call);
        signed.is_by("their-secret", &call);
        assert_eq!(
            (signed.access_key_id.as_str(), signed.region.as_str(), signed.service.as_str()),
            ("AKIATHEIRS", "eu-west-1", "bedrock")
        );
        assert!(signed.headers.iter().any(|name| name == "host"));
        assert_eq!(
            signed.headers.iter().any(|name| name == "x-amz-security-token"),
            token.is_some()
        );
    }
}

#[tokio::test]
async fn an_arn_is_one_segment_of_the_path_and_streams_have_their_own_operation() {
    let (gateway, vendor) = (Gateway::start().await, MockVendor::start().await);
    let acme = gateway.org("acme");
    let arn = "arn:aws:bedrock:eu-west-1:123456789012:application-inference-profile/ab12";
    let keys = json!({
        "credentials": {"access_key_id": "AKIA", "secret_access_key": "s"}, "models": [arn],
    });
    let provider = bedrock(&acme, "keys", &vendor, "aws_keys", keys).await;
    acme.alias("profile", &[(&provider, arn)]).await;
    acme.key().await.chat_stream("profile").await;
    let call = vendor.saw_one();
    assert_eq!(
        call.path,
        "/model/arn%3Aaws%3Abedrock%3Aeu-west-1%3A123456789012%3Aapplication-inference-profile%2Fab12/converse-stream"
    );
    Signed::of(&call).is_by("s", &call);
}

#[tokio::test]
async fn a_bedrock_key_is_a_bearer_token() {
    let (gateway, vendor) = (Gateway::start().await, MockVendor::start().await);
    vendor.always(answers::converse());
    let acme = gateway.org("acme");
    let key = json!({"api_key": "bedrock-api-key-1"});
    let provider = bedrock(&acme, "key", &vendor, "bedrock_api_key", key).await;
    acme.alias("fast", &[(&provider, MODEL)]).await;
    acme.key().await.chat("fast").await.has_status(200);
    let call = vendor.saw_one();
    assert_eq!(call.header("authorization"), Some("Bearer bedrock-api-key-1"));
    assert_eq!(call.header("x-amz-date"), None);
}

#[tokio::test]
async fn claude_on_bedrock_is_invoked_without_anthropics_headers() {
    let (gateway, vendor) = (Gateway::start().await, MockVendor::start().await);
    vendor.always(answers::claude());
    let acme = gateway.org("acme");
    let claude = json!({
        "settings": {"region": "us-east-1", "model_api_family": "anthropic_messages"},
        "credentials": {"access_key_id": "AKIA", "secret_access_key": "s"},
        "models": ["us.anthropic.claude-haiku-4-5-20251001-v1:0"],
    });
    let provider = bedrock(&acme, "claude", &vendor, "aws_keys", claude).await;
    acme.alias("smart", &[(&provider, "us.anthropic.claude-haiku-4-5-20251001-v1:0")]).await;
    let caller = acme
        .key()
        .await
        .with("anthropic-version", "2023-06-01")
        .with("anthropic-beta", "context-1m-2025-08-07, interleaved-thinking-2025-05-14");
    let body = operations::MESSAGES.body("smart");
    caller.post("/v1/messages?beta=true", body).await.has_status(200);
    let call = vendor.saw_one();
    assert_eq!(call.path, "/model/us.anthropic.claude-haiku-4-5-20251001-v1%3A0/invoke");
    assert_eq!((call.header("anthropic-version"), call.header("anthropic-beta")), (None, None));
    assert!(call.json().get("model").is_none(), "the model stands in the path");
    assert_eq!(call.json()["anthropic_version"], "bedrock-2023-05-31");
    let known = json!(["interleaved-thinking-2025-05-14"]);
    assert_eq!(call.json()["anthropic_beta"], known, "Haiku 4.5 has no larger context");
    Signed::of(&call).is_by("s", &call);
}

#[tokio::test]
async fn a_role_is_assumed_once_for_many_requests_with_its_external_id() {
    let (sts, vendor) = (MockCloud::start().await, MockVendor::start().await);
    sts.says("/", 200, answers::assumed("canary-session", 3600));
    vendor.always(answers::converse());
    let gateway = at_aws(&sts).start().await;
    let acme = gateway.org("acme");
    let provider = by_role(&acme, &vendor).await;
    acme.alias("fast", &[(&provider, MODEL)]).await;
    let key = acme.key().await;
    let asks = (0..20).map(|_| std::future::IntoFuture::into_future(key.chat("fast")));
    for answer in futures_util::future::join_all(asks).await {
        answer.has_status(200);
    }
    // A change of the configuration forgets no credentials.
    acme.alias("other", &[(&provider, MODEL)]).await;
    key.chat("other").await.has_status(200);
    let asked = sts.asked();
    assert_eq!(asked.len(), 1, "one flight for all");
    for part in [
        "Action=AssumeRole",
        "ExternalId=ext-1",
        "RoleArn=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Fbedrock",
    ] {
        assert!(asked[0].body.contains(part), "{}", asked[0].body);
    }
    assert!(asked[0].header("authorization").contains("Credential=AKIAPLATFORM/"));
    for call in vendor.saw() {
        assert_eq!(call.header("x-amz-security-token"), Some("canary-session"));
        let signed = Signed::of(&call);
        signed.is_by("role-secret", &call);
        assert_eq!(signed.access_key_id, "ASIAROLE");
    }
    assert!(!gateway.log().join("\n").contains("canary"));
}

#[tokio::test]
async fn a_roles_credentials_are_renewed_ahead_of_their_end_while_requests_go_on() {
    let (sts, vendor) = (MockCloud::start().await, MockVendor::start().await);
    // A minute is kept in reserve: of 64 seconds, four remain, and at the last fifth they are renewed.
    sts.says("/", 200, answers::assumed("first", 64));
    vendor.always(answers::converse());
    let gateway = at_aws(&sts).start().await;
    let acme = gateway.org("acme");
    let provider = by_role(&acme, &vendor).await;
    acme.alias("fast", &[(&provider, MODEL)]).await;
    let key = acme.key().await;
    key.chat("fast").await.has_status(200);
    sts.says("/", 200, answers::assumed("second", 3600));
    until("requests are signed with renewed credentials", async || {
        key.chat("fast").await.has_status(200);
        tokio::time::sleep(Duration::from_millis(50)).await;
        let last = vendor.saw().pop()?;
        (last.header("x-amz-security-token") == Some("second")).then_some(())
    })
    .await;
    assert_eq!(sts.asked().len(), 2);
}

#[tokio::test]
async fn a_role_that_cannot_be_assumed_fails_over_and_is_told_in_the_gateways_words() {
    let (sts, vendor) = (MockCloud::start().await, MockVendor::start().await);
    let fallback = MockVendor::start().await;
    let gateway = at_aws(&sts).start().await;
    let acme = gateway.org("acme");
    let role = by_role(&acme, &vendor).await;
    let second = acme.provider("second").at(&fallback).model("gpt-4o").await;
    acme.alias("both", &[(&role, MODEL), (&second, "gpt-4o")]).await;
    acme.alias("alone", &[(&role, MODEL)]).await;
    let key = acme.key().await;
    let canary = "User: arn:aws:iam::1:user/canary is not authorized to perform: sts:AssumeRole";
    for (status, body) in [
        (403, answers::refused(canary)),
        (500, "<html>canary of an internal page</html>".to_owned()),
    ] {
        sts.says("/", status, body);
        let answer = key.chat("both").await.has_status(200);
        assert_eq!(answer.header("x-bd-provider-failover-count"), Some("1"));
        let answer = key.chat("alone").await.has_status(502);
        let attempt = answer.openai_error()["attempts"][0].clone();
        assert_eq!(attempt["error_type"], "auth_failed");
        assert_eq!(attempt["status"], Value::Null);
        let message = attempt["message"].as_str().unwrap();
        assert!(message.contains("AWS") && !message.contains("canary"), "{message}");
    }
    assert!(vendor.saw().is_empty());
}

#[tokio::test]
async fn a_refusal_that_repeats_what_was_sent_is_not_repeated() {
    let (gateway, vendor) = (Gateway::start().await, MockVendor::start().await);
    let acme = gateway.org("acme");
    let keys = json!({"credentials": {"access_key_id": "AKIA", "secret_access_key": "s",
        "session_token": "canary-session-token"}});
    let provider = bedrock(&acme, "keys", &vendor, "aws_keys", keys).await;
    acme.alias("fast", &[(&provider, MODEL)]).await;
    let message = "The Canonical String for this request should have been 'POST\n/model\n\
                   x-amz-security-token:canary-session-token'";
    for status in [400, 403, 500] {
        vendor.will(Reply::status_with(status, json!({"message": message}).to_string()));
        let answer = acme.key().await.chat("fast").await;
        assert_ne!(answer.status, 200);
        assert!(!answer.tell().contains("canary"), "{}", answer.tell());
    }
}

#[tokio::test]
async fn betas_reach_claude_through_converse_and_its_profile_is_known() {
    let (gateway, vendor) = (Gateway::start().await, MockVendor::start().await);
    vendor.always(answers::converse());
    let acme = gateway.org("acme");
    let arn = "arn:aws:bedrock:eu-west-1:123456789012:application-inference-profile/ab12";
    let settings = json!({"region": "eu-west-1", "model_api_family": "bedrock_converse",
        "base_models": {arn: "eu.anthropic.claude-sonnet-4-6"}});
    let keys = json!({
        "credentials": {"access_key_id": "AKIA", "secret_access_key": "s"}, "models": [arn],
        "settings": settings,
    });
    let provider = bedrock(&acme, "keys", &vendor, "aws_keys", keys).await;
    acme.alias("profile", &[(&provider, arn)]).await;
    let caller = acme.key().await;
    let caller = caller.with("anthropic-beta", "claude-code-20250219,context-1m-2025-08-07");
    caller.post("/v1/messages", operations::MESSAGES.body("profile")).await.has_status(200);
    let call = vendor.saw_one();
    assert!(call.path.contains("application-inference-profile"), "{}", call.path);
    let told = &call.json()["additionalModelRequestFields"];
    assert_eq!(told["anthropic_beta"], json!(["context-1m-2025-08-07"]));
    vendor.will(Reply::says(r#"{"inputTokens": 9}"#));
    let counted = caller.post("/v1/messages/count_tokens", operations::MESSAGES.body("profile"));
    assert_eq!(counted.await.has_status(200).json(), json!({"input_tokens": 9}));
    let call = vendor.saw().pop().unwrap();
    assert_eq!(call.path, "/model/anthropic.claude-sonnet-4-6/count-tokens");
}

#[tokio::test]
async fn a_stream_with_tools_is_made_of_llamas_whole_answer() {
    let (gateway, vendor) = (Gateway::start().await, MockVendor::start().await);
    vendor.will(Reply::says(
        json!({"output": {"message": {"role": "assistant", "content": [
            {"toolUse": {"toolUseId": "c1", "name": "look", "input": {"at": "x"}}}]}},
            "stopReason": "tool_use", "usage": {"inputTokens": 5, "outputTokens": 2, "totalTokens": 7}})
        .to_string(),
    ));
    let acme = gateway.org("acme");
    let model = "us.meta.llama3-3-70b-instruct-v1:0";
    let keys = json!({
        "credentials": {"access_key_id": "AKIA", "secret_access_key": "s"}, "models": [model],
    });
    let provider = bedrock(&acme, "llama", &vendor, "aws_keys", keys).await;
    acme.alias("llama", &[(&provider, model)]).await;
    let key = acme.key().await;
    let tools = json!([{"type": "function", "function": {"name": "look"}}]);
    let body = |tools: &Value| {
        let mut body = json!({"model": "llama", "stream": true,
            "messages": [{"role": "user", "content": "Look."}]});
        if !tools.is_null() {
            body["tools"] = tools.clone();
        }
        body.to_string()
    };
    let answer = key.post("/v1/chat/completions", body(&tools)).await.has_status(200);
    assert_eq!(vendor.saw_one().path, "/model/us.meta.llama3-3-70b-instruct-v1%3A0/converse");
    assert_eq!(answer.header("content-type"), Some("text/event-stream"));
    let said = answer.text();
    assert!(
        said.contains(r#""name":"look""#) && said.contains(r#""finish_reason":"tool_calls""#),
        "{said}"
    );
    assert!(said.ends_with("data: [DONE]\n\n"), "{said}");
    key.post("/v1/chat/completions", body(&Value::Null)).await;
    let path = vendor.saw().pop().unwrap().path.clone();
    assert_eq!(path, "/model/us.meta.llama3-3-70b-instruct-v1%3A0/converse-stream");
}
