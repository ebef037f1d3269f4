//! What the user of a pool orders: it is started, paused, drained, renewed, closed.

use super::Pool;
use super::outbox::{Action, Cause, Reason};
use super::slots::State;

impl Pool {
    /// Opens up to `min` connections from now on. The first acquire does so too.
    pub fn start(&mut self, now: f64) {
        let now = self.advance(now);
        self.started = true;
        self.settle(now);
    }

    /// Lends, opens and validates nothing from now on.
    pub fn pause(&mut self, now: f64) {
        self.advance(now);
        self.paused = !self.closed;
    }

    /// Ends a pause: serves who waits.
    pub fn resume(&mut self, now: f64) {
        let now = self.advance(now);
        self.paused = false;
        while !self.queue.is_empty()
            && let Some(slot) = self.ready(now, self.options.lifo)
            && let Some((ticket, key)) = self.queue.pop()
        {
            self.lend(now, slot, key);
            self.outbox.push_back(Action::Lend(ticket, slot));
        }
        self.settle(now);
    }

    /// Replaces every connection of now: idle ones at once, others when they are reported next.
    pub fn evict(&mut self, now: f64) {
        let now = self.advance(now);
        self.epoch = self.epoch.wrapping_add(1);
        self.close_idle(now, Reason::Evicted);
        self.settle(now);
    }

    /// Refuses new acquires, or takes them again. Who waits is served.
    pub fn refuse(&mut self, now: f64, refuse: bool) {
        let now = self.advance(now);
        self.refusing = refuse;
        self.settle(now);
    }

    /// Rejects who waits and refuses who comes, closes idle connections, and others when they are reported next.
    pub fn close(&mut self, now: f64) {
        let now = self.advance(now);
        (self.closed, self.paused) = (true, false);
        self.reject_all(Cause::Closed);
        self.close_idle(now, Reason::Closing);
        self.settle(now);
    }

    fn close_idle(&mut self, now: f64, reason: Reason) {
        while let Some((slot, _)) = self.slots.first(State::Idle) {
            self.close_slot(now, slot, reason);
        }
    }
}
