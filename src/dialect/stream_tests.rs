use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::domain::TokenUsage;

const CHAT: &str = concat!(
    ": OPENAI KEEPALIVE\n\n",
    "data: {\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"model\":\"gpt-4o-2024-08-06\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"},\"finish_reason\":null}],\"usage\":null}\n\n",
    "data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"\\\"usage\\\":{}\"}}],\"usage\":null}\r\n\r\n",
    "data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}],\"usage\":null}\n\n",
);
const USAGE_CHUNK: &str = "data: {\"id\":\"c\",\"choices\":[],\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":2,\"total_tokens\":11}}\n\n";
const DONE_EVENT: &str = "data: [DONE]\n\n";

const MESSAGES: &str = concat!(
    "event: ping\ndata: {\"type\":\"ping\"}\n\n",
    "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"m\",\"content\":[],\"model\":\"claude-x\",\"usage\":{\"input_tokens\":25,\"cache_read_input_tokens\":1200,\"output_tokens\":1}}}\n\n",
    "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"One\"}}\n\n",
    "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{\"output_tokens\":15}}\n\n",
    "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
);
const RESPONSES: &str = concat!(
    "event: response.created\ndata: {\"type\":\"response.created\",\"sequence_number\":0,\"response\":{\"model\":\"gpt-r\",\"error\":null,\"usage\":null}}\n\n",
    "event: response.output_text.delta\ndata: {\"type\":\"response.output_text.delta\",\"sequence_number\":1,\"delta\":\"Hi\"}\n\n",
    "event: response.completed\ndata: {\"type\":\"response.completed\",\"sequence_number\":2,\"response\":{\"output\":[{\"usage\":1}],\"usage\":{\"input_tokens\":30,\"input_tokens_details\":{\"cached_tokens\":10},\"output_tokens\":5,\"output_tokens_details\":{\"reasoning_tokens\":2},\"total_tokens\":35}}}\n\n",
);

#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    forwarded: String,
    first: FirstEvent,
    failed: Option<StreamError>,
    finished: bool,
    complete: bool,
    facts: AnswerFacts,
}

fn pass(endpoint: Endpoint, hide: bool, pieces: &[&[u8]]) -> Outcome {
    let mut meter = StreamMeter::new(endpoint, hide);
    let mut out = Vec::new();
    for piece in pieces {
        out.extend_from_slice(&meter.push(Bytes::copy_from_slice(piece)));
    }
    out.extend_from_slice(&meter.end());
    Outcome {
        forwarded: String::from_utf8(out).unwrap(),
        first: meter.first().clone(),
        failed: meter.failed().cloned(),
        finished: meter.finished(),
        complete: meter.complete(),
        facts: meter.facts(),
    }
}

/// The outcome, which is the same however the bytes are cut.
fn outcome(endpoint: Endpoint, hide: bool, text: &str) -> Outcome {
    let whole = pass(endpoint, hide, &[text.as_bytes()]);
    for cut in 0..=text.len() {
        let (left, right) = text.as_bytes().split_at(cut);
        assert_eq!(pass(endpoint, hide, &[left, right]), whole, "cut at {cut}");
    }
    for size in [1, 2, 3, 7] {
        let pieces: Vec<&[u8]> = text.as_bytes().chunks(size).collect();
        assert_eq!(pass(endpoint, hide, &pieces), whole, "pieces of {size}");
    }
    whole
}

fn error(status: u16, kind: &str, message: &str) -> StreamError {
    StreamError { status, kind: kind.to_owned(), message: message.to_owned() }
}

#[test]
fn a_chat_stream_is_read_and_forwarded_as_it_is() {
    let text = [CHAT, USAGE_CHUNK, DONE_EVENT].concat();
    let seen = outcome(Endpoint::ChatCompletions, false, &text);
    assert_eq!(seen.forwarded, text);
    assert_eq!((seen.first, seen.failed, seen.finished), (FirstEvent::Good, None, true));
    let usage = TokenUsage { input: 9, output: 2, ..TokenUsage::default() };
    let model = Some("gpt-4o-2024-08-06".to_owned());
    assert_eq!(seen.facts, AnswerFacts { usage: Some(usage), model, whole: true });
}

