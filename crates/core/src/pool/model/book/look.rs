//! What must hold after a move, whatever it was.

use super::{At, Book, Conn};
use crate::pool::{Counts, Health, Pool};

impl Book {
    /// What must hold after each move.
    pub(in crate::pool::model) fn look(&self, pool: &Pool) {
        let counts = Counts {
            idle: self.count(At::Idle),
            lent: self.count(At::Lent),
            opening: self.count(At::Opening),
            validating: self.count(At::Validating),
            closing: self.count(At::Closing),
            waiting: self.waiting.len() as u32,
        };
        assert_eq!(pool.counts(), counts);
        assert_eq!(pool.pending(), 0);
        assert_eq!(pool.failures(), self.failures);
        let health = match (self.is_outage(), counts.opening) {
            (false, _) => Health::Well,
            (true, 0) => Health::Outage,
            (true, _) => Health::Attempt,
        };
        assert_eq!(pool.health(), health);
        assert_eq!(pool.keys(), self.keys.len());
        assert!(self.conns.len() as u32 <= self.options.max);
        assert!(self.conns.values().all(|conn| conn.condemned.is_none()), "what is to go goes");
        assert!(!self.closed || counts.waiting + counts.idle == 0, "a closed pool keeps nothing");
        assert!(pool.due() <= self.due().min(self.latest_attempt()), "nothing is due too late");
        if counts.waiting > 0 && !self.paused {
            assert!(!self.idle().any(|(_, conn)| self.is_usable(conn)), "nobody waits beside a ready connection");
            assert!(counts.idle == 0 || counts.validating >= counts.waiting, "what may be well is validated");
        }
    }

    /// What must hold after moves that may lead to openings.
    pub(in crate::pool::model) fn look_for_openings(&self) {
        if self.paused || self.closed {
            return;
        }
        let opening = self.count(At::Opening);
        let is_stuck = self.conns.len() as u32 == self.options.max;
        if self.failures == 0 {
            assert!(self.missing() == 0 || is_stuck || opening >= self.allowed, "what is missing is opened");
        } else if self.is_hopeless(false) {
            assert!(opening > 0 || self.waiting.is_empty(), "nobody waits in an outage");
        }
    }

    /// When something falls due, the next attempt to open aside.
    fn due(&self) -> f64 {
        let options = &self.options;
        let is_above_min = self.live() > options.min;
        let is_probing = self.conns.values().any(|conn| conn.at == At::Validating && conn.probed);
        let of = |conn: &Conn| match conn.at {
            At::Opening => conn.since + options.open_timeout,
            At::Validating => conn.since + options.validate_timeout,
            At::Lent if !conn.leaked => conn.since + options.leak_after,
            At::Lent | At::Closing => f64::INFINITY,
            At::Idle => {
                let idle = if is_above_min { conn.used + options.idle_timeout } else { f64::INFINITY };
                let probe =
                    if is_probing || self.paused { f64::INFINITY } else { conn.checked + options.probe_interval };
                conn.expires.min(idle).min(probe)
            }
        };
        let deadlines = self.waiting.iter().map(|waiter| waiter.deadline);
        self.conns.values().map(of).chain(deadlines).fold(f64::INFINITY, f64::min)
    }

    /// When the next attempt to open is made at the latest, if it is time that it waits for.
    fn latest_attempt(&self) -> f64 {
        let is_held = self.failures > 0 && !self.paused && !self.is_stuck();
        if is_held && self.missing() > 0 { self.retry } else { f64::INFINITY }
    }

    /// What must hold after a tick.
    pub(in crate::pool::model) fn look_for_due(&self, pool: &Pool) {
        assert!(self.due().min(self.latest_attempt()) > self.now, "what is due is done");
        assert!(pool.due() > self.now, "and not due again");
        let is_at_rest = self.due().min(self.latest_attempt()) == f64::INFINITY;
        assert!(!is_at_rest || pool.due() == f64::INFINITY, "a pool at rest is not woken up");
    }

    pub(in crate::pool::model) fn look_at_the_end(&self, pool: &Pool) {
        assert!(self.conns.is_empty() && self.waiting.is_empty(), "everything is settled and gone");
        assert_eq!(pool.due(), f64::INFINITY, "and nothing will be due");
    }
}
