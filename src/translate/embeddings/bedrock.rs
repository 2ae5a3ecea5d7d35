//! Embeddings on Amazon Bedrock, each through `InvokeModel`.
//!
//! * Titan: one text a call
//!   (<https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-titan-embed-text.html>).
//! * Cohere: up to 96 a call; it wants to know what they are for. `search_document` is what is stored
//!   to be searched (<https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-embed.html>).
//!   Long texts are an error, as at `OpenAI`.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{EmbeddingRequest, answer::Vectors, bodies, purpose::of_cohere};
use crate::translate::{Unreadable, form::Refusal};

/// The most texts of one call to Cohere.
const TEXTS: usize = 96;

/// Bodies for Titan. Its first generation takes nothing but the text.
pub(super) fn write_titan(
    request: &EmbeddingRequest<'_>,
    model: &str,
) -> Result<Vec<Vec<u8>>, Refusal> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Body<'a> {
        input_text: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        dimensions: Option<u64>,
        #[serde(skip_serializing_if = "Option::is_none")]
        normalize: Option<bool>,
    }
    let second = model.contains("titan-embed-text-v2");
    if !second && request.dimensions.is_some() {
        return Err(fixed("Titan Text Embeddings before v2"));
    }
    bodies(request.inputs.iter().map(|text| Body {
        input_text: text,
        dimensions: request.dimensions,
        normalize: second.then_some(true),
    }))
}

/// Bodies for Cohere.
pub(super) fn write_cohere(
    request: &EmbeddingRequest<'_>,
    model: &str,
) -> Result<Vec<Vec<u8>>, Refusal> {
    #[derive(Serialize)]
    struct Body<'a> {
        texts: Vec<&'a str>,
        input_type: &'a str,
        truncate: &'static str,
        embedding_types: [&'static str; 1],
        #[serde(skip_serializing_if = "Option::is_none")]
        output_dimension: Option<u64>,
    }
    if model.contains("-v3") && request.dimensions.is_some() {
        return Err(fixed("Cohere Embed before v4"));
    }
    bodies(request.inputs.chunks(TEXTS).map(|texts| Body {
        texts: texts.iter().map(|text| &**text).collect(),
        input_type: of_cohere(request.input_type.as_deref()),
        truncate: "NONE",
        embedding_types: ["float"],
        output_dimension: request.dimensions,
    }))
}

fn fixed(whose: &str) -> Refusal {
    let message = format!("the vectors of {whose} have one length; leave `dimensions` out");
    Refusal::unsupported("dimensions", message)
}

/// Reads Titan's body.
pub(super) fn read_titan(body: &[u8]) -> Result<Vectors<'_>, Unreadable> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Response<'a> {
        #[serde(borrow)]
        embedding: &'a RawValue,
        #[serde(default)]
        input_text_token_count: Option<u64>,
    }
    let response: Response<'_> = serde_json::from_slice(body)
        .map_err(|_| Unreadable("it has no embedding of Titan".to_owned()))?;
    Ok(Vectors { vectors: vec![response.embedding], tokens: response.input_text_token_count })
}

/// Reads Cohere's body: vectors by their type, or, where none was named, the vectors alone.
pub(super) fn read_cohere(body: &[u8]) -> Result<Vectors<'_>, Unreadable> {
    #[derive(Deserialize)]
    struct Response<'a> {
        #[serde(borrow)]
        embeddings: &'a RawValue,
    }
    #[derive(Deserialize)]
    struct ByType<'a> {
        #[serde(borrow)]
        float: Vec<&'a RawValue>,
    }
    let unreadable = |_| Unreadable("it has no embeddings of Cohere".to_owned());
    let response: Response<'_> = serde_json::from_slice(body).map_err(unreadable)?;
    let json = response.embeddings.get();
    let vectors = if json.starts_with('[') {
        serde_json::from_str(json).map_err(unreadable)?
    } else {
        serde_json::from_str::<ByType<'_>>(json).map_err(unreadable)?.float
    };
    Ok(Vectors { vectors, tokens: None })
}
