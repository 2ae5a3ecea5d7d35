//! `POST /v1/messages` and `/v1/messages/count_tokens`:
//! <https://platform.claude.com/docs/en/api/messages>; the grammar of the stream:
//! <https://platform.claude.com/docs/en/build-with-claude/streaming>.

use serde_json::{Value, json};

use super::{
    answer::{Answer, Event, fresh_id},
    ask::{Ask, Format, Output, Said},
    cache::{Cached, cached},
    citations::{self, Cited},
    fields::Fields,
    prompt::Prompt,
    refusal::Refusal,
    reply::{End, Limits, Reply, pieces},
    thought::signature,
    tools::{Call, Choice, Tool},
};

const ROLES: [&str; 3] = ["user", "assistant", "system"];

/// Answers a message.
pub fn answer(body: &Value) -> Result<Answer, Refusal> {
    let fields = Fields::of_body(body)?;
    let model = fields.text("model")?;
    fields.required("max_tokens")?;
    let ask = read(fields)?;
    let output = ask.output()?;
    let cached = cached(body, ask.prompt.tokens);
    let cited = cited(fields, &ask, &output)?;
    let message = Message { model, input: ask.prompt.tokens, cached, output, cited };
    if fields.flag("stream")? {
        Ok(Answer::Events(message.events()))
    } else {
        Ok(Answer::Whole(message.whole()))
    }
}

/// What is said of documents, where there is room for it behind the words.
fn cited(fields: Fields<'_>, ask: &Ask, output: &Output) -> Result<Vec<Cited>, Refusal> {
    let Said::Text(Reply { end: End::Complete, .. }) = output.said else { return Ok(Vec::new()) };
    if !matches!(ask.format, Format::Text) {
        return Ok(Vec::new());
    }
    let cited = citations::of_messages(fields.array("messages")?)?;
    let all = output.tokens() + cited.iter().map(Cited::tokens).sum::<u64>();
    let fits = ask.limits.max_tokens.is_none_or(|most| all <= most);
    Ok(if fits { cited } else { Vec::new() })
}

/// Counts the input tokens of a message.
pub fn count_tokens(body: &Value) -> Result<Answer, Refusal> {
    let fields = Fields::of_body(body)?;
    fields.text("model")?;
    Ok(Answer::Whole(json!({"input_tokens": read(fields)?.prompt.tokens})))
}

fn read(fields: Fields<'_>) -> Result<Ask, Refusal> {
    fields.number("temperature", 0.0..=1.0)?;
    let definitions = fields.optional_array("tools")?;
    let tools = definitions.iter().enumerate().map(|(index, tool)| {
        let path = format!("tools[{index}]");
        let fields = Fields::of(tool, &path)?;
        // Tools that the vendor itself runs have a dated type and no schema: nothing to call here.
        match fields.optional_text("type")? {
            None | Some("custom") => Tool::read(fields, "input_schema").map(Some),
            Some(_) => Ok(None),
        }
    });
    let tools = tools.collect::<Result<Vec<_>, Refusal>>()?;
    let mut prompt = Prompt::of_messages(fields.array("messages")?, &ROLES)?;
    prompt.instruct(fields.get("system"), "system")?;
    prompt.define(definitions);
    let (choice, parallel) = read_choice(fields)?;
    Ok(Ask {
        prompt,
        format: read_format(fields)?,
        limits: Limits {
            max_tokens: fields.integer("max_tokens", 1..=u64::MAX)?,
            stops: fields.stops("stop_sequences", usize::MAX)?,
        },
        tools: tools.into_iter().flatten().collect(),
        choice,
        parallel,
        thinks: thinks(fields)?,
    })
}

