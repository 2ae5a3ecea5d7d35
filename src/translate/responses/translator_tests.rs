//! Both sides together: a vendor's bytes in, a client's out.

use proptest::prelude::*;

use super::{
    super::{Answering, ClientApi, Framing, StreamTranslator, VendorApi},
    read_request,
};
use crate::{dialect::FirstEvent, domain::TokenUsage};

fn translator() -> StreamTranslator {
    let context = Answering {
        seed: "s1".to_owned(),
        created: 1_763_650_000,
        model: "gpt-up".into(),
        ..Answering::default()
    };
    StreamTranslator::new(VendorApi::Responses, Framing::Sse, ClientApi::Responses, context)
}

/// What the client gets, and the translator after it.
fn through<'p>(pieces: impl IntoIterator<Item = &'p [u8]>) -> (Vec<u8>, StreamTranslator) {
    let mut translator = translator();
    let mut out = Vec::new();
    for piece in pieces {
        out.extend_from_slice(&translator.push(piece));
    }
    out.extend_from_slice(&translator.end());
    (out, translator)
}

/// Streams that the writer made, which is to say of the API.
const STREAMS: [&str; 4] = [
    include_str!("golden/text.sse"),
    include_str!("golden/reasoning.sse"),
    include_str!("golden/calls.sse"),
    include_str!("golden/vendor.sse"),
];

#[test]
fn a_stream_says_the_same_at_every_split_of_its_bytes() {
    for (index, stream) in STREAMS.into_iter().enumerate() {
        for stream in [stream.to_owned(), stream.replace('\n', "\r\n")] {
            let bytes = stream.as_bytes();
            let (once, translator) = through([bytes]);
            assert!(translator.complete(), "{}", String::from_utf8_lossy(&once));
            for length in 1..40 {
                assert_eq!(through(bytes.chunks(length)).0, once, "pieces of {length}");
            }
            if index != STREAMS.len() - 1 {
                continue;
            }
            for at in 0..=bytes.len() {
                let (first, second) = bytes.split_at(at);
                assert_eq!(through([first, second]).0, once, "split at {at}");
            }
        }
    }
}

#[test]
fn a_stream_of_the_api_comes_out_as_it_went_in() {
    // Pings aside, and the model that this vendor names.
    let text = include_str!("golden/text.sse");
    let (out, translator) = through([text.as_bytes()]);
    assert_eq!(String::from_utf8(out).unwrap(), text.replace(": ping\n\n", ""));
    assert_eq!(*translator.first(), FirstEvent::Good);
    let usage = TokenUsage {
        input: 20,
        output: 4,
        cache_read: 5,
        cache_write: 2,
        reasoning: 0,
        ..TokenUsage::default()
    };
    assert_eq!(translator.facts().usage, Some(usage), "each token once");
}

#[test]
fn an_error_before_any_output_may_fail_over_and_a_cut_is_never_an_end() {
    let created = "data: {\"type\":\"response.created\",\"response\":{\"id\":\"resp_1\"}}\n\n";
    let mut early = translator();
    let _ = early.push(created.as_bytes());
    assert_eq!(*early.first(), FirstEvent::Undecided);
    let _ =
        early.push(b"data: {\"type\":\"error\",\"code\":\"server_error\",\"message\":\"x\"}\n\n");
    assert!(matches!(early.first(), FirstEvent::Error(_)));
    let (out, cut) = through([
        created.as_bytes(),
        b"data: {\"type\":\"response.output_text.delta\",\"output_index\":0,\"delta\":\"x\"}\n\n",
    ]);
    assert!(!cut.complete() && cut.failed().is_none());
    assert!(!String::from_utf8(out).unwrap().contains("response.completed"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_bytes_make_it_panic(lines in prop::collection::vec((0usize..80, 0usize..400, any::<u8>()), 1..20)) {
        // Whole events in any order, some of them damaged.
        let events: Vec<&str> = STREAMS.iter().flat_map(|all| all.split_inclusive("\n\n")).collect();
        let mut stream = Vec::new();
        for (index, at, byte) in lines {
            let mut event = events[index % events.len()].as_bytes().to_vec();
            if let Some(one) = event.get_mut(at) {
                *one = byte;
            }
            stream.extend_from_slice(&event);
        }
        let (once, _) = through([stream.as_slice()]);
        prop_assert_eq!(through(stream.chunks(7)).0, once);
    }

    #[test]
    fn no_request_makes_it_panic(at in 0usize..3000, byte in any::<u8>(), cut in 0usize..3000) {
        let mut body = include_bytes!("golden/request.json").to_vec();
        if let Some(one) = body.get_mut(at) {
            *one = byte;
        }
        let _ = read_request(&body);
        body.truncate(cut);
        let _ = read_request(&body);
    }
}
