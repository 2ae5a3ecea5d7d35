//! OpenAI's legacy completions: <https://platform.openai.com/docs/api-reference/completions/object>

use bytes::Bytes;
use serde_json::{Value, json};

use super::{Answer, SSE, chat::wants_usage};
use crate::support::mock::data;

pub(super) fn answer(asked: &Value, model: &str) -> Answer {
    if asked["stream"] == true {
        return Answer::events(SSE, events(asked, model));
    }
    Answer::json(
        &json!({"id": "cmpl-7", "object": "text_completion", "created": 1_778_000_000, "model": model,
        "choices": [{"text": " a time", "index": 0, "logprobs": null, "finish_reason": "length"}],
        "usage": {"prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 12}}),
    )
}

fn events(asked: &Value, model: &str) -> Vec<Bytes> {
    let mut events: Vec<Bytes> = [" a", " time", "."]
        .iter()
        .map(|text| {
            data(&json!({"id": "cmpl-7", "object": "text_completion", "created": 1_778_000_000,
                "model": model,
                "choices": [{"text": text, "index": 0, "logprobs": null, "finish_reason": null}]}))
        })
        .collect();
    if wants_usage(asked) {
        events.push(data(&json!({"id": "cmpl-7", "object": "text_completion",
            "created": 1_778_000_000, "model": model, "choices": [],
            "usage": {"prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 12}})));
    }
    events.push(Bytes::from_static(b"data: [DONE]\n\n"));
    events
}
