//! The official clients and the frameworks against the gateway, before mocks of every kind of
//! vendor: `tests/sdk/vendors`, `tests/sdk/llamaindex`.

use std::process::Command;

use serde_json::{Value, json};

use super::{NODE_RAN, PYTHON_RAN, node, passes, python};
use crate::support::{Gateway, MockCloud, MockVendor};

/// A vendor's name in the tests, what makes a provider of its kind, and aliases with their models.
type Kind = (&'static str, Value, Vec<(&'static str, &'static str)>);

fn kinds() -> [Kind; 7] {
    let bedrock = |family: &str| {
        json!({"model_provider": "bedrock", "auth_type": "bedrock_api_key",
            "settings": {"region": "eu-west-1", "model_api_family": family}})
    };
    let vertex = |family: &str| {
        json!({"model_provider": "vertex", "auth_type": "google_adc", "api_key": null,
            "settings": {"project_id": "p-1", "model_api_family": family}})
    };
    let claude = "anthropic.claude-sonnet-4-5-20250929-v1:0";
    [
        (
            "openai",
            json!({}),
            vec![("on-openai", "gpt-4o"), ("embed-openai", "text-embedding-3-small")],
        ),
        (
            "anthropic",
            json!({"model_provider": "anthropic"}),
            vec![("on-anthropic", "claude-sonnet-4-5")],
        ),
        (
            "gemini",
            json!({"model_provider": "google_ai"}),
            vec![("on-gemini", "gemini-2.5-flash"), ("embed-gemini", "gemini-embedding-001")],
        ),
        (
            "bedrock",
            bedrock("bedrock_converse"),
            vec![
                ("on-bedrock", claude),
                ("embed-titan", "amazon.titan-embed-text-v2:0"),
                ("embed-cohere", "cohere.embed-multilingual-v3"),
            ],
        ),
        (
            "vertex",
            vertex("vertex_gemini"),
            vec![("on-vertex", "gemini-2.5-flash"), ("embed-vertex", "text-embedding-005")],
        ),
        (
            "vertex-claude",
            vertex("anthropic_messages"),
            vec![("on-vertex-claude", "claude-sonnet-4-5@20250929")],
        ),
        ("bedrock-claude", bedrock("anthropic_messages"), vec![("on-bedrock-claude", claude)]),
    ]
}

/// A gateway that has Google's metadata server at hand.
async fn gateway() -> Gateway {
    let google = MockCloud::start().await;
    let token =
        json!({"access_token": "ya29.of-google", "expires_in": 3599, "token_type": "Bearer"});
    google.says("/computeMetadata/", 200, token);
    Gateway::configured()
        .env("GCE_METADATA_HOST", google.address())
        .env("HOME", "/nonexistent")
        .set("upstream.trusted_hosts", r#"["127.0.0.1"]"#)
        .set("routing.all_rate_limited_status", 429)
        .start()
        .await
}

/// Runs a command that finds the gateway in `BASE_URL` and `KEY`, and every vendor behind aliases.
async fn against_every_vendor(mut command: Command, ran: &str) {
    let (gateway, mock) = (gateway().await, MockVendor::start().await);
    let acme = gateway.org("acme");
    for (name, kind, aliases) in kinds() {
        let models = aliases
            .iter()
            .fold(acme.provider(name).at(&mock), |provider, (_, model)| provider.model(model));
        let provider = models.with(kind).await;
        for (alias, model) in aliases {
            acme.alias(alias, &[(&provider, model)]).await;
        }
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
