//! Tools, and whether they must be called.
//! <https://github.com/openai/openai-python/blob/main/src/openai/types/responses/tool_param.py>

use serde::Deserialize;
use serde_json::value::RawValue;

use super::super::{
    custom_tool,
    form::{Pictures, Refusal, Text, Tool, ToolChoice, ToolKind},
};

/// A tool as clients write it: one type for those that are translated.
#[derive(Default, Deserialize)]
#[serde(default)]
struct ToolIn<'a> {
    #[serde(borrow)]
    name: Option<Text<'a>>,
    #[serde(borrow)]
    description: Option<Text<'a>>,
    #[serde(borrow)]
    parameters: Option<&'a RawValue>,
    strict: Option<bool>,
    #[serde(borrow)]
    search_context_size: Option<Text<'a>>,
    #[serde(borrow)]
    user_location: Option<&'a RawValue>,
    #[serde(borrow)]
    filters: Option<Filters<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Filters<'a> {
    #[serde(borrow)]
    allowed_domains: Option<Vec<Text<'a>>>,
    #[serde(borrow)]
    blocked_domains: Option<Vec<Text<'a>>>,
}

/// What of `image_generation` is no hint.
#[derive(Default, Deserialize)]
#[serde(default)]
struct ImageIn<'a> {
    #[serde(borrow)]
    size: Option<Text<'a>>,
    #[serde(borrow)]
    background: Option<Text<'a>>,
    #[serde(borrow)]
    input_image_mask: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Kind<'a> {
    #[serde(borrow, rename = "type")]
    kind: Text<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ChoiceIn<'a> {
    #[serde(borrow, rename = "type")]
    kind: Option<Text<'a>>,
    #[serde(borrow)]
    name: Option<Text<'a>>,
    #[serde(borrow)]
    mode: Option<Text<'a>>,
    #[serde(borrow)]
    tools: Option<Vec<AllowedIn<'a>>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct AllowedIn<'a> {
    #[serde(borrow, rename = "type")]
    kind: Option<Text<'a>>,
    #[serde(borrow)]
    name: Option<Text<'a>>,
}

/// Reads the list: the tools that are called, and whether pictures are asked for, which is a tool here.
///
/// # Errors
/// When a tool has no type, or a function no name.
pub fn tools<'a>(list: &[&'a RawValue]) -> Result<(Vec<Tool<'a>>, Option<Pictures<'a>>), Refusal> {
    let mut tools = Vec::with_capacity(list.len());
    let mut pictures = None;
    for (index, raw) in list.iter().enumerate() {
        let at = |member: &str| format!("tools[{index}]{member}");
        let kind: Kind<'_> = serde_json::from_str(raw.get())
            .map_err(|_| Refusal::invalid(at(".type"), format!("`{}` is missing", at(".type"))))?;
        if &*kind.kind == "image_generation" {
            pictures = Some(image_generation(raw, index)?);
        } else {
            tools.push(tool(index, kind, raw)?);
        }
    }
    Ok((tools, pictures))
}

/// `image_generation`: what a model that makes pictures itself is asked for. Quality, format and such are
/// hints.
/// <https://platform.openai.com/docs/guides/tools-image-generation>
fn image_generation(raw: &RawValue, index: usize) -> Result<Pictures<'_>, Refusal> {
    let members: ImageIn<'_> = serde_json::from_str(raw.get()).unwrap_or_default();
    let set = |word: &Option<Text<'_>>| word.as_deref().is_some_and(|word| word != "auto");
    let asked = [
        ("size", set(&members.size)),
        ("background", set(&members.background)),
        ("input_image_mask", members.input_image_mask.is_some_and(|raw| raw.get() != "null")),
    ];
    match asked.into_iter().find(|(_, asked)| *asked) {
        Some((name, _)) => {
            let at = format!("tools[{index}].{name}");
            let message = format!("`{at}` is not supported for this model's vendor; leave it out");
            Err(Refusal::unsupported(at, message))
        }
        None => Ok(Pictures { alone: false, param: format!("tools[{index}]").into() }),
    }
}

