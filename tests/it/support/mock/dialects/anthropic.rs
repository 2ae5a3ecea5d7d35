//! Anthropic's messages, on its own API and on Vertex.

use bytes::Bytes;
use serde_json::{Value, json};

use super::{Answer, SSE, TEXT, Tool, call_of, pieces};
use crate::support::mock::event;

pub(super) fn answer(asked: &Value, model: &str, streamed: bool) -> Answer {
    if streamed {
        let events = events(asked, model).iter().map(named).collect();
        return Answer::events(SSE, events);
    }
    Answer::json(&whole(asked, model))
}

/// `…/publishers/anthropic/models/{model}:rawPredict` and `:streamRawPredict`:
/// <https://docs.cloud.google.com/vertex-ai/generative-ai/docs/partner-models/claude/use-claude>
pub(super) fn on_vertex(path: &str, asked: &Value) -> Answer {
    let (path, verb) = path.rsplit_once(':').unwrap_or((path, ""));
    let model = path.rsplit('/').next().unwrap_or_default();
    match verb {
        _ if model == "count-tokens" => Answer::json(&json!({"input_tokens": 14})),
        "streamRawPredict" => answer(asked, model, true),
        _ => answer(asked, model, asked["stream"] == true),
    }
}

fn named(data: &Value) -> Bytes {
    event(data["type"].as_str().unwrap_or_default(), data)
}

/// The tool to call, if any: the one that is chosen, or else the first that has a schema.
fn tool(asked: &Value) -> Option<Tool> {
    let tools = asked["tools"].as_array()?;
    let last = &asked["messages"].as_array()?.last()?["content"];
    let mut blocks = last.as_array().into_iter().flatten();
    let answered = blocks.any(|block| block["type"] == "tool_result");
    if answered || asked["tool_choice"]["type"] == "none" {
        return None;
    }
    let chosen = &asked["tool_choice"]["name"];
    let own = || tools.iter().find(|tool| tool["input_schema"].is_object());
    let tool = tools.iter().find(|tool| tool["name"] == *chosen).or_else(own)?;
    Some(call_of(&tool["name"], &tool["input_schema"]))
}

/// The content blocks of an answer, and why it stops.
fn content(asked: &Value) -> (Vec<Value>, &'static str) {
    let mut blocks = Vec::new();
    if ["enabled", "adaptive"].iter().any(|kind| asked["thinking"]["type"] == *kind) {
        blocks.push(
            json!({"type": "thinking", "thinking": "Let me think.", "signature": "c2lnLW1vY2s="}),
        );
    }
    let Some(tool) = tool(asked) else {
        blocks.push(json!({"type": "text", "text": TEXT}));
        return (blocks, "end_turn");
    };
    blocks.push(
        json!({"type": "tool_use", "id": "toolu_01X", "name": tool.name, "input": tool.arguments}),
    );
    (blocks, "tool_use")
}

/// <https://docs.anthropic.com/en/api/messages>
pub(super) fn whole(asked: &Value, model: &str) -> Value {
    let (content, stop) = content(asked);
    json!({"id": "msg_01XF", "type": "message", "role": "assistant", "model": model,
        "content": content, "stop_reason": stop, "stop_sequence": null, "usage": usage(15)})
}

fn usage(output: u64) -> Value {
    json!({"input_tokens": 25, "cache_creation_input_tokens": 5, "cache_read_input_tokens": 6,
        "output_tokens": output})
}

/// The data of a stream's events: <https://docs.anthropic.com/en/api/messages-streaming>
pub(super) fn events(asked: &Value, model: &str) -> Vec<Value> {
    let mut start = whole(asked, model);
    start["content"] = json!([]);
    start["stop_reason"] = Value::Null;
    start["usage"] = usage(1);
    let mut events = vec![json!({"type": "message_start", "message": start})];
    let (content, stop) = content(asked);
    for (index, block) in content.into_iter().enumerate() {
        events.extend(block_events(index, &block));
        if index == 0 {
            events.insert(2, json!({"type": "ping"}));
        }
    }
    events.push(json!({"type": "message_delta",
        "delta": {"stop_reason": stop, "stop_sequence": null}, "usage": {"output_tokens": 15}}));
    events.push(json!({"type": "message_stop"}));
    events
}

fn block_events(index: usize, block: &Value) -> Vec<Value> {
    let mut empty = block.clone();
    let deltas: Vec<Value> = match block["type"].as_str() {
        Some("thinking") => {
            empty["thinking"] = json!("");
            empty["signature"] = json!("");
            vec![
                json!({"type": "thinking_delta", "thinking": block["thinking"]}),
                json!({"type": "signature_delta", "signature": block["signature"]}),
            ]
        }
        Some("tool_use") => {
            empty["input"] = json!({});
            let delta = |piece| json!({"type": "input_json_delta", "partial_json": piece});
            pieces(&block["input"].to_string()).map(delta).to_vec()
        }
        _ => {
            empty["text"] = json!("");
            let delta = |text: &str| json!({"type": "text_delta", "text": text});
            ["Hel", "lo wörld"].map(delta).to_vec()
        }
    };
    let start = json!({"type": "content_block_start", "index": index, "content_block": empty});
    let deltas = deltas
        .into_iter()
        .map(|delta| json!({"type": "content_block_delta", "index": index, "delta": delta}));
    let stop = json!({"type": "content_block_stop", "index": index});
    std::iter::once(start).chain(deltas).chain([stop]).collect()
}
