//! Answers of a form that a model has no mode for: asked for in words, or as the input of a tool.

/// The name of the tool whose input is the answer. Readers of answers do not know what was asked for: no
/// client's tool may be called so.
pub const NAME: &str = "turnpike_answer";

/// What it does.
pub const DESCRIPTION: &str = "Gives the final answer in the form that was asked for.";

/// The wish for any JSON.
pub const JSON_ONLY: &str =
    "Answer with one valid JSON object and nothing else: no explanation, no Markdown.";

/// Whether a call is the answer.
#[must_use]
pub fn is_answer(name: &str) -> bool {
    name == NAME
}

/// Refuses a client's tool that is called so.
#[must_use]
pub fn taken(index: usize) -> super::form::Refusal {
    let message = format!("the name `{NAME}` is the gateway's own; call the tool something else");
    super::form::Refusal::invalid(format!("tools[{index}]"), message)
}
