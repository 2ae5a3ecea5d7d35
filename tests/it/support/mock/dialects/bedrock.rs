//! Bedrock's runtime: Converse, and models in their own words.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use serde_json::{Value, json};

use super::{Answer, TEXT, Tool, anthropic, call_of, frames, pieces};

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/RESTSelectObjectAppendix.html>
const FRAMES: &str = "application/vnd.amazon.eventstream";

/// `/model/{id}/{operation}`.
pub(super) fn answer(path: &str, asked: &Value) -> Answer {
    let (path, operation) = path.rsplit_once('/').unwrap_or((path, ""));
    let model = path.trim_start_matches("/model/");
    match operation {
        "converse" => Answer::json(&converse(asked)),
        "converse-stream" => Answer::events(FRAMES, converse_events(asked)),
        "count-tokens" => Answer::json(&json!({"inputTokens": 14})),
        "invoke" => Answer::json(&invoke(model, asked)),
        "invoke-with-response-stream" => {
            let events = anthropic::events(asked, model);
            Answer::events(FRAMES, events.iter().map(chunk).collect())
        }
        _ => Answer {
            status: 404,
            headers: vec![("x-amzn-errortype", "UnknownOperationException".to_owned())],
            ..Answer::json(&json!({"message": "no such operation"}))
        },
    }
}

/// A model's own event in a frame; `p` is padding.
fn chunk(event: &Value) -> Bytes {
    let coded = STANDARD.encode(event.to_string());
    frames::event("chunk", &json!({"bytes": coded, "p": "abcdefgh"}))
}

/// Embeddings of Titan and Cohere, and Claude's messages.
/// <https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-titan-embed-text.html>,
/// <https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-embed.html>
fn invoke(model: &str, asked: &Value) -> Value {
    if model.contains("titan-embed") {
        let length = asked["dimensions"].as_u64().unwrap_or(3);
        let vector: Vec<f64> = (0..length).map(|_| 0.015_625).collect();
        return json!({"embedding": vector, "inputTextTokenCount": 4,
            "embeddingsByType": {"float": vector}});
    }
    if model.contains("cohere.embed") {
        let texts = asked["texts"].as_array().map(Vec::as_slice).unwrap_or_default();
        let rows: Vec<_> = texts.iter().map(|_| json!([0.25, -0.5, 0.125])).collect();
        let embeddings =
            if asked["embedding_types"].is_array() { json!({"float": rows}) } else { json!(rows) };
        return json!({"id": "mock-e1", "response_type": "embeddings_floats", "texts": texts,
            "embeddings": embeddings});
    }
    anthropic::whole(asked, model)
}

/// The tool to call, if any: the one that is chosen, or else the first.
fn tool(asked: &Value) -> Option<Tool> {
    let tools = asked["toolConfig"]["tools"].as_array()?;
    let last = &asked["messages"].as_array()?.last()?["content"];
    if last.as_array()?.iter().any(|block| block["toolResult"].is_object()) {
        return None;
    }
    let chosen = &asked["toolConfig"]["toolChoice"]["tool"]["name"];
    let mut specs = tools.iter().map(|tool| &tool["toolSpec"]);
    let spec = specs.clone().find(|spec| spec["name"] == *chosen);
    let spec = spec.or_else(|| specs.find(|spec| spec.is_object()))?;
    Some(call_of(&spec["name"], &spec["inputSchema"]["json"]))
}

/// Claude is asked to think with its own field, others with theirs.
fn thinks(asked: &Value) -> bool {
    let fields = &asked["additionalModelRequestFields"];
    let claude = ["enabled", "adaptive"].iter().any(|kind| fields["thinking"]["type"] == *kind);
    claude || fields["reasoningConfig"].is_object() || fields["reasoning_config"].is_object()
}

fn usage() -> Value {
    json!({"inputTokens": 23, "outputTokens": 11, "totalTokens": 34, "cacheReadInputTokens": 0,
        "cacheWriteInputTokens": 0})
}

/// <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html>
fn converse(asked: &Value) -> Value {
    let mut content = Vec::new();
    if thinks(asked) {
        content.push(json!({"reasoningContent": {"reasoningText":
            {"text": "Let me think.", "signature": "c2lnLW1vY2s="}}}));
    }
    let mut stop = "end_turn";
    if let Some(tool) = tool(asked) {
        content.push(json!({"toolUse":
            {"toolUseId": "tooluse_1X", "name": tool.name, "input": tool.arguments}}));
        stop = "tool_use";
    } else {
        content.push(json!({"text": TEXT}));
    }
    json!({"output": {"message": {"role": "assistant", "content": content}}, "stopReason": stop,
        "usage": usage(), "metrics": {"latencyMs": 318}})
}

/// <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html>
fn converse_events(asked: &Value) -> Vec<Bytes> {
    let mut events = vec![frames::event("messageStart", &json!({"role": "assistant", "p": "abc"}))];
    let mut index = 0;
    if thinks(asked) {
        let deltas = [
            json!({"reasoningContent": {"text": "Let me think."}}),
            json!({"reasoningContent": {"signature": "c2lnLW1vY2s="}}),
        ];
        events.extend(block_events(index, None, &deltas));
        index += 1;
    }
    let mut stop = "end_turn";
    if let Some(tool) = tool(asked) {
        let start = json!({"toolUse": {"toolUseId": "tooluse_1X", "name": tool.name}});
        let delta = |piece| json!({"toolUse": {"input": piece}});
        let deltas = pieces(&tool.arguments.to_string()).map(delta);
        events.extend(block_events(index, Some(start), &deltas));
        stop = "tool_use";
    } else {
        let deltas = pieces(TEXT).map(|piece| json!({"text": piece}));
        events.extend(block_events(index, None, &deltas));
    }
    events.push(frames::event("messageStop", &json!({"stopReason": stop})));
    let last = json!({"usage": usage(), "metrics": {"latencyMs": 318}});
    events.push(frames::event("metadata", &last));
    events
}

/// A content block; only tools have a start.
fn block_events(index: usize, start: Option<Value>, deltas: &[Value]) -> Vec<Bytes> {
    let mut events = Vec::new();
    if let Some(start) = start {
        let start = json!({"contentBlockIndex": index, "start": start});
        events.push(frames::event("contentBlockStart", &start));
    }
    for delta in deltas {
        let delta = json!({"contentBlockIndex": index, "delta": delta, "p": "abcdefghijk"});
        events.push(frames::event("contentBlockDelta", &delta));
    }
    events.push(frames::event("contentBlockStop", &json!({"contentBlockIndex": index})));
    events
}
