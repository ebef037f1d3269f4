//! Lines that a process which is no more has left in its journal.

use std::io::{self, ErrorKind};
use std::time::{Duration, Instant};

use crate::failure::{Failure, Hindrance, Step};
use crate::file::LogFile;
use crate::file::batch::{Appended, Batch, Progress};
use crate::journal::Journal;
use crate::journal::trace;

/// For how long lines of this process wait for somebody who holds the lock of a file that those of another may be in.
const PATIENCE: Duration = Duration::from_secs(2);

/// A journal whose lines are being written.
pub(crate) struct Recovery {
    journal: Journal,
    /// Whether it is known how much of its batch was written before.
    is_checked: bool,
    /// When to check no more, once somebody was found to hold the lock of the file.
    give_up: Option<Instant>,
}

impl Recovery {
    pub(crate) fn new(journal: Journal) -> Self {
        Self { journal, is_checked: false, give_up: None }
    }

    /// Whether it is known how much of what was being written is in a file.
    pub(crate) fn is_checked(&self) -> bool {
        self.is_checked
    }

    /// Looks how much of what was being written is in a file.
    ///
    /// # Errors
    /// Of the file that it was written to, whatever that is called now. That may last: nobody else's lines are to wait for it.
    pub(crate) fn check(&mut self, file: &LogFile, now: Instant) -> Result<(), Hindrance> {
        if let Some((identity, offset)) = self.journal.intent() {
            let found = trace::written(file.path(), identity, offset, &self.journal.pending().0);
            let found = found.map_err(|hindrance| match hindrance {
                Hindrance::Busy if now >= *self.give_up.get_or_insert(now + PATIENCE) => {
                    let error = io::Error::from(ErrorKind::WouldBlock);
                    Failure::of(Step::Lock, file.path())(error).into()
                }
                hindrance => hindrance,
            })?;
            self.journal.wrote(found);
        }
        self.is_checked = true;
        Ok(())
    }

    /// Writes the next lines of one that was checked, of so many bytes but for one that is longer; false: none are left. It can
    /// be tried again, also by another process, and no line is written twice.
    pub(crate) fn go_on(&mut self, file: &mut LogFile, limit: usize) -> (Appended, Result<bool, Hindrance>) {
        let (mut bytes, mut lengths) = self.journal.pending();
        if lengths.is_empty() {
            if !self.journal.take_lines(limit) {
                return (Appended::default(), Ok(false));
            }
            (bytes, lengths) = self.journal.pending();
        }
        // All of them come from before whatever moment is over now.
        let batch = Batch { bytes: &bytes, lengths: &lengths, before: &|_| lengths.len() };
        let (appended, outcome) = file.append(&batch, &mut self.journal);
        (appended, outcome.map(|()| true))
    }

