//! What the model said before, gathered for one message, and ids that every vendor takes.

use std::borrow::Cow;

use crate::translate::{
    form::{Part, PartKind, Refusal, Thinking, ToolCall},
    plain::fnv1a,
};

/// What the model said, gathered from one turn or several.
#[derive(Default)]
pub(super) struct Answered<'r> {
    pub name: Option<&'r str>,
    pub texts: Vec<&'r str>,
    pub refusals: Vec<&'r str>,
    pub thinking: Vec<&'r Thinking<'r>>,
    pub calls: Vec<&'r ToolCall<'r>>,
}

impl<'r> Answered<'r> {
    /// Adds a part of a turn of the model's.
    pub(super) fn add(&mut self, part: &'r Part<'_>) -> Result<(), Refusal> {
        match &part.kind {
            PartKind::Text(text) if text.is_empty() => {}
            PartKind::Text(text) => self.texts.push(text),
            PartKind::Refusal(text) => self.refusals.push(text),
            PartKind::Thinking(thinking) => self.thinking.push(thinking),
            PartKind::ToolCall(call) => self.calls.push(call),
            PartKind::Other { name, .. } => {
                let message = format!("`{}` is not known to this vendor's API", &**name);
                return Err(Refusal::unsupported(part.path.to_string(), message));
            }
            PartKind::Image(_)
            | PartKind::Audio(_)
            | PartKind::Document(_)
            | PartKind::ToolResult(_) => {
                let message = "the vendor takes text, thinking and calls in the model's own turns";
                return Err(Refusal::unsupported(part.path.to_string(), message));
            }
        }
        Ok(())
    }

    /// Nothing was said.
    pub(super) fn is_nothing(&self) -> bool {
        self.texts.is_empty()
            && self.refusals.is_empty()
            && self.thinking.is_empty()
            && self.calls.is_empty()
    }

    /// Whether the next turn belongs into the same message.
    pub(super) fn goes_on_in(&self, next: &Self) -> bool {
        let only_thinking = self.texts.is_empty() && self.refusals.is_empty();
        self.is_nothing() || only_thinking || !self.calls.is_empty() || !next.calls.is_empty()
    }

    /// Takes the next turn into this message.
    pub(super) fn append(&mut self, next: Self) {
        self.name = self.name.or(next.name);
        self.texts.extend(next.texts);
        self.refusals.extend(next.refusals);
        self.thinking.extend(next.thinking);
        self.calls.extend(next.calls);
    }
}

/// The length of Mistral's ids.
const SHORT_ID: usize = 9;

/// An id of nine letters and digits, always the same for the same id: a call and its result are each
/// written by themselves.
pub(super) fn short_id(id: &str) -> Cow<'_, str> {
    const LETTERS: &[u8; 62] = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    if id.len() == SHORT_ID && id.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Cow::Borrowed(id);
    }
    let mut hash = fnv1a(id.as_bytes());
    let mut short = String::with_capacity(SHORT_ID);
    for _ in 0..SHORT_ID {
        let place = usize::try_from(hash % 62).unwrap_or(0);
        short.push(char::from(LETTERS.get(place).copied().unwrap_or(b'0')));
        hash /= 62;
    }
    short.into()
}
