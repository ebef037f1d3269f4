//! The invariants of a limiter's store, for tests and fuzzing.

use super::{MemoryLimiter, TICK, spread};
use crate::rate_limit::algorithm::State;

impl MemoryLimiter {
    /// The keys that are known, of which each is one unit of text.
    pub(in crate::rate_limit) fn keys(&self) -> Vec<usize> {
        let number = |slot: &u32| self.nodes[*slot as usize].text.to_units().map_or(0, |units| usize::from(units[0]));
        self.index.iter().map(number).collect()
    }

    /// Slots that there is memory for.
    #[cfg(test)]
    pub(in crate::rate_limit) fn room(&self) -> usize {
        self.nodes.len()
    }

    /// Panics when anything about the store contradicts anything else. After a clock has gone back, what is over by
    /// then may be found late.
    pub fn validate(&self, went_back: bool) {
        let (known, count) = (self.index.len(), self.rules.len());
        assert!(known <= self.max_keys, "the bound holds");
        assert_eq!(self.nodes.len(), known + self.free.len(), "a slot is in use or free");
        assert_eq!(self.states.len(), self.nodes.len() * count, "each slot has its states");
        assert_eq!(self.order.iter().count() + self.held.len(), known, "a key is in the order or held");
        assert_eq!(self.wheel.len(), known, "every key is timed");
        self.wheel.validate();
        for slot in self.order.iter() {
            assert_eq!(self.nodes[slot as usize].held, 0, "what is held is not in the order");
        }
        let mut blocks = 0;
        for (end, slot) in &self.held {
            let node = &self.nodes[*slot as usize];
            assert_eq!(node.held, *end, "what is held knows until when");
            blocks += u64::from(node.is_block);
            assert!(self.due <= *end, "nobody is held too long");
        }
        assert_eq!(self.stats.blocked, blocks, "blocks are counted");
        for slot in &self.index {
            self.validate_key(*slot, went_back);
        }
        self.validate_spare();
    }

    fn validate_key(&self, slot: u32, went_back: bool) {
        let node = &self.nodes[slot as usize];
        let found = self.index.find(spread(node.hash), |other| *other == slot);
        assert!(found.is_some(), "a key is found by its hash");
        let deadline = self.wheel.deadline(slot).expect("every key is timed") as i64 * TICK;
        let ends = self.ends(slot);
        // Leases that have ended are dropped by whoever counts them.
        let has_leases = self.states.iter().any(|state| matches!(state, State::Leases(_)));
        assert!(has_leases || deadline < ends + TICK, "a key is looked at once it is over");
        assert!(went_back || self.due <= deadline, "nothing is due too late");
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
