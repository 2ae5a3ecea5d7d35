//! The client's stream.

use serde_json::{Value, json};

use super::{context, owned, sse, stream_of};
use crate::{
    dialect::{GatewayError, StreamError},
    domain::TokenUsage,
    translate::{
        StreamWriter,
        form::{Citation, Event, Origin, Signature, StopReason},
        messages::Writer,
    },
};

pub(super) fn start() -> Event<'static> {
    Event::Start { id: Some("chatcmpl-1".into()), model: Some("gpt-x".into()) }
}

pub(super) fn call(number: usize, id: &'static str, name: &'static str) -> Event<'static> {
    let (id, name) = (id.into(), name.into());
    Event::ToolCall { call: number, id, name, signature: None, custom: false }
}

fn arguments(call: usize, fragment: &'static str) -> Event<'static> {
    Event::Arguments { call, fragment: fragment.into() }
}

fn stop(reason: StopReason) -> Event<'static> {
    Event::Stop { reason, sequence: None }
}

/// `event[index]` per event: enough to see the order.
fn outline(events: &[(String, Value)]) -> Vec<String> {
    let of = |(name, data): &(String, Value)| match name.as_str() {
        "content_block_start" => {
            format!("start {} {}", data["index"], data["content_block"]["type"].as_str().unwrap())
        }
        "content_block_delta" => {
            let delta = data["delta"].as_object().unwrap();
            let value = delta.values().nth(1).unwrap();
            format!("delta {} {value}", data["index"])
        }
        "content_block_stop" => format!("stop {}", data["index"]),
        other => other.to_owned(),
    };
    events.iter().map(of).collect()
}

/// A vendor may call what it was told as a function with free text, unasked.
#[test]
fn free_text_becomes_the_input_of_an_object() {
    let custom = |number, id: &'static str| Event::ToolCall {
        call: number,
        id: id.into(),
        name: "f".into(),
        signature: None,
        custom: true,
    };
    let events = stream_of(vec![
        start(),
        custom(0, "a"),
        arguments(0, "say \"hi"),
        arguments(0, "\"\n"),
        custom(1, "b"),
        stop(StopReason::ToolCalls),
        Event::Done,
    ]);
    let input = |index: u64| {
        let of = events.iter().map(|(_, data)| data).filter(|data| data["index"] == index);
        let pieces: String = of.filter_map(|data| data["delta"]["partial_json"].as_str()).collect();
        serde_json::from_str::<Value>(&pieces).unwrap()
    };
    assert_eq!((input(0), input(1)), (json!({"input": "say \"hi\"\n"}), json!({"input": ""})));
}

