//! Thought signatures go back on the very part that they came with
//! (<https://ai.google.dev/gemini-api/docs/thought-signatures>).
//!
//! On a call they have a place in the middle form. One that came on text stands behind the text, as
//! thinking without words; a client that has no place on calls either sends it before its call.

use super::{request_body::Part, results::Style, server_parts};
use crate::translate::form::{Origin, Signature, Thinking};

/// What Google wants on calls that were not made by Gemini, such as those of another model's turn that
/// failed over: Gemini 3 answers 400 to a step whose first call has nothing.
const SKIP: &str = "skip_thought_signature_validator";

/// The signature, if Google made it; nobody else's means anything there.
pub(super) fn of_google<'a>(signature: &'a Signature<'_>) -> Option<&'a str> {
    (signature.origin == Origin::Google).then_some(&*signature.value)
}

/// The parts of one turn of the model.
pub(super) struct Turn<'a> {
    parts: Vec<Part<'a>>,
    /// A signature whose part has not been met.
    open: Option<&'a str>,
    style: Style,
}

impl<'a> Turn<'a> {
    /// An empty one.
    pub(super) const fn new(style: Style) -> Self {
        Self { parts: Vec::new(), open: None, style }
    }

    /// Keeps what proves some thinking, and drops the thinking.
    pub(super) fn thinking(&mut self, thinking: &'a Thinking<'_>) {
        let Some(signature) = thinking.signature.as_ref().and_then(of_google) else { return };
        self.settle();
        if !server_parts::is_part(signature) {
            self.open = Some(signature);
        } else if self.style.combines_tools() {
            self.parts.extend(server_parts::uncarry(signature));
        }
    }

    /// The next part. An open signature is its own if it is a call without one.
    pub(super) fn push(&mut self, mut part: Part<'a>) {
        if part.function_call.is_some() {
            if part.thought_signature.is_none() {
                part.thought_signature = self.open.take();
            } else {
                self.settle();
            }
        } else if !self.ends_unsigned() {
            part.thought_signature = part.thought_signature.or(self.open.take());
        } else {
            self.settle();
        }
        self.parts.push(part);
    }

    /// All of them.
    pub(super) fn finish(mut self) -> Vec<Part<'a>> {
        self.settle();
        if self.style.is_3 {
            // Of calls that came at once only the first is signed.
            let first = self.parts.iter_mut().find(|part| part.function_call.is_some());
            if let Some(call) = first {
                call.thought_signature.get_or_insert(SKIP);
            }
        }
        self.parts
    }

    /// Whether the last part is a text or a picture that nothing proves.
    fn ends_unsigned(&self) -> bool {
        self.parts.last().is_some_and(|part| {
            (part.text.is_some() || part.inline_data.is_some()) && part.thought_signature.is_none()
        })
    }

    /// An open signature belongs to the text or the picture before it, or to a text without words.
    fn settle(&mut self) {
        let Some(signature) = self.open.take() else { return };
        let unsigned = self.ends_unsigned();
        match self.parts.last_mut() {
            Some(part) if unsigned => part.thought_signature = Some(signature),
            _ => {
                let empty = Part { thought_signature: Some(signature), ..Part::text("") };
                self.parts.push(empty);
            }
        }
    }
}
