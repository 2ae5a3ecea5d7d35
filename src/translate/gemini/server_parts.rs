//! What Google's own tools did beside functions of the client: calls that its servers made, and what came of
//! them. "Return all parts to the API, including the `toolCall` and `toolResponse` parts"
//! (<https://ai.google.dev/gemini-api/docs/tool-combination>), each with its id, type and signature.
//!
//! No client's dialect has such parts. They travel as thinking that is not for reading: whole, as a value
//! that no signature has, for those are base64.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{request_body, response_body};

/// What such a value begins with.
pub const MARK: &str = "part:";

/// A part as it is carried.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Carried<'a> {
    #[serde(borrow, default)]
    tool_call: Option<&'a RawValue>,
    #[serde(borrow, default)]
    tool_response: Option<&'a RawValue>,
    #[serde(default)]
    thought_signature: Option<&'a str>,
}

/// The part as a value that a client can carry; none where it is not of Google's tools.
pub(super) fn carry(part: &response_body::Part<'_>) -> Option<String> {
    let members = [("toolCall", part.tool_call), ("toolResponse", part.tool_response)];
    if members.iter().all(|(_, raw)| raw.is_none()) {
        return None;
    }
    let signature = part.thought_signature.as_deref().filter(|value| !value.is_empty());
    let signature = signature.and_then(|value| serde_json::to_string(value).ok());
    let members = members.into_iter().filter_map(|(name, raw)| Some((name, raw?.get())));
    let mut value = MARK.to_owned();
    let mut before = '{';
    for (name, json) in members.chain(signature.as_deref().map(|json| ("thoughtSignature", json))) {
        value.push(before);
        value.push('"');
        value.push_str(name);
        value.push_str("\":");
        value.push_str(&response_body::compact(json));
        before = ',';
    }
    value.push('}');
    Some(value)
}

/// Whether a value is a part, and no signature.
pub fn is_part(value: &str) -> bool {
    value.starts_with(MARK)
}

/// The part that a value is; none where it has been changed on its way.
pub(super) fn uncarry(value: &str) -> Option<request_body::Part<'_>> {
    let part: Carried<'_> = serde_json::from_str(value.strip_prefix(MARK)?).ok()?;
    let is_told = part.tool_call.is_some() || part.tool_response.is_some();
    is_told.then(|| request_body::Part {
        tool_call: part.tool_call,
        tool_response: part.tool_response,
        thought_signature: part.thought_signature,
        ..request_body::Part::default()
    })
}
