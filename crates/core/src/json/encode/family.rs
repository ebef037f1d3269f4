//! Objects with optional members, of which there are too many combinations for a shape of each.

use super::key;
use super::schema::{Kind, MAX_MEMBERS, Shape, Slot};

/// Members whose presence one of `ints` tells.
pub(super) const MASK_BITS: usize = 30;

/// Most times that members are brought into another order: rows that want more have none.
const MAX_SORTS: u32 = 32;

/// Optional members up to which generated code is fast whatever combinations come.
const FEW_OPTIONAL: usize = 14;

/// Most combinations of more members than that: each is a class of its own for JavaScript, which JSON.parse makes
/// with less effort.
const MAX_COMBINATIONS: usize = 100;

/// A member that objects of a family may have.
#[derive(Debug)]
pub(super) struct Relative {
    /// Its name: the token as it stands in the text.
    pub key: Box<[u8]>,
    pub slot: Slot,
    /// Some objects lack it.
    pub optional: bool,
}

/// Objects that begin with the same member name. The members of each are among those of the family, in their order;
/// where orders contradict each other, a name is there more than once.
#[derive(Debug)]
pub(super) struct Family {
    pub members: Vec<Relative>,
    /// How often members or their kinds changed.
    pub version: u32,
    pub shape: Shape,
    /// It takes no more members.
    pub closed: bool,
    /// Members, by slot, of which the first was seen right before the second.
    order: Vec<(Slot, Slot)>,
    sorts: u32,
    /// Combinations of members that were seen, a bit each, while they count.
    combinations: Vec<u64>,
    /// Its objects stay text, since there are too many combinations.
    pub diverse: bool,
}

impl Family {
    /// A family without members so far.
    pub fn new() -> Self {
        Self {
            members: Vec::new(),
            version: 0,
            shape: Shape::default(),
            closed: false,
            order: Vec::new(),
            sorts: 0,
            combinations: Vec::new(),
            diverse: false,
        }
    }

    /// Counts an object that has the members whose bits are set.
    #[inline]
    pub fn count(&mut self, combination: u64) {
        if self.members.len() > FEW_OPTIONAL && !self.combinations.contains(&combination) {
            self.count_new(combination);
        }
    }

    fn count_new(&mut self, combination: u64) {
        if self.members.iter().filter(|member| member.optional).count() <= FEW_OPTIONAL {
            return;
        }
        self.combinations.push(combination);
        self.diverse = self.combinations.len() > MAX_COMBINATIONS;
    }

    /// Where the member is, from `at` on, whose name comes next in `text`.
    #[inline]
    pub fn find(&self, at: usize, text: &[u8]) -> Option<usize> {
        self.members[at..].iter().position(|member| text.starts_with(&member.key)).map(|skipped| at + skipped)
    }

    /// Whether an object may lack the members of `from..to`.
    #[inline]
    pub fn may_lack(&self, from: usize, to: usize) -> bool {
        self.members[from..to].iter().all(|member| member.optional)
    }

    /// Any member may be missing from now on.
    pub fn loosen(&mut self) {
        self.lack(|_| true);
    }

    fn lack(&mut self, lacks: impl Fn(usize) -> bool) {
        for (at, member) in self.members.iter_mut().enumerate() {
            if !member.optional && lacks(at) {
                member.optional = true;
                self.version += 1;
            }
        }
    }

    /// Takes an object with the names `keys`, if the family can have it, and says so by `closed` if not.
    pub fn take(&mut self, keys: &[&[u8]], slots: &mut Vec<Kind>) {
        let first = self.members.is_empty();
        if self.places(keys).is_none() {
            self.version += 1;
            // Their bits are about to change.
            self.combinations.clear();
            if !keys.iter().all(|key| is_assignable(key)) || !self.sort_in(keys, first, slots) {
                self.closed = true;
                self.loosen();
            }
        }
        if let Some(places) = self.places(keys) {
            self.lack(|at| !places.contains(&at));
        }
    }

    /// Where the members of an object are; `None` if it has others, or in another order.
    fn places(&self, keys: &[&[u8]]) -> Option<Vec<usize>> {
        let mut at = 0;
        let places = keys.iter().map(|key| {
            let found = self.find(at, key)?;
            at = found + 1;
            Some(found)
        });
        places.collect()
    }

    /// Gets `keys` among the members. Returns whether there is room.
    fn sort_in(&mut self, keys: &[&[u8]], required: bool, slots: &mut Vec<Kind>) -> bool {
        let new = keys.iter().filter(|key| self.find(0, key).is_none()).count();
        if self.members.len() + new > MAX_MEMBERS || self.sorts == MAX_SORTS {
            return false;
        }
        self.sorts += 1;
        let agreed = self.order.len();
        let mut before: Option<Slot> = None;
        for key in keys {
            let slot = match self.find(0, key) {
                Some(found) => self.members[found].slot,
                None => {
                    let at = before.map_or(0, |slot| 1 + self.place(slot));
                    self.insert(at, key, !required, slots)
                }
            };
            if let Some(pair) = before.map(|before| (before, slot))
                && !self.order.contains(&pair)
            {
                self.order.push(pair);
            }
            before = Some(slot);
        }
        if self.sort() {
            return true;
        }
        self.order.truncate(agreed);
        self.tangle_in(keys, slots)
    }

    /// Gets `keys` among the members in their order, some of them once more. Returns whether there is room.
    fn tangle_in(&mut self, keys: &[&[u8]], slots: &mut Vec<Kind>) -> bool {
        let mut at = 0;
        for key in keys {
            match self.find(at, key) {
                Some(found) => at = found + 1,
                None if self.members.len() >= MAX_MEMBERS => return false,
                None => {
                    self.insert(at, key, true, slots);
                    at += 1;
                }
            }
        }
        true
    }

    fn place(&self, slot: Slot) -> usize {
        self.members.iter().position(|member| member.slot == slot).unwrap_or_default()
    }

    fn insert(&mut self, at: usize, key: &[u8], optional: bool, slots: &mut Vec<Kind>) -> Slot {
        slots.push(Kind::Unknown);
        let slot = slots.len() - 1;
        self.members.insert(at, Relative { key: key.into(), slot, optional });
        slot
    }

    /// Brings the members into an order that all objects seen agree on. Returns whether there is one.
    fn sort(&mut self) -> bool {
        let mut sorted = Vec::with_capacity(self.members.len());
        let mut left: Vec<Slot> = self.members.iter().map(|member| member.slot).collect();
        while !left.is_empty() {
            // Of those that nothing left comes before, the one that was first keeps what was in order so.
            let is_free =
                |slot: &Slot| !self.order.iter().any(|(before, after)| after == slot && left.contains(before));
            let Some(free) = left.iter().position(is_free) else { return false };
            sorted.push(left.remove(free));
        }
        self.members.sort_by_key(|member| sorted.iter().position(|slot| *slot == member.slot));
        true
    }
}

/// Whether assigning to the name makes an own property, unlike `__proto__`.
fn is_assignable(key: &[u8]) -> bool {
    key::units(key).is_some_and(|name| !name.iter().copied().eq("__proto__".encode_utf16()))
}
