//! What a caller is willing to read.

/// Bounds of a document; `None` is no bound.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of text, as UTF-8 and uncompressed.
    pub max_bytes: Option<u64>,
    /// Containers inside each other: `1` has 0, `[]` has 1.
    pub max_depth: Option<u32>,
    /// Members of all objects together, duplicates counted.
    pub max_keys: Option<u64>,
}
