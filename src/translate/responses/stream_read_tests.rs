//! Vendors' streams, read into the middle form.

use super::{
    super::{StreamReader, form::Event},
    Reader,
};

/// One line for each event.
fn told(event: &Event<'_>) -> String {
    match event {
        Event::Start { id, model } => format!("start {:?} {:?}", id.as_deref(), model.as_deref()),
        Event::Text(text) => format!("text {:?}", &**text),
        Event::Thinking(text) => format!("thinking {:?}", &**text),
        Event::Signature(one) => format!("signature {:?} {}", one.origin, &*one.value),
        Event::Redacted(one) => format!("redacted {:?} {}", one.origin, &*one.value),
        Event::BlockEnd => "block end".to_owned(),
        Event::ToolCall { call, id, name, custom, .. } => {
            format!("call {call} {} {} {custom}", &**id, &**name)
        }
        Event::Arguments { call, fragment } => format!("arguments {call} {}", &**fragment),
        Event::Citation(one) => format!("citation {:?} {:?}", one.url.as_deref(), one.span),
        Event::Image(one) => format!("picture {:?}", one.mime.as_deref()),
        Event::Refusal(text) => format!("refusal {:?}", &**text),
        Event::Stop { reason, .. } => format!("stop {reason:?}"),
        Event::Usage(usage) => {
            format!("usage {} {} {}", usage.input, usage.cache_read, usage.output)
        }
        Event::Ping => "ping".to_owned(),
        Event::Failed(error) => format!("failed {} {} {}", error.status, error.kind, error.message),
        Event::Done => "done".to_owned(),
    }
}

fn read(events: &[&str]) -> Vec<String> {
    let mut reader = Reader::default();
    let mut lines = Vec::new();
    for data in events {
        reader.read(b"", data.as_bytes(), &mut |event| lines.push(told(&event)));
    }
    reader.end(&mut |event| lines.push(told(&event)));
    lines
}

const CREATED: &str = r#"{"type":"response.created","sequence_number":0,"response":{"id":"resp_1","model":"gpt-5-2025","status":"in_progress","output":[]}}"#;
const IN_PROGRESS: &str = r#"{"type":"response.in_progress","sequence_number":1,"response":{"id":"resp_1","model":"gpt-5-2025"}}"#;
const COMPLETED: &str = r#"{"type":"response.completed","sequence_number":9,"response":{"id":"resp_1","status":"completed","usage":{"input_tokens":20,"input_tokens_details":{"cached_tokens":5},"output_tokens":4,"output_tokens_details":{"reasoning_tokens":0},"total_tokens":24}}}"#;

#[test]
fn a_text_with_its_sources_is_read() {
    let lines = read(&[
        CREATED,
        IN_PROGRESS,
        r#"{"type":"response.output_item.added","output_index":0,"item":{"type":"message","id":"msg_1","content":[]}}"#,
        r#"{"type":"response.content_part.added","item_id":"msg_1","output_index":0,"content_index":0,"part":{"type":"output_text","text":""}}"#,
        r#"{"type":"response.output_text.delta","item_id":"msg_1","output_index":0,"content_index":0,"delta":"sch\u00f6n","logprobs":[],"obfuscation":"x"}"#,
        r#"{"type":"response.output_text.done","item_id":"msg_1","output_index":0,"content_index":0,"text":"schön"}"#,
        r#"{"type":"response.content_part.done","item_id":"msg_1","output_index":0,"content_index":0,"part":{"type":"output_text","text":"schön"}}"#,
        r#"{"type":"response.content_part.added","item_id":"msg_1","output_index":0,"content_index":1,"part":{"type":"output_text","text":""}}"#,
        r#"{"type":"response.output_text.delta","item_id":"msg_1","output_index":0,"content_index":1,"delta":"ja"}"#,
        r#"{"type":"response.output_text.annotation.added","output_index":0,"content_index":1,"annotation_index":0,"annotation":{"type":"url_citation","url":"https://x.test","title":"X","start_index":0,"end_index":2}}"#,
        r#"{"type":"response.output_item.done","output_index":0,"item":{"type":"message","id":"msg_1"}}"#,
        r#"{"type":"response.something.new","x":1}"#,
        COMPLETED,
        r#"{"type":"response.output_text.delta","delta":"late"}"#,
    ]);
    assert_eq!(
        lines,
        [
            r#"start Some("resp_1") Some("gpt-5-2025")"#,
            r#"text "schön""#,
            "block end",
            r#"text "ja""#,
            r#"citation Some("https://x.test") Some((5, 7))"#,
            "block end",
            "usage 15 5 4",
            "stop End",
            "done"
        ]
    );
}

