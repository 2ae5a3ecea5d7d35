//! Walking over JSON strings.
//!
//! Prompts are mostly this, so it decides what a request body costs: a block at a time is compared with
//! all that needs a look, and what SDKs write most of that is, line breaks and quotes behind a backslash,
//! is passed over without leaving the loop.

/// Bytes that are compared at once.
const BLOCK: usize = 64;

/// How far a string's text goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Extent {
    /// How many bytes stand before its quote, or before the first byte that is wrong there: a control
    /// character, or a backslash that begins no escape.
    pub len: usize,
    /// Whether these are ASCII. May be false for something that stands behind them.
    pub ascii: bool,
}

/// How far the text of a string goes whose opening quote stands before it.
pub(super) fn text_extent(text: &[u8]) -> Extent {
    // Most names end here.
    if let Some(start) = text.first_chunk::<16>() {
        let first = marks_of_16(start).trailing_zeros() as usize;
        if text.get(first) == Some(&b'"') && first < start.len() {
            return Extent { len: first, ascii: start.is_ascii() };
        }
    }
    let mut at = 0;
    // What was met, or-ed together by columns: that costs next to nothing beside the comparisons.
    let mut met = [0; BLOCK / 8];
    while let Some(block) = text.get(at..).and_then(<[u8]>::first_chunk::<BLOCK>) {
        gather(&mut met, block);
        let mut marks = marks(block);
        at += loop {
            let offset = marks.trailing_zeros() as usize;
            if offset >= BLOCK {
                break BLOCK;
            }
            let escape = escape_len(text, at + offset);
            if escape == 0 {
                return Extent { len: at + offset, ascii: are_ascii(&met) };
            }
            if offset + escape >= BLOCK {
                break offset + escape;
            }
            // The backslash, and the letter behind it, which may be a quote.
            marks &= !(0b11 << offset);
        };
    }
    let tail = text.get(at..).unwrap_or_default();
    Extent { len: tail_len(text, at), ascii: are_ascii(&met) && tail.is_ascii() }
}

fn gather(met: &mut [u64; BLOCK / 8], block: &[u8; BLOCK]) {
    let (words, _) = block.as_chunks::<8>();
    for (met, word) in met.iter_mut().zip(words) {
        *met |= u64::from_ne_bytes(*word);
    }
}

fn are_ascii(met: &[u64; BLOCK / 8]) -> bool {
    met.iter().fold(0, |all, word| all | word) & TOPS == 0
}

/// How far the text goes, from `at` on, where no whole block is left.
fn tail_len(text: &[u8], mut at: usize) -> usize {
    while let Some(byte) = text.get(at) {
        let step = if is_special(*byte) { escape_len(text, at) } else { 1 };
        if step == 0 {
            break;
        }
        at += step;
    }
    at
}

/// How long the escape is that stands there; 0 if none does.
#[inline]
fn escape_len(text: &[u8], at: usize) -> usize {
    match text.get(at..) {
        Some([b'\\', b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't', ..]) => 2,
        Some([b'\\', b'u', digits @ ..])
            if digits
                .first_chunk()
                .is_some_and(|four: &[u8; 4]| four.iter().all(u8::is_ascii_hexdigit)) =>
        {
            6
        }
        _ => 0,
    }
}

const fn is_special(byte: u8) -> bool {
    matches!(byte, b'"' | b'\\' | 0..0x20)
}

/// A bit for each byte that is a quote, a backslash or a control character, the first one's lowest.
fn marks(block: &[u8; BLOCK]) -> u64 {
    let (blocks, _) = block.as_chunks::<16>();
    blocks.iter().rev().fold(0, |marks, block| marks << 16 | u64::from(marks_of_16(block)))
}

#[cfg(target_arch = "x86_64")]
#[expect(
    unsafe_code,
    reason = "the compiler does not take the architecture's word for its features"
)]
fn marks_of_16(block: &[u8; 16]) -> u16 {
    // SAFETY: every processor of this architecture has SSE2.
    unsafe { marks_by_sse2(block) }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "sse2")]
