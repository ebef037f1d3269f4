//! A circuit breaker: whether calls to something that fails are let through.
//!
//! It makes no calls and reads no clock. Who does asks with [`Breaker::permit`] before a call and reports with
//! [`Breaker::record`] after it, each with the time in milliseconds of one clock.
//!
//! Closed, it judges the calls of its window. When the share of failures or of slow calls reaches its rate it opens and
//! lets nothing through. After `reset_timeout` it is half-open: so many probes are let through, which decide whether it
//! closes or opens again.
//!
//! Invariants:
//! - only a call that fails or is slow opens it: a success is never the reason, whatever it pushes out of the window;
//! - each state, and each round of probes, has an epoch of its own, and a call counts for the one that it began in: what
//!   comes late from before tells nothing of now;
//! - no more than `probes` of a round are let through, and a round that is not decided after `reset_timeout` ends, so
//!   that a probe that never ends does not keep it half-open.

mod figures;

#[cfg(any(test, fuzzing))]
pub mod model;
mod options;
mod slices;
mod window;

pub use figures::{Event, Figures, Outcome};
pub use options::{Options, Span};
pub use window::Tally;

use figures::Rolling;
use window::{Verdict, Window};

/// Whether calls are let through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// All are.
    Closed = 0,
    /// None is, for a while.
    Open = 1,
    /// Probes are.
    HalfOpen = 2,
    /// None is, until somebody says otherwise.
    ForcedOpen = 3,
}

/// The probes of one half-open round.
#[derive(Clone, Copy, Debug, Default)]
struct Round {
    begun: u32,
    tally: Tally,
    /// When the round is given up.
    ends: f64,
}

/// A circuit breaker.
#[derive(Debug)]
pub struct Breaker {
    options: Options,
    window: Window,
    rolling: Rolling,
    state: State,
    /// Of the state, or of the round of probes.
    epoch: u32,
    /// When an open breaker becomes half-open.
    retry: f64,
    round: Round,
    /// The latest time heard of.
    now: f64,
}

impl Breaker {
    /// A closed breaker of which no call is known.
    #[must_use]
    pub fn new(options: Options) -> Self {
        Self {
            window: Window::new(options.span),
            rolling: Rolling::new(options.figures_ms, options.figures_slices),
            state: State::Closed,
            epoch: 0,
            retry: f64::INFINITY,
            round: Round::default(),
            now: 0.0,
            options,
        }
    }

    /// Whether calls are let through.
    #[must_use]
    pub fn state(&self) -> State {
        self.state
    }

    /// What a call that begins now is to be recorded with.
    #[must_use]
    pub fn epoch(&self) -> u32 {
        self.epoch
    }

    /// When [`Breaker::tick`] has something to do; infinity: never.
    #[must_use]
    pub fn due(&self) -> f64 {
        if self.state == State::Open { self.retry } else { f64::INFINITY }
    }

    /// Whether a call may begin; if so, it is to be recorded with the [`Breaker::epoch`] of now.
    pub fn permit(&mut self, now: f64) -> bool {
        self.tick(now);
        match self.state {
            State::Closed => true,
            State::Open | State::ForcedOpen => false,
            State::HalfOpen => self.permit_probe(),
        }
    }

    fn permit_probe(&mut self) -> bool {
        if self.round.begun >= self.options.probes {
            if self.now < self.round.ends {
                return false;
            }
            self.enter(State::HalfOpen);
        }
        self.round.begun += 1;
        self.round.ends = self.now + self.options.reset_timeout;
        true
    }

    /// A call ended that was let through in `epoch`, after `latency` milliseconds.
    pub fn record(&mut self, now: f64, epoch: u32, outcome: Outcome, latency: f64) {
        self.advance(now);
        let failed = matches!(outcome, Outcome::Failure | Outcome::Timeout);
        let slow = outcome != Outcome::Ignored && latency >= self.options.slow_after;
        self.rolling.record(self.now, outcome, slow, latency);
        if epoch != self.epoch {
            return;
        }
        match self.state {
            State::Closed if outcome != Outcome::Ignored => self.judge(Verdict { failed, slow }),
            // Its place is for another.
            State::HalfOpen if outcome == Outcome::Ignored => self.round.begun -= 1,
            State::HalfOpen => self.judge_probe(Verdict { failed, slow }),
            State::Closed | State::Open | State::ForcedOpen => {}
        }
    }

