//! What Anthropic's own tools did, and searches of the client's found, told as text: other vendors do not
//! have these blocks, and a conversation may go on at another at any turn.
//!
//! <https://platform.claude.com/docs/en/agents-and-tools/tool-use/server-tools>,
//! <https://platform.claude.com/docs/en/build-with-claude/search-results>; the blocks' members:
//! <https://github.com/anthropics/anthropic-sdk-python/tree/main/src/anthropic/types>

use serde_json::{Value, value::RawValue};

/// How a block is told.
pub(super) enum Told {
    /// In words.
    Words(String),
    /// Not at all: a call whose result says what it was about, or one without words.
    Nothing,
}

/// Tells a block; none where it is no such block, or holds something that words cannot tell.
pub(super) fn told(kind: &str, raw: &RawValue) -> Option<Told> {
    let is_result = kind.ends_with("_tool_result");
    if !is_result && !matches!(kind, "server_tool_use" | "mcp_tool_use") {
        return None;
    }
    let block: Value = serde_json::from_str(raw.get()).ok()?;
    let mut lines = Vec::new();
    if is_result {
        if let Some(content) = block.get("content") {
            words(content, &mut lines)?;
        }
        let tool = kind.trim_end_matches("_tool_result");
        return Some(said(&format!("Result of {tool}:"), &lines));
    }
    let name = text(&block, "name")?;
    if ["web_search", "web_fetch", "tool_search"].iter().any(|own| name.starts_with(own)) {
        return Some(Told::Nothing);
    }
    let input = block.get("input")?;
    // The code itself, where there is one, is for reading.
    let code = ["code", "command"].into_iter().find_map(|member| text(input, member));
    lines.push(code.map_or_else(|| input.to_string(), str::to_owned));
    Some(said(&format!("Ran {name}:"), &lines))
}

/// Tells what a search of the client's found; none where it holds something that words cannot tell.
pub(in crate::translate) fn found(raw: &RawValue) -> Option<String> {
    let block: Value = serde_json::from_str(raw.get()).ok()?;
    let mut lines = Vec::new();
    words(&block, &mut lines)?;
    Some(lines.join("\n"))
}

/// Apart from the model's own words before and behind it, which may be put together with it.
fn said(head: &str, lines: &[String]) -> Told {
    if lines.is_empty() {
        return Told::Nothing;
    }
    Told::Words(format!("\n\n{head}\n{}\n\n", lines.join("\n")))
}

/// Adds the words of a content; none where something in it has none.
fn words(content: &Value, lines: &mut Vec<String>) -> Option<()> {
    let add = |lines: &mut Vec<String>, member: &str| {
        let own = text(content, member).filter(|text| !text.is_empty());
        lines.extend(own.map(str::to_owned));
    };
    match content {
        Value::Null => return Some(()),
        Value::String(text) => {
            lines.push(text.clone());
            return Some(());
        }
        Value::Array(list) => return list.iter().try_for_each(|one| words(one, lines)),
        _ => {}
    }
    match text(content, "type")? {
        "text" => add(lines, "text"),
        "web_search_result" => {
            let url = text(content, "url").unwrap_or_default();
            lines.push(format!("- {}: {url}", text(content, "title").unwrap_or_default()));
        }
        "search_result" => {
            add(lines, "title");
            add(lines, "source");
            words(content.get("content")?, lines)?;
        }
        "web_fetch_result" => {
            add(lines, "url");
            words(content.get("content")?, lines)?;
        }
        "document" => {
            add(lines, "title");
            let source = content.get("source")?;
            if text(source, "type")? != "text" {
                return None;
            }
            lines.push(text(source, "data")?.to_owned());
        }
        "code_execution_result" | "bash_code_execution_result" => {
            add(lines, "stdout");
            add(lines, "stderr");
            words(content.get("content").unwrap_or(&Value::Null), lines)?;
        }
        "code_execution_output" | "bash_code_execution_output" => {
            lines.push(format!("File: {}", text(content, "file_id")?));
        }
        "text_editor_code_execution_view_result" => add(lines, "content"),
        "text_editor_code_execution_str_replace_result" => {
            words(content.get("lines").unwrap_or(&Value::Null), lines)?;
        }
        "text_editor_code_execution_create_result" | "tool_search_tool_search_result" => {}
        error if error.ends_with("_error") => {
            lines.push(format!("It failed: {}", text(content, "error_code").unwrap_or("error")));
        }
        _ => return None,
    }
    Some(())
}

