//! What holds for every stream: for any events that readers may emit, the client's SDK can read the
//! outcome, and nothing is lost.

use proptest::prelude::*;
use serde_json::Value;

use super::stream_of;
use crate::{
    domain::TokenUsage,
    translate::form::{Event, Origin, Signature},
};

/// A step before calls are numbered.
#[derive(Clone, Debug)]
enum Step {
    Text(String),
    Thinking(String),
    Sign(Origin),
    Redacted,
    BlockEnd,
    /// With its arguments, cut into this many pieces that are dealt out later; signed or not.
    Call(String, usize, bool),
    Usage(u64),
    Ping,
    Refusal,
}

fn origin() -> impl Strategy<Value = Origin> {
    prop_oneof![
        Just(Origin::Anthropic),
        Just(Origin::OpenAi),
        Just(Origin::Google),
        Just(Origin::Bedrock)
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let arguments = prop_oneof![
        Just(String::new()),
        Just("{}".to_owned()),
        "\\PC{0,12}".prop_map(|text| serde_json::json!({"a{\"": [text, {"b": "}"}]}).to_string()),
    ];
    prop_oneof![
        "\\PC{0,8}".prop_map(Step::Text),
        "\\PC{0,8}".prop_map(Step::Thinking),
        origin().prop_map(Step::Sign),
        Just(Step::Redacted),
        Just(Step::BlockEnd),
        (arguments, 1..4_usize, any::<bool>())
            .prop_map(|(text, cuts, signed)| Step::Call(text, cuts, signed)),
        (0..1000_u64).prop_map(Step::Usage),
        Just(Step::Ping),
        Just(Step::Refusal),
    ]
}

/// Pieces of a text, at character borders.
fn pieces(text: &str, count: usize) -> Vec<String> {
    let letters: Vec<char> = text.chars().collect();
    let size = letters.len().div_ceil(count).max(1);
    letters.chunks(size).map(|piece| piece.iter().collect()).collect()
}

/// Legal events: arguments of calls come any time after their call, in their order.
fn events(steps: &[Step], deal: &[usize]) -> Vec<Event<'static>> {
    let mut events = vec![Event::Start { id: None, model: None }];
    let mut open: Vec<(usize, Vec<String>)> = Vec::new();
    let (mut calls, mut deal) = (0, deal.iter().copied().cycle());
    for step in steps {
        events.push(match step.clone() {
            Step::Text(text) => Event::Text(text.into()),
            Step::Thinking(text) => Event::Thinking(text.into()),
            Step::Sign(origin) => Event::Signature(Signature::new(origin, "c2ln")),
            Step::Redacted => Event::Redacted(Signature::new(Origin::Anthropic, "cmVk")),
            Step::BlockEnd => Event::BlockEnd,
            Step::Usage(output) => Event::Usage(TokenUsage { output, ..TokenUsage::default() }),
            Step::Ping => Event::Ping,
            Step::Refusal => Event::Refusal("no".into()),
            Step::Call(text, cuts, signed) => {
                let call = calls;
                calls += 1;
                let mut pieces = pieces(&text, cuts);
                pieces.reverse();
                open.push((call, pieces));
                let signature = signed.then(|| Signature::new(Origin::Google, "Z29v"));
                let (id, name) = (format!("id{call}").into(), format!("tool{call}").into());
                Event::ToolCall { call, id, name, signature, custom: false }
            }
        });
        for _ in 0..deal.next().unwrap_or(0) {
            let Some(at) = deal.next().map(|at| at % open.len().max(1)) else { break };
            let Some((call, left)) = open.get_mut(at) else { break };
            if let Some(piece) = left.pop() {
                events.push(Event::Arguments { call: *call, fragment: piece.into() });
            }
        }
    }
    for (call, left) in open {
        for piece in left.into_iter().rev() {
            events.push(Event::Arguments { call, fragment: piece.into() });
        }
    }
    events.push(Event::Done);
    events
}

/// What an SDK would gather of one block.
#[derive(Debug, Default)]
struct Gathered {
    kind: String,
    name: String,
    text: String,
    signatures: usize,
}

