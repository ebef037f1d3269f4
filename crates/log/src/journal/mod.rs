//! Lines that wait, in a file that outlives the process.
//!
//! The file is mapped into memory, so that keeping a line is a copy, and what was copied is the system's from then on: a
//! process that is killed, at whatever instruction, leaves it to the next. It has two parts: a ring with the lines of the
//! queue, and the batch of those that are being written. A number at its head says how far each of them goes; it is stored
//! after what it speaks of, and one store makes each step come true:
//!
//! - a line is in the ring once `HEAD` is behind it;
//! - lines have gone from the ring to the batch once `BATCH_END` is behind them;
//! - a part of the batch is written once `BATCH_START` is behind it, and the whole once `DONE` is `BATCH_END`.
//!
//! Each line stands behind a frame, which tells what is whole of it after the machine has lost its power: see frame.rs.
//!
//! Between a write and the store that says so nothing but the log itself tells whether it has happened. Therefore the
//! journal tells beforehand where the write will be, and who recovers it compares.
//!
//! Nobody else reads or writes the file as long as its lock is held, which ends with the process.

pub(crate) mod frame;
pub(crate) mod recovery;
pub(crate) mod trace;

use std::borrow::Cow;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering, compiler_fence};

use memmap2::MmapMut;

use crate::file::batch::Progress;
use crate::file::identity::Identity;
use crate::file::lock::is_at;
use crate::journal::frame::FRAME;
use crate::rotation::names;

/// "keelson" and the version of the layout.
const MAGIC: u64 = u64::from_le_bytes(*b"keelson2");
/// Bytes before the ring.
const HEADER: usize = 4096;

/// Numbers of the header, each of eight bytes. Positions count all bytes that ever went through the ring.
const MAGIC_WORD: usize = 0;
const RING: usize = 1;
const BATCH: usize = 2;
const HEAD: usize = 3;
const TAIL: usize = 4;
const BATCH_END: usize = 5;
const DONE: usize = 6;
const BATCH_LENGTH: usize = 7;
const BATCH_START: usize = 8;
/// Where the next write goes: 1 if it is told, how far the batch was written before, the file, and the offset.
const INTENT: usize = 9;
const INTENT_START: usize = 10;
const INTENT_FILE: [usize; 2] = [11, 12];
const INTENT_OFFSET: usize = 13;

/// A journal, whose lock is held.
pub(crate) struct Journal {
    map: MmapMut,
    path: PathBuf,
    ring: usize,
    batch: usize,
    /// Bytes of the batch's lines that are pending.
    unwritten: usize,
    /// Bytes that were lines once, and are not whole.
    damaged: u64,
    _locked: File,
    #[cfg(test)]
    pub(crate) after_store: Option<Box<dyn FnMut() + Send>>,
}

/// What became of a file that may be somebody's journal.
enum Found {
    /// Somebody has it.
    Taken,
    /// Nothing was left in it.
    Empty,
    /// Lines of a process that is no more.
    Left(Journal),
}

impl Journal {
    /// Makes one beside a log, for a queue of so many bytes of which no more than `batch` are written at once, but a line
    /// alone.
    pub(crate) fn create(log: &Path, ring: usize, batch: usize) -> io::Result<Self> {
        fs::create_dir_all(names::folder(log))?;
        let mut number = 0;
        loop {
            let path = names::journal(log, number);
            let mut options = OpenOptions::new();
            options.read(true).write(true).create_new(true);
            // Whatever the permissions of the log: nobody else has to read what waits.
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
            match options.open(&path) {
                Err(error) if error.kind() == ErrorKind::AlreadyExists => number += 1,
                Err(error) => return Err(error),
                Ok(file) => {
                    // Somebody may have taken it for an empty one that was left, and be about to remove it.
                    if is_free(&file)?
                        && is_at(&file, &path)?
                        && let Some(journal) = Self::lay_out(file, path, ring, batch.max(ring))?
                    {
                        return Ok(journal);
                    }
                }
            }
        }
    }

    fn lay_out(file: File, path: PathBuf, ring: usize, batch: usize) -> io::Result<Option<Self>> {
        let made = allocate(&file, HEADER + ring + batch).and_then(|()| map(&file));
        if made.is_err() {
            _ = fs::remove_file(&path);
        }
        let mut journal = Self::over(made?, file, path, ring, batch);
        journal.store(RING, ring as u64);
        journal.store(BATCH, batch as u64);
        journal.store(MAGIC_WORD, MAGIC);
        Ok(Some(journal))
    }

