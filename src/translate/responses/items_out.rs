//! Items of `input` as a vendor gets them.
//! <https://github.com/openai/openai-python/blob/main/src/openai/types/responses/response_input_param.py>

use std::{borrow::Cow, fmt};

use serde::{Serialize, Serializer};

/// One item.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ItemOut<'r> {
    /// What one side said.
    Message {
        /// Whose it is.
        role: &'static str,
        /// What was said.
        content: Content<'r>,
    },
    /// The vendor's own thinking, given back.
    Reasoning {
        /// The vendor's id of it. The API takes items without one where nothing is stored.
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<&'r str>,
        /// Needed even where it is empty.
        summary: Vec<PartOut<'r>>,
        /// What proves it.
        encrypted_content: &'r str,
    },
    /// The model calls a function.
    FunctionCall {
        /// Ties it to its result.
        call_id: Cow<'r, str>,
        /// The function.
        name: &'r str,
        /// JSON text.
        arguments: &'r str,
    },
    /// The model calls a custom tool.
    CustomToolCall {
        /// Ties it to its result.
        call_id: Cow<'r, str>,
        /// The tool.
        name: &'r str,
        /// Free text.
        input: &'r str,
    },
    /// What came of a function.
    FunctionCallOutput {
        /// The call's.
        call_id: Cow<'r, str>,
        /// What came of it.
        output: Content<'r>,
    },
    /// What came of a custom tool.
    CustomToolCallOutput {
        /// The call's.
        call_id: Cow<'r, str>,
        /// What came of it.
        output: Content<'r>,
    },
}

/// A text alone, which every vendor takes as a string, or parts.
#[derive(Serialize)]
#[serde(untagged)]
pub enum Content<'r> {
    /// One text.
    Text(Cow<'r, str>),
    /// Several parts, or one that is no text.
    Parts(Vec<PartOut<'r>>),
}

/// One part.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum PartOut<'r> {
    /// Words for the model.
    InputText {
        /// The words.
        text: &'r str,
    },
    /// Thinking in short.
    SummaryText {
        /// The words.
        text: &'r str,
    },
    /// A picture.
    InputImage {
        /// Where it is, or the picture itself.
        #[serde(skip_serializing_if = "Option::is_none")]
        image_url: Option<Place<'r>>,
        /// The vendor's id of it.
        #[serde(skip_serializing_if = "Option::is_none")]
        file_id: Option<&'r str>,
        /// How closely to look.
        detail: &'r str,
    },
    /// A document.
    InputFile {
        /// Its name.
        #[serde(skip_serializing_if = "Option::is_none")]
        filename: Option<&'r str>,
        /// The document itself.
        #[serde(skip_serializing_if = "Option::is_none")]
        file_data: Option<Place<'r>>,
        /// Where it is.
        #[serde(skip_serializing_if = "Option::is_none")]
        file_url: Option<&'r str>,
        /// The vendor's id of it.
        #[serde(skip_serializing_if = "Option::is_none")]
        file_id: Option<&'r str>,
    },
}

/// A URL, or the data URL of what is at hand: written without a copy of its own.
pub enum Place<'r> {
    /// As it is.
    Url(&'r str),
    /// `data:<mime>;base64,<data>`.
    Data {
        /// Its type.
        mime: &'r str,
        /// In base64.
        data: &'r str,
    },
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url(url) => f.write_str(url),
            Self::Data { mime, data } => write!(f, "data:{mime};base64,{data}"),
        }
    }
}

impl Serialize for Place<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
