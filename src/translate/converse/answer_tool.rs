//! An answer of a schema from Nova, which has no mode for it: a tool whose input is the answer, which the
//! model must call. What it puts in becomes the answer's text.
//! <https://docs.aws.amazon.com/nova/latest/userguide/concept-chapter-servicename.html>

use super::{
    super::{
        answer_tool::{DESCRIPTION, NAME},
        claude::is_forced,
        form::{Format, JsonSchema, Request, ToolChoice},
    },
    body::{self, Choice, Empty, InputSchema, ToolSpec},
    family::Family,
    tools_write::schema,
};

/// The schema that has to be asked for so. Where the client makes the model call a tool of its own, the
/// answer is that call.
fn wanted<'r>(request: &'r Request<'_>, family: Family) -> Option<&'r JsonSchema<'r>> {
    match &request.format {
        Some(Format::JsonSchema(schema)) if family.is_nova() && !is_forced(request) => Some(schema),
        _ => None,
    }
}

/// Adds the tool, if the answer has to come by it, and says what the model must call then.
pub(super) fn add<'r>(
    request: &'r Request<'_>,
    family: Family,
    tools: &mut Vec<body::Tool<'r>>,
    may_call: bool,
) -> Option<Choice<'r>> {
    let format = wanted(request, family)?;
    // Where it may call the client's tools, too, one of them or the answer has to come. Those that stand
    // for calls of the history are not to be called.
    let alone = !may_call || request.tool_choice == Some(ToolChoice::None);
    tools.push(body::Tool::Function(ToolSpec {
        name: NAME,
        description: Some(format.description.as_deref().unwrap_or(DESCRIPTION)),
        input_schema: InputSchema { json: schema(Some(format.schema), family) },
        strict: None,
    }));
    Some(if alone { Choice::Tool { name: NAME } } else { Choice::Any(Empty {}) })
}
