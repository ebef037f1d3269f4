//! What a shard keeps for each slot of its index.

use keelson_core::cache::{Reason, Text, Watch};

use crate::bytes::Bytes;
use crate::pool::NONE;
use crate::size;
use crate::stats::Stats;
use crate::tags::Tags;
use crate::value::{Found, Value};

/// The rest of an entry whose key is in the index.
#[derive(Debug)]
pub(crate) struct Slot {
    bytes: Bytes,
    /// 0 while the slot is free, or its entry is being replaced; no write has that.
    version: u64,
    /// The first of its memberships.
    tags: u32,
    kind: u8,
    is_packed: bool,
}

impl Slot {
    fn free() -> Self {
        Self { bytes: Vec::new().into(), version: 0, tags: NONE, kind: 0, is_packed: false }
    }
}

/// The slots of a shard.
#[derive(Debug, Default)]
pub(crate) struct Store {
    slots: Vec<Slot>,
    pub(crate) tags: Tags,
    /// What keys and values take, without tables.
    pub(crate) bytes: usize,
    pub(crate) stats: Stats,
}

impl Store {
    /// Forgets all values, and gives the memory back.
    pub(crate) fn clear(&mut self) {
        *self = Self { stats: self.stats, ..Self::default() };
    }

    /// Gives the entry at `slot` its value; it has none.
    pub(crate) fn fill(&mut self, slot: u32, value: Value, version: u64, tags: &[&[u16]]) {
        let index = slot as usize;
        if index >= self.slots.len() {
            self.slots.push(Slot::free());
        }
        self.bytes += value.bytes.size();
        let tags = if tags.is_empty() { NONE } else { self.tags.join(slot, tags) };
        let Value { kind, is_packed, bytes } = value;
        self.slots[index] = Slot { bytes, version, tags, kind, is_packed };
    }

    /// Takes its value and its tags from the entry at `slot`.
    pub(crate) fn vacate(&mut self, slot: u32) {
        let Slot { bytes, tags, .. } = std::mem::replace(&mut self.slots[slot as usize], Slot::free());
        self.bytes -= bytes.size();
        self.tags.leave(tags);
    }

    /// The value at `slot`, and its version.
    pub(crate) fn found(&self, slot: u32) -> Option<Found> {
        let Slot { bytes, version, kind, is_packed, .. } = &self.slots[slot as usize];
        let value = || Value { kind: *kind, is_packed: *is_packed, bytes: bytes.clone() };
        (*version != 0).then(|| Found { value: value(), version: *version })
    }

    pub(crate) fn version(&self, slot: u32) -> u64 {
        self.slots[slot as usize].version
    }

    pub(crate) fn tags_of(&self, slot: u32) -> Vec<Vec<u16>> {
        self.tags.of(self.slots[slot as usize].tags)
    }

    /// Puts another value of the same length in the place of that at `slot`, which keeps its tags.
    pub(crate) fn replace(&mut self, slot: u32, value: Value, version: u64) {
        let slot = &mut self.slots[slot as usize];
        debug_assert_eq!(slot.bytes.len(), value.bytes.len(), "the size stays");
        (slot.bytes, slot.version, slot.kind) = (value.bytes, version, value.kind);
    }
}

impl Watch for Store {
    fn freed(&mut self, slot: u32, _mark: u16, key: Text, reason: Reason) {
        self.bytes -= size::text(&key);
        self.vacate(slot);
        let count = match reason {
            Reason::Size => &mut self.stats.evicted_by_size,
            Reason::Weight | Reason::Pressure => &mut self.stats.evicted_by_weight,
            Reason::Expired => &mut self.stats.expired,
            Reason::Deleted => &mut self.stats.deletes,
        };
        *count += 1;
    }

    fn rescheduled(&mut self, _slot: u32, _mark: u16, _expires: f64) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_is_half_a_cache_line() {
        assert_eq!(size_of::<Slot>(), 32);
    }
}
