//! The index of a bounded cache: keys, recency, weight and expiry. Values stay with the owner, by slot.
//!
//! Nothing here reads a clock: time is an argument, in milliseconds. An entry is live while
//! `now <= expires`.

mod expiry;
mod ghost;
mod list;
mod node;
mod policy;
#[cfg(test)]
mod tests;
mod text;
#[cfg(any(test, fuzzing))]
mod validate;
mod wheel;

use std::collections::HashMap;
use std::hash::BuildHasher;

use foldhash::quality::RandomState;
use hashbrown::HashTable;

use ghost::spread;
use node::{NIL, Slab};
pub use policy::Policy;
use policy::Queues;
pub use text::{Text, Units};
use wheel::Wheel;

/// Expired entries that one insertion clears away while there is room: enough to keep up with any rate of
/// insertion, and a bound on what one call can cost.
const SWEEP_PER_INSERT: usize = 4;

/// The most entries a cache can hold, whatever its options say: a slot fits an `i32`.
pub const MAX_ENTRIES: usize = 1 << 30;

/// What bounds a cache, and how.
#[derive(Clone, Debug)]
pub struct Options {
    /// The most entries, at least 1.
    pub max_size: usize,
    /// The most weight; infinite for no bound.
    pub max_weight: f64,
    /// How victims are picked.
    pub policy: Policy,
}

/// Why an entry left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
pub enum Reason {
    /// The cache was full.
    Size = 0,
    /// The cache was too heavy.
    Weight = 1,
    /// Its time was over.
    Expired = 2,
    /// The owner removed it.
    Deleted = 3,
    /// The owner asked the cache to shrink.
    Pressure = 4,
}

/// The owner's side of a removal: what it keeps by slot has to go.
pub trait Watch {
    /// `slot` is free; `mark` and `key` were its entry's.
    fn freed(&mut self, slot: u32, mark: u16, key: Text, reason: Reason);
    /// The entry at `slot`, which carries a `mark`, has another expiry.
    fn rescheduled(&mut self, slot: u32, mark: u16, expires: f64);
}

/// What an insertion says about its entry.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// The last millisecond in which it is live; infinite for ever.
    pub expires: f64,
    /// How long it is kept, dead, beyond that; usually 0.
    pub grace: f64,
    /// Its share of `max_weight`.
    pub weight: f64,
}

/// Whether an insertion made an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inserted {
    /// A new one.
    New(u32),
    /// The key was there; its entry has a new expiry and weight and counts as used.
    Replaced(u32),
    /// The entry alone is heavier than the cache may be. One that was under its key is gone.
    TooHeavy,
}

/// The index.
#[derive(Debug)]
pub struct Cache {
    options: Options,
    slab: Slab,
    index: HashTable<u32>,
    hasher: RandomState,
    queues: Queues,
    /// The live entries by expiry, and on its due list the dead ones.
    wheel: Wheel,
    /// The dead entries in their grace by its end, and on its due list those whose grace is over too.
    stale: Wheel,
    /// Weights by slot, kept only where there is a bound for them.
    weights: Vec<f64>,
    /// Milliseconds by slot for which a dead entry is kept; almost always empty.
    graces: HashMap<u32, f64>,
    weight: f64,
    length: usize,
    sequence: u64,
    /// By slot, the batch of notes that named it last.
    batches: Vec<u8>,
    batch: u8,
    /// Room that `note_last_uses` uses again.
    last_uses: Vec<u32>,
}

impl Cache {
    /// An empty cache, with a hash seed of its own.
    #[must_use]
    pub fn new(mut options: Options) -> Self {
        options.max_size = options.max_size.clamp(1, MAX_ENTRIES);
        Self {
            slab: Slab::default(),
            index: HashTable::new(),
            hasher: RandomState::default(),
            queues: Queues::new(options.policy, options.max_size),
            wheel: Wheel::new(0),
            stale: Wheel::new(1),
            weights: Vec::new(),
            graces: HashMap::new(),
            weight: 0.0,
            length: 0,
            sequence: 0,
            batches: Vec::new(),
            batch: 0,
            last_uses: Vec::new(),
            options,
        }
    }

