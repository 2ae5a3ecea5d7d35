//! Whole answers, both ways.

use serde_json::{Value, json};

use super::{
    super::{
        Answering,
        form::{
            Answer, Citation, Media, Origin, Part, PartKind, PartPath, Signature, Source,
            StopReason, Thinking, ToolCall,
        },
    },
    read_answer, write_answer,
};
use crate::domain::TokenUsage;

fn context() -> Answering {
    Answering {
        seed: "s1".to_owned(),
        created: 1_763_650_000,
        model: "claude-x".into(),
        ..Answering::default()
    }
}

fn answer(parts: Vec<PartKind<'_>>) -> Answer<'_> {
    let parts = parts.into_iter().map(|kind| Part::new(kind, PartPath::default())).collect();
    Answer { parts, ..Answer::default() }
}

fn written(answer: &Answer<'_>) -> Value {
    serde_json::from_slice(&write_answer(answer, &context())).unwrap()
}

fn call(id: &'static str, arguments: &'static str, custom: bool) -> PartKind<'static> {
    let signature = custom.then(|| Signature::new(Origin::Google, "Z28="));
    PartKind::ToolCall(ToolCall {
        id: id.into(),
        name: "f".into(),
        arguments: arguments.into(),
        signature,
        custom,
    })
}

fn thinking(text: &'static str, redacted: bool) -> PartKind<'static> {
    PartKind::Thinking(Thinking {
        text: text.into(),
        signature: Some(Signature::new(Origin::Anthropic, "c2ln")),
        redacted,
        id: None,
    })
}

#[test]
fn a_rich_answer_is_written_whole() {
    let answer = Answer {
        id: Some("msg_1".into()),
        model: Some("claude-x-1".into()),
        stop: Some(StopReason::ToolCalls),
        usage: Some(TokenUsage {
            input: 20,
            output: 9,
            cache_read: 5,
            cache_write: 2,
            reasoning: 4,
            ..TokenUsage::default()
        }),
        ..answer(vec![
            thinking("Two cities.", false),
            thinking("", true),
            PartKind::Text("Dax ".into()),
            PartKind::Text("is warmer.".into()),
            PartKind::Refusal("No more.".into()),
            call("call_1", "", false),
            call("call_2", "*** Begin", true),
        ])
    };
    let body = String::from_utf8(write_answer(&answer, &context())).unwrap();
    assert_eq!(body, include_str!("golden/answer.json").trim_end());
}

#[test]
fn an_answer_without_figures_has_none() {
    let body = written(&answer(vec![PartKind::Text("Hi".into())]));
    assert_eq!(body["usage"], Value::Null, "unknown is not 0");
    assert_eq!(body["status"], "completed");
    assert_eq!(body["model"], "claude-x");
    for member in [
        "id",
        "created_at",
        "model",
        "object",
        "output",
        "parallel_tool_calls",
        "tool_choice",
        "tools",
    ] {
        assert!(!body[member].is_null(), "the SDKs need `{member}`");
    }
}

#[test]
fn the_platforms_model_is_told_where_it_must_be() {
    let answer = Answer { model: Some("claude-x-1".into()), ..Answer::default() };
    let forced = Answering { force_model: true, ..context() };
    let body: Value = serde_json::from_slice(&write_answer(&answer, &forced)).unwrap();
    assert_eq!(body["model"], "claude-x");
}

#[test]
fn an_answer_that_was_cut_is_incomplete_and_says_why() {
    for (stop, reason) in [
        (StopReason::Length, "max_output_tokens"),
        (StopReason::ContextWindow, "max_output_tokens"),
        (StopReason::ContentFilter, "content_filter"),
        (StopReason::Refusal, "content_filter"),
    ] {
        let body =
            written(&Answer { stop: Some(stop), ..answer(vec![PartKind::Text("Hi".into())]) });
        assert_eq!(body["status"], "incomplete");
        assert_eq!(body["incomplete_details"], json!({"reason": reason}));
        assert_eq!(body["output"][0]["status"], "incomplete");
    }
}

#[test]
fn citations_stand_on_the_text_that_they_are_of() {
    let page =
        |url: &'static str, span| Citation { url: Some(url.into()), span, ..Citation::default() };
    let document = Citation {
        document: Some(2),
        title: Some("Report".into()),
        span: Some((0, 3)),
        ..Citation::default()
    };
    let body = written(&Answer {
        citations: vec![
            page("a", Some((1, 4))),
            document,
            page("b", Some((5, 7))),
            page("c", None),
        ],
        ..answer(vec![
            PartKind::Text("é1".into()),
            PartKind::Text("234".into()),
            call("c", "{}", false),
            PartKind::Text("later".into()),
        ])
    });
    assert_eq!(
        body["output"][0]["content"][0]["annotations"],
        json!([
            {"type":"url_citation","start_index":1,"end_index":4,"url":"a","title":"a"},
            {"type":"file_citation","file_id":"document_2","filename":"Report","index":3},
            {"type":"url_citation","start_index":0,"end_index":5,"url":"c","title":"c"}])
    );
    assert_eq!(
        body["output"][2]["content"][0]["annotations"],
        json!([{"type":"url_citation","start_index":0,"end_index":2,"url":"b","title":"b"}])
    );
}

#[test]
fn an_id_of_thinking_is_the_vendors_only_where_it_is_of_this_api() {
    let own = Signature::new(Origin::OpenAi, "gAAA");
    for (id, signature, told) in [
        ("rs_1", Some(own.clone()), "rs_1"),
        ("rs_1", None, "rs_turnpike_s1_0"),
        ("rs_1", Some(Signature::new(Origin::Anthropic, "c2ln")), "rs_turnpike_s1_0"),
        ("reasoning-text-1", Some(own), "rs_turnpike_s1_0"),
    ] {
        let thinking =
            Thinking { text: "hm".into(), signature, redacted: false, id: Some(id.into()) };
        let body = written(&answer(vec![PartKind::Thinking(thinking)]));
        assert_eq!(body["output"][0]["id"], told, "{id}");
    }
}

#[test]
fn a_picture_is_what_the_apis_own_tool_makes() {
    let picture = Media::at(Source::Base64("AA==".into()));
    let body = written(&answer(vec![PartKind::Image(picture)]));
    assert_eq!(
        body["output"],
        json!([{"type":"image_generation_call","id":"ig_s1_0","status":"completed","result":"AA=="}])
    );
}

#[test]
fn log_probabilities_of_chat_completions_are_those_of_the_text() {
    let raw: &serde_json::value::RawValue =
        serde_json::from_str(r#"{"content":[{"token":"Hi","logprob":-0.1,"bytes":null,"top_logprobs":[]}],"refusal":null}"#)
            .unwrap();
    let body =
        written(&Answer { logprobs: Some(raw), ..answer(vec![PartKind::Text("Hi".into())]) });
    assert_eq!(body["output"][0]["content"][0]["logprobs"][0]["token"], "Hi");
}

const ANSWER: &str = r#"{"id":"resp_1","object":"response","created_at":1763650000.0,"status":"completed","model":"gpt-5-2025",
    "error":null,"incomplete_details":null,"service_tier":"default","output":[
    {"type":"reasoning","id":"rs_1","summary":[{"type":"summary_text","text":"A"},{"type":"summary_text","text":"B"}],"encrypted_content":"enc"},
    {"type":"reasoning","id":"rs_2","summary":[],"encrypted_content":"enc2"},
    {"type":"reasoning","id":"rs_3","summary":[]},
    {"type":"web_search_call","id":"ws_1","status":"completed","action":{"type":"search","query":"q"}},
    {"type":"message","id":"msg_1","role":"assistant","status":"completed","content":[
        {"type":"output_text","text":"é12","annotations":[]},
        {"type":"output_text","text":"34","annotations":[{"type":"url_citation","start_index":0,"end_index":2,"url":"https://x.test","title":"X"},{"type":"file_path","file_id":"f","index":0}]},
        {"type":"refusal","refusal":"No."}]},
    {"type":"function_call","id":"fc_1","call_id":"call_1","name":"f","arguments":"","status":"completed"},
    {"type":"custom_tool_call","id":"ctc_1","call_id":"call_2","name":"p","input":"x"},
    {"type":"some_new_item","content":"?"}],
    "usage":{"input_tokens":100,"input_tokens_details":{"cached_tokens":80},"output_tokens":7,"output_tokens_details":{"reasoning_tokens":3},"total_tokens":107}}"#;

#[test]
fn a_vendors_answer_is_read_whole() {
    let answer = read_answer(ANSWER.as_bytes()).unwrap();
    let kinds: Vec<String> = answer
        .parts
        .iter()
        .map(|part| match &part.kind {
            PartKind::Text(text) => format!("text {}", &**text),
            PartKind::Refusal(text) => format!("refusal {}", &**text),
            PartKind::Thinking(one) => format!(
                "thinking {:?} {} {}",
                &*one.text,
                &*one.signature.as_ref().unwrap().value,
                one.redacted
            ),
            PartKind::ToolCall(call) => {
                format!("call {} {} {}", &*call.id, &*call.arguments, call.custom)
            }
            other => format!("{other:?}"),
        })
        .collect();
    assert_eq!(
        kinds,
        [
            "thinking \"A\\n\\nB\" enc false",
            "thinking \"\" enc2 true",
            "text é12",
            "text 34",
            "refusal No.",
            "call call_1 {} false",
            "call call_2 x true"
        ]
    );
    assert_eq!(answer.created, Some(1_763_650_000));
    assert_eq!(answer.id.as_deref(), Some("resp_1"));
    assert_eq!(answer.model.as_deref(), Some("gpt-5-2025"));
    assert_eq!(answer.service_tier.as_deref(), Some("default"));
    assert_eq!(answer.stop, Some(StopReason::ToolCalls));
    let usage =
        TokenUsage { input: 20, output: 7, cache_read: 80, reasoning: 3, ..TokenUsage::default() };
    assert_eq!(answer.usage, Some(usage), "cached tokens are counted once");
    assert_eq!(answer.citations.len(), 1);
    assert_eq!(answer.citations[0].span, Some((3, 5)), "in the whole text");
}

#[test]
fn the_reason_of_an_end_is_told_in_the_middle_forms_words() {
    let of = |rest: &str| {
        let body = format!(r#"{{"output":[],{rest}}}"#);
        let stop = read_answer(body.as_bytes()).map(|answer| answer.stop.unwrap());
        stop.unwrap()
    };
    assert_eq!(of(r#""status":"completed""#), StopReason::End);
    assert_eq!(
        of(r#""status":"incomplete","incomplete_details":{"reason":"max_output_tokens"}"#),
        StopReason::Length
    );
    assert_eq!(
        of(r#""status":"incomplete","incomplete_details":{"reason":"content_filter"}"#),
        StopReason::ContentFilter
    );
    assert_eq!(of(r#""status":"incomplete","incomplete_details":null"#), StopReason::Length);
}

#[test]
fn what_is_no_answer_is_not_taken_for_one() {
    for (body, said) in [
        ("[]", ""),
        ("{}", "output"),
        (
            r#"{"status":"failed","error":{"code":"server_error","message":"made-up"},"output":[]}"#,
            "made-up",
        ),
        (r#"{"status":"queued","output":[]}"#, "queued"),
    ] {
        let fault = read_answer(body.as_bytes()).unwrap_err().to_string();
        assert!(fault.contains(said), "{fault}");
    }
}
