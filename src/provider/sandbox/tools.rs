//! Which tools are called, and with what. Pure.

use serde_json::Value;

use super::{
    answer::fresh_id, fields::Fields, prompt::Prompt, refusal::Refusal, reply::tokens, schema,
};

/// A tool that the client offers.
#[derive(Debug)]
pub struct Tool {
    /// Its name.
    pub name: String,
    /// JSON schema of its arguments.
    pub schema: Value,
}

/// What the client wants of its tools.
#[derive(Debug, Default, PartialEq, Eq)]
pub enum Choice {
    /// No call.
    Never,
    /// Calls of the tools that the last user text names.
    #[default]
    Auto,
    /// At least one call.
    Required,
    /// A call of this one.
    Named(String),
}

/// A call of a tool.
#[derive(Debug)]
pub struct Call {
    /// Fresh, without prefix.
    pub id: String,
    /// The tool's name.
    pub name: String,
    /// Its arguments.
    pub arguments: Value,
}

impl Tool {
    /// A definition whose schema is the member `schema`.
    pub fn read(fields: Fields<'_>, schema: &str) -> Result<Self, Refusal> {
        let name = fields.text("name")?.to_owned();
        let schema = match fields.get(schema) {
            Some(schema @ Value::Object(_)) => schema.clone(),
            Some(_) => return Err(fields.refuse(schema, "must be a JSON schema")),
            None => Value::Null,
        };
        Ok(Self { name, schema })
    }
}

impl Call {
    /// The arguments as the JSON text that OpenAI's dialects carry.
    pub fn arguments_text(&self) -> String {
        self.arguments.to_string()
    }

    /// Output tokens of the call.
    pub fn tokens(&self) -> u64 {
        tokens(&self.name) + tokens(&self.arguments_text())
    }
}

/// The calls that answer the prompt; none where it is answered in words.
pub fn calls(
    tools: &[Tool],
    choice: &Choice,
    parallel: bool,
    prompt: &Prompt,
) -> Result<Vec<Call>, Refusal> {
    let chosen: Vec<&Tool> = match choice {
        Choice::Never => Vec::new(),
        Choice::Auto if prompt.tool_result => Vec::new(),
        Choice::Auto => {
            let named = tools.iter().filter(|tool| schema::mentions(&prompt.last, &tool.name));
            named.take(if parallel { usize::MAX } else { 1 }).collect()
        }
        Choice::Required => match tools.first() {
            Some(first) => vec![
                tools
                    .iter()
                    .find(|tool| schema::mentions(&prompt.last, &tool.name))
                    .unwrap_or(first),
            ],
            None => {
                return Err(Refusal::invalid(
                    "tool_choice",
                    "is only allowed when 'tools' are given",
                ));
            }
        },
        Choice::Named(name) => match tools.iter().find(|tool| tool.name == *name) {
            Some(tool) => vec![tool],
            None => {
                return Err(Refusal::invalid(
                    "tool_choice",
                    format!("Tool '{name}' is not among 'tools'."),
                ));
            }
        },
    };
    let call = |tool: &Tool| Call {
        id: fresh_id(""),
        name: tool.name.clone(),
        arguments: match schema::example(&tool.schema, &prompt.last) {
            arguments @ Value::Object(_) => arguments,
            _ => Value::Object(serde_json::Map::new()),
        },
    };
    Ok(chosen.into_iter().map(call).collect())
}
