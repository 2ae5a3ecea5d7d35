//! How a client wants its answer thought out, and in which form.
//!
//! <https://platform.claude.com/docs/en/build-with-claude/adaptive-thinking>,
//! <https://platform.claude.com/docs/en/build-with-claude/structured-outputs>

use serde::Deserialize;
use serde_json::value::RawValue;

use super::schema::is_closed;
use crate::translate::form::{Effort, Format, JsonSchema, Reasoning, Refusal, Text};

#[derive(Deserialize)]
pub(super) struct ThinkingConfig<'a> {
    #[serde(rename = "type", borrow)]
    kind: Text<'a>,
    budget_tokens: Option<u64>,
    display: Option<Text<'a>>,
}

#[derive(Deserialize)]
pub(super) struct OutputConfig<'a> {
    #[serde(borrow)]
    pub(super) effort: Option<Text<'a>>,
    pub(super) format: Option<FormatIn<'a>>,
}

#[derive(Deserialize)]
pub(super) struct FormatIn<'a> {
    #[serde(rename = "type", borrow)]
    kind: Text<'a>,
    schema: Option<&'a RawValue>,
}

/// <https://platform.claude.com/docs/en/build-with-claude/effort>: `high` is the same as nothing.
pub(super) fn read_reasoning(
    thinking: Option<&ThinkingConfig<'_>>,
    config: Option<&OutputConfig<'_>>,
) -> Result<Option<Reasoning>, Refusal> {
    let effort = match config.and_then(|config| config.effort.as_deref()) {
        None => None,
        Some(word) => Some(Effort::named(word).ok_or_else(|| {
            let message = "`output_config.effort` must be low, medium, high, xhigh or max";
            Refusal::invalid("output_config.effort", message)
        })?),
    };
    let Some(thinking) = thinking else {
        return Ok(effort.map(|effort| Reasoning { effort: Some(effort), ..Reasoning::default() }));
    };
    let visible = thinking.display.as_deref().map(|display| display != "omitted");
    let reasoning = match &*thinking.kind {
        // As little as the model can, which is what writers make of "do not think" for models that always
        // do: https://github.com/anthropics/anthropic-sdk-python/blob/main/src/anthropic/types/thinking_config_between_tools_param.py
        "disabled" | "between_tools" => {
            Reasoning { effort: Some(Effort::None), ..Reasoning::default() }
        }
        "adaptive" => {
            Reasoning { effort: effort.or(Some(Effort::High)), max_tokens: None, visible }
        }
        "enabled" => {
            let missing = || {
                let message = "`thinking.budget_tokens` is missing; it goes with `enabled`";
                Refusal::invalid("thinking.budget_tokens", message)
            };
            let budget = thinking.budget_tokens.ok_or_else(missing)?;
            Reasoning { effort, max_tokens: Some(budget), visible }
        }
        _ => {
            let message = "`thinking.type` must be enabled, adaptive, between_tools or disabled";
            return Err(Refusal::invalid("thinking.type", message));
        }
    };
    Ok(Some(reasoning))
}

/// <https://platform.claude.com/docs/en/build-with-claude/structured-outputs>: the answer always
/// matches. Other vendors promise that for closed schemas only.
pub(super) fn read_format<'a>(format: &FormatIn<'a>) -> Result<Format<'a>, Refusal> {
    match (&*format.kind, format.schema) {
        ("json_schema", Some(schema)) => Ok(Format::JsonSchema(JsonSchema {
            name: None,
            description: None,
            schema,
            strict: Some(is_closed(schema)),
        })),
        ("json_schema", None) => Err(Refusal::invalid(
            "output_config.format.schema",
            "`output_config.format.schema` is missing",
        )),
        _ => Err(Refusal::invalid(
            "output_config.format.type",
            "`output_config.format.type` must be json_schema",
        )),
    }
}
