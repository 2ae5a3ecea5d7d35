//! `reasoning_details`: thinking with what proves it, in messages and in answers.
//!
//! The shape is `OpenRouter`'s (<https://openrouter.ai/docs/use-cases/reasoning-tokens>); `format` says
//! who made a signature.

use serde::Deserialize;

use crate::translate::form::{Origin, Signature, Text, Thinking};

/// One entry, or a piece of one from a stream.
#[derive(Deserialize)]
pub(super) struct Detail<'a> {
    /// `reasoning.text`, `reasoning.summary` or `reasoning.encrypted`.
    #[serde(rename = "type", borrow)]
    pub kind: Option<Text<'a>>,
    pub text: Option<Text<'a>>,
    pub summary: Option<Text<'a>>,
    pub data: Option<Text<'a>>,
    pub signature: Option<Text<'a>>,
    pub format: Option<Text<'a>>,
    pub id: Option<Text<'a>>,
    pub index: Option<u64>,
}

impl<'a> Detail<'a> {
    /// Made by somebody whose signatures nobody here takes.
    pub(super) fn is_foreign(&self) -> bool {
        self.format.as_deref().is_some_and(|format| Origin::of_format(format).is_none())
    }

    /// What proves it, if its maker is known.
    pub(super) fn signature(&mut self) -> Option<Signature<'a>> {
        let origin = Origin::of_format(self.format.as_deref()?)?;
        let value = self.signature.take().or_else(|| self.data.take());
        Some(Signature { origin, value: value.filter(|value| !value.is_empty())? })
    }

    /// The words.
    pub(super) fn words(&mut self) -> Option<Text<'a>> {
        self.text.take().or_else(|| self.summary.take())
    }

    /// Not for reading.
    pub(super) fn is_encrypted(&self) -> bool {
        self.kind.as_deref() == Some("reasoning.encrypted")
    }
}

/// Thinking of a message: its details, or else its plain text.
pub(super) fn read<'a>(details: Vec<Detail<'a>>, plain: Option<Text<'a>>) -> Vec<Thinking<'a>> {
    let mut all: Vec<(Option<u64>, Thinking<'a>)> = Vec::new();
    for mut detail in details.into_iter().filter(|detail| !detail.is_foreign()) {
        let (index, redacted) = (detail.index, detail.is_encrypted());
        let (words, signature) = (detail.words(), detail.signature());
        // Clients that keep a stream's pieces as they came have several entries for one block.
        if let Some((known, last)) = all.last_mut() {
            let open = last.signature.is_none() && !last.redacted && !redacted;
            if open && index.is_some() && *known == index {
                last.text = joined(std::mem::take(&mut last.text), words);
                last.signature = signature;
                continue;
            }
        }
        // Encrypted by nobody that is known: of no use to anyone.
        if redacted && signature.is_none() {
            continue;
        }
        let text = words.unwrap_or_default();
        if !text.is_empty() || signature.is_some() {
            all.push((index, Thinking { text, signature, redacted, id: detail.id }));
        }
    }
    if let (true, Some(text)) = (all.is_empty(), plain.filter(|text| !text.is_empty())) {
        return vec![Thinking { text, signature: None, redacted: false, id: None }];
    }
    all.into_iter().map(|(_, thinking)| thinking).collect()
}

fn joined<'a>(text: Text<'a>, more: Option<Text<'a>>) -> Text<'a> {
    match more {
        Some(more) if text.is_empty() => more,
        Some(more) => {
            let mut all = text.0.into_owned();
            all.push_str(&more);
            all.into()
        }
        None => text,
    }
}
