//! What happened to each connection and to who waits, and what must and must not follow from it. Every question is
//! answered by looking through everything.

mod look;

use std::collections::{BTreeMap, HashMap};

use crate::pool::{Acquired, Action, Cause, Options, Reason, Why};

/// Where a connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum At {
    Opening,
    Idle,
    Lent,
    Validating,
    Closing,
}

#[derive(Debug)]
pub(super) struct Conn {
    pub(super) at: At,
    since: f64,
    pub(super) used: f64,
    checked: f64,
    expires: f64,
    uses: u32,
    /// Whether it was there at an eviction.
    evicted: bool,
    leaked: bool,
    probed: bool,
    /// Which of all attempts it came of.
    attempt: u32,
    /// Why it has to be closed by the end of the move.
    condemned: Option<Reason>,
}

#[derive(Debug)]
struct Waiter {
    ticket: u32,
    priority: usize,
    deadline: f64,
    key: Option<u16>,
}

pub(super) struct Book {
    options: Options,
    conns: BTreeMap<u32, Conn>,
    /// In the order of their coming.
    waiting: Vec<Waiter>,
    /// Tickets settled by actions that may not be carried out yet.
    unacknowledged: Vec<u32>,
    /// The slot that each key had last.
    keys: HashMap<u16, u32>,
    pub(super) now: f64,
    pub(super) started: bool,
    pub(super) paused: bool,
    pub(super) refusing: bool,
    pub(super) closed: bool,
    /// Whether nothing fails any more.
    pub(super) all_is_well: bool,
    failures: u32,
    allowed: u32,
    attempts: u32,
    /// How many attempts there had been when one failed last.
    attempts_before_failure: u32,
    /// The latest time at which the next attempt is due.
    retry: f64,
}

impl Book {
    pub(super) fn new(options: Options) -> Self {
        Self {
            allowed: options.max_opening,
            options,
            conns: BTreeMap::new(),
            waiting: Vec::new(),
            unacknowledged: Vec::new(),
            keys: HashMap::new(),
            now: 0.0,
            started: false,
            paused: false,
            refusing: false,
            closed: false,
            all_is_well: false,
            failures: 0,
            attempts: 0,
            attempts_before_failure: 0,
            retry: 0.0,
        }
    }

    pub(super) fn conn(&mut self, slot: u32) -> &mut Conn {
        self.conns.get_mut(&slot).expect("the slot is in use")
    }

    pub(super) fn is(&self, slot: u32, states: &[At]) -> bool {
        self.conns.get(&slot).is_some_and(|conn| states.contains(&conn.at))
    }

    pub(super) fn slots_in(&self, states: &[At]) -> Vec<u32> {
        self.conns.keys().copied().filter(|slot| self.is(*slot, states)).collect()
    }

    pub(super) fn tickets(&self) -> Vec<u32> {
        self.waiting.iter().map(|waiter| waiter.ticket).collect()
    }

    fn count(&self, at: At) -> u32 {
        self.slots_in(&[at]).len() as u32
    }

    fn live(&self) -> u32 {
        self.count(At::Idle) + self.count(At::Lent) + self.count(At::Validating)
    }

    fn idle(&self) -> impl Iterator<Item = (u32, &Conn)> {
        self.conns.iter().filter(|(_, conn)| conn.at == At::Idle).map(|(slot, conn)| (*slot, conn))
    }

    fn is_stale(&self, conn: &Conn) -> bool {
        self.now - conn.checked >= self.options.validate_after
    }

    fn is_usable(&self, conn: &Conn) -> bool {
        conn.at == At::Idle && self.now < conn.expires && !self.is_stale(conn)
    }

    fn is_outage(&self) -> bool {
        self.failures > 0 && f64::from(self.failures) >= self.options.failure_threshold
    }

