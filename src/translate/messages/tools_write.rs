//! Tools of a request for Claude, and the choice of them.
//!
//! <https://platform.claude.com/docs/en/agents-and-tools/tool-use/define-tools>,
//! <https://platform.claude.com/docs/en/agents-and-tools/tool-use/parallel-tool-use>,
//! <https://platform.claude.com/docs/en/agents-and-tools/tool-use/web-search-tool>

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{
    cache::{CacheControl, control},
    schema::closed,
};
use crate::{
    domain::Capability,
    translate::{
        Platform, Target,
        form::{PartKind, Refusal, Request, Text, Tool, ToolChoice, ToolKind},
    },
};

/// A schema that takes no arguments.
const NO_ARGUMENTS: &str = r#"{"type":"object","properties":{}}"#;

/// A tool.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum ToolOut<'a> {
    Function {
        name: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        description: Option<&'a str>,
        input_schema: Cow<'a, RawValue>,
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        strict: bool,
        #[serde(skip_serializing_if = "Option::is_none")]
        cache_control: Option<CacheControl>,
    },
    WebSearch {
        #[serde(rename = "type")]
        kind: &'static str,
        name: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        max_uses: Option<u64>,
        #[serde(skip_serializing_if = "<[Text<'_>]>::is_empty")]
        allowed_domains: &'a [Text<'a>],
        #[serde(skip_serializing_if = "<[Text<'_>]>::is_empty")]
        blocked_domains: &'a [Text<'a>],
        #[serde(skip_serializing_if = "Option::is_none")]
        user_location: Option<Location<'a>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        cache_control: Option<CacheControl>,
    },
}

/// Where the user is; every member of `OpenAI`'s has the same name here, but not the same place.
#[derive(Serialize)]
pub(super) struct Location<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(flatten)]
    place: Place<'a>,
}

#[derive(Default, Deserialize, Serialize)]
#[serde(default)]
struct Place<'a> {
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    city: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    country: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    timezone: Option<Text<'a>>,
}

/// `tool_choice`.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Choice<'a> {
    Auto {
        disable_parallel_tool_use: bool,
    },
    Any {
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        disable_parallel_tool_use: bool,
    },
    Tool {
        name: &'a str,
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        disable_parallel_tool_use: bool,
    },
    None,
}

impl ToolOut<'_> {
    /// The place of its cache mark.
    pub(super) const fn mark(&mut self) -> &mut Option<CacheControl> {
        match self {
            Self::Function { cache_control, .. } | Self::WebSearch { cache_control, .. } => {
                cache_control
            }
        }
    }
}

/// The tools that may be called. Where a history has calls and the request no tools, the ones that were
/// called: a history of tools needs some.
pub(super) fn tools<'a>(
    request: &'a Request<'_>,
    target: &Target<'_>,
) -> Result<Vec<ToolOut<'a>>, Refusal> {
    if request.tools.is_empty() {
        return Ok(called(request));
    }
    let strict = target.facts.may(Capability::JsonSchema);
    let allowed = match &request.tool_choice {
        Some(ToolChoice::Allowed { names, .. }) => Some(names),
        _ => None,
    };
    let mut out = Vec::with_capacity(request.tools.len());
    for (index, tool) in request.tools.iter().enumerate() {
        let left_out =
            |name: &str| allowed.is_some_and(|names| names.iter().all(|one| *one != *name));
        match &tool.kind {
            ToolKind::Function { name, .. } if left_out(name) => {}
            _ => out.push(tool_out(tool, index, strict, target.platform)?),
        }
    }
    Ok(out)
}

fn tool_out<'a>(
    tool: &'a Tool<'_>,
    index: usize,
    may_be_strict: bool,
    platform: Platform,
) -> Result<ToolOut<'a>, Refusal> {
    let cache_control = control(tool.cache);
    match &tool.kind {
        ToolKind::Function { name, description, parameters, strict } => {
            let strict = may_be_strict && *strict == Some(true);
            let schema = input_schema(*parameters);
            Ok(ToolOut::Function {
                name,
                description: description.as_deref().filter(|text| !text.is_empty()),
                input_schema: if strict { strictly(schema) } else { schema },
                strict,
                cache_control,
            })
        }
        ToolKind::WebSearch { .. } if platform == Platform::Bedrock => Err(Refusal::unsupported(
            format!("tools[{index}]"),
            "Claude on Amazon Bedrock cannot search the web; leave the tool out",
        )),
        // `context_size` is a hint that has no counterpart.
        ToolKind::WebSearch {
            max_uses, user_location, allowed_domains, blocked_domains, ..
        } => Ok(ToolOut::WebSearch {
            kind: "web_search_20250305",
            name: "web_search",
            max_uses: *max_uses,
            allowed_domains,
            blocked_domains,
            user_location: user_location.and_then(location),
            cache_control,
        }),
        // Those that take free text were made functions before.
        ToolKind::Other { name, .. } | ToolKind::Custom { name, .. } => {
            let name: &str = name;
            let message =
                format!("the tool `{name}` cannot be translated for Claude; leave it out");
            Err(Refusal::unsupported(format!("tools[{index}]"), message))
        }
    }
}

