//! The free text of a custom tool's call, where the vendor was told a function with one string: `{"input":
//! "…"}`, piece by piece.

/// The member that holds the text.
pub(super) const MEMBER: &str = "input";
/// The schema of such a function.
pub(super) const SCHEMA: &str = r#"{"type":"object","properties":{"input":{"type":"string","description":"The tool's input, as it is."}},"required":["input"],"additionalProperties":false}"#;

/// The arguments of a call whose text is `text`.
pub(super) fn wrapped(text: &str) -> String {
    serde_json::json!({ MEMBER: text }).to_string()
}

/// Reads the text out of arguments. What is no such object is the text itself: a model's slip is the
/// client's to see.
#[derive(Clone, Debug)]
pub(super) enum FreeText {
    /// Before the text begins: what has come.
    Before(String),
    /// In the text: an escape that is not whole.
    Inside(String),
    /// Behind it.
    After,
    /// There is no such object.
    Plain,
}

impl Default for FreeText {
    fn default() -> Self {
        Self::Before(String::new())
    }
}

/// How far the beginning of such an object goes.
enum Beginning {
    /// More is needed.
    Open,
    /// The text begins at this byte.
    Text(usize),
    /// `{}`
    Empty,
    /// Something else.
    Other,
}

impl FreeText {
    /// Reads the next piece of the arguments; answers the text that is in it.
    pub(super) fn push(&mut self, piece: &str) -> String {
        match self {
            Self::After => String::new(),
            Self::Plain => piece.to_owned(),
            Self::Inside(_) => self.text(piece),
            Self::Before(held) => {
                held.push_str(piece);
                let held = std::mem::take(held);
                match beginning(&held) {
                    Beginning::Open => {
                        *self = Self::Before(held);
                        String::new()
                    }
                    Beginning::Text(at) => {
                        *self = Self::Inside(String::new());
                        self.text(held.get(at..).unwrap_or_default())
                    }
                    Beginning::Empty => {
                        *self = Self::After;
                        String::new()
                    }
                    Beginning::Other => {
                        *self = Self::Plain;
                        held
                    }
                }
            }
        }
    }

    fn text(&mut self, piece: &str) -> String {
        let Self::Inside(escape) = self else { return String::new() };
        let mut out = String::with_capacity(piece.len());
        for letter in piece.chars() {
            if !escape.is_empty() && !goes_on(escape, letter) {
                // What is cut short stands for nothing. Another escape may begin with its last letter.
                out.push(char::REPLACEMENT_CHARACTER);
                let begins = escape.len() == PAIR;
                escape.clear();
                escape.push_str(if begins { "\\" } else { "" });
            }
            if escape.is_empty() {
                match letter {
                    '\\' => escape.push(letter),
                    '"' => {
                        *self = Self::After;
                        return out;
                    }
                    _ => out.push(letter),
                }
                continue;
            }
            escape.push(letter);
            if is_whole(escape) {
                *escape = read_out(escape, &mut out);
            }
        }
        out
    }
}

/// Reads a whole escape out. What is left to be read: the other half of what is no pair, where a pair may
/// begin with that.
fn read_out(escape: &str, out: &mut String) -> String {
    if let Ok(read) = serde_json::from_str::<String>(&format!("\"{escape}\"")) {
        out.push_str(&read);
        return String::new();
    }
    out.push(char::REPLACEMENT_CHARACTER);
    match escape.get(6..) {
        Some(other) if !other.is_empty() && is_whole(other) => read_out(other, out),
        other => other.unwrap_or_default().to_owned(),
    }
}

/// Length of half a pair with the beginning of its other half: `\uD83C\`.
const PAIR: usize = 7;

/// Whether `letter` can follow in the escape. A model may write what is none.
fn goes_on(escape: &str, letter: char) -> bool {
    match (escape.as_bytes().get(1), escape.len()) {
        (Some(b'u'), 6) => letter == '\\',
        (Some(b'u'), PAIR) => letter == 'u',
        (Some(b'u'), _) => letter.is_ascii_hexdigit(),
        _ => true,
    }
}

