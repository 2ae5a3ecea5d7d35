//! Azure OpenAI: the deployment in the path, or in the body with `endpoint_mode` `v1`.

use serde_json::json;

use crate::support::{Gateway, MockVendor, Org, Provider, Reply, operations};

async fn azure(org: &Org, name: &str, url: &str, settings: serde_json::Value) -> Provider {
    org.provider(name)
        .vendor("azure_openai")
        .at_url(url)
        .model("my-gpt")
        .with(json!({"settings": settings, "api_key": "azure-key"}))
        .await
}

const OPERATIONS: [operations::Operation; 4] =
    [operations::CHAT, operations::COMPLETIONS, operations::EMBEDDINGS, operations::RESPONSES];

#[tokio::test]
async fn the_deployment_stands_in_the_path_with_the_api_version() {
    let (gateway, vendor) = (Gateway::start().await, MockVendor::start().await);
    let acme = gateway.org("acme");
    let usual = azure(&acme, "usual", &vendor.url(), json!({})).await;
    acme.alias("fast", &[(&usual, "my-gpt")]).await;
    let settings = json!({"endpoint_mode": "deployment", "api_version": "2025-04-01-preview"});
    let dated = azure(&acme, "dated", &format!("{}/openai/", vendor.url()), settings).await;
    acme.alias("dated", &[(&dated, "my-gpt")]).await;
    let key = acme.key().await;
    for operation in OPERATIONS {
        for alias in ["fast", "dated"] {
            key.post(operation.path, operation.body(alias)).await.has_status(200);
        }
    }
    let saw = vendor.saw();
    let paths: Vec<&str> = saw.iter().map(|call| call.path.as_str()).collect();
    assert_eq!(
        paths,
        [
            "/openai/deployments/my-gpt/chat/completions?api-version=2024-10-21",
            "/openai/deployments/my-gpt/chat/completions?api-version=2025-04-01-preview",
            "/openai/deployments/my-gpt/completions?api-version=2024-10-21",
            "/openai/deployments/my-gpt/completions?api-version=2025-04-01-preview",
            "/openai/deployments/my-gpt/embeddings?api-version=2024-10-21",
            "/openai/deployments/my-gpt/embeddings?api-version=2025-04-01-preview",
            "/openai/responses?api-version=2025-04-01-preview",
            "/openai/responses?api-version=2025-04-01-preview",
        ]
    );
    for call in &saw {
        assert_eq!(call.header("api-key"), Some("azure-key"));
        assert_eq!(call.header("authorization"), None);
        assert_eq!(call.json()["model"], "my-gpt");
    }
}

#[tokio::test]
async fn in_v1_mode_the_path_is_openais_and_the_deployment_is_the_bodys_model() {
    let (gateway, vendor) = (Gateway::start().await, MockVendor::start().await);
    let acme = gateway.org("acme");
    for (name, ending) in [("bare", ""), ("whole", "/openai/v1/")] {
        let url = format!("{}{ending}", vendor.url());
        let provider = azure(&acme, name, &url, json!({"endpoint_mode": "v1"})).await;
        acme.alias(name, &[(&provider, "my-gpt")]).await;
        let key = acme.key().await;
        for operation in OPERATIONS {
            key.post(operation.path, operation.body(name)).await.has_status(200);
            let call = vendor.saw().pop().unwrap();
            let path = operation.path.strip_prefix("/v1").unwrap();
            assert_eq!(call.path, format!("/openai/v1{path}"));
            assert_eq!(call.json()["model"], "my-gpt");
        }
    }
}