    /// Entries stored, dead ones that were not swept yet included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.length
    }

    /// Of these, the dead ones in their grace, once `sweep` has removed what is over.
    #[must_use]
    pub fn stale(&self) -> usize {
        self.stale.len()
    }

    /// Whether nothing is stored.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Slots are below this.
    #[must_use]
    pub fn extent(&self) -> usize {
        self.slab.extent()
    }

    /// The weight of what is stored; 0 where nothing bounds it.
    #[must_use]
    pub fn weight(&self) -> f64 {
        self.weight
    }

    /// A time before which `sweep` finds nothing; infinite when nothing expires.
    #[must_use]
    pub fn next_expiry(&self) -> f64 {
        if self.stale.len() == 0 { self.wheel.next() } else { self.wheel.next().min(self.stale.next()) }
    }

    fn hash(&self, key: &[u16]) -> u32 {
        self.hasher.hash_one(key) as u32
    }

    fn lookup(&self, hash: u32, key: &[u16]) -> Option<u32> {
        self.index
            .find(spread(hash), |slot| {
                let node = &self.slab[*slot];
                node.hash == hash && node.text.equals(key)
            })
            .copied()
    }

    /// The slot of `key`, without counting as a use. Dead entries are found too.
    #[must_use]
    pub fn find(&self, key: &[u16]) -> Option<u32> {
        self.lookup(self.hash(key), key)
    }

    /// Whether `slot` holds an entry.
    #[must_use]
    pub fn is_used(&self, slot: u32) -> bool {
        self.slab.is_used(slot)
    }

    /// Notes a use of the entry at `slot`; a free slot is ignored.
    pub fn touch(&mut self, slot: u32) {
        if self.slab.is_used(slot) {
            self.queues.touch(&mut self.slab, slot);
        }
    }

    /// The last millisecond in which the entry at `slot` is live.
    #[must_use]
    pub fn expires(&self, slot: u32) -> f64 {
        self.slab[slot].expires
    }

    /// Milliseconds beyond its expiry for which the entry at `slot` is kept.
    #[must_use]
    pub fn grace(&self, slot: u32) -> f64 {
        if self.graces.is_empty() { 0.0 } else { self.graces.get(&slot).copied().unwrap_or(0.0) }
    }

    /// The key at `slot`.
    #[must_use]
    pub fn text(&self, slot: u32) -> &Text {
        &self.slab[slot].text
    }

    /// Applies noted uses and marks, in their order. A note from 0 is the slot of a used entry; a negative one
    /// is the complement of what, plus 1, becomes the mark of the slot before it.
    ///
    /// For LRU only the last use of a slot among them matters, and hot slots come up often.
    pub fn note(&mut self, notes: &[i32]) {
        if self.options.policy == Policy::Lru {
            self.note_last_uses(notes);
        } else {
            notes.iter().filter(|note| **note >= 0).for_each(|slot| self.touch(*slot as u32));
        }
        for pair in notes.windows(2).filter(|pair| pair[1] < 0 && pair[0] >= 0) {
            self.set_mark(pair[0] as u32, (!pair[1] + 1) as u16);
        }
    }

    fn note_last_uses(&mut self, notes: &[i32]) {
        self.batch = self.batch.wrapping_add(1);
        if self.batch == 0 {
            self.batches.fill(0);
            self.batch = 1;
        }
        self.batches.resize(self.slab.extent(), 0);
        let mut last = std::mem::take(&mut self.last_uses);
        for note in notes.iter().rev().filter(|note| **note >= 0) {
            let batch = &mut self.batches[*note as usize];
            if *batch != self.batch {
                *batch = self.batch;
                last.push(*note as u32);
            }
        }
        for slot in last.drain(..).rev() {
            self.touch(slot);
        }
        self.last_uses = last;
    }

    /// Attaches `mark` to the entry at `slot`, to be handed back when it goes or its expiry changes.
    pub fn set_mark(&mut self, slot: u32, mark: u16) {
        if self.slab.is_used(slot) {
            self.slab[slot].mark = mark;
        }
    }

    /// Stores `key`, making room first where there is none, so that the bounds hold throughout.
    pub fn insert(&mut self, key: &[u16], now: f64, entry: Entry, watch: &mut impl Watch) -> Inserted {
        let hash = self.hash(key);
        match self.lookup(hash, key) {
            Some(slot) if now > self.slab[slot].expires => {
                self.remove(slot, Reason::Expired, watch);
            }
            Some(slot) => return self.update(slot, now, entry, watch),
            None => {}
        }
        if !self.make_room(now, entry.weight, watch) {
            return Inserted::TooHeavy;
        }
        let slot = self.slab.claim();
        let node = &mut self.slab[slot];
        (node.text, node.hash) = (Text::new(key), hash);
        self.index.insert_unique(spread(hash), slot, |slot| spread(self.slab[*slot].hash));
        self.admit(slot, entry);
        Inserted::New(slot)
    }

    /// As `insert` for a new entry whose key the owner keeps itself.
    pub fn insert_foreign(&mut self, now: f64, entry: Entry, watch: &mut impl Watch) -> Inserted {
        if !self.make_room(now, entry.weight, watch) {
            return Inserted::TooHeavy;
        }
        let slot = self.slab.claim();
        // Foreign keys have no text to hash; their slots and ages tell them apart in the ghost queue.
        self.slab[slot].hash = self.hasher.hash_one((slot, self.sequence)) as u32;
        self.admit(slot, entry);
        Inserted::New(slot)
    }

    fn admit(&mut self, slot: u32, entry: Entry) {
        self.queues.insert(&mut self.slab, slot);
        self.sequence += 1;
        self.length += 1;
        self.slab[slot].sequence = self.sequence;
        self.set_weight(slot, entry.weight);
        self.schedule(slot, entry);
    }

    /// Gives the entry at `slot` a new expiry and weight, and counts as a use.
    pub fn update(&mut self, slot: u32, now: f64, entry: Entry, watch: &mut impl Watch) -> Inserted {
        if entry.weight > self.options.max_weight {
            self.remove(slot, Reason::Weight, watch);
            return Inserted::TooHeavy;
        }
        self.queues.touch(&mut self.slab, slot);
        let before = self.weights.get(slot as usize).copied().unwrap_or(0.0);
        // Its old weight is given back first: the entry makes room for its own growth.
        self.set_weight(slot, 0.0);
        if entry.weight > before {
            while self.weight + entry.weight > self.options.max_weight {
                if !self.evict(slot, now, Reason::Weight, watch) {
                    break;
                }
            }
        }
        self.set_weight(slot, entry.weight);
        self.reschedule(slot, entry, watch);
        Inserted::Replaced(slot)
    }

    /// Gives the entry at `slot` a new expiry, and leaves the rest as it is, its grace too.
    pub fn renew(&mut self, slot: u32, expires: f64, watch: &mut impl Watch) {
        let grace = self.grace(slot);
        self.reschedule(slot, Entry { expires, grace, weight: 0.0 }, watch);
    }

    #[inline]
    fn reschedule(&mut self, slot: u32, entry: Entry, watch: &mut impl Watch) {
        self.unfile(slot);
        self.schedule(slot, entry);
        let mark = self.slab[slot].mark;
        if mark != 0 {
            watch.rescheduled(slot, mark, entry.expires);
        }
    }

    fn set_weight(&mut self, slot: u32, weight: f64) {
        if self.options.max_weight == f64::INFINITY {
            return;
        }
        let index = slot as usize;
        if self.weights.len() <= index {
            self.weights.resize(index + 1, 0.0);
        }
        self.weight += weight - self.weights[index];
        self.weights[index] = weight;
    }

    /// Frees as much as one more entry of `weight` needs; false when it can never fit.
    fn make_room(&mut self, now: f64, weight: f64, watch: &mut impl Watch) -> bool {
        if weight > self.options.max_weight {
            return false;
        }
        self.sweep(now, SWEEP_PER_INSERT, watch);
        while self.length >= self.options.max_size {
            self.evict(NIL, now, Reason::Size, watch);
        }
        while self.weight + weight > self.options.max_weight && self.length > 0 {
            self.evict(NIL, now, Reason::Weight, watch);
        }
        true
    }

    /// Removes one entry: a dead one where there is any, in its grace or not, else the policy's victim. Never
    /// `spared`.
    fn evict(&mut self, spared: u32, now: f64, reason: Reason, watch: &mut impl Watch) -> bool {
        self.catch_up(now);
        if let Some(slot) = self.wheel.due().or_else(|| self.stale.first()).filter(|slot| *slot != spared) {
            self.remove(slot, Reason::Expired, watch);
            return true;
        }
        match self.queues.victim(&mut self.slab, spared) {
            Some(slot) => {
                self.remove(slot, reason, watch);
                true
            }
            None => false,
        }
    }

    /// Removes up to `limit` dead entries whose grace is over, and says how many.
    pub fn sweep(&mut self, now: f64, limit: usize, watch: &mut impl Watch) -> usize {
        self.catch_up(now);
        let mut swept = 0;
        while swept < limit {
            let Some(slot) = self.wheel.due().or_else(|| self.stale.due()) else { break };
            self.remove(slot, Reason::Expired, watch);
            swept += 1;
        }
        swept
    }

    /// Removes the entry at `slot` if it is dead and its grace is over.
    pub fn expire(&mut self, slot: u32, now: f64, watch: &mut impl Watch) -> bool {
        let dead = self.slab.is_used(slot) && now > self.deadline(slot);
        if dead {
            self.remove(slot, Reason::Expired, watch);
        }
        dead
    }

    /// Removes the entry at `slot` for its owner: a dead one has expired, be it in its grace.
    pub fn take(&mut self, slot: u32, now: f64, watch: &mut impl Watch) {
        let dead = now > self.slab[slot].expires;
        self.remove(slot, if dead { Reason::Expired } else { Reason::Deleted }, watch);
    }

    /// Removes the entry at `slot`, which must hold one.
    pub fn remove(&mut self, slot: u32, reason: Reason, watch: &mut impl Watch) {
        let node = &self.slab[slot];
        let (hash, mark) = (node.hash, node.mark);
        if !matches!(node.text, Text::Foreign)
            && let Ok(entry) = self.index.find_entry(spread(hash), |other| *other == slot)
        {
            entry.remove();
        }
        self.unfile(slot);
        self.queues.remove(&mut self.slab, slot);
        self.set_weight(slot, 0.0);
        if !self.graces.is_empty() {
            self.graces.remove(&slot);
        }
        self.length -= 1;
        if self.length == 0 {
            // What rounding left behind in a sum of fractions ends here.
            self.weight = 0.0;
        }
        let text = self.slab.release(slot);
        watch.freed(slot, mark, text, reason);
    }

    /// Evicts until at most `length` entries are left, dead ones first; says how many went.
    pub fn shrink(&mut self, length: usize, now: f64, watch: &mut impl Watch) -> usize {
        let before = self.length;
        while self.length > length && self.evict(NIL, now, Reason::Pressure, watch) {}
        before - self.length
    }

    /// Forgets everything, without telling the owner, and gives the memory back.
    pub fn clear(&mut self) {
        self.slab.clear();
        self.index = HashTable::new();
        self.queues.clear();
        self.wheel.restart(0);
        self.stale.restart(0);
        self.weights = Vec::new();
        self.batches = Vec::new();
        self.graces = HashMap::new();
        self.weight = 0.0;
        self.length = 0;
    }

    /// The slots of the live entries, oldest insertion first.
    #[must_use]
    pub fn by_insertion(&self, now: f64) -> Vec<u32> {
        let live = self.slab.used().filter(|(_, node)| now <= node.expires);
        let mut slots: Vec<(u64, u32)> = live.map(|(slot, node)| (node.sequence, slot)).collect();
        slots.sort_unstable();
        slots.into_iter().map(|(_, slot)| slot).collect()
    }

    /// The slots of the live entries, the one that goes last first.
    #[must_use]
    pub fn by_recency(&self, now: f64) -> Vec<u32> {
        self.queues.iter(&self.slab).filter(|slot| now <= self.slab[*slot].expires).collect()
    }
}
