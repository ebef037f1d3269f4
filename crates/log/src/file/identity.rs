//! Which file a file is.

use std::fs::Metadata;

/// The same for all names and handles of a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Identity(pub(crate) [u64; 2]);

impl Identity {
    #[cfg(unix)]
    pub(crate) fn of(metadata: &Metadata) -> Self {
        use std::os::unix::fs::MetadataExt;
        Self([metadata.dev(), metadata.ino()])
    }

    /// The time at which it was made: nothing else tells on all systems.
    #[cfg(not(unix))]
    pub(crate) fn of(metadata: &Metadata) -> Self {
        let made = metadata.created().ok().and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
        Self(made.map_or([0, 0], |made| [made.as_secs(), u64::from(made.subsec_nanos())]))
    }
}
