//! An answer and what may be asked of it.

use bytes::Bytes;
use serde_json::Value;

use super::Ending;

/// Header lines in order, names in lower case.
#[derive(Clone, Debug, Default)]
pub struct Headers(pub Vec<(String, String)>);

impl Headers {
    /// The only value; panics if the header came twice.
    pub fn get(&self, name: &str) -> Option<&str> {
        let mut values = self.0.iter().filter(|(known, _)| known == name);
        let first = values.next()?;
        assert!(values.next().is_none(), "{name} came twice: {:?}", self.0);
        Some(&first.1)
    }

    /// The names that begin with `x-bd-provider-`.
    pub fn observability(&self) -> Vec<&str> {
        let names = self.0.iter().map(|(name, _)| name.as_str());
        names.filter(|name| name.starts_with("x-bd-")).collect()
    }
}

/// A whole answer.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Headers,
    pub body: Bytes,
    pub ending: Ending,
}

impl Answer {
    /// Panics with everything that was said if the status is another.
    #[track_caller]
    pub fn has_status(self, status: u16) -> Self {
        assert_eq!(self.status, status, "the answer was {}", self.tell());
        self
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("no JSON ({error}): {}", self.tell()))
    }

    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("text")
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)
    }

    /// Everything, for messages of failed assertions.
    pub fn tell(&self) -> String {
        format!("{} {:?} {}", self.status, self.headers.0, String::from_utf8_lossy(&self.body))
    }

    /// A runtime error in OpenAI's envelope: gives the error object.
    #[track_caller]
    pub fn openai_error(&self) -> Value {
        let body = self.json();
        let error = &body["error"];
        for field in ["message", "type"] {
            let text = error[field].as_str().unwrap_or_default();
            assert!(!text.is_empty(), "error.{field} is missing in {}", self.tell());
        }
        for field in ["param", "code"] {
            assert!(error.get(field).is_some(), "error.{field} is missing in {}", self.tell());
        }
        assert_eq!(body.as_object().map(serde_json::Map::len), Some(1), "{}", self.tell());
        error.clone()
    }

    /// A runtime error in Anthropic's envelope: gives the error object.
    #[track_caller]
    pub fn anthropic_error(&self) -> Value {
        let body = self.json();
        assert_eq!(body["type"], "error", "{}", self.tell());
        for field in ["message", "type"] {
            let text = body["error"][field].as_str().unwrap_or_default();
            assert!(!text.is_empty(), "error.{field} is missing in {}", self.tell());
        }
        body["error"].clone()
    }

    /// An error of the admin and user API: gives the message.
    #[track_caller]
    pub fn refusal(&self, status: u16, class: &str) -> String {
        assert_eq!(self.status, status, "{}", self.tell());
        let body = self.json();
        assert_eq!(body["error"], class, "{}", self.tell());
        let message = body["message"].as_str().unwrap_or_default();
        assert!(!message.is_empty(), "{}", self.tell());
        message.to_owned()
    }

    /// The data of every server-sent event, in order.
    pub fn events(&self) -> Vec<String> {
        self.text()
            .split("\n\n")
            .filter_map(|event| event.lines().find_map(|line| line.strip_prefix("data: ")))
            .map(str::to_owned)
            .collect()
    }
}
