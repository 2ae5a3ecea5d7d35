//! What vendors put into `content`, and where they name their sources.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::answer_read::Found;
use crate::translate::form::{Citation, Text};

/// A piece of `content`.
pub(super) enum Piece<'a> {
    /// Words of the answer.
    Text(Text<'a>),
    /// Words of thinking, which Mistral has among the content.
    Thinking(Text<'a>),
}

/// <https://docs.mistral.ai/capabilities/reasoning/>
#[derive(Deserialize)]
struct RawPiece<'a> {
    #[serde(borrow)]
    text: Option<Text<'a>>,
    thinking: Option<&'a RawValue>,
}

/// Reads `content`: a string, or a list of parts. What else stands in the list is left out.
pub(super) fn pieces<'a>(raw: &'a RawValue, to: &mut dyn FnMut(Piece<'a>)) {
    if raw.get().starts_with('[') {
        let parts: Vec<&RawValue> = serde_json::from_str(raw.get()).unwrap_or_default();
        for part in parts {
            let Ok(part) = serde_json::from_str::<RawPiece<'_>>(part.get()) else { continue };
            if let Some(thinking) = part.thinking {
                pieces(thinking, &mut |piece| match piece {
                    Piece::Text(text) | Piece::Thinking(text) => to(Piece::Thinking(text)),
                });
            }
            if let Some(text) = part.text.filter(|text| !text.is_empty()) {
                to(Piece::Text(text));
            }
        }
    } else if let Ok(text) = serde_json::from_str::<Text<'_>>(raw.get())
        && !text.is_empty()
    {
        to(Piece::Text(text));
    }
}

/// Sources beside the choices, as Perplexity has them; the results have titles, the citations are
/// addresses alone. <https://docs.perplexity.ai/api-reference/chat-completions-post>
#[derive(Clone, Copy)]
pub(super) struct Sources<'a> {
    pub search: Option<&'a RawValue>,
    pub citations: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct SearchResult<'a> {
    #[serde(borrow)]
    url: Text<'a>,
    title: Option<Text<'a>>,
}

/// <https://platform.openai.com/docs/guides/tools-web-search?api-mode=chat>
#[derive(Deserialize)]
struct Annotation<'a> {
    #[serde(borrow)]
    url_citation: UrlCitation<'a>,
}

#[derive(Deserialize)]
struct UrlCitation<'a> {
    #[serde(borrow)]
    url: Text<'a>,
    title: Option<Text<'a>>,
    content: Option<Text<'a>>,
    start_index: Option<u64>,
    end_index: Option<u64>,
}

impl<'a> Sources<'a> {
    /// Reads them and the message's own `annotations`.
    pub(super) fn read(self, annotations: Option<&'a RawValue>, to: &mut Found<'_, 'a>) {
        for raw in list(annotations) {
            if let Ok(Annotation { url_citation: own }) = serde_json::from_str(raw.get()) {
                let UrlCitation { url, title, content, start_index, end_index } = own;
                let span = start_index.zip(end_index);
                to(Citation { url: Some(url), title, quote: content, span, ..Citation::default() });
            }
        }
        let results = list(self.search);
        for raw in &results {
            if let Ok(SearchResult { url, title }) = serde_json::from_str(raw.get()) {
                to(Citation { url: Some(url), title, ..Citation::default() });
            }
        }
        if results.is_empty() {
            for raw in list(self.citations) {
                if let Ok(url) = serde_json::from_str::<Text<'a>>(raw.get()) {
                    to(Citation { url: Some(url), ..Citation::default() });
                }
            }
        }
    }
}

fn list(raw: Option<&RawValue>) -> Vec<&RawValue> {
    raw.and_then(|raw| serde_json::from_str(raw.get()).ok()).unwrap_or_default()
}
