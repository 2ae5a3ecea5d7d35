//! Good answers and errors in the words of the vendors, shaped as their API references show them.

use bytes::Bytes;
use serde_json::{Value, json};

use super::{
    calls::Call,
    reply::{data, event},
};

pub(super) enum Answer {
    Body(Bytes),
    Events(Vec<Bytes>),
}

/// The id that a vendor names in its answer for the model that it was asked for.
fn dated(call: &Value) -> String {
    format!("{}-2026-05-05", call["model"].as_str().unwrap_or("unnamed"))
}

/// What an operation streams; nothing where it cannot.
type Events = fn(&Value, &str) -> Vec<Bytes>;

/// A good answer to `call`, streamed if it asked for a stream.
pub(super) fn answer(call: &Call) -> Answer {
    let asked: Value = serde_json::from_slice(&call.body).unwrap_or(Value::Null);
    let streamed = asked["stream"] == true;
    let path = call.path.split('?').next().unwrap_or_default();
    let model = dated(&asked);
    let (body, events): (Value, Events) = match path {
        path if path.ends_with("/chat/completions") => (chat(&model), chat_events),
        path if path.ends_with("/completions") => (completion(&model), completion_events),
        path if path.ends_with("/embeddings") => (embeddings(&model), no_events),
        path if path.ends_with("/responses") => (response(&model, "completed"), response_events),
        path if path.ends_with("/count_tokens") => (json!({"input_tokens": 14}), no_events),
        path if path.ends_with("/messages") => (message(&model), message_events),
        path if path.ends_with("/models") => (models(), no_events),
        _ => (json!({"error": {"message": "the mock knows no such path"}}), no_events),
    };
    let events = if streamed { events(&asked, &model) } else { Vec::new() };
    if events.is_empty() {
        Answer::Body(Bytes::from(body.to_string()))
    } else {
        Answer::Events(events)
    }
}

/// An error of `status` in the dialect of the path.
pub(super) fn error(call: &Call, status: u16) -> Bytes {
    let message = format!("the vendor's own words for {status}");
    let body = if call.path.contains("/messages") {
        let kind = match status {
            400 | 422 => "invalid_request_error",
            401 => "authentication_error",
            403 => "permission_error",
            404 => "not_found_error",
            413 => "request_too_large",
            429 => "rate_limit_error",
            529 => "overloaded_error",
            _ => "api_error",
        };
        json!({"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_011"})
    } else {
        let kind = if status < 500 { "invalid_request_error" } else { "server_error" };
        json!({"error": {"message": message, "type": kind, "param": null, "code": "vendor_code"}})
    };
    Bytes::from(body.to_string())
}

fn no_events(_: &Value, _: &str) -> Vec<Bytes> {
    Vec::new()
}

/// <https://platform.openai.com/docs/api-reference/chat/object>
fn chat(model: &str) -> Value {
    json!({
        "id": "chatcmpl-9x", "object": "chat.completion", "created": 1_778_000_000, "model": model,
        "choices": [{"index": 0, "finish_reason": "stop", "logprobs": null,
            "message": {"role": "assistant", "content": "Hello from the mock.", "refusal": null}}],
        "usage": chat_usage(), "service_tier": "default", "system_fingerprint": "fp_44709d6fcb"
    })
}

fn chat_usage() -> Value {
    json!({"prompt_tokens": 19, "completion_tokens": 10, "total_tokens": 29,
        "prompt_tokens_details": {"cached_tokens": 4, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 3, "audio_tokens": 0}})
}

/// Whether the request asks for the extra chunk that carries usage.
fn wants_usage(asked: &Value) -> bool {
    asked["stream_options"]["include_usage"] == true
}

/// <https://platform.openai.com/docs/api-reference/chat-streaming>
fn chat_events(asked: &Value, model: &str) -> Vec<Bytes> {
    let chunk = |delta: Value, finish: Value| {
        data(&json!({"id": "chatcmpl-9x", "object": "chat.completion.chunk",
            "created": 1_778_000_000, "model": model, "system_fingerprint": "fp_44709d6fcb",
            "choices": [{"index": 0, "delta": delta, "logprobs": null, "finish_reason": finish}]}))
    };
    let mut events = vec![chunk(json!({"role": "assistant", "content": ""}), Value::Null)];
    for word in ["Hel", "lo ", "wör", "ld 🌍", "."] {
        events.push(chunk(json!({"content": word}), Value::Null));
    }
    events.push(chunk(json!({}), json!("stop")));
    if wants_usage(asked) {
        events.push(data(&json!({"id": "chatcmpl-9x", "object": "chat.completion.chunk",
            "created": 1_778_000_000, "model": model, "choices": [], "usage": chat_usage()})));
    }
    events.push(Bytes::from_static(b"data: [DONE]\n\n"));
    events
}

