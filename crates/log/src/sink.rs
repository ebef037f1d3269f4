//! What all handles of a file share, and its thread works on.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use keelson_core::latency::Latencies;

use crate::counts::{Counts, add};
use crate::failure::Failure;
use crate::file::batch::Progress;
use crate::file::identity::Identity;
use crate::journal::Journal;
use crate::journal::frame::FRAME;
use crate::options::{OnFull, Options};
use crate::queue::Queue;
use crate::queue::entry::{Entry, Head};
use crate::queue::number::Numbers;

/// Something that happened to a log.
#[derive(Clone, Debug)]
pub enum Event {
    /// The file cannot be written: lines wait. Or it cannot be rotated, where the step is [`Step::Rename`]: lines go on to it
    /// beyond its size and time. It is tried again; told once until it can. Where the thread has panicked it has ended.
    ///
    /// [`Step::Rename`]: crate::Step::Rename
    Failed(Failure),
    /// It could be written or rotated again, after so long.
    Recovered(Duration),
    /// The file has another name now, and a new one begins.
    Rotated(std::path::PathBuf),
    /// Something about the file is not as it was wanted, without which lines are written all the same: a file that was
    /// rotated could not be compressed or removed, or a journal not be read, not be checked, or not be read as a whole.
    Untidy(Failure),
}

/// Why a flush or a rotation did not come about in time. Lines are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FlushError {
    /// The file cannot be written.
    Failed(Failure),
    /// It took too long.
    Late,
    /// The last handle was closed, and gave up, or the thread has panicked.
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

