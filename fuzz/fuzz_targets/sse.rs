//! Any bytes as a stream, cut anywhere: they pass unchanged, and nothing that is learnt or taken
//! out depends on the cuts.

#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use turnpike::{
    dialect::{AnswerFacts, AnswerMeter, FirstEvent, StreamMeter},
    domain::Endpoint,
};

// The first byte picks the endpoint, the second the size of the pieces.
fuzz_target!(|input: &[u8]| {
    let [endpoint, size, stream @ ..] = input else { return };
    let endpoint = Endpoint::ALL[usize::from(*endpoint) % Endpoint::ALL.len()];
    let size = usize::from(*size).max(1);

    let (bytes, ..) = pass(endpoint, false, stream, size);
    assert!(bytes.starts_with(stream), "bytes are forwarded as they came");

    for hide in [false, true] {
        assert_eq!(
            pass(endpoint, hide, stream, size),
            pass(endpoint, hide, stream, stream.len().max(1))
        );
    }
    assert_eq!(answer(endpoint, stream, size), answer(endpoint, stream, stream.len().max(1)));
});

fn pass(
    endpoint: Endpoint,
    hide: bool,
    stream: &[u8],
    size: usize,
) -> (Vec<u8>, AnswerFacts, FirstEvent, bool) {
    let mut meter = StreamMeter::new(endpoint, hide);
    let mut out = Vec::new();
    for piece in stream.chunks(size) {
        out.extend_from_slice(&meter.push(Bytes::copy_from_slice(piece)));
    }
    out.extend_from_slice(&meter.end());
    (out, meter.facts(), meter.first().clone(), meter.complete())
}

fn answer(endpoint: Endpoint, body: &[u8], size: usize) -> AnswerFacts {
    let mut meter = AnswerMeter::new(endpoint);
    body.chunks(size).for_each(|piece| meter.push(piece));
    meter.finish()
}