fn text<'v>(object: &'v Value, member: &str) -> Option<&'v str> {
    object.get(member)?.as_str()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn tell(block: &Value) -> Option<String> {
        let raw = serde_json::value::to_raw_value(block).unwrap();
        if block["type"] == "search_result" {
            return found(&raw);
        }
        let told = told(block["type"].as_str().unwrap(), &raw)?;
        Some(match told {
            Told::Words(words) => words.trim().to_owned(),
            Told::Nothing => "-".to_owned(),
        })
    }

    #[test]
    fn what_was_found_is_told_and_what_was_asked_is_not() {
        for (block, words) in [
            (
                json!({"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search",
                    "input": {"query": "Köln"}}),
                "-",
            ),
            (
                json!({"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": [
                    {"type": "web_search_result", "title": "Köln", "url": "https://koeln.test",
                        "encrypted_content": "EqgB", "page_age": null}]}),
                "Result of web_search:\n- Köln: https://koeln.test",
            ),
            (
                json!({"type": "web_search_tool_result", "tool_use_id": "s", "content":
                    {"type": "web_search_tool_result_error", "error_code": "max_uses_exceeded"}}),
                "Result of web_search:\nIt failed: max_uses_exceeded",
            ),
            (json!({"type": "web_search_tool_result", "tool_use_id": "s", "content": []}), "-"),
            (
                json!({"type": "web_fetch_tool_result", "tool_use_id": "s", "content":
                    {"type": "web_fetch_result", "url": "https://a.test", "content":
                        {"type": "document", "title": "A",
                            "source": {"type": "text", "media_type": "text/plain", "data": "Words."}}}}),
                "Result of web_fetch:\nhttps://a.test\nA\nWords.",
            ),
            (
                json!({"type": "server_tool_use", "id": "s", "name": "bash_code_execution",
                    "input": {"command": "ls"}}),
                "Ran bash_code_execution:\nls",
            ),
            (
                json!({"type": "bash_code_execution_tool_result", "tool_use_id": "s", "content":
                    {"type": "bash_code_execution_result", "stdout": "a.csv", "stderr": "",
                        "return_code": 0,
                        "content": [{"type": "bash_code_execution_output", "file_id": "file_1"}]}}),
                "Result of bash_code_execution:\na.csv\nFile: file_1",
            ),
            (
                json!({"type": "mcp_tool_use", "id": "m", "name": "find", "server_name": "crm",
                    "input": {"q": 1}}),
                "Ran find:\n{\"q\":1}",
            ),
            (
                json!({"type": "mcp_tool_result", "tool_use_id": "m", "is_error": false,
                    "content": [{"type": "text", "text": "Two rows."}]}),
                "Result of mcp:\nTwo rows.",
            ),
            (
                json!({"type": "search_result", "source": "https://b.test", "title": "B",
                    "content": [{"type": "text", "text": "One."}, {"type": "text", "text": "Two."}],
                    "citations": {"enabled": true}}),
                "B\nhttps://b.test\nOne.\nTwo.",
            ),
        ] {
            assert_eq!(tell(&block).as_deref(), Some(words), "{block}");
        }
    }

    #[test]
    fn what_words_cannot_tell_is_not_told() {
        for block in [
            json!({"type": "container_upload", "file_id": "f"}),
            json!({"type": "web_fetch_tool_result", "content": {"type": "web_fetch_result",
                "url": "https://a.test", "content": {"type": "document",
                    "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBE"}}}}),
            json!({"type": "mcp_tool_result", "content": [{"type": "image"}]}),
            json!({"type": "later_tool_result", "content": {"type": "later_result"}}),
        ] {
            assert_eq!(tell(&block), None, "{block}");
        }
    }
}
