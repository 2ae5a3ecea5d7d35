//! Results of tools: `functionResponse`.
//!
//! The response is an object. A JSON object goes as it is, anything else as `{"result": …}`, an error as
//! `{"error": …}` (<https://ai.google.dev/gemini-api/docs/function-calling>). Gemini 3 takes pictures
//! and documents inside of it; others get them right after the results.

use std::{borrow::Cow, collections::HashMap};

use serde_json::value::RawValue;

use super::{
    media,
    request_body::{FunctionResponse, Json, JsonText, Part},
};
use crate::translate::{
    Platform,
    form::{PartKind, PartPath, Refusal, ToolResult},
};

/// The calls met so far, by id. Only ever asked for one id: its order shows nowhere.
#[derive(Default)]
pub(super) struct Calls<'r> {
    by_id: HashMap<&'r str, (usize, &'r str)>,
    met: usize,
}

impl<'r> Calls<'r> {
    /// Remembers a call; a client that uses an id again means the later one.
    pub(super) fn add(&mut self, id: &'r str, name: &'r str) {
        self.by_id.insert(id, (self.met, name));
        self.met += 1;
    }

    /// Where the call stood among the calls. Without ids Gemini goes by the order.
    pub(super) fn number(&self, id: &str) -> usize {
        self.by_id.get(id).map_or(usize::MAX, |(number, _)| *number)
    }

    fn name(&self, id: &str) -> Option<&'r str> {
        self.by_id.get(id).map(|(_, name)| *name)
    }
}

/// How a target takes results.
#[derive(Clone, Copy)]
pub(super) struct Style {
    /// Where it runs.
    pub(super) platform: Platform,
    /// Gemini 3: ids, and media inside of results.
    pub(super) is_3: bool,
    /// The model takes words behind the results of a turn for the begun answer that it refuses:
    /// <https://github.com/deepnoodle-ai/dive/pull/287>, <https://github.com/google/oss-rebuild/pull/1559>,
    /// <https://github.com/agentgateway/agentgateway/issues/2811>.
    pub(super) results_last: bool,
}

impl Style {
    /// Whether the model calls the client's functions beside Google's own tools, and tells of those.
    pub(super) fn combines_tools(self) -> bool {
        self.is_3 && self.platform != Platform::Vertex
    }

    /// Whether calls and results carry ids. Version 1 of Vertex AI's API has none, and refuses unknown
    /// members: <https://cloud.google.com/vertex-ai/docs/reference/rest/v1/Content#functioncall>.
    pub(super) fn has_ids(self) -> bool {
        self.is_3 && self.platform != Platform::Vertex
    }
}

/// One result, and what of it stands beside it.
pub(super) fn write<'a>(
    result: &'a ToolResult<'_>,
    path: PartPath,
    calls: &Calls<'a>,
    style: Style,
) -> Result<(Part<'a>, Vec<Part<'a>>), Refusal> {
    let name = result.name.as_deref().or_else(|| calls.name(&result.call_id)).ok_or_else(|| {
        let message = format!("`{path}` answers no call that stands before it");
        Refusal::invalid(format!("{path}.tool_call_id"), message)
    })?;
    let mut texts = Vec::new();
    let mut media = Vec::new();
    for part in &result.parts {
        match &part.kind {
            PartKind::Text(text) | PartKind::Refusal(text) => texts.push(&**text),
            PartKind::Image(one) | PartKind::Audio(one) | PartKind::Document(one) => {
                media.push(media::bytes(one, style.platform, path)?);
            }
            _ => {
                let message = format!("`{path}`: Gemini takes text and media as a tool's result");
                return Err(Refusal::unsupported(path.to_string(), message));
            }
        }
    }
    let text = match texts.as_slice() {
        [one] => Cow::Borrowed(*one),
        many => Cow::Owned(many.join("\n")),
    };
    let (parts, beside) = if style.is_3 { (media, Vec::new()) } else { (Vec::new(), media) };
    let id = style.has_ids().then_some(&*result.call_id);
    let response = response(text, result.error);
    let response = FunctionResponse { id, name, response, parts };
    Ok((Part { function_response: Some(response), ..Part::default() }, beside))
}

fn response(text: Cow<'_, str>, error: bool) -> Json<'_> {
    let json = match &text {
        Cow::Borrowed(text) => structure(text),
        // Several pieces are no JSON together.
        Cow::Owned(_) => None,
    };
    match (json, error) {
        (Some(raw), false) if raw.get().starts_with('{') => Json::Raw(raw),
        (Some(raw), false) => Json::Result { result: JsonText::Raw(raw) },
        (Some(raw), true) => Json::Error { error: JsonText::Raw(raw) },
        (None, false) => Json::Result { result: JsonText::Text(text) },
        (None, true) => Json::Error { error: JsonText::Text(text) },
    }
}

/// The text as a JSON object or list, if it is one.
pub(super) fn structure(text: &str) -> Option<&RawValue> {
    let text = text.trim();
    text.starts_with(['{', '[']).then(|| serde_json::from_str(text).ok()).flatten()
}
