//! One document between the main thread, which pushes its text and takes what to do, and the threads of a pool.

use std::any::Any;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::machine::{Machine, Piece, Plan, Progress};
use super::op::Op;

/// What may pile up on either side of a job, in bytes.
#[derive(Clone, Copy)]
pub(super) struct Bounds {
    /// Input beyond which the main thread is asked to wait.
    pub(super) input_high: usize,
    /// Input below which it is asked for more.
    pub(super) input_low: usize,
    /// Output beyond which the job rests until some is taken.
    pub(super) output_high: usize,
}

const BOUNDS: Bounds = Bounds { input_high: 2 << 20, input_low: 1 << 20, output_high: 4 << 20 };

/// A document that is worked on. Any thread may hold it; only one works on it at a time.
pub struct Job {
    /// 0 goes first.
    priority: usize,
    bounds: Bounds,
    notify: Arc<dyn Fn() + Send + Sync>,
    mail: Mutex<Mail>,
    machine: Mutex<Machine>,
    /// Tells the machine to end what it is at.
    cancelled: Arc<AtomicBool>,
}

#[derive(Default)]
struct Mail {
    input: VecDeque<Piece>,
    input_bytes: usize,
    ended: bool,
    /// The machine knows that it ended.
    end_told: bool,
    ops: VecDeque<Op>,
    output_bytes: usize,
    phase: Phase,
    /// What the machine said last.
    progress: Progress,
    /// The last op was told, or nobody wants it any more.
    over: bool,
    /// The main thread found no room, or nothing to take, and waits to be told.
    waits: bool,
    spent: Duration,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Phase {
    #[default]
    Resting,
    /// In a queue, or about to be, or worked on.
    Busy,
}

impl Mail {
    fn runnable(&self, bounds: Bounds) -> bool {
        let work = self.progress.more || !self.input.is_empty() || (self.ended && !self.end_told);
        work && !self.over && self.output_bytes < bounds.output_high
    }

    fn is_hungry(&self, bounds: Bounds) -> bool {
        !self.over && !self.ended && self.input_bytes < bounds.input_low
    }
}

impl Job {
    /// A job of `plan`. `notify` is called, from any thread, when the main thread has something to do for it.
    ///
    /// `priority` is 0 to 2; 0 goes first.
    pub fn new(plan: Plan, priority: usize, notify: Arc<dyn Fn() + Send + Sync>) -> Self {
        Self::with_bounds(plan, priority, notify, BOUNDS)
    }

    pub(super) fn with_bounds(
        plan: Plan,
        priority: usize,
        notify: Arc<dyn Fn() + Send + Sync>,
        bounds: Bounds,
    ) -> Self {
        let progress = Progress { more: plan.needs_no_input(), full: false };
        let mail = Mail { progress, ..Mail::default() };
        let machine = Machine::new(plan);
        let cancelled = machine.cancelled();
        Self { priority, bounds, notify, mail: Mutex::new(mail), machine: Mutex::new(machine), cancelled }
    }

    pub(super) fn priority(&self) -> usize {
        self.priority
    }

    fn mail(&self) -> MutexGuard<'_, Mail> {
        self.mail.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Appends to the text. Returns whether there is room for more; where there is none, `notify` will be called.
    pub fn push(&self, piece: Piece) -> bool {
        let mut mail = self.mail();
        if mail.over {
            return true;
        }
        mail.input_bytes += piece.bytes();
        mail.input.push_back(piece);
        let room = mail.input_bytes < self.bounds.input_high;
        mail.waits |= !room;
        room
    }

    /// Says that the last piece was the last.
    pub fn end(&self) {
        self.mail().ended = true;
    }

    /// The next thing to do, or `None` until `notify` is called.
    pub fn take(&self) -> Option<Op> {
        let mut mail = self.mail();
        let op = mail.ops.pop_front();
        match &op {
            Some(op) => mail.output_bytes -= op.weight(),
            None => mail.waits = true,
        }
        op
    }

    /// Whether it has used up most of what was pushed, and the last piece was not the last.
    pub fn is_hungry(&self) -> bool {
        self.mail().is_hungry(self.bounds)
    }

    /// Whether nothing will come of it before something is pushed, and all that came was taken.
    pub fn is_idle(&self) -> bool {
        let mail = self.mail();
        mail.phase == Phase::Resting && mail.ops.is_empty() && !mail.runnable(self.bounds)
    }

    /// Drops all that is left to do. Nothing is told any more.
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
        let mut mail = self.mail();
        mail.over = true;
        let dropped = (std::mem::take(&mut mail.input), std::mem::take(&mut mail.ops));
        (mail.input_bytes, mail.output_bytes) = (0, 0);
        // A thread that reports need not wait until millions of ops are freed.
        drop(mail);
        drop(dropped);
    }

    /// How long threads have worked on it.
    pub fn spent(&self) -> Duration {
        self.mail().spent
    }

    /// What was pushed and not taken in yet.
    #[cfg(test)]
    pub(super) fn input_bytes(&self) -> usize {
        self.mail().input_bytes
    }

    /// Marks it as busy, and returns whether it is to be queued.
    pub(super) fn claim(&self) -> bool {
        let mut mail = self.mail();
        let claimed = mail.phase == Phase::Resting && mail.runnable(self.bounds);
        if claimed {
            mail.phase = Phase::Busy;
        }
        claimed
    }

    /// Does a portion of a claimed job's work. Returns whether to queue it again.
    pub(super) fn run(&self) -> bool {
        let Some((piece, ended)) = self.begin() else { return false };
        let started = Instant::now();
        let mut ops = Vec::new();
        let mut machine = self.machine.lock().unwrap_or_else(PoisonError::into_inner);
        let work = catch_unwind(AssertUnwindSafe(|| machine.advance(piece, ended, &mut ops)));
        drop(machine);
        let progress = work.unwrap_or_else(|panic| {
            ops.push(Op::Broken(describe(&*panic).into()));
            Progress::default()
        });
        self.report(ops, progress, started.elapsed())
    }

    /// What to work on: a piece, and whether there are no more. `None` where nobody wants it any more.
    pub(super) fn begin(&self) -> Option<(Option<Piece>, bool)> {
        let mut mail = self.mail();
        if mail.over {
            mail.phase = Phase::Resting;
            return None;
        }
        // A machine that has not used up the piece before must not hoard them.
        let piece = if mail.progress.full { None } else { mail.input.pop_front() };
        if let Some(piece) = &piece {
            mail.input_bytes -= piece.bytes();
        }
        mail.end_told = mail.ended && mail.input.is_empty();
        Some((piece, mail.end_told))
    }

    pub(super) fn report(&self, ops: Vec<Op>, progress: Progress, spent: Duration) -> bool {
        let mut mail = self.mail();
        mail.spent += spent;
        mail.progress = progress;
        if !mail.over {
            mail.over = ops.last().is_some_and(Op::is_last);
            mail.output_bytes += ops.iter().map(Op::weight).sum::<usize>();
            mail.ops.extend(ops);
        }
        let again = mail.runnable(self.bounds);
        if !again {
            mail.phase = Phase::Resting;
        }
        let wanted = mail.waits && (!mail.ops.is_empty() || mail.is_hungry(self.bounds));
        if wanted {
            mail.waits = false;
        }
        drop(mail);
        if wanted {
            (self.notify)();
        }
        again
    }
}

fn describe(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("unknown panic").to_owned()
}