/// Reads a stream as an SDK does and checks its grammar on the way.
fn gather(events: &[(String, Value)]) -> Vec<Gathered> {
    let mut blocks: Vec<Gathered> = Vec::new();
    let mut open = false;
    let (mut begun, mut ended) = (0, 0);
    for (name, data) in events {
        assert_eq!(ended, 0, "nothing follows message_stop");
        match name.as_str() {
            "ping" => {}
            "message_start" => begun += 1,
            "content_block_start" => {
                assert!(begun == 1 && !open, "blocks never overlap");
                assert_eq!(data["index"], blocks.len(), "indices are dense");
                open = true;
                let word = |name: &str| {
                    data["content_block"][name].as_str().unwrap_or_default().to_owned()
                };
                blocks.push(Gathered {
                    kind: word("type"),
                    name: word("name"),
                    ..Gathered::default()
                });
            }
            "content_block_delta" => {
                assert!(open && data["index"] == blocks.len() - 1);
                let block = blocks.last_mut().unwrap();
                let delta = &data["delta"];
                let (kind, member) = match delta["type"].as_str().unwrap() {
                    "text_delta" => ("text", "text"),
                    "thinking_delta" => ("thinking", "thinking"),
                    "signature_delta" => ("thinking", "signature"),
                    "input_json_delta" => ("tool_use", "partial_json"),
                    other => panic!("{other}"),
                };
                assert_eq!(block.kind, kind);
                let words = delta[member].as_str().unwrap();
                if member == "signature" {
                    block.signatures += 1;
                } else {
                    assert_eq!(block.signatures, 0, "the signature comes last");
                    block.text.push_str(words);
                }
            }
            "content_block_stop" => {
                assert!(open && data["index"] == blocks.len() - 1);
                open = false;
            }
            "message_delta" => assert!(!open && data["delta"]["stop_reason"].is_string()),
            "message_stop" => ended += 1,
            other => panic!("{other}"),
        }
    }
    assert_eq!((begun, ended, open), (1, 1, false));
    blocks
}

/// The words of all blocks of a kind.
fn all(blocks: &[Gathered], kind: &str) -> String {
    blocks.iter().filter(|block| block.kind == kind).map(|block| block.text.as_str()).collect()
}

proptest! {
    #[test]
    fn any_legal_events_make_a_stream_that_can_be_read_and_lose_nothing(
        steps in prop::collection::vec(step(), 0..24),
        deal in prop::collection::vec(0..7_usize, 1..16),
    ) {
        let events = events(&steps, &deal);
        let (mut words, mut thinking) = (String::new(), String::new());
        let mut signatures = 0;
        let mut redacted = 0;
        let mut arguments: Vec<String> = Vec::new();
        for event in &events {
            match event {
                Event::Text(text) | Event::Refusal(text) => words.push_str(text),
                Event::Thinking(text) => thinking.push_str(text),
                Event::Signature(_) => signatures += 1,
                Event::Redacted(_) => redacted += 1,
                Event::ToolCall { signature, .. } => {
                    redacted += usize::from(signature.is_some());
                    arguments.push(String::new());
                }
                Event::Arguments { call, fragment } => arguments[*call].push_str(fragment),
                _ => {}
            }
        }
        let stream = stream_of(events);
        let blocks = gather(&stream);
        prop_assert_eq!(all(&blocks, "text"), words);
        prop_assert_eq!(all(&blocks, "thinking"), thinking);
        prop_assert_eq!(blocks.iter().map(|block| block.signatures).sum::<usize>(), signatures);
        prop_assert_eq!(blocks.iter().filter(|block| block.kind == "redacted_thinking").count(), redacted);
        let calls: Vec<_> = blocks.iter().filter(|block| block.kind == "tool_use").collect();
        prop_assert_eq!(calls.len(), arguments.len());
        for (number, (block, sent)) in calls.iter().zip(&arguments).enumerate() {
            prop_assert_eq!(&block.name, &format!("tool{number}"));
            let sent = if sent.is_empty() { "{}" } else { sent };
            prop_assert_eq!(&block.text, sent);
            prop_assert!(serde_json::from_str::<Value>(&block.text).is_ok());
        }
    }
}
