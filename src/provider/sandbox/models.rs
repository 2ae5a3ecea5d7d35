//! `GET /v1/models`, whole and one: the models of the sandbox's row in the catalogue.
//!
//! OpenAI's and Anthropic's listings have no member in common that differs, so that one answer serves
//! both clients: <https://developers.openai.com/api/reference/resources/models>,
//! <https://platform.claude.com/docs/en/api/models>.

use http::StatusCode;
use serde_json::{Value, json};

use super::refusal::{Fault, Refusal};
use crate::provider::catalog;

/// When the sandbox's models are said to be made: 2025-01-01, in seconds and as Anthropic writes it.
const CREATED: (i64, &str) = (1_735_689_600, "2025-01-01T00:00:00Z");

/// Every model.
pub fn list() -> Value {
    let names = names();
    let models: Vec<_> = names.iter().map(|name| describe(name)).collect();
    json!({
        "object": "list",
        "data": models,
        "has_more": false,
        "first_id": names.first(),
        "last_id": names.last()
    })
}

/// One model.
pub fn one(name: &str) -> Result<Value, Refusal> {
    if names().iter().any(|own| own == name) {
        return Ok(describe(name));
    }
    let message = format!("The model '{name}' does not exist; GET /v1/models lists those that do.");
    Err(Refusal::new(StatusCode::NOT_FOUND, Fault::NotFound, Some("model_not_found"), message))
}

fn names() -> &'static [String] {
    catalog().vendor("sandbox").map_or(&[], |vendor| &vendor.models)
}

fn describe(name: &str) -> Value {
    json!({
        "id": name,
        "object": "model",
        "created": CREATED.0,
        "owned_by": "sandbox",
        "type": "model",
        "display_name": name,
        "created_at": CREATED.1,
        "lifecycle": "active"
    })
}
