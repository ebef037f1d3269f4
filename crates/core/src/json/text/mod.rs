//! Text between UTF-16, UTF-8 and WTF-8.
//!
//! Readers of WTF-8 take any bytes: what is not well-formed reads as some other text and does no other harm.

#[cfg(test)]
mod tests;

use std::borrow::Cow;

/// A character of WTF-8.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Char {
    Scalar(char),
    /// A surrogate without its other half.
    Surrogate(u16),
}

/// The character at the start of `text` and its length in bytes; none of an empty text.
pub(crate) fn first_char(text: &[u8]) -> Option<(Char, usize)> {
    let &lead = text.first()?;
    if lead < 0x80 {
        return Some((Char::Scalar(char::from(lead)), 1));
    }
    let (length, bits) = match lead {
        0xc0..0xe0 => (2, lead & 0x1f),
        0xe0..0xf0 => (3, lead & 0x0f),
        0xf0..0xf8 => (4, lead & 0x07),
        _ => return Some((Char::Scalar(char::REPLACEMENT_CHARACTER), 1)),
    };
    let mut code = u32::from(bits);
    for index in 1..length {
        match text.get(index) {
            Some(&byte) if byte & 0xc0 == 0x80 => code = code << 6 | u32::from(byte & 0x3f),
            _ => return Some((Char::Scalar(char::REPLACEMENT_CHARACTER), index)),
        }
    }
    let char = match code {
        #[expect(clippy::cast_possible_truncation, reason = "the pattern bounds it")]
        0xd800..0xe000 => Char::Surrogate(code as u16),
        _ => Char::Scalar(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER)),
    };
    Some((char, length))
}

/// Turns UTF-16, as JavaScript has it, into WTF-8. The text may arrive in pieces.
#[derive(Debug, Default)]
pub struct Utf16Decoder {
    /// A leading surrogate at the end of what has arrived.
    high: Option<u16>,
}

impl Utf16Decoder {
    /// Appends `units` to `out`, except for a surrogate at the end that may have its other half in the next piece.
    pub fn decode(&mut self, units: &[u16], out: &mut Vec<u8>) {
        out.reserve(units.len() + 3);
        let mut rest = units;
        while let Some((&unit, after)) = rest.split_first() {
            rest = match unit {
                _ if self.high.is_some() => self.pair(unit, rest, out),
                0xd800..0xdc00 => {
                    self.high = Some(unit);
                    after
                }
                0..0x80 => append_ascii(rest, out),
                _ => append_wide(rest, out),
            };
        }
    }

    /// The text ends: a surrogate that waited stays alone.
    pub fn finish(&mut self, out: &mut Vec<u8>) {
        if let Some(high) = self.high.take() {
            append_code(u32::from(high), out);
        }
    }

    /// Appends the leading surrogate that waited, with `unit` if that is its other half, and says what is left.
    fn pair<'a>(&mut self, unit: u16, units: &'a [u16], out: &mut Vec<u8>) -> &'a [u16] {
        let high = u32::from(self.high.take().unwrap_or_default());
        if let 0xdc00..0xe000 = unit {
            append_code(0x1_0000 + ((high - 0xd800) << 10) + (u32::from(unit) - 0xdc00), out);
            return &units[1..];
        }
        append_code(high, out);
        units
    }
}

/// Appends the ASCII at the start of `units`, or much of it, and says what is left.
#[expect(clippy::cast_possible_truncation, reason = "only ASCII is kept")]
fn append_ascii<'a>(units: &'a [u16], out: &mut Vec<u8>) -> &'a [u16] {
    const BLOCK: usize = 32;
    let mut rest = units;
    while let Some((block, after)) = rest.split_first_chunk::<BLOCK>() {
        if block.iter().fold(0, |all, unit| all | unit) >= 0x80 {
            break;
        }
        out.extend_from_slice(&block.map(|unit| unit as u8));
        rest = after;
    }
    let count = rest.iter().take(BLOCK).take_while(|&&unit| unit < 0x80).count();
    let (ascii, after) = rest.split_at(count);
    out.extend(ascii.iter().map(|&unit| unit as u8));
    after
}

/// Appends units of two or three bytes, but no leading surrogate, and says what is left.
fn append_wide<'a>(units: &'a [u16], out: &mut Vec<u8>) -> &'a [u16] {
    let wide = |unit: &&u16| **unit >= 0x80 && !(0xd800..0xdc00).contains(*unit);
    let count = units.iter().take_while(wide).count();
    let (wide, rest) = units.split_at(count);
    for &unit in wide {
        append_code(u32::from(unit), out);
    }
    rest
}

/// Appends a code point, surrogates included.
#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "every byte is masked or bounded by its arm")]
fn append_code(code: u32, out: &mut Vec<u8>) {
    let tail = |shift: u32| 0x80 | (code >> shift & 0x3f) as u8;
    match code {
        0..0x80 => out.push(code as u8),
        0x80..0x800 => out.extend_from_slice(&[0xc0 | (code >> 6) as u8, tail(0)]),
        0x800..0x1_0000 => out.extend_from_slice(&[0xe0 | (code >> 12) as u8, tail(6), tail(0)]),
        _ => out.extend_from_slice(&[0xf0 | (code >> 18) as u8, tail(12), tail(6), tail(0)]),
    }
}

/// Makes bytes valid UTF-8 as WHATWG's decoder does: what is not becomes U+FFFD. The text may arrive in pieces.
#[derive(Debug, Default)]
pub struct Utf8Sanitizer {
    /// The start of a character at the end of what has arrived, at most 3 bytes.
    partial: Vec<u8>,
}

