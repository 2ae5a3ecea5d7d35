//! A whole answer told as a stream: for a client that asked for one of a vendor that sent none.

use super::{
    StreamWriter,
    form::{Answer, Citation, Event, Part, PartKind, StopReason},
};

/// The bytes of the stream, to its end.
#[must_use]
pub fn stream_of(answer: &Answer<'_>, mut writer: Box<dyn StreamWriter>) -> Vec<u8> {
    let mut out = Vec::new();
    let mut say = |event: Event<'_>| writer.write(event, &mut out);
    say(Event::Start { id: answer.id.clone(), model: answer.model.clone() });
    let mut calls = 0;
    let mut sources = Sources::of(answer);
    for part in &answer.parts {
        tell(part, &mut calls, &mut sources, &mut say);
    }
    // Where there is no text at all.
    sources.tell(|_| true, &mut say);
    let reason = answer.stop.unwrap_or(StopReason::End);
    say(Event::Stop { reason, sequence: answer.stop_sequence.clone() });
    if let Some(usage) = answer.usage {
        say(Event::Usage(usage));
    }
    say(Event::Done);
    out
}

/// The citations that are still to be told: each before the end of the text that rests on it.
struct Sources<'a> {
    waiting: Vec<&'a Citation<'a>>,
    /// Texts still to come.
    texts: usize,
    /// Characters of text so far.
    letters: u64,
}

impl<'a> Sources<'a> {
    fn of(answer: &'a Answer<'a>) -> Self {
        let is_text = |part: &&Part<'_>| matches!(part.kind, PartKind::Text(_));
        Self {
            waiting: answer.citations.iter().collect(),
            texts: answer.parts.iter().filter(is_text).count(),
            letters: 0,
        }
    }

    /// Tells those whose passage ends within this text; with the last text the rest.
    fn after(&mut self, text: &str, say: &mut dyn FnMut(Event<'_>)) {
        self.letters += text.chars().count() as u64;
        self.texts = self.texts.saturating_sub(1);
        let (end, last) = (self.letters, self.texts == 0);
        self.tell(|one| last || one.span.is_some_and(|(_, to)| to <= end), say);
    }

    fn tell(&mut self, of: impl Fn(&Citation<'_>) -> bool, say: &mut dyn FnMut(Event<'_>)) {
        self.waiting.retain(|citation| {
            let now = of(citation);
            if now {
                say(Event::Citation((*citation).clone()));
            }
            !now
        });
    }
}

fn tell(
    part: &Part<'_>,
    calls: &mut usize,
    sources: &mut Sources<'_>,
    say: &mut dyn FnMut(Event<'_>),
) {
    match &part.kind {
        PartKind::Text(text) => {
            say(Event::Text(text.reborrow()));
            sources.after(text, say);
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

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::{
        super::{Answering, ClientApi, form::PartPath},
        *,
    };

    #[test]
    fn citations_stand_in_the_block_of_the_text_that_rests_on_them() {
        let text = |text: &'static str| Part::new(PartKind::Text(text.into()), PartPath::default());
        let cited = |title: &'static str, span| Citation {
            url: Some("https://example.com/".into()),
            title: Some(title.into()),
            span,
            ..Citation::default()
        };
        let answer = Answer {
            parts: vec![text("Né: "), text("one"), text("two")],
            citations: vec![
                cited("anywhere", None),
                cited("beyond", Some((9, 99))),
                cited("one", Some((4, 7))),
                cited("first", Some((0, 4))),
            ],
            ..Answer::default()
        };
        let stream = stream_of(&answer, ClientApi::Messages.stream_writer(Answering::default()));
        let stream = String::from_utf8(stream).unwrap();
        let events = stream.lines().filter_map(|line| line.strip_prefix("data: "));
        let mut told = Vec::new();
        let mut blocks = 0;
        for data in events {
            let data: Value = serde_json::from_str(data).unwrap();
            blocks += usize::from(data["type"] == "content_block_start");
            if let Some(title) = data["delta"]["citation"]["title"].as_str() {
                told.push(format!("{} {title}", data["index"]));
            }
        }
        assert_eq!(told, ["0 first", "1 one", "2 anywhere", "2 beyond"]);
        assert_eq!(blocks, 3);
    }
}
