//! A file that lines are appended to, by several processes at once.
//!
//! Whoever appends or rotates holds the system's lock of the file itself. Its path may lead to another file by the time
//! that the lock is held, as somebody else has rotated meanwhile: then that one is opened and locked instead. So nothing is
//! appended to a file after it was rotated, but by who knows nothing of the lock.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::batch::{Appended, Batch, Progress};
use crate::failure::{Failure, Hindrance, Step};
use crate::identity::Identity;
use crate::link;
use crate::lock::{self, Attempt};
use crate::names::{self, Form};
use crate::open::open;
use crate::options::FileOptions;
use crate::period::Period;
use crate::unsynced::Unsynced;

/// A file that is opened when it is needed.
pub(crate) struct LogFile {
    options: FileOptions,
    file: Option<File>,
    /// Its length after the last append.
    end: u64,
    period: Option<Period>,
    /// The file whose period has ended, and when: it stays overdue when lines are appended because it cannot be rotated.
    overdue: Option<(Identity, SystemTime)>,
    /// Whether files are rotated; otherwise they are appended to whatever their size and age.
    rotates: bool,
    /// The time in the name that was given last.
    named: Option<SystemTime>,
    /// Something was appended to it that the disk may not have.
    is_unsynced: bool,
    /// Of files from before.
    unsynced: Unsynced,
    clock: fn() -> SystemTime,
}

/// The file that the path leads to, locked.
struct Locked {
    file: File,
    identity: Identity,
    size: u64,
    /// It was begun in an earlier period, which ended at that time.
    ended: Option<SystemTime>,
}

impl LogFile {
    pub(crate) fn new(options: &FileOptions) -> Self {
        let period = options.schedule.clone().map(Period::new);
        Self {
            options: options.clone(),
            file: None,
            end: 0,
            period,
            overdue: None,
            rotates: true,
            named: None,
            is_unsynced: false,
            unsynced: Unsynced::default(),
            clock: SystemTime::now,
        }
    }

    /// Makes the folder, the file and the link to it.
    pub(crate) fn create(&mut self) -> Result<(), Failure> {
        self.file = Some(self.open()?);
        self.options.symlink.as_ref().map_or(Ok(()), |from| link::lead(from, &self.options.path))
    }

    /// Appends lines, as many as it comes to; with what stopped it. A line that did not get in as a whole is taken
    /// out again.
    pub(crate) fn append(&mut self, batch: &Batch, progress: &mut dyn Progress) -> (Appended, Result<(), Hindrance>) {
        let mut appended = Appended::default();
        let outcome = self.append_all(batch, progress, &mut appended);
        if let Err(Hindrance::Failed(_)) = outcome {
            // It may be another one that the path leads to when it is tried again.
            self.close();
        }
        (appended, outcome)
    }

    fn append_all(
        &mut self,
        batch: &Batch,
        progress: &mut dyn Progress,
        appended: &mut Appended,
    ) -> Result<(), Hindrance> {
        let mut from = 0;
        while appended.lines < batch.lengths.len() {
            let locked = self.locked()?;
            let rest = &batch.lengths[appended.lines..];
            let (ended, max_size) = if self.rotates { (locked.ended, self.options.max_size) } else { (None, 0) };
            let due = ended.map_or(rest.len(), |ended| (batch.before)(ended).saturating_sub(appended.lines));
            let (count, length) = fitting(&rest[..due.min(rest.len())], locked.size, max_size);
            if count == 0 {
                self.rotate_for(locked, appended);
                continue;
            }
            progress.intend(locked.identity, locked.size);
            if let Err(failure) = self.write(&locked, &batch.bytes[from..from + length]) {
                progress.failed();
                self.let_go(locked.file);
                return Err(failure.into());
            }
            progress.wrote(length);
            (appended.lines, from) = (appended.lines + count, from + length);
            if ended.is_some() {
                // From now on the file does not look as old as it is.
                self.rotate_for(locked, appended);
            } else {
                self.release(locked.file);
            }
        }
        Ok(())
    }

    /// Rotates the file for what is appended next. Where that fails the lines go to it all the same: they would wait for as
    /// long as, say, nobody may write to the folder.
    fn rotate_for(&mut self, locked: Locked, appended: &mut Appended) {
        match self.rename() {
            Ok(name) => {
                self.let_go(locked.file);
                appended.rotated.push(name);
            }
            Err(failure) => {
                appended.stuck = Some(failure);
                self.rotates = false;
                self.release(locked.file);
            }
        }
    }

