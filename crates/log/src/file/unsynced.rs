//! What was let go of before the disk had all that was appended to it.

use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

/// Nobody may ever ask for them, and by the time there are more the system has mostly written the oldest by itself.
const MOST: usize = 64;

/// Nothing of it is held open: who removes a rotated file wants its room, and who took the file away may unmount its disk.
#[derive(Debug, Default)]
pub(crate) struct Unsynced {
    /// Somebody asks for the disk to have all.
    is_wanted: bool,
    /// The names of rotated files.
    rotated: VecDeque<PathBuf>,
    /// Of what cannot be asked for any more, for who asks next.
    failure: Option<io::Error>,
}

impl Unsynced {
    /// A file got another name, by which it is found when somebody asks.
    pub(crate) fn rotated(&mut self, name: &Path) {
        if self.rotated.len() == MOST
            && let Some(oldest) = self.rotated.pop_front()
        {
            self.note(sync_at(&oldest));
        }
        self.rotated.push_back(name.to_owned());
    }

    /// A file whose name is not known is let go of: the disk has to take it now, where somebody asks for that at all.
    pub(crate) fn lost(&mut self, file: &File) {
        if self.is_wanted {
            self.note(file.sync_data());
        }
    }

    fn note(&mut self, synced: io::Result<()>) {
        self.failure = synced.err().or(self.failure.take());
    }

    /// Has the disk take all.
    pub(crate) fn sync(&mut self) -> io::Result<()> {
        self.is_wanted = true;
        self.failure.take().map_or(Ok(()), Err)?;
        while let Some(name) = self.rotated.front() {
            sync_at(name)?;
            self.rotated.pop_front();
        }
        Ok(())
    }
}

/// Has the disk take the file of that name, whoever wrote it. One that is compressed by now, or removed, needs nothing.
fn sync_at(name: &Path) -> io::Result<()> {
    match OpenOptions::new().append(true).open(name) {
        Ok(file) => file.sync_data(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::fs::File;
    use std::path::Path;

    use super::{MOST, Unsynced};

    /// The system knows no disk of this one, and says so.
    const FAILS: &str = "/dev/null";

    #[test]
    fn whoever_asks_is_told_of_all_and_of_those_that_were_too_many() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("app.log");
        File::create(&path).expect("a file");
        let mut unsynced = Unsynced::default();
        unsynced.rotated(&path);
        unsynced.rotated(Path::new(FAILS));
        assert!(unsynced.sync().is_err());
        let mut unsynced = Unsynced::default();
        unsynced.rotated(Path::new(FAILS));
        for _ in 0..MOST {
            unsynced.rotated(&path);
        }
        assert_eq!(unsynced.rotated.len(), MOST);
        assert!(unsynced.sync().is_err());
        assert!(unsynced.sync().is_ok());
        assert!(unsynced.rotated.is_empty());
    }

    #[test]
    fn a_file_without_a_name_is_asked_for_at_once_where_somebody_asks_at_all() {
        let file = File::open(FAILS).expect("a file");
        let mut unsynced = Unsynced::default();
        unsynced.lost(&file);
        assert!(unsynced.sync().is_ok());
        unsynced.lost(&file);
        assert!(unsynced.sync().is_err());
    }

    #[test]
    fn a_file_that_was_removed_needs_nothing() {
        let mut unsynced = Unsynced::default();
        unsynced.rotated(Path::new("/nowhere/app.log"));
        assert!(unsynced.sync().is_ok());
    }
}
