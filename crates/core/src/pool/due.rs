//! What time brings: deadlines, timeouts, probes, and the next attempt to open.

use super::Pool;
use super::outbox::{Action, Cause, Reason, Why};
use super::slots::State;

impl Pool {
    /// When [`Pool::tick`] is due next: never too late, but too early where what was due first is settled meanwhile.
    #[must_use]
    pub fn due(&self) -> f64 {
        self.due
    }

    /// What `due` is to be by all that waits for its time.
    pub(super) fn next_due(&self) -> f64 {
        let options = &self.options;
        let first = |state, timeout: f64| self.slots.first(state).map_or(f64::INFINITY, |(_, since)| since + timeout);
        self.queue
            .first_deadline()
            .min(self.slots.expiry())
            .min(first(State::Lent, options.leak_after))
            .min(first(State::Opening, options.open_timeout))
            .min(first(State::Validating, options.validate_timeout))
            .min(if self.is_above_min() { first(State::Idle, options.idle_timeout) } else { f64::INFINITY })
            .min(self.next_probe())
            .min(self.next_attempt())
    }

    /// Does what is due.
    pub fn tick(&mut self, now: f64) {
        let now = self.advance(now);
        let outbox = &mut self.outbox;
        self.queue.expire(now, |ticket| outbox.push_back(Action::Reject(ticket, Cause::Timeout)));
        while let Some(slot) = self.overdue(State::Lent, self.options.leak_after) {
            self.slots.enter(slot, State::Leaked, now);
            self.outbox.push_back(Action::Leak(slot));
        }
        while let Some(slot) = self.overdue(State::Opening, self.options.open_timeout) {
            self.give_up(now, slot);
            self.outbox.push_back(Action::Abandon(slot));
        }
        while let Some(slot) = self.overdue(State::Validating, self.options.validate_timeout) {
            self.end_probe(slot);
            self.close_slot(now, slot, Reason::Invalid);
        }
        self.tick_idle(now);
        self.settle(now);
    }

    fn tick_idle(&mut self, now: f64) {
        while let Some(slot) = self.slots.expired(now) {
            self.close_slot(now, slot, Reason::Lifetime);
        }
        while self.is_above_min()
            && let Some(slot) = self.overdue(State::Idle, self.options.idle_timeout)
        {
            self.close_slot(now, slot, Reason::Idle);
        }
        if self.next_probe() <= now
            && let Some((slot, _)) = self.slots.first_unchecked()
        {
            self.probing = Some(slot);
            self.validate_slot(now, slot, Why::Probe);
        }
    }

    /// The slot that has been in `state` for longest, if that is `timeout` or more.
    fn overdue(&self, state: State, timeout: f64) -> Option<u32> {
        let (slot, since) = self.slots.first(state)?;
        (since + timeout <= self.now).then_some(slot)
    }

    /// Whether idle connections may go.
    pub(super) fn is_above_min(&self) -> bool {
        self.slots.live() > self.options.min
    }

    fn next_probe(&self) -> f64 {
        if self.probing.is_some() || self.paused {
            return f64::INFINITY;
        }
        self.slots.first_unchecked().map_or(f64::INFINITY, |(_, since)| since + self.options.probe_interval)
    }

    /// When the gate lets something be opened that is missing.
    fn next_attempt(&self) -> f64 {
        let is_held = self.gate.failures() > 0 && self.slots.count(State::Opening) == 0;
        let is_wanted = !self.paused && self.missing() > 0 && self.slots.taken() < self.options.max;
        if is_held && is_wanted { self.gate.retry() } else { f64::INFINITY }
    }
}
