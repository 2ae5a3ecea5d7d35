//! Items of `output` as clients get them.
//! <https://github.com/openai/openai-python/blob/main/src/openai/types/responses/response_output_item.py>

use std::borrow::Cow;

use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use super::super::form::Citation;

/// An item of `output`.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ItemOut<'r> {
    /// What the model said.
    Message {
        /// `msg_…`.
        id: Cow<'r, str>,
        /// How far it is.
        status: &'static str,
        /// `assistant`.
        role: &'static str,
        /// What was said.
        content: Vec<ContentOut<'r>>,
    },
    /// The model's thinking.
    Reasoning {
        /// The vendor's `rs_…`, or one that tells that the gateway made it.
        id: Cow<'r, str>,
        /// The words.
        summary: Vec<Summary<'r>>,
        /// What proves them.
        #[serde(skip_serializing_if = "Option::is_none")]
        encrypted_content: Option<Cow<'r, str>>,
    },
    /// The model calls a function.
    FunctionCall {
        /// `fc_…`.
        id: Cow<'r, str>,
        /// How far it is.
        status: &'static str,
        /// JSON text.
        arguments: &'r str,
        /// Ties it to its result.
        call_id: &'r str,
        /// The function.
        name: &'r str,
    },
    /// The model calls a custom tool.
    CustomToolCall {
        /// `ctc_…`.
        id: Cow<'r, str>,
        /// How far it is.
        status: &'static str,
        /// Ties it to its result.
        call_id: &'r str,
        /// Free text.
        input: &'r str,
        /// The tool.
        name: &'r str,
    },
    /// A picture that the model made.
    ImageGenerationCall {
        /// `ig_…`.
        id: Cow<'r, str>,
        /// How far it is.
        status: &'static str,
        /// In base64; none while it is being made.
        result: Option<&'r str>,
    },
}

/// A part of a message.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ContentOut<'r> {
    /// Words.
    OutputText {
        /// Their sources.
        annotations: Cow<'r, [Annotation<'r>]>,
        /// How likely they were.
        logprobs: Logprobs<'r>,
        /// The words.
        text: Cow<'r, str>,
    },
    /// The model declined.
    Refusal {
        /// Its words.
        refusal: Cow<'r, str>,
    },
}

/// The words of a reasoning item.
#[derive(Serialize)]
pub struct Summary<'r> {
    #[serde(rename = "type")]
    kind: &'static str,
    text: &'r str,
}

impl<'r> Summary<'r> {
    /// These words.
    pub const fn new(text: &'r str) -> Self {
        Self { kind: "summary_text", text }
    }
}

/// Log probabilities as the vendor wrote them; an empty list where there are none.
#[derive(Clone, Copy, Default)]
pub struct Logprobs<'r>(pub Option<&'r RawValue>);

impl Serialize for Logprobs<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Some(raw) => raw.serialize(serializer),
            None => [(); 0].serialize(serializer),
        }
    }
}

/// A source of words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Annotation<'r> {
    /// A page.
    UrlCitation {
        /// First character of the words that rest on it.
        start_index: u64,
        /// The one behind the last.
        end_index: u64,
        /// Address.
        url: Cow<'r, str>,
        /// Title.
        title: Cow<'r, str>,
    },
    /// A document of the request.
    FileCitation {
        /// Which.
        file_id: Cow<'r, str>,
        /// Its title.
        filename: Cow<'r, str>,
        /// Where in the text it is cited.
        index: u64,
    },
}

impl<'r> Annotation<'r> {
    /// A source of a text of `length` characters that begins behind `offset` characters of others.
    /// None where it has no place of its own.
    pub fn of(citation: &'r Citation<'_>, offset: u64, length: u64) -> Option<Self> {
        let within = |at: u64| at.saturating_sub(offset).min(length);
        let (start, end) = citation.span.unwrap_or((offset, offset.saturating_add(length)));
        let (start_index, end_index) = (within(start), within(end));
        let title = citation.title.as_deref();
        match (&citation.url, citation.document) {
            (Some(url), _) => Some(Self::UrlCitation {
                start_index,
                end_index,
                url: Cow::Borrowed(url),
                title: Cow::Borrowed(title.unwrap_or(url)),
            }),
            (None, Some(document)) => {
                let file_id: Cow<'_, str> = format!("document_{document}").into();
                let filename = title.map_or_else(|| file_id.clone(), Cow::Borrowed);
                Some(Self::FileCitation { file_id, filename, index: end_index })
            }
            (None, None) => None,
        }
    }

    /// The same, independent of what it was read from.
    pub fn into_owned(self) -> Annotation<'static> {
        let own = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
        match self {
            Self::UrlCitation { start_index, end_index, url, title } => {
                let (url, title) = (own(url), own(title));
                Annotation::UrlCitation { start_index, end_index, url, title }
            }
            Self::FileCitation { file_id, filename, index } => {
                Annotation::FileCitation { file_id: own(file_id), filename: own(filename), index }
            }
        }
    }
}
