//! The thread of a file.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use crate::counts::add;
use crate::failure::{Failure, Hindrance, Step};
use crate::file::batch::{Appended, Batch};
use crate::journal::Journal;
use crate::journal::recovery::Recovery;
use crate::options::Target;
use crate::output::Output;
use crate::priority::yield_to_others;
use crate::queue::Line;
use crate::sink::{Event, Flush, FlushError, Rotation, Sink, State, call};
use crate::trouble::Trouble;

/// Bytes that are appended at once, but for a line that is longer.
pub(crate) const BATCH: usize = 256 * 1024;
/// Room for what is being written that is kept.
const KEPT_BYTES: usize = 1 << 20;
/// A clock that somebody sets is noticed after so long.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);

/// Writes until the last handle is closed and nothing is left: first what other processes have left, `left`, then what comes.
/// `failure` is what was in the way of opening the file.
pub(crate) fn run(sink: &Arc<Sink>, failure: Option<Failure>, left: Vec<Journal>) {
    yield_to_others();
    let mut writer = Writer {
        output: Output::new(&sink.options.target),
        sink: Arc::clone(sink),
        bytes: Vec::new(),
        lines: VecDeque::new(),
        whole: Vec::new(),
        left: left.into_iter().map(Recovery::new).collect(),
        trouble: Trouble::default(),
        stuck: Trouble::default(),
    };
    if let Some(failure) = failure {
        writer.ill(failure);
    }
    if writer.left.is_empty() {
        writer.output.tidy(sink);
    }
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        while writer.wait() {
            writer.work();
        }
    }));
    if outcome.is_err() {
        // Whoever waits is told all the same, and lines of a journal are there for the next logger.
        sink.tell(&Event::Failed(panicked(&sink.options.target)));
    }
    writer.end();
}

fn panicked(target: &Target) -> Failure {
    let path = match target {
        Target::File(options) => options.path.clone(),
        Target::Stdout | Target::Stderr => PathBuf::from("the stream"),
    };
    Failure { step: Step::Write, path, errno: None, message: "its thread has panicked, and ended".to_owned() }
}

struct Writer {
    sink: Arc<Sink>,
    output: Output,
    /// What was taken from the queue and is not written yet.
    bytes: Vec<u8>,
    lines: VecDeque<Line>,
    /// Where lines are put together.
    whole: Vec<u8>,
    left: Vec<Recovery>,
    /// The file cannot be written.
    trouble: Trouble,
    /// It cannot be rotated.
    stuck: Trouble,
}

impl Writer {
    /// Waits until there is something to do; false: it is time to end.
    fn wait(&mut self) -> bool {
        let sink = Arc::clone(&self.sink);
        let mut state = sink.state();
        loop {
            let now = Instant::now();
            let late = self.take_late(&mut state, now);
            if !late.is_empty() {
                drop(state);
                for give_up in late {
                    call(give_up);
                }
                state = sink.state();
                continue;
            }
            let until = self.next(&state, now);
            let Some(until) = until else { return state.closing.is_none() };
            if until <= now {
                self.take(&mut state);
                return true;
            }
            state.asleep = true;
            state = sink.work.wait_timeout(state, until - now).unwrap_or_else(PoisonError::into_inner).0;
            state.asleep = false;
        }
    }

