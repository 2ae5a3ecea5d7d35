//! Citations of text, both directions.
//!
//! <https://platform.claude.com/docs/en/build-with-claude/citations>,
//! <https://platform.claude.com/docs/en/agents-and-tools/tool-use/web-search-tool>,
//! <https://platform.claude.com/docs/en/build-with-claude/search-results>

use serde::{Deserialize, Serialize};

use crate::translate::form::{Citation, Place, Text};

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
    search_result_index: Option<u64>,
    start_char_index: Option<u64>,
    end_char_index: Option<u64>,
    start_page_number: Option<u64>,
    end_page_number: Option<u64>,
    start_block_index: Option<u64>,
    end_block_index: Option<u64>,
    cited_text: Option<Text<'a>>,
}

impl<'a> CitationIn<'a> {
    /// In the words of the middle form; `span` is the passage that rests on it.
    pub(super) fn read(self, span: Option<(u64, u64)>) -> Citation<'a> {
        let place = self.place();
        Citation {
            place,
            url: self.url.or(self.source),
            title: self.title.or(self.document_title),
            quote: self.cited_text,
            document: self.document_index,
            search_result: self.search_result_index,
            span,
        }
    }

    fn place(&self) -> Option<Place> {
        self.document_index.or(self.search_result_index)?;
        let of = |start: Option<u64>, end: Option<u64>, place: fn(u64, u64) -> Place| {
            start.zip(end).map(|(start, end)| place(start, end))
        };
        of(self.start_char_index, self.end_char_index, Place::Chars)
            .or_else(|| of(self.start_page_number, self.end_page_number, Place::Pages))
            .or_else(|| of(self.start_block_index, self.end_block_index, Place::Blocks))
    }
}

/// A citation for a client. What only Anthropic's servers could use (`encrypted_index`) is empty, and
/// so are positions that nobody told.
#[derive(Serialize)]
#[serde(tag = "type")]
pub(super) enum CitationOut<'a> {
    #[serde(rename = "web_search_result_location")]
    Page {
        cited_text: &'a str,
        encrypted_index: &'static str,
        title: Option<&'a str>,
        url: &'a str,
    },
    #[serde(rename = "search_result_location")]
    SearchResult {
        cited_text: &'a str,
        search_result_index: u64,
        source: &'a str,
        title: Option<&'a str>,
        start_block_index: u64,
        end_block_index: u64,
    },
    #[serde(rename = "char_location")]
    Chars {
        cited_text: &'a str,
        document_index: u64,
        document_title: Option<&'a str>,
        start_char_index: u64,
        end_char_index: u64,
    },
    #[serde(rename = "page_location")]
    Pages {
        cited_text: &'a str,
        document_index: u64,
        document_title: Option<&'a str>,
        start_page_number: u64,
        end_page_number: u64,
    },
    #[serde(rename = "content_block_location")]
    Blocks {
        cited_text: &'a str,
        document_index: u64,
        document_title: Option<&'a str>,
        start_block_index: u64,
        end_block_index: u64,
    },
}

impl<'a> CitationOut<'a> {
    pub(super) fn new(citation: &'a Citation<'a>) -> Self {
        let cited_text = citation.quote.as_deref().unwrap_or_default();
        let document_title = citation.title.as_deref();
        if let Some(search_result_index) = citation.search_result {
            let (start_block_index, end_block_index) = match citation.place {
                Some(Place::Blocks(start, end)) => (start, end),
                _ => (0, 0),
            };
            return Self::SearchResult {
                cited_text,
                search_result_index,
                source: citation.url.as_deref().unwrap_or_default(),
                title: document_title,
                start_block_index,
                end_block_index,
            };
        }
        let Some(document_index) = citation.document else {
            return Self::Page {
                cited_text,
                encrypted_index: "",
                title: document_title,
                url: citation.url.as_deref().unwrap_or_default(),
            };
        };
        match citation.place.unwrap_or(Place::Chars(0, 0)) {
            Place::Chars(start_char_index, end_char_index) => Self::Chars {
                cited_text,
                document_index,
                document_title,
                start_char_index,
                end_char_index,
            },
            Place::Pages(start_page_number, end_page_number) => Self::Pages {
                cited_text,
                document_index,
                document_title,
                start_page_number,
                end_page_number,
            },
            Place::Blocks(start_block_index, end_block_index) => Self::Blocks {
                cited_text,
                document_index,
                document_title,
                start_block_index,
                end_block_index,
            },
        }
    }
}
