//! The grammar of a response's stream:
//! <https://developers.openai.com/api/reference/resources/responses/streaming-events>.

use serde_json::{Value, json};

use super::object::{Frame, call_item_id, function_call, message, part, status, summary};
use crate::provider::sandbox::{
    answer::Event,
    ask::{Output, Said},
    reply::{End, Reply, pieces},
    tools::Call,
};

/// Every event of a response, numbered.
pub fn events(frame: &Frame, output: &Output) -> Vec<Event> {
    let mut events = vec![
        json!({"type": "response.created", "response": frame.in_progress()}),
        json!({"type": "response.in_progress", "response": frame.in_progress()}),
    ];
    if let Some(thought) = &output.thought {
        reasoning_item(frame, thought, &mut events);
    }
    let first = usize::from(output.thought.is_some());
    match &output.said {
        Said::Text(reply) => text_item((&frame.message_id, first), reply, &mut events),
        Said::Calls(calls) => {
            for (index, call) in calls.iter().enumerate() {
                call_item(first + index, call, &mut events);
            }
        }
    }
    let last = match &output.said {
        Said::Text(reply) if reply.end == End::Length => "response.incomplete",
        _ => "response.completed",
    };
    events.push(json!({"type": last, "response": frame.finished(output)}));
    let numbered = events.into_iter().enumerate().map(|(number, mut event)| {
        if let Some(members) = event.as_object_mut() {
            members.insert("sequence_number".to_owned(), json!(number));
        }
        Event::typed(&event)
    });
    numbered.collect()
}

/// The first item, where there is one.
fn reasoning_item(frame: &Frame, thought: &str, events: &mut Vec<Value>) {
    let (opened, closed) = (frame.reasoning(thought, false), frame.reasoning(thought, true));
    let id = opened.get("id").cloned().unwrap_or_default();
    events.push(json!({"type": "response.output_item.added", "output_index": 0, "item": opened}));
    if frame.sums_up {
        let mut about_part = |kind: &str, name: &str, value: Value| {
            let kind = format!("response.reasoning_summary_{kind}");
            events.push(json!({
                "type": kind, "item_id": id, "output_index": 0, "summary_index": 0, name: value
            }));
        };
        about_part("part.added", "part", summary(""));
        for piece in pieces(thought) {
            about_part("text.delta", "delta", json!(piece));
        }
        about_part("text.done", "text", json!(thought));
        about_part("part.done", "part", summary(thought));
    }
    events.push(json!({"type": "response.output_item.done", "output_index": 0, "item": closed}));
}

fn text_item((id, index): (&str, usize), reply: &Reply, events: &mut Vec<Value>) {
    let opened = message(id, "in_progress", &[]);
    events
        .push(json!({"type": "response.output_item.added", "output_index": index, "item": opened}));
    let mut about_part = |kind: &str, own: [(&str, Value); 2]| {
        let mut event =
            json!({"type": kind, "item_id": id, "output_index": index, "content_index": 0});
        if let Some(members) = event.as_object_mut() {
            members.extend(
                own.map(|(name, value)| (name.to_owned(), value))
                    .into_iter()
                    .filter(|(_, v)| !v.is_null()),
            );
        }
        events.push(event);
    };
    about_part("response.content_part.added", [("part", part("")), ("", Value::Null)]);
    for piece in pieces(&reply.text) {
        about_part(
            "response.output_text.delta",
            [("delta", json!(piece)), ("logprobs", json!([]))],
        );
    }
    about_part("response.output_text.done", [("text", json!(reply.text)), ("logprobs", json!([]))]);
    about_part("response.content_part.done", [("part", part(&reply.text)), ("", Value::Null)]);
    let closed = message(id, status(reply), &[part(&reply.text)]);
    events
        .push(json!({"type": "response.output_item.done", "output_index": index, "item": closed}));
}

fn call_item(index: usize, call: &Call, events: &mut Vec<Value>) {
    let id = call_item_id(call);
    let opened = function_call(call, "in_progress", false);
    events
        .push(json!({"type": "response.output_item.added", "output_index": index, "item": opened}));
    let arguments = call.arguments_text();
    for piece in pieces(&arguments) {
        events.push(json!({
            "type": "response.function_call_arguments.delta",
            "item_id": id, "output_index": index, "delta": piece
        }));
    }
    events.push(json!({
        "type": "response.function_call_arguments.done",
        "item_id": id, "output_index": index, "name": call.name, "arguments": arguments
    }));
    let closed = function_call(call, "completed", true);
    events
        .push(json!({"type": "response.output_item.done", "output_index": index, "item": closed}));
}
