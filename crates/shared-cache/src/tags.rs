//! Which entries carry which tags.
//!
//! An entry's membership in a tag is a node of two lists: that of the tag, which runs both ways so that an entry can leave it
//! at once, and that of the entry.

use std::hash::BuildHasher;

use foldhash::quality::RandomState;
use hashbrown::HashTable;
use keelson_core::cache::Text;

use crate::pool::{NONE, Pool};
use crate::size;

#[derive(Debug)]
struct Member {
    slot: u32,
    tag: u32,
    previous: u32,
    next: u32,
    /// The next membership of the same entry.
    sibling: u32,
}

#[derive(Debug)]
struct Tag {
    text: Text,
    hash: u32,
    /// Its first member; a tag without any is gone.
    first: u32,
}

/// The tags of a shard's entries.
#[derive(Debug, Default)]
pub(crate) struct Tags {
    members: Pool<Member>,
    tags: Pool<Tag>,
    index: HashTable<u32>,
    hasher: RandomState,
    /// What the texts take.
    texts: usize,
}

/// The table wants its entropy in all 64 bits, and a stored hash has 32.
fn spread(hash: u32) -> u64 {
    u64::from(hash).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

impl Tags {
    /// What the tags take in memory.
    pub(crate) fn bytes(&self) -> usize {
        self.texts + Self::tables(self.members.extent(), self.tags.extent())
    }

    /// What they take once an entry with `tags` is in.
    pub(crate) fn bytes_with(&self, tags: &[&[u16]]) -> usize {
        if tags.is_empty() {
            return self.bytes();
        }
        let fresh = tags.iter().filter(|tag| self.find(tag).is_none());
        let (count, texts) = fresh.fold((0, 0), |(count, texts), tag| (count + 1, texts + size::text(&Text::new(tag))));
        let tables = Self::tables(self.members.extent_with(tags.len()), self.tags.extent_with(count));
        self.texts + texts + tables
    }

    fn tables(members: usize, tags: usize) -> usize {
        Pool::<Member>::bytes(members) + Pool::<Tag>::bytes(tags) + size::table(tags, size_of::<u32>())
    }

    /// Whether most of the room is for tags that are gone.
    pub(crate) fn is_sparse(&self) -> bool {
        size::is_sparse(self.members.len(), self.members.extent())
            || size::is_sparse(self.tags.len(), self.tags.extent())
    }

    fn hash(&self, tag: &[u16]) -> u32 {
        self.hasher.hash_one(tag) as u32
    }

    fn find(&self, tag: &[u16]) -> Option<u32> {
        let hash = self.hash(tag);
        let same = |number: &u32| self.tags[*number].hash == hash && self.tags[*number].text.equals(tag);
        self.index.find(spread(hash), same).copied()
    }

    fn find_or_insert(&mut self, tag: &[u16]) -> u32 {
        if let Some(number) = self.find(tag) {
            return number;
        }
        let (text, hash) = (Text::new(tag), self.hash(tag));
        self.texts += size::text(&text);
        let number = self.tags.insert(Tag { text, hash, first: NONE });
        self.index.insert_unique(spread(hash), number, |number| spread(self.tags[*number].hash));
        number
    }

    /// Gives the entry at `slot` its tags, and returns its first membership. A tag that is named twice counts once.
    pub(crate) fn join(&mut self, slot: u32, tags: &[&[u16]]) -> u32 {
        let mut numbers: Vec<u32> = tags.iter().map(|tag| self.find_or_insert(tag)).collect();
        numbers.sort_unstable();
        numbers.dedup();
        let mut sibling = NONE;
        for tag in numbers {
            let next = self.tags[tag].first;
            let member = self.members.insert(Member { slot, tag, previous: NONE, next, sibling });
            if next != NONE {
                self.members[next].previous = member;
            }
            self.tags[tag].first = member;
            sibling = member;
        }
        sibling
    }

    /// Takes an entry out of its tags, whose first membership is `member`.
    pub(crate) fn leave(&mut self, mut member: u32) {
        while member != NONE {
            let Member { tag, previous, next, sibling, .. } = self.members.remove(member);
            if next != NONE {
                self.members[next].previous = previous;
            }
            if previous != NONE {
                self.members[previous].next = next;
            } else if next != NONE {
                self.tags[tag].first = next;
            } else {
                self.forget(tag);
            }
            member = sibling;
        }
    }

    fn forget(&mut self, tag: u32) {
        let Tag { text, hash, .. } = self.tags.remove(tag);
        self.texts -= size::text(&text);
        if let Ok(entry) = self.index.find_entry(spread(hash), |number| *number == tag) {
            entry.remove();
        }
    }

    /// The slots of the entries that carry `tag`.
    pub(crate) fn slots(&self, tag: &[u16]) -> Vec<u32> {
        let mut member = self.find(tag).map_or(NONE, |number| self.tags[number].first);
        let mut slots = Vec::new();
        while member != NONE {
            slots.push(self.members[member].slot);
            member = self.members[member].next;
        }
        slots
    }

    /// The tags of an entry whose first membership is `member`.
    pub(crate) fn of(&self, mut member: u32) -> Vec<Vec<u16>> {
        let mut tags = Vec::new();
        while member != NONE {
            tags.extend(self.tags[self.members[member].tag].text.to_units());
            member = self.members[member].sibling;
        }
        tags
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &[u16] = &[97];
    const B: &[u16] = &[98];

    #[test]
    fn an_entry_has_each_tag_once() {
        let mut tags = Tags::default();
        let member = tags.join(3, &[A, B, A]);
        assert_eq!((tags.slots(A), tags.slots(B)), (vec![3], vec![3]));
        assert_eq!(tags.of(member).len(), 2);
    }

    #[test]
    fn a_tag_that_nothing_carries_is_gone() {
        let mut tags = Tags::default();
        let long = [0x3b1; 100];
        let (first, second) = (tags.join(0, &[A, &long]), tags.join(1, &[A]));
        tags.leave(first);
        assert_eq!((tags.slots(A), tags.slots(&long)), (vec![1], vec![]));
        tags.leave(second);
        assert_eq!((tags.tags.len(), tags.members.len(), tags.index.len(), tags.texts), (0, 0, 0, 0));
    }

    #[test]
    fn what_joining_takes_is_known_before() {
        let mut tags = Tags::default();
        for slot in 0..200 {
            let own: Vec<u16> = format!("a tag with a rather long name {}", slot / 3).encode_utf16().collect();
            let expected = tags.bytes_with(&[A, &own]);
            tags.join(slot, &[A, &own]);
            assert_eq!(tags.bytes(), expected);
        }
    }
}