#[test]
fn the_usage_chunk_is_taken_out_and_nothing_else() {
    for end in ["\n", "\r\n", "\r"] {
        let text = |parts: &[&str]| parts.concat().replace("\r\n", "\n").replace('\n', end);
        let seen =
            outcome(Endpoint::ChatCompletions, true, &text(&[CHAT, USAGE_CHUNK, DONE_EVENT]));
        assert_eq!(seen.forwarded, text(&[CHAT, DONE_EVENT]), "{end:?}");
        assert_eq!(seen.facts.usage.map(|usage| usage.output), Some(2));
        assert!(seen.finished);
    }
}

#[test]
fn a_usage_chunk_at_the_very_end_is_taken_out_even_if_unfinished() {
    let cut = USAGE_CHUNK.trim_end();
    let seen = outcome(Endpoint::ChatCompletions, true, &[CHAT, cut].concat());
    assert_eq!(seen.forwarded, CHAT);
    assert!(seen.complete && !seen.finished);
}

#[test]
fn chunks_that_only_look_like_the_usage_chunk_stay() {
    for chunk in [
        // Azure's first chunk.
        "data: {\"choices\":[],\"prompt_filter_results\":[{}]}\n\n",
        "data: {\"choices\":[],\"usage\":null}\n\n",
        "data: {\"choices\":[{\"index\":0,\"delta\":{}}],\"usage\":{\"prompt_tokens\":1}}\n\n",
        "data: {\"choices\":[{\"delta\":{\"content\":\"usage\"}}], \"x\": [\"usage\",{\"usage\":{\"prompt_tokens\":1}}]}\n\n",
    ] {
        let text = [CHAT, chunk, DONE_EVENT].concat();
        assert_eq!(outcome(Endpoint::ChatCompletions, true, &text).forwarded, text);
    }
}

#[test]
fn usage_of_other_vendors_is_read() {
    let groq = "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}],\"x_groq\":{\"id\":\"r\",\"usage\":{\"prompt_tokens\":23,\"completion_tokens\":19,\"queue_time\":0.07}}}\n\n";
    let usage = outcome(Endpoint::ChatCompletions, true, groq).facts.usage.unwrap();
    assert_eq!((usage.input, usage.output), (23, 19));

    let each = |n: u32| {
        format!(
            "data: {{\"model\":\"sonar\",\"choices\":[{{\"delta\":{{}}}}],\"usage\": {{\"prompt_tokens\": 7, \"completion_tokens\": {n}}}}}\n\n"
        )
    };
    let usage =
        outcome(Endpoint::ChatCompletions, true, &[each(1), each(5)].concat()).facts.usage.unwrap();
    assert_eq!((usage.input, usage.output), (7, 5));
}

#[test]
fn a_stream_without_done_is_complete_once_a_choice_has_ended() {
    let seen = outcome(Endpoint::ChatCompletions, true, CHAT);
    assert_eq!((seen.forwarded.as_str(), seen.finished, seen.complete), (CHAT, false, true));
    let cut = outcome(Endpoint::ChatCompletions, false, &CHAT[..CHAT.len() / 2]);
    assert!(!cut.complete && cut.failed.is_none());
}

#[test]
fn a_stream_whose_last_event_has_no_end_is_cut_wherever_that_is() {
    for (endpoint, text) in [
        (Endpoint::ChatCompletions, CHAT),
        (Endpoint::Messages, MESSAGES),
        (Endpoint::Responses, RESPONSES),
    ] {
        for hide in [false, true] {
            assert!(outcome(endpoint, hide, text).complete);
            for cut in 1..text.len() - 1 {
                let seen = pass(endpoint, hide, &[&text.as_bytes()[..cut]]);
                assert!(!seen.complete && !seen.finished, "{endpoint:?} cut at {cut}");
            }
        }
    }
}

