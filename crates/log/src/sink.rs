//! What all handles of a file share, and its thread works on.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use keelson_core::latency::Latencies;

use crate::counts::{Counts, add};
use crate::entry::{Entry, Head};
use crate::failure::Failure;
use crate::file::Progress;
use crate::frame::FRAME;
use crate::identity::Identity;
use crate::journal::Journal;
use crate::number::Numbers;
use crate::options::{OnFull, Options};
use crate::queue::Queue;

/// Something that happened to a log.
#[derive(Clone, Debug)]
pub enum Event {
    /// The file cannot be written; lines wait, and it is tried again. Told once until it can.
    Failed(Failure),
    /// It could be written again, after so long.
    Recovered(Duration),
    /// The file has another name now, and a new one begins.
    Rotated(std::path::PathBuf),
    /// Something about the file is not as it was wanted, without which lines are written all the same: a file that was
    /// rotated could not be compressed or removed, or a journal not be read.
    Untidy(Failure),
}

/// Why a flush or a rotation did not come about in time. Lines are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FlushError {
    /// The file cannot be written.
    Failed(Failure),
    /// It took too long.
    Late,
    /// The last handle was closed, and gave up.
    Closed,
}

pub(crate) type Listener = Arc<dyn Fn(&Event) + Send + Sync>;
pub(crate) type Done<T> = Box<dyn FnOnce(Result<T, FlushError>) + Send>;

/// Calls what others have given. Where it panics the thread goes on, as all the others wait for it.
pub(crate) fn call(given: impl FnOnce()) {
    _ = catch_unwind(AssertUnwindSafe(given));
}

/// Somebody waits until the lines before a number are written.
pub(crate) struct Flush {
    pub(crate) before: u64,
    pub(crate) durable: bool,
    pub(crate) deadline: Instant,
    pub(crate) done: Done<()>,
}

/// Somebody wants the file to be rotated behind the lines before a number.
pub(crate) struct Rotation {
    pub(crate) before: u64,
    pub(crate) deadline: Instant,
    pub(crate) done: Done<()>,
}

pub(crate) struct State {
    pub(crate) queue: Queue,
    /// Where lines wait, too, if they are to outlive the process.
    pub(crate) journal: Option<Journal>,
    numbers: Option<Numbers>,
    /// Lines that the thread has taken, and not written yet.
    pub(crate) in_flight: u64,
    pub(crate) flushes: Vec<Flush>,
    pub(crate) rotations: Vec<Rotation>,
    /// The file is to be opened anew.
    pub(crate) reopen: bool,
    /// The thread is to write what there is, however young.
    pub(crate) hurry: bool,
    /// Once the last handle is closed: when to give up.
    pub(crate) closing: Option<Instant>,
    pub(crate) ended: bool,
    /// Those who wait for the end.
    pub(crate) at_end: Vec<Box<dyn FnOnce() + Send>>,
    /// Whether the thread waits for something to do.
    pub(crate) asleep: bool,
    pub(crate) listeners: Vec<(u64, Listener)>,
}

impl State {
    /// The number of the first line that is neither written nor dropped.
    pub(crate) fn settled(&self) -> u64 {
        self.queue.first() - self.in_flight
    }
}

/// A file's queue, and what its handles and its thread tell each other.
pub(crate) struct Sink {
    pub(crate) options: Options,
    pub(crate) counts: Counts,
    state: Mutex<State>,
    /// There may be something to do.
    pub(crate) work: Condvar,
    /// Lines were written or dropped.
    pub(crate) room: Condvar,
    pub(crate) latencies: Mutex<Latencies>,
    started: Instant,
}

