//! What an endpoint answers, before it becomes bytes.

use serde_json::Value;
use uuid::Uuid;

/// An answer, whole or as the events of a stream.
#[derive(Debug)]
pub enum Answer {
    /// A JSON body.
    Whole(Value),
    /// Server-sent events, in order.
    Events(Vec<Event>),
}

/// One server-sent event.
#[derive(Debug, PartialEq, Eq)]
pub struct Event {
    /// `event:`, where the dialect has it.
    pub name: Option<String>,
    /// `data:`, one line.
    pub data: String,
}

impl Event {
    /// An event without a name, as chat completions and completions have them.
    pub fn unnamed(data: &Value) -> Self {
        Self { name: None, data: data.to_string() }
    }

    /// An event named by its data's `type`, as messages and responses have them.
    pub fn typed(data: &Value) -> Self {
        let name = data.get("type").and_then(Value::as_str).map(str::to_owned);
        Self { name, data: data.to_string() }
    }

    /// The end of an OpenAI stream.
    pub fn done() -> Self {
        Self { name: None, data: "[DONE]".to_owned() }
    }

    /// The event in the framing of
    /// <https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation>.
    pub fn encode(&self) -> String {
        match &self.name {
            Some(name) => format!("event: {name}\ndata: {}\n\n", self.data),
            None => format!("data: {}\n\n", self.data),
        }
    }
}

/// A fresh id in the vendors' manner, such as `chatcmpl-…` or `msg_…`.
pub fn fresh_id(prefix: &str) -> String {
    format!("{prefix}{}", Uuid::new_v4().simple())
}
