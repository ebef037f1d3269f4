//! What is stored under a key.

use std::sync::Arc;

/// The kind of a number, which `add` counts with: 8 bytes, an `f64` in little-endian order.
pub const NUMBER: u8 = 0;

/// Bytes, and what they mean.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Value {
    /// How the bytes are to be read. All kinds but [`NUMBER`] are the writer's own.
    pub kind: u8,
    /// The bytes. Readers share them with the cache, so that nobody copies under a lock.
    pub bytes: Arc<[u8]>,
}

impl Value {
    /// The value that `add` makes of a number.
    #[must_use]
    pub fn number(number: f64) -> Self {
        Self { kind: NUMBER, bytes: Arc::new(number.to_le_bytes()) }
    }

    /// The number, if it is one.
    #[must_use]
    pub fn as_number(&self) -> Option<f64> {
        let bytes = <[u8; 8]>::try_from(&*self.bytes).ok()?;
        (self.kind == NUMBER).then(|| f64::from_le_bytes(bytes))
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