#[tokio::test]
async fn azures_streams_begin_with_what_its_filters_say_of_the_prompt() {
    let (gateway, vendor) = (Gateway::start().await, MockVendor::start().await);
    let acme = gateway.org("acme");
    let provider = azure(&acme, "azure", &vendor.url(), json!({})).await;
    acme.alias("fast", &[(&provider, "my-gpt")]).await;
    let key = acme.key().await;
    // https://learn.microsoft.com/azure/ai-foundry/openai/concepts/content-streaming
    let events = [
        "data: {\"choices\":[],\"created\":0,\"id\":\"\",\"model\":\"\",\"object\":\"\",\"prompt_filter_results\":[{\"prompt_index\":0,\"content_filter_results\":{}}]}\n\n",
        "data: {\"choices\":[{\"delta\":{\"content\":\"Hi\",\"role\":\"assistant\"},\"finish_reason\":null,\"index\":0}],\"id\":\"c\",\"model\":\"gpt\",\"object\":\"chat.completion.chunk\"}\n\n",
        "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\",\"index\":0}],\"id\":\"c\",\"model\":\"gpt\",\"object\":\"chat.completion.chunk\"}\n\n",
        "data: {\"choices\":[],\"id\":\"c\",\"model\":\"gpt\",\"object\":\"chat.completion.chunk\",\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":1,\"total_tokens\":4}}\n\n",
        "data: [DONE]\n\n",
    ];
    vendor.will(Reply::streams(events));
    let answer = key.chat_stream("fast").header("x-request-id", "filtered").await.has_status(200);
    let mut kept = events.to_vec();
    // The usage that the client did not ask for.
    kept.remove(3);
    assert_eq!(answer.text(), kept.concat());
    let record = acme.record_of("filtered").await;
    assert_eq!((&record["input_tokens"], &record["output_tokens"]), (&json!(3), &json!(1)));
}

#[tokio::test]
async fn a_deployment_is_treated_as_the_model_that_it_is_said_to_be() {
    let (gateway, vendor) = (Gateway::start().await, MockVendor::start().await);
    let acme = gateway.org("acme");
    for (name, model) in [("thinks", "gpt-5"), ("newer", "gpt-5.2"), ("plain", "gpt-4o")] {
        let settings = json!({"base_models": {"my-gpt": model}});
        let provider = azure(&acme, name, &vendor.url(), settings).await;
        acme.alias(name, &[(&provider, "my-gpt")]).await;
    }
    let key = acme.key().await;
    let asked = |alias: &str| {
        let body = json!({"model": alias, "max_tokens": 50, "temperature": 0.5,
            "messages": [{"role": "user", "content": "Hi"}]});
        key.post("/v1/messages", body.to_string())
    };
    asked("thinks").header("x-request-id", "thinks").await.has_status(200);
    let sent = vendor.saw_one();
    assert!(sent.path.starts_with("/openai/deployments/my-gpt/chat/completions"), "{}", sent.path);
    assert_eq!(
        (&sent.json()["model"], &sent.json()["max_completion_tokens"]),
        (&json!("my-gpt"), &json!(50))
    );
    assert!(sent.json().get("max_tokens").is_none() && sent.json().get("temperature").is_none());
    let record = acme.record_of("thinks").await;
    assert_eq!(
        (&record["upstream_model"], &record["pricing_source"]),
        (&json!("my-gpt"), &json!("barndoor_default"))
    );

    asked("newer").await;
    let sent = vendor.saw().pop().unwrap();
    assert!(sent.path.starts_with("/openai/responses"), "{}", sent.path);
    assert_eq!(sent.json()["model"], "my-gpt");

    asked("plain").await.has_status(200);
    let sent = vendor.saw().pop().unwrap();
    assert_eq!(
        (&sent.json()["max_tokens"], &sent.json()["temperature"]),
        (&json!(50), &json!(0.5))
    );
}

#[tokio::test]
async fn responses_are_translated_where_the_api_version_is_before_them() {
    let (gateway, vendor) = (Gateway::start().await, MockVendor::start().await);
    let acme = gateway.org("acme");
    let settings = json!({"api_version": "2024-10-21", "base_models": {"my-gpt": "gpt-5.2"}});
    let provider = azure(&acme, "old", &vendor.url(), settings).await;
    acme.alias("old", &[(&provider, "my-gpt")]).await;
    let key = acme.key().await;
    for operation in [operations::RESPONSES, operations::MESSAGES] {
        key.post(operation.path, operation.body("old")).await.has_status(200);
        let call = vendor.saw().pop().unwrap();
        let path = "/openai/deployments/my-gpt/chat/completions?api-version=2024-10-21";
        assert_eq!(call.path, path);
    }
}
