//! What the owner of the connections reports, and what follows from it: who is served, and what is opened.

use super::outbox::{Action, Cause, Reason, Why};
use super::slots::State;
use super::{Health, Pool};

impl Pool {
    /// A connection is open. Returns the ticket that it is lent to at once.
    pub fn opened(&mut self, now: f64, slot: u32) -> Option<u32> {
        let now = self.advance(now);
        if self.slots.state(slot) != State::Opening {
            return None;
        }
        self.gate.succeeded();
        let lifetime = self.options.max_lifetime * (1.0 - self.options.lifetime_jitter * self.random.share());
        let entry = self.slots.get_mut(slot);
        (entry.used, entry.checked, entry.expires, entry.uses) = (now, now, now + lifetime, 0);
        let ticket = self.offer(now, slot);
        self.settle(now);
        ticket
    }

    /// A connection could not be opened.
    pub fn open_failed(&mut self, now: f64, slot: u32) {
        let now = self.advance(now);
        if self.slots.state(slot) == State::Opening {
            self.give_up(now, slot);
            self.settle(now);
        }
    }

    /// A validation is over. Returns the ticket that the connection is lent to at once.
    pub fn validated(&mut self, now: f64, slot: u32, well: bool) -> Option<u32> {
        let now = self.advance(now);
        if self.slots.state(slot) != State::Validating {
            return None;
        }
        self.end_probe(slot);
        if !well {
            self.close_slot(now, slot, Reason::Invalid);
            self.settle(now);
            return None;
        }
        self.slots.get_mut(slot).checked = now;
        let ticket = self.offer(now, slot);
        self.settle(now);
        ticket
    }

    /// A connection is broken.
    pub fn discard(&mut self, now: f64, slot: u32) {
        let now = self.advance(now);
        if matches!(self.slots.state(slot), State::Lent | State::Leaked | State::Idle | State::Validating) {
            self.end_probe(slot);
            self.close_slot(now, slot, Reason::Broken);
            self.settle(now);
        }
    }

    /// A connection that was to be closed is gone.
    pub fn closed(&mut self, now: f64, slot: u32) {
        let now = self.advance(now);
        if self.slots.state(slot) == State::Closing {
            self.slots.enter(slot, State::Free, now);
            self.settle(now);
        }
    }

    /// Counts a failed attempt, whose slot becomes free.
    pub(super) fn give_up(&mut self, now: f64, slot: u32) {
        let wave = self.slots.get(slot).wave;
        self.gate.failed(now, wave, &mut self.random);
        self.slots.enter(slot, State::Free, now);
    }

    pub(super) fn end_probe(&mut self, slot: u32) {
        if self.probing == Some(slot) {
            self.probing = None;
        }
    }

    /// Does for those who wait what can be done, and finds what is due next.
    pub(super) fn settle(&mut self, now: f64) {
        // An attempt under way is waited for.
        if self.is_hopeless() && self.health() == Health::Outage && self.room(now) == 0 {
            self.reject_all(Cause::Unavailable);
        }
        if !self.closed && !self.paused {
            self.validate_for_waiting(now);
            self.open_missing(now);
        }
        self.due = self.next_due();
    }

    fn validate_for_waiting(&mut self, now: f64) {
        while self.queue.len() > self.slots.count(State::Validating) {
            let Some(slot) = self.next_idle(self.options.lifo) else { break };
            if now < self.slots.get(slot).expires {
                self.validate_slot(now, slot, Why::Borrow);
            } else {
                self.close_slot(now, slot, Reason::Lifetime);
            }
        }
    }

    fn open_missing(&mut self, now: f64) {
        for _ in 0..self.missing().min(self.room(now)) {
            let slot = self.slots.begin(now);
            let entry = self.slots.get_mut(slot);
            (entry.epoch, entry.wave) = (self.epoch, self.gate.wave());
            self.outbox.push_back(Action::Create(slot));
        }
    }

    pub(super) fn validate_slot(&mut self, now: f64, slot: u32, why: Why) {
        self.slots.enter(slot, State::Validating, now);
        self.outbox.push_back(Action::Validate(slot, why));
    }

    pub(super) fn reject_all(&mut self, cause: Cause) {
        while let Some((ticket, _)) = self.queue.pop() {
            self.outbox.push_back(Action::Reject(ticket, cause));
        }
    }

    /// Connections that should be opened, for those who wait and for `min`.
    pub(super) fn missing(&self) -> u32 {
        let coming = self.slots.count(State::Opening);
        let waiting = self.queue.len().saturating_sub(coming + self.slots.count(State::Validating));
        let fills = self.started && !self.refusing && !self.closed;
        let below = if fills { self.options.min.saturating_sub(coming + self.slots.live()) } else { 0 };
        waiting.max(below)
    }

    /// Connections that may begin to be opened at `now`.
    pub(super) fn room(&self, now: f64) -> u32 {
        let free = self.options.max - self.slots.taken();
        free.min(self.gate.room(now, self.slots.count(State::Opening)))
    }
}
