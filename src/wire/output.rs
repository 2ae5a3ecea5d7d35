//! The limits of its output that a request names, whatever they are called.

use std::ops::Range;

use smallvec::SmallVec;

use crate::domain::Endpoint;

/// What APIs call the limit of the output.
const NAMES: [&str; 3] = [OLDER, NEWER, "max_output_tokens"];
const OLDER: &str = "max_tokens";
const NEWER: &str = "max_completion_tokens";
/// What else decides how much output a request may ask for.
const COUNTS: [&str; 3] = ["n", "best_of", "prompt"];

/// The limits of output in a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OutputLimits {
    /// The largest number of each name.
    numbers: [Option<u64>; NAMES.len()],
    /// `max_completion_tokens` with its name and its number, where it is there once.
    newer: Option<Range<usize>>,
    /// Members that would name a limit and hold none.
    blanks: SmallVec<[Blank; 1]>,
}

/// A member that would name a limit.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Blank {
    name: &'static str,
    value: Range<usize>,
    /// It holds a number below 0.
    is_negative: bool,
}

impl OutputLimits {
    /// Notes a member of the request, which begins at `at`, if it names a limit. What holds no number is
    /// the vendor's to judge.
    ///
    /// # Errors
    /// The name, where it is given twice and one of its values is no number: vendors would read one or the
    /// other.
    pub(super) fn note(
        &mut self,
        name: &[u8],
        body: &[u8],
        at: usize,
        value: &Range<usize>,
    ) -> Result<(), &'static str> {
        let named = NAMES.iter().zip(&mut self.numbers).find(|(known, _)| known.as_bytes() == name);
        let Some((name, known)) = named else { return Ok(()) };
        let was_blank = self.blanks.iter().any(|blank| blank.name == *name);
        let text = body.get(value.clone()).unwrap_or_default();
        match limit(text) {
            Some(_) if was_blank => Err(name),
            // Of a number that is given twice the vendor may read either: the larger counts.
            Some(number) => {
                let newer = *name == NEWER && known.is_none();
                self.newer = if newer {
                    Some(at..value.end)
                } else {
                    self.newer.take().filter(|_| *name != NEWER)
                };
                *known = (*known).max(Some(number));
                Ok(())
            }
            None if was_blank || known.is_some() => Err(name),
            None => {
                let is_negative = number(text).is_some();
                self.blanks.push(Blank { name, value: value.clone(), is_negative });
                Ok(())
            }
        }
    }

    /// The most that a vendor may read as the limit of a request of `endpoint`: the larger where two names
    /// of it are given.
    pub(super) fn most(&self, endpoint: Endpoint) -> Option<u64> {
        let [old, chat, responses] = self.numbers;
        match endpoint {
            Endpoint::Responses => responses,
            Endpoint::Messages | Endpoint::CountTokens => old,
            Endpoint::Embeddings | Endpoint::Models => None,
            _ => old.max(chat),
        }
    }

    /// Whether this very name has a number.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        NAMES.iter().zip(&self.numbers).any(|(known, number)| *known == name && number.is_some())
    }

    /// The member that limits the output by its newer name, for readers of `name` that know the older one.
    /// Servers that know both refuse to be given both.
    pub(super) fn newer(&self, name: &str) -> Option<Range<usize>> {
        self.newer.clone().filter(|_| name == OLDER)
    }

    /// The values below 0.
    pub(super) fn negatives(&self) -> impl Iterator<Item = Range<usize>> {
        self.blanks.iter().filter(|blank| blank.is_negative).map(|blank| blank.value.clone())
    }

    /// The value of this name, if it is no limit.
    pub(super) fn blank(&self, name: &str) -> Option<Range<usize>> {
        self.blanks.iter().find(|blank| blank.name == name).map(|blank| blank.value.clone())
    }
}

/// The name that decides on the output and that `other` is with a letter in another case.
pub(super) fn misspelt(other: &[u8]) -> Option<&'static str> {
    let names = NAMES.iter().chain(&COUNTS);
    names.copied().find(|name| other != name.as_bytes() && folds_to(other, name))
}