#[test]
fn a_done_marker_needs_no_end() {
    for end in ["", "\n", "\n\n"] {
        let text = [CHAT, "data: [DONE]", end].concat();
        let seen = outcome(Endpoint::ChatCompletions, true, &text);
        assert!(seen.complete && seen.finished, "{end:?}");
    }
}

#[test]
fn an_anthropic_stream_is_read() {
    let seen = outcome(Endpoint::Messages, true, MESSAGES);
    assert_eq!(seen.forwarded, MESSAGES);
    assert_eq!((seen.first, seen.finished), (FirstEvent::Good, true));
    let usage = TokenUsage { input: 25, output: 15, cache_read: 1200, ..TokenUsage::default() };
    assert_eq!(
        seen.facts,
        AnswerFacts { usage: Some(usage), model: Some("claude-x".to_owned()), whole: true }
    );

    let unnamed: String = MESSAGES
        .lines()
        .filter(|line| !line.starts_with("event"))
        .flat_map(|line| [line, "\n"])
        .collect();
    assert_eq!(outcome(Endpoint::Messages, false, &unnamed).facts, seen.facts);
}

#[test]
fn a_responses_stream_is_read() {
    let seen = outcome(Endpoint::Responses, true, RESPONSES);
    assert_eq!(seen.forwarded, RESPONSES);
    assert_eq!((seen.first, seen.finished), (FirstEvent::Good, true));
    let usage =
        TokenUsage { input: 20, output: 5, cache_read: 10, reasoning: 2, ..TokenUsage::default() };
    assert_eq!(
        seen.facts,
        AnswerFacts { usage: Some(usage), model: Some("gpt-r".to_owned()), whole: true }
    );
}

#[test]
fn an_error_as_the_first_event_is_seen_before_anything_is_committed() {
    for (endpoint, text, expected) in [
        (
            Endpoint::Messages,
            "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"Overloaded\"}}\n\n",
            error(529, "overloaded_error", "Overloaded"),
        ),
        (
            Endpoint::ChatCompletions,
            "data: {\"error\":{\"message\":\"slow down\",\"type\":\"tokens\",\"code\":\"rate_limit_exceeded\"}}\n\n",
            error(429, "tokens", "slow down"),
        ),
        (
            Endpoint::ChatCompletions,
            "data: {\"error\":\"no\"}\n\n",
            error(500, "upstream_error", "no"),
        ),
        (
            Endpoint::ChatCompletions,
            "data: {\"object\":\"error\",\"message\":\"too long\"}\n\n",
            error(500, "upstream_error", "too long"),
        ),
        (
            Endpoint::ChatCompletions,
            "event: error\ndata: {\"message\":\"full\",\"code\":429}\n\n",
            error(429, "429", "full"),
        ),
        (
            Endpoint::ChatCompletions,
            "data: {\"object\":\"error\",\"message\":\"full\",\"code\":429}\n\n",
            error(429, "429", "full"),
        ),
        (
            Endpoint::ChatCompletions,
            "event: error\ndata: out of memory\n\n",
            error(500, "upstream_error", "the provider reported an error without a message"),
        ),
        (
            Endpoint::Responses,
            "event: response.created\ndata: {\"type\":\"response.created\",\"response\":{}}\n\nevent: error\ndata: {\"type\":\"error\",\"sequence_number\":1,\"error\":{\"type\":\"too_many_requests\",\"code\":\"too_many_requests\",\"message\":\"Too Many Requests\",\"param\":null}}\n\n",
            error(429, "too_many_requests", "Too Many Requests"),
        ),
        (
            Endpoint::Responses,
            "data: {\"type\":\"error\",\"code\":\"server_error\",\"message\":\"oops\",\"param\":null,\"sequence_number\":0}\n\n",
            error(500, "server_error", "oops"),
        ),
        (
            Endpoint::Responses,
            "event: response.failed\ndata: {\"type\":\"response.failed\",\"response\":{\"error\":{\"code\":\"rate_limit_exceeded\",\"message\":\"quota\"}}}\n\n",
            error(429, "rate_limit_exceeded", "quota"),
        ),
    ] {
        let seen = outcome(endpoint, false, text);
        assert_eq!(seen.first, FirstEvent::Error(expected.clone()), "{text}");
        assert_eq!(seen.failed, Some(expected), "{text}");
        assert!(!seen.complete || endpoint == Endpoint::Responses, "{text}");
    }
}