    fn judge(&mut self, verdict: Verdict) {
        self.window.record(self.now, verdict);
        if !verdict.is_bad() {
            return;
        }
        let tally = self.window.tally(self.now);
        if tally.calls as f64 >= self.options.min_calls && self.is_bad(tally, tally.calls) {
            self.open_until(self.now + self.options.reset_timeout);
        }
    }

    /// Decides a round as soon as the probes that are still out could not change it.
    fn judge_probe(&mut self, verdict: Verdict) {
        self.round.tally.add(verdict);
        let tally = self.round.tally;
        let probes = u64::from(self.options.probes);
        let out = probes - tally.calls;
        let worst = Tally { calls: probes, failures: tally.failures + out, slow: tally.slow + out };
        if self.is_bad(tally, probes) {
            self.open_until(self.now + self.options.reset_timeout);
        } else if !self.is_bad(worst, probes) {
            self.enter(State::Closed);
        }
    }

    /// Whether either rate is reached among so many calls.
    fn is_bad(&self, tally: Tally, calls: u64) -> bool {
        let reached = |count: u64, rate: f64| count > 0 && count as f64 * 100.0 >= rate * calls as f64;
        reached(tally.failures, self.options.failure_rate) || reached(tally.slow, self.options.slow_rate)
    }

    /// Counts what is no call.
    pub fn count(&mut self, now: f64, event: Event) {
        self.advance(now);
        self.rolling.count(self.now, event);
    }

    /// Becomes half-open if it is time.
    pub fn tick(&mut self, now: f64) {
        self.advance(now);
        if self.state == State::Open && self.now >= self.retry {
            self.enter(State::HalfOpen);
        }
    }

    /// Opens until a time; of an open breaker only that changes. A forced one stays as it is.
    pub fn open(&mut self, now: f64, retry: f64) {
        self.advance(now);
        if self.state != State::ForcedOpen {
            self.open_until(retry);
        }
    }

    fn open_until(&mut self, retry: f64) {
        self.retry = retry;
        if self.state != State::Open {
            self.enter(State::Open);
        }
    }

    /// Goes into a state, unless it is in it: opens for `reset_timeout`, or without end, begins a round of probes, or
    /// closes with an empty window.
    pub fn go(&mut self, now: f64, state: State) {
        self.advance(now);
        if state == self.state {
            return;
        }
        if state == State::Open {
            self.retry = self.now + self.options.reset_timeout;
        }
        self.enter(state);
    }

    fn enter(&mut self, state: State) {
        self.state = state;
        self.epoch = self.epoch.wrapping_add(1);
        self.round = Round::default();
        self.window.clear();
    }

    /// The calls that it judges by: those of the window, or the probes that have ended.
    pub fn tally(&mut self, now: f64) -> Tally {
        self.advance(now);
        if self.state == State::HalfOpen { self.round.tally } else { self.window.tally(self.now) }
    }

    /// What happened in the latest while.
    pub fn figures(&mut self, now: f64) -> Figures {
        self.advance(now);
        self.rolling.figures(self.now)
    }

    /// The calls of the window as numbers, for [`Breaker::load`].
    pub fn dump(&mut self, now: f64) -> Vec<f64> {
        self.advance(now);
        self.window.dump(self.now)
    }

    /// Takes in the calls that [`Breaker::dump`] told `elapsed` milliseconds ago, of a window of the same kind. A breaker
    /// that is not closed has none.
    pub fn load(&mut self, now: f64, numbers: &[f64], elapsed: f64) {
        self.advance(now);
        if self.state == State::Closed {
            self.window.load(self.now, numbers, elapsed);
        }
    }

    /// Moves time on: it never goes back.
    fn advance(&mut self, now: f64) {
        self.now = self.now.max(now);
    }
}

#[cfg(test)]
mod tests;