    /// Removes the journal.
    ///
    /// # Errors
    /// It stays, or not all of it was lines.
    pub(crate) fn end(self) -> Result<(), Failure> {
        let (path, damaged) = (self.journal.path().to_owned(), self.journal.damaged());
        self.journal.remove().map_err(Failure::of(Step::Journal, &path))?;
        if damaged == 0 {
            return Ok(());
        }
        let error = io::Error::other(format!("{damaged} bytes of it are damaged, and left out"));
        Err(Failure::of(Step::Recover, &path)(error))
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::collections::VecDeque;
    use std::fs::{self, OpenOptions};
    use std::io::Write;
    use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
    use std::path::{Path, PathBuf};
    use std::sync::mpsc::{Receiver, channel};
    use std::time::{Duration, Instant, UNIX_EPOCH};

    use super::{PATIENCE, Recovery};
    use crate::failure::{Hindrance, Step};
    use crate::file::LogFile;
    use crate::file::batch::{Batch, Progress};
    use crate::file::identity::Identity;
    use crate::journal::Journal;
    use crate::log::Log;
    use crate::options::{FileOptions, Keep, OnFull, Options, Target};
    use crate::rotation::names;
    use crate::sink::{Event, FlushError};

    /// What a process did before it was killed.
    #[derive(Default)]
    struct Process {
        queue: VecDeque<String>,
        /// Lines that must be found, and one that may be.
        kept: Vec<String>,
        maybe: Option<String>,
    }

    /// As much as the lines that wait at once, with their frames.
    const RING: usize = 71;

    impl Process {
        fn push(&mut self, journal: &mut Journal, line: &str) {
            self.maybe = Some(line.to_owned());
            journal.push(line.as_bytes());
            self.kept.push(line.to_owned());
            self.maybe = None;
            self.queue.push_back(line.to_owned());
        }

        fn drop_oldest(&mut self, journal: &mut Journal) {
            let line = self.queue.pop_front().expect("a line");
            self.kept.retain(|kept| *kept != line);
            self.maybe = Some(line.clone());
            journal.forget(line.len(), 1);
            self.maybe = None;
        }

        fn write(&mut self, journal: &mut Journal, file: &mut LogFile, count: usize) {
            let lines: Vec<String> = self.queue.drain(..count).collect();
            let lengths: Vec<usize> = lines.iter().map(String::len).collect();
            let bytes = lines.concat();
            journal.take(bytes.len(), lines.len());
            let batch = Batch { bytes: bytes.as_bytes(), lengths: &lengths, before: &|_| 0 };
            file.append(&batch, journal).1.expect("it is written");
        }

        fn run(&mut self, journal: &mut Journal, file: &mut LogFile) {
            self.push(journal, "one\n");
            self.push(journal, "two is longer\n");
            self.push(journal, "three\n");
            self.write(journal, file, 2);
            self.push(journal, "four\n");
            self.drop_oldest(journal);
            self.push(journal, "five goes around the end of the ring\n");
            self.push(journal, "six\n");
            // Three files.
            self.write(journal, file, 3);
            self.push(journal, "seven is as long as it gets, which is all of the ring but one\n");
        }
    }

    fn options(folder: &Path) -> FileOptions {
        FileOptions { max_size: 24, ..FileOptions::new(folder.join("app.log")) }
    }

    /// Runs it until it is killed behind a store of the journal; false: it came to its end.
    fn run_until(folder: &Path, process: &mut Process, kill: usize) -> bool {
        let options = options(folder);
        let mut journal = Journal::create(&options.path, RING, RING).expect("a journal");
        let count = Cell::new(0);
        // It is called on this thread only.
        let stores = AssertUnwindSafe(count);
        journal.after_store = Some(Box::new(move || {
            stores.set(stores.get() + 1);
            if stores.get() == kill {
                resume_unwind(Box::new("killed"));
            }
        }));
        let mut file = LogFile::new(&options);
        catch_unwind(AssertUnwindSafe(|| process.run(&mut journal, &mut file))).is_err()
    }

    /// As much of what was to be written next as the system has come to.
    fn tear(folder: &Path, length: usize) {
        let path = options(folder).path;
        let (left, _) = Journal::left(&path);
        for journal in left {
            let Some((_, offset)) = journal.intent() else { continue };
            if fs::metadata(&path).is_ok_and(|found| found.len() == offset) {
                let (pending, _) = journal.pending();
                let mut file = OpenOptions::new().append(true).open(&path).expect("the log");
                file.write_all(&pending[..length.min(pending.len())]).expect("a part of it");
            }
        }
    }

    fn recover(folder: &Path, kill: Option<usize>) {
        let options = options(folder);
        let (left, unreadable) = Journal::left(&options.path);
        assert!(unreadable.is_empty());
        let mut steps = 0;
        for journal in left {
            let mut recovery = Recovery::new(journal);
            let mut file = LogFile::new(&options);
            recovery.check(&file, Instant::now()).expect("it is known");
            // So small that it takes several.
            while recovery.go_on(&mut file, 8).1.expect("it is written") {
                steps += 1;
                if Some(steps) == kill {
                    return;
                }
            }
            recovery.end().expect("its removal");
        }
    }

    fn lines(folder: &Path) -> Vec<String> {
        let path = options(folder).path;
        let mut paths: Vec<_> = names::list(&path).expect("the folder").into_iter().map(|(.., file)| file).collect();
        paths.push(path);
        let texts = paths.iter().map(|path| fs::read_to_string(path).unwrap_or_default());
        texts.flat_map(|text| text.split_inclusive('\n').map(str::to_owned).collect::<Vec<_>>()).collect()
    }

    #[test]
    fn whenever_a_process_is_killed_no_line_is_lost_doubled_or_torn() {
        for kill in 1.. {
            let mut was_killed = true;
            for torn in [0, 1, 4, 5, 20, 1000] {
                for second in [None, Some(1), Some(2)] {
                    let folder = tempfile::tempdir().expect("a folder");
                    let mut process = Process::default();
                    was_killed = run_until(folder.path(), &mut process, kill);
                    tear(folder.path(), torn);
                    // Who recovers may be killed too.
                    recover(folder.path(), second);
                    recover(folder.path(), None);
                    let found = lines(folder.path());
                    let told = format!("store {kill}, {torn} bytes written, {second:?}");
                    let kept: Vec<_> = found.iter().filter(|line| Some(*line) != process.maybe.as_ref()).collect();
                    assert!(kept.iter().copied().eq(&process.kept), "{told}: {found:?} for {:?}", process.kept);
                    assert!(found.len() <= process.kept.len() + 1, "{told}: {found:?}");
                    // Nothing of the journal stays.
                    let left = fs::read_dir(folder.path()).expect("the folder").flatten();
                    assert!(left.map(|entry| entry.file_name()).all(|name| !name.to_string_lossy().contains("ring")));
                }
            }
            if !was_killed {
                assert!(kill > 40, "only {kill} stores");
                return;
            }
        }
    }

    #[test]
    fn a_journal_in_use_is_left_alone_and_a_damaged_one_is_told() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = options(folder.path()).path;
        let mut used = Journal::create(&path, RING, RING).expect("a journal");
        used.push(b"mine\n");
        let second = Journal::create(&path, RING, RING).expect("another");
        assert_ne!(used.path(), second.path());
        assert!(Journal::left(&path).0.is_empty());
        drop(second);
        // Nothing was in it.
        assert!(Journal::left(&path).0.is_empty());
        assert_eq!(fs::read_dir(folder.path()).expect("the folder").count(), 1);
        let place = used.path().to_owned();
        drop(used);
        let mut bytes = fs::read(&place).expect("its bytes");
        bytes[24] = 255;
        fs::write(&place, bytes).expect("damage");
        let (left, unreadable) = Journal::left(&path);
        assert!(left.is_empty());
        assert!(matches!(&unreadable[..], [(path, error)] if *path == place && error.to_string().contains("damaged")));
        assert!(place.exists());
        fs::write(&place, "something else that is no journal").expect("a file");
        assert_eq!(Journal::left(&path).1.len(), 1);
        assert!(place.exists());
    }

