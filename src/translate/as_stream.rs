//! A whole answer told as a stream: for a client that asked for one of a vendor that sent none.

use super::{
    StreamWriter,
    form::{Answer, Event, Part, PartKind, StopReason},
};

/// The bytes of the stream, to its end.
#[must_use]
pub fn stream_of(answer: &Answer<'_>, mut writer: Box<dyn StreamWriter>) -> Vec<u8> {
    let mut out = Vec::new();
    let mut say = |event: Event<'_>| writer.write(event, &mut out);
    say(Event::Start { id: answer.id.clone(), model: answer.model.clone() });
    let mut calls = 0;
    for part in &answer.parts {
        tell(part, &mut calls, &mut say);
    }
    for citation in &answer.citations {
        say(Event::Citation(citation.clone()));
    }
    let reason = answer.stop.unwrap_or(StopReason::End);
    say(Event::Stop { reason, sequence: answer.stop_sequence.clone() });
    if let Some(usage) = answer.usage {
        say(Event::Usage(usage));
    }
    say(Event::Done);
    out
}

fn tell(part: &Part<'_>, calls: &mut usize, say: &mut dyn FnMut(Event<'_>)) {
    match &part.kind {
        PartKind::Text(text) => {
            say(Event::Text(text.reborrow()));
            say(Event::BlockEnd);
        }
        PartKind::Refusal(text) => say(Event::Refusal(text.reborrow())),
        PartKind::Thinking(thinking) => {
            if !thinking.text.is_empty() {
                say(Event::Thinking(thinking.text.reborrow()));
            }
            match &thinking.signature {
                Some(signature) if thinking.redacted => say(Event::Redacted(signature.clone())),
                Some(signature) => say(Event::Signature(signature.clone())),
                None => {}
            }
            say(Event::BlockEnd);
        }
        PartKind::ToolCall(one) => {
            let call = *calls;
            *calls += 1;
            say(Event::ToolCall {
                call,
                id: one.id.reborrow(),
                name: one.name.reborrow(),
                signature: one.signature.clone(),
                custom: one.custom,
            });
            say(Event::Arguments { call, fragment: one.arguments.reborrow() });
        }
        PartKind::Image(image) => say(Event::Image(image.clone())),
        // A model says nothing else in words that a stream has.
        PartKind::Audio(_)
        | PartKind::Document(_)
        | PartKind::ToolResult(_)
        | PartKind::Other { .. } => {}
    }
}
