//! `POST /v1/chat/completions`: <https://developers.openai.com/api/reference/resources/chat>.

use serde_json::{Value, json};

use super::{
    answer::{Answer, Event, fresh_id},
    ask::{Ask, Format, Output, Said},
    cache::{Cached, cached},
    fields::Fields,
    prompt::Prompt,
    refusal::Refusal,
    reply::{End, Limits, pieces},
    tools::{Choice, Tool},
};
use crate::domain::Timestamp;

/// OpenAI has no place for what was thought; this is where those who tell it do:
/// <https://api-docs.deepseek.com/guides/reasoning_model>.
const THOUGHT: &str = "reasoning_content";
const ROLES: [&str; 6] = ["system", "developer", "user", "assistant", "tool", "function"];

/// Answers a chat completion.
pub fn answer(body: &Value, now: Timestamp) -> Result<Answer, Refusal> {
    let fields = Fields::of_body(body)?;
    let ask = read(fields)?;
    let count = fields.integer("n", 1..=128)?.unwrap_or(1);
    let outputs = (0..count).map(|_| ask.output()).collect::<Result<Vec<_>, _>>()?;
    let completion = Completion {
        id: fresh_id("chatcmpl-"),
        created: now.unix_seconds(),
        model: fields.text("model")?,
        usage: usage(
            ask.prompt.tokens,
            cached(body, ask.prompt.tokens),
            outputs.iter().map(Output::tokens).sum(),
            outputs.iter().map(Output::thought_tokens).sum(),
        ),
        outputs,
    };
    match stream_options(fields)? {
        Some(stream) => Ok(Answer::Events(completion.events(stream.include_usage))),
        None => Ok(Answer::Whole(completion.whole())),
    }
}

/// What a streamed request of OpenAI's older endpoints asks of its stream.
pub struct StreamOptions {
    /// Whether the last chunk carries usage.
    pub include_usage: bool,
}

/// None where no stream is asked for.
pub fn stream_options(fields: Fields<'_>) -> Result<Option<StreamOptions>, Refusal> {
    let options = fields.get("stream_options");
    if !fields.flag("stream")? {
        return match options {
            None => Ok(None),
            Some(_) => Err(fields.refuse(
                "stream_options",
                "The 'stream_options' parameter is only allowed when 'stream' is enabled.",
            )),
        };
    }
    let include_usage = match options {
        Some(options) => Fields::of(options, "stream_options")?.flag("include_usage")?,
        None => false,
    };
    Ok(Some(StreamOptions { include_usage }))
}

/// `usage` of chat completions and completions; what is cached is among the input, and `thought` among the
/// output.
pub fn usage(input: u64, cached: Cached, output: u64, thought: u64) -> Value {
    let Cached { read, write } = cached;
    json!({
        "prompt_tokens": input,
        "completion_tokens": output,
        "total_tokens": input + output,
        "prompt_tokens_details": {"cached_tokens": read, "cache_write_tokens": write, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": thought, "audio_tokens": 0, "accepted_prediction_tokens": 0, "rejected_prediction_tokens": 0
        }
    })
}

/// `finish_reason` of chat completions and completions.
pub const fn finish_reason(end: &End) -> &'static str {
    match end {
        End::Complete | End::Stop(_) => "stop",
        End::Length => "length",
    }
}

fn read(fields: Fields<'_>) -> Result<Ask, Refusal> {
    fields.number("temperature", 0.0..=2.0)?;
    fields.number("top_p", 0.0..=1.0)?;
    let definitions = fields.optional_array("tools")?;
    let tools = definitions.iter().enumerate().map(|(index, tool)| read_tool(tool, index));
    let tools = tools.collect::<Result<Vec<_>, _>>()?;
    let mut prompt = Prompt::of_messages(fields.array("messages")?, &ROLES)?;
    prompt.define(definitions);
    let max_tokens = match fields.integer("max_completion_tokens", 1..=u64::MAX)? {
        Some(most) => Some(most),
        None => fields.integer("max_tokens", 1..=u64::MAX)?,
    };
    Ok(Ask {
        prompt,
        format: read_format(fields)?,
        limits: Limits { max_tokens, stops: fields.stops("stop", 4)? },
        choice: read_choice(fields)?,
        tools: tools.into_iter().flatten().collect(),
        parallel: fields.optional_flag("parallel_tool_calls")?.unwrap_or(true),
        thinks: fields.optional_text("reasoning_effort")?.is_some_and(|effort| effort != "none"),
    })
}

fn read_tool(tool: &Value, index: usize) -> Result<Option<Tool>, Refusal> {
    let path = format!("tools[{index}]");
    let fields = Fields::of(tool, &path)?;
    if fields.text("type")? != "function" {
        return Ok(None);
    }
    let path = format!("{path}.function");
    Tool::read(Fields::of(fields.required("function")?, &path)?, "parameters").map(Some)
}