/// Whether an escape is whole; the first of a pair is not.
fn is_whole(escape: &str) -> bool {
    match (escape.as_bytes().get(1), escape.len()) {
        (Some(b'u'), 6) => !escape
            .get(2..)
            .and_then(|digits| u16::from_str_radix(digits, 16).ok())
            .is_some_and(|unit| (0xd800..0xdc00).contains(&unit)),
        (Some(b'u'), length) => length >= 12,
        (_, length) => length >= 2,
    }
}

fn beginning(held: &str) -> Beginning {
    let mut rest = held.trim_start();
    for token in ["{", "\"input\"", ":", "\""] {
        if rest.is_empty() || (token.starts_with(rest) && token.len() > rest.len()) {
            return Beginning::Open;
        }
        if token == "\"input\"" && rest.starts_with('}') {
            return Beginning::Empty;
        }
        let Some(after) = rest.strip_prefix(token) else { return Beginning::Other };
        // The text's own white space is the text's.
        rest = if token == "\"" { after } else { after.trim_start() };
    }
    Beginning::Text(held.len() - rest.len())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(pieces: &[&str]) -> String {
        let mut text = FreeText::default();
        pieces.iter().map(|piece| text.push(piece)).collect()
    }

    #[test]
    fn what_is_no_such_object_is_the_text_itself() {
        for (arguments, text) in [
            ("{}", ""),
            (" { } ", ""),
            ("", ""),
            (r#"{"input":""}"#, ""),
            (r#"{"input":" a","more":"b"}"#, " a"),
            (r#"{"other":"b"}"#, r#"{"other":"b"}"#),
            (r#"{"input":5}"#, r#"{"input":5}"#),
            ("plain", "plain"),
            (r#"{"input":"\ud83cx\ud83c\n\u00e9"}"#, "\u{fffd}x\u{fffd}\n\u{e9}"),
            (r#"{"input":"\ud83c"}"#, "\u{fffd}"),
            (r#"{"input":"a\u12€x"}"#, "a\u{fffd}€x"),
            (r#"{"input":"\ud83c\u0041B\ud83c\u000a"}"#, "\u{fffd}AB\u{fffd}\n"),
            (r#"{"input":"\ud83c\ud83d\ude00"}"#, "\u{fffd}\u{1f600}"),
            (
                r#"{"input":"\u123é\é\ud83c\éz\ud83c\u12"}"#,
                "\u{fffd}é\u{fffd}\u{fffd}\u{fffd}z\u{fffd}",
            ),
        ] {
            assert_eq!(read(&[arguments]), text, "{arguments}");
        }
    }

    proptest! {
        #[test]
        fn what_is_badly_written_is_read_to_its_end(text in r#"([\\u0-9a-fé€d8"]|\\u|d83c){0,40}"#) {
            let whole = format!(r#"{{"input":"{text}"#);
            let letters: Vec<String> = whole.chars().map(String::from).collect();
            let pieces: Vec<&str> = letters.iter().map(String::as_str).collect();
            prop_assert_eq!(read(&pieces), read(&[&whole]));
        }

        #[test]
        fn a_text_comes_back_whatever_the_cuts(text in any::<String>(), size in 1..9usize, ascii in any::<bool>()) {
            let mut arguments = wrapped(&text);
            if ascii {
                arguments = arguments.chars().flat_map(|letter| {
                    if letter.is_ascii() { return letter.to_string().chars().collect::<Vec<_>>() }
                    let mut units = [0; 2];
                    let units = letter.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}"));
                    units.collect::<String>().chars().collect()
                }).collect();
            }
            let letters: Vec<char> = arguments.chars().collect();
            let pieces: Vec<String> = letters.chunks(size).map(|piece| piece.iter().collect()).collect();
            let pieces: Vec<&str> = pieces.iter().map(String::as_str).collect();
            prop_assert_eq!(read(&pieces), text);
        }
    }
}
