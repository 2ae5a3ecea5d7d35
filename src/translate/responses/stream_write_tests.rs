//! What clients see of a stream: its grammar, whatever comes, and whole streams as text.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{
    super::{
        Answering, StreamWriter,
        form::{Citation, Event, Origin, Signature, StopReason},
    },
    Writer,
};
use crate::{
    dialect::{GatewayError, StreamError},
    domain::TokenUsage,
};

fn context() -> Answering {
    Answering {
        seed: "s1".to_owned(),
        created: 1_763_650_000,
        model: "claude-x".into(),
        ..Answering::default()
    }
}

fn written(events: Vec<Event<'_>>) -> String {
    let mut writer = Writer::new(context());
    let mut out = Vec::new();
    for event in events {
        writer.write(event, &mut out);
    }
    String::from_utf8(out).unwrap()
}

/// The events' data; checks that the name of each is its type.
fn parsed(stream: &str) -> Vec<Value> {
    let blocks = stream.split_terminator("\n\n").filter(|block| !block.starts_with(':'));
    blocks
        .map(|block| {
            let (name, data) = block.split_once('\n').expect(block);
            let data: Value = serde_json::from_str(data.strip_prefix("data: ").unwrap()).unwrap();
            assert_eq!(name.strip_prefix("event: ").unwrap(), data["type"].as_str().unwrap());
            data
        })
        .collect()
}

fn start() -> Event<'static> {
    Event::Start { id: Some("msg_1".into()), model: Some("claude-x-1".into()) }
}

fn call(number: usize, id: &'static str, name: &'static str) -> Event<'static> {
    Event::ToolCall {
        call: number,
        id: id.into(),
        name: name.into(),
        signature: None,
        custom: false,
    }
}

fn arguments(number: usize, fragment: &'static str) -> Event<'static> {
    Event::Arguments { call: number, fragment: fragment.into() }
}

fn stop(reason: StopReason) -> Event<'static> {
    Event::Stop { reason, sequence: None }
}

#[test]
fn a_text_is_streamed_as_the_reference_has_it() {
    let usage = TokenUsage {
        input: 20,
        output: 4,
        cache_read: 5,
        cache_write: 2,
        reasoning: 0,
        ..TokenUsage::default()
    };
    let stream = written(vec![
        start(),
        Event::Text("Ja, ".into()),
        Event::Ping,
        Event::Text("schön.".into()),
        Event::BlockEnd,
        Event::Usage(usage),
        stop(StopReason::End),
        Event::Done,
    ]);
    assert_eq!(stream, include_str!("golden/text.sse"));
}

#[test]
fn thinking_is_streamed_with_its_proof() {
    let stream = written(vec![
        start(),
        Event::Thinking("One. ".into()),
        Event::Thinking("Two.".into()),
        Event::Signature(Signature::new(Origin::Anthropic, "c2ln")),
        Event::BlockEnd,
        Event::Redacted(Signature::new(Origin::Anthropic, "cmVk")),
        Event::Text("Three.".into()),
        stop(StopReason::End),
        Event::Done,
    ]);
    assert_eq!(stream, include_str!("golden/reasoning.sse"));
}