    /// A journal of many rounds, as it was some lines ago and at last, with the lines that it has in the end.
    fn rounds(path: &Path) -> (Vec<u8>, Vec<u8>, Vec<String>) {
        let mut journal = Journal::create(path, 8192, 8192).expect("a journal");
        let place = journal.path().to_owned();
        let line = |number: usize| format!("{number} {}\n", "x".repeat(60 + number % 50));
        let (mut next, mut waiting, mut before) = (0, VecDeque::new(), Vec::new());
        for round in 0..20 {
            while waiting.iter().map(|line: &String| line.len() + 8).sum::<usize>() < 7500 {
                waiting.push_back(line(next));
                journal.push(line(next).as_bytes());
                next += 1;
            }
            if round == 18 {
                before = fs::read(&place).expect("its bytes");
            }
            let count = 30 + round;
            journal.take(waiting.range(..count).map(String::len).sum(), count);
            if round < 19 {
                let written: usize = waiting.drain(..count).map(|line| line.len()).sum();
                journal.wrote(written);
            }
        }
        (before, fs::read(&place).expect("its bytes"), waiting.into())
    }

    #[test]
    fn what_a_power_loss_has_torn_is_left_out_and_told() {
        const SECTOR: usize = 512;
        let folder = tempfile::tempdir().expect("a folder");
        let (before, last, expected) = rounds(&folder.path().join("some.log"));
        let path = folder.path().join("app.log");
        let place = folder.path().join("app.log.ring-0");
        let zeros = vec![0; last.len()];
        let mut damages = 0;
        for old in [&last, &before, &zeros] {
            // The first one tells where all else is.
            for sector in (4096..last.len()).step_by(SECTOR) {
                let torn = sector..sector + SECTOR;
                let mut bytes = last.clone();
                bytes[torn.clone()].copy_from_slice(&old[torn]);
                fs::write(&place, &bytes).expect("the journal");
                let (mut left, _) = Journal::left(&path);
                let mut recovery = Recovery::new(left.pop().expect("one"));
                let mut file = LogFile::new(&FileOptions::new(path.clone()));
                recovery.check(&file, Instant::now()).expect("it is known");
                while recovery.go_on(&mut file, 1000).1.expect("it is written") {}
                let outcome = recovery.end();
                let text = fs::read_to_string(&path).expect("its text");
                fs::remove_file(&path).expect("its removal");
                let mut whole = expected.iter();
                for line in text.split_inclusive('\n') {
                    assert!(whole.any(|one| one == line), "{line:?} at {sector}");
                }
                let lost = expected.len() - text.lines().count();
                assert!(lost <= SECTOR / 70 + 2, "{lost} lines at {sector}");
                match outcome {
                    Ok(()) => assert_eq!(lost, 0),
                    Err(failure) => {
                        assert_eq!(
                            (failure.step, failure.path.as_path()),
                            (Step::Recover, place.as_path()),
                            "{failure}"
                        );
                        damages += 1;
                    }
                }
            }
        }
        assert!(damages > 30);
    }

