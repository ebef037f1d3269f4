//! The state machine of a connection pool: who waits, what is lent, what is due.
//!
//! It opens nothing and reads no clock. The owner of the connections reports what happened, with the time, and carries
//! out the [`Action`]s that come of it. Times are milliseconds of one clock.
//!
//! Invariants:
//! - never more than `max` slots are in use, those whose connection is about to go included, so that the server never
//!   sees more;
//! - a slot is lent to one at a time, and a ticket is settled once;
//! - nobody overtakes who waits at the same or a higher priority: while anybody waits, no connection that is known to
//!   be well is idle, unless the pool is paused;
//! - acquire and release are O(1), however many wait.

mod affinity;
mod control;
mod due;
mod gate;
mod list;
#[cfg(any(test, fuzzing))]
pub mod model;
mod options;
mod outbox;
mod queue;
mod random;
mod reports;
mod slots;
#[cfg(any(test, fuzzing))]
mod validate;

pub use options::Options;
pub use outbox::{Action, Cause, Reason, Why};
pub use queue::PRIORITIES;

use affinity::Affinity;
use gate::Gate;
use outbox::Outbox;
use queue::Queue;
use random::Random;
use slots::{Slots, State};

/// What comes of an acquire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acquired {
    /// A slot's connection is lent.
    Slot(u32),
    /// The acquire waits as a ticket.
    Ticket(u32),
    /// It gets nothing, and does not wait.
    Refused(Cause),
}

/// Whether connections can be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// They can, as far as is known.
    Well,
    /// They cannot.
    Outage,
    /// They could not, and one attempt is under way.
    Attempt,
}

/// How much of everything there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counts {
    /// Connections ready to be lent.
    pub idle: u32,
    /// Connections lent.
    pub lent: u32,
    /// Connections being opened.
    pub opening: u32,
    /// Connections being validated.
    pub validating: u32,
    /// Connections about to go.
    pub closing: u32,
    /// Acquires that wait.
    pub waiting: u32,
}

/// A pool of connections that somebody else holds, by slot.
#[derive(Debug)]
pub struct Pool {
    options: Options,
    slots: Slots,
    queue: Queue,
    gate: Gate,
    affinity: Affinity,
    random: Random,
    outbox: Outbox,
    /// Tickets whose settling was taken, and may not be carried out yet.
    taken: Vec<u32>,
    /// The latest time heard of.
    now: f64,
    /// Nothing is due before this time. What is frequent only brings it forward; what is not finds it anew.
    due: f64,
    /// How many evictions there were: a connection of an earlier count is to go.
    epoch: u32,
    /// The slot that is validated although nobody waits.
    probing: Option<u32>,
    /// Whether `min` is filled up.
    started: bool,
    paused: bool,
    refusing: bool,
    closed: bool,
}

impl Pool {
    /// A pool without connections.
    #[must_use]
    pub fn new(options: Options) -> Self {
        Self {
            slots: Slots::new(),
            queue: Queue::new(),
            gate: Gate::new(&options),
            affinity: Affinity::new(options.seed),
            random: Random::new(options.seed),
            outbox: Outbox::new(),
            taken: Vec::new(),
            now: 0.0,
            due: f64::INFINITY,
            epoch: 0,
            probing: None,
            started: false,
            paused: false,
            refusing: false,
            closed: false,
            options,
        }
    }

    /// How much of everything there is.
    #[must_use]
    pub fn counts(&self) -> Counts {
        Counts {
            idle: self.slots.count(State::Idle),
            lent: self.slots.lent(),
            opening: self.slots.count(State::Opening),
            validating: self.slots.count(State::Validating),
            closing: self.slots.count(State::Closing),
            waiting: self.queue.len(),
        }
    }

    /// Consecutive failures to open.
    #[must_use]
    pub fn failures(&self) -> u32 {
        self.gate.failures()
    }

    /// Whether connections can be had.
    #[must_use]
    pub fn health(&self) -> Health {
        if f64::from(self.gate.failures()) < self.options.failure_threshold || self.gate.failures() == 0 {
            Health::Well
        } else if self.slots.count(State::Opening) == 0 {
            Health::Outage
        } else {
            Health::Attempt
        }
    }

