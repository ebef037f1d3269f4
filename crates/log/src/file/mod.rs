//! A file that lines are appended to, by several processes at once.
//!
//! Whoever appends or rotates holds the system's lock of the file itself. Its path may lead to another file by the time
//! that the lock is held, as somebody else has rotated meanwhile: then that one is opened and locked instead. So nothing is
//! appended to a file after it was rotated, but by who knows nothing of the lock.

pub(crate) mod batch;
pub(crate) mod identity;
pub(crate) mod link;
pub(crate) mod lock;
pub(crate) mod open;
pub(crate) mod unsynced;

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::failure::{Failure, Hindrance, Step};
use crate::file::batch::{Appended, Batch, Progress};
use crate::file::identity::Identity;
use crate::file::lock::Attempt;
use crate::file::open::open;
use crate::file::unsynced::Unsynced;
use crate::options::FileOptions;
use crate::rotation::names::{self, Form};
use crate::rotation::period::Period;

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
mod tests;
