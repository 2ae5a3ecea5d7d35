//! Reads chosen members out of a JSON object that comes in pieces.
//!
//! Answers can be large (images, embeddings, the text of a whole response in one event) and only
//! a few small members matter: `usage`, `model`, `error`. This keeps those and nothing else, at
//! any split of the bytes. It checks no grammar: on text that is not JSON it finds nothing useful,
//! and that is all the callers need.

use super::plain::string_len;

/// The most that is kept of one value, bytes. A longer one is as if it were not there.
const MAX_VALUE: usize = 16 * 1024;
/// The longest member name that can be wanted, bytes.
const MAX_KEY: usize = 32;

/// A member that is wanted: of the object itself, or of an object that is a member of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Path {
    /// The member that is entered; none for a member of the object itself.
    pub parent: Option<&'static str>,
    /// The member's name.
    pub key: &'static str,
}

impl Path {
    /// A member of the object itself.
    #[must_use]
    pub const fn top(key: &'static str) -> Self {
        Self { parent: None, key }
    }

    /// A member of the member `parent`.
    #[must_use]
    pub const fn inside(parent: &'static str, key: &'static str) -> Self {
        Self { parent: Some(parent), key }
    }
}

/// The state between two pieces.
#[derive(Debug)]
pub struct Picker {
    wanted: &'static [Path],
    found: Vec<(usize, Vec<u8>)>,
    depth: usize,
    text: Text,
    /// The next string at a watched level is a member's name.
    key_next: bool,
    key: Vec<u8>,
    /// The member that the second level belongs to, while inside a parent that is wanted.
    parent: Option<&'static str>,
    /// What the next value is to be taken for.
    next: Next,
    keep: Option<Keep>,
    end: End,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Text {
    Outside,
    Inside,
    /// Behind a backslash.
    Escape,
}

#[derive(Clone, Copy, Debug)]
enum Next {
    Nothing,
    Value(usize),
    Parent(&'static str),
}

/// A wanted value that is being read.
#[derive(Debug)]
struct Keep {
    slot: usize,
    depth: usize,
    value: Vec<u8>,
    too_long: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// Only white space so far.
    Before,
    Inside,
    /// The object is closed; white space may follow.
    Closed,
    /// Not one object.
    Broken,
}

impl Picker {
    /// Looks for `wanted`.
    #[must_use]
    pub const fn new(wanted: &'static [Path]) -> Self {
        Self {
            wanted,
            found: Vec::new(),
            depth: 0,
            text: Text::Outside,
            key_next: false,
            key: Vec::new(),
            parent: None,
            next: Next::Nothing,
            keep: None,
            end: End::Before,
        }
    }

    /// The raw JSON of a wanted member; the last one where it was given more than once.
    #[must_use]
    pub fn get(&self, path: Path) -> Option<&[u8]> {
        self.found
            .iter()
            .find(|(slot, _)| self.wanted.get(*slot) == Some(&path))
            .map(|(_, value)| value.as_slice())
    }

    /// Whether one object has been read to its end, with nothing but white space around it.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.end == End::Closed
    }

    /// Reads the next piece.
    pub fn push(&mut self, piece: &[u8]) {
        let mut at = 0;
        // Where the value being kept starts in this piece.
        let mut from = 0;
        while let Some(&byte) = piece.get(at) {
            match self.text {
                Text::Inside => at = self.inside_text(piece, at, from),
                Text::Escape => {
                    self.text = Text::Inside;
                    self.key_byte(byte);
                    at += 1;
                }
                Text::Outside if self.depth > self.watched() => {
                    at += skip_plain(piece, at);
                    if let Some(&byte) = piece.get(at) {
                        self.structure(byte, piece, at, from);
                        at += 1;
                    }
                }
                Text::Outside => {
                    if self.starts_value(byte) {
                        from = at;
                    }
                    self.structure(byte, piece, at, from);
                    at += 1;
                }
            }
        }
        if let Some(keep) = &mut self.keep {
            keep.add(piece.get(from..).unwrap_or_default());
        }
    }

    /// The deepest level whose members are looked at.
    const fn watched(&self) -> usize {
        if self.parent.is_some() { 2 } else { 1 }
    }

    /// Inside a string: goes to its end or the next escape.
    fn inside_text(&mut self, piece: &[u8], at: usize, from: usize) -> usize {
        let rest = piece.get(at..).unwrap_or_default();
        let plain = string_len(rest);
        if self.key_next && self.depth <= self.watched() {
            let room = MAX_KEY.saturating_sub(self.key.len());
            self.key.extend_from_slice(rest.get(..plain.min(room)).unwrap_or_default());
        }
        match rest.get(plain) {
            None => return piece.len(),
            Some(b'"') => {
                self.text = Text::Outside;
                self.text_ended(piece, at + plain, from);
            }
            // An escaped name is none that is wanted.
            Some(&backslash) => {
                self.text = Text::Escape;
                self.key_byte(backslash);
            }
        }
        at + plain + 1
    }

