//! One level of the wheel: 64 slots and a bit map of those in use.

use super::list::{List, Nodes};

/// Levels of a wheel.
pub(super) const LEVELS: usize = 8;
/// Bits of a tick that one level tells apart.
pub(super) const BITS: u32 = 6;
const SLOTS: u64 = 1 << BITS;

/// The level for a deadline after `elapsed`: that of the highest bit in which the two differ.
pub(super) fn of(elapsed: u64, deadline: u64) -> usize {
    ((elapsed ^ deadline) | (SLOTS - 1)).ilog2() as usize / BITS as usize
}

#[derive(Debug)]
pub(super) struct Level {
    /// Where this level's six bits of a tick begin; its slots are 2^shift ticks long.
    shift: u32,
    occupied: u64,
    slots: [List; SLOTS as usize],
}

impl Level {
    pub(super) const fn new(number: usize) -> Self {
        Self { shift: number as u32 * BITS, occupied: 0, slots: [List::new(); SLOTS as usize] }
    }

    fn index(&self, tick: u64) -> usize {
        ((tick >> self.shift) % SLOTS) as usize
    }

    pub(super) fn push_back(&mut self, nodes: &mut Nodes, slot: u32, deadline: u64) {
        let index = self.index(deadline);
        self.occupied |= 1 << index;
        self.slots[index].push_back(nodes, slot);
    }

    pub(super) fn remove(&mut self, nodes: &mut Nodes, slot: u32, deadline: u64) {
        let index = self.index(deadline);
        self.slots[index].remove(nodes, slot);
        if self.slots[index].first().is_none() {
            self.occupied &= !(1 << index);
        }
    }

    /// Empties the slot that `tick` lies in, and returns what it held.
    pub(super) fn take(&mut self, tick: u64) -> List {
        let index = self.index(tick);
        self.occupied &= !(1 << index);
        std::mem::replace(&mut self.slots[index], List::new())
    }

    /// The first tick of the first occupied slot. `elapsed` gives the bits above this level, which all its
    /// entries share.
    pub(super) fn first_start(&self, elapsed: u64) -> Option<u64> {
        let index = self.first_index()?;
        let above = elapsed >> self.shift >> BITS << BITS;
        Some((above | index as u64) << self.shift)
    }

    /// The earliest deadline in the first occupied slot.
    pub(super) fn first_deadline(&self, nodes: &Nodes) -> Option<u64> {
        let list = &self.slots[self.first_index()?];
        if self.shift == 0 {
            return list.first().map(|slot| nodes.deadline(slot));
        }
        list.iter(nodes).map(|slot| nodes.deadline(slot)).min()
    }

    /// Entries share the bits above this level with the current time and are due after it, so that the lowest
    /// occupied slot is the next one: a level never wraps.
    fn first_index(&self) -> Option<usize> {
        (self.occupied != 0).then(|| self.occupied.trailing_zeros() as usize)
    }

    /// Checks this level's invariants and counts its entries.
    #[cfg(any(test, fuzzing))]
    pub(super) fn validate(&self, number: usize, nodes: &Nodes, elapsed: u64) -> usize {
        let mut count = 0;
        for (index, list) in self.slots.iter().enumerate() {
            assert_eq!(list.first().is_some(), self.occupied >> index & 1 == 1, "the bit map lies");
            for slot in list.iter(nodes) {
                let deadline = nodes.deadline(slot);
                assert!(deadline > elapsed, "an overdue entry waits on level {number}");
                assert_eq!(of(elapsed, deadline), number, "an entry is on the wrong level");
                assert_eq!(self.index(deadline), index, "an entry is in the wrong slot");
                count += 1;
            }
        }
        count
    }
}
