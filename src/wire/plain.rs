//! Skipping the plain part of a JSON string: the bytes that need no look.
//!
//! Prompts are mostly this, so it decides what a request body costs. What SDKs write has no control
//! character anywhere: a look at the whole text tells, and then [`string_len`] takes half the time
//! of [`plain_len`], with which short runs go eight bytes at a time, long ones (images in base64) in
//! blocks of 64 that the compiler turns into vector code.

const ONES: u64 = 0x0101_0101_0101_0101;
const TOPS: u64 = 0x8080_8080_8080_8080;
/// Words that are tried before whole blocks are.
const WORDS_FIRST: u32 = 8;

/// How many bytes stand before the first quote, backslash or control character.
pub(super) fn plain_len(text: &[u8]) -> usize {
    let mut rest = text;
    let mut words = 0;
    while let Some((word, behind)) = rest.split_first_chunk::<8>() {
        let marks = special_bytes(u64::from_le_bytes(*word));
        if marks != 0 {
            return text.len() - rest.len() + (marks.trailing_zeros() / 8) as usize;
        }
        rest = behind;
        words += 1;
        if words == WORDS_FIRST {
            rest = skip_blocks(rest);
            words = 0;
        }
    }
    let tail = rest.iter().position(|byte| is_special(*byte)).unwrap_or(rest.len());
    text.len() - rest.len() + tail
}

/// Whether there is no control character, a line break neither.
pub(super) fn has_no_control(text: &[u8]) -> bool {
    // Without early exit: this is what makes it vector code.
    text.iter().fold(u8::MAX, |least, byte| least.min(*byte)) >= 0x20
}

/// How many bytes stand before the first quote or backslash.
pub(super) fn string_len(text: &[u8]) -> usize {
    // Most names end here, where a call would cost more than they do.
    let Some((word, behind)) = text.split_first_chunk::<8>() else {
        return text.iter().position(|byte| matches!(byte, b'"' | b'\\')).unwrap_or(text.len());
    };
    let marks = quotes_and_slashes(u64::from_le_bytes(*word)) & TOPS;
    if marks != 0 {
        return (marks.trailing_zeros() / 8) as usize;
    }
    word.len() + memchr::memchr2(b'"', b'\\', behind).unwrap_or(behind.len())
}

fn skip_blocks(mut rest: &[u8]) -> &[u8] {
    while let Some((block, behind)) = rest.split_first_chunk::<64>() {
        // A fold without early exit: this is what makes it vector code.
        if block.iter().fold(0, |any, byte| any | special_flag(*byte)) != 0 {
            break;
        }
        rest = behind;
    }
    rest
}

fn is_special(byte: u8) -> bool {
    special_flag(byte) != 0
}

/// 1 for a quote, a backslash or a control character, without a branch.
fn special_flag(byte: u8) -> u8 {
    u8::from(byte == b'"') | u8::from(byte == b'\\') | u8::from(byte < 0x20)
}

/// The top bit of each byte that is special, exact for the lowest such byte (borrows of the
/// subtractions run upwards only).
const fn special_bytes(word: u64) -> u64 {
    let controls = word.wrapping_sub(ONES * 0x20) & !word;
    (quotes_and_slashes(word) | controls) & TOPS
}

/// The same for quotes and backslashes alone, with rubbish in the other bits.
const fn quotes_and_slashes(word: u64) -> u64 {
    let quote = word ^ (ONES * b'"' as u64);
    let slash = word ^ (ONES * b'\\' as u64);
    let quotes = quote.wrapping_sub(ONES) & !quote;
    let slashes = slash.wrapping_sub(ONES) & !slash;
    quotes | slashes
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{has_no_control, is_special, plain_len, string_len};

    proptest! {
        #[test]
        fn the_first_special_byte_is_found_wherever_it_stands(
            mut text in proptest::collection::vec(0x23_u8..=0x5b, 0..400),
            special in any::<u8>(),
            at in any::<prop::sample::Index>(),
        ) {
            if !text.is_empty() {
                let at = at.index(text.len());
                text[at] = special;
            }
            let expected = text.iter().position(|byte| is_special(*byte)).unwrap_or(text.len());
            prop_assert_eq!(plain_len(&text), expected);
            let ends = |byte: &u8| matches!(byte, b'"' | b'\\');
            prop_assert_eq!(string_len(&text), text.iter().position(ends).unwrap_or(text.len()));
            prop_assert_eq!(has_no_control(&text), text.iter().all(|byte| *byte >= 0x20));
        }

        #[test]
        fn any_bytes_are_measured_as_one_by_one(text in proptest::collection::vec(any::<u8>(), 0..300)) {
            let expected = text.iter().position(|byte| is_special(*byte)).unwrap_or(text.len());
            prop_assert_eq!(plain_len(&text), expected);
        }
    }
}
