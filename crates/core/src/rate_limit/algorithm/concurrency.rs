//! Leases of permits, each of which ends a window after it was taken or renewed, if nobody gives it back before.

use std::collections::{BTreeSet, HashMap};

use super::{Rule, Steps};

/// A lease: its id, which the caller chose, and its permits.
type Lease = (i64, i64);

#[derive(Debug, Default)]
pub(in crate::rate_limit) struct Leases {
    /// When each ends, the first first.
    by_end: BTreeSet<(i64, Lease)>,
    ends: HashMap<Lease, i64>,
    permits: i64,
}

impl Leases {
    /// Lets a lease end at `end`, though never earlier than it would.
    fn set(&mut self, lease: Lease, end: i64) {
        let before = self.ends.insert(lease, end);
        if let Some(before) = before {
            self.by_end.remove(&(before, lease));
        } else {
            self.permits += lease.1;
        }
        let end = end.max(before.unwrap_or(0));
        self.ends.insert(lease, end);
        self.by_end.insert((end, lease));
    }

    pub(super) fn release(&mut self, permits: i64, id: i64) -> bool {
        let Some(end) = self.ends.remove(&(id, permits)) else { return false };
        self.by_end.remove(&(end, (id, permits)));
        self.permits -= permits;
        true
    }

    pub(super) fn renew(&mut self, rule: &Rule, now: i64, permits: i64, id: i64) -> bool {
        let is_there = self.ends.contains_key(&(id, permits));
        if is_there {
            self.set((id, permits), now + rule.window);
        }
        is_there
    }
}

impl Steps for Leases {
    fn last(&self) -> i64 {
        0
    }

    fn count(&mut self, _rule: &Rule, now: i64) -> i64 {
        while let Some((end, (id, permits))) = self.by_end.first().copied().filter(|(end, _)| *end <= now) {
            debug_assert_eq!(self.ends.get(&(id, permits)), Some(&end), "a lease knows its end");
            self.release(permits, id);
        }
        self.permits
    }

    fn wait(&self, rule: &Rule, now: i64, cost: i64) -> i64 {
        let mut missing = self.permits + cost - rule.capacity;
        let freeing = self.by_end.iter().find(|(_, (_, permits))| {
            missing -= permits;
            missing <= 0
        });
        freeing.map_or(0, |(end, _)| end - now)
    }

    fn take(&mut self, rule: &Rule, now: i64, units: i64, id: i64) {
        self.set((id, units), now + rule.window);
    }

    fn give(&mut self, _rule: &Rule, _now: i64, _units: i64, _at: i64) {}

    fn ends(&self, _rule: &Rule) -> i64 {
        self.by_end.last().map_or(0, |(end, _)| *end)
    }
}
