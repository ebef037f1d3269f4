//! S3-FIFO's memory of keys that left probation unused.

use std::collections::VecDeque;

use hashbrown::HashTable;

/// The youngest hashes, at most as many as the cache has entries.
#[derive(Debug, Default)]
pub(super) struct Ghost {
    /// Oldest first. Each has a number, which goes up by one, and around.
    order: VecDeque<u32>,
    /// The number of the oldest.
    oldest: u32,
    /// The newest number of each hash that was not taken yet. Numbers alone, because `order` has the hashes.
    known: HashTable<u32>,
}

/// The index wants its entropy in all 64 bits, and a stored hash has 32.
pub(super) fn spread(hash: u32) -> u64 {
    u64::from(hash).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

impl Ghost {
    pub(super) fn remember(&mut self, hash: u32, bound: usize) {
        let Self { order, oldest, known } = self;
        let number = oldest.wrapping_add(order.len() as u32);
        order.push_back(hash);
        let hash_of = |number: &u32| order[number.wrapping_sub(*oldest) as usize];
        match known.find_mut(spread(hash), |known| hash_of(known) == hash) {
            Some(known) => *known = number,
            None => {
                known.insert_unique(spread(hash), number, |known| spread(hash_of(known)));
            }
        }
        while self.order.len() > bound.max(1) {
            self.forget();
        }
    }

    fn forget(&mut self) {
        let Some(hash) = self.order.pop_front() else {
            return;
        };
        if let Ok(entry) = self.known.find_entry(spread(hash), |known| *known == self.oldest) {
            entry.remove();
        }
        self.oldest = self.oldest.wrapping_add(1);
    }

    /// Whether `hash` was remembered; it is forgotten now.
    pub(super) fn take(&mut self, hash: u32) -> bool {
        let Self { order, oldest, known } = self;
        match known.find_entry(spread(hash), |number| order[number.wrapping_sub(*oldest) as usize] == hash) {
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
        let places = self.known.iter().map(|number| number.wrapping_sub(self.oldest) as usize);
        assert!(places.into_iter().all(|place| place < self.order.len()), "what is known is in the queue");
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    /// Near where numbers go around.
    fn ghost() -> Ghost {
        Ghost { oldest: u32::MAX - 20, ..Ghost::default() }
    }

    #[test]
    fn the_oldest_is_forgotten_and_what_came_again_is_young() {
        let mut ghost = ghost();
        for hash in [1, 2, 1, 3, 4] {
            ghost.remember(hash, 4);
        }
        assert!(ghost.take(1), "it came again");
        assert!(!ghost.take(1), "it is taken");
        ghost.remember(5, 4);
        assert_eq!([2, 3, 4, 5].map(|hash| ghost.take(hash)), [false, true, true, true]);
    }

    proptest! {
        /// Remembered at a time, of which the last `bound` count.
        #[test]
        fn follows_a_map_of_times(steps in proptest::collection::vec((0_u32..12, any::<bool>()), 0..200), bound in 1_usize..9) {
            let (mut ghost, mut model, mut time) = (ghost(), HashMap::new(), 0);
            for (hash, remember) in steps {
                if remember {
                    ghost.remember(hash, bound);
                    time += 1;
                    model.insert(hash, time);
                } else {
                    let known = model.remove(&hash).is_some_and(|at| at + bound > time);
                    prop_assert_eq!(ghost.take(hash), known);
                }
                ghost.validate();
            }
        }
    }
}
