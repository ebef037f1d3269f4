//! What things take in memory.
//!
//! The tables grow by doubling, so they are counted by their capacity, which follows from how many places were ever in use:
//! `tests/budget.rs` holds these figures against an allocator that counts.

use keelson_core::cache::{Policy, Text};

use crate::store::Slot;

/// What the counts of an `Arc` take beside its bytes.
pub(crate) const COUNTS: usize = 16;
/// A node of core's slab: a cache line.
const NODE: usize = 64;
/// A slot in core's index and in its list of free slots.
const SLOT: usize = 4;
/// A hash in the memory of S3-FIFO, and in its table a number.
const GHOST: usize = 4;
/// The buckets of a wheel, which every shard has as soon as an entry expires.
const WHEEL: usize = 769 * 8;
/// What an allocation on a cache line's boundary may take besides, and small vectors that come and go.
const SLACK: usize = 256;

/// What the allocator takes for so many bytes: a header of 8, and steps of 16 from 32 on.
pub(crate) fn allocation(bytes: usize) -> usize {
    if bytes == 0 { 0 } else { (bytes + 8).next_multiple_of(16).max(32) }
}

/// A vector into which so many items of a size were pushed.
pub(crate) fn vector(length: usize, size: usize) -> usize {
    if length == 0 { 0 } else { allocation(length.next_power_of_two().max(4) * size) }
}

/// A hash table that held so many items of a size at most. Removals leave marks, and a table full of them grows as if it were
/// full of items unless more than half of it is free: so it is counted with room for twice as many.
pub(crate) fn table(length: usize, size: usize) -> usize {
    if length == 0 {
        return 0;
    }
    let buckets = (2 * length * 8 / 7 + 1).next_power_of_two().max(4);
    allocation((buckets * size).next_multiple_of(16) + buckets + 16)
}

/// The text of a key or a tag, beside the node that it is in.
pub(crate) fn text(text: &Text) -> usize {
    match text {
        Text::Inline { .. } | Text::Foreign => 0,
        Text::Latin(units) => allocation(units.len()),
        Text::Wide(units) => allocation(2 * units.len()),
    }
}

/// A shard that holds nothing, beside itself.
pub(crate) fn base(shard: usize) -> usize {
    shard + allocation(WHEEL) + SLACK
}

/// The tables of a shard that had so many slots at once.
pub(crate) fn tables(slots: usize, policy: Policy) -> usize {
    let all = vector(slots, NODE) + vector(slots, SLOT) + table(slots, SLOT) + vector(slots, size_of::<Slot>());
    match policy {
        Policy::Lru => all,
        // It remembers as many as there are entries, and one more for a moment.
        Policy::S3Fifo if slots > 0 => all + vector(slots + 1, GHOST) + table(slots + 1, GHOST),
        Policy::S3Fifo => all,
    }
}

/// Below these, tables are kept whatever is in them: they are too small to be worth the work.
const LEAST_TO_SHRINK: usize = 1024;

/// Whether a table with so many places is to be made anew for what is in it. At a quarter, so that the work of making it anew
/// is a fraction of what emptied it, and does not come again at once.
pub(crate) fn is_sparse(length: usize, extent: usize) -> bool {
    extent >= LEAST_TO_SHRINK && length < extent / 4
}
