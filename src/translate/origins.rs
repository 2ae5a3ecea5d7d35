//! Whose a signature is that came by way of Bedrock, whose answers do not name their model.

use super::form::{Answer, Event, Origin, PartKind, Signature};

/// Whether the model is Claude, by its id on Bedrock, an inference profile's id or an ARN.
pub(super) fn is_claude(model: &str) -> bool {
    model.contains("anthropic.")
}

fn claim(signature: &mut Signature<'_>) {
    if signature.origin == Origin::Bedrock {
        signature.origin = Origin::Anthropic;
    }
}

/// Names Claude as the maker of an event's signature: it takes it back on every platform.
pub(super) fn claim_event(event: &mut Event<'_>) {
    match event {
        Event::Signature(signature) | Event::Redacted(signature) => claim(signature),
        _ => {}
    }
}

/// Names Claude as the maker of an answer's signatures.
pub(super) fn claim_answer(answer: &mut Answer<'_>) {
    for part in &mut answer.parts {
        if let PartKind::Thinking(thinking) = &mut part.kind
            && let Some(signature) = &mut thinking.signature
        {
            claim(signature);
        }
    }
}
