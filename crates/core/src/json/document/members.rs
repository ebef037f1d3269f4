//! The members of an object as JSON.parse has them.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::ops::Range;

use super::Document;
use super::bytes::string_end;
use super::name::unescape;
use super::pointer::index;
use super::walk::Walk;

/// Names that JavaScript orders by their number: those of array indices.
const INDICES: usize = u32::MAX as usize;

/// A member of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its name as it stands in the text, with quotes.
    pub name: Range<usize>,
    /// Where its value begins.
    pub value: usize,
}

/// The members of the object at `at`: each name once with its last value, names that are array indices first and
/// by number, the others where they came first.
pub(super) fn members(document: &Document, at: usize) -> Vec<Member> {
    let text = &*document.text;
    let mut walk = Walk::new(document);
    let (mut numbered, mut named) = (Vec::new(), Vec::new());
    let mut places = HashMap::with_hasher(document.hasher.clone());
    let mut child = walk.first(at);
    while let Some(start) = child {
        let name = start..string_end(text, start).0;
        let value = walk.value(start);
        let end = walk.end(value);
        child = walk.next(end);
        let plain = unescape(&text[name.clone()]);
        if let Some(number) = index(&plain).filter(|number| *number < INDICES) {
            numbered.push((number, Member { name, value }));
            continue;
        }
        match places.entry(plain) {
            Entry::Occupied(place) => {
                let member: &mut Member = &mut named[*place.get()];
                member.value = value;
            }
            Entry::Vacant(place) => {
                place.insert(named.len());
                named.push(Member { name, value });
            }
        }
    }
    if numbered.is_empty() {
        return named;
    }
    // The sort is stable, so that of equal numbers the last is the last; reversed, it is the first, and stays.
    numbered.reverse();
    numbered.sort_by_key(|(number, _)| *number);
    numbered.dedup_by_key(|(number, _)| *number);
    numbered.into_iter().map(|(_, member)| member).chain(named).collect()
}
