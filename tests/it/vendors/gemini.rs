//! Google AI Studio: the method in the path, the key in a header.

use serde_json::json;

use super::answers;
use crate::support::{Gateway, MockVendor};

#[tokio::test]
async fn gemini_is_asked_by_method_with_the_key_in_its_own_header() {
    let (gateway, vendor) = (Gateway::start().await, MockVendor::start().await);
    vendor.always(answers::gemini());
    let acme = gateway.org("acme");
    for (name, ending) in [("bare", ""), ("versioned", "/v1beta/")] {
        let provider = acme
            .provider(name)
            .vendor("google_ai")
            .at_url(&format!("{}{ending}", vendor.url()))
            .model("gemini-3.5-flash")
            .with(json!({"api_key": "AIza-key"}))
            .await;
        acme.alias(name, &[(&provider, "gemini-3.5-flash")]).await;
        let answer = acme.key().await.chat(name).await.has_status(200);
        assert_eq!(answer.json()["choices"][0]["message"]["content"], "Hello.");
        let call = vendor.saw().pop().unwrap();
        assert_eq!(call.path, "/v1beta/models/gemini-3.5-flash:generateContent");
        assert_eq!(call.header("x-goog-api-key"), Some("AIza-key"));
        assert_eq!(call.header("authorization"), None);
        assert_eq!(call.header("content-type"), Some("application/json"));
    }
}

#[tokio::test]
async fn a_stream_is_asked_for_as_events() {
    let (gateway, vendor) = (Gateway::start().await, MockVendor::start().await);
    let acme = gateway.org("acme");
    let provider = acme
        .provider("google")
        .vendor("google_ai")
        .at(&vendor)
        .model("gemini-3.5-flash")
        .with(json!({"api_key": "AIza-key"}))
        .await;
    acme.alias("fast", &[(&provider, "gemini-3.5-flash")]).await;
    let key = acme.key().await;
    key.chat_stream("fast").await;
    let call = vendor.saw_one();
    assert_eq!(call.path, "/v1beta/models/gemini-3.5-flash:streamGenerateContent?alt=sse");
}
