//! Whether an identity may use a model of Vertex AI: asked of the model itself, with the least that
//! it answers to.
//!
//! Gemini counts tokens, which costs nothing:
//! <https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/count-tokens>. Claude
//! answers one token: its count-tokens is not in every location
//! (<https://docs.anthropic.com/en/api/claude-on-vertex-ai>).

use bytes::Bytes;
use http::{Request, header};
use serde_json::{Value, json};

use super::{answer, ask};
use crate::{cloud::CloudError, net::Fetcher, secrets::Secret};

/// Whose models, and how they are spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// Google's own.
    Gemini,
    /// Claude, in Anthropic's dialect.
    Anthropic,
}

/// A model where Vertex has it.
#[derive(Clone, Debug)]
pub struct VertexModel {
    /// Scheme and host, without trailing slash.
    pub base_url: String,
    /// The Google Cloud project.
    pub project: String,
    /// Region, or `global`.
    pub location: String,
    /// The family.
    pub family: Family,
    /// Its id.
    pub model: String,
}

impl VertexModel {
    fn request(&self) -> (String, Value) {
        let Self { base_url, project, location, model, .. } = self;
        let (publisher, method) = match self.family {
            Family::Gemini => ("google", "countTokens"),
            Family::Anthropic => ("anthropic", "rawPredict"),
        };
        let url = format!(
            "{base_url}/v1/projects/{project}/locations/{location}/publishers/{publisher}/models/{model}:{method}"
        );
        let body = match self.family {
            Family::Gemini => json!({"contents": [{"role": "user", "parts": [{"text": "ping"}]}]}),
            Family::Anthropic => json!({
                "anthropic_version": "vertex-2023-10-16", "max_tokens": 1,
                "messages": [{"role": "user", "content": "ping"}],
            }),
        };
        (url, body)
    }
}

/// Asks the model.
pub(super) async fn probe(
    fetcher: &Fetcher,
    token: &Secret,
    model: &VertexModel,
) -> Result<(), CloudError> {
    let (url, body) = model.request();
    let request = Request::post(url)
        .header(header::AUTHORIZATION, answer::bearer(token)?)
        .header(header::CONTENT_TYPE, "application/json");
    let body = Bytes::from(body.to_string());
    let _whatever: Value = ask(fetcher, "Vertex", request, body).await?;
    Ok(())
}
