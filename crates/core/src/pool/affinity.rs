//! Which slot each key had last. A slot remembers one key, so that there are never more keys than slots.

use std::hash::BuildHasher;

use foldhash::quality::FixedState;
use hashbrown::HashTable;

use super::slots::Slots;

#[derive(Debug)]
pub(super) struct Affinity {
    hasher: FixedState,
    /// Slots by the hash of the key that they were lent for last.
    index: HashTable<u32>,
}

impl Affinity {
    pub(super) fn new(seed: u64) -> Self {
        Self { hasher: FixedState::with_seed(seed), index: HashTable::new() }
    }

    /// What stands for a key. Two keys that share it share a slot, which does no harm.
    pub(super) fn hash(&self, key: &[u16]) -> u64 {
        self.hasher.hash_one(key)
    }

    /// The slot that a key had last.
    pub(super) fn find(&self, slots: &Slots, key: u64) -> Option<u32> {
        self.index.find(key, |&slot| slots.get(slot).key == Some(key)).copied()
    }

    /// Notes that a slot is lent for `key`.
    pub(super) fn remember(&mut self, slots: &mut Slots, slot: u32, key: u64) {
        if slots.get(slot).key == Some(key) {
            return;
        }
        self.forget(slots, slot);
        if let Some(former) = self.find(slots, key) {
            self.forget(slots, former);
        }
        slots.get_mut(slot).key = Some(key);
        self.index.insert_unique(key, slot, |&slot| slots.get(slot).key.unwrap_or_default());
    }

    /// Notes that a slot's connection goes.
    pub(super) fn forget(&mut self, slots: &mut Slots, slot: u32) {
        let Some(key) = slots.get(slot).key else { return };
        if let Ok(entry) = self.index.find_entry(key, |&other| other == slot) {
            entry.remove();
        }
        slots.get_mut(slot).key = None;
    }

    /// Checks that slots and index agree.
    #[cfg(any(test, fuzzing))]
    pub(super) fn validate(&self, slots: &Slots) {
        for &slot in &self.index {
            let key = slots.get(slot).key.expect("an indexed slot has a key");
            assert_eq!(self.find(slots, key), Some(slot), "a key leads to its slot");
        }
    }

    /// How many keys are remembered.
    #[cfg(any(test, fuzzing))]
    pub(super) fn len(&self) -> usize {
        self.index.len()
    }
}
