//! A vendor's whole answer, read.
//! <https://platform.openai.com/docs/api-reference/responses/object>

use super::{
    super::{
        Unreadable,
        form::{Answer, Media, Part, PartKind, PartPath, Source, Text, ToolCall},
    },
    items_in::{ContentIn, ItemIn, ResponseIn, citation, item},
};
use crate::dialect::{StreamError, read_openai_usage};

/// Reads the body.
///
/// # Errors
/// When it is none, or the response failed or is not there yet.
pub fn read_answer(body: &[u8]) -> Result<Answer<'_>, Unreadable> {
    let response: ResponseIn<'_> =
        serde_json::from_slice(body).map_err(|fault| Unreadable(fault.to_string()))?;
    match response.status.as_deref() {
        None | Some("completed" | "incomplete") => {}
        Some(status) => {
            let error = response.error.filter(|error| error.get() != "null");
            let said = error.map(|error| StreamError::of(error.get().as_bytes()).message);
            let said = said.unwrap_or_else(|| "no error is told".to_owned());
            return Err(Unreadable(format!("the response is `{status}`: {said}")));
        }
    }
    let Some(output) = &response.output else {
        return Err(Unreadable("`output` is missing".to_owned()));
    };
    let mut answer = Answer::default();
    let mut chars = 0;
    for raw in output {
        if let Some(item) = item(raw) {
            add(item, &mut chars, &mut answer);
        }
    }
    let calls = answer.parts.iter().any(|part| matches!(part.kind, PartKind::ToolCall(_)));
    answer.stop = Some(response.stop(calls));
    answer.usage = response.usage.and_then(|raw| read_openai_usage(raw.get().as_bytes()));
    #[expect(clippy::cast_possible_truncation, reason = "saturates; seconds, some as 1.7e9")]
    let created = response.created_at.map(|seconds| seconds as i64);
    Ok(Answer {
        id: response.id,
        model: response.model,
        created,
        service_tier: response.service_tier,
        ..answer
    })
}

/// Adds an item. Items of the vendor's own tools are its affair: what came of them is in the text.
fn add<'a>(item: ItemIn<'a>, chars: &mut u64, answer: &mut Answer<'a>) {
    let new = |kind| Part::new(kind, PartPath::default());
    match &*item.kind {
        "message" => {
            for part in item.content.unwrap_or_default() {
                said(part, chars, answer);
            }
        }
        "reasoning" => {
            answer.parts.extend(item.thinking().map(|one| new(PartKind::Thinking(one))));
        }
        kind @ ("function_call" | "custom_tool_call") => {
            let custom = kind == "custom_tool_call";
            let Some((id, name)) = item.call_id.or(item.id).zip(item.name) else { return };
            let arguments = if custom { item.input } else { item.arguments };
            let arguments = arguments.filter(|text| custom || !text.trim().is_empty());
            let empty = if custom { "" } else { "{}" };
            let arguments = arguments.unwrap_or_else(|| empty.into());
            let call = ToolCall { id, name, arguments, signature: None, custom };
            answer.parts.push(new(PartKind::ToolCall(call)));
        }
        "image_generation_call" => {
            if let Some(data) = item.result {
                let mime = Some(Text::from("image/png"));
                let picture = Media { mime, ..Media::at(Source::Base64(data)) };
                answer.parts.push(new(PartKind::Image(picture)));
            }
        }
        _ => {}
    }
}

fn said<'a>(part: ContentIn<'a>, chars: &mut u64, answer: &mut Answer<'a>) {
    let new = |kind| Part::new(kind, PartPath::default());
    if let Some(refusal) = part.refusal {
        answer.parts.push(new(PartKind::Refusal(refusal)));
        return;
    }
    let Some(text) = part.text else { return };
    let annotations = part.annotations.unwrap_or_default();
    answer.citations.extend(annotations.into_iter().filter_map(|raw| citation(raw, *chars)));
    *chars += text.chars().count() as u64;
    answer.parts.push(new(PartKind::Text(text)));
}
