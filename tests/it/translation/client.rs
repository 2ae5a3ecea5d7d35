//! Clients of three dialects, who ask the same and are told the same in their own words.

use serde_json::{Value, json};

use crate::support::{Answer, Caller};

/// Whose dialect the client speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Client {
    Chat,
    Messages,
    Responses,
}

impl Client {
    pub const ALL: [Self; 3] = [Self::Chat, Self::Messages, Self::Responses];

    pub const fn path(self) -> &'static str {
        match self {
            Self::Chat => "/v1/chat/completions",
            Self::Messages => "/v1/messages",
            Self::Responses => "/v1/responses",
        }
    }

    /// "Say hello", with the system's word "Be brief.".
    pub fn body(self, model: &str, stream: bool) -> Value {
        let user = json!({"role": "user", "content": "Say hello"});
        match self {
            Self::Chat => json!({"model": model, "stream": stream,
                "messages": [{"role": "system", "content": "Be brief."}, user]}),
            Self::Messages => json!({"model": model, "stream": stream, "max_tokens": 256,
                "system": "Be brief.", "messages": [user]}),
            Self::Responses => json!({"model": model, "stream": stream, "store": false,
                "instructions": "Be brief.", "input": "Say hello"}),
        }
    }

    /// Asks under this id, with `metadata` wanted in streams that pass.
    pub async fn asks(self, key: &Caller, model: &str, stream: bool, id: &str) -> Answer {
        let ask = key.post(self.path(), self.body(model, stream).to_string());
        ask.header("x-request-id", id).header("x-bd-metadata", "true").await
    }

    /// The model that the answer names, and its text.
    pub fn reads(self, answer: &Answer, stream: bool) -> (String, String) {
        let (model, text) = if stream { self.streamed(answer) } else { self.whole(&answer.json()) };
        let model = model.as_str().unwrap_or_else(|| panic!("no model in {}", answer.tell()));
        (model.to_owned(), text)
    }

    fn whole(self, body: &Value) -> (Value, String) {
        let text = match self {
            Self::Chat => {
                assert_eq!(body["object"], "chat.completion", "{body}");
                assert_eq!(body["choices"][0]["finish_reason"], "stop", "{body}");
                &body["choices"][0]["message"]["content"]
            }
            Self::Messages => {
                assert_eq!(
                    (&body["type"], &body["stop_reason"]),
                    (&json!("message"), &json!("end_turn"))
                );
                &body["content"][0]["text"]
            }
            Self::Responses => {
                assert_eq!(
                    (&body["object"], &body["status"]),
                    (&json!("response"), &json!("completed"))
                );
                let output = body["output"].as_array().expect("items");
                let message = output.iter().find(|item| item["type"] == "message");
                &message.expect("a message")["content"][0]["text"]
            }
        };
        (body["model"].clone(), text.as_str().unwrap_or_default().to_owned())
    }

    fn streamed(self, answer: &Answer) -> (Value, String) {
        let mut events = answer.events();
        if self == Self::Chat {
            assert_eq!(events.pop().as_deref(), Some("[DONE]"), "{}", answer.text());
        }
        let events: Vec<Value> =
            events.iter().map(|event| serde_json::from_str(event).expect("JSON")).collect();
        let (model, deltas): (&Value, &str) = match self {
            Self::Chat => (&events[0]["model"], "/choices/0/delta/content"),
            Self::Messages => {
                assert_eq!(events.last().unwrap()["type"], "message_stop", "{}", answer.text());
                (&events[0]["message"]["model"], "/delta/text")
            }
            Self::Responses => {
                assert_eq!(events.last().unwrap()["type"], "response.completed");
                (&events.last().unwrap()["response"]["model"], "/delta")
            }
        };
        let text = events.iter().filter_map(|event| event.pointer(deltas)?.as_str()).collect();
        (model.clone(), text)
    }

    /// Asserts that the stream ends in an error as this dialect wants, and nowhere looks complete.
    pub fn is_told_of_the_break(self, answer: &Answer) {
        let told = answer.tell();
        let mut events = answer.events();
        if self == Self::Chat {
            assert_eq!(events.pop().as_deref(), Some("[DONE]"), "{told}");
            assert!(!events.iter().any(|event| event == "[DONE]"), "{told}");
        }
        // Some clients of Responses wait for this one.
        if events.last().is_some_and(|event| event.contains(r#""type":"response.failed""#)) {
            assert_eq!(self, Self::Responses, "{told}");
            events.pop();
        }
        let last: Value = serde_json::from_str(events.last().expect("events")).unwrap();
        let message = match self {
            Self::Chat => &last["error"]["message"],
            Self::Messages => {
                assert_eq!(last["type"], "error", "{told}");
                assert!(answer.text().contains("event: error\n"), "{told}");
                &last["error"]["message"]
            }
            Self::Responses => {
                assert_eq!(last["type"], "error", "{told}");
                &last["message"]
            }
        };
        assert!(message.as_str().is_some_and(|message| !message.is_empty()), "{told}");
        for complete in ["message_stop", "response.completed", "\"finish_reason\":\"stop\""] {
            assert!(!answer.text().contains(complete), "it looks complete: {told}");
        }
    }
}
