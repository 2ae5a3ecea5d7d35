//! What `OpenAI`'s own tools did, told in the words of no vendor: a conversation may go on at another,
//! which has neither these tools nor their items.
//! <https://github.com/openai/openai-python/blob/main/src/openai/types/responses/response_input_param.py>

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{
    super::form::{Media, PartKind, Source, Text},
    input_write::image_type,
};

/// The members of all these items.
#[derive(Default, Deserialize)]
#[serde(default)]
struct ItemIn<'a> {
    #[serde(borrow)]
    action: Option<Action<'a>>,
    #[serde(borrow)]
    results: Option<Vec<Found<'a>>>,
    #[serde(borrow)]
    code: Option<Text<'a>>,
    #[serde(borrow)]
    outputs: Option<Vec<Output<'a>>>,
    #[serde(borrow)]
    name: Option<Text<'a>>,
    #[serde(borrow)]
    arguments: Option<Text<'a>>,
    #[serde(borrow)]
    output: Option<Text<'a>>,
    #[serde(borrow)]
    error: Option<&'a RawValue>,
    #[serde(borrow)]
    result: Option<Text<'a>>,
    #[serde(borrow)]
    output_format: Option<Text<'a>>,
}

/// `action` of a search of the web.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Action<'a> {
    #[serde(borrow)]
    sources: Option<Vec<Page<'a>>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Page<'a> {
    #[serde(borrow)]
    url: Text<'a>,
}

/// A passage of a file.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Found<'a> {
    #[serde(borrow)]
    filename: Option<Text<'a>>,
    #[serde(borrow)]
    text: Option<Text<'a>>,
}

/// What a run of code left.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Output<'a> {
    #[serde(borrow)]
    logs: Option<Text<'a>>,
    #[serde(borrow)]
    url: Option<Text<'a>>,
}

/// How an item is told.
pub enum Told<'a> {
    /// As this.
    Part(PartKind<'a>),
    /// Not at all: what came of it stands in the answer that follows.
    Nothing,
}

/// Tells an item; none where it is not one of these, or cannot be read.
pub fn told<'a>(kind: &str, raw: &'a RawValue) -> Option<Told<'a>> {
    const KNOWN: [&str; 6] = [
        "web_search_call",
        "file_search_call",
        "code_interpreter_call",
        "mcp_call",
        "mcp_list_tools",
        "image_generation_call",
    ];
    if !KNOWN.contains(&kind) {
        return None;
    }
    let item: ItemIn<'a> = serde_json::from_str(raw.get()).ok()?;
    let mut lines: Vec<String> = Vec::new();
    let mut add = |text: Option<Text<'_>>| {
        lines.extend(text.filter(|text| !text.is_empty()).map(|text| text.0.into_owned()));
    };
    match kind {
        "image_generation_call" => return Some(picture(item)),
        // What may be called is said by the request's own tools.
        "mcp_list_tools" => {}
        "web_search_call" => {
            let sources = item.action.and_then(|action| action.sources).unwrap_or_default();
            for page in sources {
                add(Some(page.url));
            }
        }
        "file_search_call" => {
            for found in item.results.unwrap_or_default() {
                add(found.filename);
                add(found.text);
            }
        }
        "code_interpreter_call" => {
            add(item.code);
            for output in item.outputs.unwrap_or_default() {
                add(output.logs);
                add(output.url);
            }
        }
        _ => {
            add(item.name);
            add(item.arguments);
            add(item.output);
            let error = item.error.map(RawValue::get).filter(|error| *error != "null");
            add(error.map(Text::from));
        }
    }
    if lines.is_empty() {
        return Some(Told::Nothing);
    }
    // Apart from the model's own words, which may be put together with it.
    let text = format!("\n\nResult of {kind}:\n{}\n\n", lines.join("\n"));
    Some(Told::Part(PartKind::Text(text.into())))
}

fn picture(item: ItemIn<'_>) -> Told<'_> {
    let Some(data) = item.result.filter(|data| !data.is_empty()) else { return Told::Nothing };
    let mime = match item.output_format {
        Some(format) => format!("image/{}", &*format).into(),
        None => image_type(&data).into(),
    };
    Told::Part(PartKind::Image(Media { mime: Some(mime), ..Media::at(Source::Base64(data)) }))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn tell(item: &Value) -> Option<String> {
        let raw = serde_json::value::to_raw_value(item).unwrap();
        Some(match told(item["type"].as_str().unwrap(), &raw)? {
            Told::Part(PartKind::Text(text)) => text.trim().to_owned(),
            Told::Part(PartKind::Image(media)) => {
                format!("{:?} {:?}", media.mime.as_deref(), media.source)
            }
            Told::Part(other) => panic!("{other:?}"),
            Told::Nothing => "-".to_owned(),
        })
    }

    #[test]
    fn what_tools_found_is_told_and_their_calls_are_not() {
        for (item, words) in [
            (
                json!({"type": "web_search_call", "id": "ws_1", "status": "completed",
                    "action": {"type": "search", "query": "Köln"}}),
                "-",
            ),
            (
                json!({"type": "web_search_call", "id": "ws_1", "status": "completed",
                    "action": {"type": "search", "query": "Köln",
                        "sources": [{"type": "url", "url": "https://a.test"}]}}),
                "Result of web_search_call:\nhttps://a.test",
            ),
            (
                json!({"type": "file_search_call", "id": "fs", "queries": ["q"], "results": [
                    {"file_id": "f", "filename": "a.txt", "score": 0.9, "text": "Words."}]}),
                "Result of file_search_call:\na.txt\nWords.",
            ),
            (
                json!({"type": "code_interpreter_call", "id": "ci", "code": "print(1)",
                    "container_id": "c", "outputs": [{"type": "logs", "logs": "1"}]}),
                "Result of code_interpreter_call:\nprint(1)\n1",
            ),
            (
                json!({"type": "mcp_call", "id": "m", "name": "find", "server_label": "crm",
                    "arguments": "{}", "output": "Two rows.", "error": null}),
                "Result of mcp_call:\nfind\n{}\nTwo rows.",
            ),
            (json!({"type": "mcp_list_tools", "id": "l", "server_label": "crm", "tools": []}), "-"),
            (
                json!({"type": "image_generation_call", "id": "ig", "status": "completed",
                    "result": "iVBO", "output_format": "webp"}),
                r#"Some("image/webp") Base64("iVBO")"#,
            ),
            (
                json!({"type": "image_generation_call", "id": "ig", "status": "completed",
                    "result": "/9j/4AAQ"}),
                r#"Some("image/jpeg") Base64("/9j/4AAQ")"#,
            ),
            (
                json!({"type": "image_generation_call", "id": "ig", "status": "failed",
                    "result": null}),
                "-",
            ),
        ] {
            assert_eq!(tell(&item).as_deref(), Some(words), "{item}");
        }
        assert_eq!(tell(&json!({"type": "computer_call", "id": "c"})), None);
    }
}
