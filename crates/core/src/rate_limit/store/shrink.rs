//! Giving back the memory of keys that are gone.

use hashbrown::HashTable;

use super::{MemoryLimiter, Order, spread};
use crate::timer::Wheel;

/// The new slot of a slot that is free.
const GONE: u32 = u32::MAX;

impl MemoryLimiter {
    /// Moves the keys that are left to the first slots. Called once most slots are free, so that a key's removal pays
    /// for it.
    #[cold]
    pub(super) fn shrink(&mut self) {
        let moved = self.renumber();
        self.move_keys(&moved);
        self.move_order(&moved);
        self.move_times(&moved);
        self.free = Vec::new();
    }

    /// The new slot of each slot.
    fn renumber(&self) -> Vec<u32> {
        let mut moved = vec![GONE; self.nodes.len()];
        self.index.iter().for_each(|slot| moved[*slot as usize] = 0);
        let used = moved.iter_mut().filter(|slot| **slot != GONE);
        used.zip(0..).for_each(|(slot, number)| *slot = number);
        moved
    }

    fn move_keys(&mut self, moved: &[u32]) {
        let (count, length) = (self.rules.len(), self.index.len());
        let is_left = |place: usize| moved[place] != GONE;
        let nodes = std::mem::replace(&mut self.nodes, Vec::with_capacity(2 * length));
        let states = std::mem::replace(&mut self.states, Vec::with_capacity(2 * length * count));
        self.nodes.extend(nodes.into_iter().enumerate().filter(|(place, _)| is_left(*place)).map(|(_, node)| node));
        let states = states.into_iter().enumerate().filter(|(place, _)| is_left(place / count));
        self.states.extend(states.map(|(_, state)| state));
        self.index = HashTable::with_capacity(length);
        for (slot, node) in self.nodes.iter().enumerate() {
            let hash = |slot: &u32| spread(self.nodes[*slot as usize].hash);
            self.index.insert_unique(spread(node.hash), slot as u32, hash);
        }
    }

    fn move_order(&mut self, moved: &[u32]) {
        let order = std::mem::replace(&mut self.order, Order::new());
        order.iter().for_each(|slot| self.order.push(moved[slot as usize]));
        let held = std::mem::take(&mut self.held);
        self.held = held.into_iter().map(|(end, slot)| (end, moved[slot as usize])).collect();
    }

    fn move_times(&mut self, moved: &[u32]) {
        let wheel = std::mem::replace(&mut self.wheel, Wheel::new(2 * self.nodes.len() as u32, 0));
        for (slot, new) in (0..).zip(moved) {
            if let Some(deadline) = wheel.deadline(slot) {
                self.wheel.insert(*new, deadline);
            }
        }
    }
}