#[test]
fn two_calls_at_once_are_two_items() {
    let stream = written(vec![
        start(),
        Event::Text("Look.".into()),
        call(0, "call_a", "weather"),
        arguments(0, r#"{"city":"#),
        call(1, "call_b", "now"),
        arguments(0, r#""Pau"}"#),
        stop(StopReason::ToolCalls),
        Event::Done,
    ]);
    assert_eq!(stream, include_str!("golden/calls.sse"));
}

#[test]
fn a_call_whose_arguments_are_whole_ends_before_the_next_begins() {
    let stream = written(vec![
        start(),
        call(0, "a", "f"),
        arguments(0, r#"{"x":1}"#),
        call(1, "b", "g"),
        arguments(1, "{}"),
        Event::Done,
    ]);
    let kinds: Vec<String> = parsed(&stream)
        .iter()
        .map(|event| format!("{} {}", event["type"].as_str().unwrap(), event["output_index"]))
        .collect();
    let done = kinds.iter().position(|kind| kind == "response.output_item.done 0").unwrap();
    let next = kinds.iter().position(|kind| kind == "response.output_item.added 1").unwrap();
    assert!(done < next, "{kinds:#?}");
}

#[test]
fn a_refusal_is_a_part_of_its_own_and_a_custom_tool_gets_its_text() {
    let stream = written(vec![
        start(),
        Event::Text("Hm.".into()),
        Event::Refusal("I ".into()),
        Event::Refusal("won't.".into()),
        Event::ToolCall {
            call: 0,
            id: "c".into(),
            name: "patch".into(),
            signature: Some(Signature::new(Origin::Google, "Z28=")),
            custom: true,
        },
        arguments(0, "*** Begin"),
        Event::Done,
    ]);
    let last = parsed(&stream).pop().unwrap();
    assert_eq!(
        last["response"]["output"],
        json!([
            {"type":"message","id":"msg_s1_0","status":"completed","role":"assistant","content":[
                {"type":"output_text","annotations":[],"logprobs":[],"text":"Hm."},
                {"type":"refusal","refusal":"I won't."}]},
            {"type":"reasoning","id":"rs_turnpike_s1_1","summary":[],
                "encrypted_content":"turnpike.call.turnpike.google.Z28="},
            {"type":"custom_tool_call","id":"ctc_s1_2","status":"completed","call_id":"c",
                "input":"*** Begin","name":"patch"}])
    );
    check(&stream);
}

#[test]
fn a_citation_stands_on_the_open_part_and_counts_in_it() {
    let page = |span| {
        Event::Citation(Citation {
            url: Some("https://x.test".into()),
            title: Some("X".into()),
            span,
            ..Citation::default()
        })
    };
    let stream = written(vec![
        start(),
        Event::Text("é1234".into()),
        call(0, "c", "f"),
        Event::Text("later".into()),
        page(Some((5, 8))),
        page(None),
        Event::Done,
    ]);
    let added: Vec<Value> = parsed(&stream)
        .into_iter()
        .filter(|event| event["type"] == "response.output_text.annotation.added")
        .map(|event| event["annotation"].clone())
        .collect();
    let one = |start, end| json!({"type":"url_citation","start_index":start,"end_index":end,"url":"https://x.test","title":"X"});
    assert_eq!(added, [one(0, 3), one(0, 5)]);
    let last = parsed(&stream).pop().unwrap();
    assert_eq!(last["response"]["output"][2]["content"][0]["annotations"], json!(added));
}

#[test]
fn a_source_that_is_told_late_still_stands_on_its_words() {
    let page = |span| {
        let url = Some("https://x.test".into());
        Event::Citation(Citation { url, span, ..Citation::default() })
    };
    let stream = written(vec![
        start(),
        Event::Text("é1234".into()),
        Event::Signature(Signature::new(Origin::Google, "Z28=")),
        Event::Text("later".into()),
        call(0, "c", "f"),
        page(Some((1, 3))),
        page(None),
        Event::Done,
    ]);
    check(&stream);
    let last = parsed(&stream).pop().unwrap();
    let places = |item: usize| {
        let one = &last["response"]["output"][item]["content"][0]["annotations"];
        let all = one.as_array().unwrap().iter();
        all.map(|one| (one["start_index"].as_u64().unwrap(), one["end_index"].as_u64().unwrap()))
            .collect::<Vec<_>>()
    };
    assert_eq!((places(0), places(2)), (vec![(1, 3)], vec![(0, 5)]));
}

#[test]
fn every_event_with_a_response_repeats_what_was_asked() {
    let asked = json!({"instructions": "Be brief.", "temperature": 0.5, "metadata": {"a": "b"}});
    let echo = Some(std::sync::Arc::new(super::Echo::of(asked.to_string().as_bytes())));
    let mut writer = Writer::new(Answering { echo, ..context() });
    let mut out = Vec::new();
    for event in [start(), Event::Text("Hi".into()), Event::Done] {
        writer.write(event, &mut out);
    }
    let events = parsed(std::str::from_utf8(&out).unwrap());
    let told: Vec<&Value> = events.iter().filter_map(|event| event.get("response")).collect();
    assert_eq!(told.len(), 3);
    for response in told {
        for name in ["instructions", "temperature", "metadata"] {
            assert_eq!(response[name], asked[name], "{name}");
        }
        assert_eq!((&response["store"], &response["tools"]), (&json!(false), &json!([])));
    }
}

#[test]
fn an_ending_by_the_limit_is_incomplete() {
    for (reason, word) in [
        (StopReason::Length, "max_output_tokens"),
        (StopReason::ContextWindow, "max_output_tokens"),
        (StopReason::ContentFilter, "content_filter"),
        (StopReason::Refusal, "content_filter"),
    ] {
        let stream = written(vec![start(), Event::Text("x".into()), stop(reason), Event::Done]);
        let last = parsed(&stream).pop().unwrap();
        assert_eq!(last["type"], "response.incomplete");
        assert_eq!(last["response"]["status"], "incomplete");
        assert_eq!(last["response"]["incomplete_details"], json!({"reason": word}));
        assert_eq!(last["response"]["output"][0]["status"], "incomplete");
    }
}

#[test]
fn an_error_in_the_stream_raises_in_every_client() {
    let error = StreamError {
        status: 529,
        kind: "overloaded_error".to_owned(),
        message: "Overloaded".to_owned(),
    };
    let stream = written(vec![start(), Event::Text("x".into()), Event::Failed(error)]);
    let events = parsed(&stream);
    let [.., error, failed] = events.as_slice() else { panic!("{stream}") };
    assert_eq!(error["type"], "error");
    assert_eq!(error["error"]["message"], "Overloaded");
    assert_eq!(error["message"], "Overloaded");
    assert_eq!(failed["type"], "response.failed");
    assert_eq!(failed["response"]["error"], json!({"code":"server_error","message":"Overloaded"}));
    for (at, event) in events.iter().enumerate() {
        assert_eq!(event["sequence_number"], at);
    }
    assert!(!stream.contains("response.completed"));
}

#[test]
fn a_stream_that_cannot_be_finished_ends_with_the_gateways_error() {
    let mut writer = Writer::new(context());
    let mut out = Vec::new();
    writer.abort(&GatewayError::new(504, "upstream_timeout", "idle"), &mut out);
    let events = parsed(std::str::from_utf8(&out).unwrap());
    assert_eq!(events.len(), 1, "there is no response that could fail");
    assert_eq!(events[0]["sequence_number"], 0);
    assert_eq!(events[0]["code"], "upstream_timeout");
}

#[test]
fn an_answer_without_anything_is_a_response_all_the_same() {
    let events = parsed(&written(vec![Event::Done]));
    let kinds: Vec<_> = events.iter().map(|event| event["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["response.created", "response.in_progress", "response.completed"]);
}

/// Checks what holds for every complete stream.
fn check(stream: &str) {
    let events = parsed(stream);
    // By index: (kind, open, deltas so far, the item's open part or summary).
    let mut items: Vec<(Value, bool, String, bool)> = Vec::new();
    for (at, event) in events.iter().enumerate() {
        assert_eq!(event["sequence_number"], at, "no gaps");
        let kind = event["type"].as_str().unwrap();
        let index = event["output_index"].as_u64().map(|index| usize::try_from(index).unwrap());
        match kind {
            "response.output_item.added" => {
                assert_eq!(index, Some(items.len()), "dense");
                items.push((event["item"].clone(), true, String::new(), false));
                continue;
            }
            "response.created" | "response.in_progress" => {
                assert!(at < 2);
                continue;
            }
            "response.completed" | "response.incomplete" => {
                assert_eq!(at, events.len() - 1, "last");
                assert_eq!(event["response"]["output"].as_array().unwrap().len(), items.len());
                continue;
            }
            _ => {}
        }
        let item = &mut items[index.unwrap()];
        if kind == "response.output_text.annotation.added" && !item.1 {
            // A source that was told when its text was whole: the response has it as well.
            let at = usize::try_from(event["content_index"].as_u64().unwrap()).unwrap();
            let annotations = item.0["content"][at]["annotations"].as_array_mut().unwrap();
            assert_eq!(event["annotation_index"], annotations.len());
            annotations.push(event["annotation"].clone());
            continue;
        }
        assert!(item.1, "{kind} on a closed item");
        if kind != "response.output_item.done" {
            assert_eq!(event["item_id"], item.0["id"]);
        }
        match kind {
            "response.content_part.added" | "response.reasoning_summary_part.added" => {
                assert!(!std::mem::replace(&mut item.3, true), "parts do not overlap");
                item.2.clear();
            }
            "response.content_part.done" | "response.reasoning_summary_part.done" => {
                assert!(std::mem::replace(&mut item.3, false));
            }
            "response.output_text.done" | "response.reasoning_summary_text.done" => {
                assert_eq!(event["text"], item.2);
            }
            "response.refusal.done" => assert_eq!(event["refusal"], item.2),
            "response.function_call_arguments.done" => {
                assert_eq!(event["arguments"], item.2);
                assert_ne!(item.2, "", "a call without arguments has `{{}}`");
            }
            "response.custom_tool_call_input.done" => assert_eq!(event["input"], item.2),
            "response.output_text.annotation.added" => assert!(item.3),
            "response.output_item.done" => {
                assert!(!item.3, "the item's parts have ended");
                assert_eq!(event["item"]["id"], item.0["id"]);
                (item.0, item.1) = (event["item"].clone(), false);
            }
            _ => {
                assert_eq!(kind.rsplit('.').next(), Some("delta"), "{kind}");
                item.2.push_str(event["delta"].as_str().unwrap());
            }
        }
    }
    assert!(items.iter().all(|item| !item.1), "every item has ended");
    let told: Vec<Value> = items.into_iter().map(|item| item.0).collect();
    let last = &events.last().unwrap()["response"]["output"];
    assert_eq!(last, &json!(told), "the response has the items as they were told");
}

fn any_event(calls: usize) -> impl Strategy<Value = (u8, usize, String)> {
    (0u8..12, 0..calls.max(1), "[a-zé\"\\\\{}]{0,4}")
}

proptest! {
    #[test]
    fn every_stream_keeps_the_grammar(steps in prop::collection::vec(any_event(6), 0..60), reason in 0u8..3) {
        let mut writer = Writer::new(context());
        let mut out = Vec::new();
        let mut calls = 0;
        let (mut said, mut thought) = (String::new(), String::new());
        writer.write(start(), &mut out);
        for (kind, number, text) in &steps {
            let words = text.as_str();
            let signature = || Signature::new(Origin::Google, words.to_owned());
            let event = match kind {
                0..3 => {
                    said.push_str(words);
                    Event::Text(words.into())
                }
                3 => {
                    thought.push_str(words);
                    Event::Thinking(words.into())
                }
                4 => Event::Signature(signature()),
                5 => Event::Redacted(signature()),
                6 => Event::BlockEnd,
                7 => {
                    calls += 1;
                    Event::ToolCall {
                        call: calls - 1,
                        id: format!("c{calls}").into(),
                        name: "f".into(),
                        signature: (number % 2 == 0).then(signature),
                        custom: number % 3 == 0,
                    }
                }
                8 | 9 if *number < calls => {
                    Event::Arguments { call: *number, fragment: words.into() }
                }
                10 => Event::Refusal(words.into()),
                11 => Event::Citation(Citation {
                    url: Some(words.into()),
                    span: Some((0, 2)),
                    ..Citation::default()
                }),
                _ => Event::Ping,
            };
            writer.write(event, &mut out);
        }
        writer.write(stop([StopReason::End, StopReason::Length, StopReason::ToolCalls][usize::from(reason)]), &mut out);
        writer.write(Event::Done, &mut out);
        let stream = String::from_utf8(out).unwrap();
        check(&stream);
        let (mut texts, mut thoughts, mut called) = (String::new(), String::new(), 0);
        for item in parsed(&stream).pop().unwrap()["response"]["output"].as_array().unwrap() {
            match item["type"].as_str().unwrap() {
                "message" => {
                    for part in item["content"].as_array().unwrap() {
                        texts.push_str(part["text"].as_str().unwrap_or_default());
                    }
                }
                "reasoning" => {
                    for part in item["summary"].as_array().unwrap() {
                        thoughts.push_str(part["text"].as_str().unwrap());
                    }
                }
                _ => called += 1,
            }
        }
        prop_assert_eq!(texts, said);
        prop_assert_eq!(thoughts, thought);
        prop_assert_eq!(called, calls);
    }
}
