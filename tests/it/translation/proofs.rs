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

#[tokio::test]
async fn reasoning_that_the_gateway_made_items_of_does_not_go_to_a_vendor_of_that_api() {
    let gateway = Gateway::start().await;
    let acme = gateway.org("acme");
    let key = acme.key().await;
    let (thinks, openai) =
        (vendor(&acme, "deepseek", "m").await, vendor(&acme, "openai", "gpt-5.5").await);
    thinks.will(Reply::says(
        json!({"id": "c1", "object": "chat.completion", "created": 1, "model": "m",
            "choices": [{"index": 0, "finish_reason": "tool_calls", "message": {
                "role": "assistant", "content": "One moment.", "reasoning_content": "Hm.",
                "tool_calls": [{"id": "call_1", "type": "function",
                    "function": {"name": "look", "arguments": "{}"}}]}}],
            "usage": {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}})
        .to_string(),
    ));
    let asked = json!({"model": "deepseek", "input": "How warm is it?"});
    let answer = key.post("/v1/responses", asked.to_string()).await.has_status(200).json();
    let output = answer["output"].as_array().expect("output").clone();
    let kinds: Vec<_> = output.iter().map(|item| item["type"].clone()).collect();
    assert_eq!(kinds, ["reasoning", "message", "function_call"]);
    // Its servers look at how an id begins, and at its length.
    for (item, prefix) in output.iter().zip(["rs_", "msg_", "fc_"]) {
        let id = item["id"].as_str().expect("an id");
        assert!(id.starts_with(prefix) && id.len() <= 64, "{id}");
    }

    let mut input = vec![json!({"role": "user", "content": "How warm is it?"})];
    input.extend(output.clone());
    let result = json!({"type": "function_call_output", "call_id": "call_1", "output": "20"});
    input.push(result.clone());
    let history = |model: &str| json!({"model": model, "input": input}).to_string();
    key.post("/v1/responses", history("openai")).await.has_status(200);
    let kept = json!([input[0], output[1], output[2], result]);
    assert_eq!(sent(&openai)["input"], kept, "all but the reasoning");
    key.post("/v1/responses", history("deepseek")).await.has_status(200);
    let told = sent(&thinks)["messages"][1].clone();
    assert_eq!(told["reasoning_content"], "Hm.", "its own vendor has it back: {told}");
}

#[tokio::test]
async fn a_vendor_of_messages_that_signs_nothing_gets_its_thinking_back_and_claude_gets_none_of_it()
{
    let gateway = Gateway::start().await;
    let acme = gateway.org("acme");
    let key = acme.key().await;
    let call = r#"{"type": "tool_use", "id": "c1", "name": "look", "input": {}}"#;
    // White space as Python's SDK has it, and as JavaScript's has none.
    let spaced = r#"{"type": "thinking", "thinking": "hmm", "signature": ""}"#;
    let dense = r#"{"type":"thinking","thinking":"hmm","signature":""}"#;
    for (slug, stays) in [("fireworks", true), ("deepseek", true), ("anthropic", false)] {
        let mock = vendor(&acme, slug, "m").await;
        for thinking in [spaced, dense] {
            let body = format!(
                r#"{{"model": "{slug}", "max_tokens": 50, "messages": [
                    {{"role": "user", "content": "How warm is it?"}},
                    {{"role": "assistant", "content": [{thinking}, {call}]}},
                    {{"role": "user", "content": [
                        {{"type": "tool_result", "tool_use_id": "c1", "content": "20"}}]}}]}}"#
            );
            key.post("/v1/messages", body).await.has_status(200);
            let blocks = sent(&mock)["messages"][1]["content"].clone();
            let told = blocks[0]["type"] == "thinking";
            assert_eq!(told, stays, "{slug}: {blocks}");
            assert_eq!(blocks.as_array().map(Vec::len), Some(1 + usize::from(stays)));
        }
    }
}