    /// Whether `slot` is what an acquire may get.
    fn is_right(&self, slot: u32, key: Option<u16>) -> bool {
        if let Some(own) = key.and_then(|key| self.keys.get(&key))
            && self.is_usable(&self.conns[own])
        {
            return slot == *own;
        }
        let alive = || self.idle().filter(|(_, conn)| self.now < conn.expires).map(|(_, conn)| conn);
        let lifo = self.options.lifo && key.is_none();
        // The one that the order names, or any that was used at the same time.
        let by_use = alive().map(|conn| conn.used);
        let named = if lifo { by_use.fold(f64::NEG_INFINITY, f64::max) } else { by_use.fold(f64::INFINITY, f64::min) };
        let is_named_fit = alive().any(|conn| conn.used == named && self.is_usable(conn));
        let healthiest = alive().map(|conn| conn.checked).fold(f64::NEG_INFINITY, f64::max);
        let conn = &self.conns[&slot];
        self.is_usable(conn) && (conn.used == named && is_named_fit || conn.checked == healthiest)
    }

    pub(super) fn acquired(&mut self, outcome: Acquired, deadline: f64, priority: usize, key: Option<u16>) {
        let serves = self.waiting.is_empty() && !self.paused && !self.refusing && !self.closed;
        let is_ready = serves && self.idle().any(|(_, conn)| self.is_usable(conn));
        assert_eq!(is_ready, matches!(outcome, Acquired::Slot(_)), "who can be served at once is");
        match outcome {
            Acquired::Slot(slot) => {
                assert!(self.is_right(slot, key), "the right connection is lent");
                self.lend(slot, key);
            }
            Acquired::Refused(cause) => self.refused(cause, deadline, serves),
            Acquired::Ticket(ticket) => {
                assert!(!self.closed && !self.refusing);
                assert!(!self.is_full() && deadline > self.now);
                assert!(!self.is_hopeless(serves) || !self.is_stuck(), "nobody waits for nothing");
                assert!(!self.tickets().contains(&ticket), "a ticket is one acquire's");
                assert!(!self.unacknowledged.contains(&ticket), "a ticket rests until it is settled");
                self.waiting.push(Waiter { ticket, priority, deadline, key });
            }
        }
        self.started |= !self.closed && !self.refusing;
    }

    fn refused(&self, cause: Cause, deadline: f64, serves: bool) {
        match cause {
            Cause::Closed => assert!(self.closed),
            Cause::Refused => assert!(self.refusing && !self.closed),
            Cause::Unavailable => {
                assert!(self.is_hopeless(serves) && (self.is_stuck() || self.now < self.retry));
            }
            Cause::Full => assert!(self.is_full()),
            Cause::Timeout => assert!(deadline <= self.now),
        }
    }

    fn is_full(&self) -> bool {
        let busy = self.count(At::Idle) + self.count(At::Lent) + self.count(At::Closing);
        self.waiting.len() as f64 >= self.options.max_queue + f64::from(self.options.max - busy)
    }

    /// Whether there is an outage, and no connection. An acquire that would be served closes those that are too old.
    fn is_hopeless(&self, serves: bool) -> bool {
        let old = self.idle().filter(|(_, conn)| self.now >= conn.expires).count() as u32;
        self.options.fail_fast && self.is_outage() && self.live() == if serves { old } else { 0 }
    }

    /// Whether nothing can be opened now, whatever the time.
    fn is_stuck(&self) -> bool {
        self.count(At::Opening) > 0 || self.conns.len() as u32 == self.options.max
    }

    fn lend(&mut self, slot: u32, key: Option<u16>) {
        let now = self.now;
        let conn = self.conn(slot);
        assert_eq!(conn.condemned, None, "what goes is not lent");
        (conn.at, conn.since, conn.leaked) = (At::Lent, now, false);
        conn.uses += 1;
        if let Some(key) = key {
            self.keys.retain(|_, other| *other != slot);
            self.keys.insert(key, slot);
        }
    }

    fn enter(&mut self, slot: u32, at: At) {
        let now = self.now;
        let conn = self.conn(slot);
        (conn.at, conn.since) = (at, now);
    }