    /// Actions that were not taken yet.
    #[must_use]
    pub fn pending(&self) -> usize {
        self.outbox.len()
    }

    /// How long after a release the connection is left alone, if nothing else is reported before: its owner may then
    /// lend it again by itself, the one released last first, and report the last release of each later. Below 0 where
    /// every release is to be reported at once.
    #[must_use]
    pub fn leave(&self) -> f64 {
        let options = &self.options;
        let counts_loans = options.max_uses < f64::INFINITY || options.leak_after < f64::INFINITY;
        if !self.takes_nobody_over() || self.closed || counts_loans || !options.lifo {
            return f64::NEG_INFINITY;
        }
        let unused = if self.is_above_min() { options.idle_timeout } else { f64::INFINITY };
        unused.min(options.probe_interval)
    }

    /// When the connection of a slot is too old to be lent.
    #[must_use]
    pub fn expires(&self, slot: u32) -> f64 {
        self.slots.get(slot).expires
    }

    /// Takes up to `limit` actions. Those taken before are carried out, which the caller says with this call.
    pub fn take(&mut self, limit: usize) -> impl Iterator<Item = Action> {
        for ticket in self.taken.drain(..) {
            self.queue.free(ticket);
        }
        let count = limit.min(self.outbox.len());
        self.outbox.drain(..count).inspect(|action| self.taken.extend(action.settles()))
    }

    /// Lends a connection, or lets the caller wait until `deadline`. Priority 0 is the highest of [`PRIORITIES`].
    pub fn acquire(&mut self, now: f64, deadline: f64, priority: usize) -> Acquired {
        let now = self.advance(now);
        if self.takes_nobody_over()
            && let Some(slot) = self.ready(now, self.options.lifo)
        {
            self.lend(now, slot, None);
            return Acquired::Slot(slot);
        }
        self.wait(now, deadline, priority, None)
    }

    /// As [`Pool::acquire`], and prefers the connection that `key` had last, or else the one least recently used.
    pub fn acquire_for(&mut self, now: f64, deadline: f64, priority: usize, key: &[u16]) -> Acquired {
        let now = self.advance(now);
        let key = self.affinity.hash(key);
        if self.takes_nobody_over()
            && let Some(slot) = self.ready_for(now, key)
        {
            self.lend(now, slot, Some(key));
            return Acquired::Slot(slot);
        }
        self.wait(now, deadline, priority, Some(key))
    }

    /// A lent connection comes back well. Returns the ticket that it is lent to at once.
    pub fn release(&mut self, now: f64, slot: u32) -> Option<u32> {
        let now = self.advance(now);
        if !matches!(self.slots.state(slot), State::Lent | State::Leaked) {
            return None;
        }
        let entry = self.slots.get_mut(slot);
        (entry.used, entry.checked) = (now, now);
        self.offer(now, slot)
    }

    /// Gives up waiting, and returns whether the ticket waited.
    pub fn cancel(&mut self, now: f64, ticket: u32) -> bool {
        self.advance(now);
        let waited = self.queue.remove(ticket);
        if waited {
            self.queue.free(ticket);
        }
        waited
    }

    /// Moves time on: it never goes back.
    fn advance(&mut self, now: f64) -> f64 {
        self.now = self.now.max(now);
        self.now
    }

    fn takes_nobody_over(&self) -> bool {
        self.started && self.queue.is_empty() && !self.paused && !self.refusing
    }

    /// An idle connection that may be lent as it is: the one that the order names, or else one known to be well.
    fn ready(&mut self, now: f64, lifo: bool) -> Option<u32> {
        loop {
            let next = self.next_idle(lifo)?;
            let is_alive = now < self.slots.get(next).expires;
            let slot = if is_alive && self.is_stale(now, next) { self.slots.healthiest()? } else { next };
            if now < self.slots.get(slot).expires {
                return (!self.is_stale(now, slot)).then_some(slot);
            }
            self.close_slot(now, slot, Reason::Lifetime);
            // `min` may have to be refilled.
            self.due = self.due.min(now);
        }
    }

    /// As `ready`, for a key. The connection used longest ago leaves other keys theirs.
    fn ready_for(&mut self, now: f64, key: u64) -> Option<u32> {
        let own = self.affinity.find(&self.slots, key).filter(|&slot| {
            self.slots.state(slot) == State::Idle && now < self.slots.get(slot).expires && !self.is_stale(now, slot)
        });
        own.or_else(|| self.ready(now, false))
    }

