//! A request for an answer, in the words of no vendor.

use serde_json::value::RawValue;

use super::{Signature, Text};
use crate::{domain::Effort, translate::ClientApi};

/// What a client asks for.
#[derive(Clone, Debug, Default)]
pub struct Request<'a> {
    /// What the client speaks, and so whose members `rest` has; none where that does not matter.
    pub client: Option<ClientApi>,
    /// Whether the answer is to come as a stream.
    pub stream: bool,
    /// The conversation in its order, system and developer messages where they stood.
    pub turns: Vec<Turn<'a>>,
    /// What the model may call.
    pub tools: Vec<Tool<'a>>,
    /// Whether it must; none where the client did not say.
    pub tool_choice: Option<ToolChoice<'a>>,
    /// Whether several calls may come at once; none where the client did not say.
    pub parallel_tool_calls: Option<bool>,
    /// The most tokens of the answer, thinking included.
    pub max_tokens: Option<u64>,
    /// Whether that is all that may be used: writers leave thinking out rather than raise it.
    pub limit_is_firm: bool,
    /// How the next token is drawn.
    pub sampling: Sampling<'a>,
    /// Texts at which the answer ends.
    pub stop: Vec<Text<'a>>,
    /// Whether and how long to think; none where the client did not say.
    pub reasoning: Option<Reasoning>,
    /// The answer's form; none is text.
    pub format: Option<Format<'a>>,
    /// Pictures, where some are asked for.
    pub pictures: Option<Pictures<'a>>,
    /// How wordy the answer is to be: `low`, `medium`, `high`.
    pub verbosity: Option<Text<'a>>,
    /// The client's name for its user. A hint: dropped where a vendor has no place for it.
    pub user: Option<Text<'a>>,
    /// `service_tier` as the client wrote it.
    pub service_tier: Option<Text<'a>>,
    /// `prompt_cache_key`. A hint.
    pub prompt_cache_key: Option<Text<'a>>,
    /// The client's betas (`anthropic-beta`), which are no member of the body: for Claude on Bedrock, where
    /// they are. Elsewhere a header tells them.
    pub betas: Vec<&'a str>,
    /// Members that the reader does not know, in their order: the vendor may. Writers of the same
    /// family of dialects pass them on; others leave them out.
    pub rest: Vec<(Text<'a>, &'a RawValue)>,
}

/// Whose turn it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The operator's instructions.
    System,
    /// The same, where a dialect tells them apart.
    Developer,
    /// The user, and the results of tools.
    User,
    /// The model.
    Assistant,
}

/// What one side said before the other did. Two turns of one role may follow each other.
#[derive(Clone, Debug)]
pub struct Turn<'a> {
    /// Whose it is.
    pub role: Role,
    /// The speaker's name, where the dialect has one.
    pub name: Option<Text<'a>>,
    /// What was said.
    pub parts: Vec<Part<'a>>,
}

/// One piece of a turn.
#[derive(Clone, Debug)]
pub struct Part<'a> {
    /// What it is.
    pub kind: PartKind<'a>,
    /// The prompt up to and with this part is to be cached.
    pub cache: Option<CacheMark>,
    /// Where the client wrote it, for refusals: `messages[2].content[0]`.
    pub path: PartPath,
}

/// Where a part stands in the client's body: cheap to keep, written out only for a refusal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PartPath {
    /// `messages` or `input`; empty where the part has no place of its own.
    pub list: &'static str,
    /// Index in it.
    pub item: usize,
    /// Index in its `content`, where that is a list.
    pub part: Option<usize>,
}

impl std::fmt::Display for PartPath {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}[{}]", self.list, self.item)?;
        match self.part {
            Some(part) => write!(f, ".content[{part}]"),
            None => Ok(()),
        }
    }
}

