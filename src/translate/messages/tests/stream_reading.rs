//! The vendor's stream.

use super::events_of;

const START: (&str, &str) = (
    "message_start",
    r#"{"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","content":[],"model":"claude-x-2025","stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":25,"cache_creation_input_tokens":0,"cache_read_input_tokens":1200,"output_tokens":1}}}"#,
);
const STOP: (&str, &str) = ("message_stop", r#"{"type":"message_stop"}"#);

fn delta<'a>(stream: &mut Vec<(&'a str, &'a str)>, data: &'a str) {
    stream.push(("content_block_delta", data));
}

#[test]
fn figures_are_running_totals() {
    let events = events_of(&[
        START,
        ("ping", r#"{"type":"ping"}"#),
        (
            "message_delta",
            r#"{"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"input_tokens":0,"output_tokens":15,"output_tokens_details":{"thinking_tokens":4}}}"#,
        ),
        STOP,
    ]);
    assert_eq!(
        events,
        [
            r#"Start { id: Some("msg_1"), model: Some("claude-x-2025") }"#,
            "Usage(TokenUsage { input: 25, output: 1, cache_read: 1200, cache_write: 0, cache_write_hour: 0, reasoning: 0 })",
            "Ping",
            "Stop { reason: End, sequence: None }",
            "Usage(TokenUsage { input: 25, output: 15, cache_read: 1200, cache_write: 0, cache_write_hour: 0, reasoning: 4 })",
            "Done",
        ]
    );
}

/// T-24.
#[test]
fn calls_are_numbered_by_themselves_and_keep_their_fragments() {
    let mut stream = vec![
        (
            "content_block_start",
            r#"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"#,
        ),
        ("content_block_stop", r#"{"type":"content_block_stop","index":0}"#),
        (
            "content_block_start",
            r#"{"type":"content_block_start","index":1,"content_block":{"type":"server_tool_use","id":"s","name":"web_search","input":{}}}"#,
        ),
    ];
    delta(
        &mut stream,
        r#"{"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":"{\"query\":1}"}}"#,
    );
    stream.extend([
        ("content_block_stop", r#"{"type":"content_block_stop","index":1}"#),
        ("content_block_start", r#"{"type":"content_block_start","index":2,"content_block":{"type":"web_search_tool_result","tool_use_id":"s","content":[{"text":1}]}}"#),
        ("content_block_stop", r#"{"type":"content_block_stop","index":2}"#),
        ("content_block_start", r#"{"type":"content_block_start","index":3,"content_block":{"type":"tool_use","id":"a","name":"f","input":{}}}"#),
    ]);
    delta(
        &mut stream,
        r#"{"type":"content_block_delta","index":3,"delta":{"type":"input_json_delta","partial_json":""}}"#,
    );
    delta(
        &mut stream,
        r#"{"type":"content_block_delta","index":3,"delta":{"type":"input_json_delta","partial_json":"{\"x\": \"Z"}}"#,
    );
    delta(
        &mut stream,
        r#"{"type":"content_block_delta","index":3,"delta":{"type":"input_json_delta","partial_json":"\\u00e4\"}"}}"#,
    );
    stream.extend([
        ("content_block_stop", r#"{"type":"content_block_stop","index":3}"#),
        ("content_block_start", r#"{"type":"content_block_start","index":4,"content_block":{"type":"tool_use","id":"b","name":"g","input":{"whole":1}}}"#),
        ("content_block_stop", r#"{"type":"content_block_stop","index":4}"#),
        ("content_block_start", r#"{"type":"content_block_start","index":5,"content_block":{"type":"tool_use","id":"c","name":"h","input":{ }}}"#),
        ("content_block_stop", r#"{"type":"content_block_stop","index":5}"#),
    ]);
    assert_eq!(
        events_of(&stream),
        [
            "BlockEnd",
            r#"ToolCall { call: 0, id: "a", name: "f", signature: None, custom: false }"#,
            r#"Arguments { call: 0, fragment: "{\"x\": \"Z" }"#,
            r#"Arguments { call: 0, fragment: "\\u00e4\"}" }"#,
            r#"ToolCall { call: 1, id: "b", name: "g", signature: None, custom: false }"#,
            r#"Arguments { call: 1, fragment: "{\"whole\":1}" }"#,
            r#"ToolCall { call: 2, id: "c", name: "h", signature: None, custom: false }"#,
            r#"Arguments { call: 2, fragment: "{}" }"#,
        ]
    );
}

/// T-26.
#[test]
fn thinking_signatures_and_redacted_blocks_are_read() {
    let mut stream = vec![(
        "content_block_start",
        r#"{"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}"#,
    )];
    delta(
        &mut stream,
        r#"{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"Let me"}}"#,
    );
    delta(
        &mut stream,
        r#"{"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"c2ln"}}"#,
    );
    stream.extend([
        ("content_block_stop", r#"{"type":"content_block_stop","index":0}"#),
        ("content_block_start", r#"{"type":"content_block_start","index":1,"content_block":{"type":"redacted_thinking","data":"cmVk"}}"#),
        ("content_block_stop", r#"{"type":"content_block_stop","index":1}"#),
    ]);
    assert_eq!(
        events_of(&stream),
        [
            r#"Thinking("Let me")"#,
            r#"Signature(Signature { origin: Anthropic, value: "c2ln" })"#,
            "BlockEnd",
            r#"Redacted(Signature { origin: Anthropic, value: "cmVk" })"#,
        ]
    );
}

#[test]
fn sources_are_told_when_the_end_of_their_passage_is_known() {
    let mut stream =
        vec![("content_block_start", r#"{"index":0,"content_block":{"type":"text","text":"ä"}}"#)];
    delta(
        &mut stream,
        r#"{"index":0,"delta":{"type":"citations_delta","citation":{"type":"char_location","cited_text":"q","document_index":1,"document_title":"D","start_char_index":0,"end_char_index":1}}}"#,
    );
    delta(&mut stream, r#"{"index":0,"delta":{"type":"text_delta","text":"bc"}}"#);
    stream.push(("content_block_stop", r#"{"index":0}"#));
    assert_eq!(
        events_of(&stream),
        [
            r#"Text("ä")"#,
            r#"Text("bc")"#,
            r#"Citation(Citation { url: None, title: Some("D"), quote: Some("q"), document: Some(1), search_result: None, place: Some(Chars(0, 1)), span: Some((0, 3)) })"#,
            "BlockEnd",
        ]
    );
}

#[test]
fn a_refusal_and_a_stop_text_are_read() {
    assert_eq!(
        events_of(&[
            (
                "message_delta",
                r#"{"delta":{"stop_reason":"refusal","stop_details":{"type":"refusal","category":null,"explanation":"No."}}}"#
            ),
            (
                "message_delta",
                r###"{"delta":{"stop_reason":"stop_sequence","stop_sequence":"##"},"usage":null}"###
            ),
        ]),
        [
            r#"Refusal("No.")"#,
            "Stop { reason: Refusal, sequence: None }",
            r###"Stop { reason: StopSequence, sequence: Some("##") }"###,
        ]
    );
}

#[test]
fn names_may_be_in_the_data_alone() {
    let bare = |(_, data): (&'static str, &'static str)| ("", data);
    assert_eq!(events_of(&[bare(START), bare(STOP)]), events_of(&[START, STOP]));
}

#[test]
fn what_is_not_known_is_left_alone() {
    let events = events_of(&[
        ("brand_new", r#"{"type":"brand_new","delta":7}"#),
        ("brand_new", "no JSON"),
        ("", r#"{"type":"brand_new"}"#),
        ("", r#"{"error":null}"#),
        ("content_block_start", r#"{"index":0,"content_block":{"type":"brand_new","text":{}}}"#),
        ("content_block_delta", r#"{"index":0,"delta":{"type":"brand_new_delta","new":1}}"#),
        (
            "content_block_delta",
            r#"{"index":9,"delta":{"type":"input_json_delta","partial_json":"{"}}"#,
        ),
        ("content_block_stop", r#"{"index":0}"#),
        ("content_block_stop", r#"{"index":9}"#),
    ]);
    assert_eq!(events, Vec::<String>::new());
}

/// T-21, T-22.
#[test]
fn errors_and_cuts_are_no_endings() {
    let failed = |name, data| {
        let events = events_of(&[(name, data)]);
        assert_eq!(events.len(), 1, "{events:?}");
        events.into_iter().next().unwrap()
    };
    assert_eq!(
        failed(
            "error",
            r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#
        ),
        r#"Failed(StreamError { status: 529, kind: "overloaded_error", message: "Overloaded" })"#
    );
    assert_eq!(
        failed("", r#"{"error":{"code":503,"message":"busy"}}"#),
        r#"Failed(StreamError { status: 503, kind: "503", message: "busy" })"#
    );
    assert!(failed("error", "").starts_with("Failed(StreamError { status: 500"));
    for (name, data) in
        [("message_start", "{}"), ("content_block_delta", "{\"index\":0"), ("", "secret")]
    {
        let event = failed(name, data);
        assert!(event.starts_with("Failed(StreamError { status: 502") && !event.contains("secret"));
    }
    let ending = ("message_delta", r#"{"delta":{"stop_reason":"end_turn"}}"#);
    assert!(!events_of(&[START, ending]).contains(&"Done".to_owned()));
}
