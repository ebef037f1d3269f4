//! A token bucket, kept as the time at which it would be full: the theoretical arrival time of GCRA.
//!
//! A unit takes `window / quota` to flow in, which is seldom a whole number of microseconds: times have a fraction in
//! parts of `quota`, so that nothing is rounded however long it goes on.

use super::{Rule, Steps};
use crate::rate_limit::arithmetic::divide;

#[derive(Debug, Default)]
pub(in crate::rate_limit) struct Bucket {
    /// Since when it was never full: what was taken before has flowed in again.
    since: i64,
    /// When it would be full, and a fraction of a microsecond in parts of `quota`.
    full: i64,
    parts: i64,
}

/// How long so many units take to flow in, and the fraction.
fn span(rule: &Rule, units: i64) -> (i64, i64) {
    if units == 1 {
        return (rule.step, rule.rest);
    }
    let (whole, parts) = divide(units, rule.rest, rule.quota);
    (units * rule.step + whole, parts)
}

impl Bucket {
    fn is_full(&self, now: i64) -> bool {
        self.full < now || self.full == now && self.parts == 0
    }
}

impl Steps for Bucket {
    fn last(&self) -> i64 {
        self.since
    }

    fn count(&mut self, rule: &Rule, now: i64) -> i64 {
        if self.is_full(now) {
            return 0;
        }
        let ahead = self.full - now;
        let behind = ahead % rule.window;
        let (whole, part) = divide(behind, rule.quota, rule.window);
        (ahead - behind) / rule.window * rule.quota + whole + (part + self.parts + rule.window - 1) / rule.window
    }

    fn wait(&self, rule: &Rule, now: i64, cost: i64) -> i64 {
        let (whole, parts) = span(rule, rule.capacity - cost);
        self.full - now - whole + i64::from(self.parts > parts)
    }

    fn take(&mut self, rule: &Rule, now: i64, units: i64, _id: i64) {
        if self.is_full(now) {
            *self = Self { since: now, full: now, parts: 0 };
        }
        let (whole, parts) = span(rule, units);
        self.full += whole;
        self.parts += parts;
        if self.parts >= rule.quota {
            self.full += 1;
            self.parts -= rule.quota;
        }
    }

    fn give(&mut self, rule: &Rule, now: i64, units: i64, at: i64) {
        if self.is_full(now) || at != 0 && at < self.since {
            return;
        }
        let (whole, parts) = span(rule, units);
        self.full -= whole;
        self.parts -= parts;
        if self.parts < 0 {
            self.full -= 1;
            self.parts += rule.quota;
        }
        if self.is_full(now) {
            *self = Self::default();
        }
    }

    fn ends(&self, _rule: &Rule) -> i64 {
        self.full + i64::from(self.parts > 0)
    }
}
