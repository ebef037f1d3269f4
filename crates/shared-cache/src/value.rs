//! What is stored under a key.

use std::borrow::Cow;

use crate::bytes::Bytes;
use crate::packing;

/// The kind of a number, which `add` counts with: 8 bytes, an `f64` in little-endian order.
pub const NUMBER: u8 = 0;

/// Bytes, and what they mean.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Value {
    /// How the bytes are to be read. All kinds but [`NUMBER`] are the writer's own.
    pub kind: u8,
    /// Whether the bytes are compressed.
    pub(crate) is_packed: bool,
    pub(crate) bytes: Bytes,
}

impl Value {
    /// Bytes of a kind.
    #[must_use]
    pub fn new(kind: u8, bytes: impl Into<Vec<u8>>) -> Self {
        Self { kind, is_packed: false, bytes: bytes.into().into() }
    }

    /// The value that `add` makes of a number.
    #[must_use]
    pub fn number(number: f64) -> Self {
        Self::new(NUMBER, number.to_le_bytes())
    }

    /// The number, if it is one.
    #[must_use]
    pub fn as_number(&self) -> Option<f64> {
        let bytes = <[u8; 8]>::try_from(&*self.bytes).ok()?;
        (self.kind == NUMBER && !self.is_packed).then(|| f64::from_le_bytes(bytes))
    }

    /// The value with its bytes compressed, if they are so many or more and become fewer. Numbers stay numbers.
    #[must_use]
    pub fn packed_from(self, least: usize) -> Self {
        if self.is_packed || self.kind == NUMBER || self.bytes.len() < least {
            return self;
        }
        match packing::pack(&self.bytes) {
            Some(packed) => Self { is_packed: true, bytes: packed.into(), ..self },
            None => self,
        }
    }

    /// The bytes as they were given; `None` where what is said to be compressed is not.
    #[must_use]
    pub fn bytes(&self) -> Option<Cow<'_, [u8]>> {
        if self.is_packed { packing::unpack(&self.bytes).map(Cow::Owned) } else { Some(Cow::Borrowed(&self.bytes)) }
    }

    /// How many bytes those are, or are said to be.
    pub(crate) fn length(&self) -> usize {
        if self.is_packed { packing::length(&self.bytes).unwrap_or(0) } else { self.bytes.len() }
    }
}

/// A value as it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The value.
    pub value: Value,
    /// Which write it is from. No other write to the cache has the same, and later writes to the key have higher ones.
    pub version: u64,
}
