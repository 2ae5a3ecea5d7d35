//! Objects of the wire that stand in requests, answers and streams alike.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::translate::form::{Origin, Signature, Text};

/// A call of a tool, whole or a piece of one.
/// <https://platform.openai.com/docs/api-reference/chat/object>
#[derive(Deserialize)]
pub(super) struct Call<'a> {
    /// Which of the calls a piece is of; not every vendor says.
    pub index: Option<u64>,
    #[serde(borrow)]
    pub id: Option<Text<'a>>,
    pub function: Option<Function<'a>>,
    pub custom: Option<Custom<'a>>,
    pub extra_content: Option<ExtraContent<'a>>,
}

/// What is called. The arguments are JSON text, or (some vendors and clients) the object itself.
#[derive(Deserialize)]
pub(super) struct Function<'a> {
    #[serde(borrow)]
    pub name: Option<Text<'a>>,
    pub arguments: Option<&'a RawValue>,
}

/// A call of a tool that takes free text.
#[derive(Deserialize)]
pub(super) struct Custom<'a> {
    #[serde(borrow)]
    pub name: Option<Text<'a>>,
    pub input: Option<Text<'a>>,
}

/// <https://ai.google.dev/gemini-api/docs/thought-signatures> (the `OpenAI` API of Gemini)
#[derive(Deserialize)]
pub(super) struct ExtraContent<'a> {
    #[serde(borrow)]
    google: Option<Google<'a>>,
}

#[derive(Deserialize)]
struct Google<'a> {
    #[serde(borrow)]
    thought_signature: Option<Text<'a>>,
}

impl<'a> ExtraContent<'a> {
    /// Gemini's signature, if there is one.
    pub(super) fn signature(self) -> Option<Signature<'a>> {
        let value = self.google?.thought_signature?;
        Some(Signature { origin: Origin::Google, value })
    }
}

/// A list that may be `null`.
pub(super) fn or_empty<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Deserialize<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// A string, or the JSON text of anything else; none for an empty string.
pub(super) fn text_of(raw: &RawValue) -> Option<Text<'_>> {
    let text = if raw.get().starts_with('"') {
        serde_json::from_str(raw.get()).ok()?
    } else {
        Text::from(raw.get())
    };
    (!text.is_empty()).then_some(text)
}

/// A call's arguments: what is none at all is `{}`.
pub(super) fn arguments(raw: Option<&RawValue>) -> Text<'_> {
    raw.and_then(text_of).filter(|text| !text.trim().is_empty()).unwrap_or_else(|| Text::from("{}"))
}
