//! What is wrong with a text, and where.

/// The kinds of faults.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FaultKind {
    /// The text is not JSON.
    Syntax,
    /// The text has more bytes than `Limits::max_bytes`.
    Bytes,
    /// Containers nest deeper than `Limits::max_depth`.
    Depth,
    /// The objects have more members in all than `Limits::max_keys`.
    Keys,
}

/// A text that is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What kind of fault it is.
    pub kind: FaultKind,
    /// For people: what was found where, and what was due.
    pub message: String,
    /// UTF-16 units before the fault.
    pub position: u64,
    /// Its line, from 1.
    pub line: u64,
    /// Its column in UTF-16 units, from 1.
    pub column: u64,
    /// About 40 units of the text around it, control characters shown as escapes.
    pub excerpt: String,
}
