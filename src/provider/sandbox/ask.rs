//! A request for words, whichever dialect it came in, and the output that answers it. Pure.

use serde_json::{Value, json};

use super::{
    prompt::Prompt,
    refusal::Refusal,
    reply::{self, Limits, Reply},
    schema,
    tools::{self, Call, Choice, Tool},
};

/// The shape that the client wants the text in.
#[derive(Debug, Default)]
pub enum Format {
    /// Plain words.
    #[default]
    Text,
    /// Any JSON object.
    Object,
    /// JSON that fits a schema.
    Schema(Value),
}

/// What is asked, once the dialect is out of the way.
#[derive(Debug, Default)]
pub struct Ask {
    /// The conversation.
    pub prompt: Prompt,
    /// The wanted shape.
    pub format: Format,
    /// Where the text must end.
    pub limits: Limits,
    /// What may be called.
    pub tools: Vec<Tool>,
    /// What must be called.
    pub choice: Choice,
    /// Whether several calls at once are welcome.
    pub parallel: bool,
}

/// The answer: words or calls.
#[derive(Debug)]
pub enum Output {
    /// Words.
    Text(Reply),
    /// Calls of tools, at least one.
    Calls(Vec<Call>),
}

impl Ask {
    /// Answers.
    pub fn output(&self) -> Result<Output, Refusal> {
        let calls = tools::calls(&self.tools, &self.choice, self.parallel, &self.prompt)?;
        if !calls.is_empty() {
            return Ok(Output::Calls(calls));
        }
        let text = match &self.format {
            Format::Text => reply::compose(&self.prompt),
            Format::Object => json!({"answer": reply::compose(&self.prompt)}).to_string(),
            Format::Schema(schema) => schema::example(schema, &self.prompt.last).to_string(),
        };
        Ok(Output::Text(reply::limit(&text, &self.limits)))
    }
}

impl Output {
    /// Its tokens.
    pub fn tokens(&self) -> u64 {
        match self {
            Self::Text(reply) => reply::tokens(&reply.text),
            Self::Calls(calls) => calls.iter().map(Call::tokens).sum(),
        }
    }
}
