//! One document between the main thread, which pushes its text and takes what to do, and the threads of a pool.

use std::any::Any;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::machine::{Machine, Piece, Plan};
use super::op::Op;

/// Input beyond which the main thread is asked to wait, in bytes.
const INPUT_HIGH: usize = 2 << 20;
/// Input below which it is asked for more.
const INPUT_LOW: usize = 1 << 20;
/// Output beyond which the job rests until some is taken, in bytes.
const OUTPUT_HIGH: usize = 4 << 20;

/// A document that is worked on. Any thread may hold it; only one works on it at a time.
pub struct Job {
    /// 0 goes first.
    priority: usize,
    notify: Arc<dyn Fn() + Send + Sync>,
    mail: Mutex<Mail>,
    machine: Mutex<Machine>,
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
    /// There is work that needs no further input.
    more: bool,
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
    fn runnable(&self) -> bool {
        let work = self.more || !self.input.is_empty() || (self.ended && !self.end_told);
        work && !self.over && self.output_bytes < OUTPUT_HIGH
    }
}

impl Job {
    /// A job of `plan`. `notify` is called, from any thread, when the main thread has something to do for it.
    ///
    /// `priority` is 0 to 2; 0 goes first.
    pub fn new(plan: Plan, priority: usize, notify: Arc<dyn Fn() + Send + Sync>) -> Self {
        let mail = Mail { more: plan.needs_no_input(), ..Mail::default() };
        Self { priority, notify, mail: Mutex::new(mail), machine: Mutex::new(Machine::new(plan)) }
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
        let room = mail.input_bytes < INPUT_HIGH;
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
        let mail = self.mail();
        !mail.over && !mail.ended && mail.input_bytes < INPUT_LOW
    }

    /// Drops all that is left to do. Nothing is told any more.
    pub fn cancel(&self) {
        let mut mail = self.mail();
        mail.over = true;
        mail.input.clear();
        mail.ops.clear();
        mail.output_bytes = 0;
    }

    /// How long threads have worked on it.
    pub fn spent(&self) -> Duration {
        self.mail().spent
    }

    /// Marks it as busy, and returns whether it is to be queued.
    pub(super) fn claim(&self) -> bool {
        let mut mail = self.mail();
        let claimed = mail.phase == Phase::Resting && mail.runnable();
        if claimed {
            mail.phase = Phase::Busy;
        }
        claimed
    }

    /// Does a portion of a claimed job's work. Returns whether to queue it again.
    pub(super) fn run(&self) -> bool {
        let (piece, ended) = {
            let mut mail = self.mail();
            let piece = mail.input.pop_front();
            if let Some(piece) = &piece {
                mail.input_bytes -= piece.bytes();
            }
            mail.end_told = mail.ended && mail.input.is_empty();
            (piece, mail.end_told)
        };
        let started = Instant::now();
        let mut ops = Vec::new();
        let mut machine = self.machine.lock().unwrap_or_else(PoisonError::into_inner);
        let work = catch_unwind(AssertUnwindSafe(|| machine.advance(piece, ended, &mut ops)));
        drop(machine);
        let more = work.unwrap_or_else(|panic| {
            ops.push(Op::Broken(describe(&*panic)));
            false
        });
        self.report(ops, more, started.elapsed())
    }

    fn report(&self, ops: Vec<Op>, more: bool, spent: Duration) -> bool {
        let mut mail = self.mail();
        mail.spent += spent;
        mail.more = more;
        if !mail.over {
            mail.over = ops.last().is_some_and(Op::is_last);
            mail.output_bytes += ops.iter().map(Op::weight).sum::<usize>();
            mail.ops.extend(ops);
        }
        let again = mail.runnable();
        if !again {
            mail.phase = Phase::Resting;
        }
        let wanted = mail.waits && (!mail.ops.is_empty() || (!mail.ended && mail.input_bytes < INPUT_LOW));
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
