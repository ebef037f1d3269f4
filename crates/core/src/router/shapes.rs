//! The shapes in use, each with a number and a count.

use std::hash::BuildHasher;

use foldhash::quality::RandomState;
use hashbrown::HashTable;

struct Shape {
    code: Box<[u16]>,
    /// How often it was declared and not released; 0 for a free number.
    count: u32,
}

/// Shapes by number and by code. Numbers are given again when they are free.
#[derive(Default)]
pub(super) struct Shapes {
    slots: Vec<Shape>,
    free: Vec<u32>,
    index: HashTable<u32>,
    hasher: RandomState,
}

impl Shapes {
    /// The number of `code`, with one count more, and whether it is new.
    pub(super) fn acquire(&mut self, code: &[u16]) -> (u32, bool) {
        let Self { slots, free, index, hasher } = self;
        let hash = hasher.hash_one(code);
        if let Some(id) = index.find(hash, |id| *slots[*id as usize].code == *code) {
            slots[*id as usize].count += 1;
            return (*id, false);
        }
        let shape = Shape { code: code.into(), count: 1 };
        let id = if let Some(id) = free.pop() {
            slots[id as usize] = shape;
            id
        } else {
            slots.push(shape);
            slots.len() as u32 - 1
        };
        index.insert_unique(hash, id, |id| hasher.hash_one(&*slots[*id as usize].code));
        (id, true)
    }

    /// One count more for a number in use; returns whether it is.
    pub(super) fn retain(&mut self, id: u32) -> bool {
        let shape = self.slots.get_mut(id as usize).filter(|shape| shape.count > 0);
        shape.map(|shape| shape.count += 1).is_some()
    }

    /// Gives one count back. Returns the code when that was the last; `None` for a number that is not in use.
    pub(super) fn release(&mut self, id: u32) -> Option<Box<[u16]>> {
        let shape = self.slots.get_mut(id as usize).filter(|shape| shape.count > 0)?;
        shape.count -= 1;
        if shape.count > 0 {
            return None;
        }
        let code = std::mem::take(&mut shape.code);
        let hash = self.hasher.hash_one(&*code);
        if let Ok(entry) = self.index.find_entry(hash, |own| *own == id) {
            entry.remove();
        }
        self.free.push(id);
        Some(code)
    }

    /// The code of a number in use.
    pub(super) fn code(&self, id: u32) -> Option<&[u16]> {
        self.slots.get(id as usize).filter(|shape| shape.count > 0).map(|shape| &*shape.code)
    }

    /// One more than the largest number given so far.
    pub(super) fn bound(&self) -> usize {
        self.slots.len()
    }

    /// Shapes in use.
    pub(super) fn len(&self) -> usize {
        self.index.len()
    }
}
