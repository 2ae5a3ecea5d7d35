//! The arguments of a call as the object that `tool_use.input` must be.

use std::borrow::Cow;

use serde_json::value::RawValue;

use crate::translate::form::ToolCall;

/// The arguments as they were written where they are an object, free text as its `input` member, and
/// `{}` where they cannot be read (a model was cut in the middle of them).
///
/// Free text is met in answers alone: a vendor may call so what it was told as a function. In requests it
/// is an object by then ([`fit`](crate::translate::fit)).
pub(super) fn call_input<'a>(call: &'a ToolCall<'_>) -> Cow<'a, RawValue> {
    if call.custom {
        return owned(serde_json::json!({ "input": &*call.arguments }).to_string());
    }
    match serde_json::from_str::<&RawValue>(&call.arguments) {
        Ok(raw) if raw.get().starts_with('{') => Cow::Borrowed(raw),
        _ => owned("{}".to_owned()),
    }
}

fn owned<'a>(json: String) -> Cow<'a, RawValue> {
    // Both callers give JSON.
    RawValue::from_string(json).map_or(Cow::Borrowed(RawValue::NULL), Cow::Owned)
}
