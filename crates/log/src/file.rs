//! A file that lines are appended to, by several processes at once.
//!
//! Whoever appends or rotates holds the system's lock of the file itself. Its path may lead to another file by the time
//! that the lock is held, as somebody else has rotated meanwhile: then that one is opened and locked instead. So nothing is
//! appended to a file after it was rotated, but by who knows nothing of the lock.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::failure::{Failure, Step};
use crate::names;

/// A file that is opened when it is needed.
pub(crate) struct LogFile {
    path: PathBuf,
    max_size: u64,
    file: Option<File>,
}

/// How far an append came.
#[derive(Debug, Default)]
pub(crate) struct Appended {
    /// Lines that are in the file.
    pub(crate) lines: usize,
    /// Where files went that were rotated before.
    pub(crate) rotated: Vec<PathBuf>,
}

impl LogFile {
    pub(crate) fn new(path: &Path, max_size: u64) -> Self {
        Self { path: path.to_owned(), max_size, file: None }
    }

    /// Makes the folder and the file.
    pub(crate) fn create(&mut self) -> Result<(), Failure> {
        self.open().map(|file| self.file = Some(file))
    }

    /// Appends lines of these lengths, as many as it comes to; with an error that stopped it. A line that did not get in as
    /// a whole is taken out again.
    pub(crate) fn append(&mut self, bytes: &[u8], lengths: &[usize]) -> (Appended, Result<(), Failure>) {
        let mut appended = Appended::default();
        let outcome = self.append_all(bytes, lengths, &mut appended);
        if outcome.is_err() {
            // It may be another one that the path leads to when it is tried again, and the lock goes with the file.
            self.file = None;
        }
        (appended, outcome)
    }

    fn append_all(&mut self, bytes: &[u8], lengths: &[usize], appended: &mut Appended) -> Result<(), Failure> {
        let (mut from, mut rest) = (0, lengths);
        while !rest.is_empty() {
            let (file, size) = self.locked()?;
            let (count, length) = fitting(rest, size, self.max_size);
            if count == 0 {
                appended.rotated.push(self.rename(file)?);
                continue;
            }
            let part = &bytes[from..from + length];
            let written = (&file).write_all(part);
            if written.is_err() {
                // As long as the lock is held nobody has appended behind it. What cannot be cut off stays torn.
                _ = file.set_len(size);
            }
            self.release(file);
            written.map_err(Failure::of(Step::Write, &self.path))?;
            appended.lines += count;
            (from, rest) = (from + length, &rest[count..]);
        }
        Ok(())
    }

    /// Gives the file another name, if there is anything in it, and begins a new one.
    pub(crate) fn rotate(&mut self) -> Result<Option<PathBuf>, Failure> {
        let (file, size) = self.locked()?;
        if size == 0 {
            self.release(file);
            return Ok(None);
        }
        let name = self.rename(file)?;
        self.create()?;
        Ok(Some(name))
    }

    /// Has the disk take what was appended.
    pub(crate) fn sync(&mut self) -> Result<(), Failure> {
        let file = self.file.as_ref();
        file.map_or(Ok(()), File::sync_data).map_err(Failure::of(Step::Sync, &self.path))
    }

    /// Lets go of the file: the next append opens what the path leads to then.
    pub(crate) fn close(&mut self) {
        self.file = None;
    }

    fn open(&self) -> Result<File, Failure> {
        let mut options = OpenOptions::new();
        options.append(true).create(true);
        match options.open(&self.path) {
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            opened => return opened.map_err(Failure::of(Step::Open, &self.path)),
        }
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        fs::create_dir_all(folder).map_err(Failure::of(Step::Folder, folder))?;
        options.open(&self.path).map_err(Failure::of(Step::Open, &self.path))
    }

    /// The file that the path leads to, locked, and its size.
    fn locked(&mut self) -> Result<(File, u64), Failure> {
        loop {
            let file = self.file.take().map_or_else(|| self.open(), Ok)?;
            file.lock().map_err(Failure::of(Step::Lock, &self.path))?;
            let own = file.metadata().map_err(Failure::of(Step::Open, &self.path))?;
            if fs::metadata(&self.path).is_ok_and(|found| is_same(&own, &found)) {
                return Ok((file, own.len()));
            }
        }
    }

    /// Unlocks the file and keeps it.
    fn release(&mut self, file: File) {
        // Where that fails the lock ends with the file.
        self.file = file.unlock().is_ok().then_some(file);
    }

    /// Gives a locked file another name. The lock ends with the file that is dropped here, after it has that name.
    fn rename(&self, file: File) -> Result<PathBuf, Failure> {
        let is_taken = |name: &Path| fs::symlink_metadata(name).is_ok();
        let name = names::rotated(&self.path, SystemTime::now(), is_taken);
        fs::rename(&self.path, &name).map_err(Failure::of(Step::Rename, &self.path))?;
        drop(file);
        Ok(name)
    }
}

