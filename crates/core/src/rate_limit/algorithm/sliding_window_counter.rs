//! Two counters of aligned windows; the previous one fades out as the current one goes on.

use super::{Rule, Steps};
use crate::rate_limit::arithmetic::divide;

#[derive(Clone, Copy, Debug, Default)]
pub(in crate::rate_limit) struct Counters {
    /// A multiple of the window.
    start: i64,
    current: i64,
    previous: i64,
}

/// How far into the window that began at `start` what is left of `units` is no more than `room`.
fn faded(rule: &Rule, start: i64, units: i64, room: i64) -> i64 {
    if room >= units { start } else { start + rule.window - divide(room, rule.window, units).0 }
}

impl Counters {
    /// The counters of the window that `now` is in.
    fn at(&self, rule: &Rule, now: i64) -> Self {
        let start = now - now % rule.window;
        if start == self.start {
            return *self;
        }
        // Further on, both have faded. A window of another length that the limit used to have counts as the previous
        // one.
        let previous = if start - self.start <= rule.window { self.current } else { 0 };
        Self { start, current: 0, previous }
    }
}

impl Steps for Counters {
    fn last(&self) -> i64 {
        if self.current + self.previous > 0 { self.start } else { 0 }
    }

    fn count(&mut self, rule: &Rule, now: i64) -> i64 {
        let Self { start, current, previous } = self.at(rule, now);
        if previous == 0 {
            return current;
        }
        let (whole, rest) = divide(previous, start + rule.window - now, rule.window);
        current + whole + i64::from(rest > 0)
    }

    fn wait(&self, rule: &Rule, now: i64, cost: i64) -> i64 {
        let Self { start, current, previous } = self.at(rule, now);
        let room = rule.capacity - cost;
        if current <= room {
            return faded(rule, start, previous, room - current) - now;
        }
        faded(rule, start + rule.window, current, room) - now
    }

    fn take(&mut self, rule: &Rule, now: i64, units: i64, _id: i64) {
        *self = self.at(rule, now);
        self.current += units;
    }

    fn give(&mut self, rule: &Rule, now: i64, units: i64, at: i64) {
        *self = self.at(rule, now);
        if at == 0 {
            let newest = units.min(self.current);
            self.current -= newest;
            self.previous -= (units - newest).min(self.previous);
        } else if at >= self.start {
            self.current -= units.min(self.current);
        } else if at >= self.start - rule.window {
            self.previous -= units.min(self.previous);
        }
    }

    fn ends(&self, rule: &Rule) -> i64 {
        if self.current > 0 {
            self.start + 2 * rule.window
        } else if self.previous > 0 {
            self.start + rule.window
        } else {
            0
        }
    }
}
