//! OpenAI's responses.

use bytes::Bytes;
use serde_json::{Value, json};

use super::{Answer, SSE, Tool, call_of, pieces};
use crate::support::mock::event;

pub(super) fn answer(asked: &Value, model: &str) -> Answer {
    if asked["stream"] == true {
        return Answer::events(SSE, events(asked, model));
    }
    Answer::json(&whole(&output(asked), model, "completed"))
}

fn tool(asked: &Value) -> Option<Tool> {
    let tools = asked["tools"].as_array()?;
    let last = asked["input"].as_array().and_then(|items| items.last());
    let answered = last.is_some_and(|item| item["type"] == "function_call_output");
    if answered || asked["tool_choice"] == "none" {
        return None;
    }
    let tool = tools.iter().find(|tool| tool["type"] == "function")?;
    Some(call_of(&tool["name"], &tool["parameters"]))
}

/// The items of an answer: thinking where it is asked for, then a call or a message.
fn output(asked: &Value) -> Vec<Value> {
    let mut items = Vec::new();
    if asked["reasoning"].is_object() {
        items.push(json!({"type": "reasoning", "id": "rs_67cc",
            "summary": [{"type": "summary_text", "text": "Let me think."}]}));
    }
    items.push(match tool(asked) {
        Some(tool) => json!({"type": "function_call", "id": "fc_67cc", "call_id": "call_67cc",
            "status": "completed", "name": tool.name, "arguments": tool.arguments.to_string()}),
        None => json!({"type": "message", "id": "msg_67cc", "status": "completed",
            "role": "assistant",
            "content": [{"type": "output_text", "text": "Hello.", "annotations": []}]}),
    });
    items
}

/// <https://platform.openai.com/docs/api-reference/responses/object>
fn whole(output: &[Value], model: &str, status: &str) -> Value {
    let done = status == "completed";
    json!({
        "id": "resp_67cc", "object": "response", "created_at": 1_778_000_000, "status": status,
        "model": model, "error": null, "incomplete_details": null,
        "output": if done { output } else { &[] },
        "usage": if done { json!({"input_tokens": 36, "input_tokens_details": {"cached_tokens": 6},
            "output_tokens": 12, "output_tokens_details": {"reasoning_tokens": 2}, "total_tokens": 48}) } else { Value::Null }
    })
}

/// <https://platform.openai.com/docs/api-reference/responses-streaming>
fn events(asked: &Value, model: &str) -> Vec<Bytes> {
    let output = output(asked);
    let mut all =
        vec![json!({"type": "response.created", "response": whole(&output, model, "in_progress")})];
    for (index, item) in output.iter().enumerate() {
        all.extend(item_events(index, item));
    }
    all.push(json!({"type": "response.completed", "response": whole(&output, model, "completed")}));
    let numbered = all.into_iter().enumerate().map(|(number, mut data)| {
        data["sequence_number"] = json!(number);
        let kind = data["type"].as_str().unwrap_or_default().to_owned();
        event(&kind, &data)
    });
    numbered.collect()
}

fn item_events(index: usize, item: &Value) -> Vec<Value> {
    let mut begun = item.clone();
    let (emptied, within): (&str, Vec<Value>) = match item["type"].as_str() {
        Some("function_call") => ("arguments", arguments_events(item)),
        Some("reasoning") => ("summary", reasoning_events(item)),
        _ => ("content", text_events(item)),
    };
    begun[emptied] = if emptied == "arguments" { json!("") } else { json!([]) };
    if begun["status"].is_string() {
        begun["status"] = json!("in_progress");
    }
    let added = json!({"type": "response.output_item.added", "item": begun});
    let done = json!({"type": "response.output_item.done", "item": item});
    let all = std::iter::once(added).chain(within).chain([done]).map(|mut data| {
        if data["item"].is_null() {
            data["item_id"] = item["id"].clone();
        }
        data["output_index"] = json!(index);
        data
    });
    all.collect()
}

fn arguments_events(item: &Value) -> Vec<Value> {
    let arguments = item["arguments"].as_str().unwrap_or_default();
    let delta = |piece| json!({"type": "response.function_call_arguments.delta", "delta": piece});
    let done = json!({"type": "response.function_call_arguments.done", "arguments": arguments,
        "name": item["name"]});
    pieces(arguments).map(delta).into_iter().chain([done]).collect()
}

fn reasoning_events(item: &Value) -> Vec<Value> {
    let part = &item["summary"][0];
    let text = &part["text"];
    let empty = json!({"type": "summary_text", "text": ""});
    let all = [
        json!({"type": "response.reasoning_summary_part.added", "part": empty}),
        json!({"type": "response.reasoning_summary_text.delta", "delta": text}),
        json!({"type": "response.reasoning_summary_text.done", "text": text}),
        json!({"type": "response.reasoning_summary_part.done", "part": part}),
    ];
    all.map(|mut data| {
        data["summary_index"] = json!(0);
        data
    })
    .to_vec()
}

fn text_events(item: &Value) -> Vec<Value> {
    let part = &item["content"][0];
    let empty = json!({"type": "output_text", "text": "", "annotations": []});
    let all = [
        json!({"type": "response.content_part.added", "part": empty}),
        json!({"type": "response.output_text.delta", "delta": "Hel"}),
        json!({"type": "response.output_text.delta", "delta": "lo."}),
        json!({"type": "response.output_text.done", "text": part["text"]}),
        json!({"type": "response.content_part.done", "part": part}),
    ];
    all.map(|mut data| {
        data["content_index"] = json!(0);
        data
    })
    .to_vec()
}
