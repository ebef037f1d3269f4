//! Expiry: a hierarchical timing wheel over the nodes of a slab.
//!
//! Level L has 64 buckets of 8^L ms, so a bucket is at most an eighth as wide as the time left when its
//! entries went in, and the twelve levels reach 8^11 * 63 ms, about 17 years (what lies beyond waits in the
//! last level and goes round again). Setting and cancelling are O(1); an advance touches the entries of
//! the buckets that fell due and nothing else. The tick is 1 ms: with a clock that counts whole milliseconds
//! an entry falls due exactly one tick after its last live millisecond.

use super::list::{List, Timed};
use super::node::{NIL, Slab, UNTIMED};

const LEVELS: usize = 12;
const BUCKETS: usize = 64;
/// The list of what is due, numbered after the buckets.
const DUE: usize = LEVELS * BUCKETS;

#[derive(Debug)]
pub(super) struct Wheel {
    /// Buckets by number, and the due list; none before the first entry.
    lists: Vec<List>,
    /// Added to a list's number where a node has it, so that one node field serves two wheels.
    base: u16,
    length: usize,
    /// A bit for each bucket that may hold something.
    occupied: [u64; LEVELS],
    /// The tick up to which everything is due.
    cursor: u64,
    /// No bucket falls due before this tick.
    next: u64,
    /// Entries and buckets that advances looked at.
    #[cfg(test)]
    pub(super) work: usize,
}

/// The tick in which a time lies.
pub(super) fn tick(now: f64) -> u64 {
    now.floor() as u64
}

/// The first tick at which an entry that is live up to `expires` is dead.
fn tick_after(expires: f64) -> u64 {
    // A cast saturates: times before 1970 become 0, and those beyond u64 its last tick.
    (expires.floor() as u64).saturating_add(1)
}

impl Wheel {
    /// A wheel at the beginning of time; `number` tells the wheels over one slab apart.
    pub(super) fn new(number: u16) -> Self {
        let base = number * (DUE as u16 + 1);
        Self {
            lists: Vec::new(),
            base,
            length: 0,
            occupied: [0; LEVELS],
            cursor: 0,
            next: u64::MAX,
            #[cfg(test)]
            work: 0,
        }
    }

    /// Forgets everything, and goes on from `cursor`.
    pub(super) fn restart(&mut self, cursor: u64) {
        *self = Self { base: self.base, cursor, ..Self::new(0) };
    }

