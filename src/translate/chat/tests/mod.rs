//! What this dialect promises.

mod answers;
mod client_requests;
mod client_streams;
mod message_order;
mod peers;
mod vendor_requests;
mod vendor_streams;

use serde_json::Value;

use crate::{
    domain::{ModelFacts, Quirks},
    translate::{
        Answering, Platform, Target, VendorApi,
        form::{Event, Refusal, Request},
    },
};

/// The body that a vendor of these quirks gets.
pub(super) fn sent(request: &Request<'_>, quirks: &Quirks) -> Result<Value, Refusal> {
    sent_to(request, quirks, &ModelFacts::default())
}

/// The same, where more is known of the model.
pub(super) fn sent_to(
    request: &Request<'_>,
    quirks: &Quirks,
    facts: &ModelFacts,
) -> Result<Value, Refusal> {
    let target = Target { model: "vendor-model", facts, platform: Platform::Own, quirks };
    let body = VendorApi::Chat.write(request.clone(), &target)?;
    Ok(serde_json::from_slice(&body).unwrap())
}

/// The quirks of a row, as the file has them.
pub(super) fn quirks(json: &str) -> Quirks {
    serde_json::from_str(json).unwrap()
}

/// What an answer's writer is told.
pub(super) fn answering() -> Answering {
    Answering {
        seed: "seed".to_owned(),
        created: 1_700_000_000,
        model: "told-model".into(),
        ..Answering::default()
    }
}

/// Reads a vendor's stream, data by data; shows what came of it.
pub(super) fn events(data: &[&str]) -> Vec<String> {
    let mut reader = VendorApi::Chat.stream_reader();
    let mut all = Vec::new();
    let mut keep = |event: Event<'_>| all.push(shown(&event));
    for data in data {
        reader.read(b"", data.as_bytes(), &mut keep);
    }
    reader.end(&mut keep);
    all
}

/// An event in few words.
fn shown(event: &Event<'_>) -> String {
    match event {
        Event::Start { id, model } => {
            let name = |text: &Option<_>| {
                text.as_ref().map_or("-".to_owned(), |text: &crate::translate::form::Text<'_>| {
                    text.to_string()
                })
            };
            format!("start {} {}", name(id), name(model))
        }
        Event::Text(text) => format!("text {}", &**text),
        Event::Thinking(text) => format!("thinking {}", &**text),
        Event::Signature(one) => format!("signature {:?} {}", one.origin, &*one.value),
        Event::Redacted(one) => format!("redacted {:?} {}", one.origin, &*one.value),
        Event::BlockEnd => "block end".to_owned(),
        Event::ToolCall { call, id, name, signature, custom } => {
            let proof = signature.as_ref().map_or(String::new(), |one| format!(" {}", &*one.value));
            let custom = if *custom { " custom" } else { "" };
            format!("call {call} {} {}{custom}{proof}", &**id, &**name)
        }
        Event::Arguments { call, fragment } => format!("arguments {call} {}", &**fragment),
        Event::Citation(one) => format!("citation {}", one.url.as_deref().unwrap_or("-")),
        Event::Image(one) => format!("picture {}", one.mime.as_deref().unwrap_or("-")),
        Event::Refusal(text) => format!("refusal {}", &**text),
        Event::Stop { reason, .. } => format!("stop {reason:?}"),
        Event::Usage(usage) => format!(
            "usage {} {} {} {} {}",
            usage.input, usage.cache_read, usage.cache_write, usage.output, usage.reasoning
        ),
        Event::Ping => "ping".to_owned(),
        Event::Failed(error) => {
            format!("failed {} {}: {}", error.status, error.kind, error.message)
        }
        Event::Done => "done".to_owned(),
    }
}
