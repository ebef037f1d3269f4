//! Doubly linked lists that run through the nodes of a slab.

use super::node::{Links, NIL, Node, Slab};

/// Which links of a node a list runs through.
pub(super) trait Lane {
    fn links(node: &mut Node) -> &mut Links;
    fn peek(node: &Node) -> Links;
}

/// The policy's queues.
#[derive(Debug)]
pub(super) struct Order;

impl Lane for Order {
    fn links(node: &mut Node) -> &mut Links {
        &mut node.order
    }

    fn peek(node: &Node) -> Links {
        node.order
    }
}

/// The buckets of the wheel.
#[derive(Debug)]
pub(super) struct Timed;

impl Lane for Timed {
    fn links(node: &mut Node) -> &mut Links {
        &mut node.timed
    }

    fn peek(node: &Node) -> Links {
        node.timed
    }
}

/// The two ends of a list: the head is the newest, the tail goes first.
#[derive(Clone, Copy, Debug)]
pub(super) struct List {
    pub(super) head: u32,
    pub(super) tail: u32,
}

impl List {
    pub(super) const EMPTY: Self = Self { head: NIL, tail: NIL };

    pub(super) fn push_front<L: Lane>(&mut self, slab: &mut Slab, slot: u32) {
        *L::links(&mut slab[slot]) = Links { prev: NIL, next: self.head };
        if self.head == NIL {
            self.tail = slot;
        } else {
            L::links(&mut slab[self.head]).prev = slot;
        }
        self.head = slot;
    }

    pub(super) fn remove<L: Lane>(&mut self, slab: &mut Slab, slot: u32) {
        let Links { prev, next } = L::peek(&slab[slot]);
        if prev == NIL {
            self.head = next;
        } else {
            L::links(&mut slab[prev]).next = next;
        }
        if next == NIL {
            self.tail = prev;
        } else {
            L::links(&mut slab[next]).prev = prev;
        }
        *L::links(&mut slab[slot]) = Links::LOOSE;
    }

    /// The slots from head to tail.
    pub(super) fn iter<'a, L: Lane>(&self, slab: &'a Slab) -> impl Iterator<Item = u32> + use<'a, L> {
        let mut at = self.head;
        std::iter::from_fn(move || {
            let slot = (at != NIL).then_some(at)?;
            at = L::peek(&slab[slot]).next;
            Some(slot)
        })
    }
}
