//! Whole answers: read from vendors, written for clients.

use serde_json::{Value, json};

use super::answering;
use crate::{
    domain::{BilledRates, TokenUsage},
    translate::{
        Additions, Answering, ClientApi, VendorApi,
        form::{
            Answer, Citation, Media, Origin, Part, PartKind, PartPath, Signature, Source,
            StopReason, Thinking, ToolCall,
        },
    },
};

fn told(answer: &Answer<'_>, context: &Answering) -> Value {
    serde_json::from_slice(&ClientApi::Chat.write(answer, context)).unwrap()
}

fn part(kind: PartKind<'_>) -> Part<'_> {
    Part::new(kind, PartPath::default())
}

fn text(text: &str) -> Part<'_> {
    part(PartKind::Text(text.into()))
}

pub(super) fn additions() -> Additions {
    let rate = |text: &str| text.parse().unwrap();
    Additions {
        requested_model: "a/m".to_owned(),
        requested_provider: Some("a".into()),
        used_provider: "a".into(),
        underlying_used_model: "m-1".into(),
        failed: Vec::new(),
        rates: Some(BilledRates {
            input: rate("1"),
            output: rate("2"),
            cache_read: rate("0.1"),
            cache_write: rate("1.25"),
            cache_write_hour: rate("2"),
        }),
        selection: None,
        smart_model: None,
    }
}

