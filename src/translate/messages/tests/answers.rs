//! Whole answers, both ways.

use serde_json::{Value, json};

use super::context;
use crate::{
    domain::TokenUsage,
    translate::{
        Answering, VendorApi,
        form::{
            Answer, Citation, Media, Origin, Part, PartKind, PartPath, Signature, Source,
            StopReason, Text, Thinking, ToolCall,
        },
        messages::{read_answer, read_request, write_answer},
    },
};

fn part(kind: PartKind<'_>) -> Part<'_> {
    Part::new(kind, PartPath::default())
}

fn call(arguments: &str, signature: Option<Signature<'static>>, custom: bool) -> ToolCall<'static> {
    let arguments = Text::from(arguments.to_owned());
    ToolCall { id: "call_1".into(), name: "f".into(), arguments, signature, custom }
}

fn told(answer: &Answer<'_>) -> Value {
    serde_json::from_slice(&write_answer(answer, &context())).unwrap()
}

const ANSWER: &str = r#"{"id":"msg_1","type":"message","role":"assistant","model":"claude-x-2025","container":null,
    "content":[{"type":"thinking","thinking":"hm","signature":"c2ln"},{"type":"redacted_thinking","data":"cmVk"},
      {"type":"server_tool_use","id":"s","name":"web_search","input":{"query":"q"}},
      {"type":"web_search_tool_result","tool_use_id":"s","content":[{"type":"web_search_result","url":"u","text":{}}]},
      {"type":"text","text":"Grüße: ","citations":null},
      {"type":"text","text":"so.","citations":[{"type":"web_search_result_location","url":"https://a.example","title":"A","cited_text":"q","encrypted_index":"e"}]},
      {"type":"brand_new","text":7},
      {"type":"tool_use","id":"toolu_1","name":"f","input":{"a": 1}}],
    "stop_reason":"tool_use","stop_sequence":null,
    "usage":{"input_tokens":9,"cache_read_input_tokens":100,"cache_creation_input_tokens":5,"output_tokens":20,
      "cache_creation":{"ephemeral_5m_input_tokens":5,"ephemeral_1h_input_tokens":0},"output_tokens_details":{"thinking_tokens":7},"service_tier":"standard"}}"#;

#[test]
fn an_answer_of_claudes_is_read_whole() {
    let answer = read_answer(ANSWER.as_bytes()).unwrap();
    assert_eq!(answer.id.as_deref(), Some("msg_1"));
    assert_eq!(answer.model.as_deref(), Some("claude-x-2025"));
    assert_eq!(answer.stop, Some(StopReason::ToolCalls));
    assert_eq!(answer.service_tier.as_deref(), Some("standard"));
    let usage = TokenUsage {
        input: 9,
        output: 20,
        cache_read: 100,
        cache_write: 5,
        reasoning: 7,
        ..TokenUsage::default()
    };
    assert_eq!(answer.usage, Some(usage));
    let [thought, redacted, first, second, call] = &answer.parts[..] else { panic!() };
    assert!(matches!(&thought.kind, PartKind::Thinking(thinking) if thinking.text == "hm"));
    assert!(matches!(&redacted.kind, PartKind::Thinking(thinking) if thinking.redacted));
    assert!(matches!(&first.kind, PartKind::Text(text) if *text == "Grüße: "));
    assert!(matches!(&second.kind, PartKind::Text(text) if *text == "so."));
    assert!(matches!(&call.kind, PartKind::ToolCall(call) if call.arguments == r#"{"a": 1}"#));
    let citation = Citation {
        url: Some("https://a.example".into()),
        title: Some("A".into()),
        quote: Some("q".into()),
        span: Some((7, 10)),
        ..Citation::default()
    };
    assert_eq!(answer.citations, [citation]);
}

#[test]
fn every_reason_to_end_is_read() {
    for (word, reason) in [
        ("end_turn", StopReason::End),
        ("stop_sequence", StopReason::StopSequence),
        ("max_tokens", StopReason::Length),
        ("model_context_window_exceeded", StopReason::ContextWindow),
        ("tool_use", StopReason::ToolCalls),
        ("refusal", StopReason::Refusal),
        ("pause_turn", StopReason::Pause),
        ("not_known_yet", StopReason::End),
    ] {
        let body = json!({"content":[{"type":"text","text":"Once upon"}],"stop_reason":word,"stop_sequence":"##"});
        let body = body.to_string();
        let answer = read_answer(body.as_bytes()).unwrap();
        assert_eq!((answer.stop, answer.stop_sequence.as_deref()), (Some(reason), Some("##")));
        assert_eq!(answer.usage, None);
    }
}

#[test]
fn the_words_of_a_refusal_are_read() {
    let body = br#"{"content":[],"stop_reason":"refusal","stop_details":{"type":"refusal","category":"cyber","explanation":"Not that."}}"#;
    let answer = read_answer(body).unwrap();
    assert!(matches!(&answer.parts[0].kind, PartKind::Refusal(words) if *words == "Not that."));
}

#[test]
fn what_is_no_message_is_told_without_its_content() {
    for body in [
        "",
        "<html>",
        "[]",
        r#"{"secret":1}"#,
        r#"{"content":"secret"}"#,
        r#"{"content":[{"type":"tool_use"}]}"#,
    ] {
        let fault = read_answer(body.as_bytes()).unwrap_err().to_string();
        assert!(!fault.contains("html"), "{fault}");
    }
}

#[test]
fn an_answer_for_a_client_has_all_members_that_sdks_need() {
    let answer = Answer {
        id: Some("chatcmpl-1".into()),
        model: Some("gpt-x".into()),
        parts: vec![
            part(PartKind::Text("Hi".into())),
            part(PartKind::ToolCall(call(r#"{"b":1,"a":2}"#, None, false))),
        ],
        stop: Some(StopReason::ToolCalls),
        usage: Some(TokenUsage {
            input: 1,
            output: 2,
            cache_read: 3,
            cache_write: 4,
            reasoning: 1,
            ..TokenUsage::default()
        }),
        ..Answer::default()
    };
    assert_eq!(
        std::str::from_utf8(&write_answer(&answer, &context())).unwrap(),
        r#"{"id":"chatcmpl-1","type":"message","role":"assistant","model":"gpt-x","content":[{"type":"text","text":"Hi"},{"type":"tool_use","id":"call_1","name":"f","input":{"b":1,"a":2}}],"stop_reason":"tool_use","stop_sequence":null,"usage":{"input_tokens":1,"cache_creation_input_tokens":4,"cache_read_input_tokens":3,"output_tokens":2,"output_tokens_details":{"thinking_tokens":1}}}"#
    );
    let bare = told(&Answer::default());
    assert_eq!((&bare["id"], &bare["model"]), (&json!("msg_s1"), &json!("up-model")));
    assert_eq!((&bare["content"], &bare["stop_reason"]), (&json!([]), &json!("end_turn")));
    assert_eq!(bare["usage"]["input_tokens"], 0);
}

#[test]
fn the_model_is_ours_where_the_vendors_name_would_mislead() {
    let answer = Answer { model: Some("claude-x".into()), ..Answer::default() };
    let forced = Answering { force_model: true, ..context() };
    let told: Value = serde_json::from_slice(&write_answer(&answer, &forced)).unwrap();
    assert_eq!(told["model"], "up-model");
}

/// T-25.
#[test]
fn arguments_are_an_object_whatever_the_vendor_sent() {
    for (arguments, custom, input) in [
        ("{}", false, json!({})),
        (r#" {"a":"b"} "#, false, json!({"a":"b"})),
        ("", false, json!({})),
        ("null", false, json!({})),
        (r#"{"cut":"#, false, json!({})),
        ("free \"text\"", true, json!({"input":"free \"text\""})),
    ] {
        let answer = Answer {
            parts: vec![part(PartKind::ToolCall(call(arguments, None, custom)))],
            ..Answer::default()
        };
        let told = told(&answer);
        assert_eq!(told["content"][0]["input"], input, "{arguments}");
        assert_eq!(told["stop_reason"], "tool_use");
    }
}

/// T-26: what a client sends back is what the vendor made.
#[test]
fn signatures_survive_the_way_to_the_client_and_back() {
    for origin in [Origin::Anthropic, Origin::OpenAi, Origin::Google, Origin::Bedrock] {
        let signature = || Some(Signature::new(origin, "c2ln+/="));
        let thinking = |text: &'static str, redacted| {
            part(PartKind::Thinking(Thinking {
                text: text.into(),
                signature: signature(),
                redacted,
                id: None,
            }))
        };
        let mut parts = vec![thinking("why", false), thinking("", false)];
        if origin != Origin::Google {
            parts.push(thinking("", true));
        }
        let on_call = Some(Signature::new(Origin::Google, "Z29v"));
        parts.push(part(PartKind::ToolCall(call("{}", on_call.clone(), false))));
        let sent = format!("{parts:?}");
        let content = told(&Answer { parts, ..Answer::default() })["content"].clone();
        let body =
            json!({"max_tokens":1,"messages":[{"role":"assistant","content":content}]}).to_string();
        let request = read_request(body.as_bytes()).unwrap();
        let mut back = request.turns[0].parts.clone();
        for part in &mut back {
            part.path = PartPath::default();
        }
        assert_eq!(format!("{back:?}"), sent, "{origin:?}");
    }
}

#[test]
fn sources_and_pictures_of_an_answer_are_told() {
    let page = Citation { url: Some("https://a.example".into()), ..Citation::default() };
    let document = Citation { document: Some(2), quote: Some("q".into()), ..Citation::default() };
    let media =
        Media { mime: Some("image/png".into()), ..Media::at(Source::Base64("iVBO".into())) };
    let content = told(&Answer {
        parts: vec![part(PartKind::Text("a".into())), part(PartKind::Image(media))],
        citations: vec![page, document],
        ..Answer::default()
    })["content"]
        .clone();
    let kinds: Vec<_> =
        content[0]["citations"].as_array().unwrap().iter().map(|one| &one["type"]).collect();
    assert_eq!(kinds, ["web_search_result_location", "char_location"]);
    assert_eq!(
        content[1],
        json!({"type":"image","source":{"type":"base64","media_type":"image/png","data":"iVBO"}})
    );
}

#[test]
fn a_place_in_a_document_is_read_and_told_again() {
    let content = json!([{"type": "text", "text": "So.", "citations": [
        {"type": "page_location", "cited_text": "q", "document_index": 0, "document_title": "D",
            "start_page_number": 2, "end_page_number": 3},
        {"type": "char_location", "cited_text": "q", "document_index": 1, "document_title": null,
            "start_char_index": 4, "end_char_index": 9},
        {"type": "content_block_location", "cited_text": "q", "document_index": 2,
            "document_title": "D", "start_block_index": 0, "end_block_index": 1}]}]);
    let body = json!({"id": "m", "content": content, "stop_reason": "end_turn"}).to_string();
    assert_eq!(
        told(&VendorApi::Messages.read_of("m", body.as_bytes()).unwrap())["content"],
        content
    );
}
