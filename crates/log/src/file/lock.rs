//! The lock of a file, for which nobody waits for long.
//!
//! Whoever holds one may be stopped, by a debugger or a full terminal, for as long as it likes. An attempt therefore ends
//! soon, and who made it sees what else there is to do before the next.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use crate::file::identity::Identity;

/// For how long one attempt goes on.
const PATIENCE: Duration = Duration::from_millis(50);
/// Between two looks; doubles up to the second. It begins with less than a write takes, as others go on writing: who looks
/// rarely would seldom find the lock free.
const LEAST_PAUSE: Duration = Duration::from_micros(20);
const LONGEST_PAUSE: Duration = Duration::from_millis(1);
/// So often another file may be found at the path within one attempt, which is more than anybody can rotate.
const MOST_FILES: u32 = 1000;

/// An attempt to get the lock of the file that a path leads to.
pub(crate) struct Attempt {
    until: Instant,
    pause: Duration,
    files: u32,
}

impl Attempt {
    pub(crate) fn new() -> Self {
        Self { until: Instant::now() + PATIENCE, pause: LEAST_PAUSE, files: 0 }
    }

    /// Locks the file, or pauses; `None`: somebody has it, and it is time to give up.
    pub(crate) fn lock(&mut self, file: &File) -> io::Result<Option<bool>> {
        match file.try_lock() {
            Ok(()) => Ok(Some(true)),
            Err(TryLockError::WouldBlock) if Instant::now() < self.until => {
                thread::sleep(self.pause);
                self.pause = (self.pause * 2).min(LONGEST_PAUSE);
                Ok(Some(false))
            }
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    /// The path leads to another file than the one that was opened.
    ///
    /// # Errors
    /// It does so whenever one looks.
    pub(crate) fn is_elsewhere(&mut self) -> io::Result<()> {
        self.files += 1;
        if self.files < MOST_FILES { Ok(()) } else { Err(io::Error::other("it is another file whenever it is opened")) }
    }
}

/// Whether the path leads to that file.
pub(crate) fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    let own = Identity::of(&file.metadata()?);
    Ok(fs::metadata(path).is_ok_and(|found| Identity::of(&found) == own))
}