    /// When there is something to do; `None`: never again.
    fn next(&self, state: &State, now: Instant) -> Option<Instant> {
        let far = now + LONGEST_SLEEP;
        let deadlines = state.flushes.iter().map(|flush| flush.deadline);
        let deadline = deadlines.chain(state.rotations.iter().map(|rotation| rotation.deadline)).min().unwrap_or(far);
        let is_empty =
            state.queue.lines() == 0 && !self.has_begun() && state.rotations.is_empty() && state.flushes.is_empty();
        if let Some(give_up) = state.closing
            && (is_empty || now >= give_up)
        {
            return None;
        }
        let lines = state.queue.lines() > 0;
        let is_asked = !state.flushes.is_empty() || state.reopen || (lines && !state.rotations.is_empty());
        let is_wanted = is_asked || (lines && state.closing.is_some()) || self.sink.is_due(state) || self.has_begun();
        let ripe = state.queue.oldest().map(|at| self.sink.instant(at) + self.sink.options.flush_interval);
        let writes = if is_wanted { now } else { ripe.unwrap_or(far) };
        let rotates = if state.rotations.is_empty() {
            // A moment that is over is one at which to look now.
            let turn = self.output.next_turn().map(|at| now + at.duration_since(SystemTime::now()).unwrap_or_default());
            turn.unwrap_or(far)
        } else {
            now
        };
        let soonest = self.trouble.earliest(writes.min(self.stuck.earliest(rotates)));
        let give_up = state.closing.unwrap_or(far);
        Some(soonest.min(deadline).min(give_up))
    }

    /// Whether there is something that was begun and has to be gone on with.
    fn has_begun(&self) -> bool {
        !self.lines.is_empty() || !self.left.is_empty()
    }

    /// Flushes and rotations whose time is over.
    fn take_late(&self, state: &mut State, now: Instant) -> Vec<Box<dyn FnOnce()>> {
        let why = |failure: Option<&Failure>| failure.cloned().map_or(FlushError::Late, FlushError::Failed);
        let mut late: Vec<Box<dyn FnOnce()>> = Vec::new();
        for Flush { done, .. } in state.flushes.extract_if(.., |flush| flush.deadline <= now) {
            let why = why(self.trouble.failure());
            late.push(Box::new(move || done(Err(why))));
        }
        for Rotation { done, .. } in state.rotations.extract_if(.., |rotation| rotation.deadline <= now) {
            let why = why(self.trouble.failure().or(self.stuck.failure()));
            late.push(Box::new(move || done(Err(why))));
        }
        late
    }

    /// Takes the next lines, unless some are left from before.
    fn take(&mut self, state: &mut State) {
        if !self.lines.is_empty() {
            return;
        }
        state.queue.take(BATCH, &mut self.bytes, &mut self.lines);
        state.in_flight = self.lines.len() as u64;
        if let Some(journal) = &mut state.journal
            && !self.lines.is_empty()
        {
            journal.take(self.bytes.len(), self.lines.len());
        }
        if state.queue.lines() == 0 {
            state.hurry = false;
        }
    }

    fn work(&mut self) {
        let now = Instant::now();
        self.output.let_rotate(self.stuck.earliest(now) <= now);
        if std::mem::take(&mut self.sink.state().reopen) {
            self.output.close();
        }
        if !self.left.is_empty() {
            return self.recover();
        }
        if !self.lines.is_empty() {
            self.append();
        }
        if self.lines.is_empty() {
            self.turn();
            self.rotate();
            self.settle_flushes();
        }
    }

    /// Looks what of one that others have left is written. No file goes before it is known for all.
    fn check(&mut self, place: usize) {
        let Some(file) = self.output.file() else { return self.left.clear() };
        match self.left[place].check(file, Instant::now()) {
            Ok(()) => {}
            Err(Hindrance::Failed(failure)) => {
                // It stays for a later logger; own lines go on.
                self.left.remove(place);
                self.sink.tell(&Event::Untidy(failure));
            }
            Err(hindrance) => self.hindered(hindrance),
        }
        if self.left.iter().all(Recovery::is_checked) {
            self.output.tidy(&self.sink);
        }
    }

