//! Clients' streams: valid whatever the vendor's were.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{answering, answers::additions};
use crate::{
    dialect::{GatewayError, StreamError, errors::UPSTREAM},
    domain::TokenUsage,
    translate::{
        Answering, ClientApi,
        form::{Citation, Event, Origin, Signature, StopReason},
    },
};

/// The bytes of a stream.
fn bytes(events: Vec<Event<'_>>, context: Answering) -> String {
    let mut writer = ClientApi::Chat.stream_writer(context);
    let mut out = Vec::new();
    for event in events {
        writer.write(event, &mut out);
    }
    String::from_utf8(out).unwrap()
}

fn data(stream: &str) -> Vec<&str> {
    let blocks = stream.split("\n\n").filter(|block| !block.is_empty());
    blocks
        .filter(|block| !block.starts_with(':'))
        .map(|block| block.strip_prefix("data: ").unwrap())
        .collect()
}

fn chunks(stream: &str) -> Vec<Value> {
    let data = data(stream);
    data.iter()
        .filter(|data| **data != "[DONE]")
        .map(|data| serde_json::from_str(data).unwrap())
        .collect()
}

fn start<'a>() -> Event<'a> {
    Event::Start { id: Some("c1".into()), model: Some("m1".into()) }
}

fn call(call: usize, id: &str) -> Event<'_> {
    Event::ToolCall { call, id: id.into(), name: "f".into(), signature: None, custom: false }
}

fn arguments(call: usize, fragment: &str) -> Event<'_> {
    Event::Arguments { call, fragment: fragment.into() }
}

fn stop<'a>(reason: StopReason) -> Event<'a> {
    Event::Stop { reason, sequence: None }
}

fn deltas(stream: &str) -> Vec<Value> {
    chunks(stream).iter().map(|chunk| chunk["choices"][0]["delta"].clone()).collect()
}

#[test]
fn a_stream_begins_with_the_role_and_ends_with_the_figures() {
    let usage =
        TokenUsage { input: 5, output: 10, cache_read: 100, reasoning: 0, ..TokenUsage::default() };
    let context = Answering { additions: Some(additions()), ..answering() };
    let stream = bytes(
        vec![
            start(),
            Event::Text("Hé".into()),
            Event::Ping,
            stop(StopReason::Length),
            Event::Usage(usage),
            Event::Done,
        ],
        context,
    );
    let head = r#"data: {"id":"c1","object":"chat.completion.chunk","created":1700000000,"model":"m1","choices":[{"index":0,"delta":"#;
    let tail = r#","logprobs":null,"finish_reason":null}"#;
    let metadata = r#""metadata":{"requested_model":"a/m","requested_provider":"a","used_model":"m1","used_provider":"a","underlying_used_model":"m-1","routing":[{"provider":"a","model":"m-1","status_code":200,"error_type":""}]}"#;
    let usage = r#""usage":{"prompt_tokens":105,"completion_tokens":10,"total_tokens":115,"prompt_tokens_details":{"cached_tokens":100},"completion_tokens_details":{"reasoning_tokens":0},"cost_usd_total":0.000035,"cost_usd_input":0.000015,"cost_usd_output":0.00002}"#;
    let expected = format!(
        "{head}{{\"role\":\"assistant\",\"content\":\"\"}}{tail}]}}\n\n\
         {head}{{\"content\":\"Hé\"}}{tail}]}}\n\n\
         : ping\n\n\
         {head}{{}},\"logprobs\":null,\"finish_reason\":\"length\"}}]}}\n\n\
         {head}{{}}{tail}],{usage},{metadata}}}\n\n\
         data: [DONE]\n\n"
    );
    assert_eq!(stream, expected);
}

#[test]
fn thinking_is_beside_the_content_and_what_proves_it_beside_both() {
    let signature = |value: &'static str| Signature::new(Origin::Anthropic, value);
    let stream = bytes(
        vec![
            start(),
            Event::Thinking("a".into()),
            Event::Thinking("b".into()),
            Event::Signature(signature("s")),
            Event::BlockEnd,
            Event::Redacted(signature("r")),
            Event::Text("c".into()),
            Event::Thinking("d".into()),
            Event::Done,
        ],
        answering(),
    );
    let words = |text: &str, index: u8| json!({"reasoning":text,"reasoning_details":[{"type":"reasoning.text","text":text,"index":index}]});
    let expected = [
        json!({"role":"assistant","content":""}),
        words("a", 0),
        words("b", 0),
        json!({"reasoning_details":[{"type":"reasoning.text","signature":"s","format":"anthropic-claude-v1","index":0}]}),
        json!({"reasoning_details":[{"type":"reasoning.encrypted","data":"r","format":"anthropic-claude-v1","index":1}]}),
        json!({"content":"c"}),
        words("d", 2),
        json!({}),
    ];
    assert_eq!(deltas(&stream), expected);
}