impl Utf8Sanitizer {
    /// What stands for `bytes`: the very bytes where they are valid. The start of a character at their end waits
    /// for the next piece.
    pub fn sanitize<'a>(&mut self, bytes: &'a [u8]) -> Cow<'a, [u8]> {
        if self.partial.is_empty() {
            return match std::str::from_utf8(bytes) {
                Ok(_) => Cow::Borrowed(bytes),
                Err(error) if error.error_len().is_none() => {
                    let (valid, partial) = bytes.split_at(error.valid_up_to());
                    self.partial.extend_from_slice(partial);
                    Cow::Borrowed(valid)
                }
                Err(_) => Cow::Owned(self.replace(bytes)),
            };
        }
        let mut joined = std::mem::take(&mut self.partial);
        joined.extend_from_slice(bytes);
        Cow::Owned(self.replace(&joined))
    }

    /// The text ends: what stands for the start of a character that has waited.
    pub fn finish(&mut self) -> &'static [u8] {
        if self.partial.is_empty() {
            return b"";
        }
        self.partial.clear();
        "\u{fffd}".as_bytes()
    }

    fn replace(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(bytes.len() + 16);
        let mut rest = bytes;
        while let Err(error) = std::str::from_utf8(rest) {
            let (valid, bad) = rest.split_at(error.valid_up_to());
            out.extend_from_slice(valid);
            let Some(length) = error.error_len() else {
                self.partial.extend_from_slice(bad);
                return out;
            };
            out.extend_from_slice("\u{fffd}".as_bytes());
            rest = &bad[length..];
        }
        out.extend_from_slice(rest);
        out
    }
}

/// Text as JavaScript engines store it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Units {
    /// All units are at most U+00FF: one byte each.
    Latin1(Vec<u8>),
    /// One number a unit.
    Utf16(Vec<u16>),
}

impl Units {
    /// The memory of the units, in bytes.
    pub fn bytes(&self) -> usize {
        match self {
            Self::Latin1(units) => units.len(),
            Self::Utf16(units) => units.len() * 2,
        }
    }
}

impl Default for Units {
    fn default() -> Self {
        Self::Latin1(Vec::new())
    }
}

impl From<String> for Units {
    fn from(text: String) -> Self {
        narrow(text.as_bytes())
    }
}

/// The narrowest form of a text of WTF-8.
pub fn narrow(text: &[u8]) -> Units {
    if text.is_ascii() {
        return Units::Latin1(text.to_vec());
    }
    // C4 is the lead of U+0100. What is no lead at all reads as U+FFFD, which is wide too.
    if text.iter().all(|&byte| byte < 0xc4)
        && let Some(latin1) = latin1(text)
    {
        return Units::Latin1(latin1);
    }
    Units::Utf16(utf16(text))
}

fn latin1(text: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let ascii = ascii_prefix(rest);
        out.extend_from_slice(&rest[..ascii]);
        rest = &rest[ascii..];
        while let [lead @ (0xc2 | 0xc3), tail @ 0x80..0xc0, after @ ..] = rest {
            out.push(lead << 6 | tail & 0x3f);
            rest = after;
        }
        if rest.first().is_some_and(|&byte| byte >= 0x80) {
            return None;
        }
    }
    Some(out)
}

fn utf16(text: &[u8]) -> Vec<u16> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let ascii = ascii_prefix(rest);
        out.extend(rest[..ascii].iter().map(|&byte| u16::from(byte)));
        rest = &rest[ascii..];
        while let Some(&lead) = rest.first().filter(|&&lead| lead >= 0x80) {
            rest = match *rest {
                [0xc2..0xe0, tail @ 0x80..0xc0, ref after @ ..] => {
                    out.push(u16::from(lead & 0x1f) << 6 | u16::from(tail & 0x3f));
                    after
                }
                [0xe0..0xf0, middle @ 0x80..0xc0, tail @ 0x80..0xc0, ref after @ ..] => {
                    // Lone surrogates as they stand. The shift drops the mark of the lead.
                    out.push(u16::from(lead) << 12 | u16::from(middle & 0x3f) << 6 | u16::from(tail & 0x3f));
                    after
                }
                _ => append_char(rest, &mut out),
            };
        }
    }
    out
}

/// Appends the character at the start of `text`, and says what is left.
fn append_char<'a>(text: &'a [u8], out: &mut Vec<u16>) -> &'a [u8] {
    let (char, length) = first_char(text).unwrap_or((Char::Scalar(char::REPLACEMENT_CHARACTER), text.len()));
    match char {
        Char::Scalar(char) => out.extend_from_slice(char.encode_utf16(&mut [0; 2])),
        Char::Surrogate(unit) => out.push(unit),
    }
    &text[length..]
}

/// How many bytes at the start are ASCII.
fn ascii_prefix(text: &[u8]) -> usize {
    const HIGH_BITS: u64 = 0x8080_8080_8080_8080;
    let (words, tail) = text.as_chunks::<8>();
    for (index, word) in words.iter().enumerate() {
        let high = u64::from_le_bytes(*word) & HIGH_BITS;
        if high != 0 {
            return index * 8 + high.trailing_zeros() as usize / 8;
        }
    }
    let whole = words.len() * 8;
    whole + tail.iter().position(|&byte| byte >= 0x80).unwrap_or(tail.len())
}