    /// Whether files are rotated, or appended to for now whatever their size and age.
    pub(crate) fn let_rotate(&mut self, rotates: bool) {
        self.rotates = rotates;
    }

    fn write(&mut self, Locked { file, size, .. }: &Locked, bytes: &[u8]) -> Result<(), Failure> {
        let mut file: &File = file;
        let written = file.write_all(bytes);
        self.is_unsynced = true;
        if written.is_err() {
            // As long as the lock is held nobody has appended behind it. What cannot be cut off stays torn.
            _ = file.set_len(*size);
        }
        self.end = size + bytes.len() as u64;
        written.map_err(self.failure(Step::Write))
    }

    /// Gives the file another name, if there is anything in it, and begins a new one.
    pub(crate) fn rotate(&mut self) -> Result<Option<PathBuf>, Hindrance> {
        self.rotate_if(|locked| locked.size > 0)
    }

    /// When the schedule wants it to be looked at next.
    pub(crate) fn next_turn(&self) -> Option<SystemTime> {
        self.overdue.map(|(_, ended)| ended).or_else(|| self.period.as_ref()?.next())
    }

    /// Rotates the file if its period is over.
    pub(crate) fn turn(&mut self) -> Result<Option<PathBuf>, Hindrance> {
        self.rotate_if(|locked| locked.ended.is_some())
    }

    fn rotate_if(&mut self, wanted: impl FnOnce(&Locked) -> bool) -> Result<Option<PathBuf>, Hindrance> {
        let locked = self.locked()?;
        if !wanted(&locked) {
            self.release(locked.file);
            return Ok(None);
        }
        match self.rename() {
            Ok(name) => {
                self.let_go(locked.file);
                // Where that fails the next append says so.
                self.file = self.open().ok();
                Ok(Some(name))
            }
            Err(failure) => {
                self.release(locked.file);
                Err(Hindrance::Stuck(failure))
            }
        }
    }

    /// Has the disk take what was appended, to whatever file.
    pub(crate) fn sync(&mut self) -> Result<(), Failure> {
        let file = self.file.as_ref().filter(|_| self.is_unsynced);
        let synced = self.unsynced.sync().and_then(|()| file.map_or(Ok(()), File::sync_data));
        self.is_unsynced &= synced.is_err();
        synced.map_err(self.failure(Step::Sync))
    }

    /// Lets go of the file: the next append opens what the path leads to then.
    pub(crate) fn close(&mut self) {
        if let Some(file) = self.file.take() {
            self.let_go(file);
        }
    }

    /// Ends the lock with the file, which may have any name by now.
    fn let_go(&mut self, file: File) {
        if std::mem::take(&mut self.is_unsynced) {
            self.unsynced.lost(&file);
        }
    }

    fn open(&self) -> Result<File, Failure> {
        open(&self.options)
    }

    fn locked(&mut self) -> Result<Locked, Hindrance> {
        let mut attempt = Attempt::new();
        loop {
            let file = self.file.take().map_or_else(|| self.open(), Ok)?;
            // Looked at before each try: one that was rotated may be locked for as long as it is compressed.
            if !self.is_current(&file)? {
                self.let_go(file);
                attempt.is_elsewhere().map_err(self.failure(Step::Open))?;
                continue;
            }
            match attempt.lock(&file).map_err(self.failure(Step::Lock)) {
                Ok(Some(true)) if self.is_current(&file)? => return Ok(self.look_at(file)?),
                Ok(Some(_)) => self.file = Some(file),
                Ok(None) => {
                    self.file = Some(file);
                    return Err(Hindrance::Busy);
                }
                Err(failure) => {
                    self.let_go(file);
                    return Err(failure.into());
                }
            }
        }
    }

    fn look_at(&mut self, file: File) -> Result<Locked, Failure> {
        let own = file.metadata().map_err(self.failure(Step::Open))?;
        let (path, now) = (&self.options.path, (self.clock)());
        let identity = Identity::of(&own);
        let ended = self.period.as_mut().and_then(|period| period.ended(&own, now, || rotations(path)));
        let ended = ended.or(self.overdue.filter(|(file, _)| *file == identity).map(|(_, ended)| ended));
        self.overdue = ended.map(|ended| (identity, ended));
        let mut size = own.len();
        if own.is_file() && size != self.end && is_torn(path, size) {
            // Of a writer that was killed: the next line begins on a line of its own.
            if let Err(error) = (&file).write_all(b"\n") {
                self.let_go(file);
                return Err(self.failure(Step::Write)(error));
            }
            size += 1;
        }
        Ok(Locked { file, identity, size, ended })
    }

