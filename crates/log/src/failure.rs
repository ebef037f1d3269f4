//! What goes wrong with files.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// What was done when it went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Making the folder.
    Folder,
    /// Opening the file.
    Open,
    /// Locking it.
    Lock,
    /// Appending to it.
    Write,
    /// Having the disk take it.
    Sync,
    /// Giving it another name.
    Rename,
    /// Having a link lead to it.
    Link,
    /// Compressing one that was rotated.
    Compress,
    /// Removing one.
    Remove,
    /// Keeping lines that wait in a file of their own.
    Journal,
    /// Finding them there again.
    Recover,
}

impl Step {
    fn text(self) -> &'static str {
        match self {
            Self::Folder => "make the folder",
            Self::Open => "open",
            Self::Lock => "lock",
            Self::Write => "write to",
            Self::Sync => "sync",
            Self::Rename => "rotate",
            Self::Link => "make the link",
            Self::Compress => "compress",
            Self::Remove => "remove",
            Self::Journal => "keep lines in",
            Self::Recover => "recover all lines of",
        }
    }
}

/// An operation on a file that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What was done.
    pub step: Step,
    /// On what.
    pub path: PathBuf,
    /// The system's number of the error, where it has one.
    pub errno: Option<i32>,
    /// What the system says.
    pub message: String,
}

impl Failure {
    /// Of an error at a step.
    pub(crate) fn of(step: Step, path: &Path) -> impl FnOnce(io::Error) -> Self + use<> {
        let path = path.to_owned();
        move |error| Self { step, path, errno: error.raw_os_error(), message: error.to_string() }
    }
}

/// What kept something from coming about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Hindrance {
    /// Somebody holds the lock: it is to be tried again.
    Busy,
    Failed(Failure),
    /// The file can be written, but not rotated.
    Stuck(Failure),
}

impl From<Failure> for Hindrance {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "cannot {} '{}': {}", self.step.text(), self.path.display(), self.message)
    }
}

impl std::error::Error for Failure {}
