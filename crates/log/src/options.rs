//! How a log is kept.

use std::path::PathBuf;
use std::time::Duration;

use crate::rotation::schedule::Schedule;

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

/// Where lines go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// To a file.
    File(Box<FileOptions>),
    /// To the standard output of the process.
    Stdout,
    /// To its standard error.
    Stderr,
}

/// How rotated files are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// As gzip does (RFC 1952).
    Gzip,
    /// As zstd does (RFC 8878).
    Zstd,
}

/// Which rotated files stay.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Keep {
    /// So many of the newest at most.
    pub count: Option<usize>,
    /// Those that were rotated no longer ago.
    pub age: Option<Duration>,
    /// As many of the newest as have no more bytes in all, compressed or not.
    pub bytes: Option<u64>,
}

/// How a file is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileOptions {
    /// The file. Its folder is made if it is not there.
    pub path: PathBuf,
    /// The file is rotated before a line would make it longer, if it can be; 0: never.
    pub max_size: u64,
    /// When it is rotated, whatever its size.
    pub schedule: Option<Schedule>,
    /// Which rotated files stay.
    pub keep: Keep,
    /// How rotated files are compressed, in the background.
    pub compression: Option<Compression>,
    /// A symbolic link that leads to the file.
    pub symlink: Option<PathBuf>,
    /// Its permissions from its making on, where the system has such; otherwise what the process has by default.
    pub mode: Option<u32>,
}

impl FileOptions {
    /// A file that is never rotated.
    #[must_use]
    pub fn new(path: PathBuf) -> Self {
        Self { path, max_size: 0, schedule: None, keep: Keep::default(), compression: None, symlink: None, mode: None }
    }
}

/// How a log is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Where its lines go.
    pub target: Target,
    /// Bytes that may wait to be written. With a journal each line takes eight more.
    pub max_bytes: usize,
    /// Lines that may wait to be written.
    pub max_lines: usize,
    /// What becomes of lines beyond these bounds.
    pub on_full: OnFull,
    /// For how long a line waits for others to be written with.
    pub flush_interval: Duration,
    /// So many bytes are written at once, however young they are.
    pub flush_bytes: usize,
    /// For how long the last handle tries to write what is left.
    pub patience: Duration,
    /// Lines that wait are also in a file beside the log, from which the next process has them if this one is killed.
    pub journal: bool,
    /// Lines that are objects of JSON get a number in the order in which they were taken in. What is dropped leaves a gap.
    pub numbered: bool,
}