    fn over(map: MmapMut, file: File, path: PathBuf, ring: usize, batch: usize) -> Self {
        Self {
            map,
            path,
            ring,
            batch,
            unwritten: 0,
            damaged: 0,
            _locked: file,
            #[cfg(test)]
            after_store: None,
        }
    }

    /// Takes over what processes that are no more have left beside a log, and tells of those that cannot be read.
    pub(crate) fn left(log: &Path) -> (Vec<Self>, Vec<(PathBuf, io::Error)>) {
        let (mut left, mut failed) = (Vec::new(), Vec::new());
        for path in names::journals(log) {
            match Self::find(&path) {
                Ok(Found::Left(journal)) => left.push(journal),
                Ok(Found::Empty | Found::Taken) => {}
                Err(error) => failed.push((path, error)),
            }
        }
        (left, failed)
    }

    fn find(path: &Path) -> io::Result<Found> {
        let file = match OpenOptions::new().read(true).write(true).open(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Found::Taken),
            opened => opened?,
        };
        if !is_free(&file)? || !is_at(&file, path)? {
            return Ok(Found::Taken);
        }
        let is_begun = file.metadata()?.len() < HEADER as u64;
        let journal = if !is_begun {
            Self::load(map(&file)?, file, path)?
        } else if fs::read(path)?.iter().all(|&byte| byte == 0) {
            None
        } else {
            return Err(damaged());
        };
        match journal {
            Some(journal) if !journal.is_empty() => Ok(Found::Left(journal)),
            _ => {
                fs::remove_file(path)?;
                Ok(Found::Empty)
            }
        }
    }

    /// `None` where whoever began it did not come to lay it out.
    fn load(map: MmapMut, file: File, path: &Path) -> io::Result<Option<Self>> {
        let mut journal = Self::over(map, file, path.to_owned(), 0, 0);
        if journal.word(MAGIC_WORD) == 0 {
            return Ok(None);
        }
        let [magic, ring, batch] = [MAGIC_WORD, RING, BATCH].map(|word| journal.word(word));
        let size = ring.checked_add(batch).and_then(|size| size.checked_add(HEADER as u64));
        if magic != MAGIC || size != Some(journal.map.len() as u64) {
            return Err(damaged());
        }
        (journal.ring, journal.batch) = (ring as usize, batch as usize);
        let [head, tail, end, done] = [HEAD, TAIL, BATCH_END, DONE].map(|word| journal.word(word));
        let [start, length] = [BATCH_START, BATCH_LENGTH].map(|word| journal.word(word));
        let is_sound = done <= end && end <= head && tail <= head && head - tail.max(end) <= ring;
        if !is_sound || (done < end && !(start <= length && length <= batch)) {
            return Err(damaged());
        }
        // It was killed between the two.
        journal.store(TAIL, tail.max(end));
        if done < end {
            let start = start as usize;
            let whole: usize = journal.frames(start).map(|(frame, end)| end - frame.max(start)).sum();
            journal.damaged = length - (start + whole) as u64;
            journal.unwritten = journal.pending_parts().map(|(from, to)| to - from).sum();
        }
        Ok(Some(journal))
    }

    /// Keeps a line. There is room, as the queue has no more.
    pub(crate) fn push(&mut self, line: &[u8]) {
        let head = self.word(HEAD);
        debug_assert!(
            head - self.word(TAIL) + line.len() as u64 <= self.ring as u64,
            "the ring is as large as the queue"
        );
        let place = (head % self.ring as u64) as usize;
        let behind = place + FRAME;
        self.put(place, &frame::of(line, head));
        self.put(if behind < self.ring { behind } else { behind - self.ring }, line);
        self.store(HEAD, head + (FRAME + line.len()) as u64);
    }

    /// Copies bytes to a place of the ring, and the rest of them to its beginning.
    fn put(&mut self, place: usize, bytes: &[u8]) {
        let first = bytes.len().min(self.ring - place);
        self.map[HEADER + place..][..first].copy_from_slice(&bytes[..first]);
        self.map[HEADER..][..bytes.len() - first].copy_from_slice(&bytes[first..]);
    }

    /// Forgets the oldest lines of the queue, of so many bytes in all.
    pub(crate) fn forget(&mut self, bytes: usize, lines: usize) {
        let tail = self.word(TAIL) + (bytes + lines * FRAME) as u64;
        self.store(TAIL, tail);
    }

    /// The oldest lines of the queue, of so many bytes in all, are going to be written.
    pub(crate) fn take(&mut self, bytes: usize, lines: usize) {
        debug_assert!(self.unwritten == 0, "one batch at a time");
        self.unwritten = bytes;
        let bytes = bytes + lines * FRAME;
        let tail = self.word(TAIL);
        let place = (tail % self.ring as u64) as usize;
        let first = bytes.min(self.ring - place);
        let to = HEADER + self.ring;
        self.map.copy_within(HEADER + place..HEADER + place + first, to);
        self.map.copy_within(HEADER..HEADER + bytes - first, to + first);
        self.store(INTENT, 0);
        self.store(BATCH_START, 0);
        self.store(BATCH_LENGTH, bytes as u64);
        self.store(BATCH_END, tail + bytes as u64);
        self.store(TAIL, tail + bytes as u64);
    }

    /// Takes the oldest lines of one that was left, up to so many bytes if they have a line in them; false: none are left.
    pub(crate) fn take_lines(&mut self, limit: usize) -> bool {
        let (head, mut tail) = (self.word(HEAD), self.word(TAIL));
        let (mut end, mut lines) = (tail, 0);
        while end < head {
            match self.line_at(end, head) {
                Some(length) if end > tail && (end - tail) as usize + length > limit => break,
                Some(length) => (end, lines) = (end + length as u64, lines + 1),
                None if end > tail => break,
                None => {
                    // The next whole line may begin anywhere.
                    end = (end + 1..head).find(|&place| self.line_at(place, head).is_some()).unwrap_or(head);
                    self.damaged += end - tail;
                    self.store(TAIL, end);
                    tail = end;
                }
            }
        }
        if lines > 0 {
            self.take((end - tail) as usize - lines * FRAME, lines);
        }
        lines > 0
    }

    /// The length of the line that begins at a position of the ring, with its frame, if there is a whole one.
    fn line_at(&self, position: u64, head: u64) -> Option<usize> {
        let bytes = |from: u64, count: usize| {
            let place = (from % self.ring as u64) as usize;
            let ring = &self.map[HEADER..][..self.ring];
            let first = count.min(self.ring - place);
            let mut bytes = Cow::Borrowed(&ring[place..place + first]);
            if first < count {
                bytes.to_mut().extend_from_slice(&ring[..count - first]);
            }
            bytes
        };
        frame::line_at(position, (head - position) as usize, bytes)
    }

    /// Bytes that were lines once, and are not whole.
    pub(crate) fn damaged(&self) -> u64 {
        self.damaged
    }

    /// Where lines of the batch are, of those that end behind a place of it: from their frames on, and up to their ends.
    fn frames(&self, start: usize) -> impl Iterator<Item = (usize, usize)> {
        let length = self.word(BATCH_LENGTH) as usize;
        let begin = self.word(BATCH_END) - length as u64;
        let batch = &self.map[HEADER + self.ring..][..length];
        let at = move |place: usize| {
            let bytes = |from: u64, count| Cow::Borrowed(&batch[(from - begin) as usize..][..count]);
            Some((place, place + frame::line_at(begin + place as u64, length - place, bytes)?))
        };
        let next = move |from: usize| (from..length).find_map(at);
        std::iter::successors(next(0), move |&(_, end)| next(end)).filter(move |&(_, end)| end > start)
    }

    /// Where the bytes are that are pending.
    fn pending_parts(&self) -> impl Iterator<Item = (usize, usize)> {
        let is_done = self.word(DONE) == self.word(BATCH_END);
        let start = self.word(BATCH_START) as usize;
        let frames = (!is_done).then(|| self.frames(start));
        frames.into_iter().flatten().map(move |(frame, end)| ((frame + FRAME).max(start), end))
    }

    /// What of the batch is not written yet, as far as is known, and the lengths of its lines.
    pub(crate) fn pending(&self) -> (Vec<u8>, Vec<usize>) {
        let batch = &self.map[HEADER + self.ring..];
        let parts = self.pending_parts().map(|(from, to)| &batch[from..to]);
        let (mut bytes, mut lengths) = (Vec::new(), Vec::new());
        for part in parts {
            bytes.extend_from_slice(part);
            lengths.push(part.len());
        }
        (bytes, lengths)
    }

    fn is_batch_done(&self) -> bool {
        self.word(DONE) == self.word(BATCH_END) || self.word(BATCH_START) == self.word(BATCH_LENGTH)
    }

    /// Where the beginning of what is pending may have been written already.
    pub(crate) fn intent(&self) -> Option<(Identity, u64)> {
        let is_told = self.word(INTENT) == 1 && self.word(INTENT_START) == self.word(BATCH_START);
        let identity = Identity(INTENT_FILE.map(|word| self.word(word)));
        (is_told && !self.is_batch_done()).then(|| (identity, self.word(INTENT_OFFSET)))
    }

    fn is_empty(&self) -> bool {
        self.is_batch_done() && self.word(HEAD) == self.word(TAIL)
    }

    /// Removes the file, of which nothing is needed any more.
    pub(crate) fn remove(self) -> io::Result<()> {
        fs::remove_file(&self.path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    fn word(&self, word: usize) -> u64 {
        let bytes = &self.map[word * 8..][..8];
        u64::from_ne_bytes(bytes.try_into().unwrap_or_default())
    }

    /// All that was stored before is there when this is, and nothing of what is stored after.
    ///
    /// A process that is killed has done what stands before the instruction that it has come to, and nothing behind, in
    /// whatever order the processor makes that known to others: what counts is the order of the instructions. The compiler
    /// may put no write behind a `Release` store that stands before it, but a plain one that stands behind it, such as a
    /// line's copy into room that this store makes free, it may put before. The fence forbids that, and costs no
    /// instruction.
    fn store(&mut self, word: usize, value: u64) {
        let place = self.map[word * 8..][..8].as_mut_ptr().cast::<u64>();
        // SAFETY: the slice has the eight bytes of the word, at a multiple of eight from the start of a page, and `self` is
        // borrowed for good, so that nobody else has a reference to them.
        unsafe { AtomicU64::from_ptr(place) }.store(value, Ordering::Release);
        compiler_fence(Ordering::SeqCst);
        #[cfg(test)]
        if let Some(mut look) = self.after_store.take() {
            look();
            self.after_store = Some(look);
        }
    }
}

impl Progress for Journal {
    fn intend(&mut self, file: Identity, offset: u64) {
        self.store(INTENT, 0);
        self.store(INTENT_START, self.word(BATCH_START));
        for (word, value) in INTENT_FILE.into_iter().zip(file.0) {
            self.store(word, value);
        }
        self.store(INTENT_OFFSET, offset);
        self.store(INTENT, 1);
    }

    fn wrote(&mut self, bytes: usize) {
        self.unwritten -= bytes;
        if self.unwritten == 0 {
            return self.store(DONE, self.word(BATCH_END));
        }
        // A line may be several for who reads the log, and be written in part.
        let mut left = bytes;
        let end = self.pending_parts().find_map(|(from, to)| {
            let length = to - from;
            if left <= length {
                return Some(from + left);
            }
            left -= length;
            None
        });
        if let Some(end) = end.filter(|_| bytes > 0) {
            self.store(BATCH_START, end as u64);
        }
    }

    fn failed(&mut self) {
        self.store(INTENT, 0);
    }
}

/// Writes zeros: a page of the map without room on the disk would be the end of the process.
fn allocate(mut file: &File, size: usize) -> io::Result<()> {
    static CHUNK: [u8; 64 * 1024] = [0; 64 * 1024];
    let mut left = size;
    while left > 0 {
        let part = left.min(CHUNK.len());
        file.write_all(&CHUNK[..part])?;
        left -= part;
    }
    Ok(())
}

fn map(file: &File) -> io::Result<MmapMut> {
    // SAFETY: others would have to ignore the lock of the file to change or shorten it.
    unsafe { MmapMut::map_mut(file) }
}

fn damaged() -> io::Error {
    io::Error::new(ErrorKind::InvalidData, "it is damaged, and left as it is")
}

/// Locks the file, if nobody has.
fn is_free(file: &File) -> io::Result<bool> {
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => Ok(false),
        locked => locked.map(|()| true).map_err(io::Error::from),
    }
}
