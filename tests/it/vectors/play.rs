//! Carrying a vector out: the vendor answers as it says, its request is sent, and everything that
//! happened is kept for the judgement.

use std::{sync::Arc, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use serde_json::Value;

use super::{
    setup::{Stage, upstream_key},
    vector::Vector,
};
use crate::support::{Answer, Call, Gateway, Reply};

/// How the vendor's bytes are cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// One event or frame each.
    AsWritten,
    /// As `upstream_stream_transport_chunks_base64` has them.
    Transport,
    /// Every byte on its own.
    EveryByte,
    /// In one piece.
    NotAtAll,
}

/// What happened.
pub struct Played {
    pub answer: Answer,
    /// What reached the vendors, in order.
    pub calls: Vec<Arc<Call>>,
    /// The credential of the provider that was called first.
    pub upstream_key: String,
    /// Where the first provider's mock is.
    pub mock_base: String,
}

/// Carries `vector` out in the organization `org`.
pub async fn play(gateway: &Gateway, org: &str, vector: &Vector, cut: Cut) -> Played {
    let stage = Stage::set(gateway, org, vector).await;
    instruct(&stage, vector, cut);
    let (first, vendor) = stage.vendors.first_key_value().expect("a provider");
    let mock_base = vendor.mock.url();
    let request = said_here(vector.get("request_in"), &mock_base);
    let text = |field: &str| request[field].as_str().expect("a method and a path").to_owned();
    let mut ask = gateway.stranger().ask(&text("method"), &text("path"));
    for (name, value) in request["headers"].as_object().expect("headers") {
        let value = value.as_str().expect("a header").replace("TEST_GATEWAY_KEY", &stage.key);
        ask = ask.header(name, &value);
    }
    let answer = ask.body(request["body"].to_string()).await;
    let mut calls: Vec<(String, Arc<Call>)> = Vec::new();
    for (name, vendor) in &stage.vendors {
        calls.extend(vendor.mock.saw().into_iter().map(|call| (name.clone(), call)));
    }
    calls.sort_by_key(|(_, call)| call.at);
    let called = calls.first().map_or(first, |(name, _)| name);
    Played {
        answer,
        upstream_key: upstream_key(called),
        mock_base,
        calls: calls.into_iter().map(|(_, call)| call).collect(),
    }
}

/// `value` with the mock's address in place of `{MOCK_BASE}`.
pub fn said_here(value: &Value, mock_base: &str) -> Value {
    let text = value.to_string().replace("{MOCK_BASE}", mock_base);
    serde_json::from_str(&text).expect("an address needs no escapes")
}

/// Tells the mocks what to answer; without a word of the vector, they answer well by themselves.
fn instruct(stage: &Stage, vector: &Vector, cut: Cut) {
    if let Some(script) = vector.get("upstream_script").as_array() {
        for act in script {
            let mock = stage.mock(act["provider"].as_str().expect("a provider"));
            let reply = answer(act);
            // The last word of a provider is what it goes on saying.
            mock.will(reply.clone()).always(reply);
        }
        return;
    }
    let reply = if vector.is_streamed() {
        stream(vector, cut)
    } else if vector.get("upstream_response").is_object() {
        answer(vector.get("upstream_response"))
    } else {
        return;
    };
    for vendor in stage.vendors.values() {
        vendor.mock.always(reply.clone());
    }
}

/// An answer of `status`, `headers` and `body`.
fn answer(said: &Value) -> Reply {
    let status = said["status"].as_u64().and_then(|status| u16::try_from(status).ok());
    let body = match &said["body"] {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    with_headers(Reply::status_with(status.expect("a status"), body), &said["headers"])
}

fn stream(vector: &Vector, cut: Cut) -> Reply {
    let events = vector.get("upstream_stream").as_array().expect("events");
    let mut pieces: Vec<Bytes> = events.iter().map(piece).collect();
    if let Some(chunks) = transport_chunks(vector).filter(|_| cut == Cut::Transport) {
        assert_eq!(pieces.concat(), chunks.concat(), "{}: the same bytes, cut", vector.file);
        pieces = chunks;
    }
    if cut == Cut::NotAtAll {
        pieces = vec![Bytes::from(pieces.concat())];
    }
    let reply = match cut {
        Cut::EveryByte => {
            Reply::streams(pieces).byte_by_byte().dripping(Duration::from_micros(200))
        }
        Cut::Transport => Reply::streams(pieces).dripping(Duration::from_millis(20)),
        Cut::AsWritten | Cut::NotAtAll => Reply::streams(pieces),
    };
    with_headers(reply, vector.get("upstream_stream_headers"))
}

/// An SSE event as text, or a binary frame.
fn piece(event: &Value) -> Bytes {
    match (event.as_str(), event["frame_base64"].as_str()) {
        (Some(text), _) => Bytes::copy_from_slice(text.as_bytes()),
        (_, Some(frame)) => decoded(frame),
        _ => panic!("an event is text or has frame_base64: {event}"),
    }
}

fn transport_chunks(vector: &Vector) -> Option<Vec<Bytes>> {
    let chunks = vector.get("upstream_stream_transport_chunks_base64").as_array()?;
    Some(chunks.iter().map(|chunk| decoded(chunk.as_str().expect("base64"))).collect())
}

fn decoded(base64: &str) -> Bytes {
    Bytes::from(STANDARD.decode(base64).expect("base64"))
}

fn with_headers(mut reply: Reply, headers: &Value) -> Reply {
    for (name, value) in headers.as_object().into_iter().flatten() {
        reply = reply.header(name, value.as_str().expect("a header's value"));
    }
    reply
}
