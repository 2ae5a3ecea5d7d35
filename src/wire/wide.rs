//! Walking over JSON strings with registers that only newer x86 processors have.
//!
//! Compared with [all of them](super::plain) have: twice or four times as many bytes at once, and the
//! escapes that are usual in prompts are passed over without a branch for each.

use std::arch::x86_64::{
    __m256i, _mm256_cmpeq_epi8, _mm256_loadu_si256, _mm256_min_epu8, _mm256_movemask_epi8,
    _mm256_or_si256, _mm256_set1_epi8, _mm256_setzero_si256, _mm512_cmpeq_epi8_mask,
    _mm512_cmplt_epu8_mask, _mm512_loadu_si512, _mm512_movepi8_mask, _mm512_or_si512,
    _mm512_set1_epi8, _mm512_setzero_si512,
};

use super::plain::{BLOCK, Extent, is_tail_ascii, walk};

type Block = [u8; BLOCK];

const QUOTE: i8 = b'"'.cast_signed();
const SLASH: i8 = b'\\'.cast_signed();
const LINE: i8 = b'n'.cast_signed();
const TAB: i8 = b't'.cast_signed();
/// The first character that is none of control.
const SPACE: i8 = b' '.cast_signed();

/// How far the text goes; `None` where the processor has no such registers.
#[inline]
pub(super) fn text_extent(text: &[u8]) -> Option<Extent> {
    extent_by_avx512(text).or_else(|| extent_by_avx2(text))
}

/// The first processors with AVX-512 slow down when they use it; those that have VBMI, too, do not.
#[inline]
#[expect(unsafe_code, reason = "the compiler cannot know what the processor has")]
pub(super) fn extent_by_avx512(text: &[u8]) -> Option<Extent> {
    let has = is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512vbmi")
        && is_x86_feature_detected!("bmi1");
    // SAFETY: the processor has what it needs.
    has.then(|| unsafe { by_avx512(text) })
}

#[inline]
#[expect(unsafe_code, reason = "the compiler cannot know what the processor has")]
pub(super) fn extent_by_avx2(text: &[u8]) -> Option<Extent> {
    let has = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("bmi1");
    // SAFETY: the processor has what it needs.
    has.then(|| unsafe { by_avx2(text) })
}

/// Whether a block has usual escapes alone: every backslash stands before a quote, `n` or `t`, every quote
/// behind a backslash, and there is no control character.
const fn is_usual(marks: u64, slashes: u64, quotes: u64, letters: u64) -> bool {
    let escaped = slashes << 1;
    let leads_out = slashes & (1 << (BLOCK - 1));
    let stops = marks & !slashes & !(escaped & quotes);
    leads_out | (slashes & escaped) | stops | (escaped & !(quotes | letters)) == 0
}

#[target_feature(enable = "avx512bw,bmi1")]
#[expect(unsafe_code, reason = "a load takes a pointer")]
fn by_avx512(text: &[u8]) -> Extent {
    let mut met = _mm512_setzero_si512();
    // SAFETY: a block is as long as the register.
    let load = |block: &Block| unsafe { _mm512_loadu_si512(block.as_ptr().cast()) };
    let look = |block: &Block| {
        let bytes = load(block);
        met = _mm512_or_si512(met, bytes);
        _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8(QUOTE))
            | _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8(SLASH))
            | _mm512_cmplt_epu8_mask(bytes, _mm512_set1_epi8(SPACE))
    };
    let passes = |block: &Block, marks: u64| {
        let bytes = load(block);
        let slashes = marks & _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8(SLASH));
        let quotes = _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8(QUOTE));
        let letters = _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8(LINE))
            | _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8(TAB));
        is_usual(marks, slashes, quotes, letters)
    };
    let len = walk(text, look, passes);
    Extent { len, ascii: _mm512_movepi8_mask(met) == 0 && is_tail_ascii(text) }
}

#[target_feature(enable = "avx2,bmi1")]
#[expect(unsafe_code, reason = "a load takes a pointer")]
fn by_avx2(text: &[u8]) -> Extent {
    let mut met = _mm256_setzero_si256();
    let load = |block: &Block| {
        let from = block.as_ptr();
        // SAFETY: half a block is as long as the register.
        unsafe { (_mm256_loadu_si256(from.cast()), _mm256_loadu_si256(from.add(BLOCK / 2).cast())) }
    };
    let bits = |low: __m256i, high: __m256i| {
        let bits = |half| u64::from(_mm256_movemask_epi8(half).cast_unsigned());
        bits(low) | bits(high) << (BLOCK / 2)
    };
    let are = |half: __m256i, byte: i8| _mm256_cmpeq_epi8(half, _mm256_set1_epi8(byte));
    let specials = |half: __m256i| {
        let controls = _mm256_cmpeq_epi8(half, _mm256_min_epu8(half, _mm256_set1_epi8(SPACE - 1)));
        _mm256_or_si256(_mm256_or_si256(are(half, QUOTE), are(half, SLASH)), controls)
    };
    let look = |block: &Block| {
        let (low, high) = load(block);
        met = _mm256_or_si256(met, _mm256_or_si256(low, high));
        bits(specials(low), specials(high))
    };
    let letters = |half: __m256i| _mm256_or_si256(are(half, LINE), are(half, TAB));
    let passes = |block: &Block, marks: u64| {
        let (low, high) = load(block);
        let slashes = marks & bits(are(low, SLASH), are(high, SLASH));
        let quotes = bits(are(low, QUOTE), are(high, QUOTE));
        is_usual(marks, slashes, quotes, bits(letters(low), letters(high)))
    };
    let len = walk(text, look, passes);
    Extent { len, ascii: _mm256_movemask_epi8(met) == 0 && is_tail_ascii(text) }
}
