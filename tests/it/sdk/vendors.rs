//! The official clients and the frameworks against the gateway, before mocks of every kind of
//! vendor: `tests/sdk/vendors`, `tests/sdk/llamaindex`.

use std::process::Command;

use serde_json::{Value, json};

use super::{NODE_RAN, PYTHON_RAN, node, passes, python};
use crate::support::{Gateway, MockVendor};

/// The vendors, each with a model and what makes a provider of its kind.
fn vendors() -> [(&'static str, &'static str, Value); 4] {
    let region = json!({"region": "eu-west-1", "model_api_family": "bedrock_converse"});
    [
        ("openai", "gpt-4o", json!({"model_provider": "openai"})),
        ("anthropic", "claude-sonnet-4-5", json!({"model_provider": "anthropic"})),
        ("gemini", "gemini-2.5-flash", json!({"model_provider": "google_ai"})),
        (
            "bedrock",
            "anthropic.claude-sonnet-4-5-20250929-v1:0",
            json!({"model_provider": "bedrock", "auth_type": "bedrock_api_key", "settings": region}),
        ),
    ]
}

/// Runs a command that finds the gateway in `BASE_URL` and `KEY`, and each vendor behind an alias.
async fn against_every_vendor(mut command: Command, ran: &str) {
    let gateway =
        Gateway::configured().set("routing.all_rate_limited_status", 429).start().await;
    let acme = gateway.org("acme");
    let mock = MockVendor::start().await;
    for (name, model, kind) in vendors() {
        let provider = acme.provider(name).at(&mock).model(model).with(kind).await;
        acme.alias(&format!("on-{name}"), &[(&provider, model)]).await;
    }
    command
        .env("BASE_URL", format!("http://{}", gateway.address()))
        .env("KEY", acme.key().await.secret);
    passes(command, ran).await;
}

#[tokio::test]
async fn openais_python_client_works_with_every_vendor() {
    against_every_vendor(python("python", "vendors", "test_openai.py"), PYTHON_RAN).await;
}

#[tokio::test]
async fn anthropics_python_client_works_with_every_vendor() {
    against_every_vendor(python("python", "vendors", "test_anthropic.py"), PYTHON_RAN).await;
}

#[tokio::test]
async fn openais_node_client_works_with_every_vendor() {
    against_every_vendor(node("vendors", &["openai.test.cjs"]), NODE_RAN).await;
}

#[tokio::test]
async fn anthropics_node_client_works_with_every_vendor() {
    against_every_vendor(node("vendors", &["anthropic.test.cjs"]), NODE_RAN).await;
}

#[tokio::test]
async fn langchain_works_with_every_vendor() {
    against_every_vendor(python("python", "vendors", "test_langchain.py"), PYTHON_RAN).await;
}

#[tokio::test]
async fn vercels_ai_sdk_works_with_every_vendor() {
    against_every_vendor(node("vendors", &["ai.test.cjs"]), NODE_RAN).await;
}

#[tokio::test]
async fn llamaindex_works_with_every_vendor() {
    against_every_vendor(python("llamaindex", "llamaindex", "test_*.py"), PYTHON_RAN).await;
}
