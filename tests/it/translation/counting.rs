//! Counting tokens: by the vendor where it counts, else by the gateway, which says that it guessed.

use serde_json::{Value, json};

use super::vendor::{Kind, Vendor};
use crate::support::{Answer, Caller, Gateway, MockVendor, Org, Provider, Reply};

const PATH: &str = "/v1/messages/count_tokens";

async fn count(key: &Caller, model: &str, id: &str) -> Answer {
    let body = json!({"model": model, "system": "Be brief.",
        "messages": [{"role": "user", "content": "How many tokens are these words?"}]});
    key.post(PATH, body.to_string()).header("x-request-id", id).await
}

fn is_a_guess(answer: &Answer) {
    let told = answer.json();
    assert_eq!(answer.status, 200, "{}", answer.tell());
    assert_eq!(told["estimated"], true, "{told}");
    let tokens = told["input_tokens"].as_u64().expect("a number");
    assert!((5..60).contains(&tokens), "eleven words are not {tokens} tokens");
}

async fn groq(org: &Org) -> (MockVendor, Provider) {
    let mock = MockVendor::start().await;
    let provider = org.provider("groq").vendor("groq").at(&mock).model("llama-3.3-70b").await;
    (mock, provider)
}

#[tokio::test]
async fn anthropics_own_count_passes_untouched() {
    let gateway = Gateway::start().await;
    let acme = gateway.org("acme");
    let vendor = Vendor::of(&acme, Kind::Anthropic).await;
    acme.alias("m", &[vendor.route()]).await;
    let answer = count(&acme.key().await, "m", "own").await.has_status(200);
    assert_eq!(answer.text(), r#"{"input_tokens":14}"#);
    assert_eq!(vendor.mock.saw_one().path, PATH);
}

#[tokio::test]
async fn other_vendors_are_asked_at_their_own_counters() {
    let gateway = Gateway::start().await;
    let acme = gateway.org("acme");
    for (kind, path) in [
        (Kind::Gemini, "/v1beta/models/gemini-2.5-flash:countTokens"),
        (Kind::Bedrock, "/model/amazon.nova-lite-v1%3A0/count-tokens"),
    ] {
        let vendor = Vendor::of(&acme, kind).await;
        acme.alias(kind.name(), &[vendor.route()]).await;
        let answer = count(&acme.key().await, kind.name(), kind.name()).await.has_status(200);
        assert_eq!(answer.json(), json!({"input_tokens": 14}), "{kind:?}");
        assert_eq!(answer.header("content-type"), Some("application/json"));
        let call = vendor.mock.saw_one();
        assert_eq!(call.path, path);
        for words in ["Be brief.", "How many tokens"] {
            assert!(call.text().contains(words), "{}", call.text());
        }
    }
}

#[tokio::test]
async fn a_counter_that_refuses_is_replaced_by_a_guess() {
    let gateway = Gateway::start().await;
    let acme = gateway.org("acme");
    let key = acme.key().await;
    for kind in [Kind::Gemini, Kind::Bedrock] {
        let vendor = Vendor::of(&acme, kind).await;
        acme.alias(kind.name(), &[vendor.route()]).await;
        for status in [400, 404] {
            vendor.mock.will(Reply::status(status));
            let id = format!("{}-{status}", kind.name());
            is_a_guess(&count(&key, kind.name(), &id).await);
            let record = acme.record_of(&id).await;
            assert_eq!(
                (&record["status"], &record["error_type"]),
                (&json!(200), &Value::Null),
                "{id}: the client was answered: {record}"
            );
            assert_eq!(record["attempts"][0]["status"], status, "{id}: the vendor was asked");
        }
    }
}

#[tokio::test]
async fn a_counter_that_is_down_fails_over_to_another() {
    let gateway = Gateway::start().await;
    let acme = gateway.org("acme");
    let gemini = Vendor::of(&acme, Kind::Gemini).await;
    let bedrock = Vendor::of(&acme, Kind::Bedrock).await;
    acme.alias("m", &[gemini.route(), bedrock.route()]).await;
    gemini.mock.always(Reply::status(503));
    let answer = count(&acme.key().await, "m", "down").await.has_status(200);
    assert_eq!(answer.json(), json!({"input_tokens": 14}));
    assert_eq!((gemini.mock.saw().len(), bedrock.mock.saw().len()), (1, 1));
}

#[tokio::test]
async fn a_vendor_without_a_counter_is_not_asked() {
    let gateway = Gateway::start().await;
    let acme = gateway.org("acme");
    let (vendor, provider) = groq(&acme).await;
    acme.alias("m", &[(&provider, "llama-3.3-70b")]).await;
    is_a_guess(&count(&acme.key().await, "m", "guessed").await);
    vendor.saw_nothing();
    assert_eq!(acme.record_of("guessed").await["status"], 200);
}

#[tokio::test]
async fn a_vendor_without_a_counter_is_not_asked_after_another_failed_either() {
    let gateway = Gateway::start().await;
    let acme = gateway.org("acme");
    let gemini = Vendor::of(&acme, Kind::Gemini).await;
    let (vendor, provider) = groq(&acme).await;
    acme.alias("m", &[gemini.route(), (&provider, "llama-3.3-70b")]).await;
    gemini.mock.always(Reply::status(503));
    is_a_guess(&count(&acme.key().await, "m", "second").await);
    vendor.saw_nothing();
    let record = acme.record_of("second").await;
    assert_eq!((&record["status"], &record["error_type"]), (&json!(200), &Value::Null), "{record}");
    assert_eq!(record["attempts"][0]["provider"], "gemini", "{record}");
}

#[tokio::test]
async fn a_body_that_cannot_be_read_is_the_callers_mistake() {
    let gateway = Gateway::start().await;
    let acme = gateway.org("acme");
    let vendors = Vendor::of_each_kind(&acme).await;
    let (mock, provider) = groq(&acme).await;
    acme.alias("groq", &[(&provider, "llama-3.3-70b")]).await;
    let key = acme.key().await;
    for vendor in &vendors {
        acme.alias(vendor.kind.name(), &[vendor.route()]).await;
    }
    for name in ["anthropic", "gemini", "bedrock", "groq"] {
        for body in [
            format!(r#"{{"model":"{name}"}}"#),
            format!(r#"{{"model":"{name}","messages":7}}"#),
            format!(r#"{{"model":"{name}","messages":[7]"#),
        ] {
            let answer = key.post(PATH, body.clone()).await;
            assert_eq!(answer.status, 400, "{body}: {}", answer.tell());
            assert_eq!(answer.anthropic_error()["type"], "invalid_request_error", "{body}");
        }
    }
    mock.saw_nothing();
    for vendor in &vendors {
        vendor.mock.saw_nothing();
    }
}
