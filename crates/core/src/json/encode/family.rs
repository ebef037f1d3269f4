//! Objects with optional members, of which there are too many combinations for a shape of each.

use super::key;
use super::schema::{Kind, MAX_MEMBERS, Shape, Slot};

/// Members whose presence one of `ints` tells.
pub(super) const MASK_BITS: usize = 30;

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
/// where orders differ, a name is there more than once.
#[derive(Debug)]
pub(super) struct Family {
    pub members: Vec<Relative>,
    /// How often members or their kinds changed.
    pub version: u32,
    pub shape: Shape,
    /// It takes no more members.
    pub closed: bool,
}

impl Family {
    /// A family of objects that have exactly `keys` so far, with a slot for each from `first` on.
    pub fn new(keys: Vec<Box<[u8]>>, first: Slot) -> Self {
        let closed = keys.iter().any(|key| !is_assignable(key));
        let members = keys.into_iter().zip(first..).map(|(key, slot)| Relative { key, slot, optional: false });
        Self { members: members.collect(), version: 0, shape: Shape::default(), closed }
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

    /// An object lacks the members of `from..to`.
    pub fn lack(&mut self, from: usize, to: usize) {
        for member in self.members.get_mut(from..to).unwrap_or_default() {
            self.version += u32::from(!member.optional);
            member.optional = true;
        }
    }

    /// Takes a member at `at`, before those that are there, if that is possible. Returns whether it is.
    pub fn insert(&mut self, at: usize, key: &[u8], slots: &mut Vec<Kind>) -> bool {
        if self.members.len() >= MAX_MEMBERS || !is_assignable(key) {
            self.closed = true;
            return false;
        }
        slots.push(Kind::Unknown);
        self.members.insert(at, Relative { key: key.into(), slot: slots.len() - 1, optional: true });
        self.version += 1;
        true
    }
}

/// Whether assigning to the name makes an own property, unlike `__proto__`.
fn is_assignable(key: &[u8]) -> bool {
    key::units(key).is_some_and(|name| !name.iter().copied().eq("__proto__".encode_utf16()))
}
