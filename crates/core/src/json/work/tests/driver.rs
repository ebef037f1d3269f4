//! What stands in for the main thread.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use super::super::{Goal, Job, Op, Piece, Plan, Pool};
use crate::json::Limits;

pub(super) fn plan(goal: Goal) -> Plan {
    Plan { goal, compiled: false, inflate: true, limits: Limits::default(), group_bytes: 64 }
}

/// A flat array of `count` members, so that its groups joined by commas are its text again.
pub(super) fn array(count: usize) -> String {
    let members: Vec<String> = (0..count).map(|n| format!("\"{n} é😀\"")).collect();
    format!("[{}]", members.join(","))
}

pub(super) fn pieces(text: &str, step: usize) -> Vec<Piece> {
    let units: Vec<u16> = text.encode_utf16().collect();
    units.chunks(step).map(|units| Piece::Units(units.to_vec())).collect()
}

/// What ops build, for documents of nothing but arrays of strings.
#[derive(Default)]
pub(super) struct Built {
    parts: Vec<String>,
    depth: usize,
    pub(super) last: Option<Op>,
}

impl Built {
    fn add(&mut self, op: Op) {
        assert!(self.last.is_none(), "{op:?} after the last op");
        match op {
            Op::Open(opened) => self.depth += opened.kinds.len(),
            Op::Close(levels) => self.depth -= levels as usize,
            Op::Text(text) => {
                let text = match text.text {
                    crate::json::text::Units::Latin1(units) => units.iter().map(|&unit| char::from(unit)).collect(),
                    crate::json::text::Units::Utf16(units) => String::from_utf16(&units).expect("whole characters"),
                };
                self.parts.push(text[1..text.len() - 1].to_owned());
            }
            op => self.last = Some(op),
        }
    }

    pub(super) fn text(&self) -> String {
        let all = self.parts.join(",");
        if all.starts_with('[') { all } else { format!("[{all}]") }
    }
}

/// The main thread's part of a job, as lib/json/construction.ts has it.
pub(super) struct Driver {
    pub(super) job: Arc<Job>,
    rest: VecDeque<Piece>,
    ended: bool,
    room: bool,
    pub(super) built: Built,
}

pub(super) enum Step {
    On,
    Wait,
    Done,
}

impl Driver {
    pub(super) fn new(job: Arc<Job>, pieces: Vec<Piece>) -> Self {
        Self { job, rest: pieces.into(), ended: false, room: true, built: Built::default() }
    }

    pub(super) fn step(&mut self, look: impl Fn(&Arc<Job>)) -> Step {
        if self.room {
            self.push(&look);
        }
        let op = self.job.take();
        look(&self.job);
        if let Some(op) = op {
            self.built.add(op);
            return if self.built.last.is_some() { Step::Done } else { Step::On };
        }
        self.room = self.room || (!self.ended && self.job.is_hungry());
        if self.room {
            return Step::On;
        }
        assert!(!self.job.is_idle(), "it waits for more than was asked for");
        Step::Wait
    }

    fn push(&mut self, look: impl Fn(&Arc<Job>)) {
        match self.rest.pop_front() {
            Some(piece) => self.room = self.job.push(piece),
            None if !self.ended => {
                self.ended = true;
                self.room = false;
                self.job.end();
            }
            None => self.room = false,
        }
        look(&self.job);
    }
}

#[derive(Default)]
pub(super) struct Bell {
    rung: Mutex<bool>,
    ready: Condvar,
}

impl Bell {
    pub(super) fn ring(&self) {
        *self.rung.lock().expect("no panic") = true;
        self.ready.notify_one();
    }

    /// Fails if nobody rings: a wake was lost.
    pub(super) fn wait(&self) {
        let limit = Duration::from_secs(30);
        let rung = self.rung.lock().expect("no panic");
        let (mut rung, timeout) = self.ready.wait_timeout_while(rung, limit, |rung| !*rung).expect("no panic");
        assert!(!timeout.timed_out(), "nobody is told to go on");
        *rung = false;
    }
}

/// Drives one job on a pool to its end.
pub(super) fn drive(pool: &Pool, plan: Plan, pieces: Vec<Piece>) -> Built {
    let bell = Arc::new(Bell::default());
    let ring = Arc::clone(&bell);
    let job = Arc::new(Job::new(plan, 1, Arc::new(move || ring.ring())));
    pool.look(&job);
    let mut driver = Driver::new(job, pieces);
    loop {
        match driver.step(|job| pool.look(job)) {
            Step::On => {}
            Step::Wait => bell.wait(),
            Step::Done => return driver.built,
        }
    }
}
