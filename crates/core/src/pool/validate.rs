//! The invariants of a pool, for tests and fuzzing.

use super::Pool;
use super::slots::State;

impl Pool {
    /// Panics when anything about the pool contradicts anything else.
    pub fn validate(&self) {
        self.slots.validate();
        self.queue.validate();
        self.affinity.validate(&self.slots);
        assert!(self.slots.taken() <= self.options.max, "the bound holds");
        assert!(self.affinity.len() as u32 <= self.slots.live(), "only connections remember keys");
        assert!(self.due <= self.next_due(), "nothing is due too late");
        if let Some(slot) = self.probing {
            assert_eq!(self.slots.state(slot), State::Validating, "a probe is under way");
        }
        if self.closed {
            assert!(self.queue.is_empty() && self.slots.count(State::Idle) == 0, "a closed pool keeps nothing");
        }
        if !self.paused && !self.queue.is_empty() {
            assert!(
                self.slots.iter(State::Idle).all(|slot| self.is_stale(self.now, slot)),
                "nobody waits beside a connection that is known to be well"
            );
        }
    }

    /// How many keys are remembered.
    #[must_use]
    pub fn keys(&self) -> usize {
        self.affinity.len()
    }
}
