//! Walking over JSON strings.
//!
//! Prompts are mostly this, so it decides what a request body costs: a block at a time is compared with
//! all that needs a look, and what SDKs write most of that is, line breaks and quotes behind a backslash,
//! is passed over without leaving the loop. Where the processor has [wider](super::wide) registers than
//! every one of its architecture, a block is one or two of them.

#[cfg(target_arch = "x86_64")]
use super::wide;

/// Bytes that are compared at once.
pub(super) const BLOCK: usize = 64;

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
    #[cfg(target_arch = "x86_64")]
    if let Some(extent) = wide::text_extent(text) {
        return extent;
    }
    extent_by_any(text)
}

/// With what every processor of the architecture has.
fn extent_by_any(text: &[u8]) -> Extent {
    // What was met, or-ed together by columns: that costs next to nothing beside the comparisons.
    let mut met = [0; BLOCK / 8];
    let look = |block: &[u8; BLOCK]| {
        gather(&mut met, block);
        marks(block)
    };
    let len = walk(text, look, |_, _| false);
    Extent { len, ascii: are_ascii(&met) && is_tail_ascii(text) }
}

/// How far the text goes. `look` tells of a block which bytes are quotes, backslashes or control
/// characters, a bit for each, the first one's lowest. `passes` is asked of a block in which there are
/// some, without those that belong to an escape before it: whether none of them ends the text, nor
/// an escape leads out of the block. It may say no where it does not know.
#[inline(always)]
#[expect(clippy::inline_always, reason = "for the registers of its callers")]
pub(super) fn walk(
    text: &[u8],
    mut look: impl FnMut(&[u8; BLOCK]) -> u64,
    passes: impl Fn(&[u8; BLOCK], u64) -> bool,
) -> usize {
    let (blocks, _) = text.as_chunks::<BLOCK>();
    // Bytes of the next block that an escape has taken.
    let mut taken = 0;
    let mut at = 0;
    for block in blocks {
        let marks = look(block) & (u64::MAX << taken);
        taken = 0;
        if marks != 0 && !passes(block, marks) {
            match pass(text, at, marks) {
                Passed::To(next) => taken = next,
                Passed::Ended(len) => return len,
            }
        }
        at += BLOCK;
    }
    tail_len(text, at + taken)
}

/// What is behind the marks of a block.
enum Passed {
    /// The text goes on in the next block, of which so many bytes belong to an escape.
    To(usize),
    /// It ends after so many bytes.
    Ended(usize),
}

/// Passes over the escapes of the block that begins `at`, one by one.
#[inline]
fn pass(text: &[u8], at: usize, mut marks: u64) -> Passed {
    loop {
        let offset = marks.trailing_zeros() as usize;
        if offset >= BLOCK {
            return Passed::To(0);
        }
        let escape = escape_len(text, at + offset);
        if escape == 0 {
            return Passed::Ended(at + offset);
        }
        let behind = offset + escape;
        if behind >= BLOCK {
            return Passed::To(behind - BLOCK);
        }
        marks &= u64::MAX << behind;
    }
}

fn gather(met: &mut [u64; BLOCK / 8], block: &[u8; BLOCK]) {
    let (words, _) = block.as_chunks::<8>();
    for (met, word) in met.iter_mut().zip(words) {
        *met |= u64::from_ne_bytes(*word);
    }
}

/// Whether what is left behind the last whole block is ASCII.
pub(super) fn is_tail_ascii(text: &[u8]) -> bool {
    text.as_chunks::<BLOCK>().1.is_ascii()
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

    use super::{Extent, escape_len, extent_by_any, is_special, string_len, text_extent};

    /// As every way finds it that this processor has.
    fn extents(text: &[u8]) -> impl Iterator<Item = Extent> {
        let mut extents = vec![text_extent(text), extent_by_any(text)];
        #[cfg(target_arch = "x86_64")]
        {
            extents.extend(super::wide::extent_by_avx2(text));
            extents.extend(super::wide::extent_by_avx512(text));
        }
        extents.into_iter()
    }

    /// How far it goes; it must not be taken for ASCII if it is none.
    fn text_len(text: &[u8]) -> usize {
        let lens = extents(text).map(|extent| {
            assert!(!extent.ascii || text[..extent.len].is_ascii());
            assert!(extent.ascii || !text.is_ascii());
            extent.len
        });
        let lens: Vec<usize> = lens.collect();
        assert!(lens.iter().all(|len| *len == lens[0]), "{lens:?}");
        lens[0]
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
            prop_assert!(extents(&text).all(|extent| !extent.ascii));
        }

        #[test]
        fn escapes_are_passed_over_wherever_they_stand(
            text in "([a-z ]{0,70}(\\\\([\"\\\\/bfnrt]|u[0-9a-fA-F]{4})){0,40}){0,8}(\\\\u00e|\\\\x|\"|\n|\\\\)?[a-z]{0,80}",
        ) {
            prop_assert_eq!(text_len(text.as_bytes()), expected(text.as_bytes()));
        }
    }
}
