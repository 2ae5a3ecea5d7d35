//! Events of a vendor's stream, as far as they are read.
//! <https://platform.openai.com/docs/api-reference/responses-streaming>

use serde::Deserialize;
use serde_json::value::RawValue;

use super::super::form::Text;

/// An event: one type for all, as each has few members.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct EventIn<'a> {
    /// Its `type`.
    #[serde(borrow, rename = "type")]
    pub kind: Option<Text<'a>>,
    /// Index of the item.
    pub output_index: Option<u64>,
    /// Index of the part in a message.
    pub content_index: Option<u64>,
    /// Index of the part in thinking.
    pub summary_index: Option<u64>,
    /// More words, or more of a call's arguments.
    #[serde(borrow)]
    pub delta: Option<Text<'a>>,
    /// A whole text.
    #[serde(borrow)]
    pub text: Option<Text<'a>>,
    /// A whole refusal.
    #[serde(borrow)]
    pub refusal: Option<Text<'a>>,
    /// A call's whole arguments.
    #[serde(borrow)]
    pub arguments: Option<Text<'a>>,
    /// A custom tool's whole input.
    #[serde(borrow)]
    pub input: Option<Text<'a>>,
    /// The item that begins or ends.
    #[serde(borrow)]
    pub item: Option<&'a RawValue>,
    /// A source.
    #[serde(borrow)]
    pub annotation: Option<&'a RawValue>,
    /// The whole response.
    #[serde(borrow)]
    pub response: Option<&'a RawValue>,
    /// An error, nested.
    #[serde(borrow)]
    pub error: Option<&'a RawValue>,
    /// An error's code, flat.
    #[serde(borrow)]
    pub code: Option<Text<'a>>,
    /// An error's message, flat.
    #[serde(borrow)]
    pub message: Option<Text<'a>>,
}