    fn is_current(&self, file: &File) -> Result<bool, Failure> {
        lock::is_at(file, &self.options.path).map_err(self.failure(Step::Open))
    }

    /// Unlocks the file and keeps it.
    fn release(&mut self, file: File) {
        if file.unlock().is_ok() {
            self.file = Some(file);
        } else {
            // The lock ends with the file.
            self.let_go(file);
        }
    }

    /// Gives the file another name, whose lock is held.
    fn rename(&mut self) -> Result<PathBuf, Failure> {
        let is_taken = |name: &Path| fs::symlink_metadata(name).is_ok();
        let (name, time) = names::rotated(&self.options.path, (self.clock)(), self.named, is_taken);
        fs::rename(&self.options.path, &name).map_err(self.failure(Step::Rename))?;
        self.named = Some(time);
        if std::mem::take(&mut self.is_unsynced) {
            self.unsynced.rotated(&name);
        }
        self.overdue = None;
        Ok(name)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.options.path
    }

    fn failure(&self, step: Step) -> impl FnOnce(io::Error) -> Failure + use<> {
        Failure::of(step, &self.options.path)
    }
}

/// Whether a file that long does not end with a line.
fn is_torn(path: &Path, size: u64) -> bool {
    let last = || -> io::Result<u8> {
        let mut file = File::open(path)?;
        file.seek(SeekFrom::Start(size - 1))?;
        let mut last = [0];
        file.read_exact(&mut last)?;
        Ok(last[0])
    };
    // Who may write it may still not be allowed to read it.
    size > 0 && last().is_ok_and(|last| last != b'\n')
}

