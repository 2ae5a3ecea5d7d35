//! `/v1/embeddings` of `OpenAI` against vendors that have an API of their own for it. Pure: bytes in,
//! bytes out.
//!
//! A request is [read](EmbeddingRequest::read), [written](EmbeddingApi::write) as one or several bodies
//! (some vendors take one text a call), which the caller sends one after the other to the model's
//! [method](EmbeddingApi::method), and the answers are [read](EmbeddingApi::read) together.

mod answer;
mod bedrock;
mod google;
mod purpose;
mod request;

#[cfg(test)]
mod tests;

use serde::Serialize;
use serde_json::value::RawValue;

pub use request::EmbeddingRequest;

use super::{Unreadable, form::Refusal};
use answer::Vectors;

/// The list of vectors for a client.
#[derive(Clone, Debug)]
pub struct Embedded {
    /// Its JSON.
    pub body: Vec<u8>,
    /// Nobody counted the tokens: `usage` is a guess.
    pub estimated: bool,
}

/// Whose embeddings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EmbeddingApi {
    /// AI Studio: <https://ai.google.dev/api/embeddings>
    Gemini,
    /// <https://docs.cloud.google.com/vertex-ai/generative-ai/docs/model-reference/text-embeddings-api>
    Vertex,
    /// <https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-titan-embed-text.html>
    BedrockTitan,
    /// <https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-embed.html>
    BedrockCohere,
}

impl EmbeddingApi {
    /// The API of a model on Bedrock by its id, an inference profile's id or an ARN; none where it makes
    /// no embeddings of texts.
    #[must_use]
    pub fn of_bedrock(model: &str) -> Option<Self> {
        // A profile puts a region before the vendor: `us.cohere.embed-v4:0`.
        if model.contains("amazon.titan-embed-text") || model.contains("amazon.titan-embed-g1-text")
        {
            Some(Self::BedrockTitan)
        } else if model.contains("cohere.embed-") {
            Some(Self::BedrockCohere)
        } else {
            None
        }
    }

    /// The last word of the path: behind the model and a colon at Google, behind the model and a slash
    /// on Bedrock.
    #[must_use]
    pub fn method(self, model: &str) -> &'static str {
        match self {
            Self::Gemini => "batchEmbedContents",
            Self::Vertex if google::has_embed_content(model) => "embedContent",
            Self::Vertex => "predict",
            Self::BedrockTitan | Self::BedrockCohere => "invoke",
        }
    }

    /// Writes a request for the vendor's model: bodies to be sent one after the other.
    ///
    /// # Errors
    /// When the model cannot do what the request asks.
    pub fn write(
        self,
        request: &EmbeddingRequest<'_>,
        model: &str,
    ) -> Result<Vec<Vec<u8>>, Refusal> {
        match self {
            Self::Gemini => google::write_batch(request, model),
            Self::Vertex => google::write_vertex(request, model),
            Self::BedrockTitan => bedrock::write_titan(request, model),
            Self::BedrockCohere => bedrock::write_cohere(request, model),
        }
    }

    /// Reads the answers to [`write`](Self::write)'s bodies, in their order, and writes the client's.
    /// `counted` are the input tokens of all calls as somebody else told them (Bedrock's header
    /// `x-amzn-bedrock-input-token-count`); used where the bodies say nothing. Where nobody does, they are
    /// guessed: `usage` is an object in `OpenAI`'s API.
    ///
    /// # Errors
    /// When a body is none of the API, or there is not one vector for each text.
    pub fn read(
        self,
        bodies: &[&[u8]],
        request: &EmbeddingRequest<'_>,
        model: &str,
        counted: Option<u64>,
    ) -> Result<Embedded, Unreadable> {
        let mut vectors: Vec<&RawValue> = Vec::with_capacity(request.inputs.len());
        // All of them or none: a part would be told as the whole.
        let mut told = Some(0_u64);
        for body in bodies {
            let read = self.read_one(body)?;
            vectors.extend(read.vectors);
            told = told.zip(read.tokens).map(|(sum, more)| sum.saturating_add(more));
        }
        let told = told.or(counted);
        let tokens = told.unwrap_or_else(|| request.guess());
        // Google's are of length 1 at their full size only, `OpenAI`'s at any:
        // <https://ai.google.dev/gemini-api/docs/embeddings#quality-for-smaller-dimensions>.
        let shortened = request.dimensions.is_some() && matches!(self, Self::Gemini | Self::Vertex);
        let body = answer::write(&vectors, tokens, request, model, shortened)?;
        Ok(Embedded { body, estimated: told.is_none() })
    }

    /// The tokens that one of the answers tells of.
    #[must_use]
    pub fn tokens(self, body: &[u8]) -> Option<u64> {
        self.read_one(body).ok()?.tokens
    }

    fn read_one(self, body: &[u8]) -> Result<Vectors<'_>, Unreadable> {
        match self {
            Self::Gemini | Self::Vertex => google::read(body),
            Self::BedrockTitan => bedrock::read_titan(body),
            Self::BedrockCohere => bedrock::read_cohere(body),
        }
    }
}

fn bodies(all: impl Iterator<Item = impl Serialize>) -> Result<Vec<Vec<u8>>, Refusal> {
    all.map(|body| {
        serde_json::to_vec(&body)
            .map_err(|_| Refusal::invalid("input", "the request cannot be written as JSON"))
    })
    .collect()
}
