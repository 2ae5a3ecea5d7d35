use base64::{Engine, engine::general_purpose::STANDARD};
use proptest::prelude::*;

use super::*;

/// A frame with its content of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Seen {
    Event(String, Vec<u8>),
    Exception(String, Vec<u8>),
    Broken,
}

fn see(frame: Frame<'_>) -> Seen {
    let text = |name: &[u8]| String::from_utf8(name.to_vec()).unwrap();
    match frame {
        Frame::Event { name, payload } => Seen::Event(text(name), payload.to_vec()),
        Frame::Exception { name, payload } => Seen::Exception(text(name), payload.to_vec()),
        Frame::Broken => Seen::Broken,
    }
}

fn read(pieces: &[&[u8]]) -> (Vec<Seen>, bool) {
    let (mut frames, mut seen) = (Frames::default(), Vec::new());
    for piece in pieces {
        frames.push(piece, &mut |frame| seen.push(see(frame)));
    }
    (seen, frames.in_frame())
}

/// Three streams as Bedrock sends them, frame by frame.
const STREAMS: [&[&str]; 3] = [
    &[
        "AAAAdgAAAFKW1freDTptZXNzYWdlLXR5cGUHAAVldmVudAs6ZXZlbnQtdHlwZQcADG1lc3NhZ2VTdGFydA06Y29udGVudC10eXBlBwAQYXBwbGljYXRpb24vanNvbnsicm9sZSI6ImFzc2lzdGFudCJ9HMa+GA==",
        "AAAAswAAAFfHSmn6DTptZXNzYWdlLXR5cGUHAAVldmVudAs6ZXZlbnQtdHlwZQcAEWNvbnRlbnRCbG9ja0RlbHRhDTpjb250ZW50LXR5cGUHABBhcHBsaWNhdGlvbi9qc29ueyJjb250ZW50QmxvY2tJbmRleCI6MCwiZGVsdGEiOnsicmVhc29uaW5nQ29udGVudCI6eyJ0ZXh0IjoiQWRkIHRoZW0gdXAuIn19fRP2VKI=",
        "AAAAvAAAAFdFGv4rDTptZXNzYWdlLXR5cGUHAAVldmVudAs6ZXZlbnQtdHlwZQcAEWNvbnRlbnRCbG9ja0RlbHRhDTpjb250ZW50LXR5cGUHABBhcHBsaWNhdGlvbi9qc29ueyJjb250ZW50QmxvY2tJbmRleCI6MCwiZGVsdGEiOnsicmVhc29uaW5nQ29udGVudCI6eyJzaWduYXR1cmUiOiJZbVZrTFhOcFp5MDBNdz09In19ffFAtJM=",
        "AAAAfQAAAFbmaA/WDTptZXNzYWdlLXR5cGUHAAVldmVudAs6ZXZlbnQtdHlwZQcAEGNvbnRlbnRCbG9ja1N0b3ANOmNvbnRlbnQtdHlwZQcAEGFwcGxpY2F0aW9uL2pzb257ImNvbnRlbnRCbG9ja0luZGV4IjowfVh+qsI=",
        "AAAAnAAAAFeE29EvDTptZXNzYWdlLXR5cGUHAAVldmVudAs6ZXZlbnQtdHlwZQcAEWNvbnRlbnRCbG9ja0RlbHRhDTpjb250ZW50LXR5cGUHABBhcHBsaWNhdGlvbi9qc29ueyJjb250ZW50QmxvY2tJbmRleCI6MSwiZGVsdGEiOnsidGV4dCI6IkZvcnR5LXR3by4ifX1CO4sj",
        "AAAAfQAAAFbmaA/WDTptZXNzYWdlLXR5cGUHAAVldmVudAs6ZXZlbnQtdHlwZQcAEGNvbnRlbnRCbG9ja1N0b3ANOmNvbnRlbnQtdHlwZQcAEGFwcGxpY2F0aW9uL2pzb257ImNvbnRlbnRCbG9ja0luZGV4IjoxfUFlm4M=",
        "AAAAegAAAFHKLEZlDTptZXNzYWdlLXR5cGUHAAVldmVudAs6ZXZlbnQtdHlwZQcAC21lc3NhZ2VTdG9wDTpjb250ZW50LXR5cGUHABBhcHBsaWNhdGlvbi9qc29ueyJzdG9wUmVhc29uIjoiZW5kX3R1cm4ifT3DO/o=",
        "AAAAtwAAAE5WoWf6DTptZXNzYWdlLXR5cGUHAAVldmVudAs6ZXZlbnQtdHlwZQcACG1ldGFkYXRhDTpjb250ZW50LXR5cGUHABBhcHBsaWNhdGlvbi9qc29ueyJ1c2FnZSI6eyJpbnB1dFRva2VucyI6MTgsIm91dHB1dFRva2VucyI6MjUsInRvdGFsVG9rZW5zIjo0M30sIm1ldHJpY3MiOnsibGF0ZW5jeU1zIjo1fX1KziQN",
    ],
    &[
        "AAAAdgAAAFKW1freDTptZXNzYWdlLXR5cGUHAAVldmVudAs6ZXZlbnQtdHlwZQcADG1lc3NhZ2VTdGFydA06Y29udGVudC10eXBlBwAQYXBwbGljYXRpb24vanNvbnsicm9sZSI6ImFzc2lzdGFudCJ9HMa+GA==",
        "AAAAlgAAAFfOa8mODTptZXNzYWdlLXR5cGUHAAVldmVudAs6ZXZlbnQtdHlwZQcAEWNvbnRlbnRCbG9ja0RlbHRhDTpjb250ZW50LXR5cGUHABBhcHBsaWNhdGlvbi9qc29ueyJjb250ZW50QmxvY2tJbmRleCI6MCwiZGVsdGEiOnsidGV4dCI6IlBhcnQifX0fzZJ6",
        "AAAAmQAAAGGDgcvGDTptZXNzYWdlLXR5cGUHAAlleGNlcHRpb24POmV4Y2VwdGlvbi10eXBlBwATdGhyb3R0bGluZ0V4Y2VwdGlvbg06Y29udGVudC10eXBlBwAQYXBwbGljYXRpb24vanNvbnsibWVzc2FnZSI6IlRvbyBtYW55IHJlcXVlc3RzLCBtYWRlIHVwIn0hNBC0",
    ],
    &[
        "AAAAgAAAAFJRoV8jDTptZXNzYWdlLXR5cGUHAAVldmVudAs6ZXZlbnQtdHlwZQcADG1lc3NhZ2VTdGFydA06Y29udGVudC10eXBlBwAQYXBwbGljYXRpb24vanNvbnsicm9sZSI6ImFzc2lzdGFudCIsInAiOiJhYmMife1orrA=",
        "AAAAoQAAAFfdaq0YDTptZXNzYWdlLXR5cGUHAAVldmVudAs6ZXZlbnQtdHlwZQcAEWNvbnRlbnRCbG9ja0RlbHRhDTpjb250ZW50LXR5cGUHABBhcHBsaWNhdGlvbi9qc29ueyJjb250ZW50QmxvY2tJbmRleCI6MCwiZGVsdGEiOnsidGV4dCI6IiJ9LCJwIjoiYWJjZGVmZ2gifXCDNaM=",
        "AAAAnQAAAFe5u/ifDTptZXNzYWdlLXR5cGUHAAVldmVudAs6ZXZlbnQtdHlwZQcAEWNvbnRlbnRCbG9ja0RlbHRhDTpjb250ZW50LXR5cGUHABBhcHBsaWNhdGlvbi9qc29ueyJjb250ZW50QmxvY2tJbmRleCI6MCwiZGVsdGEiOnsidGV4dCI6IkhlaiJ9LCJwIjoiYSJ9fhEOBQ==",
        "AAAAhgAAAFbZjG6aDTptZXNzYWdlLXR5cGUHAAVldmVudAs6ZXZlbnQtdHlwZQcAEGNvbnRlbnRCbG9ja1N0b3ANOmNvbnRlbnQtdHlwZQcAEGFwcGxpY2F0aW9uL2pzb257ImNvbnRlbnRCbG9ja0luZGV4IjowLCJwIjoiYWIifcCXHr4=",
        "AAAAhQAAAFEASIHpDTptZXNzYWdlLXR5cGUHAAVldmVudAs6ZXZlbnQtdHlwZQcAC21lc3NhZ2VTdG9wDTpjb250ZW50LXR5cGUHABBhcHBsaWNhdGlvbi9qc29ueyJzdG9wUmVhc29uIjoiZW5kX3R1cm4iLCJwIjoiYWJjZCJ9wbdmEg==",
        "AAAAvAAAAE4hcVbrDTptZXNzYWdlLXR5cGUHAAVldmVudAs6ZXZlbnQtdHlwZQcACG1ldGFkYXRhDTpjb250ZW50LXR5cGUHABBhcHBsaWNhdGlvbi9qc29ueyJ1c2FnZSI6eyJpbnB1dFRva2VucyI6Mywib3V0cHV0VG9rZW5zIjoyLCJ0b3RhbFRva2VucyI6NX0sIm1ldHJpY3MiOnsibGF0ZW5jeU1zIjoxfSwicCI6IngifY+EUlg=",
    ],
];

