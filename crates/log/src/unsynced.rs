//! Files that were let go of before the disk had all that was appended to them.

use std::collections::VecDeque;
use std::fs::File;
use std::io;

/// Nobody may ever ask for them, and open files are few.
const MOST: usize = 8;

/// Open, as they may have any name by now.
#[derive(Debug, Default)]
pub(crate) struct Unsynced {
    files: VecDeque<File>,
    /// Of one that is not kept any more, for who asks next.
    failure: Option<io::Error>,
}

impl Unsynced {
    /// Keeps a file until it is asked for, without its lock.
    pub(crate) fn keep(&mut self, file: File) {
        // What was removed, or compressed and removed, would take room on the disk as long as it is open.
        self.files.retain(has_name);
        if self.files.len() == MOST
            && let Some(oldest) = self.files.pop_front()
        {
            // By then the system has mostly done so.
            self.sync_now(&oldest);
        }
        match file.unlock() {
            Ok(()) => self.files.push_back(file),
            // The lock ends with the file.
            Err(_) => self.sync_now(&file),
        }
    }

    fn sync_now(&mut self, file: &File) {
        self.failure = file.sync_data().err().or(self.failure.take());
    }

    /// Has the disk take all.
    pub(crate) fn sync(&mut self) -> io::Result<()> {
        self.failure.take().map_or(Ok(()), Err)?;
        while let Some(file) = self.files.front() {
            file.sync_data()?;
            self.files.pop_front();
        }
        Ok(())
    }
}

#[cfg(unix)]
fn has_name(file: &File) -> bool {
    use std::os::unix::fs::MetadataExt;
    file.metadata().is_ok_and(|found| found.nlink() > 0)
}

#[cfg(not(unix))]
fn has_name(_file: &File) -> bool {
    true
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::fs::{self, File};

    use super::{MOST, Unsynced};

    /// The system knows no disk of this one, and says so.
    fn file_that_fails() -> File {
        File::open("/dev/null").expect("a file")
    }

    #[test]
    fn whoever_asks_is_told_of_all_and_of_those_that_were_too_many() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = || File::create(folder.path().join("app.log")).expect("a file");
        let mut unsynced = Unsynced::default();
        unsynced.keep(file());
        unsynced.keep(file_that_fails());
        assert!(unsynced.sync().is_err());
        let mut unsynced = Unsynced::default();
        unsynced.keep(file_that_fails());
        for _ in 0..MOST {
            unsynced.keep(file());
        }
        assert_eq!(unsynced.files.len(), MOST);
        assert!(unsynced.sync().is_err());
        assert!(unsynced.sync().is_ok());
        assert_eq!(unsynced.files.len(), 0);
    }

    #[test]
    fn files_that_were_removed_take_no_room() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut unsynced = Unsynced::default();
        for name in ["one", "two"] {
            let path = folder.path().join(name);
            unsynced.keep(File::create(&path).expect("a file"));
            fs::remove_file(path).expect("its removal");
        }
        assert_eq!(unsynced.files.len(), 1);
    }
}
