//! Handles, and the sinks that they share.

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::path::{self, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::counts::Counts;
use crate::file::LogFile;
use crate::options::Options;
use crate::sink::{Event, Flush, FlushError, Listener, Rotation, Sink};
use crate::writer;

/// A sink, and how many handles it has.
type Shared = (Arc<Sink>, usize);

/// Those that are open, by their files.
static SINKS: LazyLock<Mutex<HashMap<PathBuf, Shared>>> = LazyLock::new(Mutex::default);

/// Of the next handle.
static NEXT: AtomicU64 = AtomicU64::new(0);

/// Why a log cannot be opened.
#[derive(Debug)]
pub enum OpenError {
    /// It is open in this process, with other options.
    Conflict,
    /// The system gives no thread.
    Thread(io::Error),
}

impl fmt::Display for OpenError {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Conflict => to.write_str("the file is open in this process with other options"),
            Self::Thread(error) => write!(to, "no thread could start: {error}"),
        }
    }
}

impl std::error::Error for OpenError {}

/// A handle on a log.
pub struct Log {
    sink: Arc<Sink>,
    key: PathBuf,
    id: u64,
    closed: bool,
}

impl Log {
    /// Opens a log, with a thread if it is not open yet in this process. `listener` is called on that thread.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn open(mut options: Options, listener: impl Fn(&Event) + Send + Sync + 'static) -> Result<Self, OpenError> {
        // Without a current folder the path is as good as it is.
        options.path = path::absolute(&options.path).unwrap_or(options.path);
        let failure = LogFile::new(&options.path, 0).create().err();
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        let listener: Listener = Arc::new(listener);
        // Another path to the same folder is the same log.
        let key = options.path.canonicalize().unwrap_or_else(|_| options.path.clone());
        let mut sinks = SINKS.lock().unwrap_or_else(PoisonError::into_inner);
        let sink = match sinks.get_mut(&key) {
            Some((sink, handles)) => {
                if (Options { path: sink.options.path.clone(), ..options }) != sink.options {
                    return Err(OpenError::Conflict);
                }
                *handles += 1;
                sink.state().listeners.push((id, listener));
                Arc::clone(sink)
            }
            None => {
                let sink = Arc::new(Sink::new(options));
                // Before the thread has something to tell.
                sink.state().listeners.push((id, listener));
                let its = Arc::clone(&sink);
                let builder = thread::Builder::new().name("keelson-log".to_owned());
                builder.spawn(move || writer::run(&its, failure)).map_err(OpenError::Thread)?;
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

    /// Has `done` called when all that was pushed before is in the file, and if `durable` on the disk.
    pub fn flush(&self, durable: bool, deadline: Instant, done: impl FnOnce(Result<(), FlushError>) + Send + 'static) {
        self.sink.ask(|state| {
            let flush = Flush { before: state.queue.next(), durable, deadline, done: Box::new(done) };
            state.flushes.push(flush);
        });
    }

    /// Has the file rotated behind what was pushed before, unless it is empty then, and `done` called.
    pub fn rotate(&self, deadline: Instant, done: impl FnOnce(Result<(), FlushError>) + Send + 'static) {
        self.sink.ask(|state| {
            let rotation = Rotation { before: state.queue.next(), deadline, done: Box::new(done) };
            state.rotations.push(rotation);
        });
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

    /// What was done so far, by all handles.
    #[must_use]
    pub fn counts(&self) -> &Counts {
        &self.sink.counts
    }

    /// Lines and bytes that wait.
    #[must_use]
    pub fn waiting(&self) -> (usize, usize) {
        let state = self.sink.state();
        (state.queue.lines() + state.in_flight as usize, state.queue.bytes())
    }

    /// Ends this handle. With the last one the thread writes what is left, for as long as `patience` tells, and ends.
    pub fn close(&mut self) {
        if std::mem::replace(&mut self.closed, true) {
            return;
        }
        self.sink.state().listeners.retain(|(id, _)| *id != self.id);
        let mut sinks = SINKS.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((_, handles)) = sinks.get_mut(&self.key) else { return };
        *handles -= 1;
        if *handles == 0 {
            sinks.remove(&self.key);
            let give_up = Instant::now() + self.sink.options.patience;
            self.sink.ask(|state| state.closing = Some(give_up));
        }
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        self.close();
    }
}