    /// The idle connection that was used last, or the one that was not used for longest.
    fn next_idle(&self, lifo: bool) -> Option<u32> {
        if lifo { self.slots.last_used() } else { self.slots.first(State::Idle).map(|(slot, _)| slot) }
    }

    /// Whether a connection has to be validated before it is lent.
    fn is_stale(&self, now: f64, slot: u32) -> bool {
        now - self.slots.get(slot).checked >= self.options.validate_after
    }

    /// Makes idle a connection that was known to be well just now.
    fn park(&mut self, now: f64, slot: u32) {
        self.slots.park(slot);
        let entry = self.slots.get(slot);
        let unused = if self.is_above_min() { entry.used + self.options.idle_timeout } else { f64::INFINITY };
        self.due = self.due.min(unused).min(now + self.options.probe_interval).min(entry.expires);
    }

    fn lend(&mut self, now: f64, slot: u32, key: Option<u64>) {
        self.due = self.due.min(now + self.options.leak_after);
        self.slots.get_mut(slot).uses += 1;
        self.slots.enter(slot, State::Lent, now);
        if let Some(key) = key {
            self.affinity.remember(&mut self.slots, slot, key);
        }
    }

    /// Lets an acquire wait that got nothing at once, if it may.
    fn wait(&mut self, now: f64, deadline: f64, priority: usize, key: Option<u64>) -> Acquired {
        if self.closed {
            return Acquired::Refused(Cause::Closed);
        }
        if self.refusing {
            return Acquired::Refused(Cause::Refused);
        }
        self.started = true;
        if let Some(cause) = self.objection(now, deadline) {
            self.settle(now);
            return Acquired::Refused(cause);
        }
        let ticket = self.queue.push(deadline, priority, key);
        if self.slots.lent() == self.options.max {
            // Nothing can be done but to wait.
            self.due = self.due.min(self.queue.first_deadline());
        } else {
            self.settle(now);
        }
        Acquired::Ticket(ticket)
    }

    fn objection(&self, now: f64, deadline: f64) -> Option<Cause> {
        let busy = self.slots.count(State::Idle) + self.slots.lent() + self.slots.count(State::Closing);
        let room = self.options.max_queue + f64::from(self.options.max - busy);
        if self.is_hopeless() && self.room(now) == 0 {
            Some(Cause::Unavailable)
        } else if f64::from(self.queue.len()) >= room {
            Some(Cause::Full)
        } else if deadline <= now {
            Some(Cause::Timeout)
        } else {
            None
        }
    }

    /// Whether nobody should wait: there is no connection, and there was none to be had.
    fn is_hopeless(&self) -> bool {
        self.options.fail_fast && self.health() != Health::Well && self.slots.live() == 0
    }

    /// Lends a usable connection to who waits, or makes it idle; one that is worn is closed.
    fn offer(&mut self, now: f64, slot: u32) -> Option<u32> {
        if let Some(reason) = self.worn(now, slot) {
            self.close_slot(now, slot, reason);
            self.settle(now);
            return None;
        }
        let next = if self.paused { None } else { self.queue.pop() };
        let Some((ticket, key)) = next else {
            self.park(now, slot);
            return None;
        };
        self.lend(now, slot, key);
        self.queue.free(ticket);
        Some(ticket)
    }

    /// Why a connection may not be lent again.
    fn worn(&self, now: f64, slot: u32) -> Option<Reason> {
        let entry = self.slots.get(slot);
        if self.closed {
            Some(Reason::Closing)
        } else if entry.epoch != self.epoch {
            Some(Reason::Evicted)
        } else if f64::from(entry.uses) >= self.options.max_uses {
            Some(Reason::Uses)
        } else if now >= entry.expires {
            Some(Reason::Lifetime)
        } else {
            None
        }
    }

    fn close_slot(&mut self, now: f64, slot: u32, reason: Reason) {
        self.affinity.forget(&mut self.slots, slot);
        self.slots.enter(slot, State::Closing, now);
        self.outbox.push_back(Action::Close(slot, reason));
    }
}

#[cfg(test)]
mod tests;
