//! Doubly linked lists of numbers, with the links in what the numbers stand for.

/// No number.
pub(super) const NIL: u32 = u32::MAX;

/// Neighbours in a list.
#[derive(Clone, Copy, Debug)]
pub(super) struct Links {
    previous: u32,
    next: u32,
}

impl Links {
    pub(super) const LOOSE: Self = Self { previous: NIL, next: NIL };
}

/// Something whose members have links; `LANE` tells apart the lists that one member can be in.
pub(super) trait Linked<const LANE: usize> {
    fn links(&self, number: u32) -> Links;
    fn links_mut(&mut self, number: u32) -> &mut Links;
}

/// The two ends of a list in lane `LANE`.
#[derive(Clone, Copy, Debug)]
pub(super) struct List<const LANE: usize> {
    front: u32,
    back: u32,
}

impl<const LANE: usize> List<LANE> {
    pub(super) const EMPTY: Self = Self { front: NIL, back: NIL };

    pub(super) fn front(&self) -> Option<u32> {
        (self.front != NIL).then_some(self.front)
    }

    pub(super) fn back(&self) -> Option<u32> {
        (self.back != NIL).then_some(self.back)
    }

    pub(super) fn push_back(&mut self, members: &mut impl Linked<LANE>, number: u32) {
        self.insert_before(members, NIL, number);
    }

    /// Inserts before the first member for which `is_later` holds; else at the back.
    pub(super) fn insert_sorted<M: Linked<LANE>>(
        &mut self,
        members: &mut M,
        number: u32,
        is_later: impl Fn(&M, u32) -> bool,
    ) {
        let next = self.iter(members).find(|&other| is_later(members, other)).unwrap_or(NIL);
        self.insert_before(members, next, number);
    }

    fn insert_before(&mut self, members: &mut impl Linked<LANE>, next: u32, number: u32) {
        let previous = if next == NIL { self.back } else { members.links(next).previous };
        *members.links_mut(number) = Links { previous, next };
        self.join(members, previous, number);
        self.join(members, number, next);
    }

    /// Takes out `number`, which must be in this list.
    pub(super) fn remove(&mut self, members: &mut impl Linked<LANE>, number: u32) {
        let Links { previous, next } = members.links(number);
        self.join(members, previous, next);
    }

    /// Makes two members, or an end and a member, neighbours.
    fn join(&mut self, members: &mut impl Linked<LANE>, previous: u32, next: u32) {
        if previous == NIL {
            self.front = next;
        } else {
            members.links_mut(previous).next = next;
        }
        if next == NIL {
            self.back = previous;
        } else {
            members.links_mut(next).previous = previous;
        }
    }

    /// The members from front to back.
    pub(super) fn iter<'a, M: Linked<LANE>>(&self, members: &'a M) -> impl Iterator<Item = u32> + use<'a, M, LANE> {
        std::iter::successors(self.front(), |&number| {
            let next = members.links(number).next;
            (next != NIL).then_some(next)
        })
    }
}
