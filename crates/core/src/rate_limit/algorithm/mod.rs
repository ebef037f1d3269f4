//! The algorithms: a state each, and the steps that decide upon it.
//!
//! A step has three parts, so that several limits of one key take units all or not at all: `count` tells what is in
//! use, `wait` how long until more would fit, and `take` takes it. The driver (`decide.rs`, `script/driver.lua`)
//! calls them with a time that is no earlier than `last`, so that a clock that goes back frees nothing early. For the
//! same reason only `take` and `give` change what is known: asking does not, however late it is.
//!
//! A token bucket and GCRA are one algorithm: a bucket that holds `burst - x` tokens is a theoretical arrival time
//! that lies ahead by what `x` tokens take to flow in. Both names are this one definition, in `bucket.rs`.

mod bucket;
mod concurrency;
mod fixed_window;
mod sliding_window;
mod sliding_window_counter;

use bucket::Bucket;
use concurrency::Leases;
use fixed_window::FixedWindow;
use sliding_window::Log;
use sliding_window_counter::Counters;

use super::limit::{Algorithm, Limit};

/// The Lua of an algorithm: a function from (window, quota, burst) to an object with the steps, under the letter of
/// the state.
pub(super) const fn lua(algorithm: Algorithm) -> &'static str {
    match algorithm {
        Algorithm::SlidingWindow => include_str!("sliding_window.lua"),
        Algorithm::SlidingWindowCounter => include_str!("sliding_window_counter.lua"),
        Algorithm::FixedWindow => include_str!("fixed_window.lua"),
        Algorithm::TokenBucket | Algorithm::Gcra => include_str!("bucket.lua"),
        Algorithm::Concurrency => include_str!("concurrency.lua"),
    }
}

/// A limit, and what follows from it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rule {
    pub(super) algorithm: Algorithm,
    pub(super) window: i64,
    pub(super) quota: i64,
    /// Units that can be in use at once.
    pub(super) capacity: i64,
    /// How long one unit of a window takes, and what is left over, in parts of `quota`.
    pub(super) step: i64,
    pub(super) rest: i64,
}

impl Rule {
    pub(super) fn new(limit: &Limit) -> Self {
        let Limit { algorithm, window, quota, .. } = *limit;
        let (step, rest) = if quota > 0 { (window / quota, window % quota) } else { (0, 0) };
        Self { algorithm, window, quota, capacity: limit.capacity(), step, rest }
    }

    /// Whether units are held by leases, which nothing but a release or time gives back.
    pub(super) fn has_leases(&self) -> bool {
        self.algorithm == Algorithm::Concurrency
    }
}

/// What a limit knows about a key.
pub(super) trait Steps {
    /// A time that was seen; none earlier is decided by.
    fn last(&self) -> i64;
    /// The units that count. It may note where it looked, so that the next look is cheap, but nothing that makes a
    /// difference.
    fn count(&mut self, rule: &Rule, now: i64) -> i64;
    /// After `count`: how long until `cost` units would fit, which do not now, but are no more than the capacity.
    fn wait(&self, rule: &Rule, now: i64, cost: i64) -> i64;
    /// After `count`: counts `units` more, above 0, for the lease `id` where there are leases.
    fn take(&mut self, rule: &Rule, now: i64, units: i64, id: i64);
    /// After `count`: gives units back, those counted last where `at` is 0, else those that were taken then.
    fn give(&mut self, rule: &Rule, now: i64, units: i64, at: i64);
    /// From when on this is as good as nothing.
    fn ends(&self, rule: &Rule) -> i64;
}

/// The state of any algorithm.
#[derive(Debug)]
pub(super) enum State {
    Log(Log),
    Counters(Counters),
    Fixed(FixedWindow),
    Bucket(Bucket),
    Leases(Box<Leases>),
}

/// Calls a step of whichever algorithm it is.
macro_rules! step {
    ($state:expr, $inner:ident => $call:expr) => {
        match $state {
            State::Log($inner) => $call,
            State::Counters($inner) => $call,
            State::Fixed($inner) => $call,
            State::Bucket($inner) => $call,
            State::Leases($inner) => $call,
        }
    };
}

impl State {
    /// The state of a key that was never seen.
    pub(super) fn new(rule: &Rule) -> Self {
        match rule.algorithm {
            Algorithm::SlidingWindow => Self::Log(Log::default()),
            Algorithm::SlidingWindowCounter => Self::Counters(Counters::default()),
            Algorithm::FixedWindow => Self::Fixed(FixedWindow::default()),
            Algorithm::TokenBucket | Algorithm::Gcra => Self::Bucket(Bucket::default()),
            Algorithm::Concurrency => Self::Leases(Box::default()),
        }
    }

    /// Ends a lease; false where there is none.
    pub(super) fn release(&mut self, units: i64, id: i64) -> bool {
        if let Self::Leases(leases) = self { leases.release(units, id) } else { false }
    }

    /// Lets a lease last for a window from now on; false where there is none.
    pub(super) fn renew(&mut self, rule: &Rule, now: i64, units: i64, id: i64) -> bool {
        if let Self::Leases(leases) = self { leases.renew(rule, now, units, id) } else { false }
    }
}

impl Steps for State {
    #[inline]
    fn last(&self) -> i64 {
        step!(self, inner => inner.last())
    }

    #[inline]
    fn count(&mut self, rule: &Rule, now: i64) -> i64 {
        step!(self, inner => inner.count(rule, now))
    }

    #[inline]
    fn wait(&self, rule: &Rule, now: i64, cost: i64) -> i64 {
        step!(self, inner => inner.wait(rule, now, cost))
    }

    #[inline]
    fn take(&mut self, rule: &Rule, now: i64, units: i64, id: i64) {
        step!(self, inner => inner.take(rule, now, units, id));
    }

    #[inline]
    fn give(&mut self, rule: &Rule, now: i64, units: i64, at: i64) {
        step!(self, inner => inner.give(rule, now, units, at));
    }

    #[inline]
    fn ends(&self, rule: &Rule) -> i64 {
        step!(self, inner => inner.ends(rule))
    }
}