    /// Writes a part of what others have left.
    fn recover(&mut self) {
        if let Some(place) = self.left.iter().position(|recovery| !recovery.is_checked()) {
            return self.check(place);
        }
        let (Some(recovery), Some(file)) = (self.left.last_mut(), self.output.file()) else {
            return self.left.clear();
        };
        let (appended, outcome) = recovery.go_on(file, BATCH);
        add(&self.sink.counts.recovered, appended.lines as u64);
        self.went_on(appended);
        match outcome {
            Ok(true) => self.well(),
            Ok(false) => {
                self.well();
                if let Some(Err(failure)) = self.left.pop().map(Recovery::end) {
                    self.sink.tell(&Event::Untidy(failure));
                }
            }
            Err(hindrance) => self.hindered(hindrance),
        }
    }

    /// Puts those together of which there are only the texts.
    fn put_together(&mut self) {
        if self.lines.iter().all(|line| line.head.is_none()) {
            return;
        }
        self.whole.clear();
        let mut texts = &self.bytes[..];
        for line in &mut self.lines {
            let (own, rest) = texts.split_at(line.length);
            let start = self.whole.len();
            match line.head.take() {
                Some(head) => head.entry(own).write(&mut self.whole),
                None => self.whole.extend_from_slice(own),
            }
            (line.length, texts) = (self.whole.len() - start, rest);
        }
        std::mem::swap(&mut self.bytes, &mut self.whole);
        self.whole.shrink_to(KEPT_BYTES);
    }

    fn append(&mut self) {
        self.put_together();
        let lengths: Vec<usize> = self.lines.iter().map(|line| line.length).collect();
        let began = Instant::now();
        let (now, wall) = (self.sink.now(), SystemTime::now());
        let lines = &self.lines;
        let before = |time: SystemTime| {
            let ago = wall.duration_since(time).unwrap_or_default().as_micros() as u64;
            lines.partition_point(|line| line.at + ago < now)
        };
        let batch = Batch { bytes: &self.bytes, lengths: &lengths, before: &before };
        let (appended, outcome) = self.output.append(&batch, &mut &*self.sink);
        let counts = &self.sink.counts;
        add(&counts.writes, 1);
        add(&counts.write_time, began.elapsed().as_micros() as u64);
        self.written(appended.lines);
        self.went_on(appended);
        match outcome {
            Ok(()) => self.well(),
            Err(hindrance) => self.hindered(hindrance),
        }
    }

    /// So many of the lines that were taken are in the file.
    fn written(&mut self, count: usize) {
        if count == 0 {
            return;
        }
        let Sink { counts, .. } = &*self.sink;
        let now = self.sink.now();
        let length: usize = self.lines.range(..count).map(|line| line.length).sum();
        add(&counts.written, count as u64);
        add(&counts.bytes, length as u64);
        let mut latencies = self.sink.latencies.lock().unwrap_or_else(PoisonError::into_inner);
        for line in self.lines.range(..count) {
            latencies.record(now.saturating_sub(line.at) as f64 / 1000.0);
        }
        drop(latencies);
        self.lines.drain(..count);
        self.bytes.drain(..length);
        if self.bytes.is_empty() {
            self.bytes.shrink_to(KEPT_BYTES);
        }
        self.sink.state().in_flight = self.lines.len() as u64;
        self.sink.room.notify_all();
    }

    /// What else came of an append.
    fn went_on(&mut self, Appended { rotated, stuck, .. }: Appended) {
        for name in rotated {
            self.rotated(name);
        }
        if let Some(failure) = stuck {
            self.hindered(Hindrance::Stuck(failure));
        }
    }

    fn rotated(&mut self, name: PathBuf) {
        add(&self.sink.counts.rotations, 1);
        self.sink.tell(&Event::Rotated(name));
        if let Some(after) = self.stuck.end(Instant::now()) {
            self.sink.tell(&Event::Recovered(after));
        }
        self.output.tidy(&self.sink);
    }

    fn well(&mut self) {
        if let Some(after) = self.trouble.end(Instant::now()) {
            self.sink.tell(&Event::Recovered(after));
        }
    }

