//! A translated request is recorded with what its vendor reported, and costs what that costs.

use serde_json::{Value, json};

use super::{
    client::Client,
    vendor::{Kind, Vendor},
};
use crate::support::{Gateway, Org};

/// Tokens as a mock reports them, in the terms of records.
struct Reported {
    input: u32,
    cache_read: u32,
    cache_write: u32,
    output: u32,
    reasoning: u32,
}

impl Reported {
    /// What the mock's answers say where nobody asks it to think; `path` is where it was asked.
    fn by(kind: Kind, path: &str) -> Self {
        let [input, cache_read, cache_write, output, reasoning] = match kind {
            Kind::OpenAi if path.ends_with("/responses") => [30, 6, 0, 12, 2],
            Kind::OpenAi => [15, 4, 0, 10, 3],
            Kind::Anthropic => [25, 6, 5, 15, 0],
            Kind::Gemini => [16, 5, 0, 9, 0],
            Kind::Bedrock => [23, 0, 0, 11, 0],
        };
        Self { input, cache_read, cache_write, output, reasoning }
    }

    fn is_recorded_in(&self, record: &Value) {
        for (field, tokens) in [
            ("input_tokens", self.input),
            ("cache_read_tokens", self.cache_read),
            ("cache_write_tokens", self.cache_write),
            ("output_tokens", self.output),
            ("reasoning_tokens", self.reasoning),
        ] {
            assert_eq!(record[field], tokens, "{field}: {record}");
        }
        assert_eq!(record["usage_source"], "reported", "{record}");
        let (input, read, write) =
            (f64::from(self.input), f64::from(self.cache_read), f64::from(self.cache_write));
        let cost_input = (input * 10.0 + read + write * 2.0) / 1e6;
        let cost_output = f64::from(self.output) * 100.0 / 1e6;
        for (field, cost) in [
            ("cost_input", cost_input),
            ("cost_output", cost_output),
            ("cost_total", cost_input + cost_output),
        ] {
            let recorded = record[field].as_f64().expect("a cost");
            assert!((recorded - cost).abs() < 1e-12, "{field} should be {cost}: {record}");
        }
    }
}

async fn everything_has_a_price(org: &Org) {
    let price = json!({"model_pattern": "*", "input_cost_per_million_tokens": 10,
        "output_cost_per_million_tokens": 100, "cache_read_cost_per_million_tokens": 1,
        "cache_write_cost_per_million_tokens": 2});
    org.create("model-pricing", price).await;
}

#[tokio::test]
async fn every_client_at_every_vendor_is_recorded_with_the_vendors_tokens() {
    let gateway = Gateway::start().await;
    let acme = gateway.org("acme");
    everything_has_a_price(&acme).await;
    let key = acme.key().await;
    for vendor in Vendor::of_each_kind(&acme).await {
        let kind = vendor.kind;
        acme.alias(kind.name(), &[vendor.route()]).await;
        for client in Client::ALL {
            for stream in [false, true] {
                let id = format!("{}-{client:?}-{stream}", kind.name());
                client.asks(&key, kind.name(), stream, &id).await.has_status(200);
                let record = acme.record_of(&id).await;
                let path = vendor.mock.saw().pop().expect("it was asked").path.clone();
                Reported::by(kind, &path).is_recorded_in(&record);
                for (field, value) in [
                    ("status", json!(200)),
                    ("stream", json!(stream)),
                    ("requested_model", json!(kind.name())),
                    ("provider_name", json!(kind.name())),
                    ("upstream_model", json!(kind.model())),
                    ("error_type", Value::Null),
                ] {
                    assert_eq!(record[field], value, "{field}: {record}");
                }
                // Bedrock names no model in its answers.
                if kind != Kind::Bedrock {
                    assert_eq!(record["used_model"], kind.dated(), "{record}");
                }
            }
        }
    }
}

#[tokio::test]
async fn tokens_of_thinking_are_counted_as_output() {
    let gateway = Gateway::start().await;
    let acme = gateway.org("acme");
    everything_has_a_price(&acme).await;
    let vendor = Vendor::of(&acme, Kind::Gemini).await;
    acme.alias("gemini", &[vendor.route()]).await;
    let key = acme.key().await;
    for stream in [false, true] {
        let mut body = Client::Chat.body("gemini", stream);
        body["reasoning_effort"] = json!("low");
        let id = format!("thinking-{stream}");
        let ask = key.post(Client::Chat.path(), body.to_string()).header("x-request-id", &id);
        ask.await.has_status(200);
        let reported =
            Reported { input: 16, cache_read: 5, cache_write: 0, output: 13, reasoning: 4 };
        reported.is_recorded_in(&acme.record_of(&id).await);
    }
}
