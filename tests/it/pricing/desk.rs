//! Prices in sentences.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Admin, Answer};

/// An organization's prices in the hands of its administrator.
pub struct Prices<'a>(pub &'a Admin);

/// A body that sets `input` and `output` for a pattern.
pub fn price(pattern: &str, input: f64, output: f64) -> Value {
    json!({
        "model_pattern": pattern, "input_cost_per_million_tokens": input,
        "output_cost_per_million_tokens": output,
    })
}

/// The gateway's clock, which is this machine's.
pub fn now() -> jiff::Timestamp {
    jiff::Timestamp::from_microsecond(turnpike::domain::Timestamp::now().0).expect("a time")
}

/// A moment that many milliseconds from now, as the API takes and gives it.
pub fn soon(millis: i64) -> String {
    let moment = now() + jiff::SignedDuration::from_millis(millis);
    jiff::Timestamp::from_microsecond(moment.as_microsecond()).expect("a time").to_string()
}

impl Prices<'_> {
    pub async fn post(&self, body: Value) -> Answer {
        self.0.post("/admin/model-pricing", body).await
    }

    /// Sets a price that must be taken.
    pub async fn set(&self, body: Value) -> Value {
        self.post(body).await.has_status(200).json()
    }

    /// The same with more fields.
    pub async fn set_with(&self, mut body: Value, more: Value) -> Value {
        let (Value::Object(fields), Value::Object(more)) = (&mut body, more) else {
            panic!("bodies are objects");
        };
        fields.extend(more);
        self.set(body).await
    }

    pub async fn put(&self, version: &Value, body: Value) -> Answer {
        self.0.put(&path(version), body).await
    }

    pub async fn delete(&self, version: &Value) -> Answer {
        self.0.delete(&path(version)).await
    }

    pub async fn restore(&self, version: &Value) -> Answer {
        self.0.post(&format!("{}/restore", path(version)), json!({})).await
    }

    /// `rest` begins behind `/admin/model-pricing`.
    pub async fn get(&self, rest: &str) -> Value {
        self.0.get(&format!("/admin/model-pricing{rest}")).await.has_status(200).json()
    }

    pub async fn list(&self, rest: &str) -> Vec<Value> {
        self.get(rest).await.as_array().expect("a bare array").clone()
    }

    /// All versions for a pattern, newest first.
    pub async fn history(&self, pattern: &str, provider: &str) -> Vec<Value> {
        self.list(&format!("/history?model_pattern={pattern}&model_provider={provider}")).await
    }
}

fn path(version: &Value) -> String {
    format!("/admin/model-pricing/{}", version["id"].as_str().expect("an id"))
}

/// Waits until it is that time.
pub async fn wait_for(moment: &str) {
    let moment: jiff::Timestamp = moment.parse().expect("a time");
    while now() <= moment {
        tokio::time::sleep(Duration::from_millis(4)).await;
    }
}