/// Why a line is not taken in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Refusal {
    Closed,
    Oversized,
    Full,
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
        // A number is given once there is room, so that numbers are in the order of the lines.
        let length = |state: &State| state.numbers.as_ref().map_or(line.len(), |numbers| numbers.length(line));
        match self.with_room(length) {
            Ok(mut state) => {
                let numbered = state.numbers.as_mut().map(|numbers| numbers.number(line));
                self.take_in(state, &[numbered.as_deref().unwrap_or(line)], None, urgent);
                true
            }
            Err(mut state) => {
                if let Some(numbers) = &mut state.numbers {
                    numbers.skip(line);
                }
                false
            }
        }
    }

    /// As `push`. The line is put together when it is written, unless it is to be kept or numbered before.
    pub(crate) fn push_entry(&self, entry: &Entry, urgent: bool) -> bool {
        if self.options.journal || self.options.numbered {
            let mut line = Vec::new();
            entry.write(&mut line);
            return self.push(&line, urgent);
        }
        let texts = entry.texts();
        let length = texts.iter().map(|text| text.len()).sum();
        let Ok(state) = self.with_room(|_| length) else { return false };
        self.take_in(state, &texts, Some(entry.head()), urgent);
        true
    }

    /// The state, with room for a line; an error: the line is dropped, and counted. Its length may change while others push.
    fn with_room(&self, length: impl Fn(&State) -> usize) -> Result<MutexGuard<'_, State>, MutexGuard<'_, State>> {
        let mut state = self.state();
        let mut reason = Self::refusal(&state, length(&state));
        if reason == Some(Refusal::Full) {
            state = self.make_room(state, &length);
            // The log may have been closed meanwhile.
            reason = Self::refusal(&state, length(&state));
        }
        let dropped = match reason {
            None => return Ok(state),
            Some(Refusal::Closed) => &self.counts.dropped_closed,
            Some(Refusal::Oversized) => &self.counts.dropped_oversized,
            Some(Refusal::Full) => &self.counts.dropped_full,
        };
        add(dropped, 1);
        Err(state)
    }

    /// Why a line of that length is not taken in, if it is not.
    fn refusal(state: &State, length: usize) -> Option<Refusal> {
        if state.closing.is_some() {
            Some(Refusal::Closed)
        } else if !state.queue.could_fit(length) {
            Some(Refusal::Oversized)
        } else {
            (!state.queue.fits(length)).then_some(Refusal::Full)
        }
    }

    fn take_in(&self, mut state: MutexGuard<'_, State>, texts: &[&[u8]], head: Option<Head>, urgent: bool) {
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
    }

    fn make_room<'a>(
        &'a self,
        mut state: MutexGuard<'a, State>,
        length: &impl Fn(&State) -> usize,
    ) -> MutexGuard<'a, State> {
        match self.options.on_full {
            OnFull::DropOldest => {
                let length = length(&state);
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
                let is_full = |state: &mut State| !state.queue.fits(length(state)) && state.closing.is_none();
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

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::path::PathBuf;
    use std::sync::atomic::Ordering;
    use std::thread;
    use std::time::{Duration, Instant};

    use super::Sink;
    use crate::options::{FileOptions, OnFull, Options, Target};

    const LONG: Duration = Duration::from_secs(30);

    /// One that nobody writes, with room for two lines.
    fn sink(on_full: OnFull) -> Sink {
        let options = Options {
            target: Target::File(Box::new(FileOptions::new(PathBuf::from("app.log")))),
            max_bytes: 1000,
            max_lines: 2,
            on_full,
            flush_interval: LONG,
            flush_bytes: 1000,
            patience: LONG,
            journal: false,
            numbered: true,
        };
        Sink::new(options, None)
    }

    /// What there is, and room again.
    fn take(sink: &Sink) -> String {
        let (mut bytes, mut lines) = (Vec::new(), VecDeque::new());
        sink.state().queue.take(1000, &mut bytes, &mut lines);
        sink.room.notify_all();
        String::from_utf8(bytes).expect("text")
    }

    fn numbers(text: &str) -> Vec<usize> {
        let number = |line: &str| line.rsplit_once(':').and_then(|(_, number)| number.strip_suffix('}')?.parse().ok());
        text.lines().map(|line| number(line).expect("a number")).collect()
    }

    fn wait_until(condition: impl Fn() -> bool) {
        let deadline = Instant::now() + LONG;
        while !condition() {
            assert!(Instant::now() < deadline, "it never comes");
            thread::yield_now();
        }
    }

    #[test]
    fn numbers_are_in_the_order_of_lines_that_waited_for_room() {
        const LINES: usize = 200;
        let (sink, mut text) = (sink(OnFull::Block(LONG)), String::new());
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| (0..LINES).for_each(|_| assert!(sink.push(b"{\"a\":1}\n", false))));
            }
            let deadline = Instant::now() + LONG;
            while text.lines().count() < 8 * LINES {
                assert!(Instant::now() < deadline, "they never come");
                text += &take(&sink);
            }
        });
        assert!(numbers(&text).into_iter().eq(0..8 * LINES), "{text}");
    }

    #[test]
    fn a_line_that_waited_while_the_log_was_closed_is_dropped() {
        let sink = sink(OnFull::Block(LONG));
        for _ in 0..2 {
            assert!(sink.push(b"{}\n", false));
        }
        thread::scope(|scope| {
            let waiting = scope.spawn(|| sink.push(b"{}\n", false));
            // It hurries the thread that writes, and waits from then on.
            wait_until(|| sink.state().hurry);
            sink.state().closing = Some(Instant::now() + LONG);
            take(&sink);
            assert!(!waiting.join().expect("no panic"));
        });
        assert_eq!(sink.counts.dropped_closed.load(Ordering::Relaxed), 1);
        assert_eq!(sink.counts.accepted.load(Ordering::Relaxed), 2);
    }

    #[test]
    fn a_line_that_is_dropped_leaves_a_gap() {
        let newest = sink(OnFull::DropNewest);
        assert_eq!([(); 4].map(|()| newest.push(b"{}\n", false)), [true, true, false, false]);
        let text = take(&newest);
        assert!(newest.push(b"{}\n", false));
        assert_eq!(numbers(&(text + &take(&newest))), [0, 1, 4]);
        let oldest = sink(OnFull::DropOldest);
        assert_eq!([(); 4].map(|()| oldest.push(b"{}\n", false)), [true; 4]);
        assert_eq!(numbers(&take(&oldest)), [2, 3]);
    }
}
