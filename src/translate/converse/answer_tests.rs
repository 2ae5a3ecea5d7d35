//! What is read from answers and streams.

use serde_json::{Value, json};

use super::super::{
    Answering, ClientApi, StreamReader,
    form::{Answer, Event, Origin, PartKind, Place, Signature, StopReason},
};
use crate::domain::TokenUsage;

fn answer(body: &Value) -> String {
    body.to_string()
}

fn read(body: &str) -> Answer<'_> {
    super::read_answer(body.as_bytes()).unwrap()
}

#[test]
fn text_thinking_and_calls_are_read_in_their_order() {
    let body = answer(&json!({
        "output": {"message": {"role": "assistant", "content": [
            {"reasoningContent": {"reasoningText": {"text": "Hm.", "signature": "c2ln"}}},
            {"reasoningContent": {"redactedContent": "cmVk"}},
            {"text": "Checking."},
            {"text": ""},
            {"toolUse": {"toolUseId": "tooluse_v40", "name": "get_weather", "input": {"city": "Pisa"}}},
            {"toolUse": {"toolUseId": "t2", "name": "now", "input": {}}},
            {"toolUse": {"toolUseId": "t3", "name": "nova_grounding", "input": {}, "type": "server_tool_use"}},
            {"somethingNew": {}},
        ]}},
        "stopReason": "tool_use",
        "usage": {"inputTokens": 33, "outputTokens": 21, "totalTokens": 54},
        "metrics": {"latencyMs": 410},
        "additionalModelResponseFields": {"stop_sequence": null},
    }));
    let answer = read(&body);
    let parts: Vec<String> = answer
        .parts
        .iter()
        .map(|part| match &part.kind {
            PartKind::Text(text) => format!("text {}", &**text),
            PartKind::Thinking(thinking) => {
                let signature = thinking.signature.as_ref().unwrap();
                assert_eq!(signature.origin, Origin::Bedrock);
                format!("{} {} {}", &*thinking.text, &*signature.value, thinking.redacted)
            }
            PartKind::ToolCall(call) => {
                format!("{} {} {}", &*call.id, &*call.name, &*call.arguments)
            }
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(
        parts,
        [
            "Hm. c2ln false",
            " cmVk true",
            "text Checking.",
            r#"tooluse_v40 get_weather {"city":"Pisa"}"#,
            "t2 now {}",
        ]
    );
    assert_eq!(answer.stop, Some(StopReason::ToolCalls));
    let usage = TokenUsage { input: 33, output: 21, ..TokenUsage::default() };
    assert_eq!(answer.usage, Some(usage));
}

#[test]
fn every_stop_reason_is_known() {
    for (word, calls, stop) in [
        ("end_turn", false, StopReason::End),
        ("end_turn", true, StopReason::ToolCalls),
        ("tool_use", true, StopReason::ToolCalls),
        ("tool_use", false, StopReason::End),
        ("max_tokens", true, StopReason::Length),
        ("stop_sequence", false, StopReason::StopSequence),
        ("guardrail_intervened", false, StopReason::ContentFilter),
        ("content_filtered", false, StopReason::ContentFilter),
        ("malformed_model_output", false, StopReason::End),
        ("malformed_tool_use", false, StopReason::End),
        ("model_context_window_exceeded", false, StopReason::ContextWindow),
        ("refusal", false, StopReason::Refusal),
        ("something_new", false, StopReason::End),
    ] {
        assert_eq!(super::usage_read::stop_reason(word, calls), stop, "{word}");
    }
}

/// T-29: cached tokens are counted once, whichever way a model counts them.
#[test]
fn cached_tokens_are_beside_the_input() {
    let usage = |usage: Value| {
        let body = answer(&json!({"output": {"message": {"content": []}}, "usage": usage}));
        read(&body).usage
    };
    let counted = TokenUsage {
        input: 20,
        output: 7,
        cache_read: 80,
        cache_write: 5,
        reasoning: 0,
        ..TokenUsage::default()
    };
    let excluded = json!({"inputTokens": 20, "outputTokens": 7, "totalTokens": 112,
        "cacheReadInputTokens": 80, "cacheWriteInputTokens": 5, "cacheDetails": [{"ttl": "1h", "inputTokens": 3}, {"ttl": "5m", "inputTokens": 2}]});
    let included = json!({"inputTokens": 105, "outputTokens": 7, "totalTokens": 112,
        "cacheReadInputTokens": 80, "cacheWriteInputTokens": 5});
    let kept = TokenUsage { cache_write_hour: 3, ..counted };
    assert_eq!(usage(excluded.clone()), Some(kept));
    let mut odd = excluded;
    odd["cacheDetails"] = json!([{"ttl": 1}]);
    assert_eq!(usage(odd), Some(counted), "the other figures stand");
    assert_eq!(usage(included), Some(counted));
    let impossible =
        json!({"inputTokens": 3, "outputTokens": 7, "totalTokens": 10, "cacheReadInputTokens": 80});
    assert_eq!(usage(impossible).map(|usage| usage.input), Some(3));
    assert_eq!(usage(json!({})), None);
    assert_eq!(usage(json!("odd")), None);
    assert_eq!(
        usage(json!({"inputTokens": u64::MAX, "outputTokens": 1})).map(|u| u.input),
        Some(0)
    );
}

#[test]
fn citations_stand_where_their_text_does() {
    let body = answer(&json!({"output": {"message": {"content": [
        {"text": "Né: "},
        {"citationsContent": {
            "content": [{"text": "grass is green"}],
            "citations": [
                {"title": "Doc", "sourceContent": [{"text": "green grass"}],
                    "location": {"documentChar": {"documentIndex": 1, "start": 3, "end": 9}}},
                {"location": {"web": {"url": "https://example.com/", "domain": "example.com"}}},
            ],
        }},
    ]}}, "stopReason": "end_turn"}));
    let answer = read(&body);
    assert_eq!(answer.parts.len(), 2);
    let [first, second] = &answer.citations[..] else { panic!("{:?}", answer.citations) };
    assert_eq!(first.span, Some((4, 18)));
    assert_eq!(
        (first.title.as_deref(), first.quote.as_deref(), first.document),
        (Some("Doc"), Some("green grass"), Some(1))
    );
    assert_eq!(first.place, Some(Place::Chars(3, 9)));
    assert_eq!(second.url.as_deref(), Some("https://example.com/"));
    assert_eq!((second.document, second.place), (None, None));
}

/// <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_CitationLocation.html>
#[test]
fn a_citation_keeps_its_place_for_a_client_of_messages() {
    let cited = |location: Value| {
        json!({"title": "Doc", "sourceContent": [{"text": "gr"}, {"text": "ee"}, {"text": "n"}],
            "location": location})
    };
    let places = [
        cited(json!({"documentPage": {"documentIndex": 0, "start": 2, "end": 3}})),
        cited(json!({"documentChunk": {"documentIndex": 1, "start": 4, "end": 6}})),
        cited(json!({"documentChar": {"documentIndex": 2, "start": 8, "end": 13}})),
    ];
    let told = [
        json!({"type": "page_location", "cited_text": "green", "document_index": 0,
            "document_title": "Doc", "start_page_number": 2, "end_page_number": 3}),
        json!({"type": "content_block_location", "cited_text": "green", "document_index": 1,
            "document_title": "Doc", "start_block_index": 4, "end_block_index": 6}),
        json!({"type": "char_location", "cited_text": "green", "document_index": 2,
            "document_title": "Doc", "start_char_index": 8, "end_char_index": 13}),
    ];
    let [page, chunk, letters] = &places;
    let body = answer(&json!({"output": {"message": {"content": [
        {"text": "So: "},
        {"citationsContent": {"content": [{"text": "one"}], "citations": [page]}},
        {"text": " and "},
        {"citationsContent": {"content": [{"text": "two"}], "citations": [chunk, letters]}},
    ]}}, "stopReason": "end_turn"}));
    let written = ClientApi::Messages.write(&read(&body), &Answering::default());
    let written: Value = serde_json::from_slice(&written).unwrap();
    assert_eq!(
        written["content"],
        json!([
            {"type": "text", "text": "So: "},
            {"type": "text", "text": "one", "citations": [told[0]]},
            {"type": "text", "text": " and "},
            {"type": "text", "text": "two", "citations": [told[1], told[2]]},
        ])
    );

    for (place, told) in places.iter().zip(&told) {
        let (mut reader, mut out) = (super::Reader::default(), Vec::new());
        let mut writer = ClientApi::Messages.stream_writer(Answering::default());
        for (name, data) in [
            delta(0, &json!({"text": "one"})),
            delta(0, &json!({"citation": place})),
            block_stop(0),
            ("messageStop", json!({"stopReason": "end_turn"})),
        ] {
            let data = data.to_string();
            reader
                .read(name.as_bytes(), data.as_bytes(), &mut |event| writer.write(event, &mut out));
        }
        let stream = String::from_utf8(out).unwrap();
        let deltas = stream.lines().filter_map(|line| line.strip_prefix("data: "));
        let mut deltas = deltas.map(|data| serde_json::from_str::<Value>(data).unwrap());
        let delta = deltas.find(|data| data["delta"]["type"] == "citations_delta").unwrap();
        assert_eq!(&delta["delta"]["citation"], told);
    }
}

#[test]
fn a_citation_of_a_search_result_names_the_result_and_what_the_client_called_it() {
    let place = json!({"searchResultIndex": 1, "start": 2, "end": 3});
    let source = json!({"title": "Doc", "source": "kb-7", "sourceContent": [{"text": "green"}],
        "location": {"searchResultLocation": place}});
    let body = answer(&json!({"output": {"message": {"content": [
        {"citationsContent": {"content": [{"text": "one"}], "citations": [source]}},
    ]}}, "stopReason": "end_turn"}));
    let written = ClientApi::Messages.write(&read(&body), &Answering::default());
    let written: Value = serde_json::from_slice(&written).unwrap();
    assert_eq!(
        written["content"][0]["citations"],
        json!([{"type": "search_result_location", "cited_text": "green", "search_result_index": 1,
            "source": "kb-7", "title": "Doc", "start_block_index": 2, "end_block_index": 3}])
    );
}

#[test]
fn what_is_no_answer_is_said_to_be_none_without_its_words() {
    for body in
        ["", "secret", r#"{"output":{"message":{"content":["secret"]}}}"#, r#"{"output":{}}"#, "{}"]
    {
        let said = super::read_answer(body.as_bytes()).unwrap_err().to_string();
        assert!(!said.contains("secret"), "{said}");
    }
}

/// The events in words.
fn events(stream: &[(&str, Value)]) -> Vec<String> {
    let mut reader = super::Reader::default();
    let mut seen = Vec::new();
    let mut take = |event: Event<'_>| {
        seen.push(match event {
            Event::Start { .. } => "start".to_owned(),
            Event::Text(text) => format!("text {}", &*text),
            Event::Thinking(text) => format!("thinking {}", &*text),
            Event::Signature(Signature { value, .. }) => format!("signature {}", &*value),
            Event::Redacted(Signature { value, .. }) => format!("redacted {}", &*value),
            Event::BlockEnd => "end of block".to_owned(),
            Event::ToolCall { call, id, name, .. } => format!("call {call} {} {}", &*id, &*name),
            Event::Arguments { call, fragment } => format!("arguments {call} {}", &*fragment),
            Event::Citation(citation) => {
                format!("cited {} {:?}", citation.title.as_deref().unwrap_or("-"), citation.span)
            }
            Event::Stop { reason, sequence } => format!("{reason:?} {:?}", sequence.as_deref()),
            Event::Usage(usage) => format!("{}+{}", usage.input, usage.output),
            Event::Failed(error) => format!("failed {}", error.status),
            Event::Done => "done".to_owned(),
            other => panic!("{other:?}"),
        });
    };
    for (name, data) in stream {
        let data = match data {
            Value::String(raw) => raw.clone(),
            other => other.to_string(),
        };
        reader.read(name.as_bytes(), data.as_bytes(), &mut take);
    }
    reader.end(&mut take);
    seen
}

fn delta(index: u64, delta: &Value) -> (&'static str, Value) {
    ("contentBlockDelta", json!({"contentBlockIndex": index, "delta": delta, "p": "abc"}))
}

fn block_stop(index: u64) -> (&'static str, Value) {
    ("contentBlockStop", json!({"contentBlockIndex": index}))
}

fn stop(reason: &str) -> (&'static str, Value) {
    ("messageStop", json!({"stopReason": reason}))
}

fn metadata() -> (&'static str, Value) {
    let usage = json!({"inputTokens": 18, "outputTokens": 25, "totalTokens": 43});
    ("metadata", json!({"usage": usage, "metrics": {"latencyMs": 5}}))
}

fn start() -> (&'static str, Value) {
    ("messageStart", json!({"role": "assistant", "p": "ab"}))
}

#[test]
fn the_figures_come_before_the_end() {
    let expected =
        ["start", "thinking Add.", "signature c2ln", "end of block", "text 42", "end of block"];
    let expected = [&expected[..], &["End None", "18+25", "done"]].concat();
    let stream = [
        start(),
        delta(0, &json!({"reasoningContent": {"text": "Add."}})),
        delta(0, &json!({"reasoningContent": {"text": "", "signature": "c2ln"}})),
        block_stop(0),
        delta(1, &json!({"text": ""})),
        delta(1, &json!({"text": "42"})),
        block_stop(1),
        stop("end_turn"),
        metadata(),
    ];
    assert_eq!(events(&stream), expected);
    let mut swapped = stream.to_vec();
    swapped.swap(7, 8);
    let count = expected.len();
    let mut expected = expected;
    expected.swap(count - 3, count - 2);
    assert_eq!(events(&swapped), expected);
}

/// T-24: parallel calls keep their own numbers and arguments.
#[test]
fn calls_are_numbered_by_their_order_not_by_their_block() {
    let call = |index: u64, id: &str| {
        let call = json!({"toolUse": {"toolUseId": id, "name": "f"}});
        ("contentBlockStart", json!({"contentBlockIndex": index, "start": call}))
    };
    let input = |index, text: &str| delta(index, &json!({"toolUse": {"input": text}}));
    let server =
        json!({"toolUse": {"toolUseId": "s", "name": "nova_grounding", "type": "server_tool_use"}});
    let seen = events(&[
        start(),
        delta(0, &json!({"text": "a"})),
        block_stop(0),
        ("contentBlockStart", json!({"contentBlockIndex": 1, "start": server})),
        input(1, "{}"),
        block_stop(1),
        call(2, "x"),
        call(3, "y"),
        input(3, "{\"b\""),
        input(2, ""),
        input(2, "{}"),
        input(3, ":1}"),
        block_stop(2),
        block_stop(3),
        call(4, "z"),
        block_stop(4),
        stop("end_turn"),
        metadata(),
    ]);
    assert_eq!(
        seen,
        [
            "start",
            "text a",
            "end of block",
            "call 0 x f",
            "call 1 y f",
            "arguments 1 {\"b\"",
            "arguments 0 {}",
            "arguments 1 :1}",
            "call 2 z f",
            "arguments 2 {}",
            "ToolCalls None",
            "18+25",
            "done",
        ]
    );
}

#[test]
fn redacted_thinking_citations_and_stop_texts_are_told() {
    let sequence = json!({"stopReason": "stop_sequence", "additionalModelResponseFields": {"stop_sequence": "ZZ"}});
    let seen = events(&[
        delta(0, &json!({"reasoningContent": {"redactedContent": "cmVk"}})),
        block_stop(0),
        delta(1, &json!({"citation": {"title": "Doc"}})),
        ("newEvent", json!({})),
        ("messageStop", sequence),
    ]);
    // Without figures the stream is complete all the same.
    let expected =
        ["start", "redacted cmVk", "cited Doc Some((0, 0))", "StopSequence Some(\"ZZ\")", "done"];
    assert_eq!(seen, expected);
}

#[test]
fn citations_in_streams_have_the_span_of_their_block() {
    let seen = events(&[
        delta(0, &json!({"text": "Né: "})),
        block_stop(0),
        delta(1, &json!({"citation": {"title": "a"}})),
        delta(1, &json!({"text": "grass is"})),
        delta(1, &json!({"text": " green"})),
        delta(1, &json!({"citation": {"title": "b"}})),
        block_stop(1),
        stop("end_turn"),
        metadata(),
    ]);
    assert_eq!(
        seen,
        [
            "start",
            "text Né: ",
            "end of block",
            "text grass is",
            "text  green",
            "cited a Some((4, 18))",
            "cited b Some((4, 18))",
            "end of block",
            "End None",
            "18+25",
            "done",
        ]
    );
}

/// T-22: a cut is never told as an end.
#[test]
fn a_cut_stream_has_no_end_and_a_broken_event_is_a_failure() {
    assert_eq!(events(&[start(), delta(0, &json!({"text": "a"}))]), ["start", "text a"]);
    let broken = ("contentBlockDelta", json!("not JSON"));
    let seen = events(&[start(), broken, delta(0, &json!({"text": "a"})), stop("end_turn")]);
    assert_eq!(seen, ["start", "failed 502"]);
}
