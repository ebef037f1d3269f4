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
    for _ in 0..4 {
        let Some(word) = word_at(text, at) else { break };
        let special = special_bytes(word);
        if special != 0 {
            return at + special.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    skip_long_plain(text, at)
}

/// `skip_plain` for long strings and for the end of the text.
fn skip_long_plain(text: &[u8], mut at: usize) -> usize {
    // `|` and a fold, with no way out in the middle, are what compilers turn into SIMD.
    let special = |byte: u8| (byte == b'"') | (byte == b'\\') | (byte < 0x20);
    let is_plain = |block: &[u8; 32]| !block.iter().fold(false, |found, &byte| found | special(byte));
    while text.get(at..).and_then(|rest| rest.first_chunk()).is_some_and(is_plain) {
        at += 32;
    }
    text[at..].iter().position(|&byte| special(byte)).map_or(text.len(), |length| at + length)
}

/// The top bit of each byte that is special to strings; borrows set others above the lowest of them only.
#[inline(always)]
fn special_bytes(word: u64) -> u64 {
    let controls = word.wrapping_sub(ONES * 0x20) & !word & HIGHS;
    zero_bytes(word ^ (ONES * b'"' as u64)) | zero_bytes(word ^ (ONES * b'\\' as u64)) | controls
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
