//! The order in which keys were used, as a list over slots.

/// No slot.
const NIL: u32 = u32::MAX;

#[derive(Clone, Copy, Debug)]
struct Links {
    older: u32,
    newer: u32,
}

/// Slots from the least to the most recently used.
#[derive(Debug)]
pub(super) struct Order {
    links: Vec<Links>,
    oldest: u32,
    newest: u32,
}

impl Order {
    pub(super) const fn new() -> Self {
        Self { links: Vec::new(), oldest: NIL, newest: NIL }
    }

    pub(super) fn oldest(&self) -> Option<u32> {
        (self.oldest != NIL).then_some(self.oldest)
    }

    /// Makes `slot`, which is not in the list, the newest.
    pub(super) fn push(&mut self, slot: u32) {
        let place = slot as usize;
        if place >= self.links.len() {
            self.links.resize(place + 1, Links { older: NIL, newer: NIL });
        }
        self.links[place] = Links { older: self.newest, newer: NIL };
        match self.newest {
            NIL => self.oldest = slot,
            newest => self.links[newest as usize].newer = slot,
        }
        self.newest = slot;
    }

    /// Takes out `slot`, which is in the list.
    pub(super) fn remove(&mut self, slot: u32) {
        let Links { older, newer } = self.links[slot as usize];
        match older {
            NIL => self.oldest = newer,
            older => self.links[older as usize].newer = newer,
        }
        match newer {
            NIL => self.newest = older,
            newer => self.links[newer as usize].older = older,
        }
    }

    /// Makes `slot`, which is in the list, the newest.
    #[inline]
    pub(super) fn touch(&mut self, slot: u32) {
        if self.newest != slot {
            self.remove(slot);
            self.push(slot);
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = u32> {
        std::iter::successors(self.oldest(), |slot| {
            let newer = self.links[*slot as usize].newer;
            (newer != NIL).then_some(newer)
        })
    }
}
