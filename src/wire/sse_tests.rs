use proptest::prelude::*;

use super::*;

#[derive(Default, Debug, PartialEq, Eq, Clone)]
struct Seen {
    /// Name, data (none where the block had none) and the end in the whole text.
    blocks: Vec<(Vec<u8>, Option<Vec<u8>>, usize)>,
    pieces: Vec<u8>,
    before: usize,
}

impl Blocks for Seen {
    fn piece(&mut self, data: &[u8]) {
        self.pieces.extend_from_slice(data);
    }

    fn block(&mut self, block: Block<'_>) {
        let data = match block.data {
            Data::None => None,
            Data::Whole(data) => Some(data.to_vec()),
            Data::Pieces => Some(std::mem::take(&mut self.pieces)),
        };
        self.blocks.push((block.name.to_vec(), data, self.before + block.end));
    }
}

fn read(pieces: &[&[u8]]) -> Seen {
    let mut seen = Seen::default();
    let mut framer = Framer::default();
    for piece in pieces {
        // An LF that was owed moves the end of the block before.
        if framer.owes_lf() && piece.first() == Some(&b'\n') {
            seen.blocks
                .last_mut()
                .into_iter()
                .for_each(|block| block.2 += usize::from(block.2 == seen.before));
        }
        framer.push(piece, &mut seen);
        seen.before += piece.len();
    }
    framer.finish(&mut seen);
    seen
}

fn events(text: &str) -> Vec<(String, String)> {
    let text_of = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let blocks = read(&[text.as_bytes()]).blocks;
    blocks
        .iter()
        .filter_map(|(name, data, _)| Some((text_of(name), text_of(data.as_ref()?))))
        .collect()
}

fn event(name: &str, data: &str) -> (String, String) {
    (name.to_owned(), data.to_owned())
}

#[test]
fn events_are_read_with_every_line_end() {
    for end in ["\n", "\r\n", "\r"] {
        let text = "event: a\ndata: 1\n\n: note\ndata:2\ndata:  3\nid: 7\n\nevent:b\n\ndata\n\n"
            .replace('\n', end);
        assert_eq!(events(&text), [event("a", "1"), event("", "2\n 3"), event("", "")], "{end:?}");
    }
}

#[test]
fn a_byte_order_mark_and_an_unfinished_end_are_read() {
    assert_eq!(events("\u{feff}data: x\n\ndata: y"), [event("", "x"), event("", "y")]);
    assert_eq!(events("event: e\ndata: y\n"), [event("e", "y")]);
    assert_eq!(events(": comment only"), []);
}

#[test]
fn a_block_in_one_piece_is_not_copied_into_the_framer() {
    let mut framer = Framer::default();
    framer.push(b"event: x\ndata: {\"a\":1}\n\ndata: 2\n\n", &mut Seen::default());
    assert_eq!(framer.held.capacity(), 0);
}

#[test]
fn a_block_beyond_the_cap_comes_in_pieces_and_leaves_no_memory() {
    let long = "x".repeat(3 * MAX_HELD);
    let text = format!("data: {long}\ndata: end\n\ndata: next\n\n");
    for size in [1000, MAX_HELD - 1, MAX_HELD, text.len()] {
        let pieces: Vec<&[u8]> = text.as_bytes().chunks(size).collect();
        let mut framer = Framer::default();
        let mut seen = Seen::default();
        for piece in pieces {
            framer.push(piece, &mut seen);
            assert!(framer.held.capacity() <= 2 * MAX_HELD);
        }
        let data: Vec<_> = seen.blocks.iter().map(|(_, data, _)| data.clone().unwrap()).collect();
        assert_eq!(data, [format!("{long}\nend").into_bytes(), b"next".to_vec()]);
        assert!(framer.held.capacity() <= KEPT_CAPACITY);
    }
}

/// The grammar once more, line by line on the whole text: what the framer must agree with.
fn by_the_book(text: &str) -> Vec<(String, String)> {
    let text =
        text.strip_prefix('\u{feff}').unwrap_or(text).replace("\r\n", "\n").replace('\r', "\n");
    let mut found = Vec::new();
    let (mut name, mut data): (String, Vec<String>) = (String::new(), Vec::new());
    let mut lines: Vec<&str> = text.split('\n').collect();
    // What follows the last line end is an unfinished line; then the stream's end ends the block.
    lines.push("");
    for line in lines {
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            _ if line.is_empty() => {
                if !data.is_empty() {
                    found.push((std::mem::take(&mut name), data.join("\n")));
                }
                name.clear();
                data.clear();
            }
            "event" => value.clone_into(&mut name),
            "data" => data.push(value.to_owned()),
            _ => {}
        }
    }
    found
}

fn stream_text() -> impl Strategy<Value = String> {
    let token = prop_oneof![
        Just("data".to_owned()),
        Just("event".to_owned()),
        Just("data: ".to_owned()),
        Just("event: ".to_owned()),
        Just("id: 1".to_owned()),
        Just(":".to_owned()),
        Just(" ".to_owned()),
        Just("\u{feff}".to_owned()),
        Just("\n".to_owned()),
        Just("\n\n".to_owned()),
        Just("\r\n".to_owned()),
        Just("\r".to_owned()),
        "[a-z{}\"é]{0,6}",
    ];
    proptest::collection::vec(token, 0..30).prop_map(|tokens| tokens.concat())
}

proptest! {
    #[test]
    fn any_text_is_read_by_the_book(text in stream_text()) {
        prop_assert_eq!(events(&text), by_the_book(&text));
    }

    #[test]
    fn every_split_gives_the_same_blocks(text in stream_text(), size in 1_usize..5) {
        let whole = read(&[text.as_bytes()]).blocks;
        for cut in 0..=text.len() {
            let (left, right) = text.as_bytes().split_at(cut);
            prop_assert_eq!(&read(&[left, right]).blocks, &whole, "cut at {}", cut);
        }
        let pieces: Vec<&[u8]> = text.as_bytes().chunks(size).collect();
        prop_assert_eq!(&read(&pieces).blocks[..], &whole[..]);
    }
}
