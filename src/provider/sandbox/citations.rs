//! Citations of documents that ask for them: the beginning of each, with its place.
//! <https://platform.claude.com/docs/en/build-with-claude/citations>. Pure.

use serde_json::{Value, json};

use super::{fields::Fields, refusal::Refusal, reply};

/// Most characters of a document that are cited.
const MOST: usize = 200;
/// What a PDF says: the sandbox reads none.
const PAGE: &str = "Page 1";

/// A piece of the answer that rests on a document.
#[derive(Debug)]
pub struct Cited {
    /// Its words.
    pub text: String,
    /// What they rest on, as the API has it.
    pub citation: Value,
}

impl Cited {
    /// Its tokens. What is cited is not billed, what is said of it is.
    pub fn tokens(&self) -> u64 {
        reply::tokens(&self.text)
    }
}

/// What is said of the documents in `messages` whose citations are wanted, in their order.
pub fn of_messages(messages: &[Value]) -> Result<Vec<Cited>, Refusal> {
    let parts = messages.iter().filter_map(|message| message.get("content")?.as_array()).flatten();
    let documents = parts.filter(|part| part.get("type") == Some(&json!("document")));
    let wanted = documents.enumerate().filter(|(_, document)| {
        document.pointer("/citations/enabled").and_then(Value::as_bool) == Some(true)
    });
    wanted.map(|(index, document)| cited(index, Fields::of(document, "document")?)).collect()
}

fn cited(index: usize, document: Fields<'_>) -> Result<Cited, Refusal> {
    let source = Fields::of(document.required("source")?, "document.source")?;
    let (kind, quote, (start, first), (end, behind)) = match source.text("type")? {
        "text" => {
            let quote = beginning(source.text("data")?);
            let length = quote.chars().count();
            ("char_location", quote, ("start_char_index", 0), ("end_char_index", length))
        }
        "content" => {
            let quote = beginning(first_block(source.required("content")?));
            ("content_block_location", quote, ("start_block_index", 0), ("end_block_index", 1))
        }
        _ => ("page_location", PAGE, ("start_page_number", 1), ("end_page_number", 2)),
    };
    let title = document.optional_text("title")?;
    let name = title.map_or_else(|| format!("Document {index}"), |title| format!("“{title}”"));
    Ok(Cited {
        text: format!("\n\n{name} begins: {quote}"),
        citation: json!({
            "type": kind,
            "cited_text": quote,
            "document_index": index,
            "document_title": title,
            "file_id": null,
            start: first,
            end: behind
        }),
    })
}

/// The text of content that is given in pieces.
fn first_block(content: &Value) -> &str {
    let block = content.get(0).and_then(|block| block.get("text"));
    block.unwrap_or(content).as_str().unwrap_or_default()
}

/// The first sentence, as far as it is cited.
fn beginning(text: &str) -> &str {
    let sentence = text.find(['.', '!', '?']).map_or(text.len(), |at| at + 1);
    let most = text.char_indices().nth(MOST).map_or(text.len(), |(at, _)| at);
    text.get(..sentence.min(most)).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_cited_by_its_first_sentence_in_its_own_units() {
        let document = |source: Value, wanted: bool| {
            json!({"type": "document", "title": "T", "source": source,
                "citations": {"enabled": wanted}})
        };
        let text = |data: &str| json!({"type": "text", "media_type": "text/plain", "data": data});
        let messages = json!([{"role": "user", "content": [
            document(text("Unwanted."), false),
            document(text("Grün ist es. Mehr."), true),
            document(json!({"type": "content", "content": [{"type": "text", "text": "A piece"}]}), true),
            document(json!({"type": "base64", "media_type": "application/pdf", "data": "JVBERi0="}), true),
            {"type": "text", "text": "Well?"},
        ]}, {"role": "assistant", "content": "Yes."}]);
        let cited = of_messages(messages.as_array().unwrap()).unwrap();
        let told: Vec<Value> = cited.into_iter().map(|cited| cited.citation).collect();
        let own = |kind: &str, index: usize, quote: &str, start: (&str, u64), end: (&str, u64)| {
            json!({"type": kind, "cited_text": quote, "document_index": index,
                "document_title": "T", "file_id": null, start.0: start.1, end.0: end.1})
        };
        assert_eq!(
            told,
            [
                own(
                    "char_location",
                    1,
                    "Grün ist es.",
                    ("start_char_index", 0),
                    ("end_char_index", 12)
                ),
                own(
                    "content_block_location",
                    2,
                    "A piece",
                    ("start_block_index", 0),
                    ("end_block_index", 1)
                ),
                own("page_location", 3, "Page 1", ("start_page_number", 1), ("end_page_number", 2)),
            ]
        );
    }

    #[test]
    fn no_more_than_a_part_of_a_long_sentence_is_cited() {
        assert_eq!(beginning(&"ä".repeat(500)).chars().count(), MOST);
        assert_eq!(beginning(""), "");
    }
}
