//! How much text an answer holds, counted while its JSON passes in pieces: for guesses of its tokens where
//! its vendor tells none.

/// The names under which models say, think and call with something, in the APIs of OpenAI and Anthropic.
const NAMES: [&[u8]; 8] = [
    b"content",
    b"text",
    b"refusal",
    b"reasoning",
    b"reasoning_content",
    b"thinking",
    b"arguments",
    b"input",
];
/// The longest of them, and a byte that makes a longer name none of them.
const ROOM: usize = 18;

/// The state between two pieces.
#[derive(Debug, Default)]
pub struct Said {
    place: Place,
    /// The beginning of the last string.
    start: [u8; ROOM],
    /// Its length, bytes.
    length: u64,
    /// Whether values are counted: the last name was one of ours.
    counts: bool,
    call: Call,
    bytes: u64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Place {
    #[default]
    Outside,
    Inside,
    /// Behind a backslash.
    Escape,
    /// Behind a string, which is a name if a colon follows.
    Behind,
}

/// Whether what follows is what a tool is called with: an object in Anthropic's API, whose values all count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Call {
    #[default]
    No,
    /// Behind its name.
    Named,
    /// So many objects deep in it.
    Within(u32),
}

impl Said {
    /// Reads the next piece. What is no JSON has some text, too.
    pub fn push(&mut self, piece: &[u8]) {
        let mut rest = piece;
        while !rest.is_empty() {
            let read = match self.place {
                Place::Outside => self.outside(rest),
                Place::Inside => self.inside(rest),
                Place::Escape => {
                    self.add(rest.get(..1).unwrap_or_default());
                    self.place = Place::Inside;
                    1
                }
                Place::Behind => self.behind(rest),
            };
            rest = rest.get(read..).unwrap_or_default();
        }
    }

    /// About how many bytes of text, thinking and arguments there were, as they are escaped.
    #[must_use]
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    fn outside(&mut self, rest: &[u8]) -> usize {
        let next = match self.call {
            Call::No => memchr::memchr(b'"', rest),
            Call::Named => {
                rest.iter().position(|byte| !byte.is_ascii_whitespace() && *byte != b':')
            }
            Call::Within(_) => memchr::memchr3(b'"', b'{', b'}', rest),
        };
        let Some(next) = next else { return rest.len() };
        let byte = rest.get(next).copied();
        self.call = match (self.call, byte) {
            (Call::Named, Some(b'{')) => Call::Within(1),
            (Call::Within(depth), Some(b'{')) => Call::Within(depth.saturating_add(1)),
            (Call::Within(depth), Some(b'}')) if depth > 1 => Call::Within(depth - 1),
            (Call::Within(depth), Some(b'"')) => Call::Within(depth),
            _ => Call::No,
        };
        if byte == Some(b'"') {
            self.place = Place::Inside;
            self.length = 0;
        } else if self.call == Call::No {
            self.counts = false;
        }
        next + 1
    }

    fn inside(&mut self, rest: &[u8]) -> usize {
        let end = memchr::memchr2(b'"', b'\\', rest);
        let text = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
        self.add(text);
        match end.and_then(|end| rest.get(end)) {
            None => return text.len(),
            Some(b'"') => self.place = Place::Behind,
            Some(_) => {
                self.add(b"\\");
                self.place = Place::Escape;
            }
        }
        text.len() + 1
    }

    fn behind(&mut self, rest: &[u8]) -> usize {
        let Some(next) = rest.iter().position(|byte| !byte.is_ascii_whitespace()) else {
            return rest.len();
        };
        if rest.get(next) == Some(&b':') {
            let length = usize::try_from(self.length).unwrap_or(usize::MAX);
            let name = self.start.get(..length);
            if !matches!(self.call, Call::Within(_)) {
                self.counts = name.is_some_and(|name| NAMES.contains(&name));
                if name == Some(b"input") {
                    self.call = Call::Named;
                }
            }
        } else if self.counts {
            self.bytes += self.length;
        }
        self.place = Place::Outside;
        next
    }

    fn add(&mut self, text: &[u8]) {
        let from = usize::try_from(self.length).unwrap_or(usize::MAX);
        let room = self.start.get_mut(from..).unwrap_or_default();
        room.iter_mut().zip(text).for_each(|(to, byte)| *to = *byte);
        self.length += text.len() as u64;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Said;

    fn said(pieces: &[&[u8]]) -> u64 {
        let mut said = Said::default();
        for piece in pieces {
            said.push(piece);
        }
        said.bytes()
    }

    #[test]
    fn what_a_model_says_is_counted_and_nothing_else_at_every_split() {
        for (text, bytes) in [
            (
                r#"{"id":"chatcmpl-1","model":"m","choices":[{"message":{"role":"assistant","content": "four\n"}}]}"#,
                6,
            ),
            (r#"{"choices":[{"text":"four","finish_reason":"stop"}]}"#, 4),
            (
                r#"{"content":[{"type":"thinking","thinking":"abc"},{"type":"text","text":"de"}]}"#,
                5,
            ),
            (r#"{"function":{"name":"f","arguments" : "{\"a\":1}"}}"#, 9),
            (r#"{"a_name_that_is_longer_than_others":"x","object":"text"}"#, 0),
            (r#"{"content":["ab","c"],"text":null}"#, 3),
            (r#"{"input": {"path":"ab","deep":{"x":["c"],"n":1},"z":"d"},"name":"f"}"#, 4),
            (r#"{"input":"ab","name":"f"}"#, 2),
            (r#"{"input":[],"name":"f","text":"x"}"#, 1),
            (r#"{"input":{},"id":"call_1"}"#, 0),
        ] {
            for cut in 0..=text.len() {
                let (left, right) = text.as_bytes().split_at(cut);
                assert_eq!(said(&[left, right]), bytes, "{text} cut at {cut}");
            }
        }
    }

    proptest! {
        #[test]
        fn whatever_comes_says_no_more_than_its_bytes(bytes: Vec<u8>, size in 1_usize..9) {
            let pieces: Vec<&[u8]> = bytes.chunks(size).collect();
            prop_assert!(said(&pieces) <= bytes.len() as u64);
            prop_assert_eq!(said(&pieces), said(&[bytes.as_slice()]));
        }
    }
}