fn tool<'a>(index: usize, kind: Kind<'a>, raw: &'a RawValue) -> Result<Tool<'a>, Refusal> {
    let at = |member: &str| format!("tools[{index}]{member}");
    let function = &*kind.kind == "function";
    let search = kind.kind.starts_with("web_search");
    let kind = if &*kind.kind == "custom" {
        custom_tool::read(raw, index)?
    } else if function || search {
        let fields: ToolIn<'_> = serde_json::from_str(raw.get()).map_err(|fault| {
            let said = fault.to_string();
            let said = said.split(" at line ").next().unwrap_or_default();
            Refusal::invalid(at(""), format!("`{}`: {said}", at("")))
        })?;
        if search { web_search(fields) } else { a_function(fields, at)? }
    } else {
        ToolKind::Other { name: kind.kind, raw }
    };
    Ok(Tool { kind, cache: None })
}

fn a_function(fields: ToolIn<'_>, at: impl Fn(&str) -> String) -> Result<ToolKind<'_>, Refusal> {
    let name = fields
        .name
        .filter(|name| !name.is_empty())
        .ok_or_else(|| Refusal::invalid(at(".name"), format!("`{}` is missing", at(".name"))))?;
    Ok(ToolKind::Function {
        name,
        description: fields.description,
        parameters: fields.parameters,
        strict: fields.strict,
    })
}

fn web_search(fields: ToolIn<'_>) -> ToolKind<'_> {
    let filters = fields.filters.unwrap_or_default();
    ToolKind::WebSearch {
        max_uses: None,
        context_size: fields.search_context_size,
        user_location: fields.user_location,
        allowed_domains: filters.allowed_domains.unwrap_or_default(),
        blocked_domains: filters.blocked_domains.unwrap_or_default(),
    }
}

/// Reads `tool_choice`: a word, a tool, or the tools that are allowed.
///
/// # Errors
/// When it is none of these, or one of the API's own tools: no other vendor has it.
pub fn choice(raw: &RawValue) -> Result<Option<ToolChoice<'_>>, Refusal> {
    if raw.get() == "null" {
        return Ok(None);
    }
    if raw.get().starts_with('"') {
        let word: Text<'_> = parse(raw)?;
        return match &*word {
            "auto" => Ok(Some(ToolChoice::Auto)),
            "none" => Ok(Some(ToolChoice::None)),
            "required" => Ok(Some(ToolChoice::Required)),
            _ => Err(wrong("one of `auto`, `none`, `required`, or an object")),
        };
    }
    let choice: ChoiceIn<'_> = parse(raw)?;
    match choice.kind.as_deref() {
        Some("function" | "custom") => {
            let name = choice.name.ok_or_else(|| wrong("`name` is missing"))?;
            Ok(Some(ToolChoice::Named(name)))
        }
        Some("allowed_tools") => {
            let required = match choice.mode.as_deref() {
                Some("required") => true,
                None | Some("auto") => false,
                _ => return Err(wrong("`mode` is one of `auto`, `required`")),
            };
            let tools = choice.tools.unwrap_or_default();
            let names = tools.into_iter().filter_map(|tool| tool.name.or(tool.kind)).collect();
            Ok(Some(ToolChoice::Allowed { names, required }))
        }
        Some(other) => {
            let message = format!(
                "`tool_choice` of type `{other}` is not supported for this model's vendor; use `auto`, `required` or a function"
            );
            Err(Refusal::unsupported("tool_choice", message))
        }
        None => Err(wrong("`type` is missing")),
    }
}

fn parse<'a, T: Deserialize<'a>>(raw: &'a RawValue) -> Result<T, Refusal> {
    serde_json::from_str(raw.get()).map_err(|fault| {
        let said = fault.to_string();
        wrong(said.split(" at line ").next().unwrap_or_default())
    })
}

fn wrong(said: &str) -> Refusal {
    Refusal::invalid("tool_choice", format!("`tool_choice`: {said}"))
}