impl Sink {
    pub(crate) fn new(options: Options, journal: Option<Journal>) -> Self {
        // What the queue has room for, its journal has too.
        let beside = if options.journal { FRAME } else { 0 };
        let state = State {
            queue: Queue::new(options.max_bytes, options.max_lines, beside),
            journal,
            numbers: options.numbered.then(Numbers::new),
            in_flight: 0,
            flushes: Vec::new(),
            rotations: Vec::new(),
            reopen: false,
            hurry: false,
            closing: None,
            ended: false,
            at_end: Vec::new(),
            asleep: false,
            listeners: Vec::new(),
        };
        Self {
            options,
            counts: Counts::default(),
            state: Mutex::new(state),
            work: Condvar::new(),
            room: Condvar::new(),
            latencies: Mutex::default(),
            started: Instant::now(),
        }
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Microseconds since the sink was made.
    pub(crate) fn now(&self) -> u64 {
        self.started.elapsed().as_micros() as u64
    }

    /// When a moment of [`Sink::now`] is.
    pub(crate) fn instant(&self, at: u64) -> Instant {
        self.started + Duration::from_micros(at)
    }

    /// Takes a line in, if there is or will be room; returns whether it was.
    pub(crate) fn push(&self, line: &[u8], urgent: bool) -> bool {
        let mut state = self.state();
        let numbered = state.numbers.as_mut().map(|numbers| numbers.number(line));
        let line = numbered.as_deref().unwrap_or(line);
        self.push_texts(state, &[line], None, urgent)
    }

    /// As `push`. The line is put together when it is written, unless it is to be kept or numbered before.
    pub(crate) fn push_entry(&self, entry: &Entry, urgent: bool) -> bool {
        if self.options.journal || self.options.numbered {
            let mut line = Vec::new();
            entry.write(&mut line);
            return self.push(&line, urgent);
        }
        self.push_texts(self.state(), &entry.texts(), Some(entry.head()), urgent)
    }

    fn push_texts<'a>(
        &'a self,
        mut state: MutexGuard<'a, State>,
        texts: &[&[u8]],
        head: Option<Head>,
        urgent: bool,
    ) -> bool {
        let length = texts.iter().map(|text| text.len()).sum();
        if state.closing.is_some() {
            add(&self.counts.dropped_closed, 1);
            return false;
        }
        if !state.queue.could_fit(length) {
            add(&self.counts.dropped_oversized, 1);
            return false;
        }
        if !state.queue.fits(length) {
            state = self.make_room(state, length);
            if !state.queue.fits(length) {
                add(&self.counts.dropped_full, 1);
                return false;
            }
        }
        state.queue.push(texts, head, self.now());
        if let (Some(journal), [line]) = (&mut state.journal, texts) {
            journal.push(line);
        }
        state.hurry |= urgent;
        add(&self.counts.accepted, 1);
        // A thread that sleeps has to be told of the first line, to know when it is due, and of those that make it due.
        let is_first = state.queue.lines() == 1;
        if state.asleep && (is_first || self.is_due(&state)) {
            state.asleep = false;
            drop(state);
            self.work.notify_one();
        }
        true
    }

    fn make_room<'a>(&'a self, mut state: MutexGuard<'a, State>, length: usize) -> MutexGuard<'a, State> {
        match self.options.on_full {
            OnFull::DropOldest => {
                let (lines, bytes) = state.queue.make_room(length);
                add(&self.counts.dropped_full, lines);
                if let Some(journal) = &mut state.journal {
                    journal.forget(bytes, lines as usize);
                }
            }
            OnFull::DropNewest => {}
            OnFull::Block(patience) => {
                state.hurry = true;
                state.asleep = false;
                self.work.notify_one();
                let is_full = |state: &mut State| !state.queue.fits(length) && state.closing.is_none();
                let waited = self.room.wait_timeout_while(state, patience, is_full);
                state = waited.unwrap_or_else(PoisonError::into_inner).0;
            }
        }
        state
    }

    /// Whether lines are to be written now, whatever their age.
    pub(crate) fn is_due(&self, state: &State) -> bool {
        let Options { flush_bytes, max_bytes, max_lines, .. } = self.options;
        state.hurry
            || state.queue.bytes() >= flush_bytes
            || state.queue.room_taken() >= max_bytes.div_ceil(2)
            || state.queue.lines() >= max_lines.div_ceil(2)
    }

    /// Changes the state, and has the thread look at it.
    pub(crate) fn ask(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.state();
        change(&mut state);
        state.asleep = false;
        drop(state);
        self.work.notify_one();
    }

    /// Waits until what was pushed before is written or dropped, so long at most; returns how many lines are left.
    pub(crate) fn drain(&self, limit: Duration) -> u64 {
        let before = self.state().queue.next();
        self.ask(|state| state.hurry = true);
        let is_waiting = |state: &mut State| state.settled() < before && !state.ended;
        let waited = self.room.wait_timeout_while(self.state(), limit, is_waiting);
        let state = waited.unwrap_or_else(PoisonError::into_inner).0;
        before.saturating_sub(state.settled())
    }

    /// Tells all handles.
    pub(crate) fn tell(&self, event: &Event) {
        let listeners: Vec<Listener> =
            self.state().listeners.iter().map(|(_, listener)| Arc::clone(listener)).collect();
        for listener in listeners {
            call(|| listener(event));
        }
    }
}

/// Of the journal of the queue, if it has one.
impl Progress for &Sink {
    fn intend(&mut self, file: Identity, offset: u64) {
        self.with_journal(|journal| journal.intend(file, offset));
    }

    fn wrote(&mut self, bytes: usize) {
        self.with_journal(|journal| journal.wrote(bytes));
    }

    fn failed(&mut self) {
        self.with_journal(Progress::failed);
    }
}

impl Sink {
    fn with_journal(&self, tell: impl FnOnce(&mut Journal)) {
        if self.options.journal
            && let Some(journal) = &mut self.state().journal
        {
            tell(journal);
        }
    }
}
