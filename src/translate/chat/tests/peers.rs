//! What went wrong at other gateways (design/peers.md, T-17 to T-30).

use serde_json::{Value, json};

use super::{answering, events, quirks, sent};
use crate::{
    dialect::{FirstEvent, GatewayError, errors::UPSTREAM},
    translate::{Answering, ClientApi, Framing, StreamTranslator, VendorApi, form::PartKind},
};

const STREAM: &str = "\u{feff}: hello\r\n\r\n\
data: {\"id\":\"c1\",\"model\":\"m1\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"Grüß 🏔️\"},\"finish_reason\":null}]}\r\n\r\n\
data: {\"id\":\"c1\",\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":0,\"id\":\"a\",\"type\":\"function\",\"function\":{\"name\":\"f\",\"arguments\":\"\"}}]}}]}\n\n\
data: {\"id\":\"c1\",\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":\"{\\\"k\\\":\\\"Kö\"}},{\"index\":1,\"id\":\"b\",\"function\":{\"name\":\"g\",\"arguments\":\"\"}}]}}]}\n\n\
data: {\"id\":\"c1\",\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":\"ln\\\"}\"}},{\"index\":2,\"id\":\"c\",\"function\":{\"name\":\"h\",\"arguments\":\"{}\"}}]}}]}\n\n\
data: {\"id\":\"c1\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"tool_calls\"}]}\n\n\
data: {\"id\":\"c1\",\"choices\":[],\"usage\":{\"prompt_tokens\":100,\"completion_tokens\":7,\"total_tokens\":107,\"prompt_tokens_details\":{\"cached_tokens\":80}}}\n\n\
data: [DONE]\n\n";

fn translator(to: ClientApi) -> StreamTranslator {
    let context = Answering { ..answering() };
    StreamTranslator::new(VendorApi::Chat, Framing::Sse, to, context)
}

fn translated(pieces: &[&[u8]]) -> String {
    let mut translator = translator(ClientApi::Chat);
    let mut out = Vec::new();
    for piece in pieces {
        out.extend_from_slice(&translator.push(piece));
    }
    out.extend_from_slice(&translator.end());
    assert!(translator.complete());
    String::from_utf8(out).unwrap()
}

fn chunks(stream: &str) -> Vec<Value> {
    let data = stream.split("\n\n").filter_map(|block| block.strip_prefix("data: "));
    data.filter(|data| *data != "[DONE]").map(|data| serde_json::from_str(data).unwrap()).collect()
}

#[test]
fn t17_a_stream_cut_at_any_byte_says_the_same() {
    let whole = translated(&[STREAM.as_bytes()]);
    assert!(whole.contains("Grüß 🏔️") && !whole.contains('\u{fffd}'));
    for at in 0..STREAM.len() {
        let (one, two) = STREAM.as_bytes().split_at(at);
        assert_eq!(translated(&[one, two]), whole, "cut at {at}");
    }
    let single: Vec<&[u8]> = STREAM.as_bytes().chunks(1).collect();
    assert_eq!(translated(&single), whole);
}

#[test]
fn t20_usage_is_asked_for_and_what_is_not_known_is_not_zero() {
    let body = br#"{"messages":[{"role":"user","content":"hi"}],"stream":true}"#;
    let request = ClientApi::Chat.read(body).unwrap();
    let mut row = quirks("{}");
    row.stream_usage = true;
    assert_eq!(sent(&request, &row).unwrap()["stream_options"], json!({"include_usage":true}));
    let silent = translated(&[b"data: {\"id\":\"x\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n"]);
    assert!(!silent.contains("usage"), "{silent}");
}

#[test]
fn t21_an_error_as_first_event_can_still_fail_over() {
    let error = "data: {\"error\":{\"message\":\"busy\",\"type\":\"rate_limit_error\"}}\n\n";
    let mut first = translator(ClientApi::Chat);
    let _ = first.push(format!(": hello\n\n{error}").as_bytes());
    let FirstEvent::Error(told) = first.first() else { panic!("{:?}", first.first()) };
    assert_eq!((told.status, told.message.as_str()), (429, "busy"));
    let mut later = translator(ClientApi::Chat);
    let text = "data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"}}]}\n\n";
    let out = later.push(format!("{text}{error}").as_bytes());
    assert_eq!(*later.first(), FirstEvent::Good);
    assert!(!later.complete() && later.failed().is_some());
    assert!(out.ends_with(b"data: [DONE]\n\n"));
}

#[test]
fn t22_a_cut_stream_is_no_complete_one() {
    let at = STREAM.find("data: [DONE]").unwrap();
    let last_call =
        STREAM.find("data: {\"id\":\"c1\",\"choices\":[{\"index\":0,\"delta\":{},").unwrap();
    // Between two events, and in the middle of one.
    for cut_at in [last_call, last_call + 30] {
        let mut cut = translator(ClientApi::Chat);
        let mut out = cut.push(&STREAM.as_bytes()[..cut_at]).to_vec();
        out.extend_from_slice(&cut.end());
        assert!(!cut.complete());
        out.extend_from_slice(&cut.abort(&GatewayError::new(502, UPSTREAM, "cut")));
        let said = std::str::from_utf8(&out).unwrap();
        assert_eq!((said.matches("\"error\"").count(), said.matches("[DONE]").count()), (1, 1));
        assert!(said.ends_with("data: [DONE]\n\n") && !said.contains("\"finish_reason\":\""));
    }
    // A vendor without `[DONE]` has said why it ended.
    let mut whole = translator(ClientApi::Chat);
    let _ = whole.push(&STREAM.as_bytes()[..at]);
    let _ = whole.end();
    assert!(whole.complete());
}

