//! Runs of bytes: the inner loops of the scanner.

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;

/// The first byte from `at` on that is no plain byte of a string: a quote, a backslash or a control character;
/// or the end.
#[inline(always)]
pub(super) fn skip_plain(text: &[u8], mut at: usize) -> usize {
    while let Some(block) = text.get(at..at + 8).and_then(|block| <[u8; 8]>::try_from(block).ok()) {
        let word = u64::from_le_bytes(block);
        // The lowest set bit of each is right, and only that one is looked at.
        let quotes = zero_bytes(word ^ (ONES * b'"' as u64));
        let slashes = zero_bytes(word ^ (ONES * b'\\' as u64));
        let controls = word.wrapping_sub(ONES * 0x20) & !word & HIGHS;
        let special = quotes | slashes | controls;
        if special != 0 {
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

#[inline(always)]
fn zero_bytes(word: u64) -> u64 {
    word.wrapping_sub(ONES) & !word & HIGHS
}

/// The first byte from `at` on that is not white space, or the end.
#[inline(always)]
pub(super) fn skip_white(text: &[u8], mut at: usize) -> usize {
    while let Some(b' ' | b'\n' | b'\r' | b'\t') = text.get(at) {
        at += 1;
    }
    at
}

/// The first byte from `at` on that is no digit, or the end.
#[inline(always)]
pub(super) fn skip_digits(text: &[u8], mut at: usize) -> usize {
    while let Some(b'0'..=b'9') = text.get(at) {
        at += 1;
    }
    at
}
