//! Smart models at work: a determiner, itself a mock vendor, chooses which slot answers. Its log is the oracle
//! of what it was asked.

mod choosing;
mod dialects;
mod failing;
mod limits;
mod preview;
mod question;
mod records;

use serde_json::{Value, json};

use crate::support::{Caller, Gateway, GatewayBuilder, MockVendor, Org, Provider, Reply};

/// The smart model `auto`: `judge` chooses among `small`, `large` and `huge`, each at a vendor of its own;
/// from 1000 tokens on `large` is the least, from 10000 on `huge`; `large` is the default.
pub struct Stage {
    pub gateway: Gateway,
    pub acme: Org,
    pub key: Caller,
    pub judge: MockVendor,
    pub small: MockVendor,
    pub large: MockVendor,
    pub huge: MockVendor,
    pub auto: Value,
}

impl Stage {
    pub async fn new() -> Self {
        Self::with(Gateway::configured(), json!({})).await
    }

    /// With settings of the gateway, and other members of the smart model.
    pub async fn with(builder: GatewayBuilder, more: Value) -> Self {
        let gateway = builder.start().await;
        let acme = gateway.org("acme");
        let judge = MockVendor::start().await;
        judge.always(says("0"));
        answering(&acme, "judge", &judge, "gpt-4o-mini").await;
        let (small, large, huge) =
            (MockVendor::start().await, MockVendor::start().await, MockVendor::start().await);
        for (alias, vendor) in [("small", &small), ("large", &large), ("huge", &huge)] {
            answering(&acme, alias, vendor, "gpt-4o").await;
        }
        let mut body = json!({
            "model_alias": "auto", "determiner_model_alias": "judge",
            "slots": [{"model_alias": "small", "label": "chat"},
                {"model_alias": "large", "label": "code"}, {"model_alias": "huge"}],
            "context_breakpoints": [1_000, 10_000], "default_slot_on_failure": 1,
        });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let auto = acme.create("smart-models", body).await;
        let key = acme.key().await;
        Self { gateway, acme, key, judge, small, large, huge, auto }
    }

    /// Changes the smart model.
    pub async fn change(&self, body: Value) {
        let path = format!("/admin/smart-models/{}", self.auto["id"].as_str().unwrap());
        self.acme.put(&path, body).await.has_status(200);
    }

    /// How many requests each slot's vendor saw.
    pub fn seen(&self) -> [usize; 3] {
        [&self.small, &self.large, &self.huge].map(|vendor| vendor.saw().len())
    }

    /// Asks for a chat completion and tells which slot answered.
    pub async fn slot_of(&self, words: &str) -> usize {
        let before = self.seen();
        self.key.post("/v1/chat/completions", chat(words)).await.has_status(200);
        let after = self.seen();
        let grown: Vec<usize> = (0..3).filter(|slot| after[*slot] > before[*slot]).collect();
        assert_eq!(grown.len(), 1, "one slot answers: {before:?} {after:?}");
        grown[0]
    }
}

/// A provider of that name with a model that answers to the same alias.
pub async fn answering(org: &Org, name: &str, vendor: &MockVendor, model: &str) -> Provider {
    let provider = org.provider(name).at(vendor).model(model).await;
    org.alias(name, &[(&provider, model)]).await;
    provider
}

/// A chat completion through `auto`.
pub fn chat(words: &str) -> String {
    json!({"model": "auto", "messages": [{"role": "user", "content": words}]}).to_string()
}

/// A determiner's answer.
pub fn says(words: &str) -> Reply {
    let answer = json!({
        "id": "chatcmpl-judge", "object": "chat.completion", "created": 1, "model": "gpt-4o-mini",
        "choices": [{"index": 0, "finish_reason": "stop",
            "message": {"role": "assistant", "content": words}}],
        "usage": {"prompt_tokens": 200, "completion_tokens": 1, "total_tokens": 201},
    });
    Reply::says(answer.to_string()).header("content-type", "application/json")
}
