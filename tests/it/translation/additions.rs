//! The unified API's additions: in streams that pass only for whom asks, and costs as recorded.

use serde_json::{Value, json};

use super::vendor::{Kind, Vendor};
use crate::support::{Caller, Gateway, Reply, Scene};

const DONE: &str = "data: [DONE]\n\n";

fn body(model: &str, usage: bool) -> String {
    let options = if usage { json!({"include_usage": true}) } else { json!({}) };
    json!({"model": model, "stream": true, "stream_options": options,
        "messages": [{"role": "user", "content": "Hi"}]})
    .to_string()
}

/// The vendor's own stream with usage: what stands before the usage chunk, and all of it.
async fn spoken(scene: &Scene) -> (String, String) {
    let vendor = Caller::bearer(scene.openai.address(), "sk-direct");
    let answer = vendor.post("/v1/chat/completions", body("gpt-4o", true)).await.has_status(200);
    let whole = answer.text().to_owned();
    let before = whole.split_inclusive("\n\n").filter(|event| !event.contains("\"usage\":{"));
    let before: String = before.filter(|event| *event != DONE).collect();
    (before, whole)
}

#[tokio::test]
async fn whoever_asks_gets_metadata_and_usage_in_place_of_the_usage_chunk() {
    let scene = Scene::new().await;
    let price = json!({"model_pattern": "gpt-4o", "input_cost_per_million_tokens": 10,
        "output_cost_per_million_tokens": 100, "cache_read_cost_per_million_tokens": 1});
    scene.acme.create("model-pricing", price).await;
    let (before, _) = spoken(&scene).await;
    for (turn, (usage, reply)) in [
        (false, Reply::answers()),
        (true, Reply::answers()),
        (true, Reply::answers().byte_by_byte()),
        (false, Reply::answers().byte_by_byte()),
    ]
    .into_iter()
    .enumerate()
    {
        scene.openai.will(reply);
        let id = format!("asked-{turn}");
        let ask = scene.key.post("/v1/chat/completions", body("fast", usage));
        let answer = ask.header("x-bd-metadata", "true").header("x-request-id", &id).await;
        let rest = answer.text().strip_prefix(&before).expect("the vendor's own bytes first");
        let chunk = rest.strip_suffix(DONE).and_then(|chunk| chunk.strip_prefix("data: "));
        let chunk: Value = serde_json::from_str(chunk.expect("one chunk").trim_end()).unwrap();
        assert_eq!(chunk["choices"].as_array().map(Vec::len), Some(1), "{chunk}");
        assert_eq!(chunk["choices"][0]["delta"], json!({}), "{chunk}");
        assert_eq!(
            (&chunk["id"], &chunk["object"]),
            (&json!("chatcmpl-9x"), &json!("chat.completion.chunk"))
        );
        assert_eq!(chunk["usage"]["prompt_tokens"], 19, "{chunk}");
        assert_eq!(chunk["usage"]["completion_tokens_details"]["reasoning_tokens"], 3, "{chunk}");
        let metadata = &chunk["metadata"];
        assert_eq!(metadata["used_provider"], "openai", "{chunk}");
        assert_eq!(metadata["used_model"], "gpt-4o-2026-05-05", "{chunk}");
        assert_eq!(metadata["requested_model"], "fast", "{chunk}");
        let record = scene.acme.record_of(&id).await;
        assert_eq!(chunk["usage"]["cost_usd_total"], record["cost_total"], "{record}");
    }
}

#[tokio::test]
async fn whoever_does_not_ask_gets_the_vendors_bytes() {
    let scene = Scene::new().await;
    let (before, whole) = spoken(&scene).await;
    for (usage, expected) in [(true, whole), (false, before + DONE)] {
        let asked = scene.key.post("/v1/chat/completions", body("fast", usage));
        assert_eq!(asked.clone().await.has_status(200).text(), expected);
        let refused = asked.header("x-bd-metadata", "false").await.has_status(200);
        assert_eq!(refused.text(), expected);
    }
}

#[tokio::test]
async fn what_an_answer_says_it_cost_is_what_the_record_says() {
    let gateway = Gateway::start().await;
    let acme = gateway.org("acme");
    let price = json!({"model_pattern": "*", "input_cost_per_million_tokens": 10,
        "output_cost_per_million_tokens": 100});
    acme.create("model-pricing", price).await;
    let key = acme.key().await;
    for kind in Kind::ALL {
        let vendor = Vendor::of(&acme, kind).await;
        acme.alias(kind.name(), &[vendor.route()]).await;
        let ask = key.chat(kind.name()).header("x-request-id", kind.name());
        let usage = ask.await.has_status(200).json()["usage"].clone();
        let record = acme.record_of(kind.name()).await;
        for (told, recorded) in [
            ("cost_usd_total", "cost_total"),
            ("cost_usd_input", "cost_input"),
            ("cost_usd_output", "cost_output"),
        ] {
            assert!(record[recorded].as_f64().is_some_and(|cost| cost > 0.0), "{record}");
            assert_eq!(usage[told], record[recorded], "{kind:?}: {usage}");
        }
    }
}

#[tokio::test]
async fn an_unknown_price_is_told_as_no_cost() {
    let gateway = Gateway::start().await;
    let acme = gateway.org("acme");
    let vendor = Vendor::named(&acme, Kind::Gemini, "gemini", "a-model-nobody-priced").await;
    acme.alias("m", &[(&vendor.provider, "a-model-nobody-priced")]).await;
    let answer = acme.key().await.chat("m").await.has_status(200).json();
    assert!(answer["usage"]["prompt_tokens"].is_number(), "{answer}");
    assert!(answer["usage"].get("cost_usd_total").is_none(), "{answer}");
}

#[tokio::test]
async fn an_answer_that_is_changed_as_a_whole_is_told_with_its_length() {
    let gateway = Gateway::start().await;
    let acme = gateway.org("acme");
    let key = acme.key().await;
    for kind in Kind::ALL {
        let vendor = Vendor::of(&acme, kind).await;
        acme.alias(kind.name(), &[vendor.route()]).await;
        for reply in [Reply::answers(), Reply::answers().byte_by_byte(), Reply::answers().chunked()]
        {
            vendor.mock.will(reply);
            let answer = key.chat(kind.name()).await.has_status(200);
            let length = answer.text().len().to_string();
            assert_eq!(answer.header("content-length"), Some(&*length), "{kind:?}");
            assert_eq!(answer.header("transfer-encoding"), None, "{kind:?}");
        }
    }
}