fn read_choice(fields: Fields<'_>) -> Result<Choice, Refusal> {
    let choice = fields.get("tool_choice");
    match choice {
        None => return Ok(Choice::Auto),
        Some(Value::String(mode)) => match mode.as_str() {
            "none" => return Ok(Choice::Never),
            "auto" => return Ok(Choice::Auto),
            "required" => return Ok(Choice::Required),
            _ => {}
        },
        Some(choice) => {
            if let Some(name) = choice.pointer("/function/name").and_then(Value::as_str) {
                return Ok(Choice::Named(name.to_owned()));
            }
        }
    }
    Err(fields.refuse("tool_choice", "must be 'none', 'auto', 'required' or name a function"))
}

fn read_format(fields: Fields<'_>) -> Result<Format, Refusal> {
    let Some(format) = fields.get("response_format") else {
        return Ok(Format::Text);
    };
    let format = Fields::of(format, "response_format")?;
    match format.text("type")? {
        "text" => Ok(Format::Text),
        "json_object" => Ok(Format::Object),
        "json_schema" => {
            let schema =
                Fields::of(format.required("json_schema")?, "response_format.json_schema")?;
            schema.text("name")?;
            Ok(Format::Schema(schema.required("schema")?.clone()))
        }
        _ => Err(format.refuse("type", "must be 'text', 'json_object' or 'json_schema'")),
    }
}

struct Completion<'a> {
    id: String,
    created: i64,
    model: &'a str,
    usage: Value,
    outputs: Vec<Output>,
}

impl Completion<'_> {
    fn whole(&self) -> Value {
        let choices: Vec<_> = self
            .outputs
            .iter()
            .enumerate()
            .map(|(index, output)| whole_choice(index, output))
            .collect();
        json!({
            "id": self.id,
            "object": "chat.completion",
            "created": self.created,
            "model": self.model,
            "choices": choices,
            "usage": self.usage,
            "service_tier": "default",
            "system_fingerprint": "fp_sandbox"
        })
    }

    fn events(&self, include_usage: bool) -> Vec<Event> {
        let mut events = Vec::new();
        let mut push = |choices: Value, usage: Value| {
            let mut chunk = json!({
                "id": self.id,
                "object": "chat.completion.chunk",
                "created": self.created,
                "model": self.model,
                "service_tier": "default",
                "system_fingerprint": "fp_sandbox",
                "choices": choices
            });
            if let (true, Some(chunk)) = (include_usage, chunk.as_object_mut()) {
                chunk.insert("usage".to_owned(), usage);
            }
            events.push(Event::unnamed(&chunk));
        };
        for (index, output) in self.outputs.iter().enumerate() {
            let (deltas, finish) = deltas(output);
            for delta in deltas {
                push(
                    json!([{"index": index, "delta": delta, "logprobs": null, "finish_reason": null}]),
                    Value::Null,
                );
            }
            push(
                json!([{"index": index, "delta": {}, "logprobs": null, "finish_reason": finish}]),
                Value::Null,
            );
        }
        if include_usage {
            push(json!([]), self.usage.clone());
        }
        events.push(Event::done());
        events
    }
}

fn whole_choice(index: usize, output: &Output) -> Value {
    let (mut message, finish) = match &output.said {
        Said::Text(reply) => (
            json!({"role": "assistant", "content": reply.text, "refusal": null, "annotations": []}),
            finish_reason(&reply.end),
        ),
        Said::Calls(calls) => {
            let calls: Vec<_> = calls
                .iter()
                .map(|call| {
                    let function = json!({"name": call.name, "arguments": call.arguments_text()});
                    json!({"id": format!("call_{}", call.id), "type": "function", "function": function})
                })
                .collect();
            let message = json!({"role": "assistant", "content": null, "tool_calls": calls, "refusal": null, "annotations": []});
            (message, "tool_calls")
        }
    };
    if let (Some(thought), Some(message)) = (&output.thought, message.as_object_mut()) {
        message.insert(THOUGHT.to_owned(), json!(thought));
    }
    json!({"index": index, "message": message, "logprobs": null, "finish_reason": finish})
}

/// The deltas of one choice and its finish reason.
fn deltas(output: &Output) -> (Vec<Value>, &'static str) {
    let content = if matches!(output.said, Said::Text(_)) { json!("") } else { Value::Null };
    let mut deltas = vec![json!({"role": "assistant", "content": content, "refusal": null})];
    let thought = output.thought.as_deref().unwrap_or_default();
    deltas.extend(pieces(thought).map(|piece| json!({THOUGHT: piece})));
    match &output.said {
        Said::Text(reply) => {
            deltas.extend(pieces(&reply.text).map(|piece| json!({"content": piece})));
            (deltas, finish_reason(&reply.end))
        }
        Said::Calls(calls) => {
            for (index, call) in calls.iter().enumerate() {
                let function = json!({"name": call.name, "arguments": ""});
                let id = format!("call_{}", call.id);
                deltas.push(json!({
                    "tool_calls": [{"index": index, "id": id, "type": "function", "function": function}]
                }));
                let arguments = call.arguments_text();
                let parts = pieces(&arguments)
                    .map(|part| json!({"tool_calls": [{"index": index, "function": {"arguments": part}}]}));
                deltas.extend(parts);
            }
            (deltas, "tool_calls")
        }
    }
}
