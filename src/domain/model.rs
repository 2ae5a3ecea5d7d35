//! What a model can do, and where a vendor departs from the API that it speaks.

use serde::Deserialize;

use super::Efforts;

/// Something that a model can do or cannot (contract 5, `capabilities`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u16)]
pub enum Capability {
    /// Answers in streams.
    Streaming = 1,
    /// Calls tools.
    Tools = 1 << 1,
    /// Calls several at once.
    ParallelToolCalls = 1 << 2,
    /// Sees pictures.
    Vision = 1 << 3,
    /// Reads documents.
    Documents = 1 << 4,
    /// Hears.
    Audio = 1 << 5,
    /// Has a mode in which it answers with some JSON object.
    Json = 1 << 6,
    /// Answers with JSON of a schema.
    JsonSchema = 1 << 7,
    /// Thinks.
    Reasoning = 1 << 8,
    /// Takes a bound on its thinking.
    ReasoningMaxTokens = 1 << 9,
    /// Searches the web by itself.
    WebSearch = 1 << 10,
    /// Makes pictures.
    ImageOutput = 1 << 11,
}

impl Capability {
    /// All of them, in the API's order.
    pub const ALL: [Self; 12] = [
        Self::Streaming,
        Self::Tools,
        Self::ParallelToolCalls,
        Self::Vision,
        Self::Documents,
        Self::Audio,
        Self::Json,
        Self::JsonSchema,
        Self::Reasoning,
        Self::ReasoningMaxTokens,
        Self::WebSearch,
        Self::ImageOutput,
    ];

    /// The API's name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Streaming => "streaming",
            Self::Tools => "tools",
            Self::ParallelToolCalls => "parallel_tool_calls",
            Self::Vision => "vision",
            Self::Documents => "documents",
            Self::Audio => "audio",
            Self::Json => "json",
            Self::JsonSchema => "json_schema",
            Self::Reasoning => "reasoning",
            Self::ReasoningMaxTokens => "reasoning_max_tokens",
            Self::WebSearch => "web_search",
            Self::ImageOutput => "image_output",
        }
    }
}

/// A set of capabilities.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Capabilities(u16);

impl Capabilities {
    /// The set of the API's names; names that are none are left out.
    pub fn named<'n>(names: impl IntoIterator<Item = &'n str>) -> Self {
        let of = |name: &str| Capability::ALL.into_iter().find(|known| known.as_str() == name);
        Self(names.into_iter().filter_map(of).fold(0, |set, one| set | one as u16))
    }

    /// Whether it has one.
    #[must_use]
    pub const fn has(self, one: Capability) -> bool {
        self.0 & one as u16 != 0
    }
}

/// How a model is asked to think.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ReasoningMode {
    /// Claude: `thinking.budget_tokens`.
    Manual,
    /// Claude: `thinking.type` `adaptive`, with `output_config.effort`.
    Adaptive,
    /// Gemini 2.5: `thinkingBudget`.
    Budget,
    /// Gemini 3: `thinkingLevel`.
    Level,
    /// `OpenAI` and those who speak it: an effort.
    Effort,
}

impl ReasoningMode {
    /// The mode of the API's name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "manual" => Self::Manual,
            "adaptive" => Self::Adaptive,
            "budget" => Self::Budget,
            "level" => Self::Level,
            "effort" => Self::Effort,
            _ => return None,
        })
    }
}

/// What is known of a model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct ModelFacts {
    /// None where it is not known: then everything is taken to be possible.
    pub capabilities: Option<Capabilities>,
    /// None where it is not known, or the model does not think.
    pub reasoning_mode: Option<ReasoningMode>,
    /// The efforts that it knows, `none` among them where it can be told not to think. None where that is
    /// not known.
    pub efforts: Option<Efforts>,
    /// It is known to refuse `stop`.
    pub lacks_stop: bool,
    /// It is known to refuse `frequency_penalty` and `presence_penalty`.
    pub lacks_penalties: bool,
    /// It is known to refuse tools in chat completions where it thinks, or to be absent there.
    pub lacks_tools_in_chat: bool,
    /// It is known to call tools only where its answer is no stream.
    pub lacks_tools_in_streams: bool,
    /// It is known to refuse conversations that end with the model: it goes on with no answer that was
    /// begun for it.
    pub lacks_begun_answers: bool,
    /// Tokens of input and output together.
    pub context_tokens: Option<u64>,
    /// Tokens of output.
    pub max_output_tokens: Option<u64>,
}

