//! Server-sent events as a client reads them.

use serde_json::Value;

/// One event with JSON in it.
pub struct Event {
    /// Its `event` field.
    pub name: Option<String>,
    pub data: Value,
}

/// A stream's events; comments are left out, `[DONE]` is counted.
#[derive(Default)]
pub struct Events {
    pub all: Vec<Event>,
    /// How often `[DONE]` came.
    pub done: usize,
    /// How many events came after the first `[DONE]`.
    pub after_done: usize,
}

impl Events {
    /// Reads a body as <https://html.spec.whatwg.org/multipage/server-sent-events.html> says. A body
    /// that is no stream has no events.
    pub fn read(body: &[u8]) -> Result<Self, String> {
        let text = std::str::from_utf8(body).map_err(|error| format!("no UTF-8: {error}"))?;
        let mut events = Self::default();
        let (mut name, mut data) = (None, Vec::new());
        for line in text.lines() {
            if line.is_empty() {
                events.add(name.take(), &std::mem::take(&mut data))?;
                continue;
            }
            let (field, value) = line.split_once(':').unwrap_or((line, ""));
            let value = value.strip_prefix(' ').unwrap_or(value);
            match field {
                "event" => name = Some(value.to_owned()),
                "data" => data.push(value),
                _ => {}
            }
        }
        if data.is_empty() { Ok(events) } else { Err(format!("an unfinished event: {data:?}")) }
    }

    fn add(&mut self, name: Option<String>, data: &[&str]) -> Result<(), String> {
        if data.is_empty() {
            return Ok(());
        }
        let data = data.join("\n");
        self.after_done += usize::from(self.done > 0);
        if data == "[DONE]" {
            self.done += 1;
            return Ok(());
        }
        let data = serde_json::from_str(&data).map_err(|error| format!("{error}: {data}"))?;
        self.all.push(Event { name, data });
        Ok(())
    }

    /// The data of events that are errors.
    pub fn errors(&self) -> impl Iterator<Item = &Value> {
        self.all
            .iter()
            .map(|event| &event.data)
            .filter(|data| data["error"].is_object() && data["object"].is_null())
    }

    /// Everything but what differs from answer to answer: ids and times that the gateway makes, and
    /// what it tells of itself.
    pub fn lasting(&self) -> Vec<String> {
        let told = self.all.iter().map(|event| {
            let mut data = event.data.clone();
            for place in ["", "/message", "/response", "/item", "/content_block"] {
                strip(data.pointer_mut(place));
            }
            let items = data.pointer_mut("/response/output").and_then(Value::as_array_mut);
            for item in items.into_iter().flatten() {
                strip(Some(item));
            }
            let calls = data.pointer_mut("/choices/0/delta/tool_calls");
            for call in calls.and_then(Value::as_array_mut).into_iter().flatten() {
                strip(Some(call));
            }
            format!("{:?} {data}", event.name)
        });
        told.chain(std::iter::repeat_n("[DONE]".to_owned(), self.done)).collect()
    }
}

fn strip(place: Option<&mut Value>) {
    let Some(object) = place.and_then(Value::as_object_mut) else { return };
    let made = ["id", "item_id", "call_id", "created", "created_at", "completed_at", "metadata"];
    for name in made {
        object.remove(name);
    }
}
