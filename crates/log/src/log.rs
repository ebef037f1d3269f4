//! Handles, and the sinks that they share.

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::path::{self, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use keelson_core::latency::Latencies;

use crate::counts::Counts;
use crate::failure::{Failure, Step};
use crate::file::LogFile;
use crate::journal::Journal;
use crate::options::{Options, Target};
use crate::queue::entry::Entry;
use crate::sink::{Done, Event, Flush, FlushError, Listener, Rotation, Sink, State};
use crate::writer;

/// A sink, and how many handles it has.
type Shared = (Arc<Sink>, usize);

/// What there is one sink for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Key {
    File(PathBuf),
    Stdout,
    Stderr,
}

impl fmt::Display for Key {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(to, "{}", path.display()),
            Self::Stdout => to.write_str("stdout"),
            Self::Stderr => to.write_str("stderr"),
        }
    }
}

/// Those that are open.
static SINKS: LazyLock<Mutex<HashMap<Key, Shared>>> = LazyLock::new(Mutex::default);

/// Of the next handle.
static NEXT: AtomicU64 = AtomicU64::new(0);

/// Why a log cannot be opened.
#[derive(Debug)]
pub enum OpenError {
    /// The log of that name is open in this process, with other options.
    Conflict(String),
    /// The system gives no thread.
    Thread(io::Error),
    /// There is no room for a journal, or it may not be made.
    Journal(Failure),
}

impl fmt::Display for OpenError {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Conflict(name) => write!(to, "{name} is open in this process with other options"),
            Self::Thread(error) => write!(to, "no thread could start: {error}"),
            Self::Journal(failure) => failure.fmt(to),
        }
    }
}

impl std::error::Error for OpenError {}

/// A handle on a log.
pub struct Log {
    sink: Arc<Sink>,
    key: Key,
    id: u64,
    closed: bool,
}

