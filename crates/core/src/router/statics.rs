//! Paths without parameters, as a decision tree: a look at the length, then at single units, until one path is left
//! that it can be. Comparing with that one is up to the reader, who has its text.
//!
//! ```text
//! At t[1] = s, for paths with their first slash:
//! t[s]         N: longer than any path here
//! t[s+1..]     for each length below N, what is left: see below
//!
//! A node at n:
//! t[n]         which unit of the path to look at
//! t[n+1..]     the choice by it: see `branch`; the entries are what is left
//!
//! What is left: > 0 the offset of a node, < 0 the complement of a leaf, 0 nothing.
//! ```
//!
//! Paths that [`MOST_LOOKS`] do not tell apart are left out: the radix tree has them too.

use super::branch;

/// How often a path is looked at. Fewer than five serve ten thousand routes of words; one unit at a time, each look
/// telling a single path from all others, would take long to build and to go.
const MOST_LOOKS: usize = 16;

type Route<'a> = (&'a [u16], i32);

/// Paths that can still be meant, and the place in the table that wants what tells them apart.
struct Open<'a> {
    place: usize,
    looks: usize,
    routes: Vec<Route<'a>>,
}

/// Writes the tree of `routes`, their texts without the first slash, and returns its offset.
pub(super) fn write(routes: Vec<Route<'_>>, table: &mut Vec<i32>) -> usize {
    let start = table.len();
    let longest = routes.iter().map(|(text, _)| text.len() + 2).max().unwrap_or(0);
    table.push(longest as i32);
    table.resize(start + 1 + longest, 0);
    let mut by_length: Vec<Vec<Route<'_>>> = vec![Vec::new(); longest];
    for route in routes {
        by_length[route.0.len() + 1].push(route);
    }
    let mut open: Vec<Open<'_>> = by_length
        .into_iter()
        .enumerate()
        .filter(|(_, routes)| !routes.is_empty())
        .map(|(length, routes)| Open { place: start + 1 + length, looks: 0, routes })
        .collect();
    while let Some(Open { place, looks, mut routes }) = open.pop() {
        let [first, _, ..] = routes.as_slice() else {
            table[place] = !routes[0].1;
            continue;
        };
        if looks == MOST_LOOKS {
            continue;
        }
        let position = telling(&routes, first.0.len());
        routes.sort_unstable_by_key(|(text, _)| text[position]);
        table[place] = table.len() as i32;
        node(position, looks + 1, &routes, table, &mut open);
    }
    start
}

/// The unit that tells most of `routes` apart; the latest of those, since paths begin alike.
fn telling(routes: &[Route<'_>], length: usize) -> usize {
    let mut best = (0, 0);
    let mut seen = Vec::new();
    for position in 0..length {
        seen.clear();
        seen.extend(routes.iter().map(|(text, _)| text[position]));
        seen.sort_unstable();
        seen.dedup();
        best = best.max((seen.len(), position));
        if seen.len() == routes.len() {
            break;
        }
    }
    best.1
}

fn node<'a>(position: usize, looks: usize, sorted: &[Route<'a>], table: &mut Vec<i32>, open: &mut Vec<Open<'a>>) {
    let groups: Vec<&[Route<'a>]> = sorted.chunk_by(|(a, _), (b, _)| a[position] == b[position]).collect();
    let units: Vec<u16> = groups.iter().map(|group| group[0].0[position]).collect();
    // Positions are counted with the first slash.
    table.push(position as i32 + 1);
    let places = branch::write(&units, table);
    open.extend(places.into_iter().zip(groups).map(|(place, group)| Open { place, looks, routes: group.to_vec() }));
}

/// The leaf of the only path that `path`, with its first slash, can be, as lib/router/lookup.ts finds it.
#[cfg(any(test, fuzzing))]
pub(super) fn candidate(table: &[i32], path: &[u16]) -> Option<i32> {
    let start = table[super::flatten::STATICS] as usize;
    if path.len() >= table[start] as usize {
        return None;
    }
    let mut left = table[start + 1 + path.len()];
    while left > 0 {
        let node = left as usize;
        left = branch::find(table, node + 1, path[table[node] as usize]);
    }
    (left < 0).then_some(!left)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::router::flatten::{HEADER, STATICS};

    fn table_of(texts: &[Vec<u16>]) -> Vec<i32> {
        let mut table = vec![0; HEADER];
        let routes = texts.iter().enumerate().map(|(leaf, text)| (text.as_slice(), leaf as i32)).collect();
        table[STATICS] = write(routes, &mut table) as i32;
        table
    }

    fn with_slash(text: &[u16]) -> Vec<u16> {
        [&[u16::from(b'/')], text].concat()
    }

    /// Few units so that texts have much in common, and some far apart.
    fn text() -> impl Strategy<Value = Vec<u16>> {
        prop::collection::vec(prop::sample::select(vec![47, 97, 98, 99, 0x100, 0x6f22, 0xffff]), 0..8)
    }

    proptest! {
        #[test]
        fn each_path_leads_to_its_leaf(texts in prop::collection::hash_set(text(), 0..60)) {
            let texts: Vec<_> = texts.into_iter().collect();
            let table = table_of(&texts);
            for (leaf, text) in texts.iter().enumerate() {
                prop_assert_eq!(candidate(&table, &with_slash(text)), Some(leaf as i32));
            }
        }

        #[test]
        fn a_candidate_has_the_length_of_the_path(texts in prop::collection::hash_set(text(), 0..60), other in text()) {
            let texts: Vec<_> = texts.into_iter().collect();
            if let Some(leaf) = candidate(&table_of(&texts), &with_slash(&other)) {
                prop_assert_eq!(texts[leaf as usize].len(), other.len());
            }
        }
    }

    #[test]
    fn paths_that_differ_in_one_place_each_are_left_to_the_trie() {
        let with_b_at = |at: usize| (0..40).map(|i| if i == at { b'b'.into() } else { b'a'.into() }).collect();
        let texts: Vec<Vec<u16>> = (0..40).map(with_b_at).collect();
        let table = table_of(&texts);
        let found = texts.iter().filter(|text| candidate(&table, &with_slash(text)).is_some());
        assert_eq!(found.count(), MOST_LOOKS);
    }
}
