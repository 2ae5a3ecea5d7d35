//! What a conversation says, read out of the three dialects' messages alike.

use serde_json::Value;

use super::{fields::Fields, refusal::Refusal, reply::tokens_of};

/// Tokens of an image, whatever its size.
const IMAGE_TOKENS: u64 = 85;

/// A conversation, as far as the sandbox understands it.
#[derive(Debug, Default)]
pub struct Prompt {
    /// The text of the last message.
    pub last: String,
    /// Whether the last message is the result of a tool.
    pub tool_result: bool,
    /// Images in the last message.
    pub images: usize,
    /// Messages, system instructions aside.
    pub messages: usize,
    /// Tokens of all texts and images.
    pub tokens: u64,
}

/// What one message or content part holds.
#[derive(Default)]
struct Content {
    text: String,
    images: usize,
    tool_result: bool,
}

impl Prompt {
    /// A conversation of one text, as `prompt` and a plain `input` are.
    pub fn of_text(text: &str) -> Self {
        let mut prompt = Self::default();
        prompt.say(Content { text: text.to_owned(), ..Content::default() });
        prompt
    }

    /// The `messages` of chat completions and messages. Roles beyond `roles` are refused.
    pub fn of_messages(messages: &[Value], roles: &[&str]) -> Result<Self, Refusal> {
        let mut prompt = Self::default();
        for (index, message) in messages.iter().enumerate() {
            let path = format!("messages[{index}]");
            let fields = Fields::of(message, &path)?;
            let role = fields.text("role")?;
            if !roles.contains(&role) {
                return Err(fields.refuse("role", format!("must be one of: {}", roles.join(", "))));
            }
            let calls = fields.get("tool_calls").or_else(|| fields.get("function_call"));
            let content = match fields.get("content") {
                Some(content) => Content::read(content, &format!("{path}.content"))?,
                None if role == "assistant" && calls.is_some() => Content::default(),
                None => {
                    return Err(fields.refuse("content", "Missing required parameter: 'content'."));
                }
            };
            prompt.tokens += calls.map_or(0, |calls| tokens_of(calls.to_string().chars().count()));
            let tool_result = content.tool_result || role == "tool" || role == "function";
            if matches!(role, "system" | "developer") {
                prompt.note(&content);
            } else {
                prompt.say(Content { tool_result, ..content });
            }
        }
        Ok(prompt)
    }

    /// The `input` of responses: a text or items.
    pub fn of_input(input: &Value) -> Result<Self, Refusal> {
        let items = match input {
            Value::String(text) => return Ok(Self::of_text(text)),
            Value::Array(items) => items,
            _ => {
                return Err(Refusal::invalid("input", "must be a string or an array of items"));
            }
        };
        let mut prompt = Self::default();
        for (index, item) in items.iter().enumerate() {
            let path = format!("input[{index}]");
            let fields = Fields::of(item, &path)?;
            match fields.optional_text("type")?.unwrap_or("message") {
                "message" => {
                    let content =
                        Content::read(fields.required("content")?, &format!("{path}.content"))?;
                    if matches!(fields.text("role")?, "system" | "developer") {
                        prompt.note(&content);
                    } else {
                        prompt.say(content);
                    }
                }
                "function_call_output" | "custom_tool_call_output" => {
                    let content =
                        Content::read(fields.required("output")?, &format!("{path}.output"))?;
                    prompt.say(Content { tool_result: true, ..content });
                }
                // Calls, reasoning and references are history: they count, but say nothing.
                _ => prompt.tokens += tokens_of(item.to_string().chars().count()),
            }
        }
        Ok(prompt)
    }

    /// Adds instructions that stand beside the messages (`system`, `instructions`).
    pub fn instruct(&mut self, instructions: Option<&Value>, name: &str) -> Result<(), Refusal> {
        if let Some(instructions) = instructions {
            self.note(&Content::read(instructions, name)?);
        }
        Ok(())
    }

    /// Adds the definitions of tools, which a vendor counts as input.
    pub fn define(&mut self, tools: &[Value]) {
        self.tokens +=
            tools.iter().map(|tool| tokens_of(tool.to_string().chars().count())).sum::<u64>();
    }

    fn note(&mut self, content: &Content) {
        let images = u64::try_from(content.images).unwrap_or(u64::MAX);
        self.tokens +=
            tokens_of(content.text.chars().count()) + images.saturating_mul(IMAGE_TOKENS);
    }

    fn say(&mut self, content: Content) {
        self.note(&content);
        self.messages += 1;
        self.last = content.text;
        self.images = content.images;
        self.tool_result = content.tool_result;
    }
}

impl Content {
    /// A text, or parts of any dialect.
    fn read(content: &Value, path: &str) -> Result<Self, Refusal> {
        match content {
            Value::String(text) => Ok(Self { text: text.clone(), ..Self::default() }),
            Value::Array(parts) => {
                let mut all = Self::default();
                for (index, part) in parts.iter().enumerate() {
                    all.add(part, &format!("{path}[{index}]"))?;
                }
                Ok(all)
            }
            _ => Err(Refusal::invalid(path, "must be a string or an array of content parts")),
        }
    }

    fn add(&mut self, part: &Value, path: &str) -> Result<(), Refusal> {
        let fields = Fields::of(part, path)?;
        match fields.text("type")? {
            "text" | "input_text" | "output_text" => {
                let text = fields.required("text")?;
                let text =
                    text.as_str().ok_or_else(|| fields.refuse("text", "must be a string"))?;
                if !self.text.is_empty() {
                    self.text.push('\n');
                }
                self.text.push_str(text);
            }
            "image_url" | "input_image" | "image" => self.images += 1,
            "tool_result" => {
                self.tool_result = true;
                if let Some(content) = fields.get("content") {
                    let inner = Self::read(content, &format!("{path}.content"))?;
                    self.text.push_str(&inner.text);
                    self.images += inner.images;
                }
            }
            // Documents, audio, calls and thinking are taken, and have nothing to repeat.
            _ => {}
        }
        Ok(())
    }
}
