//! `groundingMetadata`: what Google's search found, and which words rest on it
//! (<https://ai.google.dev/api/generate-content#GroundingMetadata>).

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::translate::form::{Citation, Text};

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Metadata<'a> {
    #[serde(borrow)]
    grounding_chunks: Option<Vec<Chunk<'a>>>,
    #[serde(borrow)]
    grounding_supports: Option<Vec<Support<'a>>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Chunk<'a> {
    #[serde(borrow)]
    web: Option<Page<'a>>,
    #[serde(borrow)]
    retrieved_context: Option<Page<'a>>,
}

#[derive(Clone, Default, Deserialize)]
#[serde(default)]
struct Page<'a> {
    #[serde(borrow)]
    uri: Option<Text<'a>>,
    #[serde(borrow)]
    title: Option<Text<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Support<'a> {
    #[serde(borrow)]
    segment: Option<Segment<'a>>,
    grounding_chunk_indices: Option<Vec<usize>>,
}

/// A passage; its ends are bytes within one part.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Segment<'a> {
    part_index: Option<usize>,
    start_index: Option<usize>,
    end_index: Option<usize>,
    #[serde(borrow)]
    text: Option<Text<'a>>,
}

/// The words of the answer that passages lie in.
#[derive(Clone, Copy)]
pub(super) enum Said<'t> {
    /// Those of each part, empty for those that are not shown.
    Parts(&'t [&'t str]),
    /// All that a stream has shown. Its parts are the whole text's pieces: passages lie in that.
    Stream(&'t str),
}

/// The sources of an answer.
pub(super) struct Sources<'a> {
    /// One for each passage that rests on it.
    pub(super) supporting: Vec<Citation<'a>>,
    /// Those on which nothing is said to rest.
    pub(super) alone: Vec<Citation<'a>>,
}

/// Reads the sources.
pub(super) fn read<'a>(raw: &'a RawValue, said: Said<'_>) -> Sources<'a> {
    let metadata = serde_json::from_str::<Metadata<'a>>(raw.get()).unwrap_or_default();
    let pages: Vec<Option<Page<'a>>> = metadata
        .grounding_chunks
        .unwrap_or_default()
        .into_iter()
        .map(|chunk| chunk.web.or(chunk.retrieved_context))
        .collect();
    let mut used = vec![false; pages.len()];
    let mut supporting = Vec::new();
    for support in metadata.grounding_supports.unwrap_or_default() {
        let segment = support.segment.unwrap_or_default();
        let span = said.span(&segment);
        for index in support.grounding_chunk_indices.unwrap_or_default() {
            let Some(Some(page)) = pages.get(index) else { continue };
            if let Some(used) = used.get_mut(index) {
                *used = true;
            }
            let quote = segment.text.clone();
            supporting.push(Citation { quote, span, ..citation(page.clone()) });
        }
    }
    let alone = pages.into_iter().zip(used).filter(|(_, used)| !used);
    Sources { supporting, alone: alone.filter_map(|(page, _)| page.map(citation)).collect() }
}

fn citation(page: Page<'_>) -> Citation<'_> {
    Citation { url: page.uri, title: page.title, ..Citation::default() }
}

impl Said<'_> {
    /// Where a passage stands in the whole text, characters.
    fn span(self, segment: &Segment<'_>) -> Option<(u64, u64)> {
        match self {
            Self::Parts(texts) => in_parts(segment, texts),
            Self::Stream(text) => in_stream(segment, text),
        }
    }
}

fn count(text: &str) -> u64 {
    text.chars().count() as u64
}

fn in_parts(segment: &Segment<'_>, texts: &[&str]) -> Option<(u64, u64)> {
    let part = segment.part_index.unwrap_or(0);
    let text = texts.get(part)?;
    let before: u64 = texts.iter().take(part).map(|text| count(text)).sum();
    let start = text.get(..segment.start_index.unwrap_or(0))?;
    let end = text.get(..segment.end_index?)?;
    Some((before + count(start), before + count(end)))
}

/// The ends are held against the words of the passage where those are told: nothing says what Google
/// counts from in a stream.
fn in_stream(segment: &Segment<'_>, text: &str) -> Option<(u64, u64)> {
    let quote = segment.text.as_deref().filter(|quote| !quote.is_empty());
    let start = segment.start_index.unwrap_or(0);
    let told =
        segment.end_index.and_then(|end| text.get(start..end).map(|passage| (start, passage)));
    let told = told.filter(|(_, passage)| quote.is_none_or(|quote| quote == *passage));
    let found = || quote.and_then(|quote| Some((text.find(quote)?, quote)));
    let (start, passage) = told.or_else(found)?;
    let before = count(text.get(..start)?);
    Some((before, before + count(passage)))
}
