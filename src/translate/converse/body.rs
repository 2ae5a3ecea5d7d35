//! The members of a Converse request, as they are serialized.
//!
//! <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html#API_runtime_Converse_RequestSyntax>
//! Unions of the API (`{"text": …}` or `{"image": …}`) are enums here.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::{Value, value::RawValue};

use super::super::form::Text;

/// The body.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Body<'r> {
    #[serde(flatten)]
    pub prompt: Prompt<'r>,
    #[serde(skip_serializing_if = "Inference::is_empty")]
    pub inference_config: Inference<'r>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub additional_model_response_field_paths: Option<[&'static str; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output_config: Option<OutputConfig<'r>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_tier: Option<ServiceTier>,
}

/// What the model reads: also what `CountTokens` takes.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Prompt<'r> {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub system: Vec<Block<'r>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tool_config: Option<ToolConfig<'r>>,
    pub messages: Vec<Message<'r>>,
    #[serde(skip_serializing_if = "Additional::is_empty")]
    pub additional_model_request_fields: Additional<'r>,
}

#[derive(Serialize)]
pub(super) struct Message<'r> {
    pub role: &'static str,
    pub content: Vec<Block<'r>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Block<'r> {
    Text(&'r str),
    Image(Medium<'r>),
    Audio(Medium<'r>),
    Video(Medium<'r>),
    Document(Document<'r>),
    SearchResult(SearchResult<'r>),
    ToolUse(ToolUse<'r>),
    ToolResult(ToolResult<'r>),
    ReasoningContent(Reasoning<'r>),
    CachePoint(CachePoint),
}

#[derive(Serialize)]
pub(super) struct Medium<'r> {
    pub format: &'static str,
    pub source: Source<'r>,
}

#[derive(Serialize)]
pub(super) struct Document<'r> {
    pub format: &'static str,
    pub name: String,
    pub source: Source<'r>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub citations: Option<Citations>,
}

/// What a search found, read from Claude's own block, whose members have the same names.
#[derive(Deserialize, Serialize)]
pub(super) struct SearchResult<'r> {
    #[serde(borrow)]
    source: Text<'r>,
    title: Text<'r>,
    content: Vec<Found<'r>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    citations: Option<Citations>,
}

#[derive(Deserialize, Serialize)]
struct Found<'r> {
    #[serde(borrow)]
    text: Text<'r>,
}

#[derive(Deserialize, Serialize)]
pub(super) struct Citations {
    pub enabled: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Source<'r> {
    Bytes(Cow<'r, str>),
    S3Location { uri: &'r str },
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ToolUse<'r> {
    pub tool_use_id: Cow<'r, str>,
    pub name: &'r str,
    pub input: Input<'r>,
}

#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Input<'r> {
    /// A JSON object, as the model wrote it.
    Object(&'r RawValue),
    /// What is no object: a model takes nothing else.
    Wrapped { input: &'r str },
    /// No arguments.
    Empty {},
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ToolResult<'r> {
    pub tool_use_id: Cow<'r, str>,
    pub content: Vec<Block<'r>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<&'static str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Reasoning<'r> {
    ReasoningText { text: &'r str, signature: &'r str },
    RedactedContent(&'r str),
}

#[derive(Clone, Copy, Serialize)]
pub(super) struct CachePoint {
    #[serde(rename = "type")]
    pub kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ttl: Option<&'static str>,
}

#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Inference<'r> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_tokens: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub top_p: Option<f64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub stop_sequences: Vec<&'r str>,
}

impl Inference<'_> {
    fn is_empty(&self) -> bool {
        let numbers =
            self.max_tokens.is_none() && self.temperature.is_none() && self.top_p.is_none();
        numbers && self.stop_sequences.is_empty()
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ToolConfig<'r> {
    pub tools: Vec<Tool<'r>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tool_choice: Option<Choice<'r>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Tool<'r> {
    #[serde(rename = "toolSpec")]
    Function(ToolSpec<'r>),
    #[serde(rename = "systemTool")]
    System {
        name: &'static str,
    },
    CachePoint(CachePoint),
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ToolSpec<'r> {
    pub name: &'r str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<&'r str>,
    pub input_schema: InputSchema<'r>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub strict: Option<bool>,
}

#[derive(Serialize)]
pub(super) struct InputSchema<'r> {
    pub json: Schema<'r>,
}

#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Schema<'r> {
    Given(&'r RawValue),
    /// Without what the model refuses.
    Made(serde_json::Map<String, Value>),
    /// Of a tool whose arguments nobody described.
    Any(AnyObject),
    /// The same, of a strict tool.
    Closed {
        #[serde(flatten)]
        any: AnyObject,
        #[serde(rename = "additionalProperties")]
        additional: bool,
    },
}

#[derive(Serialize)]
pub(super) struct AnyObject {
    #[serde(rename = "type")]
    pub kind: &'static str,
    pub properties: Empty,
}

#[derive(Clone, Copy, Serialize)]
pub(super) struct Empty {}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Choice<'r> {
    Auto(Empty),
    Any(Empty),
    Tool { name: &'r str },
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OutputConfig<'r> {
    pub text_format: TextFormat<'r>,
}

#[derive(Serialize)]
pub(super) struct TextFormat<'r> {
    #[serde(rename = "type")]
    pub kind: &'static str,
    pub structure: Structure<'r>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Structure<'r> {
    pub json_schema: JsonSchema<'r>,
}

#[derive(Serialize)]
pub(super) struct JsonSchema<'r> {
    /// The schema's JSON as a string.
    pub schema: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<&'r str>,
}

#[derive(Serialize)]
pub(super) struct ServiceTier {
    #[serde(rename = "type")]
    pub kind: &'static str,
}

/// `additionalModelRequestFields`: members of the models' own APIs, in their own spelling.
#[derive(Default, Serialize)]
pub(super) struct Additional<'r> {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub anthropic_beta: Vec<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thinking: Option<Thinking>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output_config: Option<Effort>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub top_k: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tool_choice: Option<ClaudeChoice<'r>>,
    #[serde(rename = "inferenceConfig", skip_serializing_if = "Option::is_none")]
    pub inference_config: Option<NovaInference>,
    #[serde(rename = "reasoningConfig", skip_serializing_if = "Option::is_none")]
    pub reasoning_config: Option<NovaReasoning>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reasoning_effort: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reasoning: Option<Effort>,
}

impl Additional<'_> {
    fn is_empty(&self) -> bool {
        let claude = self.anthropic_beta.is_empty()
            && self.thinking.is_none()
            && self.output_config.is_none()
            && self.top_k.is_none()
            && self.tool_choice.is_none();
        let nova = self.inference_config.is_none() && self.reasoning_config.is_none();
        claude && nova && self.reasoning_effort.is_none() && self.reasoning.is_none()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Thinking {
    #[serde(rename = "type")]
    pub kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub budget_tokens: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display: Option<&'static str>,
}

#[derive(Clone, Copy, Serialize)]
pub(super) struct Effort {
    pub effort: &'static str,
}

#[derive(Serialize)]
pub(super) struct ClaudeChoice<'r> {
    #[serde(rename = "type")]
    pub kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<&'r str>,
    pub disable_parallel_tool_use: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct NovaInference {
    pub top_k: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct NovaReasoning {
    #[serde(rename = "type")]
    pub kind: &'static str,
    pub max_reasoning_effort: &'static str,
}
