//! What vectors are for, in the words of each vendor.
//!
//! `OpenAI`'s API has no word for it; clients that know another's send that one's, as `input_type` or
//! `task_type`.

use crate::translate::form::Refusal;

/// Google's word, Cohere's, and others'.
/// <https://ai.google.dev/api/embeddings#v1beta.TaskType>,
/// <https://docs.cohere.com/reference/embed>, <https://docs.voyageai.com/docs/embeddings>
const WORDS: [(&str, &str, &[&str]); 8] = [
    ("RETRIEVAL_QUERY", "search_query", &["query"]),
    ("RETRIEVAL_DOCUMENT", "search_document", &["document", "passage"]),
    ("CLASSIFICATION", "classification", &[]),
    ("CLUSTERING", "clustering", &[]),
    ("SEMANTIC_SIMILARITY", "", &[]),
    ("QUESTION_ANSWERING", "", &[]),
    ("FACT_VERIFICATION", "", &[]),
    ("CODE_RETRIEVAL_QUERY", "", &[]),
];

/// What Cohere is told where nobody says, or in words that it has none for.
const DOCUMENT: &str = "search_document";

fn known(word: &str) -> Option<(&'static str, &'static str)> {
    let is = |(google, cohere, others): &&(&str, &str, &[&str])| {
        word.eq_ignore_ascii_case(google)
            || (!word.is_empty() && word == *cohere)
            || others.contains(&word)
    };
    WORDS.iter().find(is).map(|(google, cohere, _)| (*google, *cohere))
}

/// `taskType`.
///
/// # Errors
/// When Google has no word for it.
pub(super) fn of_google(word: Option<&str>) -> Result<Option<&'static str>, Refusal> {
    let Some(word) = word.filter(|word| says_something(word)) else { return Ok(None) };
    let (google, _) = known(word).ok_or_else(|| {
        let message = "Google's models do not know this `input_type`; send one of search_query, \
                       search_document, classification and clustering, or leave it out";
        Refusal::unsupported("input_type", message)
    })?;
    Ok(Some(google))
}

/// `input_type`, which Cohere cannot do without. A word that nobody here knows is its own to judge.
pub(super) fn of_cohere(word: Option<&str>) -> &str {
    let word = word.filter(|word| says_something(word)).unwrap_or(DOCUMENT);
    match known(word) {
        Some((_, "")) => DOCUMENT,
        Some((_, cohere)) => cohere,
        None => word,
    }
}

/// Google's word for no word is its default.
fn says_something(word: &str) -> bool {
    !word.is_empty() && word != "TASK_TYPE_UNSPECIFIED"
}
