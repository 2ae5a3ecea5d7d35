//! A request for words, whichever dialect it came in, and the output that answers it. Pure.

use serde_json::{Value, json};

use super::{
    prompt::Prompt,
    refusal::Refusal,
    reply::{self, Limits, Reply},
    schema, thought,
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
    /// Whether it is thought about before it is answered.
    pub thinks: bool,
}

/// The answer, and what was thought before.
#[derive(Debug)]
pub struct Output {
    /// What was thought, if thinking was asked for.
    pub thought: Option<String>,
    /// The answer.
    pub said: Said,
}

/// Words or calls.
#[derive(Debug)]
pub enum Said {
    /// Words.
    Text(Reply),
    /// Calls of tools, at least one.
    Calls(Vec<Call>),
}

impl Ask {
    /// Answers.
    pub fn output(&self) -> Result<Output, Refusal> {
        let calls = tools::calls(&self.tools, &self.choice, self.parallel, &self.prompt)?;
        let mut limits = self.limits.clone();
        let thought = self.thinks.then(|| thought::before(&self.prompt, &calls, &mut limits));
        if !calls.is_empty() {
            return Ok(Output { thought, said: Said::Calls(calls) });
        }
        let text = match &self.format {
            Format::Text => reply::compose(&self.prompt),
            Format::Object => json!({"answer": reply::compose(&self.prompt)}).to_string(),
            Format::Schema(schema) => schema::example(schema, &self.prompt.last).to_string(),
        };
        Ok(Output { thought, said: Said::Text(reply::limit(&text, &limits)) })
    }
}

impl Output {
    /// Its tokens, those of its thought among them.
    pub fn tokens(&self) -> u64 {
        let said = match &self.said {
            Said::Text(reply) => reply::tokens(&reply.text),
            Said::Calls(calls) => calls.iter().map(Call::tokens).sum(),
        };
        said + self.thought_tokens()
    }

    /// The tokens of its thought.
    pub fn thought_tokens(&self) -> u64 {
        self.thought.as_deref().map_or(0, reply::tokens)
    }
}