/// What a piece of a turn is.
#[derive(Clone, Debug)]
pub enum PartKind<'a> {
    /// Words.
    Text(Text<'a>),
    /// A picture.
    Image(Media<'a>),
    /// Sound.
    Audio(Media<'a>),
    /// A PDF, a text file, a spreadsheet …
    Document(Media<'a>),
    /// The model's thinking.
    Thinking(Thinking<'a>),
    /// The model calls a tool.
    ToolCall(ToolCall<'a>),
    /// What came of a call. Stands in a user's turn.
    ToolResult(ToolResult<'a>),
    /// The model declined, in its own words.
    Refusal(Text<'a>),
    /// Something that only the dialect it was read in knows, such as a call of the vendor's own tool.
    /// `name` is its `type`; writers of other dialects refuse it by that name.
    Other {
        /// Its `type`.
        name: Text<'a>,
        /// All of it.
        raw: &'a RawValue,
    },
}

/// How long a vendor is to keep a prompt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CacheMark {
    /// `ephemeral`: the usual time, five minutes.
    Short,
    /// `ephemeral` with `ttl` `1h`.
    Hour,
}

/// A picture, sound or document.
#[derive(Clone, Debug)]
pub struct Media<'a> {
    /// Where it is.
    pub source: Source<'a>,
    /// `image/png` and such; none where the client did not say and nobody has looked.
    pub mime: Option<Text<'a>>,
    /// A file's name or a document's title.
    pub name: Option<Text<'a>>,
    /// `OpenAI`'s `detail`. A hint.
    pub detail: Option<Text<'a>>,
    /// Anthropic's `context` of a document.
    pub context: Option<Text<'a>>,
    /// Whether citations into this document are asked for.
    pub citations: bool,
}

/// Where a medium's bytes are.
#[derive(Clone, Debug)]
pub enum Source<'a> {
    /// Here, in base64 (RFC 4648, padded).
    Base64(Text<'a>),
    /// Here, as plain text (Anthropic's `text` documents).
    Text(Text<'a>),
    /// There. Vendors that take no URL get it inlined by the gateway.
    Url(Text<'a>),
    /// At the vendor, under this id: only that vendor knows it.
    File(Text<'a>),
}

impl<'a> Media<'a> {
    /// A medium of which nothing but its place is known.
    #[must_use]
    pub const fn at(source: Source<'a>) -> Self {
        Self { source, mime: None, name: None, detail: None, context: None, citations: false }
    }

    /// Reads a URL as clients write one: `data:<mime>;base64,<data>` is the bytes themselves.
    #[must_use]
    pub fn of_url(url: Text<'a>) -> Self {
        let Some(head) = url.get(..5).filter(|head| head.eq_ignore_ascii_case("data:")) else {
            return Self::at(Source::Url(url));
        };
        let start = head.len();
        let Some(comma) = url.find(',') else { return Self::at(Source::Url(url)) };
        let spec = url.get(start..comma).unwrap_or_default();
        let Some(mime) = spec.strip_suffix(";base64") else { return Self::at(Source::Url(url)) };
        // Parameters such as `;charset=utf-8` are no part of the type that vendors know.
        let mime = mime.split(';').next().unwrap_or_default().to_owned();
        let data = match url.0 {
            std::borrow::Cow::Borrowed(all) => all.get(comma + 1..).unwrap_or_default().into(),
            std::borrow::Cow::Owned(mut all) => all.split_off(comma + 1).into(),
        };
        let mime = (!mime.is_empty()).then(|| Text::from(mime));
        Self { mime, ..Self::at(Source::Base64(data)) }
    }
}

/// The model's thinking, which must go back to it unchanged in a tool loop.
#[derive(Clone, Debug)]
pub struct Thinking<'a> {
    /// The words; empty where the vendor hid them.
    pub text: Text<'a>,
    /// What proves it; a vendor drops thinking that it did not sign.
    pub signature: Option<Signature<'a>>,
    /// Not for reading: the signature's value is all there is (Anthropic's `redacted_thinking`).
    pub redacted: bool,
    /// The vendor's id of the item (Responses).
    pub id: Option<Text<'a>>,
}

/// A call of a tool.
#[derive(Clone, Debug)]
pub struct ToolCall<'a> {
    /// Ties it to its result.
    pub id: Text<'a>,
    /// The tool.
    pub name: Text<'a>,
    /// JSON text. Never empty: `{}` where there are none.
    pub arguments: Text<'a>,
    /// What proves the thinking behind it (Gemini), if it stands on the call itself.
    pub signature: Option<Signature<'a>>,
    /// The arguments are free text for a custom tool, not JSON.
    pub custom: bool,
}

/// The result of a call.
#[derive(Clone, Debug)]
pub struct ToolResult<'a> {
    /// The call's id.
    pub call_id: Text<'a>,
    /// The tool's name, where the dialect says it; else found by [`Request::tool_name`].
    pub name: Option<Text<'a>>,
    /// Texts, pictures, documents.
    pub parts: Vec<Part<'a>>,
    /// The tool failed.
    pub error: bool,
    /// The call was of a custom tool.
    pub custom: bool,
}

/// What a model may call.
#[derive(Clone, Debug)]
pub struct Tool<'a> {
    /// What it is.
    pub kind: ToolKind<'a>,
    /// The prompt up to and with this tool is to be cached.
    pub cache: Option<CacheMark>,
}

/// What a tool is.
#[derive(Clone, Debug)]
pub enum ToolKind<'a> {
    /// The client's, with a JSON Schema of its arguments.
    Function {
        /// Its name.
        name: Text<'a>,
        /// What it does.
        description: Option<Text<'a>>,
        /// JSON Schema; none where it takes no arguments.
        parameters: Option<&'a RawValue>,
        /// The arguments must match the schema.
        strict: Option<bool>,
    },
    /// The client's, with free text for its argument.
    Custom {
        /// Its name.
        name: Text<'a>,
        /// What it does.
        description: Option<Text<'a>>,
        /// What the text must be; none where it may be any.
        grammar: Option<Grammar<'a>>,
    },
    /// Search of the web by the vendor itself.
    WebSearch {
        /// The most searches.
        max_uses: Option<u64>,
        /// `low`, `medium`, `high`.
        context_size: Option<Text<'a>>,
        /// Where the user is, as the client wrote it (`OpenAI`'s and Anthropic's members are the same).
        user_location: Option<&'a RawValue>,
        /// Only these hosts.
        allowed_domains: Vec<Text<'a>>,
        /// Not these hosts.
        blocked_domains: Vec<Text<'a>>,
    },
    /// A tool that only the dialect it was read in knows.
    Other {
        /// Its `type`.
        name: Text<'a>,
        /// All of it.
        raw: &'a RawValue,
    },
}

/// What a custom tool's text must be.
#[derive(Clone, Debug)]
pub struct Grammar<'a> {
    /// `lark` or `regex`.
    pub syntax: Text<'a>,
    /// The grammar.
    pub definition: Text<'a>,
}

/// Pictures that are asked for.
#[derive(Clone, Debug)]
pub struct Pictures<'a> {
    /// No words are wanted beside them.
    pub alone: bool,
    /// What asks for them, as the client wrote it: `modalities`, `tools[1]`.
    pub param: Text<'a>,
}

/// Whether a tool must be called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ToolChoice<'a> {
    /// As the model likes.
    Auto,
    /// None of them.
    None,
    /// One or more of them.
    Required,
    /// This one.
    Named(Text<'a>),
    /// One of these (`OpenAI`'s `allowed_tools`); `required` or as the model likes.
    Allowed {
        /// Their names.
        names: Vec<Text<'a>>,
        /// One must be called.
        required: bool,
    },
}

/// How tokens are drawn. Numbers are as the client wrote them.
#[derive(Clone, Debug, Default)]
pub struct Sampling<'a> {
    /// 0 to 2 for `OpenAI`, to 1 for Anthropic: writers clamp.
    pub temperature: Option<f64>,
    /// 0 to 1.
    pub top_p: Option<f64>,
    /// How many of the likeliest.
    pub top_k: Option<u64>,
    /// −2 to 2; 0 is the same as nothing.
    pub frequency_penalty: Option<f64>,
    /// −2 to 2; 0 is the same as nothing.
    pub presence_penalty: Option<f64>,
    /// A hint.
    pub seed: Option<i64>,
    /// How many answers; 1 is the same as nothing.
    pub n: Option<u64>,
    /// Whether log probabilities are wanted.
    pub logprobs: bool,
    /// How many of them.
    pub top_logprobs: Option<u64>,
    /// Token biases as the client wrote them; none where there are none.
    pub logit_bias: Option<&'a RawValue>,
}

