//! Citations of text, both directions.
//!
//! <https://platform.claude.com/docs/en/build-with-claude/citations>,
//! <https://platform.claude.com/docs/en/agents-and-tools/tool-use/web-search-tool>

use serde::{Deserialize, Serialize};

use crate::translate::form::{Citation, Text};

/// A citation as the vendor sends one: of a page of the web, of a search result of the request, or of
/// a document of the request.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct CitationIn<'a> {
    #[serde(borrow)]
    url: Option<Text<'a>>,
    source: Option<Text<'a>>,
    title: Option<Text<'a>>,
    document_title: Option<Text<'a>>,
    document_index: Option<u64>,
    cited_text: Option<Text<'a>>,
}

impl<'a> CitationIn<'a> {
    /// In the words of the middle form; `span` is the passage that rests on it.
    pub(super) fn read(self, span: Option<(u64, u64)>) -> Citation<'a> {
        Citation {
            url: self.url.or(self.source),
            title: self.title.or(self.document_title),
            quote: self.cited_text,
            document: self.document_index,
            span,
        }
    }
}

/// A citation for a client. What only Anthropic's servers could use (`encrypted_index`) is empty, and
/// so are positions that nobody told.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum CitationOut<'a> {
    WebSearchResultLocation {
        cited_text: &'a str,
        encrypted_index: &'static str,
        title: Option<&'a str>,
        url: &'a str,
    },
    CharLocation {
        cited_text: &'a str,
        document_index: u64,
        document_title: Option<&'a str>,
        start_char_index: u64,
        end_char_index: u64,
    },
}

impl<'a> CitationOut<'a> {
    pub(super) fn new(citation: &'a Citation<'a>) -> Self {
        let cited_text = citation.quote.as_deref().unwrap_or_default();
        let title = citation.title.as_deref();
        match citation.document {
            Some(document_index) => Self::CharLocation {
                cited_text,
                document_index,
                document_title: title,
                start_char_index: 0,
                end_char_index: 0,
            },
            None => Self::WebSearchResultLocation {
                cited_text,
                encrypted_index: "",
                title,
                url: citation.url.as_deref().unwrap_or_default(),
            },
        }
    }
}