    pub(super) fn opened(&mut self, slot: u32) {
        let now = self.now;
        let lifetime = self.options.max_lifetime;
        let conn = self.conn(slot);
        (conn.used, conn.expires) = (now, now + lifetime);
        self.failures = 0;
        self.allowed = self.allowed.saturating_mul(2).min(self.options.max_opening);
    }

    pub(super) fn failed(&mut self, slot: u32) {
        if self.failures == 0 || self.conns[&slot].attempt >= self.attempts_before_failure {
            self.failures += 1;
            self.attempts_before_failure = self.attempts;
        }
        self.allowed = 1;
        let wait = self.options.backoff_min * 2_f64.powi(self.failures as i32 - 1);
        self.retry = self.now + wait.min(self.options.backoff_max);
        self.free(slot, &[At::Opening]);
    }

    pub(super) fn free(&mut self, slot: u32, states: &[At]) {
        if self.is(slot, states) {
            self.conns.remove(&slot);
        }
    }

    /// A connection is well, and the pool said whom it is lent to.
    pub(super) fn offered(&mut self, slot: u32, ticket: Option<u32>) {
        self.conn(slot).checked = self.now;
        let (now, max_uses, closed) = (self.now, self.options.max_uses, self.closed);
        let conn = self.conn(slot);
        conn.probed = false;
        conn.condemned = if closed {
            Some(Reason::Closing)
        } else if conn.evicted {
            Some(Reason::Evicted)
        } else if f64::from(conn.uses) >= max_uses {
            Some(Reason::Uses)
        } else {
            (now >= conn.expires).then_some(Reason::Lifetime)
        };
        if conn.condemned.is_some() {
            assert_eq!(ticket, None, "what is worn is not lent");
        } else if self.paused || self.waiting.is_empty() {
            assert_eq!(ticket, None, "nobody is served");
            self.enter(slot, At::Idle);
        } else {
            let ticket = ticket.expect("the first to wait is served");
            let key = self.next_is(ticket);
            self.lend(slot, key);
        }
    }

    /// Takes out a waiter, who must be the next, and returns the key asked for.
    fn next_is(&mut self, ticket: u32) -> Option<u16> {
        // The first of the highest priority: `min_by_key` returns the first of several.
        let next = (0..self.waiting.len()).min_by_key(|&index| self.waiting[index].priority).expect("somebody waits");
        assert_eq!(self.waiting[next].ticket, ticket, "nobody overtakes");
        self.waiting.remove(next).key
    }

    pub(super) fn cancel(&mut self, ticket: u32) -> bool {
        let before = self.waiting.len();
        self.waiting.retain(|waiter| waiter.ticket != ticket);
        self.waiting.len() < before
    }

    pub(super) fn condemn(&mut self, slot: u32, states: &[At], reason: Reason) {
        if self.is(slot, states) {
            self.conn(slot).condemned = Some(reason);
        }
    }

    pub(super) fn evict(&mut self) {
        for conn in self.conns.values_mut() {
            conn.evicted = true;
            if conn.at == At::Idle {
                conn.condemned = Some(Reason::Evicted);
            }
        }
    }

    pub(super) fn close(&mut self) {
        (self.closed, self.paused) = (true, false);
        for slot in self.slots_in(&[At::Idle]) {
            self.condemn(slot, &[At::Idle], Reason::Closing);
        }
    }

    /// The owner says that what was taken before is carried out.
    pub(super) fn acknowledge(&mut self) {
        self.unacknowledged.clear();
    }

    pub(super) fn carry_out(&mut self, action: Action) {
        match action {
            Action::Create(slot) => self.create(slot),
            Action::Validate(slot, why) => self.validate(slot, why),
            Action::Close(slot, reason) => self.close_slot(slot, reason),
            Action::Lend(ticket, slot) => {
                assert!(self.is_usable(&self.conns[&slot]) && !self.paused);
                let key = self.next_is(ticket);
                self.unacknowledged.push(ticket);
                self.lend(slot, key);
            }
            Action::Reject(ticket, cause) => self.reject(ticket, cause),
            Action::Leak(slot) => {
                let (now, after) = (self.now, self.options.leak_after);
                let conn = self.conn(slot);
                assert!(conn.at == At::Lent && !conn.leaked && conn.since + after <= now);
                conn.leaked = true;
            }
            Action::Abandon(slot) => {
                assert!(self.is(slot, &[At::Opening]));
                assert!(self.conns[&slot].since + self.options.open_timeout <= self.now, "it took too long");
                self.failed(slot);
            }
        }
    }