#[test]
fn an_answer_with_everything_is_written_whole() {
    let signature = |value: &'static str, origin| Some(Signature::new(origin, value));
    let thinking = |text: &'static str, value, redacted| {
        part(PartKind::Thinking(Thinking {
            text: text.into(),
            signature: signature(value, Origin::Anthropic),
            redacted,
            id: None,
        }))
    };
    let call = |id: &'static str, arguments: &'static str, signature| {
        let (id, name, arguments) = (id.into(), "f".into(), arguments.into());
        part(PartKind::ToolCall(ToolCall { id, name, arguments, signature, custom: false }))
    };
    let answer = Answer {
        id: Some("msg_1".into()),
        model: Some("m-2".into()),
        parts: vec![
            thinking("Hm.", "s1", false),
            thinking("", "r1", true),
            text("On"),
            text("ce"),
            part(PartKind::Refusal("No.".into())),
            part(PartKind::Image(Media {
                mime: Some("image/png".into()),
                ..Media::at(Source::Base64("AAAA".into()))
            })),
            call("c1", "{\"x\":1}", signature("gs", Origin::Google)),
            call("c2", "", None),
        ],
        citations: vec![
            Citation { url: Some("https://x.test".into()), ..Citation::default() },
            Citation { document: Some(0), ..Citation::default() },
        ],
        stop: Some(StopReason::ToolCalls),
        usage: Some(TokenUsage {
            input: 5,
            output: 10,
            cache_read: 100,
            cache_write: 20,
            reasoning: 4,
            ..TokenUsage::default()
        }),
        ..Answer::default()
    };
    let context = Answering { additions: Some(additions()), ..answering() };
    let expected = json!({
        "id":"msg_1","object":"chat.completion","created":1_700_000_000,"model":"m-2",
        "choices":[{"index":0,"message":{"role":"assistant","content":"Once","refusal":"No.","reasoning":"Hm.",
            "reasoning_details":[
                {"type":"reasoning.text","text":"Hm.","signature":"s1","format":"anthropic-claude-v1","index":0},
                {"type":"reasoning.encrypted","data":"r1","format":"anthropic-claude-v1","index":1}],
            "tool_calls":[
                {"id":"c1","type":"function","function":{"name":"f","arguments":"{\"x\":1}"},"extra_content":{"google":{"thought_signature":"gs"}}},
                {"id":"c2","type":"function","function":{"name":"f","arguments":"{}"}}],
            "images":[{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"},"index":0}],
            "annotations":[{"type":"url_citation","url_citation":{"start_index":4,"end_index":4,"url":"https://x.test","title":"https://x.test"}}]},
            "logprobs":null,"finish_reason":"tool_calls"}],
        "usage":{"prompt_tokens":125,"completion_tokens":10,"total_tokens":135,
            "prompt_tokens_details":{"cached_tokens":100,"cache_write_tokens":20},
            "completion_tokens_details":{"reasoning_tokens":4},"reasoning_tokens":4,
            "cost_usd_total":0.00006,"cost_usd_input":0.00004,"cost_usd_output":0.00002},
        "metadata":{"requested_model":"a/m","requested_provider":"a","used_model":"m-2","used_provider":"a","underlying_used_model":"m-1",
            "routing":[{"provider":"a","model":"m-1","status_code":200,"error_type":""}]}});
    let body = told(&answer, &context);
    assert_eq!(body, expected, "{body:#}");
}

#[test]
fn an_answer_of_which_little_is_known_still_has_its_members() {
    let answer = Answer { parts: vec![text("")], ..Answer::default() };
    let body = told(&answer, &answering());
    let expected = json!({"id":"chatcmpl-seed","object":"chat.completion","created":1_700_000_000,"model":"told-model",
        "choices":[{"index":0,"message":{"role":"assistant","content":null,"refusal":null},"logprobs":null,"finish_reason":"stop"}]});
    assert_eq!(body, expected);
    let forced = Answering { force_model: true, ..answering() };
    let answer = Answer { model: Some("other".into()), ..Answer::default() };
    assert_eq!(told(&answer, &forced)["model"], "told-model");
}

#[test]
fn every_reason_has_a_word_of_the_api() {
    for (reason, word) in [
        (StopReason::End, "stop"),
        (StopReason::StopSequence, "stop"),
        (StopReason::Pause, "stop"),
        (StopReason::ToolCalls, "stop"),
        (StopReason::Length, "length"),
        (StopReason::ContextWindow, "length"),
        (StopReason::ContentFilter, "content_filter"),
        (StopReason::Refusal, "content_filter"),
    ] {
        let answer = Answer { stop: Some(reason), ..Answer::default() };
        assert_eq!(told(&answer, &answering())["choices"][0]["finish_reason"], word, "{reason:?}");
    }
}

#[test]
fn a_vendors_answer_is_read_whole() {
    let body = br#"{"id":"c1","object":"chat.completion","created":1763650003,"model":"m1","choices":[{"index":0,
        "message":{"role":"assistant","content":"Hi","refusal":null,"reasoning_content":"why",
          "tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{}"}},{"id":"","type":"function","function":{"name":"g","arguments":null}}],
          "annotations":[{"type":"url_citation","url_citation":{"url":"https://x.test","title":"t","start_index":1,"end_index":2}}],
          "images":[{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}}]},
        "logprobs":{"content":[]},"finish_reason":"stop"}],
        "usage":{"prompt_tokens":10,"completion_tokens":4,"total_tokens":14,"prompt_tokens_details":{"cached_tokens":6}},"service_tier":"default"}"#;
    let answer = VendorApi::Chat.read(body).unwrap();
    assert_eq!((answer.id.as_deref(), answer.created), (Some("c1"), Some(1_763_650_003)));
    assert_eq!(answer.stop, Some(StopReason::ToolCalls));
    assert_eq!(
        answer.usage,
        Some(TokenUsage { input: 4, output: 4, cache_read: 6, ..TokenUsage::default() })
    );
    assert_eq!(answer.service_tier.as_deref(), Some("default"));
    assert_eq!(answer.logprobs.unwrap().get(), r#"{"content":[]}"#);
    assert_eq!(answer.citations[0].span, Some((1, 2)));
    let shown: Vec<String> = answer
        .parts
        .iter()
        .map(|part| match &part.kind {
            PartKind::Thinking(one) => format!("thinking {}", &*one.text),
            PartKind::Text(text) => format!("text {}", &**text),
            PartKind::Image(_) => "image".to_owned(),
            PartKind::ToolCall(call) => format!("call {} {}", &*call.name, &*call.arguments),
            other => format!("{other:?}"),
        })
        .collect();
    assert_eq!(shown, ["thinking why", "text Hi", "image", "call f {}", "call g {}"]);
}

#[test]
fn content_as_a_list_is_read() {
    let body = br#"{"choices":[{"message":{"content":[{"type":"thinking","thinking":[{"type":"text","text":"w"}]},{"type":"text","text":"a"}]},"finish_reason":"model_length"}]}"#;
    let answer = VendorApi::Chat.read(body).unwrap();
    assert!(matches!(&answer.parts[0].kind, PartKind::Thinking(one) if *one.text == *"w"));
    assert!(matches!(&answer.parts[1].kind, PartKind::Text(text) if *text == "a"));
    assert_eq!(answer.stop, Some(StopReason::ContextWindow));
}

#[test]
fn what_is_no_answer_is_told_as_such() {
    for (body, said) in [
        ("<html>", "expected value"),
        ("{}", "it has no choice"),
        (r#"{"choices":[]}"#, "it has no choice"),
        (r#"{"error":{"message":"made-up"}}"#, "made-up"),
        (
            r#"{"choices":[{"message":{"content":"x"},"finish_reason":"error"}]}"#,
            "broke its answer off",
        ),
    ] {
        let fault = VendorApi::Chat.read(body.as_bytes()).unwrap_err();
        assert!(fault.0.contains(said), "{body}: {}", fault.0);
        assert!(!fault.0.contains(" at line "));
    }
}
