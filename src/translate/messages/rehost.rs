//! A client's own message for Claude on another platform: the envelope changes, nothing else.
//!
//! Amazon Bedrock: <https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-anthropic-claude-messages-request-response.html>
//! (the model is in the path, and whether to stream; betas are in the body). Vertex AI:
//! <https://platform.claude.com/docs/en/build-with-claude/claude-on-vertex-ai> (the model is in the
//! path; betas are in the header, as at Anthropic).

use std::borrow::Cow;

use serde_json::{Value, value::RawValue};

use super::words::{BEDROCK_VERSION, VERTEX_VERSION};
use crate::{
    translate::{Platform, betas, form::Refusal},
    wire::members::{Member, members, rebuilt, replaced, value_at},
};

/// Members that hint at something which only Anthropic's own API has; Bedrock refuses unknown members.
const OWN_MEMBERS: [&str; 3] = ["inference_geo", "service_tier", "speed"];
/// The same of tools and of cache marks. Claude Code sends them with betas that are not told here:
/// <https://github.com/anthropics/claude-code/issues/32820>.
const OWN_HINTS: [&str; 3] = ["defer_loading", "eager_input_streaming", "scope"];

/// The beta with which tools are searched for.
const TOOL_SEARCH: &str = "tool-search-tool-";

/// The body as `platform` wants it for `model`. `betas` are those of the client's `anthropic-beta` header;
/// Bedrock is told those of them that it knows for the model, and all of the body's own `anthropic_beta`.
///
/// # Errors
/// When the body is not one JSON object, or its `anthropic_beta` is no list of strings.
pub fn rehost_request(
    body: &[u8],
    platform: Platform,
    model: &str,
    betas: &[&str],
) -> Result<Vec<u8>, Refusal> {
    let version = match platform {
        Platform::Own => return Ok(body.to_vec()),
        Platform::Bedrock => BEDROCK_VERSION,
        Platform::Vertex => VERTEX_VERSION,
    };
    let betas = match platform {
        Platform::Bedrock => betas::of_invoke(model, betas.iter().copied()),
        // Others are told in a header.
        Platform::Own | Platform::Vertex => Vec::new(),
    };
    let body =
        &*if platform == Platform::Bedrock { without_hints(body, &betas) } else { body.into() };
    let members =
        members(body).ok_or_else(|| Refusal::invalid("", "the body is no JSON object"))?;
    let mut dropped = vec!["model", "anthropic_version"];
    let mut first = format!(r#""anthropic_version":"{version}""#);
    if platform == Platform::Bedrock {
        dropped.push("stream");
        dropped.extend(OWN_MEMBERS);
        if !betas.is_empty() {
            dropped.push("anthropic_beta");
            let own = value_at(body, &["anthropic_beta"]).and_then(|place| body.get(place));
            first.push_str(r#","anthropic_beta":"#);
            first.push_str(&all_betas(own, &betas)?);
        }
    }
    let keep = |member: &Member| !dropped.iter().any(|name| member.is_named(body, name));
    Ok(rebuilt(body, &members, keep, first.as_bytes()))
}

/// The body without [`OWN_HINTS`] of its tools and cache marks; as it is where it has none. Tools stay
/// deferred where the search for them is told.
fn without_hints<'b>(body: &'b [u8], betas: &[&str]) -> Cow<'b, [u8]> {
    let has = |word: &str| memchr::memmem::find(body, word.as_bytes()).is_some();
    if !OWN_HINTS.iter().any(|name| has(&format!("\"{name}\""))) {
        return body.into();
    }
    let searches = betas.iter().any(|beta| beta.starts_with(TOOL_SEARCH)) || has(TOOL_SEARCH);
    let Ok(mut whole) = serde_json::from_slice::<Value>(body) else { return body.into() };
    let mut removed = false;
    for tool in whole.get_mut("tools").and_then(Value::as_array_mut).into_iter().flatten() {
        if let Value::Object(tool) = tool {
            removed |= !searches && tool.shift_remove("defer_loading").is_some();
            removed |= tool.shift_remove("eager_input_streaming").is_some();
        }
    }
    removed |= unscope(&mut whole);
    if !removed {
        return body.into();
    }
    serde_json::to_vec(&whole).map_or_else(|_| body.into(), Into::into)
}

/// Takes `scope` off every cache mark; whether there was one. What a tool is given, and its schema, are
/// nobody's marks.
fn unscope(value: &mut Value) -> bool {
    match value {
        Value::Array(list) => list.iter_mut().fold(false, |removed, one| unscope(one) | removed),
        Value::Object(members) => {
            let mark = members.get_mut("cache_control").and_then(Value::as_object_mut);
            let removed = mark.is_some_and(|mark| mark.shift_remove("scope").is_some());
            let inner = members
                .iter_mut()
                .filter(|(name, _)| !matches!(&***name, "input" | "input_schema"));
            inner.fold(removed, |removed, (_, one)| unscope(one) | removed)
        }
        _ => false,
    }
}

/// Those of the body, then those of the header that are not among them.
fn all_betas(own: Option<&[u8]>, betas: &[&str]) -> Result<String, Refusal> {
    let own = own.filter(|raw| *raw != b"null").unwrap_or(b"[]");
    let mut all: Vec<String> = serde_json::from_slice(own).map_err(|_| {
        Refusal::invalid("anthropic_beta", "`anthropic_beta` must be a list of strings")
    })?;
    for beta in betas {
        if !all.iter().any(|known| known == beta) {
            all.push((*beta).to_owned());
        }
    }
    Ok(serde_json::to_string(&all).unwrap_or_default())
}

/// The answer with `model` as its model. Whatever has none (an error) stays as it is.
#[must_use]
pub fn rehost_answer(body: &[u8], model: &str) -> Vec<u8> {
    renamed(body, &["model"], model).unwrap_or_else(|| body.to_vec())
}

/// `text` with `model` at a path; none where nothing is there.
pub(super) fn renamed(text: &[u8], path: &[&str], model: &str) -> Option<Vec<u8>> {
    let place = value_at(text, path)?;
    let literal = serde_json::value::to_raw_value(model).ok()?;
    Some(replaced(text, place, RawValue::get(&literal).as_bytes()))
}
