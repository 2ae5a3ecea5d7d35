//! Gemini's answers as they are read.

use serde_json::{Value, json};

use super::read_answer;
use crate::{
    domain::TokenUsage,
    translate::form::{Answer, Origin, PartKind, Source, StopReason},
};

fn with<T>(body: &Value, look: impl FnOnce(Answer<'_>) -> T) -> T {
    // Google indents.
    let body = serde_json::to_vec_pretty(body).unwrap();
    look(read_answer(&body).unwrap())
}

fn candidate(parts: &Value, reason: &str) -> Value {
    json!({"candidates": [{"content": {"role": "model", "parts": parts}, "finishReason": reason,
        "index": 0}]})
}

fn stop_of(body: &Value) -> Option<StopReason> {
    with(body, |answer| answer.stop)
}

#[test]
fn text_figures_and_names_are_read() {
    let body = json!({
        "candidates": [{"content": {"role": "model", "parts": [{"text": "Europa."}]},
            "finishReason": "STOP", "index": 0, "avgLogprobs": -0.1}],
        "usageMetadata": {"promptTokenCount": 14, "candidatesTokenCount": 3, "totalTokenCount": 17},
        "modelVersion": "gemini-2.0-flash-001", "responseId": "resp-v27",
        "createTime": "2026-01-02T03:04:05.678901Z",
    });
    with(&body, |answer| {
        assert_eq!(answer.id.as_deref(), Some("resp-v27"));
        assert_eq!(answer.model.as_deref(), Some("gemini-2.0-flash-001"));
        assert_eq!(answer.created, Some(1_767_323_045));
        assert_eq!(answer.stop, Some(StopReason::End));
        let usage = TokenUsage { input: 14, output: 3, ..TokenUsage::default() };
        assert_eq!(answer.usage, Some(usage));
        let [part] = answer.parts.as_slice() else { panic!("{:?}", answer.parts) };
        assert!(matches!(&part.kind, PartKind::Text(text) if *text == "Europa."));
    });
}

#[test]
fn thinking_text_and_calls_keep_their_order_and_signatures() {
    let body = candidate(
        &json!([
            {"text": "Let me see", "thought": true},
            {"text": "Köln 🌉", "thoughtSignature": "YQ=="},
            {"functionCall": {"name": "get_weather", "args": {"city": "Pau", "n": [1, 2]}},
                "thoughtSignature": "Yg=="},
            {"functionCall": {"id": "g-2", "name": "now", "args": {}}},
            {"text": "", "thoughtSignature": "Yw=="},
        ]),
        "STOP",
    );
    with(&body, |answer| {
        assert_eq!(answer.stop, Some(StopReason::ToolCalls));
        let kinds: Vec<_> = answer.parts.iter().map(|part| &part.kind).collect();
        let [
            PartKind::Thinking(thought),
            PartKind::Text(text),
            PartKind::Thinking(proof),
            PartKind::ToolCall(first),
            PartKind::ToolCall(second),
            PartKind::Thinking(last),
        ] = kinds.as_slice()
        else {
            panic!("{kinds:?}")
        };
        assert!(thought.text == "Let me see" && thought.signature.is_none());
        assert_eq!(*text, "Köln 🌉");
        let signed = proof.signature.as_ref().unwrap();
        assert!(proof.text.is_empty() && signed.origin == Origin::Google && signed.value == "YQ==");
        assert_eq!(first.signature.as_ref().unwrap().value, "Yg==");
        assert_eq!(first.arguments, r#"{"city":"Pau","n":[1,2]}"#);
        assert!(first.id.starts_with("call_") && first.id.len() == 37);
        assert_eq!((&*second.id, &*second.arguments, &second.signature), ("g-2", "{}", &None));
        assert_eq!(last.signature.as_ref().unwrap().value, "Yw==");
    });
}

#[test]
fn ids_that_are_made_up_are_unique() {
    let body = candidate(
        &json!([{"functionCall": {"name": "a"}}, {"functionCall": {"name": "a"}}]),
        "STOP",
    );
    let ids = || {
        with(&body, |answer| {
            let of = |kind: &PartKind<'_>| match kind {
                PartKind::ToolCall(call) => call.id.to_string(),
                other => panic!("{other:?}"),
            };
            answer.parts.iter().map(|part| of(&part.kind)).collect::<Vec<_>>()
        })
    };
    let mut all = ids();
    all.extend(ids());
    all.sort();
    all.dedup();
    assert_eq!(all.len(), 4);
}

#[test]
fn every_reason_to_end_is_known() {
    let text = json!([{"text": "x"}]);
    for (word, reason) in [
        ("STOP", StopReason::End),
        ("MAX_TOKENS", StopReason::Length),
        ("SAFETY", StopReason::ContentFilter),
        ("RECITATION", StopReason::ContentFilter),
        ("LANGUAGE", StopReason::ContentFilter),
        ("OTHER", StopReason::ContentFilter),
        ("BLOCKLIST", StopReason::ContentFilter),
        ("PROHIBITED_CONTENT", StopReason::ContentFilter),
        ("SPII", StopReason::ContentFilter),
        ("IMAGE_SAFETY", StopReason::ContentFilter),
        ("IMAGE_PROHIBITED_CONTENT", StopReason::ContentFilter),
        ("NO_IMAGE", StopReason::ContentFilter),
        ("CONTINUATION", StopReason::Length),
        ("ESCALATION", StopReason::ContentFilter),
        ("PUP_LIMITED_DISABLED", StopReason::ContentFilter),
        ("MALFORMED_FUNCTION_CALL", StopReason::End),
        ("FINISH_REASON_UNSPECIFIED", StopReason::End),
        ("SOMETHING_NEW", StopReason::End),
    ] {
        assert_eq!(stop_of(&candidate(&text, word)), Some(reason), "{word}");
    }
    let call = json!([{"functionCall": {"name": "a"}}]);
    for (word, reason) in [
        ("STOP", StopReason::ToolCalls),
        ("UNEXPECTED_TOOL_CALL", StopReason::ToolCalls),
        ("MAX_TOKENS", StopReason::Length),
        ("SAFETY", StopReason::ContentFilter),
    ] {
        assert_eq!(stop_of(&candidate(&call, word)), Some(reason), "{word}");
    }
}

#[test]
fn a_call_that_failed_is_no_answer() {
    for parts in [json!([]), json!([{"text": "hm", "thought": true}])] {
        let body = candidate(&parts, "MALFORMED_FUNCTION_CALL").to_string();
        let said = read_answer(body.as_bytes()).unwrap_err().to_string();
        assert!(said.contains("MALFORMED_FUNCTION_CALL") && !said.contains("hm"));
    }
}

#[test]
fn an_end_that_nobody_knows_is_no_answer_where_nothing_was_said() {
    for word in ["SOMETHING_NEW", "FINISH_REASON_UNSPECIFIED"] {
        let body = candidate(&json!([]), word).to_string();
        let said = read_answer(body.as_bytes()).unwrap_err().to_string();
        assert!(said.contains(word), "{said}");
    }
    assert_eq!(stop_of(&candidate(&json!([]), "STOP")), Some(StopReason::End));
    assert_eq!(stop_of(&candidate(&json!([]), "CONTINUATION")), Some(StopReason::Length));
}

#[test]
fn the_answer_that_came_by_the_tool_for_it_is_text() {
    let answer = json!({"functionCall": {"name": "turnpike_answer", "args": {"n": 1}},
        "thoughtSignature": "YQ=="});
    let beside = [json!({"text": "Here:"}), answer.clone(), answer, json!({"text": "Done."})];
    with(&candidate(&json!(beside), "STOP"), |answer| {
        assert_eq!(answer.stop, Some(StopReason::End));
        let [part] = answer.parts.as_slice() else { panic!("{:?}", answer.parts) };
        assert!(matches!(&part.kind, PartKind::Text(text) if *text == r#"{"n":1}"#));
    });
}

#[test]
fn what_was_filtered_is_an_answer_without_content() {
    for body in [
        json!({"candidates": [{"finishReason": "SAFETY", "index": 0}],
            "usageMetadata": {"promptTokenCount": 9, "totalTokenCount": 9}}),
        json!({"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"},
            "usageMetadata": {"promptTokenCount": 9, "totalTokenCount": 9}}),
        json!({"usageMetadata": {"promptTokenCount": 9, "totalTokenCount": 9}, "candidates": null}),
    ] {
        with(&body, |answer| {
            assert_eq!(answer.stop, Some(StopReason::ContentFilter));
            assert!(answer.parts.is_empty());
            let usage = TokenUsage { input: 9, ..TokenUsage::default() };
            assert_eq!(answer.usage, Some(usage));
        });
    }
}

#[test]
fn what_is_no_answer_is_told_so_without_its_words() {
    for body in [
        "",
        "<html>secret</html>",
        "{}",
        "[]",
        r#"{"candidates":[]}"#,
        r#"{"candidates":"secret"}"#,
        r#"{"candidates":[{"content":{"parts":[{"text":{"secret":1}}]}}]}"#,
        r#"{"error":{"code":503,"message":"secret","status":"UNAVAILABLE"}}"#,
    ] {
        let said = read_answer(body.as_bytes()).unwrap_err().to_string();
        assert!(!said.contains("secret"), "{said}");
    }
}

#[test]
fn a_picture_is_a_part() {
    let body = candidate(
        &json!([{"text": "Here"}, {"inlineData": {"mimeType": "image/png", "data": "iVBO"}}]),
        "STOP",
    );
    with(&body, |answer| {
        let PartKind::Image(image) = &answer.parts[1].kind else { panic!("{:?}", answer.parts) };
        assert_eq!(image.mime.as_deref(), Some("image/png"));
        assert!(matches!(&image.source, Source::Base64(data) if *data == "iVBO"));
    });
}

#[test]
fn sources_name_the_words_that_rest_on_them() {
    let body = json!({"candidates": [{
        "content": {"parts": [
            {"text": "hm", "thought": true},
            {"text": "Zürich "},
            {"text": "ist größer."},
        ]},
        "finishReason": "STOP",
        "groundingMetadata": {
            "webSearchQueries": ["zürich"],
            "groundingChunks": [
                {"web": {"uri": "https://a.test", "title": "a"}},
                {"web": {"uri": "https://b.test", "title": "b"}},
                {"maps": {}},
            ],
            "groundingSupports": [{
                "segment": {"partIndex": 2, "startIndex": 4, "endIndex": 13, "text": "größer."},
                "groundingChunkIndices": [0, 2, 9],
            }],
        },
    }]});
    with(&body, |answer| {
        let [first, second] = answer.citations.as_slice() else { panic!("{:?}", answer.citations) };
        assert_eq!(first.url.as_deref(), Some("https://a.test"));
        assert_eq!(first.quote.as_deref(), Some("größer."));
        assert_eq!(first.span, Some((11, 18)));
        assert_eq!((second.title.as_deref(), second.span), (Some("b"), None));
    });
}
