//! S3-FIFO's memory of keys that left probation unused.

use std::collections::VecDeque;

use hashbrown::HashTable;

/// The youngest hashes, at most as many as the cache has entries.
#[derive(Debug, Default)]
pub(super) struct Ghost {
    /// Oldest first, each with the number it got when it came.
    order: VecDeque<(u32, u64)>,
    /// The newest number of each hash that was not taken yet.
    known: HashTable<(u32, u64)>,
    count: u64,
}

/// The index wants its entropy in all 64 bits, and a stored hash has 32.
pub(super) fn spread(hash: u32) -> u64 {
    u64::from(hash).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

impl Ghost {
    pub(super) fn remember(&mut self, hash: u32, bound: usize) {
        self.count += 1;
        let fresh = (hash, self.count);
        match self.known.find_mut(spread(hash), |known| known.0 == hash) {
            Some(known) => *known = fresh,
            None => {
                self.known.insert_unique(spread(hash), fresh, |known| spread(known.0));
            }
        }
        self.order.push_back(fresh);
        while self.order.len() > bound.max(1) {
            self.forget();
        }
    }

    fn forget(&mut self) {
        let Some(oldest) = self.order.pop_front() else {
            return;
        };
        if let Ok(entry) = self.known.find_entry(spread(oldest.0), |known| *known == oldest) {
            entry.remove();
        }
    }

    /// Whether `hash` was remembered; it is forgotten now.
    pub(super) fn take(&mut self, hash: u32) -> bool {
        match self.known.find_entry(spread(hash), |known| known.0 == hash) {
            Ok(entry) => {
                entry.remove();
                true
            }
            Err(_) => false,
        }
    }

    #[cfg(any(test, fuzzing))]
    pub(super) fn validate(&self) {
        assert!(self.known.len() <= self.order.len(), "the ghost forgets what leaves its queue");
    }
}