fn bytes(stream: &[&str]) -> Vec<u8> {
    stream.iter().flat_map(|frame| STANDARD.decode(frame).unwrap()).collect()
}

fn event(name: &str, payload: &str) -> Seen {
    Seen::Event(name.to_owned(), payload.as_bytes().to_vec())
}

#[test]
fn events_and_exceptions_are_told_apart() {
    let (seen, open) = read(&[&bytes(STREAMS[1])]);
    assert_eq!(
        seen,
        [
            event("messageStart", r#"{"role":"assistant"}"#),
            event("contentBlockDelta", r#"{"contentBlockIndex":0,"delta":{"text":"Part"}}"#),
            Seen::Exception(
                "throttlingException".to_owned(),
                br#"{"message":"Too many requests, made up"}"#.to_vec()
            ),
        ]
    );
    assert!(!open);
}

#[test]
fn every_split_gives_the_same_frames() {
    for stream in STREAMS {
        let bytes = bytes(stream);
        let whole = read(&[&bytes]);
        assert_eq!(whole.0.len(), stream.len());
        assert!(!whole.0.contains(&Seen::Broken));
        for at in 0..=bytes.len() {
            let (one, two) = bytes.split_at(at);
            assert_eq!(read(&[one, two]), whole, "split at {at}");
        }
        let single: Vec<_> = bytes.chunks(1).collect();
        assert_eq!(read(&single), whole);
    }
}

#[test]
fn a_frame_that_lies_in_one_piece_is_not_copied() {
    let frame = encode(&[(":message-type", "event"), (":event-type", "x")], b"payload");
    let all = [frame.clone(), frame].concat();
    let mut places = Vec::new();
    Frames::default().push(&all, &mut |frame| {
        let Frame::Event { payload, .. } = frame else { panic!("{frame:?}") };
        places.push(all.as_ptr_range().contains(&payload.as_ptr()));
    });
    assert_eq!(places, [true, true]);
}

#[test]
fn any_wrong_byte_breaks_the_stream_once_and_for_all() {
    let good = STANDARD.decode(STREAMS[0][1]).unwrap();
    for at in 0..good.len() {
        let mut bad = good.clone();
        bad[at] ^= 0x10;
        let all = [good.clone(), bad, good.clone(), good.clone()].concat();
        let (seen, open) = read(&[&all, &good]);
        assert_eq!(seen.len(), 2, "byte {at}");
        assert_eq!((&seen[1], open), (&Seen::Broken, false), "byte {at}");
    }
}

#[test]
fn a_length_beyond_the_bound_is_refused_before_anything_is_held() {
    let prelude = |length: u32, headers: u32| {
        let mut bytes = [length.to_be_bytes(), headers.to_be_bytes()].concat();
        bytes.extend_from_slice(&crc32fast::hash(&bytes).to_be_bytes());
        bytes
    };
    let most = u32::try_from(MAX_FRAME).unwrap();
    for (length, headers, broken) in
        [(most, 0, false), (most + 1, 0, true), (15, 0, true), (16, 1, true), (0, u32::MAX, true)]
    {
        let (seen, open) = read(&[&prelude(length, headers)]);
        assert_eq!((seen.contains(&Seen::Broken), open), (broken, !broken), "{length} {headers}");
    }
}

#[test]
fn headers_of_every_type_are_passed_over() {
    let values: [(u8, &[u8]); 9] = [
        (0, b""),
        (1, b""),
        (2, b"1"),
        (3, b"12"),
        (4, b"1234"),
        (5, b"12345678"),
        (6, b"\0\x03abc"),
        (8, b"12345678"),
        (9, b"0123456789abcdef"),
    ];
    let odd: Vec<u8> =
        values.iter().flat_map(|(kind, value)| [&[1, b'h', *kind], *value].concat()).collect();
    // The first frame's string headers after the odd ones.
    let plain = encode(&[(":message-type", "event"), (":event-type", "late")], b"p");
    let strings = &plain[PRELUDE..plain.len() - 4 - 1];
    let frame = framed(&[odd.as_slice(), strings].concat(), b"p");
    assert_eq!(read(&[&frame]).0, [event("late", "p")]);
    // A type that there is not, and values that end beyond the headers.
    for headers in [&b"\x01h\x0a"[..], b"\x01h\x09short", b"\x01h\x07\0\x09abc", b"\x05h", b"\x01h"]
    {
        assert_eq!(read(&[&framed(headers, b"p")]).0, [Seen::Broken], "{headers:?}");
    }
}

#[test]
fn an_error_without_a_payload_is_told_by_its_message() {
    let headers =
        [(":message-type", "error"), (":error-code", "Oops"), (":error-message", "broke down")];
    let expected = |payload: &[u8]| Seen::Exception("Oops".to_owned(), payload.to_vec());
    assert_eq!(read(&[&encode(&headers, b"")]).0, [expected(b"broke down")]);
    assert_eq!(read(&[&encode(&headers, b"{}")]).0, [expected(b"{}")]);
}

#[test]
fn a_frame_of_a_megabyte_leaves_no_large_buffer_behind() {
    let frame = encode(&[(":message-type", "event"), (":event-type", "x")], &vec![b'a'; 1 << 20]);
    let mut frames = Frames::default();
    let mut count = 0;
    for piece in frame.chunks(1000) {
        frames.push(piece, &mut |_| count += 1);
    }
    assert_eq!((count, frames.in_frame()), (1, false));
    assert!(frames.held.capacity() <= KEPT_CAPACITY);
}

/// A frame of raw headers.
fn framed(headers: &[u8], payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(OVERHEAD + headers.len() + payload.len()).unwrap();
    let mut frame = length.to_be_bytes().to_vec();
    frame.extend_from_slice(&u32::try_from(headers.len()).unwrap().to_be_bytes());
    frame.extend_from_slice(&crc32fast::hash(&frame).to_be_bytes());
    frame.extend_from_slice(headers);
    frame.extend_from_slice(payload);
    frame.extend_from_slice(&crc32fast::hash(&frame).to_be_bytes());
    frame
}

proptest! {
    #[test]
    fn what_was_encoded_is_read_back(
        frames in prop::collection::vec(("[a-zA-Z]{0,20}", prop::collection::vec(any::<u8>(), 0..200)), 0..6),
        size in 1_usize..90,
    ) {
        let all: Vec<u8> = frames
            .iter()
            .flat_map(|(name, payload)| {
                encode(&[(":message-type", "event"), (":event-type", name), ("x", "y")], payload)
            })
            .collect();
        let pieces: Vec<_> = all.chunks(size).collect();
        let expected: Vec<_> =
            frames.into_iter().map(|(name, payload)| Seen::Event(name, payload)).collect();
        prop_assert_eq!(read(&pieces), (expected, false));
    }

    #[test]
    fn random_bytes_never_panic(
        pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..64), 0..8),
    ) {
        let pieces: Vec<_> = pieces.iter().map(Vec::as_slice).collect();
        let (seen, _) = read(&pieces);
        prop_assert!(seen.iter().filter(|frame| **frame == Seen::Broken).count() <= 1);
    }

    #[test]
    fn random_headers_never_panic(headers in prop::collection::vec(any::<u8>(), 0..64)) {
        let (seen, _) = read(&[&framed(&headers, b"p")]);
        prop_assert_eq!(seen.len(), 1);
    }
}