impl ModelFacts {
    /// Whether the model can, or is not known not to.
    #[must_use]
    pub fn may(&self, one: Capability) -> bool {
        self.capabilities.is_none_or(|known| known.has(one))
    }
}

/// Where a vendor departs from the `OpenAI` API that it speaks: data of `conf/providers.toml`, used when
/// a request is written for it. Bytes that pass are not touched.
///
/// The default is a server of which nothing is known: it takes what the API has had for long.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct Quirks {
    /// `stream_options.include_usage` is to be asked for. No member of the file: the row's
    /// `stream_usage_option` says it.
    #[serde(skip)]
    pub stream_usage: bool,
    /// The limit of output is called `max_completion_tokens`, not `max_tokens`.
    pub max_completion_tokens: bool,
    /// Runs `OpenAI`'s own models: those that think want `max_completion_tokens`, and take neither
    /// `temperature` nor `top_p` while they do.
    pub openai_models: bool,
    /// Knows the role `developer`; others are told `system`.
    pub developer_role: bool,
    /// How thinking is asked for.
    pub reasoning: ReasoningMember,
    /// The efforts that are asked of models of which none are known; empty for all. The nearest below is
    /// asked for.
    pub efforts: Vec<String>,
    /// Where the history has the model's thinking.
    pub reasoning_history: ReasoningHistory,
    /// The forms of JSON that an answer can be held to.
    pub json: JsonModes,
    /// Knows `tool_choice` of the type `allowed_tools`; others are sent those tools alone.
    pub allowed_tools: bool,
    /// Knows tools of the type `custom`.
    pub custom_tools: bool,
    /// Searches the web where `web_search_options` is there.
    pub web_search_options: bool,
    /// How documents are sent.
    pub documents: DocumentPart,
    /// Takes `cache_control` on parts and tools.
    pub cache_control: bool,
    /// Takes `extra_content` on calls, where Gemini's signatures are.
    pub extra_content: bool,
    /// Ids of calls must have nine letters and digits.
    pub short_call_ids: bool,
    /// Refuses thinking in messages whose signature is empty. Others send such themselves, and want it
    /// back.
    pub signed_thinking: bool,
    /// An answer of the model must stand between results of tools and the user's next words.
    pub answer_after_results: bool,
    /// A last message of the model's, with which the answer begins, must say so by `prefix`.
    pub begun_prefix: bool,
    /// Instructions must stand before everything else, and the user and the model take turns, the user
    /// last.
    pub alternating: bool,
    /// Members and types of parts of the API that the vendor does not know. Hints among them are left
    /// out, the rest is refused by name. `reasoning_details` is taken out of bytes that pass as well: what
    /// it tells is another vendor's thinking.
    pub lacks: Vec<String>,
}

impl Quirks {
    /// Whether the vendor does not know a member or a type of part.
    #[must_use]
    pub fn lacks(&self, name: &str) -> bool {
        self.lacks.iter().any(|one| one == name)
    }
}

/// How a vendor of the `OpenAI` API is asked to think.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReasoningMember {
    /// `reasoning_effort`.
    #[default]
    Effort,
    /// `reasoning` with `effort` or `max_tokens` (`OpenRouter`).
    Object,
    /// `reasoning_effort`, and `thinking` with `type` `enabled` or `disabled` (`DeepSeek`).
    EffortAndThinking,
    /// `reasoning_effort`, and `reasoning` with `enabled` (Together).
    EffortAndEnabled,
}

/// Where a vendor of the `OpenAI` API wants the model's earlier thinking.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReasoningHistory {
    /// Nowhere: it is left out.
    #[default]
    None,
    /// `reasoning_content` of the message.
    ReasoningContent,
    /// `reasoning` of the message.
    Reasoning,
    /// `reasoning_details` of the message, signatures included.
    ReasoningDetails,
    /// Parts of the type `thinking` in the content.
    Parts,
}

/// The forms of JSON that a vendor can hold an answer to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JsonModes {
    /// Any object, or a schema.
    #[default]
    Both,
    /// Any object only.
    Object,
    /// A schema only.
    Schema,
}

/// How a vendor of the `OpenAI` API takes documents.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DocumentPart {
    /// Parts of the type `file`.
    #[default]
    File,
    /// Parts of the type `document_url`.
    DocumentUrl,
    /// Not at all; plain text is sent as text.
    None,
}
