//! Doubly linked lists of slot numbers, with the links outside the lists.

/// No slot.
pub(super) const NONE: u32 = u32::MAX;
/// The `previous` of a slot that is in no list.
const UNLINKED: u32 = u32::MAX - 1;

#[derive(Clone, Copy, Debug)]
struct Node {
    deadline: u64,
    next: u32,
    previous: u32,
}

/// Deadline and links of every slot: 16 bytes each. A slot is in at most one list at a time.
#[derive(Debug)]
pub(super) struct Nodes(Vec<Node>);

impl Nodes {
    const EMPTY: Node = Node { deadline: 0, next: NONE, previous: UNLINKED };

    pub(super) fn new(capacity: u32) -> Self {
        Self(vec![Self::EMPTY; capacity as usize])
    }

    pub(super) fn capacity(&self) -> u32 {
        // `new` and `grow` take the length as u32.
        self.0.len() as u32
    }

    pub(super) fn grow(&mut self, capacity: u32) {
        let capacity = capacity as usize;
        if capacity > self.0.len() {
            // Exactly: the caller doubles its own arrays and asks for what they hold.
            self.0.reserve_exact(capacity - self.0.len());
            self.0.resize(capacity, Self::EMPTY);
        }
    }

    pub(super) fn deadline(&self, slot: u32) -> u64 {
        self.0[slot as usize].deadline
    }

    pub(super) fn set_deadline(&mut self, slot: u32, deadline: u64) {
        self.0[slot as usize].deadline = deadline;
    }

    pub(super) fn is_linked(&self, slot: u32) -> bool {
        self.0.get(slot as usize).is_some_and(|node| node.previous != UNLINKED)
    }

    pub(super) fn unlink_all(&mut self) {
        self.0.fill(Self::EMPTY);
    }
}

/// A queue of slots.
#[derive(Clone, Copy, Debug)]
pub(super) struct List {
    head: u32,
    tail: u32,
}

impl List {
    pub(super) const fn new() -> Self {
        Self { head: NONE, tail: NONE }
    }

    pub(super) fn first(&self) -> Option<u32> {
        (self.head != NONE).then_some(self.head)
    }

    pub(super) fn push_back(&mut self, nodes: &mut Nodes, slot: u32) {
        let node = &mut nodes.0[slot as usize];
        node.next = NONE;
        node.previous = self.tail;
        if self.tail == NONE {
            self.head = slot;
        } else {
            nodes.0[self.tail as usize].next = slot;
        }
        self.tail = slot;
    }

    pub(super) fn pop_front(&mut self, nodes: &mut Nodes) -> Option<u32> {
        let slot = self.first()?;
        self.remove(nodes, slot);
        Some(slot)
    }

    /// Takes `slot`, which must be in this list, out of it.
    pub(super) fn remove(&mut self, nodes: &mut Nodes, slot: u32) {
        let Node { next, previous, .. } = nodes.0[slot as usize];
        match previous {
            NONE => self.head = next,
            _ => nodes.0[previous as usize].next = next,
        }
        match next {
            NONE => self.tail = previous,
            _ => nodes.0[next as usize].previous = previous,
        }
        nodes.0[slot as usize].previous = UNLINKED;
    }

    pub(super) fn iter<'a>(&self, nodes: &'a Nodes) -> impl Iterator<Item = u32> + 'a {
        std::iter::successors(self.first(), |&slot| {
            let next = nodes.0[slot as usize].next;
            (next != NONE).then_some(next)
        })
    }
}