#[test]
fn a_call_without_arguments_gets_an_empty_object() {
    let google = Some(Signature::new(Origin::Google, "gs"));
    let second = Event::ToolCall {
        call: 1,
        id: "b".into(),
        name: "g".into(),
        signature: google,
        custom: false,
    };
    let stream = bytes(
        vec![
            start(),
            call(0, "a"),
            arguments(0, "  "),
            second,
            arguments(1, "{}"),
            stop(StopReason::ToolCalls),
            Event::Done,
        ],
        answering(),
    );
    let begin = |index: u8, id: &str, name: &str| json!({"index":index,"id":id,"type":"function","function":{"name":name,"arguments":""}});
    let mut signed = begin(1, "b", "g");
    signed["extra_content"] = json!({"google":{"thought_signature":"gs"}});
    let more = |index: u8, text: &str| json!({"tool_calls":[{"index":index,"function":{"arguments":text}}]});
    let expected = [
        json!({"tool_calls":[begin(0, "a", "f")]}),
        more(0, "  "),
        json!({"tool_calls":[signed]}),
        more(1, "{}"),
        more(0, "{}"),
        json!({}),
    ];
    assert_eq!(deltas(&stream)[1..], expected);
    assert_eq!(chunks(&stream).last().unwrap()["choices"][0]["finish_reason"], "tool_calls");
}

#[test]
fn an_error_in_the_stream_is_told_and_then_done() {
    let error = StreamError {
        status: 529,
        kind: "overloaded_error".to_owned(),
        message: "busy".to_owned(),
    };
    let stream = bytes(
        vec![start(), Event::Text("a".into()), stop(StopReason::End), Event::Failed(error)],
        answering(),
    );
    let data = data(&stream);
    assert_eq!(
        serde_json::from_str::<Value>(data[2]).unwrap(),
        json!({"error":{"message":"busy","type":"upstream_error","param":null,"code":"overloaded_error"}})
    );
    assert_eq!(data[3..], ["[DONE]"]);
    let mut writer = ClientApi::Chat.stream_writer(answering());
    let mut out = Vec::new();
    writer.write(start(), &mut out);
    out.clear();
    writer.abort(&GatewayError::new(502, UPSTREAM, "cut"), &mut out);
    let out = String::from_utf8(out).unwrap();
    assert!(
        out.starts_with(r#"data: {"error":{"message":"cut""#) && out.ends_with("data: [DONE]\n\n")
    );
}

#[test]
fn a_source_has_all_members_that_strict_clients_ask_for() {
    let source = Citation {
        url: Some("https://x.test".into()),
        title: Some("t".into()),
        ..Citation::default()
    };
    let sources = [source.clone(), source].map(Event::Citation);
    let events =
        [start(), Event::Text("äb".into())].into_iter().chain(sources).chain([Event::Done]);
    let stream = bytes(events.collect(), answering());
    for index in [0, 1] {
        // Without the index OpenAI's SDK for Python cannot put two of them together.
        let expected = json!({"annotations":[{"type":"url_citation","url_citation":{"start_index":2,"end_index":2,"url":"https://x.test","title":"t"},"index":index}]});
        assert_eq!(deltas(&stream)[2 + index], expected);
    }
}

/// A step of a stream; calls are numbered when the steps are put together.
#[derive(Clone, Debug)]
enum Step {
    Text(String),
    Thinking(String),
    Refusal(String),
    Signature(bool),
    BlockEnd,
    Call,
    Arguments(usize, bool),
    Usage(u64),
    Ping,
    Stop(StopReason),
}

fn step() -> impl Strategy<Value = Step> {
    use StopReason::{ContentFilter, End, Length, Pause, Refusal, ToolCalls};
    prop_oneof![
        ".{0,8}".prop_map(Step::Text),
        ".{0,8}".prop_map(Step::Thinking),
        ".{0,4}".prop_map(Step::Refusal),
        any::<bool>().prop_map(Step::Signature),
        Just(Step::BlockEnd),
        Just(Step::Call),
        (0..4_usize, any::<bool>()).prop_map(|(call, empty)| Step::Arguments(call, empty)),
        (0..99_u64).prop_map(Step::Usage),
        Just(Step::Ping),
        prop::sample::select(vec![End, Length, ToolCalls, ContentFilter, Refusal, Pause])
            .prop_map(Step::Stop),
    ]
}

fn legal(steps: &[Step]) -> Vec<Event<'static>> {
    let mut events = vec![start()];
    // Each call's arguments: not begun, or the pieces of `{"k":1}` that are left.
    let mut calls: Vec<Vec<&'static str>> = Vec::new();
    for step in steps {
        events.push(match step {
            Step::Text(text) => Event::Text(text.clone().into()),
            Step::Thinking(text) => Event::Thinking(text.clone().into()),
            Step::Refusal(text) => Event::Refusal(text.clone().into()),
            Step::Signature(true) => Event::Redacted(Signature::new(Origin::Anthropic, "c2ln")),
            Step::Signature(false) => Event::Signature(Signature::new(Origin::Google, "c2ln")),
            Step::BlockEnd => Event::BlockEnd,
            Step::Call => {
                calls.push(vec!["}", "1", "\"k\":", "", "{"]);
                let number = calls.len() - 1;
                let id = format!("call_{number}").into();
                Event::ToolCall {
                    call: number,
                    id,
                    name: "f".into(),
                    signature: None,
                    custom: false,
                }
            }
            Step::Arguments(call, empty) => match calls.get_mut(*call) {
                Some(left) if !*empty => match left.pop() {
                    Some(fragment) => Event::Arguments { call: *call, fragment: fragment.into() },
                    None => continue,
                },
                Some(_) => Event::Arguments { call: *call, fragment: "".into() },
                None => continue,
            },
            Step::Usage(output) => {
                Event::Usage(TokenUsage { input: 1, output: *output, ..TokenUsage::default() })
            }
            Step::Ping => Event::Ping,
            Step::Stop(reason) => stop(*reason),
        });
    }
    for (call, left) in calls.iter_mut().enumerate() {
        // One that has begun is ended.
        while left.len() < 5 {
            let Some(fragment) = left.pop() else { break };
            events.push(Event::Arguments { call, fragment: fragment.into() });
        }
    }
    events.push(Event::Usage(TokenUsage { input: 3, output: 7, ..TokenUsage::default() }));
    events.push(Event::Done);
    events
}