    fn key_byte(&mut self, byte: u8) {
        if self.key_next && self.key.len() < MAX_KEY {
            self.key.push(byte);
        }
    }

    fn text_ended(&mut self, piece: &[u8], at: usize, from: usize) {
        if self.keep.as_ref().is_some_and(|keep| keep.depth == self.depth) {
            self.kept(piece.get(from..=at).unwrap_or_default());
        } else if self.key_next && self.depth <= self.watched() {
            self.key_next = false;
            self.next = self.meaning();
        }
    }

    /// What the value of the name just read is wanted for.
    fn meaning(&self) -> Next {
        let parent = if self.depth == 2 { self.parent } else { None };
        for (slot, path) in self.wanted.iter().enumerate() {
            if path.parent == parent && path.key.as_bytes() == self.key {
                return Next::Value(slot);
            }
        }
        if self.depth == 1 {
            for path in self.wanted {
                if let Some(parent) = path.parent.filter(|parent| parent.as_bytes() == self.key) {
                    return Next::Parent(parent);
                }
            }
        }
        Next::Nothing
    }

    /// Begins to keep a wanted value at its first byte.
    fn starts_value(&mut self, byte: u8) -> bool {
        let Next::Value(slot) = self.next else { return false };
        if matches!(byte, b':' | b' ' | b'\t' | b'\n' | b'\r') {
            return false;
        }
        self.next = Next::Nothing;
        self.found.retain(|(known, _)| *known != slot);
        self.keep = Some(Keep { slot, depth: self.depth, value: Vec::new(), too_long: false });
        true
    }

    /// One byte outside strings.
    fn structure(&mut self, byte: u8, piece: &[u8], at: usize, from: usize) {
        match byte {
            b'"' => {
                self.text = Text::Inside;
                self.key.clear();
            }
            b'{' | b'[' => self.opened(byte),
            b'}' | b']' => {
                self.scalar_ended(piece, at, from);
                self.closed(piece, at, from);
            }
            b',' => {
                self.scalar_ended(piece, at, from);
                self.key_next = self.depth == 1 || (self.depth == 2 && self.parent.is_some());
            }
            b' ' | b'\t' | b'\n' | b'\r' => return,
            _ => {}
        }
        if self.depth <= 1 {
            self.outermost(byte);
        }
    }

    /// Follows the object's own beginning and end.
    fn outermost(&mut self, byte: u8) {
        self.end = match (self.end, byte) {
            (End::Before, b'{') => End::Inside,
            (End::Inside, _) if self.depth > 0 => return,
            (End::Inside, b'}') => End::Closed,
            (End::Before | End::Inside | End::Closed | End::Broken, _) => End::Broken,
        };
    }

    fn opened(&mut self, byte: u8) {
        self.depth = self.depth.saturating_add(1);
        let next = std::mem::replace(&mut self.next, Next::Nothing);
        match (self.depth, next) {
            (1, _) => self.key_next = byte == b'{',
            (2, Next::Parent(parent)) if byte == b'{' => {
                self.parent = Some(parent);
                self.key_next = true;
            }
            _ => self.key_next = false,
        }
    }

    fn closed(&mut self, piece: &[u8], at: usize, from: usize) {
        self.depth = self.depth.saturating_sub(1);
        if self.depth < 2 {
            self.parent = None;
        }
        self.key_next = false;
        if self.keep.as_ref().is_some_and(|keep| keep.depth == self.depth) {
            self.kept(piece.get(from..=at).unwrap_or_default());
        }
    }

    /// A number or word ends where the next thing at its level begins.
    fn scalar_ended(&mut self, piece: &[u8], at: usize, from: usize) {
        self.next = Next::Nothing;
        if self.keep.as_ref().is_some_and(|keep| keep.depth == self.depth) {
            self.kept(piece.get(from..at).unwrap_or_default());
        }
    }

