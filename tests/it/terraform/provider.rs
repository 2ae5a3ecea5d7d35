//! The provider's HTTP client: its headers, its limits, and how it tells a refusal.

use serde_json::{Map, Value, json};

use crate::support::{Answer, Caller, Gateway};

/// It reads so much of an answer and no more, bytes.
const READS: usize = 1 << 20;

/// Attributes of one resource, as configured or as kept in the state.
pub type Attributes = Map<String, Value>;

/// A configured provider.
pub struct Provider {
    caller: Caller,
}

/// A refusal, as a practitioner gets to see it.
#[derive(Debug, PartialEq, Eq)]
pub struct Diagnostic {
    pub title: String,
    pub detail: String,
}

impl Provider {
    /// Signed in as an administrator of the organization.
    pub fn of(gateway: &Gateway, org: &str) -> Self {
        let token = gateway.token(org, "terraform@acme.test", "admin", &[]);
        Self { caller: gateway.caller(&token).with("accept", "application/json") }
    }

    async fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> Answer {
        let ask = self.caller.ask(method, &format!("/api/llm-gateway/admin{path}"));
        match body {
            Some(body) => ask.json(body.to_string()).await,
            None => ask.await,
        }
    }

    /// A call that answers JSON: its body, or the diagnostic.
    pub async fn call(
        &self,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Value, Diagnostic> {
        let answer = self.ask(method, path, body).await;
        if (200..300).contains(&answer.status) {
            assert!(answer.body.len() <= READS, "{method} {path}: the rest is cut off");
            return Ok(answer.json());
        }
        Err(diagnostic(method, path, &answer))
    }

    /// Reads something; none where it is gone.
    pub async fn read(&self, path: &str) -> Option<Value> {
        let answer = self.ask("GET", path, None).await;
        (answer.status != 404).then(|| answer.has_status(200).json())
    }

    /// Deletes something; gone is fine.
    pub async fn delete(&self, path: &str) {
        let answer = self.ask("DELETE", path, None).await;
        assert!(matches!(answer.status, 200..300 | 404), "DELETE {path}: {}", answer.tell());
    }
}

fn diagnostic(method: &str, path: &str, answer: &Answer) -> Diagnostic {
    let title = match answer.status {
        400 => "rejected by the LLM Gateway API".to_owned(),
        409 => "conflicts with an existing one".to_owned(),
        401 | 403 => "Permission denied by the LLM Gateway API".to_owned(),
        status => format!("Failed: {method} {path}: {status}"),
    };
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let nested = body["error"]["message"].as_str();
    let flat = ["message", "error", "detail"].iter().find_map(|name| body[name].as_str());
    let detail = nested.or(flat.filter(|text| !text.is_empty())).unwrap_or_else(|| answer.text());
    let detail = detail.chars().take(512).collect();
    Diagnostic { title, detail }
}

/// The attributes of a JSON object.
pub fn attributes(value: Value) -> Attributes {
    match value {
        Value::Object(fields) => fields,
        other => panic!("no object: {other}"),
    }
}

/// What a null, an absent key and an empty string all come to in the state.
pub fn known(attributes: &Attributes, name: &str) -> Value {
    match attributes.get(name) {
        Some(Value::String(text)) if text.is_empty() => Value::Null,
        Some(Value::Object(fields)) if fields.is_empty() => Value::Null,
        Some(value) => numbers(value),
        None => json!(null),
    }
}

/// Integers must be integers on the wire, `5` and not `5.0`; what is a double is compared as one.
fn numbers(value: &Value) -> Value {
    match value.as_f64() {
        Some(double) if value.is_f64() => json!(double),
        _ => value.clone(),
    }
}
