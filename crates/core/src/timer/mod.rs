//! A hierarchical timing wheel over caller-owned slot numbers.
//!
//! After Varghese and Lauck, "Hashed and Hierarchical Timing Wheels" (SOSP 1987), in the arrangement that
//! places an entry by the highest bit in which its deadline differs from the current time, so that everything
//! on one level is due before anything on the next.
//!
//! Invariants, with [`LEVELS`] = 8 levels of 64 slots:
//! - level `n` covers 64^(n+1) ticks in slots of 64^n ticks. With the 16 ticks to the millisecond that the
//!   binding takes, that is 4 ms in slots of 1/16 ms, 256 ms in slots of 4 ms, and so on to about 550 years;
//! - an entry on a level is due after `elapsed`; one that is not sits in the `due` queue;
//! - insert and remove are O(1); an entry moves down at most [`LEVELS`] - 1 times in its life.

mod level;
mod list;

use level::{BITS, LEVELS, Level};
use list::{List, Nodes};

/// The latest deadline, in ticks: later ones are kept at this one.
pub const MAX_DEADLINE: u64 = (1 << (BITS * LEVELS as u32)) - 1;

/// The wheel. Entries are slot numbers below [`Wheel::capacity`]; a tick is whatever the caller counts.
#[derive(Debug)]
pub struct Wheel {
    elapsed: u64,
    levels: Box<[Level; LEVELS]>,
    due: List,
    nodes: Nodes,
    len: usize,
}

impl Wheel {
    /// An empty wheel at tick `now` for slots below `capacity`.
    #[must_use]
    pub fn new(capacity: u32, now: u64) -> Self {
        Self {
            elapsed: now.min(MAX_DEADLINE),
            levels: Box::new(std::array::from_fn(Level::new)),
            due: List::new(),
            nodes: Nodes::new(capacity),
            len: 0,
        }
    }

    /// Slots that may be used.
    #[must_use]
    pub fn capacity(&self) -> u32 {
        self.nodes.capacity()
    }

    /// Allows slots up to `capacity`; a smaller value changes nothing.
    pub fn grow(&mut self, capacity: u32) {
        self.nodes.grow(capacity);
    }

    /// Entries in the wheel, due ones included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether no entry is left.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The deadline of `slot`, if it is in the wheel.
    #[must_use]
    pub fn deadline(&self, slot: u32) -> Option<u64> {
        self.nodes.is_linked(slot).then(|| self.nodes.deadline(slot))
    }

    /// Puts `slot` in the wheel, due at tick `deadline`; moves it if it is there already.
    /// Returns whether `slot` is below the capacity.
    pub fn insert(&mut self, slot: u32, deadline: u64) -> bool {
        if slot >= self.capacity() {
            return false;
        }
        self.remove(slot);
        self.len += 1;
        self.nodes.set_deadline(slot, deadline.min(MAX_DEADLINE));
        self.place(slot);
        true
    }

    /// Takes `slot` out, and returns whether it was in.
    pub fn remove(&mut self, slot: u32) -> bool {
        if !self.nodes.is_linked(slot) {
            return false;
        }
        let deadline = self.nodes.deadline(slot);
        if deadline <= self.elapsed {
            self.due.remove(&mut self.nodes, slot);
        } else {
            self.levels[level::of(self.elapsed, deadline)].remove(&mut self.nodes, slot, deadline);
        }
        self.len -= 1;
        true
    }

    /// The deadline of the entry that is due first.
    ///
    /// Looks through one slot of one level, whose entries the next [`Wheel::advance`] to that deadline moves
    /// down, so that an entry is looked at no more often than it moves.
    #[must_use]
    pub fn next_deadline(&self) -> Option<u64> {
        if let Some(slot) = self.due.first() {
            return Some(self.nodes.deadline(slot));
        }
        self.levels.iter().find_map(|level| level.first_deadline(&self.nodes))
    }

    /// Moves time to tick `now` and hands out up to `limit` entries that are due, by deadline, those with one
    /// deadline in the order of their insertion. What `limit` leaves behind comes out of the next call.
    /// Time never goes back: an earlier `now` hands out what is due already.
    pub fn advance(&mut self, now: u64, limit: usize, mut fire: impl FnMut(u32, u64)) -> usize {
        self.collect_due(now.min(MAX_DEADLINE));
        let mut fired = 0;
        while fired < limit {
            let Some(slot) = self.due.pop_front(&mut self.nodes) else { break };
            self.len -= 1;
            fired += 1;
            fire(slot, self.nodes.deadline(slot));
        }
        fired
    }

    /// Takes everything out.
    pub fn clear(&mut self) {
        *self.levels = std::array::from_fn(Level::new);
        self.due = List::new();
        self.nodes.unlink_all();
        self.len = 0;
    }

    fn place(&mut self, slot: u32) {
        let deadline = self.nodes.deadline(slot);
        if deadline <= self.elapsed {
            self.due.push_back(&mut self.nodes, slot);
        } else {
            self.levels[level::of(self.elapsed, deadline)].push_back(&mut self.nodes, slot, deadline);
        }
    }

    fn collect_due(&mut self, now: u64) {
        while let Some((level, start)) = self.next_slot() {
            if start > now {
                break;
            }
            self.elapsed = start;
            let mut entries = self.levels[level].take(start);
            // `place` moves an entry to a lower level, or to `due`; never back into the list it came from.
            while let Some(slot) = entries.pop_front(&mut self.nodes) {
                self.place(slot);
            }
        }
        self.elapsed = self.elapsed.max(now);
    }

    /// The occupied slot whose time comes first, with its level and its first tick.
    fn next_slot(&self) -> Option<(usize, u64)> {
        self.levels
            .iter()
            .enumerate()
            .find_map(|(number, level)| level.first_start(self.elapsed).map(|start| (number, start)))
    }

    /// Checks every invariant; for tests and fuzzing only.
    ///
    /// # Panics
    /// If one does not hold.
    #[cfg(any(test, fuzzing))]
    pub fn validate(&self) {
        let mut seen = 0;
        for slot in self.due.iter(&self.nodes) {
            assert!(self.nodes.deadline(slot) <= self.elapsed, "a due entry is not due");
            seen += 1;
        }
        for (number, level) in self.levels.iter().enumerate() {
            seen += level.validate(number, &self.nodes, self.elapsed);
        }
        assert_eq!(seen, self.len, "an entry is lost or doubled");
    }
}

#[cfg(test)]
mod tests;
