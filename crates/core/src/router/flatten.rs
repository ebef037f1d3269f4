//! The table: a radix tree as one run of 32-bit integers. This is the contract with lib/router/walk.ts.
//!
//! Offsets are from the table's start, texts are UTF-16 units, and 0 is no offset of anything.
//!
//! ```text
//! t[0]       offset of the root node
//! t[1]       offset of the paths without parameters by another way than the tree: see `statics`
//!
//! A node at n, with h = n + 1 + L:
//! t[n]       L, how many units to compare with the request's
//! t[n+1..h]  these units
//! t[h]       the leaf of a path that ends here, or -1
//! t[h+1]     offset of the node after a plain parameter, where that is the only alternative, else 0
//! t[h+2]     offset of the list of alternatives, where there is another, else 0
//! t[h+3..]   the choice of a static child by its first unit: see `branch`; the entries are offsets of nodes
//!
//! A list of alternatives at a:
//! t[a]       how many
//! t[a+1..]   for each, in order of precedence: kind, data, target
//!   1 REGEX        data = offset of an automaton for a whole parameter, target = node
//!   2 MIXED_REGEX  data = offset of [number for the native matcher, P], target = node
//!   3 MIXED        data = offset of [P, then for each of P parameters: length of the literal after it, its
//!                  units]; only the last may be empty. Target = node
//!   4 PARAM        data = 0, target = node
//!   5 STAR         data = 0, target = node
//!   6 REST         data = 0, target = leaf
//!   7 NAMED_REST   data = 0, target = leaf
//! ```
//!
//! A walk begins at the root, behind the first slash of a path; other slashes are units of texts. What a child's
//! node compares leaves out the unit by which it was chosen. At a node, after its text: at the path's end its leaf;
//! else its static child; if that fails, its alternatives, one after the other; then back. Kinds 1 to 5 take at
//! least one unit, up to the next slash or the end, so that their target begins with a slash or is the end; 6 and
//! 7 take what is left, at least one unit. A parameter is never empty. Mixed parameters take the shortest text that
//! lets the rest match: each literal is where it is found first, at least one unit on, and the last one, if it is
//! not empty, ends the segment.
//!
//! ```text
//! An automaton at d, over the UTF-8 bytes of a whole parameter:
//! t[d]            the state to start in
//! t[d+1]          S, the length of a state
//! t[d+2]          the number of states
//! t[d+3..d+259]   the class of each byte
//! t[d+259..]      the states, S integers each: the next state for each of S - 1 classes, and last 1 if the
//!                 parameter may end here, else 0
//! ```
//!
//! A state is its offset from d + 259. State 0 is dead: nothing can match any more. So for each byte
//! `s = t[d + 259 + s + t[d + 3 + byte]]`, and at the end `t[d + 259 + s + S - 1]`. A surrogate without its pair
//! counts as U+FFFD. The automaton does not know that a parameter is never empty.

use super::branch;
use super::code::{Kind, Part, literals};
use super::programs::{Program, Programs};
use super::statics;
use super::tree::{Node, Tree};

/// Integers before the first node.
pub(super) const HEADER: usize = 2;
/// Where the offset of the root is, and that of the paths without parameters.
pub(super) const ROOT: usize = 0;
pub(super) const STATICS: usize = 1;

/// The table of `tree`, and of the `paths` in it that have no parameters; `None` if it is too large.
pub(super) fn flatten(paths: Vec<(&[u16], i32)>, tree: &Tree<'_>, programs: &Programs) -> Option<Vec<i32>> {
    let mut writer = Writer { programs, table: vec![0; HEADER], open: vec![(ROOT, 0)], automata: Vec::new() };
    // Depth first, the first child right behind its parent, as walks mostly go.
    while let Some((place, node)) = writer.open.pop() {
        writer.table[place] = writer.table.len() as i32;
        writer.node(&tree.nodes[node as usize]);
    }
    writer.automata();
    writer.table[STATICS] = statics::write(paths, &mut writer.table) as i32;
    i32::try_from(writer.table.len()).is_ok().then_some(writer.table)
}

struct Writer<'a> {
    programs: &'a Programs,
    table: Vec<i32>,
    /// Places that want the offset of a node which is not written yet.
    open: Vec<(usize, u32)>,
    /// Places that want the offset of an automaton.
    automata: Vec<(usize, u32)>,
}

impl Writer<'_> {
    fn node(&mut self, node: &Node<'_>) {
        self.text(node.text);
        let sole = node.sole_param();
        let leaf = self.table.len();
        let (param, list) = (leaf + 1, leaf + 2);
        self.table.extend([node.leaf, 0, 0]);
        let opened = self.open.len();
        let units: Vec<u16> = node.statics.iter().map(|(unit, _)| *unit).collect();
        let places = branch::write(&units, &mut self.table);
        self.open.extend(places.into_iter().zip(node.statics.iter().map(|(_, child)| *child)));
        if let Some(target) = sole {
            self.open.push((param, target));
        } else if !node.alternatives.is_empty() {
            self.table[list] = self.table.len() as i32;
            self.alternatives(node);
        }
        self.open[opened..].reverse();
    }

    /// A length and as many units.
    fn text(&mut self, text: &[u16]) {
        self.table.push(text.len() as i32);
        self.table.extend(text.iter().copied().map(i32::from));
    }

    fn alternatives(&mut self, node: &Node<'_>) {
        self.table.push(node.alternatives.len() as i32);
        let start = self.table.len();
        self.table.resize(start + 3 * node.alternatives.len(), 0);
        for (place, alternative) in (start..).step_by(3).zip(&node.alternatives) {
            let Part { kind, data } = alternative.part;
            self.table[place] = kind as i32;
            match kind {
                Kind::Regex => self.automata.push((place + 1, alternative.part.program())),
                Kind::MixedRegex | Kind::Mixed => self.table[place + 1] = self.table.len() as i32,
                _ => {}
            }
            if kind == Kind::Mixed {
                self.table.push(literals(data).count() as i32);
                literals(data).for_each(|literal| self.text(literal));
            }
            if kind == Kind::MixedRegex {
                self.mixed_regex(alternative.part.program());
            }
            if kind.is_last() {
                self.table[place + 2] = alternative.target;
            } else {
                self.open.push((place + 2, alternative.target as u32));
            }
        }
    }

    fn mixed_regex(&mut self, program: u32) {
        let parameters = match self.programs.get(program) {
            Some(Program::Mixed(matcher)) => matcher.parameters(),
            _ => 0,
        };
        self.table.extend([program as i32, parameters as i32]);
    }

    /// Writes each automaton once, and its offset wherever it is wanted.
    fn automata(&mut self) {
        let mut wanted = std::mem::take(&mut self.automata);
        wanted.sort_unstable_by_key(|(place, program)| (*program, *place));
        for places in wanted.chunk_by(|left, right| left.1 == right.1) {
            let offset = self.table.len() as i32;
            places.iter().for_each(|(place, _)| self.table[*place] = offset);
            if let Some(Program::Automaton(states)) = self.programs.get(places[0].1) {
                self.table.extend_from_slice(states);
            }
        }
    }
}
