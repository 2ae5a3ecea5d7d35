//! Words of few letters, made of any: ids and names that a vendor would refuse, so that the same one always
//! becomes the same, and those that differ stay different.

use std::borrow::Cow;

/// The longest word, bytes.
const MOST: usize = 64;
/// A line and the digits of a hash.
const HASH: usize = 17;

/// What a word may be, beside letters, digits, `_` and `-`, and at most 64 long.
#[derive(Clone, Copy, Debug, Default)]
pub struct Rule {
    /// Dots are letters as well.
    pub dots: bool,
    /// It begins with a letter or `_`.
    pub begins_with_letter: bool,
}

impl Rule {
    fn fits(self, letter: char) -> bool {
        letter.is_ascii_alphanumeric()
            || matches!(letter, '_' | '-')
            || (self.dots && letter == '.')
    }

    fn begins(self, letter: char) -> bool {
        !self.begins_with_letter || letter.is_ascii_alphabetic() || letter == '_'
    }

    /// The word as it is where it keeps the rule; else one that does.
    #[must_use]
    pub fn plain(self, word: &str) -> Cow<'_, str> {
        let begins = word.chars().next().is_some_and(|letter| self.begins(letter));
        if begins && word.len() <= MOST && word.chars().all(|letter| self.fits(letter)) {
            return Cow::Borrowed(word);
        }
        // What is replaced or cut is told apart by a hash of the whole.
        let first = if begins || !self.begins_with_letter { "" } else { "_" };
        let room = MOST - HASH - first.len();
        let kept = word.chars().take(room);
        let kept = kept.map(|letter| if self.fits(letter) { letter } else { '_' });
        let hash = fnv1a(word.as_bytes());
        Cow::Owned(format!("{first}{}_{hash:016x}", kept.collect::<String>()))
    }
}

/// The id of a call as `OpenAI` takes it: "Expected a string with maximum length 64".
/// <https://github.com/orchidfiles/ungate/issues/26>
#[must_use]
pub fn openai_id(id: &str) -> Cow<'_, str> {
    if id.len() <= MOST { Cow::Borrowed(id) } else { Rule::default().plain(id) }
}

/// FNV-1a of 64 bits: the same in every process, unlike the standard library's hasher.
/// <http://www.isthe.com/chongo/tech/comp/fnv/>
#[must_use]
pub fn fnv1a(bytes: &[u8]) -> u64 {
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, step)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const STRICT: Rule = Rule { dots: false, begins_with_letter: false };
    const LETTER: Rule = Rule { dots: true, begins_with_letter: true };

    #[test]
    fn words_that_fit_stay_as_they_are() {
        for word in ["tooluse_v40", "call_A-9", "9", &"x".repeat(64)] {
            assert_eq!(STRICT.plain(word), *word);
        }
        assert_eq!(LETTER.plain("_a.b"), "_a.b");
        assert!(LETTER.plain("9a").starts_with("_9a_"));
        assert!(STRICT.plain("a.b").starts_with("a_b_"));
    }

    #[test]
    fn words_that_do_not_fit_stay_different() {
        let words =
            ["", "a|b", "a.b", "a/b", &"x".repeat(65), &"x".repeat(66), "aé", "functions.f:0"];
        let plain: std::collections::BTreeSet<_> =
            words.iter().map(|word| STRICT.plain(word)).collect();
        assert_eq!(plain.len(), words.len());
    }

    proptest! {
        #[test]
        fn every_word_becomes_one_that_keeps_the_rule(word in ".{0,100}") {
            for rule in [STRICT, LETTER] {
                let plain = rule.plain(&word);
                prop_assert!((1..=64).contains(&plain.len()));
                prop_assert!(plain.chars().all(|letter| rule.fits(letter)));
                prop_assert!(rule.begins(plain.chars().next().unwrap()));
                prop_assert_eq!(&rule.plain(&plain), &plain, "once is enough");
                prop_assert_eq!(&plain, &rule.plain(&word));
            }
        }
    }
}
