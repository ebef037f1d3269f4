//! Strings that come again and again in a group: states, countries, days.
//!
//! JavaScript gets such a string once and refers to it from then on, which is faster than making it anew, and is one
//! string in memory, as `JSON.parse` would have it.

/// Strings that are looked out for at a time. A power of two.
const ENTRIES: usize = 1024;

/// Longest token that is looked out for, in bytes.
const MAX_TOKEN: usize = 64;

/// Comings after which a string is a word: JavaScript has it cheaper than a word at first.
const MIN_SEEN: u32 = 3;

/// How many other strings an entry may outlast since it was last seen.
const MAX_AGE: u8 = 15;

/// A string seen before; with a length of 0 none.
#[derive(Clone, Copy, Debug, Default)]
struct Entry {
    start: u32,
    length: u16,
    /// How many strings more that would have its place go past it.
    age: u8,
    seen: u32,
    /// Its number once it is a word.
    word: u32,
}

#[derive(Debug)]
pub(super) struct Words {
    entries: Vec<Entry>,
    /// The tokens of the words, each after a comma.
    pub tokens: Vec<u8>,
    pub count: u32,
}

impl Default for Words {
    fn default() -> Self {
        Self { entries: vec![Entry::default(); ENTRIES], tokens: Vec::new(), count: 0 }
    }
}

impl Words {
    /// The number of the string whose token is `text[start..end]`, if that came often enough.
    #[inline]
    pub fn find(&mut self, text: &[u8], start: usize, end: usize) -> Option<u32> {
        let token = &text[start..end];
        if token.len() > MAX_TOKEN {
            return None;
        }
        let entry = &mut self.entries[hash(token) % ENTRIES];
        let known = entry.start as usize..entry.start as usize + usize::from(entry.length);
        if text[known] != *token {
            if entry.age > 0 {
                entry.age -= 1;
            } else {
                *entry = Entry { start: start as u32, length: token.len() as u16, age: 1, seen: 1, word: 0 };
            }
            return None;
        }
        entry.seen += 1;
        entry.age = (entry.age + 2).min(MAX_AGE);
        if entry.seen < MIN_SEEN {
            return None;
        }
        if entry.seen == MIN_SEEN {
            entry.word = self.count;
            self.count += 1;
            self.tokens.push(b',');
            self.tokens.extend_from_slice(token);
        }
        Some(entry.word)
    }
}

/// Mixes both ends and the length: what strings of one place have in common is mostly one of these.
#[inline]
fn hash(token: &[u8]) -> usize {
    let (first, last) = match (token.first_chunk::<8>(), token.last_chunk::<8>()) {
        (Some(first), Some(last)) => (u64::from_le_bytes(*first), u64::from_le_bytes(*last)),
        _ => (token.iter().fold(0, |all, byte| all << 8 | u64::from(*byte)), 0),
    };
    let mixed = (first ^ last.rotate_left(29) ^ token.len() as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed >> 48) as usize
}