/// <https://platform.openai.com/docs/api-reference/completions/object>
fn completion(model: &str) -> Value {
    json!({"id": "cmpl-7", "object": "text_completion", "created": 1_778_000_000, "model": model,
        "choices": [{"text": " a time", "index": 0, "logprobs": null, "finish_reason": "length"}],
        "usage": {"prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 12}})
}

fn completion_events(asked: &Value, model: &str) -> Vec<Bytes> {
    let mut events: Vec<Bytes> = [" a", " time", "."]
        .iter()
        .map(|text| {
            data(&json!({"id": "cmpl-7", "object": "text_completion", "created": 1_778_000_000,
                "model": model,
                "choices": [{"text": text, "index": 0, "logprobs": null, "finish_reason": null}]}))
        })
        .collect();
    if wants_usage(asked) {
        events.push(data(&json!({"id": "cmpl-7", "object": "text_completion",
            "created": 1_778_000_000, "model": model, "choices": [],
            "usage": {"prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 12}})));
    }
    events.push(Bytes::from_static(b"data: [DONE]\n\n"));
    events
}

/// <https://platform.openai.com/docs/api-reference/embeddings/object>
fn embeddings(model: &str) -> Value {
    json!({"object": "list", "model": model,
        "data": [{"object": "embedding", "index": 0, "embedding": [0.002_306_4, -0.009_327_1]}],
        "usage": {"prompt_tokens": 8, "total_tokens": 8}})
}

/// <https://platform.openai.com/docs/api-reference/responses/object>
fn response(model: &str, status: &str) -> Value {
    let done = status == "completed";
    json!({
        "id": "resp_67cc", "object": "response", "created_at": 1_778_000_000, "status": status,
        "model": model, "error": null, "incomplete_details": null,
        "output": if done { json!([{"type": "message", "id": "msg_67cc", "status": "completed",
            "role": "assistant", "content": [{"type": "output_text", "text": "Hello.", "annotations": []}]}]) } else { json!([]) },
        "usage": if done { json!({"input_tokens": 36, "input_tokens_details": {"cached_tokens": 6},
            "output_tokens": 12, "output_tokens_details": {"reasoning_tokens": 2}, "total_tokens": 48}) } else { Value::Null }
    })
}

/// <https://platform.openai.com/docs/api-reference/responses-streaming>
fn response_events(_: &Value, model: &str) -> Vec<Bytes> {
    let item = json!({"type": "message", "id": "msg_67cc", "status": "in_progress",
        "role": "assistant", "content": []});
    let mut events = vec![
        event(
            "response.created",
            &json!({"type": "response.created", "sequence_number": 0,
            "response": response(model, "in_progress")}),
        ),
        event(
            "response.output_item.added",
            &json!({"type": "response.output_item.added",
            "sequence_number": 1, "output_index": 0, "item": item}),
        ),
    ];
    for (index, text) in ["Hel", "lo."].iter().enumerate() {
        events.push(event(
            "response.output_text.delta",
            &json!({
            "type": "response.output_text.delta", "sequence_number": index + 2,
            "item_id": "msg_67cc", "output_index": 0, "content_index": 0, "delta": text}),
        ));
    }
    events.push(event(
        "response.completed",
        &json!({"type": "response.completed",
        "sequence_number": 4, "response": response(model, "completed")}),
    ));
    events
}

/// <https://docs.anthropic.com/en/api/messages>
fn message(model: &str) -> Value {
    json!({"id": "msg_01XF", "type": "message", "role": "assistant", "model": model,
        "content": [{"type": "text", "text": "Hello from the mock."}],
        "stop_reason": "end_turn", "stop_sequence": null, "usage": message_usage(15)})
}

fn message_usage(output: u64) -> Value {
    json!({"input_tokens": 25, "cache_creation_input_tokens": 5, "cache_read_input_tokens": 6,
        "output_tokens": output})
}

/// <https://docs.anthropic.com/en/api/messages-streaming>
fn message_events(_: &Value, model: &str) -> Vec<Bytes> {
    let mut start = message(model);
    start["content"] = json!([]);
    start["stop_reason"] = Value::Null;
    start["usage"] = message_usage(1);
    let mut events = vec![
        event("message_start", &json!({"type": "message_start", "message": start})),
        event(
            "content_block_start",
            &json!({"type": "content_block_start", "index": 0,
            "content_block": {"type": "text", "text": ""}}),
        ),
        event("ping", &json!({"type": "ping"})),
    ];
    for text in ["Hel", "lo wörld"] {
        events.push(event(
            "content_block_delta",
            &json!({"type": "content_block_delta",
            "index": 0, "delta": {"type": "text_delta", "text": text}}),
        ));
    }
    events.push(event("content_block_stop", &json!({"type": "content_block_stop", "index": 0})));
    events.push(event("message_delta", &json!({"type": "message_delta",
        "delta": {"stop_reason": "end_turn", "stop_sequence": null}, "usage": {"output_tokens": 15}})));
    events.push(event("message_stop", &json!({"type": "message_stop"})));
    events
}

fn models() -> Value {
    json!({"object": "list", "data": [
        {"id": "gpt-4o", "object": "model", "created": 1_715_367_049, "owned_by": "system"},
        {"id": "gpt-4o-mini", "object": "model", "created": 1_721_172_741, "owned_by": "system"}]})
}