    /// The entries filed.
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.length
    }

    /// The tick up to which everything is due.
    #[inline]
    pub(super) fn cursor(&self) -> u64 {
        self.cursor
    }

    /// A time before which `advance` finds nothing.
    #[inline]
    pub(super) fn next(&self) -> f64 {
        match (self.due(), self.next) {
            (None, u64::MAX) => f64::INFINITY,
            (None, next) => next as f64,
            _ => f64::NEG_INFINITY,
        }
    }

    /// The slot that fell due, if any.
    #[inline]
    pub(super) fn due(&self) -> Option<u32> {
        let slot = self.lists.get(DUE)?.tail;
        (slot != NIL).then_some(slot)
    }

    /// A slot of the first bucket that holds any, what is due before all.
    pub(super) fn first(&self) -> Option<u32> {
        self.due().or_else(|| self.soonest().map(|(_, bucket)| self.lists[bucket].tail))
    }

    /// Whether what is live up to `deadline` is dead by the wheel's clock.
    #[inline]
    pub(super) fn is_past(&self, deadline: f64) -> bool {
        deadline != f64::INFINITY && tick_after(deadline) <= self.cursor
    }

    /// Whether `slot` is in this wheel.
    #[inline]
    pub(super) fn holds(&self, slab: &Slab, slot: u32) -> bool {
        (self.base..=self.base + DUE as u16).contains(&slab[slot].bucket())
    }

    /// Files `slot`, which is in no bucket, to fall due after `deadline`.
    #[inline]
    pub(super) fn insert(&mut self, slab: &mut Slab, slot: u32, deadline: f64) {
        if deadline == f64::INFINITY {
            return;
        }
        let tick = tick_after(deadline);
        if tick <= self.cursor {
            return self.file(slab, slot, DUE);
        }
        let mut level = 0;
        while level < LEVELS - 1 && tick - self.cursor >= (BUCKETS as u64 - 1) << (3 * level) {
            level += 1;
        }
        let shift = 3 * level as u32;
        let farthest = (self.cursor >> shift) + BUCKETS as u64 - 1;
        let place = (tick >> shift).min(farthest);
        let index = place as usize % BUCKETS;
        self.occupied[level] |= 1 << index;
        self.next = self.next.min(place << shift);
        self.file(slab, slot, level * BUCKETS + index);
    }

    #[inline]
    fn file(&mut self, slab: &mut Slab, slot: u32, bucket: usize) {
        if self.lists.is_empty() {
            self.unfold();
        }
        self.lists[bucket].push_front::<Timed>(slab, slot);
        self.length += 1;
        slab[slot].set_bucket(self.base + bucket as u16);
    }

    #[cold]
    fn unfold(&mut self) {
        self.lists.resize(DUE + 1, List::EMPTY);
    }

    #[inline]
    fn unlink(&mut self, slab: &mut Slab, slot: u32, bucket: usize) {
        self.lists[bucket].remove::<Timed>(slab, slot);
        self.length -= 1;
        slab[slot].set_bucket(UNTIMED);
    }

    /// Takes `slot` out, which is in this wheel or in none.
    #[inline]
    pub(super) fn remove(&mut self, slab: &mut Slab, slot: u32) {
        let bucket = slab[slot].bucket();
        if bucket == UNTIMED {
            return;
        }
        let bucket = usize::from(bucket - self.base);
        self.unlink(slab, slot, bucket);
        if bucket < DUE && self.lists[bucket].head == NIL {
            self.occupied[bucket / BUCKETS] &= !(1 << (bucket % BUCKETS));
        }
    }

    /// Moves the clock on to `target`, not before its cursor, and takes out what has to be filed anew: what is
    /// dead by then, and what the wheel now tells apart more finely.
    #[inline]
    pub(super) fn advance(&mut self, slab: &mut Slab, target: u64) -> Vec<u32> {
        if target < self.next {
            self.cursor = target;
            return Vec::new();
        }
        self.turn(slab, target)
    }

    fn turn(&mut self, slab: &mut Slab, target: u64) -> Vec<u32> {
        let mut moved = Vec::new();
        for level in 0..LEVELS {
            self.collect(slab, level, target, &mut moved);
        }
        self.cursor = target;
        self.next = self.soonest().map_or(u64::MAX, |(start, _)| start);
        moved
    }

    /// Empties the buckets of `level` that begin after the cursor and no later than `target`.
    fn collect(&mut self, slab: &mut Slab, level: usize, target: u64, moved: &mut Vec<u32>) {
        let shift = 3 * level as u32;
        let (from, to) = ((self.cursor >> shift) + 1, target >> shift);
        if self.occupied[level] == 0 || from > to {
            return;
        }
        for place in from..=to.min(from + BUCKETS as u64 - 1) {
            let index = place as usize % BUCKETS;
            #[cfg(test)]
            {
                self.work += 1;
            }
            if self.occupied[level] & (1 << index) == 0 {
                continue;
            }
            self.occupied[level] &= !(1 << index);
            let bucket = level * BUCKETS + index;
            // From the tail: the order in which entries went in is the order in which they fall due.
            while self.lists[bucket].tail != NIL {
                let slot = self.lists[bucket].tail;
                #[cfg(test)]
                {
                    self.work += 1;
                }
                self.unlink(slab, slot, bucket);
                moved.push(slot);
            }
        }
    }

    /// The start and the number of the first bucket that holds something.
    fn soonest(&self) -> Option<(u64, usize)> {
        let starts = self.occupied.iter().enumerate().filter(|(_, bits)| **bits != 0).map(|(level, bits)| {
            let shift = 3 * level as u32;
            let here = self.cursor >> shift;
            let turned = bits.rotate_right((here % BUCKETS as u64) as u32);
            let place = here + u64::from(turned.trailing_zeros());
            (place << shift, level * BUCKETS + place as usize % BUCKETS)
        });
        starts.min()
    }

    /// Checks every bucket against the nodes and the clock.
    #[cfg(any(test, fuzzing))]
    pub(super) fn validate(&self, slab: &Slab, deadline: impl Fn(u32) -> f64) {
        let mut listed = 0;
        for (bucket, list) in self.lists.iter().enumerate() {
            for slot in list.iter::<Timed>(slab) {
                listed += 1;
                assert_eq!(usize::from(slab[slot].bucket() - self.base), bucket, "a slot knows its bucket");
                let tick = tick_after(deadline(slot));
                if bucket == DUE {
                    assert!(tick <= self.cursor, "what is due is dead");
                } else {
                    assert!(tick > self.cursor, "what is dead is due");
                    assert!(self.next <= tick, "the wheel wakes in time");
                    assert!(self.occupied[bucket / BUCKETS] & (1 << (bucket % BUCKETS)) != 0, "the bit is set");
                }
            }
        }
        assert_eq!(listed, self.length, "the length counts what is listed");
    }
}
