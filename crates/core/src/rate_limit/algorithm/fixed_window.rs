//! One counter, from the first request of a window until the window ends.

use super::{Rule, Steps};

#[derive(Debug, Default)]
pub(in crate::rate_limit) struct FixedWindow {
    start: i64,
    /// Units since; 0: there is no window.
    units: i64,
}

impl Steps for FixedWindow {
    fn last(&self) -> i64 {
        if self.units > 0 { self.start } else { 0 }
    }

    fn count(&mut self, rule: &Rule, now: i64) -> i64 {
        if now < self.start + rule.window { self.units } else { 0 }
    }

    fn wait(&self, rule: &Rule, now: i64, _cost: i64) -> i64 {
        self.start + rule.window - now
    }

    fn take(&mut self, rule: &Rule, now: i64, units: i64, _id: i64) {
        if self.units == 0 || now >= self.start + rule.window {
            *self = Self { start: now, units: 0 };
        }
        self.units += units;
    }

    fn give(&mut self, rule: &Rule, now: i64, units: i64, at: i64) {
        if now < self.start + rule.window && (at == 0 || at >= self.start) {
            self.units -= units.min(self.units);
        }
    }

    fn ends(&self, rule: &Rule) -> i64 {
        if self.units > 0 { self.start + rule.window } else { 0 }
    }
}