#[test]
fn comments_pings_and_announcements_decide_nothing() {
    for (endpoint, text) in [
        (Endpoint::ChatCompletions, ": keepalive\n\n"),
        (Endpoint::Messages, "event: ping\ndata: {\"type\":\"ping\"}\n\n"),
        (
            Endpoint::Responses,
            "event: response.created\ndata: {\"type\":\"response.created\",\"response\":{}}\n\nevent: response.in_progress\ndata: {\"type\":\"response.in_progress\",\"response\":{}}\n\n",
        ),
    ] {
        assert_eq!(outcome(endpoint, false, text).first, FirstEvent::Undecided, "{text}");
    }
}

#[test]
fn a_late_error_is_seen_and_an_openai_stream_still_ends_in_done() {
    let late = "data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"error\"}],\"error\":{\"code\":502,\"message\":\"lost\"}}\n\n";
    for hide in [false, true] {
        let seen = outcome(Endpoint::ChatCompletions, hide, &[CHAT, late].concat());
        assert_eq!(
            (seen.first, seen.failed, seen.complete),
            (FirstEvent::Good, Some(error(502, "502", "lost")), false)
        );
        assert_eq!(seen.forwarded, [CHAT, late, DONE_EVENT].concat());
    }
    for late in [
        "data: {\"object\":\"error\",\"message\":\"lost\",\"code\":null}\n\n",
        "event: error\ndata: {\"message\":\"lost\"}\n\n",
        "data: {\"choices\":[{\"index\":0,\"delta\":{},\"error\":{\"message\":\"lost\"}}]}\n\n",
        "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"error\",\"error\":\"lost\"}]}\n\n",
    ] {
        let begun = &CHAT
            [..CHAT.find("data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{},").unwrap()];
        let seen = outcome(Endpoint::ChatCompletions, true, &[begun, late, DONE_EVENT].concat());
        assert_eq!(seen.failed, Some(error(500, "upstream_error", "lost")), "{late}");
        assert_eq!(seen.first, FirstEvent::Good);
        assert_eq!(seen.forwarded, [begun, late, DONE_EVENT].concat());
    }
    let said =
        "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"error\"},\"error\":null}]}\n\n";
    let told = "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"error\",\"error\":\"\"}],\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":2}}\n\n";
    let seen = outcome(Endpoint::ChatCompletions, false, &[CHAT, said, told, DONE_EVENT].concat());
    assert_eq!(seen.facts.usage.map(|usage| (usage.input, usage.output)), Some((9, 2)));
    assert_eq!((seen.failed, seen.complete), (None, true), "a word of the answer is no error");
    let late = "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"api_error\",\"message\":\"lost\"}}\n\n";
    let text = [&MESSAGES[..MESSAGES.find("event: message_delta").unwrap()], late].concat();
    let seen = outcome(Endpoint::Messages, false, &text);
    assert_eq!((seen.forwarded, seen.failed), (text, Some(error(500, "api_error", "lost"))));
}

#[test]
fn an_event_too_large_to_hold_is_still_read_and_still_forwarded() {
    let big = "x".repeat(300_000);
    let text = RESPONSES.replace("\"output\":[", &format!("\"output\":[\"{big}\","));
    for size in [997, 64 * 1024, text.len()] {
        let pieces: Vec<&[u8]> = text.as_bytes().chunks(size).collect();
        let seen = pass(Endpoint::Responses, false, &pieces);
        assert_eq!(seen.forwarded, text);
        assert_eq!(seen.facts.usage.unwrap().cache_read, 10);
        assert!(seen.finished);
    }
    let chunk = format!(
        "data: {{\"choices\":[{{\"delta\":{{\"content\":\"{big}\"}}}}],\"usage\":{{\"prompt_tokens\":3}}}}\n\n"
    );
    let text = [CHAT, &chunk, USAGE_CHUNK, DONE_EVENT].concat();
    for size in [997, 64 * 1024, text.len()] {
        let pieces: Vec<&[u8]> = text.as_bytes().chunks(size).collect();
        let seen = pass(Endpoint::ChatCompletions, true, &pieces);
        assert_eq!(seen.forwarded, [CHAT, &chunk, DONE_EVENT].concat(), "{size}");
    }
}