/// Whether and how long to think.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reasoning {
    /// How hard; with neither this nor a budget the model decides (Anthropic's `adaptive`).
    pub effort: Option<Effort>,
    /// The most tokens; wins over the effort.
    pub max_tokens: Option<u64>,
    /// Whether the thinking is to be shown, where the client said so.
    pub visible: Option<bool>,
}

impl Reasoning {
    /// Thinking is switched off.
    #[must_use]
    pub fn is_off(&self) -> bool {
        self.max_tokens.is_none_or(|tokens| tokens == 0) && self.effort == Some(Effort::None)
            || self.max_tokens == Some(0)
    }
}

/// The form of the answer.
#[derive(Clone, Debug)]
pub enum Format<'a> {
    /// Any JSON object.
    JsonObject,
    /// JSON of this schema.
    JsonSchema(JsonSchema<'a>),
}

/// The schema of an answer.
#[derive(Clone, Debug)]
pub struct JsonSchema<'a> {
    /// Its name; none where the dialect has none (Anthropic).
    pub name: Option<Text<'a>>,
    /// What it is.
    pub description: Option<Text<'a>>,
    /// JSON Schema.
    pub schema: &'a RawValue,
    /// The answer must match.
    pub strict: Option<bool>,
}

impl<'a> Part<'a> {
    /// A part without a mark.
    #[must_use]
    pub const fn new(kind: PartKind<'a>, path: PartPath) -> Self {
        Self { kind, cache: None, path }
    }
}

impl ToolResult<'_> {
    /// Whether the tool failed and its words do not begin by saying so: where an API has no mark for it,
    /// somebody has to.
    #[must_use]
    pub fn hides_failure(&self) -> bool {
        let told = self.parts.iter().find_map(|part| match &part.kind {
            PartKind::Text(text) => text.get(..5),
            _ => None,
        });
        self.error && !told.is_some_and(|start| start.eq_ignore_ascii_case("error"))
    }
}

impl Request<'_> {
    /// The name of the tool that the call `id` was of; a result needs it in dialects whose results have
    /// no ids.
    #[must_use]
    pub fn tool_name(&self, id: &str) -> Option<&str> {
        self.turns.iter().flat_map(|turn| &turn.parts).find_map(|part| match &part.kind {
            PartKind::ToolCall(call) if call.id == *id => Some(&*call.name),
            _ => None,
        })
    }

    /// Whether the history has calls or results of tools.
    #[must_use]
    pub fn has_tool_history(&self) -> bool {
        let mut parts = self.turns.iter().flat_map(|turn| &turn.parts);
        parts.any(|part| matches!(part.kind, PartKind::ToolCall(_) | PartKind::ToolResult(_)))
    }
}
