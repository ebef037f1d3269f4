//! Reads validated text, token by token.
//!
//! Text that is not JSON is found out at times and misread at others, but never read past its end.

/// The text is not JSON after all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Malformed;

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;

/// A place in a text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reader<'a> {
    pub text: &'a [u8],
    pub at: usize,
}

impl<'a> Reader<'a> {
    pub fn new(text: &'a [u8]) -> Self {
        Self { text, at: 0 }
    }

    /// The byte here; 0 at the end.
    #[inline]
    pub fn byte(&self) -> u8 {
        self.text.get(self.at).copied().unwrap_or(0)
    }

    /// Passes white space. Returns the byte after it; 0 at the end.
    #[inline]
    pub fn peek(&mut self) -> u8 {
        loop {
            let byte = self.byte();
            if byte > b' ' || !matches!(byte, b' ' | b'\n' | b'\r' | b'\t') {
                return byte;
            }
            self.at += 1;
        }
    }

    /// Passes white space and `byte`.
    #[inline]
    pub fn expect(&mut self, byte: u8) -> Result<(), Malformed> {
        if self.peek() != byte {
            return Err(Malformed);
        }
        self.at += 1;
        Ok(())
    }

    /// Passes white space and `byte`, if that comes next.
    #[inline]
    pub fn accept(&mut self, byte: u8) -> bool {
        let found = self.peek() == byte;
        self.at += usize::from(found);
        found
    }

    /// Passes a comma, or `close`. Returns whether it was a comma.
    #[inline]
    pub fn comma_or(&mut self, close: u8) -> Result<bool, Malformed> {
        let byte = self.peek();
        self.at += 1;
        if byte == b',' {
            Ok(true)
        } else if byte == close {
            Ok(false)
        } else {
            Err(Malformed)
        }
    }

    /// Passes the string that starts here. Returns its token, with quotes.
    pub fn string(&mut self) -> Result<&'a [u8], Malformed> {
        let start = self.at;
        if self.byte() != b'"' {
            return Err(Malformed);
        }
        let mut at = start + 1;
        loop {
            at += until_special(self.text.get(at..).unwrap_or_default());
            match self.text.get(at) {
                Some(b'"') => break,
                Some(_) => at += 2,
                None => return Err(Malformed),
            }
        }
        self.at = at + 1;
        Ok(&self.text[start..self.at])
    }

    /// Passes the number that starts here, if there is one. Returns its token.
    #[inline]
    pub fn number(&mut self) -> &'a [u8] {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let length = rest.iter().position(|byte| !is_of_number(*byte)).unwrap_or(rest.len());
        self.at += length;
        &rest[..length]
    }

    /// Passes `literal`.
    pub fn literal(&mut self, literal: &[u8]) -> Result<(), Malformed> {
        if !self.text.get(self.at..).unwrap_or_default().starts_with(literal) {
            return Err(Malformed);
        }
        self.at += literal.len();
        Ok(())
    }

    /// Passes the value after white space. Returns its text.
    pub fn skip(&mut self) -> Result<&'a [u8], Malformed> {
        let first = self.peek();
        let start = self.at;
        match first {
            b'"' => {
                self.string()?;
            }
            b'{' | b'[' => self.skip_container()?,
            b'n' => self.literal(b"null")?,
            b't' => self.literal(b"true")?,
            b'f' => self.literal(b"false")?,
            _ if self.number().is_empty() => return Err(Malformed),
            _ => {}
        }
        Ok(&self.text[start..self.at])
    }

    /// Passes brackets that match in number; what is between them was checked before.
    fn skip_container(&mut self) -> Result<(), Malformed> {
        let mut depth = 0_usize;
        loop {
            match self.text.get(self.at).ok_or(Malformed)? {
                b'"' => {
                    self.string()?;
                    continue;
                }
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth -= 1,
                _ => {}
            }
            self.at += 1;
            if depth == 0 {
                return Ok(());
            }
        }
    }
}

fn is_of_number(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E')
}

/// How many bytes come before the first quote or backslash, or all of them.
fn until_special(text: &[u8]) -> usize {
    let mut at = 0;
    while let Some(chunk) = text.get(at..).and_then(<[u8]>::first_chunk::<8>) {
        let found = quotes_and_escapes(u64::from_le_bytes(*chunk));
        if found != 0 {
            return at + (found.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    let rest = &text[at..];
    at + rest.iter().position(|byte| matches!(byte, b'"' | b'\\')).unwrap_or(rest.len())
}

/// The highest bit of each byte that is a quote or a backslash. Bits above the first may be wrong.
#[inline]
fn quotes_and_escapes(word: u64) -> u64 {
    let quotes = word ^ (ONES * b'"' as u64);
    let escapes = word ^ (ONES * b'\\' as u64);
    ((quotes.wrapping_sub(ONES) & !quotes) | (escapes.wrapping_sub(ONES) & !escapes)) & HIGHS
}

/// How many bytes come before the first one that is a quote, a backslash or not ASCII; 16 for none.
#[inline]
pub(super) fn plain_prefix(chunk: &[u8; 16]) -> usize {
    let word = u128::from_le_bytes(*chunk);
    let low = word as u64;
    let high = (word >> 64) as u64;
    let found = quotes_and_escapes(low) | (low & HIGHS);
    if found != 0 {
        return (found.trailing_zeros() / 8) as usize;
    }
    let found = quotes_and_escapes(high) | (high & HIGHS);
    // No bit gives 64, that is 8 bytes more.
    8 + (found.trailing_zeros() / 8) as usize
}
