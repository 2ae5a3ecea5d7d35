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

/// Reads the sources: one for each passage that rests on it, or one alone. `texts` are the parts'
/// words, empty for those that are not shown; none in a stream, which is over before this comes.
pub(super) fn read<'a>(raw: &'a RawValue, texts: Option<&[&str]>) -> Vec<Citation<'a>> {
    let Ok(metadata) = serde_json::from_str::<Metadata<'a>>(raw.get()) else { return Vec::new() };
    let pages: Vec<Option<Page<'a>>> = metadata
        .grounding_chunks
        .unwrap_or_default()
        .into_iter()
        .map(|chunk| chunk.web.or(chunk.retrieved_context))
        .collect();
    let mut used = vec![false; pages.len()];
    let mut citations = Vec::new();
    for support in metadata.grounding_supports.unwrap_or_default() {
        let segment = support.segment.unwrap_or_default();
        let span = texts.and_then(|texts| span(&segment, texts));
        for index in support.grounding_chunk_indices.unwrap_or_default() {
            let Some(Some(page)) = pages.get(index) else { continue };
            if let Some(used) = used.get_mut(index) {
                *used = true;
            }
            let quote = segment.text.clone();
            citations.push(Citation { quote, span, ..citation(page.clone()) });
        }
    }
    let alone = pages.into_iter().zip(used).filter(|(_, used)| !used);
    citations.extend(alone.filter_map(|(page, _)| page.map(citation)));
    citations
}

fn citation(page: Page<'_>) -> Citation<'_> {
    Citation { url: page.uri, title: page.title, ..Citation::default() }
}

/// Where a passage stands in the whole text, characters.
fn span(segment: &Segment<'_>, texts: &[&str]) -> Option<(u64, u64)> {
    let part = segment.part_index.unwrap_or(0);
    let text = texts.get(part)?;
    let count = |text: &str| text.chars().count() as u64;
    let before: u64 = texts.iter().take(part).map(|text| count(text)).sum();
    let start = text.get(..segment.start_index.unwrap_or(0))?;
    let end = text.get(..segment.end_index?)?;
    Some((before + count(start), before + count(end)))
}
