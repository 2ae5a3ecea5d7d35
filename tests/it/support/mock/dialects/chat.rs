//! OpenAI's chat completions.

use bytes::Bytes;
use serde_json::{Value, json};

use super::{Answer, SSE, TEXT, Tool, call_of, pieces};
use crate::support::mock::data;

pub(super) fn answer(asked: &Value, model: &str) -> Answer {
    if asked["stream"] == true {
        return Answer::events(SSE, events(asked, model));
    }
    Answer::json(&whole(asked, model))
}

/// The tool to call, if any: the one that is chosen, or else the first.
fn tool(asked: &Value) -> Option<Tool> {
    let tools = asked["tools"].as_array()?;
    let answered = asked["messages"].as_array()?.last()?["role"] == "tool";
    if answered || asked["tool_choice"] == "none" {
        return None;
    }
    let chosen = &asked["tool_choice"]["function"]["name"];
    let tool = tools.iter().find(|tool| tool["function"]["name"] == *chosen).or(tools.first())?;
    let function = &tool["function"];
    Some(call_of(&function["name"], &function["parameters"]))
}

/// <https://platform.openai.com/docs/api-reference/chat/object>
fn whole(asked: &Value, model: &str) -> Value {
    let mut message = json!({"role": "assistant", "content": TEXT, "refusal": null});
    let mut finish = "stop";
    if let Some(tool) = tool(asked) {
        message["content"] = Value::Null;
        message["tool_calls"] = json!([{"id": "call_9x", "type": "function",
            "function": {"name": tool.name, "arguments": tool.arguments.to_string()}}]);
        finish = "tool_calls";
    }
    json!({
        "id": "chatcmpl-9x", "object": "chat.completion", "created": 1_778_000_000, "model": model,
        "choices": [{"index": 0, "finish_reason": finish, "logprobs": null, "message": message}],
        "usage": usage(), "service_tier": "default", "system_fingerprint": "fp_44709d6fcb"
    })
}

fn usage() -> Value {
    json!({"prompt_tokens": 19, "completion_tokens": 10, "total_tokens": 29,
        "prompt_tokens_details": {"cached_tokens": 4, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 3, "audio_tokens": 0}})
}

/// Whether the request asks for the extra chunk that carries usage.
pub(super) fn wants_usage(asked: &Value) -> bool {
    asked["stream_options"]["include_usage"] == true
}

/// <https://platform.openai.com/docs/api-reference/chat-streaming>
fn events(asked: &Value, model: &str) -> Vec<Bytes> {
    let chunk = |delta: Value, finish: Value| {
        data(&json!({"id": "chatcmpl-9x", "object": "chat.completion.chunk",
            "created": 1_778_000_000, "model": model, "system_fingerprint": "fp_44709d6fcb",
            "choices": [{"index": 0, "delta": delta, "logprobs": null, "finish_reason": finish}]}))
    };
    let mut events = Vec::new();
    if let Some(tool) = tool(asked) {
        let call = |call: Value| json!({"tool_calls": [call]});
        let mut first = call(json!({"index": 0, "id": "call_9x", "type": "function",
            "function": {"name": tool.name, "arguments": ""}}));
        first["role"] = json!("assistant");
        first["content"] = Value::Null;
        events.push(chunk(first, Value::Null));
        for piece in pieces(&tool.arguments.to_string()) {
            let fragment = json!({"index": 0, "function": {"arguments": piece}});
            events.push(chunk(call(fragment), Value::Null));
        }
        events.push(chunk(json!({}), json!("tool_calls")));
    } else {
        events.push(chunk(json!({"role": "assistant", "content": ""}), Value::Null));
        for word in ["Hel", "lo ", "wör", "ld 🌍", "."] {
            events.push(chunk(json!({"content": word}), Value::Null));
        }
        events.push(chunk(json!({}), json!("stop")));
    }
    if wants_usage(asked) {
        events.push(data(&json!({"id": "chatcmpl-9x", "object": "chat.completion.chunk",
            "created": 1_778_000_000, "model": model, "choices": [], "usage": usage()})));
    }
    events.push(Bytes::from_static(b"data: [DONE]\n\n"));
    events
}
