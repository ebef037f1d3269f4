//! Where an entry waits for its expiry, and then for the end of its grace.

use super::node::UNTIMED;
use super::{Cache, Entry, wheel};

impl Cache {
    /// When the entry at `slot` may be swept. Beyond any clock at most, so that even the longest grace is timed.
    #[inline]
    pub(super) fn deadline(&self, slot: u32) -> f64 {
        let (expires, grace) = (self.slab[slot].expires, self.grace(slot));
        if grace > 0.0 { (expires + grace).min(f64::MAX) } else { expires }
    }

    pub(super) fn schedule(&mut self, slot: u32, entry: Entry) {
        self.slab[slot].expires = entry.expires;
        if entry.grace > 0.0 {
            self.graces.insert(slot, entry.grace);
        } else if !self.graces.is_empty() {
            self.graces.remove(&slot);
        }
        self.file(slot);
    }

    /// Puts `slot`, which is in neither wheel, where it belongs at their time.
    #[inline]
    fn file(&mut self, slot: u32) {
        let expires = self.slab[slot].expires;
        if !self.graces.is_empty() && self.wheel.is_past(expires) && self.grace(slot) > 0.0 {
            self.file_stale(slot);
        } else {
            self.wheel.insert(&mut self.slab, slot, expires);
        }
    }

    #[cold]
    fn file_stale(&mut self, slot: u32) {
        let deadline = self.deadline(slot);
        self.stale.insert(&mut self.slab, slot, deadline);
    }

    #[inline]
    pub(super) fn unfile(&mut self, slot: u32) {
        if self.stale.len() > 0 && self.stale.holds(&self.slab, slot) {
            self.stale.remove(&mut self.slab, slot);
        } else {
            self.wheel.remove(&mut self.slab, slot);
        }
    }

    /// Sets the wheels to `now`.
    pub(super) fn catch_up(&mut self, now: f64) {
        let now = wheel::tick(now);
        if now < self.wheel.cursor() {
            return self.turn_back(now);
        }
        for slot in self.stale.advance(&mut self.slab, now) {
            self.file(slot);
        }
        for slot in self.wheel.advance(&mut self.slab, now) {
            self.file(slot);
        }
    }

    /// Files everything anew for a clock that stepped back, so that nothing falls due by the time it used to be.
    fn turn_back(&mut self, now: u64) {
        let timed = self.slab.used().filter(|(_, node)| node.bucket() != UNTIMED);
        let timed: Vec<u32> = timed.map(|(slot, _)| slot).collect();
        self.wheel.restart(now);
        self.stale.restart(now);
        for slot in timed {
            self.slab[slot].set_bucket(UNTIMED);
            self.file(slot);
        }
    }
}
