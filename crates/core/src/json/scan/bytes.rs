//! Runs of bytes: the inner loops of the scanner.

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;
/// The upper halves of bytes, and those of eight digits.
const UPPER: u64 = 0xf0f0_f0f0_f0f0_f0f0;
const DIGITS: u64 = 0x3030_3030_3030_3030;

#[inline(always)]
fn word_at(text: &[u8], at: usize) -> Option<u64> {
    text.get(at..at + 8)?.try_into().ok().map(u64::from_le_bytes)
}

/// The first byte from `at` on that is no plain byte of a string: a quote, a backslash or a control character;
/// or the end.
#[inline(always)]
pub(super) fn skip_plain(text: &[u8], mut at: usize) -> usize {
    #[cfg(target_arch = "x86_64")]
    while let Some(block) = text.get(at..at + 16).and_then(|block| block.first_chunk()) {
        // SAFETY: every x86-64 has SSE2.
        let special = unsafe { special_of_16(block) };
        if special != 0 {
            return at + special.trailing_zeros() as usize;
        }
        at += 16;
    }
    while let Some(word) = word_at(text, at) {
        let controls = word.wrapping_sub(ONES * 0x20) & !word & HIGHS;
        let special = zero_bytes(word ^ (ONES * b'"' as u64)) | zero_bytes(word ^ (ONES * b'\\' as u64)) | controls;
        if special != 0 {
            // Borrows set bits above the lowest one only.
            return at + special.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    while let Some(&byte) = text.get(at) {
        if byte == b'"' || byte == b'\\' || byte < 0x20 {
            break;
        }
        at += 1;
    }
    at
}

/// Which of 16 bytes are special to strings, a bit each.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "sse2")]
#[inline]
fn special_of_16(block: &[u8; 16]) -> u32 {
    use std::arch::x86_64::{
        _mm_cmpeq_epi8, _mm_min_epu8, _mm_movemask_epi8, _mm_or_si128, _mm_set_epi64x, _mm_set1_epi8,
    };
    let whole = u128::from_le_bytes(*block).cast_signed();
    let bytes = _mm_set_epi64x((whole >> 64) as i64, whole as i64);
    let quotes = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(b'"'.cast_signed()));
    let slashes = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(b'\\'.cast_signed()));
    let controls = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1f)), bytes);
    _mm_movemask_epi8(_mm_or_si128(_mm_or_si128(quotes, slashes), controls)).cast_unsigned()
}

#[inline(always)]
fn zero_bytes(word: u64) -> u64 {
    word.wrapping_sub(ONES) & !word & HIGHS
}

/// The first byte from `at` on that is not white space, or the end.
#[inline(always)]
pub(in crate::json) fn skip_white(text: &[u8], mut at: usize) -> usize {
    while let Some(b' ' | b'\n' | b'\r' | b'\t') = text.get(at) {
        at += 1;
    }
    at
}

/// The first byte from `at` on that is no digit, or the end.
#[inline(always)]
pub(super) fn skip_digits(text: &[u8], mut at: usize) -> usize {
    while let Some(word) = word_at(text, at) {
        // A digit has 3 above, and still has it with 6 more. A carry reaches bytes above the lowest set bit only.
        let others = ((word & UPPER) ^ DIGITS) | ((word.wrapping_add(ONES * 6) & UPPER) ^ DIGITS);
        if others != 0 {
            return at + others.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    while let Some(b'0'..=b'9') = text.get(at) {
        at += 1;
    }
    at
}
