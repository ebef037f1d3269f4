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
    lists: Box<[List]>,
    /// A bit for each bucket that may hold something.
    occupied: [u64; LEVELS],
    /// The tick up to which everything is due.
    cursor: u64,
    /// No bucket falls due before this tick.
    next: u64,
}

/// The first tick at which an entry that is live up to `expires` is dead.
fn tick_after(expires: f64) -> u64 {
    // A cast saturates: times before 1970 become 0, and those beyond u64 its last tick.
    (expires.floor() as u64).saturating_add(1)
}

impl Wheel {
    pub(super) fn new() -> Self {
        Self { lists: vec![List::EMPTY; DUE + 1].into(), occupied: [0; LEVELS], cursor: 0, next: u64::MAX }
    }

    /// A time before which `advance` finds nothing.
    pub(super) fn next(&self) -> f64 {
        match (self.lists[DUE].head, self.next) {
            (NIL, u64::MAX) => f64::INFINITY,
            (NIL, next) => next as f64,
            _ => f64::NEG_INFINITY,
        }
    }

    /// The slot that fell due, if any.
    pub(super) fn due(&self) -> Option<u32> {
        let slot = self.lists[DUE].tail;
        (slot != NIL).then_some(slot)
    }

    /// Files `slot`, which is in no bucket, to fall due after `deadline`.
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

    fn file(&mut self, slab: &mut Slab, slot: u32, bucket: usize) {
        self.lists[bucket].push_front::<Timed>(slab, slot);
        slab[slot].set_bucket(bucket as u16);
    }

    /// Takes `slot` out, wherever it is.
    pub(super) fn remove(&mut self, slab: &mut Slab, slot: u32) {
        let bucket = slab[slot].bucket();
        if bucket == UNTIMED {
            return;
        }
        let list = &mut self.lists[usize::from(bucket)];
        list.remove::<Timed>(slab, slot);
        slab[slot].set_bucket(UNTIMED);
        let bucket = usize::from(bucket);
        if bucket < DUE && self.lists[bucket].head == NIL {
            self.occupied[bucket / BUCKETS] &= !(1 << (bucket % BUCKETS));
        }
    }

    /// Moves what is dead at `now` to the due list. `deadline` tells when a slot's entry may go.
    ///
    /// A clock that steps back files everything anew, so that nothing falls due by the time it used to be.
    pub(super) fn advance(&mut self, slab: &mut Slab, now: f64, deadline: impl Fn(&Slab, u32) -> f64) {
        let target = now.floor() as u64;
        if target < self.cursor {
            return self.rebuild(slab, target, deadline);
        }
        if target < self.next {
            self.cursor = target;
            return;
        }
        let mut moved = Vec::new();
        for level in 0..LEVELS {
            self.collect(slab, level, target, &mut moved);
        }
        self.cursor = target;
        for slot in moved {
            let at = deadline(slab, slot);
            self.insert(slab, slot, at);
        }
        self.next = self.earliest();
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
            if self.occupied[level] & (1 << index) == 0 {
                continue;
            }
            self.occupied[level] &= !(1 << index);
            let bucket = level * BUCKETS + index;
            // From the tail: the order in which entries went in is the order in which they fall due.
            while self.lists[bucket].tail != NIL {
                let slot = self.lists[bucket].tail;
                self.lists[bucket].remove::<Timed>(slab, slot);
                slab[slot].set_bucket(UNTIMED);
                moved.push(slot);
            }
        }
    }

    fn rebuild(&mut self, slab: &mut Slab, target: u64, deadline: impl Fn(&Slab, u32) -> f64) {
        let timed: Vec<u32> = slab.used().filter(|(_, node)| node.bucket() != UNTIMED).map(|(slot, _)| slot).collect();
        *self = Self { cursor: target, ..Self::new() };
        for slot in timed {
            slab[slot].set_bucket(UNTIMED);
            let at = deadline(slab, slot);
            self.insert(slab, slot, at);
        }
    }

    /// The start of the first bucket that may hold something.
    fn earliest(&self) -> u64 {
        let starts = self.occupied.iter().enumerate().filter(|(_, bits)| **bits != 0).map(|(level, bits)| {
            let shift = 3 * level as u32;
            let here = self.cursor >> shift;
            let turned = bits.rotate_right((here % BUCKETS as u64) as u32);
            (here + u64::from(turned.trailing_zeros())) << shift
        });
        starts.min().unwrap_or(u64::MAX)
    }

    /// Checks every bucket against the nodes and the clock.
    #[cfg(any(test, fuzzing))]
    pub(super) fn validate(&self, slab: &Slab, deadline: impl Fn(&Slab, u32) -> f64) {
        let mut listed = 0;
        for (bucket, list) in self.lists.iter().enumerate() {
            for slot in list.iter::<Timed>(slab) {
                listed += 1;
                assert_eq!(usize::from(slab[slot].bucket()), bucket, "a slot knows its bucket");
                let tick = tick_after(deadline(slab, slot));
                if bucket == DUE {
                    assert!(tick <= self.cursor, "what is due is dead");
                } else {
                    assert!(tick > self.cursor, "what is dead is due");
                    assert!(self.next <= tick, "the wheel wakes in time");
                    assert!(self.occupied[bucket / BUCKETS] & (1 << (bucket % BUCKETS)) != 0, "the bit is set");
                }
            }
        }
        let timed = slab.used().filter(|(_, node)| node.bucket() != UNTIMED).count();
        assert_eq!(listed, timed, "every timed slot is in one bucket");
    }
}
