//! Why a snapshot was not read.

use std::{fmt, io};

/// Why a snapshot was not read.
#[derive(Debug)]
#[non_exhaustive]
pub enum SnapshotError {
    /// It does not begin as one.
    NotASnapshot,
    /// It is of a version that this one does not know.
    Version(u32),
    /// Something in it is not as it was written.
    Damaged {
        /// Where that was noticed, in bytes from its beginning.
        offset: u64,
    },
    /// It cannot be read, or not be opened.
    Io(io::Error),
}

impl fmt::Display for SnapshotError {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotASnapshot => to.write_str("this is not a snapshot of a shared cache"),
            Self::Version(version) => write!(to, "the snapshot is of version {version}, which is not known here"),
            Self::Damaged { offset } => write!(to, "the snapshot is damaged at byte {offset} or before it"),
            Self::Io(error) => write!(to, "the snapshot cannot be read: {error}"),
        }
    }
}

impl std::error::Error for SnapshotError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        if let Self::Io(error) = self { Some(error) } else { None }
    }
}

impl From<io::Error> for SnapshotError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}