#[test]
fn t23_and_t24_parallel_calls_keep_their_numbers_and_all_their_arguments() {
    let mut calls = vec![String::new(); 3];
    for chunk in chunks(&translated(&[STREAM.as_bytes()])) {
        let pieces = chunk["choices"][0]["delta"]["tool_calls"].as_array().cloned();
        for piece in pieces.into_iter().flatten() {
            let index = usize::try_from(piece["index"].as_u64().unwrap()).unwrap();
            calls[index].push_str(piece["function"]["arguments"].as_str().unwrap());
        }
    }
    assert_eq!(calls, [r#"{"k":"Köln"}"#, "{}", "{}"]);
}

#[test]
fn t25_arguments_are_text_and_schemas_are_kept_as_they_are() {
    let body = br#"{"messages":[{"role":"assistant","tool_calls":[{"id":"a","function":{"name":"f","arguments":{"z":1,"a":2}}}]}],
        "tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{"z":{},"a":{}},"additionalProperties":false}}}]}"#;
    let request = ClientApi::Chat.read(body).unwrap();
    let body = sent(&request, &quirks("{}")).unwrap();
    assert_eq!(body["messages"][0]["tool_calls"][0]["function"]["arguments"], r#"{"z":1,"a":2}"#);
    let schema = body["tools"][0]["function"]["parameters"].to_string();
    assert_eq!(
        schema,
        r#"{"type":"object","properties":{"z":{},"a":{}},"additionalProperties":false}"#
    );
}

/// Puts a streamed message together as the clients that know `reasoning_details` do.
fn gathered(stream: &str) -> Value {
    let mut details: Vec<Value> = Vec::new();
    for chunk in chunks(stream) {
        for piece in
            chunk["choices"][0]["delta"]["reasoning_details"].as_array().into_iter().flatten()
        {
            let own = details.iter_mut().find(|one| one["index"] == piece["index"]);
            let Some(own) = own else {
                details.push(piece.clone());
                continue;
            };
            for (name, value) in piece.as_object().unwrap() {
                if name == "text" {
                    let text = format!(
                        "{}{}",
                        own["text"].as_str().unwrap_or_default(),
                        value.as_str().unwrap()
                    );
                    own["text"] = text.into();
                } else {
                    own[name] = value.clone();
                }
            }
        }
    }
    details.into()
}

#[test]
fn t26_signed_and_redacted_thinking_comes_back_byte_for_byte() {
    let detail = |detail: &str| {
        format!(
            "data: {{\"id\":\"x\",\"choices\":[{{\"index\":0,\"delta\":{{\"reasoning_details\":[{detail}]}}}}]}}\n\n"
        )
    };
    let stream = [
        detail(r#"{"type":"reasoning.text","text":"one ","index":0}"#),
        detail(r#"{"type":"reasoning.text","text":"two","index":0}"#),
        detail(r#"{"type":"reasoning.text","signature":"c2ln+/=","format":"anthropic-claude-v1","index":0}"#),
        detail(r#"{"type":"reasoning.encrypted","data":"cmVk","format":"anthropic-claude-v1","index":1}"#),
        detail(r#"{"type":"reasoning.text","text":"","signature":"b25seQ==","format":"anthropic-claude-v1","index":2}"#),
        "data: [DONE]\n\n".to_owned(),
    ]
    .concat();
    let message = json!({"role":"assistant","content":"c","reasoning_details": gathered(&translated(&[stream.as_bytes()]))});
    let body = json!({"messages":[message]}).to_string();
    let request = ClientApi::Chat.read(body.as_bytes()).unwrap();
    let thinking: Vec<(&str, &str, bool)> = request.turns[0]
        .parts
        .iter()
        .filter_map(|part| match &part.kind {
            PartKind::Thinking(one) => {
                Some((&*one.text, &*one.signature.as_ref().unwrap().value, one.redacted))
            }
            _ => None,
        })
        .collect();
    let expected = [("one two", "c2ln+/=", false), ("", "cmVk", true), ("", "b25seQ==", false)];
    assert_eq!(thinking, expected);
}

#[test]
fn t29_cached_tokens_are_counted_once() {
    let last = chunks(&translated(&[STREAM.as_bytes()])).pop().unwrap();
    assert_eq!(
        (&last["usage"]["prompt_tokens"], &last["usage"]["prompt_tokens_details"]["cached_tokens"]),
        (&json!(100), &json!(80))
    );
    let seen = events(&[
        r#"{"choices":[],"usage":{"prompt_tokens":100,"completion_tokens":7,"prompt_tokens_details":{"cached_tokens":80}}}"#,
    ]);
    assert_eq!(seen[1], "usage 20 80 0 7 0");
}

#[test]
fn seed_004_every_chunk_has_a_choice_with_a_delta() {
    for chunk in chunks(&translated(&[STREAM.as_bytes()])) {
        assert!(chunk["choices"][0]["delta"].is_object(), "{chunk}");
    }
}
