//! What a vendor tells of its trouble inside of a body: of an answer that is an error, and of the wait.

use serde_json::{Value, json};

use super::{
    client::Client,
    vendor::{Kind, Vendor},
};
use crate::support::{Gateway, Reply};

/// Google's 429, which has no `Retry-After`.
fn limited(delay: &str) -> Value {
    json!({"error": {"code": 429, "message": "quota of the minute", "status": "RESOURCE_EXHAUSTED",
        "details": [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": delay}]}})
}

#[tokio::test]
async fn a_wait_that_google_tells_in_the_body_is_told_to_the_client() {
    let gateway = Gateway::configured().never_ejects().start().await;
    let acme = gateway.org("acme");
    let google = Vendor::of(&acme, Kind::Gemini).await;
    acme.alias("fast", &[google.route()]).await;
    let key = acme.key().await;
    for (reply, wait) in [
        (Reply::status_with(429, limited("7s").to_string()), Some("7")),
        (Reply::status_with(429, limited("6.2s").to_string()), Some("7")),
        (Reply::status_with(429, limited("7s").to_string()).retry_after(3), Some("3")),
        (Reply::says(limited("7s").to_string()), Some("7")),
        (Reply::status_with(429, limited("soon").to_string()), None),
    ] {
        google.mock.will(reply);
        let answer = key.chat("fast").await.has_status(502);
        assert_eq!(answer.header("retry-after"), wait, "{}", answer.tell());
        let attempt = &answer.openai_error()["attempts"][0];
        assert_eq!(attempt["error_type"], "rate_limited", "{attempt}");
        assert_eq!(attempt["message"], "quota of the minute", "{attempt}");
    }
}

#[tokio::test]
async fn a_wait_in_the_body_is_kept_to_before_the_same_route_is_asked_again() {
    let gateway = Gateway::start().await;
    let acme = gateway.org("acme");
    let google = Vendor::of(&acme, Kind::Gemini).await;
    let patient = json!({"retry_on_429_count": 1, "retry_on_429_max_wait_secs": 5});
    acme.route("fast", &google.provider, google.kind.model(), patient).await;
    google.mock.will(Reply::status_with(429, limited("1s").to_string()));
    let answer = acme.key().await.chat("fast").await.has_status(200);
    let slept: u64 = answer.header("x-bd-provider-retry-sleep-ms").unwrap().parse().unwrap();
    assert!((1000..10_000).contains(&slept), "{slept}");
}

#[tokio::test]
async fn a_whole_answer_that_is_an_error_has_the_class_and_the_words_of_the_vendor() {
    let gateway = Gateway::configured().never_ejects().start().await;
    let acme = gateway.org("acme");
    let key = acme.key().await;
    let (chat, newer) = ("gpt-4o", "gpt-5.5");
    for (kind, model, body, class) in [
        (
            Kind::OpenAi,
            newer,
            json!({"id": "resp_1", "object": "response", "status": "failed", "output": [],
                "error": {"code": "rate_limit_exceeded", "message": "no capacity"}}),
            "rate_limited",
        ),
        (
            Kind::OpenAi,
            chat,
            json!({"error": {"message": "no capacity", "code": 502}}),
            "upstream_error",
        ),
        (
            Kind::OpenAi,
            chat,
            json!({"id": "c", "object": "chat.completion", "choices": [{"index": 0,
                "finish_reason": "error", "message": {"role": "assistant", "content": ""},
                "error": {"code": 429, "message": "no capacity"}}]}),
            "rate_limited",
        ),
        (
            Kind::Gemini,
            "gemini-2.5-flash",
            json!({"error": {"code": 503, "message": "no capacity", "status": "UNAVAILABLE"}}),
            "upstream_error",
        ),
    ] {
        let name = format!("{model}-{class}");
        let vendor = Vendor::named(&acme, kind, &name, model).await;
        acme.alias(&name, &[(&vendor.provider, model)]).await;
        vendor.mock.always(Reply::says(body.to_string()));
        let answer = Client::Messages.asks(&key, &name, false, &name).await.has_status(502);
        let attempt = &answer.anthropic_error()["attempts"][0];
        assert_eq!(attempt["error_type"], class, "{body}");
        assert_eq!(attempt["message"], "no capacity", "{body}");
        let record = acme.record_of(&name).await;
        assert_eq!(record["attempts"][0]["error_type"], class, "{record}");
        assert!(!record.to_string().contains("no capacity"), "the vendor's words are no record");
    }
}
