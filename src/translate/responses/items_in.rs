//! A vendor's `response` object and the items of its `output`.
//! <https://github.com/openai/openai-python/blob/main/src/openai/types/responses/response.py>

use serde::Deserialize;
use serde_json::value::RawValue;

use super::super::form::{Citation, Origin, Signature, StopReason, Text, Thinking};

/// The object. Members that only some servers have are optional.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct ResponseIn<'a> {
    /// The vendor's id.
    #[serde(borrow)]
    pub id: Option<Text<'a>>,
    /// The model that the vendor names.
    #[serde(borrow)]
    pub model: Option<Text<'a>>,
    /// Unix seconds.
    pub created_at: Option<f64>,
    /// `completed`, `incomplete`, `failed` …
    #[serde(borrow)]
    pub status: Option<Text<'a>>,
    /// Why it failed.
    #[serde(borrow)]
    pub error: Option<&'a RawValue>,
    /// Why it is incomplete.
    #[serde(borrow)]
    pub incomplete_details: Option<Incomplete<'a>>,
    /// Its items.
    #[serde(borrow)]
    pub output: Option<Vec<&'a RawValue>>,
    /// What was used.
    #[serde(borrow)]
    pub usage: Option<&'a RawValue>,
    /// As the vendor says.
    #[serde(borrow)]
    pub service_tier: Option<Text<'a>>,
}

/// `incomplete_details`.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Incomplete<'a> {
    #[serde(borrow)]
    reason: Option<Text<'a>>,
}

/// An item: one type for all that are read.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct ItemIn<'a> {
    /// Its `type`.
    #[serde(borrow, rename = "type")]
    pub kind: Text<'a>,
    /// The vendor's id.
    #[serde(borrow)]
    pub id: Option<Text<'a>>,
    /// Ties a call to its result.
    #[serde(borrow)]
    pub call_id: Option<Text<'a>>,
    /// The tool.
    #[serde(borrow)]
    pub name: Option<Text<'a>>,
    /// JSON text.
    #[serde(borrow)]
    pub arguments: Option<Text<'a>>,
    /// A custom tool's text.
    #[serde(borrow)]
    pub input: Option<Text<'a>>,
    /// Parts of a message, or thinking in full.
    #[serde(borrow)]
    pub content: Option<Vec<ContentIn<'a>>>,
    /// Thinking in short.
    #[serde(borrow)]
    pub summary: Option<Vec<ContentIn<'a>>>,
    /// What proves thinking.
    #[serde(borrow)]
    pub encrypted_content: Option<Text<'a>>,
    /// A picture, base64.
    #[serde(borrow)]
    pub result: Option<Text<'a>>,
}

/// A part of a message or of thinking.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct ContentIn<'a> {
    /// Its `type`.
    #[serde(borrow, rename = "type")]
    pub kind: Option<Text<'a>>,
    /// Words.
    #[serde(borrow)]
    pub text: Option<Text<'a>>,
    /// Words of a refusal.
    #[serde(borrow)]
    pub refusal: Option<Text<'a>>,
    /// Sources.
    #[serde(borrow)]
    pub annotations: Option<Vec<&'a RawValue>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct AnnotationIn<'a> {
    #[serde(borrow, rename = "type")]
    kind: Option<Text<'a>>,
    #[serde(borrow)]
    url: Option<Text<'a>>,
    #[serde(borrow)]
    title: Option<Text<'a>>,
    start_index: Option<u64>,
    end_index: Option<u64>,
}

/// Reads `raw` as an item; none for what cannot be one that is known.
pub fn item(raw: &RawValue) -> Option<ItemIn<'_>> {
    serde_json::from_str(raw.get()).ok()
}

/// A page as a source, in a text that begins behind `offset` characters; none for other annotations.
pub fn citation(raw: &RawValue, offset: u64) -> Option<Citation<'_>> {
    let annotation: AnnotationIn<'_> = serde_json::from_str(raw.get()).ok()?;
    if annotation.kind.as_deref() != Some("url_citation") {
        return None;
    }
    let span = annotation.start_index.zip(annotation.end_index);
    Some(Citation {
        url: annotation.url,
        title: annotation.title,
        span: span.map(|(start, end)| (start.saturating_add(offset), end.saturating_add(offset))),
        ..Citation::default()
    })
}

impl<'a> ItemIn<'a> {
    /// The thinking in a reasoning item; none where there is nothing in it.
    pub fn thinking(self) -> Option<Thinking<'a>> {
        let full = joined(self.content.unwrap_or_default());
        // Open models show their thinking itself, the API's own a summary.
        let text = if full.is_empty() { joined(self.summary.unwrap_or_default()) } else { full };
        let proof = self.encrypted_content.filter(|text| !text.is_empty());
        let signature = proof.map(|text| Signature::new(Origin::OpenAi, text));
        if text.is_empty() && signature.is_none() {
            return None;
        }
        let redacted = text.is_empty();
        Some(Thinking { text, signature, redacted, id: self.id })
    }
}

fn joined(parts: Vec<ContentIn<'_>>) -> Text<'_> {
    let mut texts: Vec<Text<'_>> = parts.into_iter().filter_map(|part| part.text).collect();
    if texts.len() < 2 {
        return texts.pop().unwrap_or_default();
    }
    let texts: Vec<&str> = texts.iter().map(|text| &**text).collect();
    texts.join("\n\n").into()
}

impl ResponseIn<'_> {
    /// Why it ended.
    pub fn stop(&self, calls: bool) -> StopReason {
        if self.status.as_deref() == Some("incomplete") {
            let reason = self.incomplete_details.as_ref().and_then(|one| one.reason.as_deref());
            return match reason {
                Some("content_filter") => StopReason::ContentFilter,
                _ => StopReason::Length,
            };
        }
        if calls { StopReason::ToolCalls } else { StopReason::End }
    }
}