#[test]
fn what_is_only_looked_at_is_not_copied() {
    let bytes = Bytes::from([CHAT, DONE_EVENT].concat());
    for hide in [false, true] {
        let out = StreamMeter::new(Endpoint::ChatCompletions, hide).push(bytes.clone());
        assert_eq!((out.as_ptr(), out.len()), (bytes.as_ptr(), bytes.len()));
    }
    let cut = bytes.slice(..bytes.len() - 3);
    let out = StreamMeter::new(Endpoint::ChatCompletions, true).push(cut);
    assert_eq!((out.as_ptr(), out.len()), (bytes.as_ptr(), CHAT.len()));
}

#[test]
fn a_stream_that_is_cut_ends_in_an_error_that_can_be_read() {
    let error = GatewayError::new(
        502,
        crate::dialect::errors::UPSTREAM,
        "the provider closed the stream early",
    );
    let text = [CHAT, "data: {\"id\":\"half"].concat();
    for hide in [false, true] {
        for ended in [false, true] {
            let mut meter = StreamMeter::new(Endpoint::ChatCompletions, hide);
            let mut out = meter.push(Bytes::from(text.clone())).to_vec();
            if ended {
                // Without the choice that ended, this would have been a whole answer.
                meter.reader.reading.settled = false;
                out.extend_from_slice(&meter.end());
            }
            out.extend_from_slice(&meter.abort(&error));
            let out = String::from_utf8(out).unwrap();
            let last: Vec<&str> = out.split("\n\n").filter(|block| !block.is_empty()).collect();
            let [.., event, "data: [DONE]"] = last[..] else { panic!("{out}") };
            let event: Value = serde_json::from_str(event.strip_prefix("data: ").unwrap()).unwrap();
            assert_eq!(event["error"]["message"], "the provider closed the stream early");
            assert_eq!(out.contains("half"), !hide);
        }
    }
}

#[test]
fn an_aborted_responses_stream_goes_on_counting() {
    let mut meter = StreamMeter::new(Endpoint::Responses, false);
    let _ = meter.push(Bytes::from(
        RESPONSES[..RESPONSES.find("event: response.completed").unwrap()].to_owned(),
    ));
    let out = meter.abort(&GatewayError::new(504, crate::dialect::errors::TIMEOUT, "idle"));
    let data = out.strip_prefix(b"event: error\ndata: ").unwrap();
    assert_eq!(serde_json::from_slice::<Value>(data).unwrap()["sequence_number"], 2);
}

/// A block of a chat stream, and whether it is to be taken out.
fn chat_block() -> impl Strategy<Value = (String, bool)> {
    let end = prop_oneof![Just("\n"), Just("\r\n"), Just("\r")];
    let body = prop_oneof![
        "[a-z\"{}\\\\]{0,12}".prop_map(|text| {
            let text = serde_json::to_string(&text).unwrap();
            (
                format!(
                    "data: {{\"choices\":[{{\"delta\":{{\"content\":{text}}}}}],\"usage\":null}}"
                ),
                false,
            )
        }),
        Just((": ping".to_owned(), false)),
        Just((String::new(), false)),
        Just(("data: {\"choices\":[],\"usage\":null}".to_owned(), false)),
        Just(("data: [DONE]".to_owned(), false)),
        Just(("data:{\"choices\" : [ ], \"usage\" : {\"prompt_tokens\":1}}".to_owned(), true)),
        Just(("id: 4\ndata: {\"usage\":{\"total_tokens\":4},\"choices\":[]}".to_owned(), true)),
        Just(("data: {\"choices\":[],\ndata: \"usage\":{\"prompt_tokens\":1}}".to_owned(), true)),
    ];
    (body, end).prop_map(|((body, extra), end)| ((body + "\n\n").replace('\n', end), extra))
}

