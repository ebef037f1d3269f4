//! How a log is kept.

use std::path::PathBuf;
use std::time::Duration;

/// What becomes of a line for which there is no room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnFull {
    /// The oldest lines make room for it.
    DropOldest,
    /// It is dropped.
    DropNewest,
    /// Who pushes it waits for room, so long at most; then it is dropped.
    Block(Duration),
}

/// How a log is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// The file. Its folder is made if it is not there.
    pub path: PathBuf,
    /// Bytes that may wait to be written.
    pub max_bytes: usize,
    /// Lines that may wait to be written.
    pub max_lines: usize,
    /// What becomes of lines beyond these bounds.
    pub on_full: OnFull,
    /// For how long a line waits for others to be written with.
    pub flush_interval: Duration,
    /// So many bytes are written at once, however young they are.
    pub flush_bytes: usize,
    /// The file is rotated before a line would make it longer; 0: never.
    pub max_size: u64,
    /// For how long the last handle tries to write what is left.
    pub patience: Duration,
}