/// What holds for every stream of a chat client, in the words of the test vectors' `common`.
fn check_common(stream: &str) {
    let data = data(stream);
    assert_eq!(data.iter().filter(|data| **data == "[DONE]").count(), 1);
    assert_eq!(data.last(), Some(&"[DONE]"));
    let (mut finished, mut figures) = (0, 0);
    let mut calls: Vec<String> = Vec::new();
    for chunk in chunks(stream) {
        assert_eq!(chunk["object"], "chat.completion.chunk");
        assert_eq!((&chunk["id"], &chunk["created"]), (&json!("c1"), &json!(1_700_000_000)));
        let choices = chunk["choices"].as_array().unwrap();
        assert_eq!(choices.len(), 1);
        let (choice, delta) = (&choices[0], choices[0]["delta"].as_object().unwrap());
        assert_eq!(choice["index"], 0);
        assert!(delta.get("role").is_none_or(|role| role == "assistant"));
        assert!(finished == 0 || delta.is_empty(), "content behind the finish: {chunk}");
        finished += usize::from(!choice["finish_reason"].is_null());
        if let Some(usage) = chunk.get("usage") {
            assert_eq!((finished, &usage["completion_tokens"]), (1, &json!(7)));
            figures += 1;
        }
        for call in delta.get("tool_calls").and_then(Value::as_array).into_iter().flatten() {
            let index = usize::try_from(call["index"].as_u64().unwrap()).unwrap();
            if index == calls.len() {
                assert!(call["id"].is_string() && call["type"] == "function");
                assert!(call["function"]["name"].is_string());
                calls.push(String::new());
            } else {
                assert!(call.get("id").is_none());
            }
            calls[index].push_str(call["function"]["arguments"].as_str().unwrap());
        }
    }
    assert_eq!((finished, figures), (1, 1));
    for arguments in calls {
        serde_json::from_str::<Value>(&arguments).unwrap();
    }
}

proptest! {
    #[test]
    fn any_legal_run_of_events_is_a_valid_stream(steps in prop::collection::vec(step(), 0..40)) {
        check_common(&bytes(legal(&steps), answering()));
    }
}
