//! Reads an answer that is no stream.

use super::{
    grounding::{self, Said, Sources},
    response_body::{Candidate, Part, Response},
    server_parts,
    stop::{self, Seen},
    usage,
};
use crate::translate::{
    Unreadable,
    form::{
        self, Answer, Media, Origin, PartKind, PartPath, Signature, Source, StopReason, Text,
        Thinking, ToolCall,
    },
};

/// Reads the body of `generateContent`.
pub fn read_answer(body: &[u8]) -> Result<Answer<'_>, Unreadable> {
    let response: Response<'_> = serde_json::from_slice(body).map_err(|fault| {
        let said = fault.to_string();
        Unreadable(format!("it is no answer of Gemini at line {}: {}", fault.line(), class(&said)))
    })?;
    if response.error.is_some() {
        return Err(Unreadable("it is an error with the status of an answer".to_owned()));
    }
    let mut answer = Answer {
        id: response.response_id.clone(),
        model: response.model_version.clone(),
        usage: response.usage_metadata.and_then(usage::read),
        created: response.create_time.as_deref().and_then(seconds),
        ..Answer::default()
    };
    let blocked = response.prompt_feedback.as_ref().is_some_and(|said| said.block_reason.is_some());
    let told = response.usage_metadata.is_some() || response.response_id.is_some();
    match response.into_candidate() {
        Some(candidate) => read_candidate(candidate, &mut answer)?,
        // A prompt that was blocked, said or not, has no candidates.
        None if blocked || told => answer.stop = Some(StopReason::ContentFilter),
        None => return Err(Unreadable("it has no candidates".to_owned())),
    }
    Ok(answer)
}

/// The kind of a fault, without what it was found in.
fn class(said: &str) -> &str {
    said.split([':', ',']).next().unwrap_or_default()
}

fn read_candidate<'a>(candidate: Candidate<'a>, answer: &mut Answer<'a>) -> Result<(), Unreadable> {
    let mut seen = Seen::default();
    let mut texts = Vec::new();
    let mut parts = candidate.content.and_then(|content| content.parts).unwrap_or_default();
    keep_to_the_answer(&mut parts);
    for part in &parts {
        let shown = part.thought != Some(true);
        texts.push(part.text.as_deref().filter(|_| shown).unwrap_or_default());
        seen.calls |= part.function_call.is_some();
        seen.content |= shown && part.text.as_deref().is_some_and(|text| !text.is_empty());
        seen.content |= part.inline_data.is_some();
    }
    if let Some(raw) = candidate.grounding_metadata {
        let Sources { mut supporting, alone } = grounding::read(raw, Said::Parts(&texts));
        supporting.extend(alone);
        answer.citations = supporting;
    }
    answer.parts.reserve(parts.len());
    for part in parts {
        read_part(part, &mut answer.parts);
    }
    let word = candidate.finish_reason.as_deref().unwrap_or_default();
    let fault = || Unreadable(format!("the model said nothing, and ended: {word}"));
    answer.stop = Some(stop::reason(word, seen).ok_or_else(fault)?);
    Ok(())
}

/// Where the answer came by the tool for it, what the model says beside, or once more, would spoil its JSON.
fn keep_to_the_answer(parts: &mut [Part<'_>]) {
    let mut given = false;
    for part in &mut *parts {
        let Some(call) = &part.function_call else { continue };
        if call.is_answer() {
            if !given {
                part.text = Some(call.arguments());
            }
            // It stood on the call, and proves no text.
            (part.thought, part.thought_signature) = (None, None);
        }
        given |= call.is_answer();
    }
    if !given {
        return;
    }
    for part in parts {
        let is_answer = part.function_call.take_if(|call| call.is_answer()).is_some();
        if !is_answer && part.thought != Some(true) {
            part.text = None;
        }
    }
}

fn read_part<'a>(part: Part<'a>, parts: &mut Vec<form::Part<'a>>) {
    let mut push = |kind| parts.push(form::Part::new(kind, PartPath::default()));
    if let Some(value) = server_parts::carry(&part) {
        let signature = Some(Signature::new(Origin::Google, value));
        let text = Text::default();
        return push(PartKind::Thinking(Thinking { text, signature, redacted: true, id: None }));
    }
    let signature = part.thought_signature.filter(|value| !value.is_empty());
    let mut signature = signature.map(|value| Signature::new(Origin::Google, value));
    if let Some(mut call) = part.function_call {
        push(PartKind::ToolCall(ToolCall {
            id: call.take_id(),
            arguments: call.arguments(),
            name: call.name.unwrap_or_default(),
            signature: signature.take(),
            custom: false,
        }));
    }
    if let Some(blob) = part.inline_data {
        push(media(blob.mime_type, blob.data.unwrap_or_default()));
    }
    match (part.text, part.thought) {
        (Some(text), Some(true)) => push(proof(text, signature.take())),
        (Some(text), _) if !text.is_empty() => push(PartKind::Text(text)),
        _ => {}
    }
    // What came on words stands behind them, as thinking without words.
    if signature.is_some() {
        push(proof(Text::default(), signature));
    }
}

fn proof<'a>(text: Text<'a>, signature: Option<Signature<'a>>) -> PartKind<'a> {
    PartKind::Thinking(Thinking { text, signature, redacted: false, id: None })
}

/// What a model made that is no text.
pub(super) fn media<'a>(mime: Option<Text<'a>>, data: Text<'a>) -> PartKind<'a> {
    let kind = mime.as_deref().and_then(|mime| mime.split('/').next()).map(str::to_owned);
    let media = Media { mime, ..Media::at(Source::Base64(data)) };
    match kind.as_deref() {
        Some("audio") => PartKind::Audio(media),
        Some("image") | None => PartKind::Image(media),
        Some(_) => PartKind::Document(media),
    }
}

fn seconds(time: &str) -> Option<i64> {
    time.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_second)
}