impl Log {
    /// Opens a log, with a thread if it is not open yet in this process. `listener` is called on that thread.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn open(mut options: Options, listener: impl Fn(&Event) + Send + Sync + 'static) -> Result<Self, OpenError> {
        let (key, failure) = prepare(&mut options.target);
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        let listener: Listener = Arc::new(listener);
        let mut sinks = SINKS.lock().unwrap_or_else(PoisonError::into_inner);
        let sink = match sinks.get_mut(&key) {
            Some((sink, handles)) if !sink.state().ended => {
                if !is_same(&options, &sink.options) {
                    return Err(OpenError::Conflict(key.to_string()));
                }
                *handles += 1;
                sink.state().listeners.push((id, listener));
                Arc::clone(sink)
            }
            // None, or one whose thread has panicked.
            _ => {
                let sink = start(options, failure, (id, listener))?;
                sinks.insert(key.clone(), (Arc::clone(&sink), 1));
                sink
            }
        };
        Ok(Self { sink, key, id, closed: false })
    }

    /// Takes a line in, its line feed included; false: it was dropped, and counted. An urgent line is written at once, with
    /// all before it.
    pub fn push(&self, line: &[u8], urgent: bool) -> bool {
        self.sink.push(line, urgent)
    }

    /// As [`Log::push`], of a line that is told in its parts.
    pub fn push_entry(&self, entry: &Entry, urgent: bool) -> bool {
        self.sink.push_entry(entry, urgent)
    }

    /// Has `done` called when all that was pushed before is in the file, and if `durable` on the disk.
    pub fn flush(&self, durable: bool, deadline: Instant, done: impl FnOnce(Result<(), FlushError>) + Send + 'static) {
        self.ask(Box::new(done), |state, done| {
            state.flushes.push(Flush { before: state.queue.next(), durable, deadline, done });
        });
    }

    /// Has the file rotated behind what was pushed before, unless it is empty then, and `done` called.
    pub fn rotate(&self, deadline: Instant, done: impl FnOnce(Result<(), FlushError>) + Send + 'static) {
        self.ask(Box::new(done), |state, done| {
            state.rotations.push(Rotation { before: state.queue.next(), deadline, done });
        });
    }

    /// Adds who waits for something, unless nothing comes any more.
    fn ask(&self, done: Done<()>, add: impl FnOnce(&mut State, Done<()>)) {
        let mut waiting = Some(done);
        self.sink.ask(|state| {
            if !state.ended
                && let Some(done) = waiting.take()
            {
                add(state, done);
            }
        });
        if let Some(done) = waiting {
            done(Err(FlushError::Closed));
        }
    }

    /// Has the file opened anew, for who has given it another name.
    pub fn reopen(&self) {
        self.sink.ask(|state| state.reopen = true);
    }

    /// Waits until what was pushed before is written, so long at most; returns how many lines are not.
    #[must_use]
    pub fn drain(&self, limit: Duration) -> u64 {
        self.sink.drain(limit)
    }

    /// Waits until what was pushed before is in the file, and on the disk, so long at most; false: it is not known to be.
    #[must_use]
    pub fn sync(&self, limit: Duration) -> bool {
        let (done, outcome) = channel();
        self.flush(true, Instant::now() + limit, move |result| _ = done.send(result));
        outcome.recv_timeout(limit).is_ok_and(|result| result.is_ok())
    }

    /// What was done so far, by all handles.
    #[must_use]
    pub fn counts(&self) -> &Counts {
        &self.sink.counts
    }

    /// How long it took from a line's being taken in until it was in the file, of all lines.
    #[must_use]
    pub fn latencies(&self) -> Latencies {
        self.sink.latencies.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Lines and bytes that wait.
    #[must_use]
    pub fn waiting(&self) -> (usize, usize) {
        let state = self.sink.state();
        (state.queue.lines() + state.in_flight as usize, state.queue.bytes())
    }

    /// Ends this handle. With the last one the thread writes what is left, so long at most, and ends; `done` is called then,
    /// otherwise at once.
    pub fn close(&mut self, patience: Duration, done: impl FnOnce() + Send + 'static) {
        if std::mem::replace(&mut self.closed, true) {
            return done();
        }
        self.sink.state().listeners.retain(|(id, _)| *id != self.id);
        let mut sinks = SINKS.lock().unwrap_or_else(PoisonError::into_inner);
        let own = sinks.get_mut(&self.key).filter(|(sink, _)| Arc::ptr_eq(sink, &self.sink));
        let left = own.map(|(_, handles)| {
            *handles -= 1;
            *handles
        });
        if left != Some(0) {
            drop(sinks);
            return done();
        }
        sinks.remove(&self.key);
        drop(sinks);
        let mut waiting = Some(done);
        self.sink.ask(|state| {
            state.closing = Some(Instant::now() + patience);
            if !state.ended
                && let Some(done) = waiting.take()
            {
                state.at_end.push(Box::new(done));
            }
        });
        if let Some(done) = waiting {
            done();
        }
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        self.close(self.sink.options.patience, || {});
    }
}

/// Makes a path absolute and its folder and file, as far as that is possible; with what one sink is for.
fn prepare(target: &mut Target) -> (Key, Option<Failure>) {
    match target {
        Target::Stdout => (Key::Stdout, None),
        Target::Stderr => (Key::Stderr, None),
        Target::File(options) => {
            for each in [Some(&mut options.path), options.symlink.as_mut()].into_iter().flatten() {
                // Without a current folder the path is as good as it is.
                *each = path::absolute(&*each).unwrap_or_else(|_| each.clone());
            }
            if options.path.is_symlink() {
                // Not the link is rotated, but what it leads to.
                options.path = options.path.canonicalize().unwrap_or_else(|_| options.path.clone());
            }
            let failure = LogFile::new(options).create().err();
            // Another path to the same folder is the same log.
            (Key::File(options.path.canonicalize().unwrap_or_else(|_| options.path.clone())), failure)
        }
    }
}

/// Whether they differ in nothing but the spelling of the path.
fn is_same(one: &Options, other: &Options) -> bool {
    let mut one = one.clone();
    if let (Target::File(one), Target::File(other)) = (&mut one.target, &other.target) {
        one.path.clone_from(&other.path);
    }
    one == *other
}

