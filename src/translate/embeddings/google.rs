//! Google's embeddings.
//!
//! * AI Studio, `:batchEmbedContents`: up to 100 texts a call, each with the model's name
//!   (<https://ai.google.dev/api/embeddings#method:-models.batchembedcontents>).
//! * Vertex, `:predict`: up to 250 texts a call, `gemini-embedding-001` one
//!   (<https://docs.cloud.google.com/vertex-ai/generative-ai/docs/model-reference/text-embeddings-api>).
//! * Vertex, `:embedContent`: later Gemini models, one text a call
//!   (<https://github.com/googleapis/python-genai/blob/main/google/genai/models.py>,
//!   `t_is_vertex_embed_content_model`).
//!
//! What a text is for (`taskType`) is told where the client says it, but for `gemini-embedding-2`, which
//! has it in the text itself (<https://ai.google.dev/gemini-api/docs/embeddings#task-types>). Vertex cuts
//! long texts silently unless asked not to; here, as at `OpenAI`, they are an error.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{EmbeddingRequest, answer::Vectors, bodies, purpose::of_google};
use crate::translate::{Unreadable, form::Refusal};

/// The most texts of one call to AI Studio.
const BATCH: usize = 100;
/// The most texts of one `:predict`.
const INSTANCES: usize = 250;

#[derive(Serialize)]
struct Part<'a> {
    text: &'a str,
}

#[derive(Serialize)]
struct Content<'a> {
    parts: [Part<'a>; 1],
}

impl<'a> Content<'a> {
    const fn of(text: &'a str) -> Self {
        Self { parts: [Part { text }] }
    }
}

/// Bodies of `:batchEmbedContents`.
pub(super) fn write_batch(
    request: &EmbeddingRequest<'_>,
    model: &str,
) -> Result<Vec<Vec<u8>>, Refusal> {
    #[derive(Serialize)]
    struct Batch<'a> {
        requests: Vec<One<'a>>,
    }
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct One<'a> {
        model: &'a str,
        content: Content<'a>,
        #[serde(skip_serializing_if = "Option::is_none")]
        task_type: Option<&'static str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        output_dimensionality: Option<u64>,
    }
    let task_type = task_type(request, model)?;
    let model = format!("models/{}", model.strip_prefix("models/").unwrap_or(model));
    bodies(request.inputs.chunks(BATCH).map(|texts| {
        Batch {
            requests: texts
                .iter()
                .map(|text| One {
                    model: &model,
                    content: Content::of(text),
                    task_type,
                    output_dimensionality: request.dimensions,
                })
                .collect(),
        }
    }))
}

/// Whether a model of Vertex has `:embedContent` in place of `:predict`.
pub(super) fn has_embed_content(model: &str) -> bool {
    model != "gemini-embedding-001" && (model.contains("gemini") || model.contains("maas"))
}

/// What the vectors are for, where the model is told so.
fn task_type(request: &EmbeddingRequest<'_>, model: &str) -> Result<Option<&'static str>, Refusal> {
    let task_type = of_google(request.input_type.as_deref())?;
    Ok(task_type.filter(|_| !model.contains("gemini-embedding-2")))
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Parameters {
    auto_truncate: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    output_dimensionality: Option<u64>,
}

/// Bodies of `:predict` or `:embedContent`.
pub(super) fn write_vertex(
    request: &EmbeddingRequest<'_>,
    model: &str,
) -> Result<Vec<Vec<u8>>, Refusal> {
    #[derive(Serialize)]
    struct Predict<'a> {
        instances: Vec<Instance<'a>>,
        parameters: Parameters,
    }
    #[derive(Serialize)]
    struct Instance<'a> {
        content: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        task_type: Option<&'static str>,
    }
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct EmbedContent<'a> {
        content: Content<'a>,
        embed_content_config: Parameters,
    }
    let parameters =
        || Parameters { auto_truncate: false, output_dimensionality: request.dimensions };
    if has_embed_content(model) {
        return bodies(request.inputs.iter().map(|text| EmbedContent {
            content: Content::of(text),
            embed_content_config: parameters(),
        }));
    }
    let task_type = task_type(request, model)?;
    let most = if model == "gemini-embedding-001" { 1 } else { INSTANCES };
    bodies(request.inputs.chunks(most).map(|texts| Predict {
        instances: texts.iter().map(|text| Instance { content: text, task_type }).collect(),
        parameters: parameters(),
    }))
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Response<'a> {
    /// `:batchEmbedContents`
    #[serde(borrow)]
    embeddings: Option<Vec<Embedding<'a>>>,
    /// `:embedContent`
    #[serde(borrow)]
    embedding: Option<Embedding<'a>>,
    /// `:predict`
    #[serde(borrow)]
    predictions: Option<Vec<Prediction<'a>>>,
    usage_metadata: Option<Usage>,
}

#[derive(Deserialize)]
struct Prediction<'a> {
    #[serde(borrow)]
    embeddings: Embedding<'a>,
}

#[derive(Deserialize)]
struct Embedding<'a> {
    #[serde(borrow)]
    values: &'a RawValue,
    #[serde(default)]
    statistics: Option<Statistics>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Statistics {
    /// Vertex writes it with a point.
    #[serde(alias = "tokenCount")]
    token_count: Option<f64>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Usage {
    prompt_token_count: Option<u64>,
}

/// Reads a body of any of the three.
pub(super) fn read(body: &[u8]) -> Result<Vectors<'_>, Unreadable> {
    let response: Response<'_> = serde_json::from_slice(body)
        .map_err(|_| Unreadable("it has no embeddings of Google".to_owned()))?;
    let predictions = response.predictions.map(|all| all.into_iter().map(|one| one.embeddings));
    let embeddings: Vec<_> = predictions
        .into_iter()
        .flatten()
        .chain(response.embeddings.into_iter().flatten())
        .chain(response.embedding)
        .collect();
    let counted = embeddings.iter().map(|one| one.statistics.as_ref()?.token_count);
    let counted: Option<f64> = counted.sum::<Option<f64>>().filter(|_| !embeddings.is_empty());
    let told = response.usage_metadata.and_then(|usage| usage.prompt_token_count);
    let vectors = embeddings.iter().map(|one| one.values).collect();
    Ok(Vectors { vectors, tokens: told.or(counted.and_then(whole)) })
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates")]
fn whole(count: f64) -> Option<u64> {
    (count >= 0.0).then_some(count as u64)
}
