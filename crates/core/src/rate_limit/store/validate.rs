//! The invariants of a limiter's store, for tests and fuzzing.

use super::{MemoryLimiter, TICK, spread};

impl MemoryLimiter {
    /// Panics when anything about the store contradicts anything else.
    pub fn validate(&self) {
        let (known, count) = (self.index.len(), self.rules.len());
        assert!(known <= self.max_keys, "the bound holds");
        assert_eq!(self.nodes.len(), known + self.free.len(), "a slot is in use or free");
        assert_eq!(self.states.len(), self.nodes.len() * count, "each slot has its states");
        assert_eq!(self.order.iter().count() + self.held.len(), known, "a key is in the order or held");
        assert_eq!(self.wheel.len(), known, "every key is timed");
        self.wheel.validate();
        for slot in self.order.iter() {
            assert!(!self.nodes[slot as usize].is_held, "what is held is not in the order");
        }
        for (end, slot) in &self.held {
            let node = &self.nodes[*slot as usize];
            assert!(node.is_held && node.blocked == *end, "what is held is held until its block ends");
            assert!(self.due <= *end, "no end of a block is missed");
        }
        for slot in &self.index {
            self.validate_key(*slot);
        }
        self.validate_spare();
    }

    fn validate_key(&self, slot: u32) {
        let node = &self.nodes[slot as usize];
        let found = self.index.find(spread(node.hash), |other| *other == slot);
        assert!(found.is_some(), "a key is found by its hash");
        let deadline = self.wheel.deadline(slot).expect("every key is timed") as i64 * TICK;
        assert!(deadline < self.ends(slot) + TICK, "a key is looked at once it is over");
        assert!(self.due <= deadline, "nothing is due too late");
    }

    fn validate_spare(&self) {
        let states = self.spare.iter();
        assert!(
            self.rules.ends(&self.spare) == 0,
            "what is not known counts nothing: {:?}",
            states.collect::<Vec<_>>()
        );
    }
}
