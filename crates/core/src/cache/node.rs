//! The slab: one node a slot, one cache line a node.

use super::text::Text;

/// The end of a list; no slot has this number.
pub(super) const NIL: u32 = u32::MAX;

/// Which of the policy's queues holds a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Queue {
    /// None: the slot is free.
    Free,
    /// LRU's only queue, and S3-FIFO's main one.
    Main,
    /// S3-FIFO's probation.
    Small,
}

/// Neighbours in a doubly linked list; `next` leads towards the tail.
#[derive(Clone, Copy, Debug)]
pub(super) struct Links {
    pub(super) prev: u32,
    pub(super) next: u32,
}

impl Links {
    pub(super) const LOOSE: Self = Self { prev: NIL, next: NIL };
}

/// One entry, without its value.
#[derive(Debug)]
#[repr(align(64))]
pub(super) struct Node {
    pub(super) text: Text,
    /// The low half of the key's hash; enough to place it in the index and to skip most comparisons.
    pub(super) hash: u32,
    /// The place in the policy's queue.
    pub(super) order: Links,
    /// The place in a bucket of the wheel.
    pub(super) timed: Links,
    /// The last millisecond in which the entry is live; infinite when it never expires.
    pub(super) expires: f64,
    /// Grows with every insertion, so that it sorts entries by age.
    pub(super) sequence: u64,
    /// What the owner attached to the slot; 0 for nothing.
    pub(super) mark: u16,
    /// The wheel's bucket in the low 12 bits, the queue in the next 2, the frequency in the last 2.
    state: u16,
}

/// A node's `bucket` when it is in no bucket of the wheel.
pub(super) const UNTIMED: u16 = 0xfff;
const QUEUE_SHIFT: u16 = 12;
const FREQUENCY_SHIFT: u16 = 14;

/// The highest frequency that S3-FIFO counts.
pub(super) const MAX_FREQUENCY: u16 = 3;

impl Node {
    fn free() -> Self {
        Self {
            text: Text::Foreign,
            hash: 0,
            order: Links::LOOSE,
            timed: Links::LOOSE,
            expires: f64::INFINITY,
            sequence: 0,
            mark: 0,
            state: UNTIMED,
        }
    }

    pub(super) fn bucket(&self) -> u16 {
        self.state & UNTIMED
    }

    pub(super) fn set_bucket(&mut self, bucket: u16) {
        debug_assert!(bucket <= UNTIMED);
        self.state = (self.state & !UNTIMED) | bucket;
    }

    pub(super) fn queue(&self) -> Queue {
        match (self.state >> QUEUE_SHIFT) & 3 {
            0 => Queue::Free,
            1 => Queue::Main,
            _ => Queue::Small,
        }
    }

    pub(super) fn set_queue(&mut self, queue: Queue) {
        let bits = match queue {
            Queue::Free => 0,
            Queue::Main => 1,
            Queue::Small => 2,
        };
        self.state = (self.state & !(3 << QUEUE_SHIFT)) | (bits << QUEUE_SHIFT);
    }

    pub(super) fn frequency(&self) -> u16 {
        self.state >> FREQUENCY_SHIFT
    }

    pub(super) fn set_frequency(&mut self, frequency: u16) {
        debug_assert!(frequency <= MAX_FREQUENCY);
        self.state = (self.state & !(3 << FREQUENCY_SHIFT)) | (frequency << FREQUENCY_SHIFT);
    }
}

/// Nodes by slot. A freed slot is used again before a new one is made, so that slots stay dense.
#[derive(Debug, Default)]
pub(super) struct Slab {
    nodes: Vec<Node>,
    free: Vec<u32>,
}

impl Slab {
    /// Slots in use or free; every slot is below this.
    pub(super) fn extent(&self) -> usize {
        self.nodes.len()
    }

    /// A slot with a blank node.
    pub(super) fn claim(&mut self) -> u32 {
        self.free.pop().unwrap_or_else(|| {
            self.nodes.push(Node::free());
            (self.nodes.len() - 1) as u32
        })
    }

    /// Gives `slot` back, and returns its key.
    pub(super) fn release(&mut self, slot: u32) -> Text {
        self.free.push(slot);
        let node = &mut self[slot];
        let text = std::mem::replace(&mut node.text, Text::Foreign);
        node.mark = 0;
        node.set_queue(Queue::Free);
        node.set_frequency(0);
        text
    }

    pub(super) fn clear(&mut self) {
        self.nodes = Vec::new();
        self.free = Vec::new();
    }

    /// The slots in use, in no useful order.
    pub(super) fn used(&self) -> impl Iterator<Item = (u32, &Node)> {
        self.nodes
            .iter()
            .enumerate()
            .filter(|(_, node)| node.queue() != Queue::Free)
            .map(|(slot, node)| (slot as u32, node))
    }

    /// Whether `slot` holds an entry.
    pub(super) fn is_used(&self, slot: u32) -> bool {
        self.nodes.get(slot as usize).is_some_and(|node| node.queue() != Queue::Free)
    }
}

impl std::ops::Index<u32> for Slab {
    type Output = Node;

    fn index(&self, slot: u32) -> &Node {
        &self.nodes[slot as usize]
    }
}

impl std::ops::IndexMut<u32> for Slab {
    fn index_mut(&mut self, slot: u32) -> &mut Node {
        &mut self.nodes[slot as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_is_one_cache_line() {
        assert_eq!(size_of::<Node>(), 64);
    }

    #[test]
    fn the_packed_fields_do_not_touch_each_other() {
        let mut node = Node::free();
        node.set_bucket(700);
        node.set_queue(Queue::Small);
        node.set_frequency(3);
        assert_eq!((node.bucket(), node.queue(), node.frequency()), (700, Queue::Small, 3));
        node.set_bucket(UNTIMED);
        node.set_queue(Queue::Main);
        node.set_frequency(1);
        assert_eq!((node.bucket(), node.queue(), node.frequency()), (UNTIMED, Queue::Main, 1));
    }
}