#[test]
fn thinking_comes_with_its_proof_and_hidden_thinking_is_proof_alone() {
    let lines = read(&[
        CREATED,
        r#"{"type":"response.output_item.added","output_index":0,"item":{"type":"reasoning","id":"rs_1","summary":[],"encrypted_content":"unfinished"}}"#,
        r#"{"type":"response.reasoning_summary_part.added","item_id":"rs_1","output_index":0,"summary_index":0,"part":{"type":"summary_text","text":""}}"#,
        r#"{"type":"response.reasoning_summary_text.delta","item_id":"rs_1","output_index":0,"summary_index":0,"delta":"One"}"#,
        r#"{"type":"response.reasoning_summary_text.done","item_id":"rs_1","output_index":0,"summary_index":0,"text":"One"}"#,
        r#"{"type":"response.reasoning_summary_text.delta","item_id":"rs_1","output_index":0,"summary_index":1,"delta":"Two"}"#,
        r#"{"type":"response.output_item.done","output_index":0,"item":{"type":"reasoning","id":"rs_1","summary":[{"type":"summary_text","text":"One"},{"type":"summary_text","text":"Two"}],"encrypted_content":"enc"}}"#,
        r#"{"type":"response.output_item.added","output_index":1,"item":{"type":"reasoning","id":"rs_2","summary":[]}}"#,
        r#"{"type":"response.output_item.done","output_index":1,"item":{"type":"reasoning","id":"rs_2","summary":[],"encrypted_content":"enc2"}}"#,
        COMPLETED,
    ]);
    assert_eq!(
        lines[1..],
        [
            r#"thinking "One""#,
            r#"thinking "\n\n""#,
            r#"thinking "Two""#,
            "signature OpenAi enc",
            "block end",
            "redacted OpenAi enc2",
            "usage 15 5 4",
            "stop End",
            "done"
        ]
    );
}