/// A schema must say that it is of an object; clients leave that out where there are no arguments.
fn input_schema(parameters: Option<&RawValue>) -> Cow<'_, RawValue> {
    #[derive(Deserialize)]
    struct Head<'a> {
        #[serde(rename = "type", borrow)]
        kind: Option<&'a RawValue>,
    }
    let none = || RawValue::from_string(NO_ARGUMENTS.to_owned()).map(Cow::Owned);
    let given = parameters.filter(|raw| raw.get().starts_with('{'));
    let Some(raw) = given else { return none().unwrap_or(Cow::Borrowed(RawValue::NULL)) };
    let head = serde_json::from_str::<Head<'_>>(raw.get());
    if head.is_ok_and(|head| head.kind.is_some()) {
        return Cow::Borrowed(raw);
    }
    let rest = raw.get().get(1..).unwrap_or_default();
    let typed = match rest.trim_start() {
        "}" => return none().unwrap_or(Cow::Borrowed(raw)),
        _ => [r#"{"type":"object","#, rest].concat(),
    };
    RawValue::from_string(typed).map_or(Cow::Borrowed(raw), Cow::Owned)
}

/// The schema as strict tools take it, which are held to it as structured outputs are.
/// <https://platform.claude.com/docs/en/agents-and-tools/tool-use/strict-tool-use>
fn strictly(schema: Cow<'_, RawValue>) -> Cow<'_, RawValue> {
    let closed = closed(&schema);
    let closed = closed.is_object().then(|| RawValue::from_string(closed.to_string()));
    closed.and_then(Result::ok).map_or(schema, Cow::Owned)
}

/// `OpenAI`'s chat completions have the place one level deeper than its Responses.
fn location(raw: &RawValue) -> Option<Location<'_>> {
    #[derive(Deserialize)]
    struct Nested<'a> {
        #[serde(borrow)]
        approximate: Option<Place<'a>>,
    }
    let nested: Option<Nested<'_>> = serde_json::from_str(raw.get()).ok();
    let place = match nested.and_then(|nested| nested.approximate) {
        Some(place) => place,
        None => serde_json::from_str(raw.get()).ok()?,
    };
    Some(Location { kind: "approximate", place })
}

fn called<'a>(request: &'a Request<'_>) -> Vec<ToolOut<'a>> {
    let mut names: Vec<&str> = Vec::new();
    for part in request.turns.iter().flat_map(|turn| &turn.parts) {
        if let PartKind::ToolCall(call) = &part.kind
            && !names.contains(&&*call.name)
        {
            names.push(&call.name);
        }
    }
    let function = |name| ToolOut::Function {
        name,
        description: None,
        input_schema: input_schema(None),
        strict: false,
        cache_control: None,
    };
    names.into_iter().map(function).collect()
}

/// What must be called; none where the model decides as it likes.
pub(super) fn choice<'a>(request: &'a Request<'_>, tools: &[ToolOut<'_>]) -> Option<Choice<'a>> {
    if tools.is_empty() {
        return None;
    }
    if request.tools.is_empty() {
        // They stand there for the history's sake.
        return Some(Choice::None);
    }
    let single = request.parallel_tool_calls == Some(false);
    match request.tool_choice.as_ref() {
        Some(ToolChoice::None) => Some(Choice::None),
        Some(ToolChoice::Required | ToolChoice::Allowed { required: true, .. }) => {
            Some(Choice::Any { disable_parallel_tool_use: single })
        }
        Some(ToolChoice::Named(name)) => {
            Some(Choice::Tool { name, disable_parallel_tool_use: single })
        }
        Some(ToolChoice::Auto | ToolChoice::Allowed { required: false, .. }) | None => {
            single.then_some(Choice::Auto { disable_parallel_tool_use: true })
        }
    }
}
