//! Vendors' streams, each with its ways.

use super::events;

fn delta(delta: &str) -> String {
    format!(
        r#"{{"id":"c1","model":"m1","choices":[{{"index":0,"delta":{delta},"finish_reason":null}}]}}"#
    )
}

fn finish(word: &str) -> String {
    format!(
        r#"{{"id":"c1","model":"m1","choices":[{{"index":0,"delta":{{}},"finish_reason":"{word}"}}]}}"#
    )
}

fn read(data: &[String]) -> Vec<String> {
    let data: Vec<&str> = data.iter().map(String::as_str).collect();
    events(&data)
}

const DONE: &str = "[DONE]";
const USAGE: &str = r#"{"prompt_tokens":10,"completion_tokens":4,"total_tokens":14,"prompt_tokens_details":{"cached_tokens":6},"completion_tokens_details":{"reasoning_tokens":3}}"#;

#[test]
fn openais_usage_chunk_without_choices_is_usage() {
    let usage = format!(r#"{{"id":"c1","model":"m1","choices":[],"usage":{USAGE}}}"#);
    let data = [
        delta(r#"{"role":"assistant","content":"","refusal":null}"#),
        delta(r#"{"content":"Grüß"}"#),
        finish("stop"),
        usage,
        DONE.to_owned(),
    ];
    assert_eq!(read(&data), ["start c1 m1", "text Grüß", "usage 4 6 0 4 3", "stop End", "done"]);
}

#[test]
fn usage_is_found_wherever_vendors_put_it() {
    for last in [
        format!(
            r#"{{"choices":[{{"index":0,"delta":{{"content":""}},"finish_reason":"stop"}}],"usage":{USAGE}}}"#
        ),
        format!(
            r#"{{"choices":[{{"index":0,"delta":{{}},"finish_reason":"stop"}}],"x_groq":{{"id":"r","usage":{USAGE}}}}}"#
        ),
        format!(
            r#"{{"choices":[{{"index":0,"delta":{{}},"finish_reason":"stop","usage":{USAGE}}}]}}"#
        ),
    ] {
        let data = [delta(r#"{"content":"a"}"#), last, DONE.to_owned()];
        let seen = read(&data);
        assert_eq!(seen, ["start c1 m1", "text a", "usage 4 6 0 4 3", "stop End", "done"]);
    }
}

#[test]
fn azures_first_chunk_says_nothing() {
    let first = r#"{"id":"","model":"","object":"","choices":[],"prompt_filter_results":[{"prompt_index":0}]}"#;
    let filtered = r#"{"id":"c1","model":"m1","choices":[{"index":0,"delta":{},"finish_reason":null,"content_filter_results":{}}]}"#;
    let data = [
        first.to_owned(),
        delta(r#"{"content":"a"}"#),
        filtered.to_owned(),
        finish("content_filter"),
        DONE.to_owned(),
    ];
    assert_eq!(read(&data), ["start c1 m1", "text a", "stop ContentFilter", "done"]);
}

#[test]
fn a_stop_with_calls_means_calls() {
    let call = r#"{"tool_calls":[{"index":0,"id":"a","type":"function","function":{"name":"f","arguments":"{}"}}]}"#;
    let data = [delta(call), finish("stop"), DONE.to_owned()];
    assert_eq!(read(&data)[1..], ["call 0 a f", "arguments 0 {}", "stop ToolCalls", "done"]);
    let data = [delta(r#"{"content":"a"}"#), finish("tool_calls"), DONE.to_owned()];
    assert_eq!(read(&data)[2..], ["stop End", "done"]);
}

#[test]
fn done_without_a_reason_is_an_end_and_no_done_after_a_reason_too() {
    let call = r#"{"tool_calls":[{"index":0,"id":"a","function":{"name":"f"}}]}"#;
    assert_eq!(read(&[delta(call), DONE.to_owned()])[2..], ["stop ToolCalls", "done"]);
    assert_eq!(read(&[delta(r#"{"content":"a"}"#), DONE.to_owned()])[2..], ["stop End", "done"]);
    assert_eq!(
        read(&[delta(r#"{"content":"a"}"#), finish("length")])[2..],
        ["stop Length", "done"]
    );
}

#[test]
fn thinking_is_found_in_every_member_that_has_it() {
    for thinking in [
        r#"{"reasoning_content":"why"}"#,
        r#"{"reasoning":"why"}"#,
        r#"{"reasoning":"why","reasoning_details":[{"type":"reasoning.text","text":"why","index":0}]}"#,
        r#"{"reasoning":"why","reasoning_details":[{"type":"reasoning.text","text":"x","format":"somebody-else-v1"}]}"#,
        r#"{"content":[{"type":"thinking","thinking":[{"type":"text","text":"why"}]}]}"#,
    ] {
        let data = [delta(thinking), delta(r#"{"content":"a"}"#), finish("stop"), DONE.to_owned()];
        assert_eq!(read(&data)[1..3], ["thinking why", "text a"], "{thinking}");
    }
    let parts = r#"{"content":[{"type":"thinking","thinking":[{"type":"text","text":"w"}]},{"type":"text","text":"a"}]}"#;
    assert_eq!(read(&[delta(parts)])[1..], ["thinking w", "text a"]);
}

#[test]
fn signatures_keep_their_origin() {
    let data = [
        delta(r#"{"reasoning_details":[{"type":"reasoning.text","text":"w","index":0}]}"#),
        delta(
            r#"{"reasoning_details":[{"type":"reasoning.text","signature":"s","format":"anthropic-claude-v1","index":0}]}"#,
        ),
        delta(
            r#"{"reasoning_details":[{"type":"reasoning.encrypted","data":"r","format":"google-gemini-v1","index":1}]}"#,
        ),
    ];
    let expected =
        ["start c1 m1", "thinking w", "signature Anthropic s", "block end", "redacted Google r"];
    assert_eq!(read(&data), expected);
}

#[test]
fn pieces_of_calls_are_told_apart_however_they_are_marked() {
    let call = |piece: &str| delta(&format!(r#"{{"tool_calls":[{piece}]}}"#));
    let expected =
        ["call 0 a f", "arguments 0 {\"x\":", "arguments 0 1}", "call 1 b g", "arguments 1 {}"];
    let ways: [&[&str]; 5] = [
        &[
            r#"{"index":0,"id":"a","type":"function","function":{"name":"f","arguments":"{\"x\":"}}"#,
            r#"{"index":0,"function":{"arguments":"1}"}}"#,
            r#"{"index":1,"id":"b","type":"function","function":{"name":"g","arguments":"{}"}}"#,
        ],
        // No number.
        &[
            r#"{"id":"a","function":{"name":"f","arguments":"{\"x\":"}}"#,
            r#"{"id":null,"function":{"name":null,"arguments":"1}"}}"#,
            r#"{"id":"b","function":{"name":"g","arguments":"{}"}}"#,
        ],
        // The same number for all.
        &[
            r#"{"index":0,"id":"a","function":{"name":"f","arguments":"{\"x\":"}}"#,
            r#"{"index":0,"id":"","function":{"name":"","arguments":"1}"}}"#,
            r#"{"index":0,"id":"b","function":{"name":"g","arguments":"{}"}}"#,
        ],
        // Id and name in every piece.
        &[
            r#"{"index":0,"id":"a","function":{"name":"f","arguments":"{\"x\":"}}"#,
            r#"{"index":0,"id":"a","function":{"name":"f","arguments":"1}"}}"#,
            r#"{"index":1,"id":"b","function":{"name":"g","arguments":{}}}"#,
        ],
        // The name after the id, arguments in between.
        &[
            r#"{"index":3,"id":"a"}"#,
            r#"{"index":3,"function":{"name":"f"}},{"index":3,"function":{"arguments":"{\"x\":"}}"#,
            r#"{"index":3,"function":{"arguments":"1}"}},{"index":7,"id":"b","function":{"name":"g","arguments":"{}"}}"#,
        ],
    ];
    for pieces in ways {
        let data: Vec<String> = pieces.iter().map(|piece| call(piece)).collect();
        assert_eq!(read(&data)[1..], expected, "{pieces:?}");
    }
}

#[test]
fn a_call_without_an_id_gets_one_of_its_own() {
    let call = r#"{"tool_calls":[{"index":0,"function":{"name":"f","arguments":"{}"}},{"index":1,"function":{"name":"g","arguments":"{}"}}]}"#;
    let seen = read(&[delta(call)]);
    let ids: Vec<&str> = [1, 3].map(|line: usize| seen[line].split(' ').nth(2).unwrap()).to_vec();
    assert!(ids.iter().all(|id| id.starts_with("call_") && id.len() > 30), "{seen:?}");
    assert_ne!(ids[0], ids[1]);
}

#[test]
fn the_older_function_call_and_custom_calls_are_calls() {
    let data = [
        delta(r#"{"function_call":{"name":"f","arguments":"{\"x\""}}"#),
        delta(r#"{"function_call":{"arguments":":1}"}}"#),
        finish("function_call"),
        DONE.to_owned(),
    ];
    let seen = read(&data);
    assert!(seen[1].starts_with("call 0 call_") && seen[1].ends_with(" f"), "{seen:?}");
    assert_eq!(seen[2..], ["arguments 0 {\"x\"", "arguments 0 :1}", "stop ToolCalls", "done"]);
    let custom = r#"{"tool_calls":[{"index":0,"id":"a","type":"custom","custom":{"name":"sql","input":"SELECT"}}]}"#;
    assert_eq!(read(&[delta(custom)])[1..], ["call 0 a sql custom", "arguments 0 SELECT"]);
}

#[test]
fn geminis_signature_travels_with_its_call() {
    let call = r#"{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{}"},"extra_content":{"google":{"thought_signature":"Z3M="}}}]}"#;
    assert_eq!(read(&[delta(call)])[1], "call 0 a f Z3M=");
}

#[test]
fn refusals_and_sources_are_read_once() {
    let sources = r#"{"id":"c1","model":"m1","choices":[{"index":0,"delta":{"content":"b"}}],"citations":["https://x.test/1","https://x.test/2"]}"#;
    let data = [delta(r#"{"refusal":"No."}"#), sources.to_owned(), sources.to_owned()];
    let expected = [
        "refusal No.",
        "text b",
        "citation https://x.test/1",
        "citation https://x.test/2",
        "text b",
    ];
    assert_eq!(read(&data)[1..], expected);
    let note = r#"{"annotations":[{"type":"url_citation","url_citation":{"url":"https://x.test/3","title":"t","start_index":0,"end_index":1}}]}"#;
    assert_eq!(read(&[delta(note)])[1..], ["citation https://x.test/3"]);
}

#[test]
fn an_error_ends_the_stream_in_every_shape() {
    for error in [
        r#"{"error":{"message":"Overloaded","type":"overloaded_error","code":null}}"#,
        r#"{"id":"c1","choices":[{"index":0,"delta":{"content":"x"},"finish_reason":"error","error":{"code":529,"message":"Overloaded"}}]}"#,
        r#"{"object":"error","message":"Overloaded","type":"overloaded_error","code":529}"#,
    ] {
        let data = [delta(r#"{"content":"a"}"#), error.to_owned(), DONE.to_owned()];
        let seen = read(&data);
        assert_eq!(seen.len(), 3, "{seen:?}");
        assert!(seen[2].starts_with("failed 529") && seen[2].ends_with("Overloaded"), "{seen:?}");
    }
    let broken = read(&[delta(r#"{"content":"a"}"#), finish("error"), DONE.to_owned()]);
    assert!(broken[2].starts_with("failed 502"), "{broken:?}");
    let unreadable = read(&["{\"id\":".to_owned()]);
    assert!(unreadable[0].starts_with("failed 502"), "{unreadable:?}");
}

#[test]
fn other_choices_and_odd_members_are_passed_over() {
    let other = r#"{"id":"c1","model":"m1","choices":[{"index":1,"delta":{"content":"other"}},{"index":0,"delta":{"role":"assistant","content":null,"tool_calls":null,"new":[1]}}],"system_fingerprint":"f"}"#;
    let data = [
        other.to_owned(),
        delta(r#"{"role":"assistant","content":"a"}"#),
        finish("stop"),
        DONE.to_owned(),
    ];
    assert_eq!(read(&data), ["start c1 m1", "text a", "stop End", "done"]);
}
