//! `POST /v1/completions`: <https://developers.openai.com/api/reference/resources/completions>.

use serde_json::{Value, json};

use super::{
    answer::{Answer, Event, fresh_id},
    cache::Cached,
    chat::{finish_reason, stream_options, usage},
    fields::Fields,
    prompt::Prompt,
    refusal::Refusal,
    reply::{self, Limits, Reply, pieces, tokens},
};
use crate::domain::Timestamp;

/// Tokens where the client sets no limit, as the vendor's own default.
const DEFAULT_MAX_TOKENS: u64 = 16;

/// Answers a text completion.
pub fn answer(body: &Value, now: Timestamp) -> Result<Answer, Refusal> {
    let fields = Fields::of_body(body)?;
    let model = fields.text("model")?;
    let prompts = read_prompts(fields)?;
    fields.number("temperature", 0.0..=2.0)?;
    let limits = Limits {
        max_tokens: Some(fields.integer("max_tokens", 1..=u64::MAX)?.unwrap_or(DEFAULT_MAX_TOKENS)),
        stops: fields.stops("stop", 4)?,
    };
    let echo = fields.flag("echo")?;
    let count = fields.integer("n", 1..=128)?.unwrap_or(1);
    let mut choices = Vec::new();
    let mut input = 0;
    let mut output = 0;
    for prompt in &prompts {
        input += prompt.tokens;
        for _ in 0..count {
            let mut reply = reply::limit(&reply::compose(prompt), &limits);
            output += tokens(&reply.text);
            if echo {
                reply.text.insert_str(0, &prompt.last);
            }
            choices.push(reply);
        }
    }
    let frame = |choices: Value| {
        json!({
            "id": "", "object": "text_completion", "created": now.unix_seconds(), "model": model,
            "choices": choices, "system_fingerprint": "fp_sandbox"
        })
    };
    let answer = Completion {
        id: fresh_id("cmpl-"),
        frame: &frame,
        choices,
        usage: usage(input, Cached::default(), output, 0),
    };
    match stream_options(fields)? {
        Some(stream) => Ok(Answer::Events(answer.events(stream.include_usage))),
        None => Ok(Answer::Whole(answer.whole())),
    }
}

/// `prompt`: a text, texts, tokens or lists of tokens. Tokens cannot be read back into words.
fn read_prompts(fields: Fields<'_>) -> Result<Vec<Prompt>, Refusal> {
    let wrong =
        || fields.refuse("prompt", "must be a string, an array of strings, or arrays of token ids");
    match fields.required("prompt")? {
        Value::String(text) => Ok(vec![Prompt::of_text(text)]),
        Value::Array(items) if items.is_empty() => Err(wrong()),
        Value::Array(items) if items.iter().all(Value::is_u64) => Ok(vec![of_ids(items)]),
        Value::Array(items) => items
            .iter()
            .map(|item| match item {
                Value::String(text) => Ok(Prompt::of_text(text)),
                Value::Array(ids) if ids.iter().all(Value::is_u64) => Ok(of_ids(ids)),
                _ => Err(wrong()),
            })
            .collect(),
        _ => Err(wrong()),
    }
}

fn of_ids(ids: &[Value]) -> Prompt {
    let mut prompt = Prompt::of_text(&format!("{} tokens", ids.len()));
    prompt.tokens = u64::try_from(ids.len()).unwrap_or(u64::MAX);
    prompt
}

struct Completion<'a> {
    id: String,
    frame: &'a dyn Fn(Value) -> Value,
    choices: Vec<Reply>,
    usage: Value,
}

impl Completion<'_> {
    fn framed(&self, choices: Value, usage: Option<Value>) -> Value {
        let mut framed = (self.frame)(choices);
        if let Some(members) = framed.as_object_mut() {
            members.insert("id".to_owned(), json!(self.id));
            members.extend(usage.map(|usage| ("usage".to_owned(), usage)));
        }
        framed
    }

    fn whole(&self) -> Value {
        let choices = self.choices.iter().enumerate().map(|(index, reply)| {
            json!({"text": reply.text, "index": index, "logprobs": null, "finish_reason": finish_reason(&reply.end)})
        });
        self.framed(choices.collect(), Some(self.usage.clone()))
    }

    fn events(&self, include_usage: bool) -> Vec<Event> {
        let nothing = include_usage.then_some(Value::Null);
        let mut events = Vec::new();
        for (index, reply) in self.choices.iter().enumerate() {
            let words = pieces(&reply.text).map(|piece| (piece, Value::Null));
            let end = ("", json!(finish_reason(&reply.end)));
            for (text, finish) in words.chain(std::iter::once(end)) {
                let choice = json!([{"text": text, "index": index, "logprobs": null, "finish_reason": finish}]);
                events.push(Event::unnamed(&self.framed(choice, nothing.clone())));
            }
        }
        if include_usage {
            events.push(Event::unnamed(&self.framed(json!([]), Some(self.usage.clone()))));
        }
        events.push(Event::done());
        events
    }
}
