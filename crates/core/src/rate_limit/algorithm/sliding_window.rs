//! A log of what was admitted, and when: exact in every window `(now - window, now]`.

use std::collections::VecDeque;

use super::{Rule, Steps};

/// A quota beyond this is logged in so many grains of a window at most, each counted until its last admission is
/// over: a log takes no more than a mebibyte, and a unit counts for up to a 65,536th of the window too long, never
/// too short.
const MAX_ENTRIES: i64 = 1 << 16;

/// Entries for which room is kept once it is there.
const LEAST_ROOM: usize = 16;

#[derive(Clone, Copy, Debug)]
struct Entry {
    time: i64,
    units: i64,
}

#[derive(Debug, Default)]
pub(in crate::rate_limit) struct Log {
    /// The oldest first.
    entries: VecDeque<Entry>,
    /// How many of them did not count any more when it was last asked.
    over: usize,
    /// Units of the others.
    units: i64,
}

/// How far times may lie apart that are logged as one.
fn grain(rule: &Rule) -> i64 {
    if rule.quota > MAX_ENTRIES { (rule.window + MAX_ENTRIES - 1) / MAX_ENTRIES } else { 1 }
}

impl Log {
    /// Removes the entries that do not count any more.
    fn cut(&mut self) {
        if self.over == 0 {
            return;
        }
        self.entries.drain(..self.over);
        self.over = 0;
        if self.entries.capacity() > 4 * self.entries.len().max(LEAST_ROOM) {
            self.entries.shrink_to(2 * self.entries.len());
        }
    }

    fn newest(&self) -> Option<i64> {
        self.entries.back().map(|entry| entry.time)
    }

    /// Takes units back from the newest entries on.
    fn give_newest(&mut self, mut units: i64) {
        while let Some(last) = self.entries.back_mut().filter(|_| units > 0) {
            let given = units.min(last.units);
            last.units -= given;
            if last.units == 0 {
                self.entries.pop_back();
            }
            self.units -= given;
            units -= given;
        }
    }

    /// Takes units back from the entry that has what was admitted at `at`.
    fn give_at(&mut self, rule: &Rule, units: i64, at: i64) {
        let place = self.entries.partition_point(|entry| entry.time < at);
        let grain = grain(rule);
        let Some(entry) = self.entries.get_mut(place).filter(|entry| entry.time / grain == at / grain) else { return };
        let given = units.min(entry.units);
        entry.units -= given;
        if entry.units == 0 {
            self.entries.remove(place);
        }
        self.units -= given;
    }
}

impl Steps for Log {
    #[inline]
    fn last(&self) -> i64 {
        self.newest().unwrap_or(0)
    }

    #[inline]
    fn count(&mut self, rule: &Rule, now: i64) -> i64 {
        let edge = now - rule.window;
        while let Some(oldest) = self.entries.get(self.over).filter(|entry| entry.time <= edge) {
            self.units -= oldest.units;
            self.over += 1;
        }
        // The clock went back.
        while self.over > 0 && self.entries[self.over - 1].time > edge {
            self.over -= 1;
            self.units += self.entries[self.over].units;
        }
        self.units
    }

    fn wait(&self, rule: &Rule, now: i64, cost: i64) -> i64 {
        let mut missing = self.units + cost - rule.capacity;
        let freeing = self.entries.range(self.over..).find(|entry| {
            missing -= entry.units;
            missing <= 0
        });
        freeing.map_or(0, |entry| entry.time + rule.window - now)
    }

    #[inline]
    fn take(&mut self, rule: &Rule, now: i64, units: i64, _id: i64) {
        self.cut();
        let grain = grain(rule);
        self.units += units;
        match self.entries.back_mut() {
            Some(last) if last.time / grain == now / grain => {
                last.time = now;
                last.units += units;
            }
            _ => self.entries.push_back(Entry { time: now, units }),
        }
    }

    fn give(&mut self, rule: &Rule, _now: i64, units: i64, at: i64) {
        self.cut();
        if at == 0 { self.give_newest(units) } else { self.give_at(rule, units, at) }
    }

    fn ends(&self, rule: &Rule) -> i64 {
        self.newest().map_or(0, |newest| newest + rule.window)
    }
}