/// `thinking`: <https://platform.claude.com/docs/en/build-with-claude/extended-thinking>.
fn thinks(fields: Fields<'_>) -> Result<bool, Refusal> {
    let Some(thinking) = fields.get("thinking") else { return Ok(false) };
    let thinking = Fields::of(thinking, "thinking")?;
    match thinking.text("type")? {
        "disabled" => Ok(false),
        "adaptive" => Ok(true),
        "enabled" => {
            thinking.required("budget_tokens")?;
            let budget = thinking.integer("budget_tokens", 1024..=u64::MAX)?;
            let limit = fields.integer("max_tokens", 1..=u64::MAX)?;
            if limit.is_some_and(|limit| budget >= Some(limit)) {
                return Err(thinking.refuse("budget_tokens", "must be less than `max_tokens`"));
            }
            Ok(true)
        }
        _ => Err(thinking.refuse("type", "must be one of: enabled, adaptive, disabled")),
    }
}

fn read_choice(fields: Fields<'_>) -> Result<(Choice, bool), Refusal> {
    let Some(choice) = fields.get("tool_choice") else {
        return Ok((Choice::Auto, true));
    };
    let choice = Fields::of(choice, "tool_choice")?;
    let parallel = !choice.flag("disable_parallel_tool_use")?;
    let choice = match choice.text("type")? {
        "auto" => Choice::Auto,
        "any" => Choice::Required,
        "none" => Choice::Never,
        "tool" => Choice::Named(choice.text("name")?.to_owned()),
        _ => return Err(choice.refuse("type", "must be one of: auto, any, tool, none")),
    };
    Ok((choice, parallel))
}

/// `output_config.format`: <https://platform.claude.com/docs/en/build-with-claude/structured-outputs>.
fn read_format(fields: Fields<'_>) -> Result<Format, Refusal> {
    let Some(config) = fields.get("output_config") else {
        return Ok(Format::Text);
    };
    let Some(format) = Fields::of(config, "output_config")?.get("format") else {
        return Ok(Format::Text);
    };
    let format = Fields::of(format, "output_config.format")?;
    match format.text("type")? {
        "json_schema" => Ok(Format::Schema(format.required("schema")?.clone())),
        _ => Err(format.refuse("type", "must be 'json_schema'")),
    }
}

struct Message<'a> {
    model: &'a str,
    input: u64,
    cached: Cached,
    output: Output,
    cited: Vec<Cited>,
}

impl Message<'_> {
    fn whole(&self) -> Value {
        let thought = self.output.thought.iter().map(|thought| {
            json!({"type": "thinking", "thinking": thought, "signature": signature(thought)})
        });
        let mut content: Vec<Value> = thought.collect();
        match &self.output.said {
            Said::Text(reply) if reply.text.is_empty() => {}
            Said::Text(reply) => content.push(json!({"type": "text", "text": reply.text})),
            Said::Calls(calls) => {
                content.extend(calls.iter().map(|call| tool_use(call, &call.arguments)));
            }
        }
        content.extend(self.cited.iter().map(
            |cited| json!({"type": "text", "text": cited.text, "citations": [cited.citation]}),
        ));
        let (reason, sequence) = self.stop();
        self.frame(&json!(content), &reason, &sequence, self.output_tokens())
    }

    fn events(&self) -> Vec<Event> {
        let start = self.frame(&json!([]), &Value::Null, &Value::Null, 1);
        let mut events = vec![json!({"type": "message_start", "message": start})];
        let mut blocks = Blocks { events: &mut events, count: 0 };
        if let Some(thought) = &self.output.thought {
            blocks.thought(thought);
        }
        match &self.output.said {
            Said::Text(reply) => blocks.text(reply),
            Said::Calls(calls) => calls.iter().for_each(|call| blocks.call(call)),
        }
        self.cited.iter().for_each(|cited| blocks.cited(cited));
        blocks.ping();
        let (reason, sequence) = self.stop();
        events.push(json!({
            "type": "message_delta",
            "delta": {"stop_reason": reason, "stop_sequence": sequence},
            "usage": self.usage(self.output_tokens())
        }));
        events.push(json!({"type": "message_stop"}));
        events.iter().map(Event::typed).collect()
    }

    fn frame(
        &self,
        content: &Value,
        reason: &Value,
        sequence: &Value,
        output_tokens: u64,
    ) -> Value {
        let mut usage = self.usage(output_tokens);
        if let Some(usage) = usage.as_object_mut() {
            usage.insert("service_tier".to_owned(), json!("standard"));
        }
        json!({
            "id": fresh_id("msg_"),
            "type": "message",
            "role": "assistant",
            "model": self.model,
            "content": content,
            "stop_reason": reason,
            "stop_sequence": sequence,
            "usage": usage
        })
    }

    fn output_tokens(&self) -> u64 {
        self.output.tokens() + self.cited.iter().map(Cited::tokens).sum::<u64>()
    }

    /// Input that is cached is none of `input_tokens`.
    fn usage(&self, output_tokens: u64) -> Value {
        let Cached { read, write } = self.cached;
        json!({
            "input_tokens": self.input - read - write,
            "cache_creation_input_tokens": write,
            "cache_read_input_tokens": read,
            "output_tokens": output_tokens
        })
    }

    fn stop(&self) -> (Value, Value) {
        match &self.output.said {
            Said::Calls(_) => (json!("tool_use"), Value::Null),
            Said::Text(Reply { end: End::Complete, .. }) => (json!("end_turn"), Value::Null),
            Said::Text(Reply { end: End::Length, .. }) => (json!("max_tokens"), Value::Null),
            Said::Text(Reply { end: End::Stop(stop), .. }) => (json!("stop_sequence"), json!(stop)),
        }
    }
}

