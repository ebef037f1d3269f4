//! JSON pointers (RFC 6901), and patterns of them.

use std::fmt;

use super::name;

/// Why a pointer is malformed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PointerError {
    /// It is not empty and does not begin with `/`.
    NoSlash,
    /// A `~` is not followed by `0` or `1`.
    BadEscape,
}

impl fmt::Display for PointerError {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(match self {
            Self::NoSlash => "a pointer is empty or begins with '/'",
            Self::BadEscape => "in a pointer '~' is written '~0', and '/' inside of a name '~1'",
        })
    }
}

impl std::error::Error for PointerError {}

/// One step down: to the member of an object, or the element of an array.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    /// Well-formed WTF-8.
    pub(super) name: Vec<u8>,
    /// The element it means in an array; `-`, which is one past the last, is none.
    pub(super) index: Option<usize>,
}

/// The way from a document's root to one value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pointer {
    pub(super) tokens: Vec<Token>,
}

impl Pointer {
    /// Parses a pointer of UTF-16 units.
    ///
    /// # Errors
    ///
    /// Where RFC 6901 has no such pointer.
    pub fn parse(units: &[u16]) -> Result<Self, PointerError> {
        Ok(Self { tokens: segments(units)?.map(token).collect::<Result<_, _>>()? })
    }
}

/// A pointer whose segments `*` stand for every element or member there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    /// What is between the stars: always one more than there are stars.
    pub(super) parts: Vec<Pointer>,
}

impl Pattern {
    /// Parses a pattern of UTF-16 units.
    ///
    /// # Errors
    ///
    /// As [`Pointer::parse`].
    pub fn parse(units: &[u16]) -> Result<Self, PointerError> {
        let mut parts = vec![Pointer::default()];
        for segment in segments(units)? {
            if *segment == [u16::from(b'*')] {
                parts.push(Pointer::default());
            } else if let Some(last) = parts.last_mut() {
                last.tokens.push(token(segment)?);
            }
        }
        Ok(Self { parts })
    }
}

fn segments(units: &[u16]) -> Result<impl Iterator<Item = &[u16]>, PointerError> {
    let slash = u16::from(b'/');
    if units.first().is_some_and(|first| *first != slash) {
        return Err(PointerError::NoSlash);
    }
    Ok(units.split(move |unit| *unit == slash).skip(1))
}

fn token(segment: &[u16]) -> Result<Token, PointerError> {
    const TILDE: u16 = b'~' as u16;
    let mut name = name::from_units(segment);
    if segment.contains(&TILDE) {
        let mut bytes = name.iter();
        let mut plain = Vec::with_capacity(name.len());
        while let Some(byte) = bytes.next() {
            plain.push(match (byte, byte == &b'~') {
                (byte, false) => *byte,
                _ => match bytes.next() {
                    Some(b'0') => b'~',
                    Some(b'1') => b'/',
                    _ => return Err(PointerError::BadEscape),
                },
            });
        }
        name = plain;
    }
    let index = index(&name);
    Ok(Token { name, index })
}

/// The number that `name` is the usual form of.
pub(super) fn index(name: &[u8]) -> Option<usize> {
    // Fewer digits than any usize of 64 bits has room for; no document has that many elements.
    if name.is_empty() || name.len() > 18 || (name[0] == b'0' && name.len() > 1) || !name.iter().all(u8::is_ascii_digit)
    {
        return None;
    }
    Some(name.iter().fold(0, |sum: u64, digit| sum * 10 + u64::from(digit - b'0'))).map(|sum| sum as usize)
}
