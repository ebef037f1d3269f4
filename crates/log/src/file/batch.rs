//! Lines that are appended together, and what is told of that.

use std::path::PathBuf;
use std::time::SystemTime;

use crate::failure::Failure;
use crate::file::identity::Identity;

/// Lines to append.
pub(crate) struct Batch<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) lengths: &'a [usize],
    /// How many of them came before a time.
    pub(crate) before: &'a dyn Fn(SystemTime) -> usize,
}

/// Who is told of each write, before and after.
pub(crate) trait Progress {
    /// What follows is written to that file from that offset on.
    fn intend(&mut self, file: Identity, offset: u64);
    /// So many bytes more are written.
    fn wrote(&mut self, bytes: usize);
    /// Nothing was.
    fn failed(&mut self);
}

impl Progress for () {
    fn intend(&mut self, _file: Identity, _offset: u64) {}
    fn wrote(&mut self, _bytes: usize) {}
    fn failed(&mut self) {}
}

/// How far an append came.
#[derive(Debug, Default)]
pub(crate) struct Appended {
    /// Lines that are in the file.
    pub(crate) lines: usize,
    /// Where files went that were rotated before.
    pub(crate) rotated: Vec<PathBuf>,
    /// Why a file was appended to that should have been rotated.
    pub(crate) stuck: Option<Failure>,
}