    fn create(&mut self, slot: u32) {
        assert!(!self.conns.contains_key(&slot) && slot < self.options.max);
        assert!(!self.paused && !self.closed);
        assert!(self.missing() > 0, "nothing is opened in vain");
        let opening = self.count(At::Opening);
        assert!(opening < if self.failures > 0 { 1 } else { self.allowed }, "not too many at once");
        let conn = Conn {
            at: At::Opening,
            since: self.now,
            used: 0.0,
            checked: 0.0,
            expires: f64::INFINITY,
            uses: 0,
            evicted: false,
            leaked: false,
            probed: false,
            attempt: self.attempts,
            condemned: None,
        };
        self.attempts += 1;
        self.conns.insert(slot, conn);
    }

    fn missing(&self) -> u32 {
        let coming = self.count(At::Opening);
        let waiting = (self.waiting.len() as u32).saturating_sub(coming + self.count(At::Validating));
        let is_filled = self.started && !self.refusing && !self.closed;
        waiting.max(if is_filled { self.options.min.saturating_sub(coming + self.live()) } else { 0 })
    }

    fn validate(&mut self, slot: u32, why: Why) {
        assert!(self.is(slot, &[At::Idle]) && !self.paused && !self.closed);
        let conn = &self.conns[&slot];
        match why {
            Why::Borrow => {
                assert!(self.is_stale(conn) && self.now < conn.expires);
                assert!(self.waiting.len() as u32 > self.count(At::Validating), "somebody waits for it");
            }
            Why::Probe => {
                assert!(conn.checked + self.options.probe_interval <= self.now);
                assert!(!self.conns.values().any(|conn| conn.at == At::Validating && conn.probed), "one at a time");
            }
        }
        self.enter(slot, At::Validating);
        self.conn(slot).probed = why == Why::Probe;
    }

    fn close_slot(&mut self, slot: u32, reason: Reason) {
        let conn = &self.conns[&slot];
        if conn.condemned.is_none() {
            match reason {
                Reason::Lifetime => assert!(conn.at == At::Idle && self.now >= conn.expires),
                Reason::Idle => {
                    assert!(conn.at == At::Idle && conn.used + self.options.idle_timeout <= self.now);
                    assert!(self.live() > self.options.min, "enough remain");
                    assert!(self.idle().all(|(_, other)| conn.used <= other.used), "the longest unused goes");
                }
                Reason::Invalid => {
                    assert!(conn.at == At::Validating && conn.since + self.options.validate_timeout <= self.now);
                }
                _ => panic!("{reason:?} without a reason"),
            }
        } else {
            assert_eq!(conn.condemned, Some(reason));
        }
        self.keys.retain(|_, other| *other != slot);
        self.enter(slot, At::Closing);
        self.conn(slot).condemned = None;
    }

    fn reject(&mut self, ticket: u32, cause: Cause) {
        if cause == Cause::Timeout {
            let waiter = self.waiting.iter().find(|waiter| waiter.ticket == ticket).expect("it waits");
            assert!(waiter.deadline <= self.now, "no deadline is early");
            let first = self.waiting.iter().map(|waiter| waiter.deadline).fold(f64::INFINITY, f64::min);
            assert_eq!(waiter.deadline, first, "deadlines come in order");
            self.cancel(ticket);
        } else {
            let is_hopeless = self.is_hopeless(false) && self.count(At::Opening) == 0;
            assert!(if cause == Cause::Closed { self.closed } else { cause == Cause::Unavailable && is_hopeless });
            self.next_is(ticket);
        }
        assert!(!self.all_is_well || cause != Cause::Closed);
        self.unacknowledged.push(ticket);
    }
}