    fn hindered(&mut self, hindrance: Hindrance) {
        match hindrance {
            // It took its time to find out: those who wait come first.
            Hindrance::Busy => {}
            Hindrance::Failed(failure) => self.ill(failure),
            Hindrance::Stuck(failure) => {
                add(&self.sink.counts.failures, 1);
                if self.stuck.begin(failure.clone(), Instant::now()) {
                    self.sink.tell(&Event::Failed(failure));
                }
            }
        }
    }

    fn ill(&mut self, failure: Failure) {
        add(&self.sink.counts.failures, 1);
        if self.trouble.begin(failure.clone(), Instant::now()) {
            self.sink.tell(&Event::Failed(failure));
        }
    }

    /// Rotates a file whose period is over.
    fn turn(&mut self) {
        let now = Instant::now();
        if self.stuck.earliest(now) > now || self.output.next_turn().is_none_or(|at| at > SystemTime::now()) {
            return;
        }
        let outcome = self.output.turn();
        self.has_rotated(outcome);
    }

    /// Rotates for those whose lines are all written.
    fn rotate(&mut self) {
        let now = Instant::now();
        if self.stuck.earliest(now) > now {
            return;
        }
        let wanted: Vec<Rotation> = {
            let mut state = self.sink.state();
            let settled = state.settled();
            state.rotations.extract_if(.., |rotation| rotation.before <= settled).collect()
        };
        if wanted.is_empty() {
            return;
        }
        let outcome = self.output.rotate();
        if self.has_rotated(outcome) {
            for Rotation { done, .. } in wanted {
                call(|| done(Ok(())));
            }
        } else {
            self.sink.state().rotations.splice(..0, wanted);
        }
    }

    /// Tells of what came of a rotation; returns whether it is done, or was not needed.
    fn has_rotated(&mut self, outcome: Result<Option<PathBuf>, Hindrance>) -> bool {
        match outcome {
            Ok(name) => {
                if let Some(name) = name {
                    self.rotated(name);
                }
                self.well();
                true
            }
            Err(hindrance) => {
                self.hindered(hindrance);
                false
            }
        }
    }

    fn settle_flushes(&mut self) {
        let reached: Vec<Flush> = {
            let mut state = self.sink.state();
            let settled = state.settled();
            state.flushes.extract_if(.., |flush| flush.before <= settled).collect()
        };
        let synced = if reached.iter().any(|flush| flush.durable) { self.output.sync() } else { Ok(()) };
        for Flush { durable, done, .. } in reached {
            let outcome = if durable { synced.clone().map_err(FlushError::Failed) } else { Ok(()) };
            call(|| done(outcome));
        }
    }

    /// What is left is lost.
    fn end(&mut self) {
        let mut state = self.sink.state();
        let lost = state.queue.clear() + self.lines.len() as u64;
        match state.journal.take() {
            Some(journal) if lost == 0 => {
                let path = journal.path().to_owned();
                if let Err(failure) = journal.remove().map_err(Failure::of(Step::Journal, &path)) {
                    drop(state);
                    self.sink.tell(&Event::Untidy(failure));
                    state = self.sink.state();
                }
            }
            // The next process has them.
            Some(_) => {}
            None => add(&self.sink.counts.dropped_lost, lost),
        }
        (state.in_flight, state.ended) = (0, true);
        // Also where nobody has closed it.
        state.closing.get_or_insert_with(Instant::now);
        let (flushes, rotations) = (std::mem::take(&mut state.flushes), std::mem::take(&mut state.rotations));
        let at_end = std::mem::take(&mut state.at_end);
        drop(state);
        self.sink.room.notify_all();
        let outcome = || if lost == 0 { Ok(()) } else { Err(FlushError::Closed) };
        for Flush { done, .. } in flushes {
            call(|| done(outcome()));
        }
        for Rotation { done, .. } in rotations {
            call(|| done(Err(FlushError::Closed)));
        }
        for done in at_end {
            call(done);
        }
    }
}
