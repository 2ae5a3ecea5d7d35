//! Thinking in bodies that pass, at vendors that have not made it.

use serde_json::{Value, json};

use crate::support::{Gateway, MockVendor, Org, Reply};

/// A vendor at a mock of its own behind an alias with its slug.
async fn vendor(org: &Org, slug: &str, model: &str) -> MockVendor {
    let mock = MockVendor::start().await;
    let provider = org.provider(&format!("{slug}-1")).vendor(slug).at(&mock).model(model).await;
    org.alias(slug, &[(&provider, model)]).await;
    mock
}

/// The last request that a vendor saw.
fn sent(mock: &MockVendor) -> Value {
    mock.saw().last().expect("a request").json()
}

#[tokio::test]
async fn thinking_that_the_gateway_told_does_not_go_to_a_vendor_that_does_not_know_its_carrier() {
    let gateway = Gateway::start().await;
    let acme = gateway.org("acme");
    let key = acme.key().await;
    let signed = json!([{"type": "reasoning.text", "text": "Hm.", "signature": "c2ln",
        "format": "anthropic-claude-v1", "index": 0}]);
    let unsigned = json!([{"type": "reasoning.text", "text": "Hm.", "index": 0}]);
    for (slug, details_stay, words_stay) in [
        ("openai", false, false),
        ("mistral", false, false),
        ("groq", false, true),
        ("cerebras", false, true),
        ("openrouter", true, true),
        ("custom", true, true),
    ] {
        let mock = vendor(&acme, slug, "m").await;
        for details in [&signed, &unsigned] {
            let body = json!({"model": slug, "messages": [{"role": "user", "content": "Hi"},
                {"role": "assistant", "content": "Hello.", "reasoning": "Hm.",
                    "reasoning_details": details},
                {"role": "user", "content": "Bye"}]});
            key.post("/v1/chat/completions", body.to_string()).await.has_status(200);
            let message = sent(&mock)["messages"][1].clone();
            assert_eq!(message["content"], "Hello.");
            assert_eq!(
                (message.get("reasoning_details").is_some(), message.get("reasoning").is_some()),
                (details_stay, words_stay),
                "{slug}: {details}"
            );
        }
    }
}
