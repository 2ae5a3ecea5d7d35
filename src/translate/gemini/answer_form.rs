//! How the answer's form is asked for.
//!
//! Gemini has a mode for JSON, of a schema or not. Before 3 it refuses tools beside it: "Function calling
//! with a response mime type: 'application/json' is unsupported"
//! (<https://github.com/symfony/ai/issues/1777>, <https://github.com/googleapis/js-genai/issues/601>), "Tool
//! use with a response mime type: 'application/json' is unsupported"
//! (<https://github.com/snailyp/gemini-balance/issues/264>).

use super::generation::Generation;
use crate::translate::{
    Target,
    claude::is_forced,
    form::{Format, JsonSchema, Refusal, Request, ToolChoice, ToolKind},
};

/// How the form is asked for.
#[derive(Clone, Copy, Debug)]
pub(super) enum AnswerForm<'r> {
    /// Not at all: any text will do, or the answer has to be a call.
    Any,
    /// By the mode for it.
    Mode(&'r Format<'r>),
    /// By a tool whose input is the answer.
    Tool(&'r JsonSchema<'r>),
    /// In words.
    Words,
}

impl<'r> AnswerForm<'r> {
    /// The way that the model has.
    pub(super) fn of(request: &'r Request<'_>, target: &Target<'_>) -> Result<Self, Refusal> {
        let Some(format) = &request.format else { return Ok(Self::Any) };
        let has = |wanted: fn(&ToolKind<'_>) -> bool| {
            request.tools.iter().any(|tool| wanted(&tool.kind))
                && request.tool_choice != Some(ToolChoice::None)
        };
        let searches = has(|kind| matches!(kind, ToolKind::WebSearch { .. }));
        let calls = has(|kind| !matches!(kind, ToolKind::WebSearch { .. }));
        if !Generation::is_before_3(target) || !(searches || calls) {
            return Ok(Self::Mode(format));
        }
        match format {
            // Where the client makes the model call a tool of its own, the answer is that call.
            _ if calls && is_forced(request) => Ok(Self::Any),
            Format::JsonObject => Ok(Self::Words),
            // A tool of ours would be a function beside the search.
            Format::JsonSchema(_) if searches => Err(Refusal::unsupported(
                "response_format",
                "Gemini before 3 holds no answer to the schema of `response_format` where it searches \
                 the web; leave the search out, or ask for json_object",
            )),
            Format::JsonSchema(schema) => Ok(Self::Tool(schema)),
        }
    }

    /// Whether functions that are not to be called must not be told either.
    pub(super) const fn is_mode(self) -> bool {
        matches!(self, Self::Mode(_))
    }
}
