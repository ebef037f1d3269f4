//! Hash tables of the members of large objects: slots with the offsets of names, by open addressing.

use std::hash::BuildHasher;

use super::bytes::string_end;
use super::index::Offset;
use super::name::unescape;

/// Seeded, so that nobody can make names that collide.
pub(super) type Hasher = foldhash::quality::RandomState;

/// The slot of `name`, or the free one where it would go. Offset 0 is free: a name comes after a bracket.
fn slot<O: Offset>(text: &[u8], hasher: &Hasher, slots: &[O], name: &[u8]) -> usize {
    let mask = slots.len() - 1;
    let mut slot = hasher.hash_one(name) as usize & mask;
    while slots[slot].get() != 0 && !is_named(text, slots[slot].get(), name) {
        slot = (slot + 1) & mask;
    }
    slot
}

/// Whether the string token at `at` stands for `name`.
pub(super) fn is_named(text: &[u8], at: usize, name: &[u8]) -> bool {
    let (end, escaped) = string_end(text, at);
    if escaped { *unescape(&text[at..end]) == *name } else { text[at + 1..end - 1] == *name }
}

/// Appends a table of the names at `offsets` to `to`, and returns how many different ones there are. Of equal
/// names the last is kept.
pub(super) fn build<O: Offset>(text: &[u8], hasher: &Hasher, offsets: &[O], to: &mut Vec<O>) -> usize {
    let before = to.len();
    // One slot at least stays free: a search ends there.
    to.resize(before + (offsets.len() + offsets.len() / 2 + 1).next_power_of_two(), O::new(0));
    let slots = &mut to[before..];
    let mut distinct = 0;
    for at in offsets {
        let end = string_end(text, at.get()).0;
        let slot = slot(text, hasher, slots, &unescape(&text[at.get()..end]));
        distinct += usize::from(slots[slot].get() == 0);
        slots[slot] = *at;
    }
    distinct
}

/// Where the token `name` of a table is.
pub(super) fn find<O: Offset>(text: &[u8], hasher: &Hasher, slots: &[O], name: &[u8]) -> Option<usize> {
    Some(slots[slot(text, hasher, slots, name)].get()).filter(|at| *at != 0)
}