fn tool_use(call: &Call, input: &Value) -> Value {
    json!({"type": "tool_use", "id": format!("toolu_{}", call.id), "name": call.name, "input": input})
}

/// The blocks of a stream, one after the other.
struct Blocks<'e> {
    events: &'e mut Vec<Value>,
    count: usize,
}

impl Blocks<'_> {
    fn thought(&mut self, thought: &str) {
        let words = pieces(thought).map(|word| json!({"type": "thinking_delta", "thinking": word}));
        let proof = json!({"type": "signature_delta", "signature": signature(thought)});
        let block = json!({"type": "thinking", "thinking": "", "signature": ""});
        self.block(&block, words.chain([proof]));
    }

    fn text(&mut self, reply: &Reply) {
        if !reply.text.is_empty() {
            let words = pieces(&reply.text).map(|word| json!({"type": "text_delta", "text": word}));
            self.block(&json!({"type": "text", "text": ""}), words);
        }
    }

    fn cited(&mut self, cited: &Cited) {
        let words = pieces(&cited.text).map(|word| json!({"type": "text_delta", "text": word}));
        let source = json!({"type": "citations_delta", "citation": cited.citation});
        self.block(&json!({"type": "text", "text": "", "citations": []}), words.chain([source]));
    }

    fn call(&mut self, call: &Call) {
        let arguments = call.arguments_text();
        let parts = std::iter::once("").chain(pieces(&arguments));
        let deltas = parts.map(|part| json!({"type": "input_json_delta", "partial_json": part}));
        self.block(&tool_use(call, &json!({})), deltas);
    }

    fn block(&mut self, block: &Value, deltas: impl Iterator<Item = Value>) {
        let index = self.count;
        self.events
            .push(json!({"type": "content_block_start", "index": index, "content_block": block}));
        self.ping();
        self.events.extend(
            deltas.map(
                |delta| json!({"type": "content_block_delta", "index": index, "delta": delta}),
            ),
        );
        self.events.push(json!({"type": "content_block_stop", "index": index}));
        self.count += 1;
    }

    /// One, in the first block or where there is none.
    fn ping(&mut self) {
        if self.count == 0 {
            self.events.push(json!({"type": "ping"}));
        }
    }
}
