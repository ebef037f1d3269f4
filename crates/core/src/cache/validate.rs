//! The invariants of a cache, for tests and fuzzing.

use super::ghost::spread;
use super::node::UNTIMED;
use super::{Cache, Text};

impl Cache {
    /// Panics when anything about the cache contradicts anything else.
    pub fn validate(&self) {
        assert!(self.length <= self.options.max_size, "the bound holds");
        assert!(self.weight <= self.options.max_weight, "the weight holds");
        assert_eq!(self.slab.used().count(), self.length, "the length counts used slots");
        let mut texts = 0;
        for (slot, node) in self.slab.used() {
            if let Some(units) = node.text.to_units() {
                texts += 1;
                assert_eq!(self.hash(&units), node.hash, "a node keeps its key's hash");
                assert_eq!(self.lookup(node.hash, &units), Some(slot), "a key leads to its slot");
                assert!(self.index.find(spread(node.hash), |other| *other == slot).is_some());
            } else {
                assert!(matches!(node.text, Text::Foreign));
            }
        }
        assert_eq!(self.index.len(), texts, "the index holds nothing else");
        assert!(self.graces.keys().all(|slot| self.slab.is_used(*slot)), "graces belong to entries");
        if self.options.max_weight.is_finite() {
            let sum: f64 = self.slab.used().map(|(slot, _)| self.weights[slot as usize]).sum();
            assert!((sum - self.weight).abs() < 1e-6 * (1.0 + sum), "the weight is the sum");
        }
        self.queues.validate(&self.slab);
        self.wheel.validate(&self.slab, |slot| self.slab[slot].expires);
        self.stale.validate(&self.slab, |slot| self.deadline(slot));
        let timed = self.slab.used().filter(|(_, node)| node.bucket() != UNTIMED).count();
        assert_eq!(timed, self.wheel.len() + self.stale.len(), "every timed slot is in one wheel");
    }
}