    fn kept(&mut self, last: &[u8]) {
        if let Some(mut keep) = self.keep.take() {
            keep.add(last);
            if !keep.too_long {
                self.found.push((keep.slot, keep.value));
            }
        }
    }
}

impl Keep {
    fn add(&mut self, bytes: &[u8]) {
        if self.too_long || self.value.len() + bytes.len() > MAX_VALUE {
            self.too_long = true;
            self.value = Vec::new();
        } else {
            self.value.extend_from_slice(bytes);
        }
    }
}

/// How many bytes of a value nobody wants can be passed over.
fn skip_plain(piece: &[u8], at: usize) -> usize {
    let rest = piece.get(at..).unwrap_or_default();
    rest.iter()
        .position(|byte| matches!(byte, b'"' | b'[' | b']' | b'{' | b'}'))
        .unwrap_or(rest.len())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::{MAX_VALUE, Path, Picker};

    const USAGE: Path = Path::top("usage");
    const MODEL: Path = Path::top("model");
    const DEEP: Path = Path::inside("response", "usage");
    const ID: Path = Path::inside("response", "id");

    fn picked(pieces: &[&[u8]]) -> Picker {
        let mut picker = Picker::new(&[USAGE, MODEL, DEEP, ID]);
        for piece in pieces {
            picker.push(piece);
        }
        picker
    }

    fn value(picker: &Picker, path: Path) -> Option<Value> {
        picker.get(path).map(|raw| serde_json::from_slice(raw).unwrap())
    }

    #[test]
    fn members_are_found_at_every_split() {
        let text = br#" {"a":[{"usage":1,"model":"no"},"usage"],"usage" : {"n":[1,{"usage":2}],"s":"}\"{"} ,"model":"m\"x",
            "response":{"usage":12.5,"x":{"id":"no"},"id":null},"response2":{"id":3},"z":-1e3} "#;
        for cut in 0..=text.len() {
            let (left, right) = text.split_at(cut);
            let picker = picked(&[left, right]);
            assert_eq!(
                value(&picker, USAGE),
                Some(json!({"n":[1,{"usage":2}],"s":"}\"{"})),
                "{cut}"
            );
            assert_eq!(value(&picker, MODEL), Some(json!("m\"x")), "{cut}");
            assert_eq!(value(&picker, DEEP), Some(json!(12.5)), "{cut}");
            assert_eq!(value(&picker, ID), Some(json!(null)), "{cut}");
            assert!(picker.is_whole(), "{cut}");
        }
    }

    #[test]
    fn the_last_of_two_counts_and_a_huge_one_is_dropped() {
        let picker = picked(&[br#"{"usage":1,"usage":[2]}"#]);
        assert_eq!(value(&picker, USAGE), Some(json!([2])));
        let huge = format!(r#"{{"usage":1,"usage":"{}","model":"m"}}"#, "x".repeat(MAX_VALUE));
        let picker = picked(&[huge.as_bytes()]);
        assert_eq!((picker.get(USAGE), value(&picker, MODEL)), (None, Some(json!("m"))));
    }

    #[test]
    fn what_is_no_whole_object_is_known() {
        for text in ["", " ", "<html>", "[{}]", "{", r#"{"a":{}"#, "{} x", "{}{}", "null", "\"{}\""]
        {
            assert!(!picked(&[text.as_bytes()]).is_whole(), "{text}");
        }
        assert!(picked(&[b"{}\n"]).is_whole());
    }

    proptest! {
        #[test]
        fn any_object_in_any_pieces_gives_the_same_as_serde_json(
            noise in proptest::collection::vec(("[a-z\"\\\\]{1,8}", ".{0,20}"), 0..6),
            usage in proptest::option::of(proptest::collection::vec(("[a-z]{1,6}", any::<i32>()), 0..4)),
            model in proptest::option::of(".{0,12}"),
            pretty in any::<bool>(),
            size in 1_usize..20,
        ) {
            let mut object: serde_json::Map<String, Value> =
                noise.into_iter().map(|(key, text)| (key, json!([text, {"usage": text, "model": [text]}]))).collect();
            object.remove("usage");
            object.remove("model");
            let usage = usage.map(|members| Value::Object(members.into_iter().map(|(key, n)| (key, json!(n))).collect()));
            if let Some(usage) = &usage {
                object.insert("usage".into(), usage.clone());
                object.insert("response".into(), json!({"model": 1, "usage": usage, "id": "x"}));
            }
            if let Some(model) = &model {
                object.insert("model".into(), json!(model));
            }
            let text = if pretty { serde_json::to_string_pretty(&object) } else { serde_json::to_string(&object) }.unwrap();
            let pieces: Vec<&[u8]> = text.as_bytes().chunks(size).collect();
            let picker = picked(&pieces);
            prop_assert!(picker.is_whole());
            prop_assert_eq!(value(&picker, USAGE), usage.clone());
            prop_assert_eq!(value(&picker, DEEP), usage);
            prop_assert_eq!(value(&picker, MODEL), model.map(|model| json!(model)));
        }
    }
}