#[test]
fn thinking_that_comes_in_full_is_not_told_twice() {
    let lines = read(&[
        CREATED,
        r#"{"type":"response.output_item.added","output_index":0,"item":{"type":"reasoning","id":"rs_1","summary":[]}}"#,
        r#"{"type":"response.reasoning_text.delta","item_id":"rs_1","output_index":0,"content_index":0,"delta":"full"}"#,
        r#"{"type":"response.reasoning_summary_text.delta","item_id":"rs_1","output_index":0,"summary_index":0,"delta":"short"}"#,
        r#"{"type":"response.output_item.done","output_index":0,"item":{"type":"reasoning","id":"rs_1","summary":[],"content":[{"type":"reasoning_text","text":"full"}]}}"#,
    ]);
    assert_eq!(lines[1..], [r#"thinking "full""#, "block end"]);
}

#[test]
fn interleaved_calls_keep_their_fragments_and_each_comes_once() {
    let lines = read(&[
        CREATED,
        r#"{"type":"response.output_item.added","output_index":1,"item":{"type":"function_call","id":"fc_1","call_id":"a","name":"f","arguments":""}}"#,
        r#"{"type":"response.output_item.added","output_index":2,"item":{"type":"function_call","id":"fc_2","call_id":"b","name":"g","arguments":""}}"#,
        r#"{"type":"response.function_call_arguments.delta","item_id":"fc_1","output_index":1,"delta":"{\"x\":"}"#,
        r#"{"type":"response.function_call_arguments.delta","item_id":"fc_1","output_index":1,"delta":"1}"}"#,
        r#"{"type":"response.function_call_arguments.done","item_id":"fc_2","output_index":2,"arguments":"{}"}"#,
        r#"{"type":"response.function_call_arguments.done","item_id":"fc_1","output_index":1,"arguments":"{\"x\":1}"}"#,
        r#"{"type":"response.output_item.done","output_index":1,"item":{"type":"function_call","call_id":"a","name":"f","arguments":"{\"x\":1}"}}"#,
        r#"{"type":"response.output_item.done","output_index":2,"item":{"type":"function_call","call_id":"b","name":"g","arguments":"{}"}}"#,
        r#"{"type":"response.output_item.done","output_index":3,"item":{"type":"custom_tool_call","call_id":"c","name":"p","input":"whole"}}"#,
        COMPLETED,
    ]);
    assert_eq!(
        lines[1..],
        [
            "call 0 a f false",
            "call 1 b g false",
            r#"arguments 0 {"x":"#,
            "arguments 0 1}",
            "arguments 1 {}",
            "call 2 c p true",
            "arguments 2 whole",
            "usage 15 5 4",
            "stop ToolCalls",
            "done"
        ]
    );
}

#[test]
fn a_refusal_and_a_cut_answer_are_told_as_such() {
    let lines = read(&[
        CREATED,
        r#"{"type":"response.refusal.delta","output_index":0,"content_index":0,"delta":"No."}"#,
        r#"{"type":"response.refusal.done","output_index":0,"content_index":0,"refusal":"No."}"#,
        r#"{"type":"response.incomplete","response":{"status":"incomplete","incomplete_details":{"reason":"max_output_tokens"},"usage":null}}"#,
    ]);
    assert_eq!(lines[1..], [r#"refusal "No.""#, "stop Length", "done"]);
    let filtered = r#"{"type":"response.incomplete","response":{"status":"incomplete","incomplete_details":{"reason":"content_filter"}}}"#;
    assert_eq!(read(&[CREATED, filtered])[1..], ["stop ContentFilter", "done"]);
}

#[test]
fn every_form_of_an_error_is_one() {
    for (event, expected) in [
        (
            r#"{"type":"error","sequence_number":1,"error":{"type":"tokens","code":"rate_limit_exceeded","message":"slow down"}}"#,
            "failed 429 tokens slow down",
        ),
        (
            r#"{"type":"error","code":"server_error","message":"made-up","param":null,"sequence_number":1}"#,
            "failed 500 server_error made-up",
        ),
        (
            r#"{"type":"response.failed","response":{"status":"failed","error":{"code":"rate_limit_exceeded","message":"slow"}}}"#,
            "failed 429 rate_limit_exceeded slow",
        ),
        (
            r#"{"error":{"message":"bad key","type":"invalid_request_error","code":"invalid_api_key"}}"#,
            "failed 401 invalid_request_error bad key",
        ),
        ("not json", "failed 502 upstream_error the vendor sent an event that cannot be read"),
    ] {
        assert_eq!(read(&[CREATED, event, COMPLETED])[1..], [expected]);
    }
}

#[test]
fn a_message_that_comes_without_deltas_is_not_lost() {
    let added = r#"{"type":"response.output_item.added","output_index":0,"item":{"type":"message","content":[]}}"#;
    let done = r#"{"type":"response.output_item.done","output_index":0,"item":{"type":"message","content":[{"type":"output_text","text":"whole"},{"type":"refusal","refusal":"No."}]}}"#;
    let delta = r#"{"type":"response.output_text.delta","delta":"whole"}"#;
    assert_eq!(
        read(&[CREATED, added, done])[1..],
        [r#"text "whole""#, "block end", r#"refusal "No.""#]
    );
    assert_eq!(read(&[CREATED, added, delta, done])[1..], [r#"text "whole""#, "block end"]);
}

#[test]
fn a_stream_that_was_cut_has_no_end() {
    let lines = read(&[CREATED, r#"{"type":"response.output_text.delta","delta":"x"}"#]);
    assert_eq!(lines[1..], [r#"text "x""#]);
}

#[test]
fn the_name_of_the_event_counts_where_its_data_has_no_type() {
    let mut reader = Reader::default();
    let mut lines = Vec::new();
    reader.read(b"response.output_text.delta", br#"{"delta":"x"}"#, &mut |event| {
        lines.push(told(&event));
    });
    assert_eq!(lines, ["start None None", r#"text "x""#]);
}