/// How many of the lines may be appended to a file of that size, and their length in all. One line always fits in an empty
/// file.
fn fitting(lengths: &[usize], size: u64, max_size: u64) -> (usize, usize) {
    let (mut count, mut total) = (0, 0);
    for length in lengths {
        let is_first = size == 0 && count == 0;
        if max_size > 0 && !is_first && size + (total + length) as u64 > max_size {
            break;
        }
        (count, total) = (count + 1, total + length);
    }
    (count, total)
}

#[cfg(unix)]
fn is_same(one: &Metadata, other: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

/// The times at which they were made: nothing else tells on all systems.
#[cfg(not(unix))]
fn is_same(one: &Metadata, other: &Metadata) -> bool {
    matches!((one.created(), other.created()), (Ok(one), Ok(other)) if one == other)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::PathBuf;

    use super::LogFile;

    fn folder() -> tempfile::TempDir {
        tempfile::tempdir().expect("a folder")
    }

    fn files(folder: &tempfile::TempDir) -> Vec<(PathBuf, String)> {
        let entries = fs::read_dir(folder.path()).expect("the folder");
        let mut found: Vec<_> = entries
            .map(|entry| entry.expect("an entry").path())
            .map(|path| (path.clone(), fs::read_to_string(&path).expect("its text")))
            .collect();
        found.sort();
        found
    }

    #[test]
    fn lines_are_appended_and_folders_made() {
        let folder = folder();
        let path = folder.path().join("a/b/app.log");
        let mut file = LogFile::new(&path, 0);
        let (appended, outcome) = file.append(b"one\ntwo\n", &[4, 4]);
        assert_eq!((appended.lines, outcome), (2, Ok(())));
        assert_eq!(file.append(b"three\n", &[6]).1, Ok(()));
        assert_eq!(fs::read_to_string(&path).expect("its text"), "one\ntwo\nthree\n");
    }

    #[test]
    fn no_file_is_longer_than_allowed_but_by_one_line_alone() {
        let folder = folder();
        let mut file = LogFile::new(&folder.path().join("app.log"), 10);
        let (appended, outcome) = file.append(b"1234\n6789\nabc\nthis one is long\nx\n", &[5, 5, 4, 17, 2]);
        assert_eq!((appended.lines, outcome, appended.rotated.len()), (5, Ok(()), 3));
        let texts: Vec<String> = files(&folder).into_iter().map(|(_, text)| text).collect();
        for text in ["1234\n6789\n", "abc\n", "this one is long\n", "x\n"] {
            assert!(texts.iter().any(|other| other == text), "{text:?} in {texts:?}");
        }
        assert_eq!(texts.len(), 4);
    }

    #[test]
    fn a_file_that_was_taken_away_is_made_again() {
        let folder = folder();
        let path = folder.path().join("app.log");
        let mut file = LogFile::new(&path, 0);
        assert_eq!(file.append(b"1\n", &[2]).1, Ok(()));
        fs::rename(&path, folder.path().join("moved.log")).expect("a rename");
        assert_eq!(file.append(b"2\n", &[2]).1, Ok(()));
        assert_eq!(fs::read_to_string(&path).expect("its text"), "2\n");
        fs::remove_dir_all(folder.path()).expect("a removal");
        assert_eq!(file.append(b"3\n", &[2]).1, Ok(()));
        assert_eq!(fs::read_to_string(&path).expect("its text"), "3\n");
    }

    #[test]
    fn an_empty_file_is_not_rotated() {
        let folder = folder();
        let mut file = LogFile::new(&folder.path().join("app.log"), 0);
        assert_eq!(file.rotate(), Ok(None));
        assert_eq!(file.append(b"1\n", &[2]).1, Ok(()));
        let name = file.rotate().expect("a rotation").expect("a name");
        assert_eq!(fs::read_to_string(name).expect("its text"), "1\n");
        assert_eq!(files(&folder).len(), 2);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_full_disk_is_an_error_and_leaves_nothing_torn() {
        let mut file = LogFile::new(std::path::Path::new("/dev/full"), 0);
        let (appended, outcome) = file.append(b"1\n", &[2]);
        assert_eq!((appended.lines, outcome.map_err(|failure| failure.errno)), (0, Err(Some(28))));
    }

    #[test]
    fn threads_with_files_of_their_own_lose_nothing_while_each_of_them_rotates() {
        const LINES: usize = 400;
        let folder = folder();
        let path = folder.path().join("app.log");
        std::thread::scope(|scope| {
            for writer in 0..4 {
                let path = &path;
                scope.spawn(move || {
                    let mut file = LogFile::new(path, 300);
                    for number in 0..LINES {
                        let line = format!("{writer} {number}\n");
                        let (appended, outcome) = file.append(line.as_bytes(), &[line.len()]);
                        assert_eq!((appended.lines, outcome), (1, Ok(())));
                        if number % 50 == writer {
                            file.rotate().expect("a rotation");
                        }
                    }
                });
            }
        });
        let mut lines: Vec<String> =
            files(&folder).iter().flat_map(|(_, text)| text.lines().map(str::to_owned).collect::<Vec<_>>()).collect();
        let mut expected: Vec<String> =
            (0..4).flat_map(|writer| (0..LINES).map(move |number| format!("{writer} {number}"))).collect();
        lines.sort();
        expected.sort();
        assert_eq!(lines, expected);
    }
}