#[test]
fn text_and_calls_become_blocks_one_after_the_other() {
    let events = stream_of(vec![
        start(),
        owned_text("Grüß "),
        owned_text("dich."),
        call(0, "call_a", "get_weather"),
        arguments(0, r#"{"city":"Gr"#),
        arguments(0, r#"az"}"#),
        call(1, "call_b", "local_time"),
        arguments(1, r#"{"zone":"Europe/Vienna"}"#),
        stop(StopReason::ToolCalls),
        Event::Usage(TokenUsage { input: 64, output: 40, ..TokenUsage::default() }),
        Event::Done,
    ]);
    assert_eq!(
        outline(&events),
        [
            "message_start",
            "start 0 text",
            r#"delta 0 "Grüß ""#,
            r#"delta 0 "dich.""#,
            "stop 0",
            "start 1 tool_use",
            r#"delta 1 "{\"city\":\"Gr""#,
            r#"delta 1 "az\"}""#,
            "stop 1",
            "start 2 tool_use",
            r#"delta 2 "{\"zone\":\"Europe/Vienna\"}""#,
            "stop 2",
            "message_delta",
            "message_stop",
        ]
    );
    assert_eq!(
        events[5].1["content_block"],
        json!({"type":"tool_use","id":"call_a","name":"get_weather","input":{}})
    );
    assert_eq!(
        events[12].1,
        json!({"type":"message_delta","delta":{"stop_reason":"tool_use","stop_sequence":null},
            "usage":{"input_tokens":64,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"output_tokens":40}})
    );
}

fn owned_text(text: &'static str) -> Event<'static> {
    Event::Text(owned(text))
}

#[test]
fn message_start_tells_what_is_known_and_has_all_members_that_sdks_need() {
    let events = stream_of(vec![
        start(),
        Event::Usage(TokenUsage { input: 9, cache_read: 4, ..TokenUsage::default() }),
        owned_text("x"),
        Event::Usage(TokenUsage { input: 9, cache_read: 4, output: 3, ..TokenUsage::default() }),
        Event::Done,
    ]);
    assert_eq!(
        events[0].1["message"],
        json!({"id":"chatcmpl-1","type":"message","role":"assistant","model":"gpt-x","content":[],"stop_reason":null,
            "stop_sequence":null,"usage":{"input_tokens":9,"cache_creation_input_tokens":0,"cache_read_input_tokens":4,"output_tokens":0}})
    );
    let last = &events[events.len() - 2].1;
    assert_eq!(last["usage"]["output_tokens"], 3);
    assert_eq!(last["delta"]["stop_reason"], "end_turn");
}

#[test]
fn an_answer_without_anything_is_still_a_whole_message() {
    let events = stream_of(vec![Event::Done]);
    assert_eq!(outline(&events), ["message_start", "message_delta", "message_stop"]);
    assert_eq!(events[0].1["message"]["id"], "msg_s1");
    assert_eq!(events[0].1["message"]["model"], "up-model");
}

/// T-23, T-24.
#[test]
fn interleaved_calls_never_overlap_and_lose_nothing() {
    let events = stream_of(vec![
        start(),
        call(0, "a", "f"),
        call(1, "b", "g"),
        call(2, "c", "h"),
        arguments(1, r#"{"y""#),
        arguments(0, r#"{"x":"#),
        owned_text("aside"),
        arguments(1, ":2}"),
        arguments(0, "1}"),
        Event::Done,
    ]);
    assert_eq!(
        outline(&events),
        [
            "message_start",
            "start 0 tool_use",
            r#"delta 0 "{\"x\":""#,
            r#"delta 0 "1}""#,
            "stop 0",
            "start 1 tool_use",
            r#"delta 1 "{\"y\":2}""#,
            "stop 1",
            "start 2 tool_use",
            r#"delta 2 "{}""#,
            "stop 2",
            "start 3 text",
            r#"delta 3 "aside""#,
            "stop 3",
            "message_delta",
            "message_stop",
        ]
    );
}

#[test]
fn a_call_streams_on_while_it_is_the_open_one() {
    let mut writer = Writer::new(context());
    let mut out = Vec::new();
    for event in [start(), call(0, "a", "f"), arguments(0, r#"{"x":"#), call(1, "b", "g")] {
        writer.write(event, &mut out);
    }
    assert_eq!(outline(&sse(&out)).last().unwrap(), r#"delta 0 "{\"x\":""#);
    out.clear();
    writer.write(arguments(0, "1}"), &mut out);
    assert_eq!(outline(&sse(&out)), [r#"delta 0 "1}""#, "stop 0", "start 1 tool_use"]);
}

/// T-26.
#[test]
fn thinking_comes_with_its_signature_and_redacted_blocks_come_whole() {
    let own = |value: &'static str| Signature::new(Origin::Anthropic, value);
    let foreign = |value: &'static str| Signature::new(Origin::OpenAi, value);
    let events = stream_of(vec![
        start(),
        Event::Thinking("Let me ".into()),
        Event::Thinking("see.".into()),
        Event::Signature(own("c2ln")),
        Event::BlockEnd,
        Event::Redacted(own("cmVk")),
        Event::Thinking("More.".into()),
        Event::Signature(foreign("ZW5j")),
        Event::Thinking("And more.".into()),
        owned_text("Done."),
        Event::Done,
    ]);
    assert_eq!(
        outline(&events),
        [
            "message_start",
            "start 0 thinking",
            r#"delta 0 "Let me ""#,
            r#"delta 0 "see.""#,
            r#"delta 0 "c2ln""#,
            "stop 0",
            "start 1 redacted_thinking",
            "stop 1",
            "start 2 thinking",
            r#"delta 2 "More.""#,
            r#"delta 2 "turnpike.openai.ZW5j""#,
            "stop 2",
            "start 3 thinking",
            r#"delta 3 "And more.""#,
            "stop 3",
            "start 4 text",
            r#"delta 4 "Done.""#,
            "stop 4",
            "message_delta",
            "message_stop",
        ]
    );
    assert_eq!(events[6].1["content_block"]["data"], "cmVk");
}

#[test]
fn a_signature_on_a_call_travels_before_it() {
    let signature = Some(Signature::new(Origin::Google, "Z29v"));
    let events = stream_of(vec![
        start(),
        Event::ToolCall { call: 0, id: "a".into(), name: "f".into(), signature, custom: false },
        arguments(0, "{}"),
        Event::Done,
    ]);
    assert_eq!(
        events[1].1["content_block"],
        json!({"type":"redacted_thinking","data":"turnpike.google.Z29v"})
    );
    assert_eq!(outline(&events)[3], "start 1 tool_use");
}

#[test]
fn the_way_an_answer_ended_is_told_even_if_the_vendor_did_not_say() {
    let told = |events: Vec<Event<'static>>| {
        let events = stream_of(events);
        events[events.len() - 2].1["delta"]["stop_reason"].as_str().unwrap().to_owned()
    };
    assert_eq!(
        told(vec![start(), call(0, "a", "f"), stop(StopReason::End), Event::Done]),
        "tool_use"
    );
    assert_eq!(told(vec![start(), Event::Refusal("No.".into()), Event::Done]), "refusal");
    for (reason, word) in [
        (StopReason::End, "end_turn"),
        (StopReason::StopSequence, "stop_sequence"),
        (StopReason::Length, "max_tokens"),
        (StopReason::ContextWindow, "model_context_window_exceeded"),
        (StopReason::ContentFilter, "refusal"),
        (StopReason::Pause, "pause_turn"),
    ] {
        assert_eq!(told(vec![start(), stop(reason), Event::Done]), word);
    }
}

#[test]
fn citations_stand_in_a_text_block() {
    let citation = Citation {
        url: Some("https://a.example".into()),
        title: Some("A".into()),
        ..Citation::default()
    };
    let events =
        stream_of(vec![start(), owned_text("So."), Event::Citation(citation), Event::Done]);
    assert_eq!(
        events[3].1["delta"],
        json!({"type":"citations_delta","citation":{"type":"web_search_result_location","cited_text":"","encrypted_index":"",
            "title":"A","url":"https://a.example"}})
    );
}

/// T-28.
#[test]
fn an_error_has_the_type_of_its_status() {
    for (status, kind) in [
        (400, "invalid_request_error"),
        (401, "authentication_error"),
        (402, "billing_error"),
        (403, "permission_error"),
        (404, "not_found_error"),
        (409, "invalid_request_error"),
        (413, "request_too_large"),
        (422, "invalid_request_error"),
        (429, "rate_limit_error"),
        (500, "api_error"),
        (502, "api_error"),
        (503, "api_error"),
        (504, "timeout_error"),
        (529, "overloaded_error"),
    ] {
        let error =
            StreamError { status, kind: "tokens".to_owned(), message: "no\nmore".to_owned() };
        let events = stream_of(vec![start(), owned_text("x"), Event::Failed(error)]);
        assert_eq!(
            events.last().unwrap().1,
            json!({"type":"error","error":{"type":kind,"message":"no\nmore"}}),
            "{status}"
        );
    }
}

#[test]
fn a_stream_that_is_given_up_ends_with_an_error() {
    let mut writer = Writer::new(context());
    let mut out = Vec::new();
    writer.write(start(), &mut out);
    writer.write(owned_text("x"), &mut out);
    writer.abort(&GatewayError::new(504, "upstream_timeout", "idle"), &mut out);
    assert_eq!(
        sse(&out).last().unwrap().1,
        json!({"type":"error","error":{"type":"timeout_error","message":"idle"}})
    );
}

#[test]
fn pings_pass() {
    let events = stream_of(vec![Event::Ping, start(), Event::Ping]);
    assert_eq!(outline(&events), ["ping", "ping"]);
}