    #[test]
    fn a_batch_that_failed_is_not_taken_for_written() {
        let folder = tempfile::tempdir().expect("a folder");
        let options = options(folder.path());
        let mut journal = Journal::create(&options.path, RING, RING).expect("a journal");
        journal.push(b"line\n");
        journal.take(5, 1);
        let mut file = LogFile::new(&options);
        file.create().expect("the log");
        let identity = Identity::of(&fs::metadata(&options.path).expect("the log"));
        journal.intend(identity, 0);
        journal.failed();
        // The same text, of somebody else.
        fs::write(&options.path, "line\n").expect("the log");
        drop(journal);
        recover(folder.path(), None);
        assert_eq!(lines(folder.path()), ["line\n", "line\n"]);
    }

    const LONG: Duration = Duration::from_secs(30);

    /// A journal whose batch, of one line, may be in what has the name of a rotated file.
    fn leave(folder: &Path, make: impl FnOnce(&Path)) -> PathBuf {
        let log = options(folder).path;
        let (rotated, _) = names::rotated(&log, UNIX_EPOCH, None, |_| false);
        make(&rotated);
        let mut journal = Journal::create(&log, RING, RING).expect("a journal");
        journal.push(b"left\n");
        journal.take(5, 1);
        journal.intend(Identity::of(&fs::metadata(&rotated).expect("it is there")), 0);
        rotated
    }

    fn open(folder: &Path, keep: Keep) -> (Log, Receiver<Event>) {
        let options = Options {
            target: Target::File(Box::new(FileOptions { keep, ..FileOptions::new(options(folder).path) })),
            max_bytes: 1000,
            max_lines: 100,
            on_full: OnFull::DropNewest,
            flush_interval: Duration::ZERO,
            flush_bytes: 1,
            patience: LONG,
            journal: false,
            numbered: false,
        };
        let (told, events) = channel();
        (Log::open(options, move |event| _ = told.send(event.clone())).expect("a log"), events)
    }

    fn flush(log: &Log, limit: Duration) -> Result<(), FlushError> {
        let (done, outcome) = channel();
        log.flush(false, Instant::now() + limit, move |result| _ = done.send(result));
        outcome.recv_timeout(LONG).expect("an outcome")
    }

    #[test]
    fn a_journal_that_cannot_be_checked_is_set_aside_and_keeps_nobody_from_writing() {
        let folder = tempfile::tempdir().expect("a folder");
        leave(folder.path(), |rotated| fs::create_dir(rotated).expect("a folder in its place"));
        let (log, events) = open(folder.path(), Keep::default());
        assert!(log.push(b"own\n", false));
        assert_eq!(flush(&log, LONG), Ok(()));
        assert_eq!(fs::read_to_string(options(folder.path()).path).expect("its text"), "own\n");
        let told: Vec<Event> = events.try_iter().collect();
        assert!(matches!(&told[..], [Event::Untidy(failure)] if failure.step == Step::Open), "{told:?}");
        drop(log);
        // Whoever comes later finds it.
        assert_eq!(Journal::left(&options(folder.path()).path).0.len(), 1);
    }

    #[test]
    fn a_file_that_somebody_has_locked_for_long_is_not_waited_for() {
        let folder = tempfile::tempdir().expect("a folder");
        let rotated = leave(folder.path(), |rotated| fs::write(rotated, "left\n").expect("a file"));
        let holder = fs::File::open(&rotated).expect("the file");
        holder.lock().expect("its lock");
        let options = options(folder.path());
        let (file, now) = (LogFile::new(&options), Instant::now());
        let mut recovery = Recovery::new(Journal::left(&options.path).0.pop().expect("one"));
        for later in [Duration::ZERO, PATIENCE - Duration::from_millis(1)] {
            assert_eq!(recovery.check(&file, now + later), Err(Hindrance::Busy));
        }
        let outcome = recovery.check(&file, now + PATIENCE);
        assert!(matches!(&outcome, Err(Hindrance::Failed(failure)) if failure.step == Step::Lock), "{outcome:?}");
        assert!(!recovery.is_checked());
    }

    #[test]
    fn no_file_goes_before_it_is_known_what_is_in_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let rotated = leave(folder.path(), |rotated| fs::write(rotated, "left\n").expect("a file"));
        let holder = fs::File::open(&rotated).expect("the file");
        holder.lock().expect("its lock");
        let (log, events) = open(folder.path(), Keep { count: Some(0), ..Keep::default() });
        assert!(log.push(b"own\n", false));
        assert_eq!(flush(&log, Duration::from_millis(200)), Err(FlushError::Late));
        assert!(rotated.exists());
        drop(holder);
        assert_eq!(flush(&log, LONG), Ok(()));
        // The line was in the file that has gone since.
        let deadline = Instant::now() + LONG;
        while rotated.exists() {
            assert!(Instant::now() < deadline, "it stays");
            std::thread::sleep(Duration::from_millis(1));
        }
        assert_eq!(lines(folder.path()), ["own\n"]);
        assert_eq!(events.try_iter().count(), 0);
    }
}
