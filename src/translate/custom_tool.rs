//! Tools that take free text, as both of `OpenAI`'s dialects have them: chat completions with an object
//! around their members, Responses without.
//! <https://platform.openai.com/docs/guides/function-calling#custom-tools>

use serde::Deserialize;
use serde_json::value::RawValue;

use super::form::{Grammar, Refusal, Text, ToolKind, read_json};

#[derive(Deserialize)]
struct CustomIn<'a> {
    #[serde(borrow)]
    custom: Option<Box<CustomIn<'a>>>,
    #[serde(borrow)]
    name: Option<Text<'a>>,
    #[serde(borrow)]
    description: Option<Text<'a>>,
    #[serde(borrow)]
    format: Option<FormatIn<'a>>,
}

#[derive(Deserialize)]
struct FormatIn<'a> {
    #[serde(rename = "type", borrow)]
    kind: Option<Text<'a>>,
    #[serde(borrow)]
    grammar: Option<GrammarIn<'a>>,
    #[serde(borrow)]
    syntax: Option<Text<'a>>,
    #[serde(borrow)]
    definition: Option<Text<'a>>,
}

#[derive(Deserialize)]
struct GrammarIn<'a> {
    #[serde(borrow)]
    syntax: Option<Text<'a>>,
    #[serde(borrow)]
    definition: Option<Text<'a>>,
}

/// Reads `tools[index]`, of either form.
///
/// # Errors
/// When it has no name, or a format that is none.
pub fn read(raw: &RawValue, index: usize) -> Result<ToolKind<'_>, Refusal> {
    let at = |inside: &str| match inside {
        "" | "." => format!("tools[{index}]"),
        inside => format!("tools[{index}].{inside}"),
    };
    let tool: CustomIn<'_> = read_json(raw.get().as_bytes()).map_err(|fault| {
        let at = at(fault.param.as_deref().unwrap_or_default());
        let said = fault.message.split_once("`: ").map_or(&*fault.message, |(_, said)| said);
        Refusal::invalid(&*at, format!("`{at}`: {said}"))
    })?;
    let (tool, around) = match tool.custom {
        Some(inner) => (*inner, "custom."),
        None => (tool, ""),
    };
    let lacks = |member: &str| {
        let at = at(&format!("{around}{member}"));
        Refusal::invalid(&*at, format!("`{at}` is missing"))
    };
    let name = tool.name.filter(|name| !name.is_empty()).ok_or_else(|| lacks("name"))?;
    let grammar = match tool.format {
        Some(format) if format.kind.as_deref() == Some("grammar") => {
            let own = format.grammar;
            let (syntax, definition) =
                own.map_or((format.syntax, format.definition), |own| (own.syntax, own.definition));
            Some(Grammar {
                syntax: syntax.ok_or_else(|| lacks("format.syntax"))?,
                definition: definition.ok_or_else(|| lacks("format.definition"))?,
            })
        }
        Some(_) | None => None,
    };
    Ok(ToolKind::Custom { name, description: tool.description, grammar })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(json: &str) -> String {
        let raw: &RawValue = serde_json::from_str(json).unwrap();
        match read(raw, 2) {
            Ok(ToolKind::Custom { name, description, grammar }) => {
                let grammar = grammar.map(|own| format!("{}: {}", &*own.syntax, &*own.definition));
                format!("{} {description:?} {grammar:?}", &*name)
            }
            Ok(other) => panic!("{other:?}"),
            Err(refusal) => format!("{} {}", refusal.param.unwrap(), refusal.message),
        }
    }

    #[test]
    fn both_forms_are_read() {
        let sql = r#"sql Some("d") Some("lark: g")"#;
        let flat = r#"{"type":"custom","name":"sql","description":"d","format":{"type":"grammar","syntax":"lark","definition":"g"}}"#;
        let nested = r#"{"type":"custom","custom":{"name":"sql","description":"d","format":{"type":"grammar","grammar":{"syntax":"lark","definition":"g"}}}}"#;
        assert_eq!((told(flat), told(nested)), (sql.to_owned(), sql.to_owned()));
        assert_eq!(told(r#"{"type":"custom","name":"a","format":{"type":"text"}}"#), "a None None");
    }

    #[test]
    fn faults_are_named_where_they_are() {
        for (json, at) in [
            (r#"{"type":"custom"}"#, "tools[2].name"),
            (r#"{"type":"custom","custom":{"name":""}}"#, "tools[2].custom.name"),
            (r#"{"type":"custom","name":5}"#, "tools[2].name"),
            (
                r#"{"type":"custom","name":"a","format":{"type":"grammar"}}"#,
                "tools[2].format.syntax",
            ),
        ] {
            assert!(told(json).starts_with(&format!("{at} `{at}`")), "{}", told(json));
        }
    }
}