/// Whether readers that go by Unicode's simple case folding, as Go's do, take `text` for `name`: two letters
/// beyond ASCII fold into it (<https://pkg.go.dev/encoding/json#Unmarshal>,
/// <https://www.unicode.org/Public/UCD/latest/ucd/CaseFolding.txt>).
fn folds_to(text: &[u8], name: &str) -> bool {
    let mut rest = text;
    for letter in name.bytes() {
        let long: &[u8] = match letter {
            b'k' => "\u{212a}".as_bytes(),
            b's' => "\u{17f}".as_bytes(),
            _ => b"",
        };
        rest = match rest.split_first() {
            Some((first, behind)) if first.eq_ignore_ascii_case(&letter) => behind,
            _ => match rest.strip_prefix(long) {
                Some(behind) if !long.is_empty() => behind,
                _ => return false,
            },
        };
    }
    rest.is_empty()
}

/// A limit of output; none where there is no number, or one below 0: servers of open models take -1 for no limit
/// (<https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md>: `n_predict`, for which they read
/// `max_tokens`).
fn limit(text: &[u8]) -> Option<u64> {
    whole(text).or_else(|| decimal(text).filter(|number| *number >= 0.0).map(next_whole))
}

/// A number as the least strict of readers take it: `9`, `9.0`, `9e0` and `"9"`; of a broken one the next
/// larger, of one below 0 that.
pub fn number(text: &[u8]) -> Option<u64> {
    whole(text).or_else(|| decimal(text).map(next_whole))
}

fn whole(text: &[u8]) -> Option<u64> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

fn decimal(text: &[u8]) -> Option<f64> {
    // A list may be as long as the body: it is not even looked at.
    let number: f64 = match text.first()? {
        b'"' => serde_json::from_slice::<String>(text).ok()?.trim().parse().ok()?,
        b'-' | b'0'..=b'9' => serde_json::from_slice(text).ok()?,
        _ => return None,
    };
    number.is_finite().then_some(number)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "it saturates, and is not negative"
)]
fn next_whole(number: f64) -> u64 {
    number.max(0.0).ceil() as u64
}

#[cfg(test)]
mod tests {
    use super::{limit, misspelt, number};

    #[test]
    fn numbers_are_read_however_a_reader_may_take_them() {
        for (text, read) in [
            ("9", Some(9)),
            ("9.0", Some(9)),
            ("8.5", Some(9)),
            ("9e0", Some(9)),
            ("\"9\"", Some(9)),
            ("\" 1e5 \"", Some(100_000)),
            ("1e99", Some(u64::MAX)),
            ("-3", Some(0)),
            ("null", None),
            ("\"many\"", None),
            ("[9]", None),
        ] {
            assert_eq!(number(text.as_bytes()), read, "{text}");
        }
    }

    #[test]
    fn a_limit_below_nothing_is_none() {
        for (text, read) in [
            ("9", Some(9)),
            ("0", Some(0)),
            ("-1", None),
            ("-1.0", None),
            ("\" -1\"", None),
            ("null", None),
        ] {
            assert_eq!(limit(text.as_bytes()), read, "{text}");
        }
    }

    #[test]
    fn names_in_another_case_are_known_in_every_alphabet_that_folds_to_them() {
        for (text, name) in [
            ("Max_Tokens", Some("max_tokens")),
            ("max_to\u{212a}ens", Some("max_tokens")),
            ("max_output_token\u{17f}", Some("max_output_tokens")),
            ("N", Some("n")),
            ("Best_Of", Some("best_of")),
            ("PROMPT", Some("prompt")),
            ("max_tokens", None),
            ("n", None),
            ("max_tokens_", None),
            ("max_token", None),
            ("\u{212a}", None),
            ("", None),
        ] {
            assert_eq!(misspelt(text.as_bytes()), name, "{text}");
        }
    }
}
