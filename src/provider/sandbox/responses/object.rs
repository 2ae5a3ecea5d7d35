//! The response object, at every stage of its making.

use serde_json::{Map, Value, json};

use crate::{
    domain::Timestamp,
    provider::sandbox::{
        answer::fresh_id,
        ask::{Ask, Output, Said},
        fields::Fields,
        reply::{End, Reply},
        thought::signature,
        tools::Call,
    },
};

/// What stays the same while a response is made.
pub struct Frame {
    members: Map<String, Value>,
    input_tokens: u64,
    /// Id of the message item, if the output is words.
    pub message_id: String,
    reasoning_id: String,
    /// Whether what was thought is summed up.
    pub sums_up: bool,
    encrypts: bool,
}

/// Settings that the object repeats, with the value where the request has none.
fn repeated() -> [(&'static str, Value); 14] {
    [
        ("instructions", Value::Null),
        ("max_output_tokens", Value::Null),
        ("max_tool_calls", Value::Null),
        ("metadata", json!({})),
        ("parallel_tool_calls", json!(true)),
        ("reasoning", json!({"effort": null, "summary": null})),
        ("safety_identifier", Value::Null),
        ("store", json!(false)),
        ("temperature", json!(1.0)),
        ("tool_choice", json!("auto")),
        ("tools", json!([])),
        ("top_p", json!(1.0)),
        ("truncation", json!("disabled")),
        ("user", Value::Null),
    ]
}

impl Frame {
    /// The frame of one response.
    pub fn new(fields: Fields<'_>, model: &str, now: Timestamp, ask: &Ask) -> Self {
        let mut members = Map::new();
        for (name, usual) in repeated() {
            members.insert(name.to_owned(), fields.get(name).cloned().unwrap_or(usual));
        }
        let format = fields.get("text").and_then(|text| text.get("format")).cloned();
        let text = json!({"format": format.unwrap_or_else(|| json!({"type": "text"})), "verbosity": "medium"});
        let own = [
            ("id", json!(fresh_id("resp_"))),
            ("object", json!("response")),
            ("created_at", json!(now.unix_seconds())),
            ("model", json!(model)),
            ("background", json!(false)),
            ("previous_response_id", Value::Null),
            ("service_tier", json!("default")),
            ("text", text),
            // Nothing is kept, whatever the request asks for.
            ("store", json!(false)),
        ];
        members.extend(own.map(|(name, value)| (name.to_owned(), value)));
        let summary = fields.get("reasoning").and_then(|reasoning| reasoning.get("summary"));
        let include = fields.get("include").and_then(Value::as_array);
        Self {
            members,
            input_tokens: ask.prompt.tokens,
            message_id: fresh_id("msg_"),
            reasoning_id: fresh_id("rs_"),
            sums_up: summary.is_some_and(Value::is_string),
            encrypts: include
                .is_some_and(|all| all.contains(&json!("reasoning.encrypted_content"))),
        }
    }

    /// The item of what was thought, before or after its summary.
    pub fn reasoning(&self, thought: &str, is_done: bool) -> Value {
        let summary = if is_done && self.sums_up { vec![summary(thought)] } else { Vec::new() };
        let mut item = json!({"type": "reasoning", "id": self.reasoning_id, "summary": summary});
        if let (true, Some(item)) = (self.encrypts, item.as_object_mut()) {
            let sealed = if is_done { signature(thought) } else { String::new() };
            item.insert("encrypted_content".to_owned(), json!(sealed));
        }
        item
    }

    /// The object before there is output.
    pub fn in_progress(&self) -> Value {
        self.with("in_progress", json!([]), Value::Null, Value::Null)
    }

    /// The finished object.
    pub fn finished(&self, output: &Output) -> Value {
        let tokens = output.tokens();
        let usage = json!({
            "input_tokens": self.input_tokens,
            "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
            "output_tokens": tokens,
            "output_tokens_details": {"reasoning_tokens": output.thought_tokens()},
            "total_tokens": self.input_tokens + tokens
        });
        let thought = output.thought.iter().map(|thought| self.reasoning(thought, true));
        let mut items: Vec<Value> = thought.collect();
        match &output.said {
            Said::Text(reply) => {
                items.push(message(&self.message_id, status(reply), &[part(&reply.text)]));
            }
            Said::Calls(calls) => {
                items.extend(calls.iter().map(|call| function_call(call, "completed", true)));
            }
        }
        let items = json!(items);
        match &output.said {
            Said::Text(reply) if reply.end == End::Length => {
                self.with("incomplete", items, usage, json!({"reason": "max_output_tokens"}))
            }
            _ => self.with("completed", items, usage, Value::Null),
        }
    }

    fn with(&self, status: &str, output: Value, usage: Value, incomplete: Value) -> Value {
        let mut members = self.members.clone();
        let stage = [
            ("status", json!(status)),
            ("error", Value::Null),
            ("incomplete_details", incomplete),
            ("output", output),
            ("usage", usage),
        ];
        members.extend(stage.map(|(name, value)| (name.to_owned(), value)));
        Value::Object(members)
    }
}

/// The status of a finished message item.
pub const fn status(reply: &Reply) -> &'static str {
    match reply.end {
        End::Length => "incomplete",
        End::Complete | End::Stop(_) => "completed",
    }
}

/// A message item.
pub fn message(id: &str, status: &str, content: &[Value]) -> Value {
    json!({"type": "message", "id": id, "status": status, "role": "assistant", "content": content})
}

/// A part of a reasoning item.
pub fn summary(text: &str) -> Value {
    json!({"type": "summary_text", "text": text})
}

/// A text part of a message item.
pub fn part(text: &str) -> Value {
    json!({"type": "output_text", "text": text, "annotations": [], "logprobs": []})
}

/// A function call item, with its arguments or before they are known.
pub fn function_call(call: &Call, status: &str, with_arguments: bool) -> Value {
    json!({
        "type": "function_call",
        "id": call_item_id(call),
        "call_id": format!("call_{}", call.id),
        "name": call.name,
        "arguments": if with_arguments { call.arguments_text() } else { String::new() },
        "status": status
    })
}

/// The item's own id, which is not the call's.
pub fn call_item_id(call: &Call) -> String {
    format!("fc_{}", call.id)
}