/// When the file was rotated, as far as the names of those in its folder tell.
fn rotations(path: &Path) -> Vec<SystemTime> {
    let found = names::list(path).unwrap_or_default();
    found.into_iter().filter(|(_, form, _)| !matches!(form, Form::Part(_))).map(|(time, ..)| time).collect()
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

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::{Path, PathBuf};
    use std::time::{Duration, SystemTime, UNIX_EPOCH};

    use super::{Appended, Batch, LogFile};
    use crate::failure::Hindrance;
    use crate::options::FileOptions;
    use crate::schedule::{Schedule, Zone};

    fn open(path: &Path, max_size: u64) -> LogFile {
        LogFile::new(&FileOptions { max_size, ..FileOptions::new(path.to_owned()) })
    }

    fn append(file: &mut LogFile, text: &str) -> (Appended, Result<(), Hindrance>) {
        let lengths: Vec<usize> = text.split_inclusive('\n').map(str::len).collect();
        file.append(&Batch { bytes: text.as_bytes(), lengths: &lengths, before: &|_| 0 }, &mut ())
    }

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

    fn texts(folder: &tempfile::TempDir) -> Vec<String> {
        files(folder).into_iter().map(|(_, text)| text).collect()
    }

    #[test]
    fn lines_are_appended_and_folders_made() {
        let folder = folder();
        let path = folder.path().join("a/b/app.log");
        let mut file = open(&path, 0);
        let (appended, outcome) = append(&mut file, "one\ntwo\n");
        assert_eq!((appended.lines, outcome), (2, Ok(())));
        assert_eq!(append(&mut file, "three\n").1, Ok(()));
        assert_eq!(fs::read_to_string(&path).expect("its text"), "one\ntwo\nthree\n");
    }

    #[test]
    fn no_file_is_longer_than_allowed_but_by_one_line_alone() {
        let folder = folder();
        let mut file = open(&folder.path().join("app.log"), 10);
        let (appended, outcome) = append(&mut file, "1234\n6789\nabc\nthis one is long\nx\n");
        assert_eq!((appended.lines, outcome, appended.rotated.len()), (5, Ok(()), 3));
        let texts = texts(&folder);
        for text in ["1234\n6789\n", "abc\n", "this one is long\n", "x\n"] {
            assert!(texts.iter().any(|other| other == text), "{text:?} in {texts:?}");
        }
        assert_eq!(texts.len(), 4);
    }

    #[test]
    fn a_file_that_was_taken_away_is_made_again() {
        let folder = folder();
        let path = folder.path().join("app.log");
        let mut file = open(&path, 0);
        assert_eq!(append(&mut file, "1\n").1, Ok(()));
        fs::rename(&path, folder.path().join("moved.log")).expect("a rename");
        assert_eq!(append(&mut file, "2\n").1, Ok(()));
        assert_eq!(fs::read_to_string(&path).expect("its text"), "2\n");
        fs::remove_dir_all(folder.path()).expect("a removal");
        assert_eq!(append(&mut file, "3\n").1, Ok(()));
        assert_eq!(fs::read_to_string(&path).expect("its text"), "3\n");
    }

    #[test]
    fn an_empty_file_is_not_rotated() {
        let folder = folder();
        let mut file = open(&folder.path().join("app.log"), 0);
        assert_eq!(file.rotate(), Ok(None));
        assert_eq!(append(&mut file, "1\n").1, Ok(()));
        let name = file.rotate().expect("a rotation").expect("a name");
        assert_eq!(fs::read_to_string(name).expect("its text"), "1\n");
        assert_eq!(files(&folder).len(), 2);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_full_disk_is_an_error_and_leaves_nothing_torn() {
        let mut file = open(Path::new("/dev/full"), 0);
        let (appended, outcome) = append(&mut file, "1\n");
        let Err(Hindrance::Failed(failure)) = outcome else { panic!("{outcome:?}") };
        assert_eq!((appended.lines, failure.errno), (0, Some(28)));
    }

    #[test]
    fn nobody_waits_long_for_who_holds_the_lock() {
        let folder = folder();
        let path = folder.path().join("app.log");
        let mut file = open(&path, 0);
        assert_eq!(append(&mut file, "1\n").1, Ok(()));
        let holder = fs::File::open(&path).expect("the file");
        holder.lock().expect("its lock");
        let (appended, outcome) = append(&mut file, "2\n");
        assert_eq!((appended.lines, outcome), (0, Err(Hindrance::Busy)));
        assert_eq!(file.rotate(), Err(Hindrance::Busy));
        // Somebody rotates, and keeps the lock: that of the new file is free.
        fs::rename(&path, folder.path().join("moved.log")).expect("a rename");
        assert_eq!(append(&mut file, "2\n").1, Ok(()));
        assert_eq!(texts(&folder), ["2\n", "1\n"]);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn files_that_were_rotated_are_on_the_disk_when_that_is_asked_for() {
        let folder = folder();
        let path = folder.path().join("app.log");
        let mut file = open(&path, 10);
        assert_eq!(append(&mut file, "1\n").1, Ok(()));
        let asked = file.rotate().expect("a rotation").expect("a name");
        let (appended, outcome) = append(&mut file, "123456789\nabcdefghi\n");
        assert_eq!((appended.rotated.len(), outcome), (1, Ok(())));
        for name in [&asked, &appended.rotated[0]] {
            fs::remove_file(name).expect("its removal");
            // The system knows no disk of this one, and says so.
            std::os::unix::fs::symlink("/dev/null", name).expect("a link");
            assert!(file.sync().is_err());
            fs::remove_file(name).expect("its removal");
        }
        assert_eq!(file.sync(), Ok(()));
        // What was asked for before is not asked for again.
        let name = file.rotate().expect("a rotation").expect("a name");
        fs::remove_file(&name).expect("its removal");
        std::os::unix::fs::symlink("/dev/null", &name).expect("a link");
        assert_eq!(file.sync(), Ok(()));
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn files_that_were_let_go_of_are_not_held_open() {
        let folder = folder();
        let (path, moved) = (folder.path().join("app.log"), folder.path().join("moved.log"));
        let is_held = |path: &Path| {
            let handles = fs::read_dir("/proc/self/fd").expect("the folder of handles").flatten();
            handles.filter_map(|handle| fs::read_link(handle.path()).ok()).any(|file| file == path)
        };
        let mut file = open(&path, 10);
        assert_eq!(append(&mut file, "1\n").1, Ok(()));
        assert!(is_held(&path));
        fs::rename(&path, &moved).expect("a rename");
        assert_eq!(append(&mut file, "2\n").1, Ok(()));
        let name = file.rotate().expect("a rotation").expect("a name");
        assert!(!is_held(&moved) && !is_held(&name));
        assert_eq!(append(&mut file, "3\n").1, Ok(()));
        file.close();
        assert!(!is_held(&path));
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
                    let mut file = open(path, 300);
                    for number in 0..LINES {
                        let line = format!("{writer} {number}\n");
                        let mut outcome = Err(Hindrance::Busy);
                        while outcome == Err(Hindrance::Busy) {
                            outcome = append(&mut file, &line).1;
                        }
                        assert_eq!(outcome, Ok(()));
                        if number % 50 == writer {
                            assert!(!matches!(file.rotate(), Err(Hindrance::Failed(_))));
                        }
                    }
                });
            }
        });
        let mut lines: Vec<String> =
            texts(&folder).iter().flat_map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>()).collect();
        let mut expected: Vec<String> =
            (0..4).flat_map(|writer| (0..LINES).map(move |number| format!("{writer} {number}"))).collect();
        lines.sort();
        expected.sort();
        assert_eq!(lines, expected);
    }

    /// A day after 1970 on which it is now, and on which the file was last written.
    fn daily(path: &Path, today: fn() -> SystemTime) -> LogFile {
        let schedule = Some(Schedule::new("@daily", Zone::Utc).expect("a schedule"));
        LogFile { clock: today, ..LogFile::new(&FileOptions { schedule, ..FileOptions::new(path.to_owned()) }) }
    }

    const DAY: Duration = Duration::from_secs(86_400);
    const NOON: Duration = Duration::from_secs(43_200);

    fn day(count: u32) -> SystemTime {
        UNIX_EPOCH + DAY * count
    }

    fn write_at(path: &Path, text: &str, time: SystemTime) {
        fs::write(path, text).expect("a file");
        fs::File::options().write(true).open(path).and_then(|file| file.set_modified(time)).expect("its time");
    }

    #[test]
    fn a_file_from_before_the_moment_is_rotated_by_the_first_who_writes_after_it() {
        let folder = folder();
        let path = folder.path().join("app.log");
        let (mut one, mut other) = (daily(&path, || day(20_000) + NOON), daily(&path, || day(20_000) + NOON));
        write_at(&path, "yesterday\n", day(20_000) - Duration::from_millis(1));
        let (appended, outcome) = append(&mut one, "today\n");
        assert_eq!((appended.lines, appended.rotated.len(), outcome), (1, 1, Ok(())));
        // As if the file system's clock were behind: that somebody has rotated counts.
        write_at(&path, "today\n", day(20_000) - Duration::from_millis(1));
        let (appended, outcome) = append(&mut other, "too\n");
        assert_eq!((appended.lines, appended.rotated.len(), outcome), (1, 0, Ok(())));
        assert_eq!(other.turn(), Ok(None));
        assert_eq!(one.next_turn(), Some(day(20_001)));
        assert_eq!(texts(&folder), ["yesterday\n", "today\ntoo\n"]);
    }

    #[test]
    fn lines_from_before_the_moment_go_to_the_file_of_their_time() {
        let folder = folder();
        let path = folder.path().join("app.log");
        let mut file = daily(&path, || day(20_000) + Duration::from_millis(30));
        write_at(&path, "1\n", day(20_000) - NOON);
        let batch =
            Batch { bytes: b"2\n3\n4\n", lengths: &[2, 2, 2], before: &|time| if time == day(20_000) { 2 } else { 0 } };
        let (appended, outcome) = file.append(&batch, &mut ());
        assert_eq!((appended.lines, appended.rotated.len(), outcome), (3, 1, Ok(())));
        assert_eq!(texts(&folder), ["1\n2\n3\n", "4\n"]);
    }

    #[test]
    fn a_file_is_rotated_at_its_moment_though_nobody_writes_and_an_empty_one_is_not() {
        let folder = folder();
        let path = folder.path().join("app.log");
        let mut file = daily(&path, || day(20_000));
        write_at(&path, "", day(19_000));
        assert_eq!(file.turn(), Ok(None));
        assert_eq!(file.next_turn(), Some(day(20_001)));
        let mut file = daily(&path, || day(20_001));
        // It has not looked yet, at what others may have left.
        assert!(file.next_turn().is_some_and(|turn| turn <= day(20_001)));
        write_at(&path, "old\n", day(20_000) + NOON);
        let name = file.turn().expect("a rotation").expect("a name");
        assert_eq!(name.file_name().and_then(|name| name.to_str()), Some("app-20241005-000000-000.log"));
        assert_eq!(file.turn(), Ok(None));
        assert_eq!(file.next_turn(), Some(day(20_002)));
        assert_eq!(files(&folder).len(), 2);
    }

    #[test]
    fn a_line_begins_on_a_line_of_its_own_whatever_was_there() {
        let folder = folder();
        let path = folder.path().join("app.log");
        fs::write(&path, "torn by a ki").expect("a file");
        let (mut one, mut other) = (open(&path, 0), open(&path, 0));
        assert_eq!(append(&mut one, "1\n").1, Ok(()));
        assert_eq!(append(&mut other, "2\n").1, Ok(()));
        assert_eq!(append(&mut one, "3\n").1, Ok(()));
        assert_eq!(fs::read_to_string(&path).expect("its text"), "torn by a ki\n1\n2\n3\n");
    }
}