#[inline]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "bits, not numbers")]
#[expect(clippy::cast_possible_wrap, reason = "bits, not numbers")]
fn marks_by_sse2(block: &[u8; 16]) -> u16 {
    use std::arch::x86_64::{
        _mm_cmpeq_epi8, _mm_min_epu8, _mm_movemask_epi8, _mm_or_si128, _mm_set_epi64x,
        _mm_set1_epi8,
    };
    let bits = u128::from_le_bytes(*block);
    let bytes = _mm_set_epi64x((bits >> 64) as i64, bits as i64);
    let quotes = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(b'"' as i8));
    let slashes = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(b'\\' as i8));
    let controls = _mm_cmpeq_epi8(bytes, _mm_min_epu8(bytes, _mm_set1_epi8(0x1f)));
    _mm_movemask_epi8(_mm_or_si128(_mm_or_si128(quotes, slashes), controls)) as u16
}

#[cfg(not(target_arch = "x86_64"))]
fn marks_of_16(block: &[u8; 16]) -> u16 {
    // Without early exit: this is what makes it vector code.
    if !block.iter().fold(false, |any, byte| any | is_special(*byte)) {
        return 0;
    }
    block.iter().rev().fold(0, |marks, byte| marks << 1 | u16::from(is_special(*byte)))
}

const ONES: u64 = 0x0101_0101_0101_0101;
const TOPS: u64 = 0x8080_8080_8080_8080;

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

/// The top bit of each byte that is a quote or a backslash, exact for the lowest such byte (borrows of
/// the subtractions run upwards only), with rubbish in the other bits.
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

    use super::{escape_len, is_special, string_len, text_extent};

    /// How far it goes; it must not be taken for ASCII if it is none.
    fn text_len(text: &[u8]) -> usize {
        let extent = text_extent(text);
        assert!(!extent.ascii || text[..extent.len].is_ascii());
        assert!(extent.ascii || !text.is_ascii());
        extent.len
    }

    /// Byte by byte.
    fn expected(text: &[u8]) -> usize {
        let mut at = 0;
        while at < text.len() {
            match (escape_len(text, at), text[at]) {
                (0, byte) if is_special(byte) => break,
                (0, _) => at += 1,
                (escape, _) => at += escape,
            }
        }
        at
    }

    proptest! {
        #[test]
        fn one_odd_byte_among_plain_ones_is_found_wherever_it_stands(
            mut text in proptest::collection::vec(0x23_u8..=0x5b, 0..400),
            special in any::<u8>(),
            at in any::<prop::sample::Index>(),
        ) {
            if !text.is_empty() {
                let at = at.index(text.len());
                text[at] = special;
            }
            prop_assert_eq!(text_len(&text), expected(&text));
            let ends = |byte: &u8| matches!(byte, b'"' | b'\\');
            prop_assert_eq!(string_len(&text), text.iter().position(ends).unwrap_or(text.len()));
        }

        #[test]
        fn any_bytes_are_measured_as_one_by_one(text in proptest::collection::vec(any::<u8>(), 0..300)) {
            prop_assert_eq!(text_len(&text), expected(&text));
        }

        #[test]
        fn one_letter_beyond_ascii_is_noticed_wherever_it_stands(
            mut text in proptest::collection::vec(0x23_u8..=0x5b, 1..300),
            letter in 0x80_u8..,
            at in any::<prop::sample::Index>(),
        ) {
            let at = at.index(text.len());
            text[at] = letter;
            prop_assert!(!text_extent(&text).ascii);
        }

        #[test]
        fn escapes_are_passed_over_wherever_they_stand(
            text in "([a-z ]{0,70}(\\\\([\"\\\\/bfnrt]|u[0-9a-fA-F]{4})){0,40}){0,8}(\\\\u00e|\\\\x|\"|\n|\\\\)?[a-z]{0,80}",
        ) {
            prop_assert_eq!(text_len(text.as_bytes()), expected(text.as_bytes()));
        }
    }
}
