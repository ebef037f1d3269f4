//! Finding the ends of tokens in text that is known to be JSON.

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;

/// The end of the string token that begins at `at`, and whether it has escapes.
#[inline]
pub(super) fn string_end(text: &[u8], at: usize) -> (usize, bool) {
    let (mut at, mut escaped) = (at + 1, false);
    loop {
        at = quote_or_backslash(text, at);
        if text[at] == b'"' {
            return (at + 1, escaped);
        }
        escaped = true;
        at += 2;
    }
}

/// The end of the number or literal that begins at `at`.
#[inline]
pub(super) fn scalar_end(text: &[u8], mut at: usize) -> usize {
    while at < text.len() && !matches!(text[at], b',' | b']' | b'}' | b' ' | b'\n' | b'\r' | b'\t') {
        at += 1;
    }
    at
}

/// Where the first `"` or `\` from `at` on is.
#[inline]
fn quote_or_backslash(text: &[u8], mut at: usize) -> usize {
    while let Some(&chunk) = text.get(at..).and_then(<[u8]>::first_chunk) {
        let word = u64::from_le_bytes(chunk);
        // Beyond the first match these have false ones, which do not matter.
        let found = zeros(word ^ (ONES * u64::from(b'"'))) | zeros(word ^ (ONES * u64::from(b'\\')));
        if found != 0 {
            return at + found.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    while !matches!(text[at], b'"' | b'\\') {
        at += 1;
    }
    at
}

/// The high bit of each zero byte, exact up to the first.
#[inline]
fn zeros(word: u64) -> u64 {
    word.wrapping_sub(ONES) & !word & HIGHS
}
