//! What `generateContent` answers; in a stream each event is one of these
//! (<https://ai.google.dev/api/generate-content#v1beta.GenerateContentResponse>).

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::translate::{answer_tool::is_answer, form::Text};

/// An answer, or a piece of one.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Response<'a> {
    #[serde(borrow, default)]
    pub(super) candidates: Option<Vec<Candidate<'a>>>,
    #[serde(borrow, default)]
    pub(super) prompt_feedback: Option<PromptFeedback<'a>>,
    #[serde(borrow, default)]
    pub(super) usage_metadata: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) model_version: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(super) response_id: Option<Text<'a>>,
    /// RFC 3339; Vertex only.
    #[serde(borrow, default)]
    pub(super) create_time: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(super) error: Option<&'a RawValue>,
}

/// What became of the prompt.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PromptFeedback<'a> {
    #[serde(borrow, default)]
    pub(super) block_reason: Option<Text<'a>>,
}

/// One answer; only one is ever asked for.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Candidate<'a> {
    #[serde(borrow, default)]
    pub(super) content: Option<Content<'a>>,
    #[serde(borrow, default)]
    pub(super) finish_reason: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(super) grounding_metadata: Option<&'a RawValue>,
}

/// What the model said.
#[derive(Deserialize)]
pub(super) struct Content<'a> {
    #[serde(borrow, default)]
    pub(super) parts: Option<Vec<Part<'a>>>,
}

/// One piece of it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Part<'a> {
    #[serde(borrow, default)]
    pub(super) text: Option<Text<'a>>,
    /// The text is a summary of thinking.
    #[serde(default)]
    pub(super) thought: Option<bool>,
    #[serde(borrow, default)]
    pub(super) thought_signature: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(super) function_call: Option<FunctionCall<'a>>,
    #[serde(borrow, default)]
    pub(super) inline_data: Option<Blob<'a>>,
    /// A call that Google's servers made of a tool of their own.
    #[serde(borrow, default)]
    pub(super) tool_call: Option<&'a RawValue>,
    /// What came of it.
    #[serde(borrow, default)]
    pub(super) tool_response: Option<&'a RawValue>,
}

/// A call of a tool.
#[derive(Deserialize)]
pub(super) struct FunctionCall<'a> {
    #[serde(borrow, default)]
    pub(super) id: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(super) name: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(super) args: Option<&'a RawValue>,
}

/// Bytes in base64.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Blob<'a> {
    #[serde(borrow, default)]
    pub(super) mime_type: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(super) data: Option<Text<'a>>,
}

impl<'a> Response<'a> {
    /// The one candidate.
    pub(super) fn into_candidate(self) -> Option<Candidate<'a>> {
        self.candidates.unwrap_or_default().into_iter().next()
    }
}

impl<'a> FunctionCall<'a> {
    /// Google's id, or one that no other call in the world has: clients and the gateway itself tell
    /// calls apart by it.
    pub(super) fn take_id(&mut self) -> Text<'a> {
        self.id
            .take()
            .filter(|id| !id.is_empty())
            .unwrap_or_else(|| format!("call_{}", uuid::Uuid::new_v4().simple()).into())
    }

    /// The arguments as JSON text on one line; `{}` where there are none.
    pub(super) fn arguments(&self) -> Text<'a> {
        let args = self.args.filter(|raw| raw.get() != "null");
        args.map_or_else(|| "{}".into(), |raw| compact(raw.get()))
    }

    /// Whether it is the answer itself.
    pub(super) fn is_answer(&self) -> bool {
        self.name.as_deref().is_some_and(is_answer)
    }
}

/// JSON without the white space between its values: Google indents what is no stream.
pub(super) fn compact(json: &str) -> Text<'_> {
    if !json.contains([' ', '\n', '\r', '\t']) {
        return json.into();
    }
    let mut short = String::with_capacity(json.len());
    let (mut in_string, mut escaped) = (false, false);
    for char in json.chars() {
        if in_string {
            in_string = escaped || char != '"';
            escaped = !escaped && char == '\\';
        } else if char.is_ascii_whitespace() {
            continue;
        } else {
            in_string = char == '"';
        }
        short.push(char);
    }
    short.into()
}

#[cfg(test)]
mod tests {
    use super::compact;

    #[test]
    fn white_space_goes_only_between_values() {
        for (long, short) in [
            (
                "{\n  \"a b\": [1, 2],\n \"c\": \"d \\\" e\\\\\" }",
                r#"{"a b":[1,2],"c":"d \" e\\"}"#,
            ),
            (r#"{"k":"é 🌉 \u0020"}"#, r#"{"k":"é 🌉 \u0020"}"#),
            ("{ }", "{}"),
        ] {
            assert_eq!(compact(long), short);
        }
    }
}