/// A sink with its thread. `listener` is there before that has something to tell.
fn start(options: Options, failure: Option<Failure>, listener: (u64, Listener)) -> Result<Arc<Sink>, OpenError> {
    let (mut left, mut unreadable, mut journal) = (Vec::new(), Vec::new(), None);
    if let Target::File(file) = &options.target {
        (left, unreadable) = Journal::left(&file.path);
        if options.journal {
            let made = Journal::create(&file.path, options.max_bytes, writer::BATCH);
            let made = made.map_err(Failure::of(Step::Journal, &file.path));
            journal = Some(made.map_err(OpenError::Journal)?);
        }
    }
    let sink = Arc::new(Sink::new(options, journal));
    sink.state().listeners.push(listener);
    for (path, error) in unreadable {
        sink.tell(&Event::Untidy(Failure::of(Step::Journal, &path)(error)));
    }
    let its = Arc::clone(&sink);
    let builder = thread::Builder::new().name("keelson-log".to_owned());
    builder.spawn(move || writer::run(&its, failure, left)).map_err(OpenError::Thread)?;
    Ok(sink)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;
    use std::sync::mpsc::{Receiver, channel};
    use std::sync::{Arc, PoisonError};
    use std::thread;
    use std::time::{Duration, Instant};

    use super::{Key, Log, NEXT, Ordering, SINKS};
    use crate::journal::Journal;
    use crate::options::{FileOptions, OnFull, Options, Target};
    use crate::sink::{Event, FlushError, Sink};
    use crate::writer;

    const LONG: Duration = Duration::from_secs(30);

    fn options(path: &Path) -> Options {
        Options {
            target: Target::File(Box::new(FileOptions::new(path.to_owned()))),
            max_bytes: 1000,
            max_lines: 100,
            on_full: OnFull::Block(LONG),
            flush_interval: Duration::ZERO,
            flush_bytes: 1,
            patience: LONG,
            journal: true,
            numbered: false,
        }
    }

    /// A log whose thread panics when it is about to write.
    fn broken(path: &Path) -> (Log, Receiver<Event>) {
        let mut journal = Journal::create(path, 1000, writer::BATCH).expect("a journal");
        journal.after_store = Some(Box::new(|| {
            assert_ne!(thread::current().name(), Some("doomed"), "as it was to come");
        }));
        let sink = Arc::new(Sink::new(options(path), Some(journal)));
        let ((told, events), id) = (channel(), NEXT.fetch_add(1, Ordering::Relaxed));
        sink.state().listeners.push((id, Arc::new(move |event: &Event| _ = told.send(event.clone()))));
        let key = Key::File(path.to_owned());
        SINKS.lock().unwrap_or_else(PoisonError::into_inner).insert(key.clone(), (Arc::clone(&sink), 1));
        let its = Arc::clone(&sink);
        let builder = thread::Builder::new().name("doomed".to_owned());
        builder.spawn(move || writer::run(&its, None, Vec::new())).expect("a thread");
        (Log { sink, key, id, closed: false }, events)
    }

    #[test]
    fn a_thread_that_panics_leaves_nobody_waiting_and_lines_to_the_next() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().canonicalize().expect("its path").join("app.log");
        let (mut log, events) = broken(&path);
        let (done, outcome) = channel();
        let (flushed, rotated, again) = (done.clone(), done.clone(), done);
        log.flush(false, Instant::now() + LONG, move |result| _ = flushed.send(result));
        assert_eq!(outcome.recv_timeout(LONG), Ok(Ok(())));
        assert!(log.push(b"line\n", true));
        let deadline = Instant::now() + LONG;
        log.rotate(deadline, move |result| _ = rotated.send(result));
        log.flush(true, deadline, move |result| _ = again.send(result));
        for _ in 0..2 {
            assert_eq!(outcome.recv_timeout(LONG), Ok(Err(FlushError::Closed)));
        }
        assert!(!log.push(b"late\n", false));
        assert!(!log.sync(LONG));
        assert_eq!(log.drain(LONG), 0);
        let told = events.recv_timeout(LONG).expect("an event");
        assert!(matches!(&told, Event::Failed(failure) if failure.message.contains("panicked")), "{told:?}");
        // Who opens it now has another thread, and the handle of before does not close it.
        let next = Log::open(options(&path), |_| {}).expect("a log");
        let (done, ended) = channel();
        log.close(LONG, move || _ = done.send(()));
        assert_eq!(ended.recv_timeout(LONG), Ok(()));
        assert!(next.push(b"next\n", true));
        assert_eq!(next.drain(LONG), 0);
        assert_eq!(fs::read_to_string(&path).expect("its text"), "line\nnext\n");
    }
}
