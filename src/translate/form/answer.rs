//! A whole answer, in the words of no vendor.

use serde_json::value::RawValue;

use super::{Part, PartKind, Text};
use crate::domain::TokenUsage;

/// What a vendor answered.
#[derive(Clone, Debug, Default)]
pub struct Answer<'a> {
    /// The vendor's id of it; writers make one where there is none.
    pub id: Option<Text<'a>>,
    /// The model that the vendor names.
    pub model: Option<Text<'a>>,
    /// When, in Unix seconds, where the vendor says.
    pub created: Option<i64>,
    /// Text, thinking, calls, refusals, pictures, in their order.
    pub parts: Vec<Part<'a>>,
    /// Sources of the text.
    pub citations: Vec<Citation<'a>>,
    /// Why it ended; none where the vendor did not say.
    pub stop: Option<StopReason>,
    /// The stop text that was met, where the vendor says.
    pub stop_sequence: Option<Text<'a>>,
    /// What was used; none where the vendor did not say.
    pub usage: Option<TokenUsage>,
    /// `service_tier`, where the vendor says.
    pub service_tier: Option<Text<'a>>,
    /// `logprobs` of the first choice, as `OpenAI` writes them.
    pub logprobs: Option<&'a RawValue>,
}

impl Answer<'_> {
    /// Drops all calls of tools but the first.
    pub fn keep_one_call(&mut self) {
        let mut calls = 0;
        self.parts.retain(|part| {
            let call = matches!(part.kind, PartKind::ToolCall(_));
            calls += usize::from(call);
            !call || calls == 1
        });
    }
}

/// Why an answer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopReason {
    /// It was complete.
    End,
    /// A stop text was met.
    StopSequence,
    /// The limit of output was met.
    Length,
    /// The context was full.
    ContextWindow,
    /// Tools are to be called.
    ToolCalls,
    /// The vendor's filter cut it.
    ContentFilter,
    /// The model, or a classifier beside it, declined.
    Refusal,
    /// The vendor paused a long turn; the client sends it back to go on.
    Pause,
}

/// A source of a piece of text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Citation<'a> {
    /// Address; none where the source is a document of the request.
    pub url: Option<Text<'a>>,
    /// Title of the page or document.
    pub title: Option<Text<'a>>,
    /// The words quoted.
    pub quote: Option<Text<'a>>,
    /// Index of the document in the request.
    pub document: Option<u64>,
    /// Index of the search result in the request; `url` is its source then.
    pub search_result: Option<u64>,
    /// Where in that document or result the quote stands, where the vendor says.
    pub place: Option<Place>,
    /// Where in the whole text the passage stands that rests on it, characters, where the vendor says.
    pub span: Option<(u64, u64)>,
}

/// A passage of a document: its first unit, and the one behind its last.
/// <https://platform.claude.com/docs/en/build-with-claude/citations>
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Of a text: characters, from 0.
    Chars(u64, u64),
    /// Of a PDF: pages, from 1.
    Pages(u64, u64),
    /// Of a document that was given in pieces: pieces, from 0.
    Blocks(u64, u64),
}

impl Citation<'_> {
    /// The same source, independent of what it was read from.
    #[must_use]
    pub fn into_owned(self) -> Citation<'static> {
        let Self { url, title, quote, document, search_result, place, span } = self;
        Citation {
            url: url.map(Text::into_owned),
            title: title.map(Text::into_owned),
            quote: quote.map(Text::into_owned),
            document,
            search_result,
            place,
            span,
        }
    }
}
