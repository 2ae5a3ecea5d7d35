//! The properties of `properties.rs`, on fixtures with faults in them and on noise.

use proptest::prelude::*;

use super::{
    Framing,
    fixtures::{CLIENTS, VENDORS, framed, framings, request, requests, stream},
    properties,
};

/// What is done to a fixture: at a place, in parts of a million of its length.
#[derive(Clone, Debug)]
enum Fault {
    Byte(usize, u8),
    Cut(usize, usize),
    Twice(usize, usize),
    Word(usize, &'static str),
}

fn fault() -> impl Strategy<Value = Fault> {
    let at = || 0..1_000_000_usize;
    let words = prop::sample::select(vec![
        "null",
        "\"\"",
        "[]",
        "{}",
        "-1",
        "1e400",
        "\\u0000",
        "\\ud83c",
        "\u{2028}",
        "\"",
        "18446744073709551616",
        ",{\"type\":\"x\"}",
        "true",
        "[[",
        "\n\n",
        "\r",
        "data:",
    ]);
    prop_oneof![
        (at(), any::<u8>()).prop_map(|(at, byte)| Fault::Byte(at, byte)),
        (at(), 1..40_usize).prop_map(|(at, length)| Fault::Cut(at, length)),
        (at(), 1..200_usize).prop_map(|(at, length)| Fault::Twice(at, length)),
        (at(), words).prop_map(|(at, word)| Fault::Word(at, word)),
    ]
}

fn spoil(mut bytes: Vec<u8>, faults: &[Fault]) -> Vec<u8> {
    for fault in faults {
        let place = |at: usize| at * bytes.len() / 1_000_000;
        match *fault {
            Fault::Byte(at, byte) => {
                let at = place(at);
                bytes.splice(at..(at + 1).min(bytes.len()), [byte]);
            }
            Fault::Cut(at, length) => {
                let at = place(at);
                bytes.drain(at..(at + length).min(bytes.len()));
            }
            Fault::Twice(at, length) => {
                let at = place(at);
                let again = bytes[at..(at + length).min(bytes.len())].to_vec();
                bytes.splice(at..at, again);
            }
            Fault::Word(at, word) => {
                // Where a value stands: behind the next colon.
                let at = place(at);
                let colon = bytes[at..].iter().position(|byte| *byte == b':');
                let start = colon.map_or(at, |colon| at + colon + 1);
                let end = bytes[start..].iter().position(|byte| b",}]".contains(byte));
                bytes.splice(start..end.map_or(start, |end| start + end), word.bytes());
            }
        }
    }
    bytes
}

/// Every member's value in turn by every word: what random places may miss.
#[test]
fn requests_with_any_value_in_any_place_do_no_harm() {
    for &client in CLIENTS {
        for name in requests(client) {
            let body = request(client, name);
            for at in (0..body.len()).filter(|at| body[*at] == b':') {
                for word in ["null", "-1", "[{}]", "\"\""] {
                    let place = (at * 1_000_000).div_ceil(body.len());
                    properties::requests(&spoil(body.clone(), &[Fault::Word(place, word)]));
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn spoilt_requests_are_refused_or_written_as_json(
        which in any::<usize>(), faults in prop::collection::vec(fault(), 0..4),
    ) {
        let all = CLIENTS.iter().flat_map(|one| requests(*one).iter().map(move |name| (one, name)));
        let (client, name) = all.clone().nth(which % all.count()).unwrap();
        properties::requests(&spoil(request(*client, name), &faults));
    }

    #[test]
    fn spoilt_streams_are_written_as_events_whatever_the_cuts(
        vendor in 0..VENDORS.len(), framing in 0..3_usize, client in any::<u8>(), size in any::<u8>(),
        faults in prop::collection::vec(fault(), 0..5),
    ) {
        // The bytes that choose are those of the property's own lists.
        let api = VENDORS[vendor];
        let framing = framings(api)[framing % framings(api).len()];
        let mut input = vec![u8::try_from(vendor).unwrap(), client, framing as u8, size];
        // Checksums would hide what is wrong inside a frame.
        input.extend(framed(&spoil(stream(api, Framing::Sse), &faults), framing));
        properties::streams(&input);
    }

    #[test]
    fn noise_does_no_harm(noise in prop::collection::vec(any::<u8>(), 0..200), text in "[\\{\\}\\[\\]\":,a-z0-9\n ]{0,200}") {
        for noise in [&noise[..], text.as_bytes()] {
            properties::requests(noise);
            properties::answers(noise);
            properties::streams(noise);
            properties::frames(noise);
        }
    }

    #[test]
    fn spoilt_pieces_of_streams_are_no_answers_or_written_as_json(
        vendor in 0..VENDORS.len(), piece in any::<prop::sample::Index>(),
        faults in prop::collection::vec(fault(), 0..3),
    ) {
        let bytes = stream(VENDORS[vendor], Framing::Sse);
        let text = String::from_utf8(bytes).unwrap();
        let data: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("data: ")).collect();
        properties::answers(&spoil(piece.get(&data).as_bytes().to_vec(), &faults));
    }

    #[test]
    fn spoilt_frames_are_the_same_whatever_the_cuts(
        size in any::<u8>(), faults in prop::collection::vec(fault(), 0..4),
    ) {
        let mut input = vec![size];
        input.extend(spoil(stream(VENDORS[4], Framing::EventStream), &faults));
        properties::frames(&input);
    }
}
