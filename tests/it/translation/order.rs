//! Conversations at vendors that take messages in one order only.

use serde_json::{Value, json};

use crate::support::{Caller, Gateway, MockVendor, Org};

/// A vendor of this kind behind its own name, and someone who asks it.
async fn at(org: &Org, vendor: &str) -> (MockVendor, Caller) {
    let mock = MockVendor::start().await;
    org.provider(vendor).vendor(vendor).at(&mock).model("m").await;
    (mock, org.key().await)
}

/// The roles that the vendor was told, in order.
fn roles(messages: &Value) -> Vec<String> {
    let all = messages.as_array().expect("messages").iter();
    all.map(|one| one["role"].as_str().expect("a role").to_owned()).collect()
}

#[tokio::test]
async fn a_tool_loop_of_messages_goes_on_at_mistral() {
    let gateway = Gateway::start().await;
    let acme = gateway.org("acme");
    let (mistral, key) = at(&acme, "mistral").await;
    let body = json!({"model": "mistral/m", "max_tokens": 64, "messages": [
        {"role": "user", "content": "Look."},
        {"role": "assistant", "content": [
            {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {}}]},
        {"role": "user", "content": [
            {"type": "tool_result", "tool_use_id": "toolu_1", "content": "seen"},
            {"type": "text", "text": "<system-reminder>Go on.</system-reminder>"}]},
        {"role": "assistant", "content": "It"}]});
    key.post("/v1/messages", body.to_string()).await.has_status(200);
    let told = mistral.saw_one().json()["messages"].clone();
    assert_eq!(roles(&told), ["user", "assistant", "tool", "assistant", "user", "assistant"]);
    assert_eq!(told[4]["content"], "<system-reminder>Go on.</system-reminder>");
    assert_eq!(told[5], json!({"role": "assistant", "content": "It", "prefix": true}));
}

#[tokio::test]
async fn perplexity_is_asked_in_turn_or_not_at_all() {
    let gateway = Gateway::start().await;
    let acme = gateway.org("acme");
    let (perplexity, key) = at(&acme, "perplexity").await;
    let mut body = json!({"model": "perplexity/m", "max_tokens": 64, "system": "Be brief.",
        "messages": [{"role": "user", "content": "One."}, {"role": "user", "content": "Two."}]});
    key.post("/v1/messages", body.to_string()).await.has_status(200);
    let told = perplexity.saw_one().json()["messages"].clone();
    assert_eq!(roles(&told), ["system", "user"]);
    assert_eq!(told[1]["content"], "One.\n\nTwo.");

    body["messages"][1]["role"] = json!("assistant");
    let refused = key.post("/v1/messages", body.to_string()).await.has_status(400);
    assert!(refused.text().contains("end with a message of the user's"), "{}", refused.text());
    assert_eq!(perplexity.saw().len(), 1, "nothing was sent");
}