proptest! {
    #[test]
    fn any_chat_stream_loses_exactly_its_usage_chunks_at_any_split(
        blocks in proptest::collection::vec(chat_block(), 0..8),
        sizes in proptest::collection::vec(1_usize..40, 1..20),
    ) {
        // A blank line behind a CR and an LF ahead would run together; clients see the same.
        let text: String = blocks.iter().map(|(block, _)| block.as_str()).collect();
        prop_assume!(!text.contains("\r\n\r\n\n") && !text.contains("\r\n\n"));
        let mut pieces: Vec<&[u8]> = Vec::new();
        let mut rest = text.as_bytes();
        for size in sizes.iter().cycle() {
            if rest.is_empty() { break; }
            let (piece, behind) = rest.split_at((*size).min(rest.len()));
            pieces.push(piece);
            rest = behind;
        }
        prop_assert_eq!(&pass(Endpoint::ChatCompletions, false, &pieces).forwarded, &text);
        let kept: String = blocks.iter().filter(|(_, extra)| !extra).map(|(block, _)| block.as_str()).collect();
        prop_assert_eq!(&pass(Endpoint::ChatCompletions, true, &pieces).forwarded, &kept);
    }

    #[test]
    fn any_bytes_pass_unchanged_and_without_panic(
        bytes in proptest::collection::vec(prop_oneof![Just(b'\n'), Just(b'\r'), Just(b':'), Just(b'"'), Just(b'{'), any::<u8>()], 0..200),
        size in 1_usize..30,
    ) {
        for endpoint in Endpoint::ALL {
            let mut meter = StreamMeter::new(endpoint, false);
            let mut out = Vec::new();
            for piece in bytes.chunks(size) {
                out.extend_from_slice(&meter.push(Bytes::copy_from_slice(piece)));
            }
            prop_assert_eq!(&out, &bytes);
            let _ = meter.end();
        }
    }
}

#[test]
fn what_was_said_is_what_is_new_and_was_not_told_yet() {
    let mut meter = StreamMeter::new(Endpoint::ChatCompletions, false);
    let mut said = |chunk: &str| {
        let _passes = meter.push(Bytes::from(format!("data: {chunk}\n\n")));
        meter.said()
    };
    assert_eq!(said(r#"{"choices":[{"delta":{"role":"assistant"}}]}"#), 0);
    assert_eq!(said(r#"{"choices":[{"delta":{"content":"four"}}]}"#), 4);
    // All that was said so far stands beside what is new.
    let chunk = r#"{"sources":[{"content":"x"}],"choices":[{"message":{"content":"four and"},"delta":{"content":" and"}}]}"#;
    assert_eq!(said(chunk), 8);
    let chunk =
        r#"{"choices":[{"delta":{"tool_calls":[{"function":{"arguments":"{\"a\":1}"}}]}}]}"#;
    assert_eq!(said(chunk), 8 + r#"{\"a\":1}"#.len() as u64);
    let chunk = r#"{"choices":[{"delta":{"content":"."}}],"usage":{"prompt_tokens":3,"completion_tokens":4}}"#;
    assert_eq!(said(chunk), 0, "the vendor has told it");
    assert_eq!(said(r#"{"choices":[{"delta":{"content":"more"}}]}"#), 4);
}

#[test]
fn what_a_vendor_says_of_a_request_is_not_what_the_model_says() {
    let mut meter = StreamMeter::new(Endpoint::Responses, false);
    let echo = format!(
        "event: response.created\ndata: {{\"type\":\"response.created\",\"response\":{{\"instructions\":\"{}\"}}}}\n\n",
        "x".repeat(200_000)
    );
    let _passes = meter.push(Bytes::from(echo));
    assert_eq!(meter.said(), 0);
}
