//! The official clients of Google and AWS against the mock vendor itself: it speaks as they expect,
//! so what the gateway is tested with is what vendors say. `tests/sdk/oracles`.

use std::{
    io::Write as _,
    process::{Command, Stdio},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::{PYTHON_RAN, needs, passes, python, tests};
use crate::support::{Call, Gateway, MockVendor};

async fn reads_the_mock(pattern: &str) {
    let mock = MockVendor::start().await;
    let mut command = python("python", "oracles", pattern);
    command.env("MOCK_URL", mock.url());
    passes(command, PYTHON_RAN).await;
}

#[tokio::test]
async fn googles_client_reads_the_mock() {
    reads_the_mock("test_google.py").await;
}

#[tokio::test]
async fn awss_client_reads_the_mock() {
    reads_the_mock("test_aws.py").await;
}

#[tokio::test]
async fn anthropics_clients_for_the_clouds_read_the_mock() {
    reads_the_mock("test_claude.py").await;
}

/// What `signature.py` says of a call with these credentials.
fn signed_again(call: &Call, host: &str, credentials: &Value) -> String {
    let mut seen = credentials.clone();
    seen["method"] = json!(call.method);
    seen["url"] = json!(format!("http://{host}{}", call.path));
    seen["headers"] = json!(call.headers);
    seen["body"] = json!(STANDARD.encode(&call.body));
    let mut command = Command::new(needs("python").join("bin/python"));
    command.args(["-B", "signature.py"]).current_dir(tests("oracles"));
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("python starts");
    child.stdin.take().unwrap().write_all(seen.to_string().as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    String::from_utf8_lossy(&said).trim().to_owned()
}

#[tokio::test]
async fn aws_signs_as_the_gateway_does() {
    let gateway = Gateway::start().await;
    let mock = MockVendor::start().await;
    let acme = gateway.org("acme");
    let host = mock.address().to_string();
    let model = "eu.anthropic.claude-sonnet-4-5-20250929-v1:0";
    let arn = "arn:aws:bedrock:eu-west-1:1:application-inference-profile/a1";
    let credentials = json!({"access_key_id": "AKIAOWN", "secret_access_key": "own/secret+key",
        "session_token": "own/token=="});
    for family in ["bedrock_converse", "anthropic_messages"] {
        let provider = acme.provider(family).vendor("bedrock").at(&mock).model(model).model(arn);
        let settings = json!({"region": "eu-west-1", "model_api_family": family});
        provider
            .with(json!({"auth_type": "aws_keys", "api_key": null, "settings": settings,
                "credentials": credentials}))
            .await;
    }
    let key = acme.key().await;
    for family in ["bedrock_converse", "anthropic_messages"] {
        for model in [model, arn] {
            let name = format!("{family}/{model}");
            key.chat(&name).await.has_status(200);
            key.chat_stream(&name).await.has_status(200);
        }
    }
    let calls = mock.saw();
    assert_eq!(calls.len(), 8);
    for call in &calls {
        assert_eq!(signed_again(call, &host, &credentials), "the same signature", "{}", call.path);
    }
    let mut other = credentials.clone();
    other["secret_access_key"] = json!("another");
    assert!(signed_again(&calls[0], &host, &other).contains("botocore signs"), "it can fail");
}
