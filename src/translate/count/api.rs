//! Vendors' own counters.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::Serialize;

use super::{
    super::{
        Platform, Target, Unreadable, VendorApi, converse,
        fit::fit,
        form::{Refusal, Request},
        rehost_request,
    },
    members::Members,
};
use crate::{
    domain::ModelFacts,
    wire::members::{members, rebuilt, value_at},
};

/// A vendor's way to count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CountApi {
    /// `…:countTokens` of AI Studio and of Vertex AI, by the target's platform.
    /// <https://ai.google.dev/api/tokens>,
    /// <https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/count-tokens>
    Gemini,
    /// Bedrock's `/model/{id}/count-tokens` of a Converse request. Not every model has it.
    /// <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_CountTokens.html>
    Converse,
    /// The same of an `InvokeModel` body for Claude: unlike Converse's it counts everything.
    AnthropicBedrock,
    /// Vertex AI's `…/publishers/anthropic/models/count-tokens:rawPredict`.
    /// <https://cloud.google.com/vertex-ai/generative-ai/docs/partner-models/claude/count-tokens>
    AnthropicVertex,
    /// `OpenAI`'s `/v1/responses/input_tokens`.
    /// <https://developers.openai.com/api/reference/resources/responses/subresources/input_tokens>
    OpenAi,
}

/// What Gemini on Vertex AI takes of a request.
const VERTEX_GEMINI: [&str; 4] = ["contents", "systemInstruction", "tools", "generationConfig"];
/// What `OpenAI` takes.
/// <https://github.com/openai/openai-python/blob/main/src/openai/types/responses/input_token_count_params.py>
const OPENAI: [&str; 11] = [
    "model",
    "input",
    "instructions",
    "tools",
    "tool_choice",
    "parallel_tool_calls",
    "text",
    "reasoning",
    "truncation",
    "previous_response_id",
    "conversation",
];
/// What Anthropic takes.
/// <https://github.com/anthropics/anthropic-sdk-python/blob/main/src/anthropic/types/message_count_tokens_params.py>
const ANTHROPIC: [&str; 10] = [
    "anthropic_version",
    "anthropic_beta",
    "messages",
    "system",
    "tools",
    "tool_choice",
    "thinking",
    "output_config",
    "cache_control",
    "context_management",
];
/// Claude's `anthropic_version` on Vertex AI.
const VERTEX_VERSION: &str = "vertex-2023-10-16";
/// Bedrock wants a limit in a body whose tokens it counts, above what is for thinking; it changes nothing.
const ANY_LIMIT: u64 = 1024;

impl CountApi {
    /// Writes the body that asks how many tokens `request` is.
    ///
    /// # Errors
    /// When the vendor or the model cannot do what the request asks.
    pub fn write(self, mut request: Request<'_>, target: &Target<'_>) -> Result<Vec<u8>, Refusal> {
        // Nothing is gone on with: an answer may stand at the end of what is counted.
        let facts = ModelFacts { lacks_begun_answers: false, ..*target.facts };
        let target = &Target { facts: &facts, ..*target };
        let api = match self {
            Self::Gemini => VendorApi::Gemini,
            Self::Converse => {
                fit(&mut request, VendorApi::Converse, target)?;
                return converse::write_count(&request, target);
            }
            Self::AnthropicBedrock | Self::AnthropicVertex => VendorApi::Messages,
            Self::OpenAi => VendorApi::Responses,
        };
        let betas = request.betas.clone();
        self.wrap(&api.write(request, target)?, target, &betas)
    }

    /// Makes that body of one that is in the vendor's dialect already: a client's own Messages body for
    /// Claude on Bedrock or Vertex AI, or what a writer wrote. (A Converse body is taken as it is.) `betas`
    /// are those of the client's header.
    ///
    /// # Errors
    /// When `body` is no JSON object.
    pub fn wrap(
        self,
        body: &[u8],
        target: &Target<'_>,
        betas: &[&str],
    ) -> Result<Vec<u8>, Refusal> {
        let members = Members::read(body)
            .ok_or_else(|| Refusal::invalid("messages", "the request's body is no JSON object"))?;
        let model = target.model;
        match self {
            Self::Gemini if target.platform == Platform::Vertex => {
                Ok(json(&members.only(&VERTEX_GEMINI)))
            }
            Self::Gemini => {
                let model = format!("models/{model}");
                let request = Named { model: &model, members: members.without(&["model"]) };
                Ok(json(&GenerateContentRequest { request }))
            }
            Self::Converse => Ok(json(&Input { input: Counted::Converse(members) })),
            Self::AnthropicBedrock => {
                let invoked = rehost_request(body, Platform::Bedrock, model, betas)?;
                let body = STANDARD.encode(limited(invoked));
                Ok(json(&Input { input: Counted::InvokeModel { body } }))
            }
            Self::AnthropicVertex => {
                let versioned = Versioned {
                    anthropic_version: (!members.has("anthropic_version"))
                        .then_some(VERTEX_VERSION),
                    members: members.only(&ANTHROPIC),
                };
                Ok(json(&Named { model, members: versioned }))
            }
            Self::OpenAi => Ok(json(&members.only(&OPENAI))),
        }
    }

    /// Reads the count out of the vendor's answer.
    ///
    /// # Errors
    /// When it has none.
    pub fn read(self, body: &[u8]) -> Result<u64, Unreadable> {
        #[derive(Default, serde::Deserialize)]
        #[serde(default)]
        struct Answer {
            #[serde(rename = "totalTokens")]
            total: Option<u64>,
            #[serde(rename = "inputTokens")]
            input: Option<u64>,
            input_tokens: Option<u64>,
        }
        let answer: Answer = serde_json::from_slice(body).unwrap_or_default();
        let count = match self {
            Self::Gemini => answer.total,
            Self::Converse | Self::AnthropicBedrock => answer.input,
            Self::AnthropicVertex | Self::OpenAi => answer.input_tokens,
        };
        count.ok_or_else(|| Unreadable("it has no count of tokens".to_owned()))
    }
}

/// The body with a limit, where it has none.
fn limited(body: Vec<u8>) -> Vec<u8> {
    let Some(own) = members(&body).filter(|_| value_at(&body, &["max_tokens"]).is_none()) else {
        return body;
    };
    let budget = value_at(&body, &["thinking", "budget_tokens"]).and_then(|at| body.get(at));
    let budget = budget.and_then(|number| serde_json::from_slice::<u64>(number).ok());
    let limit = budget.unwrap_or(0).saturating_add(ANY_LIMIT);
    rebuilt(&body, &own, |_| true, format!(r#""max_tokens":{limit}"#).as_bytes())
}

#[derive(Serialize)]
struct GenerateContentRequest<'a> {
    #[serde(rename = "generateContentRequest")]
    request: Named<'a, Members<'a>>,
}

#[derive(Serialize)]
struct Named<'a, T> {
    model: &'a str,
    #[serde(flatten)]
    members: T,
}

#[derive(Serialize)]
struct Versioned<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    anthropic_version: Option<&'static str>,
    #[serde(flatten)]
    members: Members<'a>,
}

#[derive(Serialize)]
struct Input<'a> {
    input: Counted<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
enum Counted<'a> {
    Converse(Members<'a>),
    InvokeModel { body: String },
}

fn json(value: &impl Serialize) -> Vec<u8> {
    // Strings, numbers and JSON that was read already always serialize into memory.
    serde_json::to_vec(value).unwrap_or_default()
}
