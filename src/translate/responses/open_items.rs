//! The items of a streamed response, as far as they have come.

use std::borrow::Cow;

use super::output_items::{Annotation, ContentOut, ItemOut, Logprobs, Summary};

/// One item of `output`.
pub struct Record {
    /// Its id.
    pub id: String,
    /// `in_progress` while it is open.
    pub status: &'static str,
    /// What it is.
    pub body: Body,
}

/// What an item is.
pub enum Body {
    /// What the model said.
    Message(Vec<Said>),
    /// The model's thinking.
    Reasoning {
        /// The words.
        text: String,
        /// What proves them.
        proof: Option<String>,
    },
    /// A picture that the model made, in base64.
    Picture(String),
    /// The model calls a tool.
    Call {
        /// Ties it to its result.
        call_id: String,
        /// The tool.
        name: String,
        /// JSON text, or free text for a custom tool.
        arguments: String,
        /// Free text it is.
        custom: bool,
    },
}

/// A part of a message.
pub struct Said {
    /// The model declined.
    pub refusal: bool,
    /// Characters of text in the parts before it: sources count in the whole text.
    pub start: u64,
    /// The words.
    pub text: String,
    /// Their sources.
    pub annotations: Vec<Annotation<'static>>,
}

impl Record {
    /// The item as events and the response show it.
    pub fn view(&self) -> ItemOut<'_> {
        let (id, status) = (Cow::Borrowed(&*self.id), self.status);
        match &self.body {
            Body::Message(parts) => ItemOut::Message {
                id,
                status,
                role: "assistant",
                content: parts.iter().map(Said::view).collect(),
            },
            Body::Reasoning { text, proof } => ItemOut::Reasoning {
                id,
                summary: Some(&**text)
                    .filter(|text| !text.is_empty())
                    .map(Summary::new)
                    .into_iter()
                    .collect(),
                encrypted_content: proof.as_deref().map(Cow::Borrowed),
            },
            Body::Picture(result) => {
                // The item begins without it.
                let result = Some(&**result).filter(|_| status != "in_progress");
                ItemOut::ImageGenerationCall { id, status, result }
            }
            Body::Call { call_id, name, arguments, custom: false } => {
                ItemOut::FunctionCall { id, status, arguments, call_id, name }
            }
            Body::Call { call_id, name, arguments, custom: true } => {
                ItemOut::CustomToolCall { id, status, call_id, input: arguments, name }
            }
        }
    }

    /// Whether it is the model's thinking.
    pub const fn is_reasoning(&self) -> bool {
        matches!(self.body, Body::Reasoning { .. })
    }

    /// Whether it is a call whose arguments are whole: no more of them can come.
    pub fn is_whole_call(&self) -> bool {
        match &self.body {
            Body::Call { arguments, custom: false, .. } => {
                arguments.ends_with('}')
                    && serde_json::from_str::<serde::de::IgnoredAny>(arguments).is_ok()
            }
            _ => false,
        }
    }
}

impl Said {
    /// A part without words yet.
    pub const fn new(refusal: bool, start: u64) -> Self {
        Self { refusal, start, text: String::new(), annotations: Vec::new() }
    }

    /// The part as events and items show it.
    pub fn view(&self) -> ContentOut<'_> {
        let text = Cow::Borrowed(&*self.text);
        if self.refusal {
            return ContentOut::Refusal { refusal: text };
        }
        let annotations = Cow::Borrowed(&*self.annotations);
        ContentOut::OutputText { annotations, logprobs: Logprobs(None), text }
    }
}
