//! A walker over the flat table in Rust, for tests and fuzzing: it does what lib/router/walk.ts does, by the
//! contract in [`flatten`](mod@super::flatten) and by nothing else.

use super::Router;
use super::automaton::{CLASSES, STATES};
use super::branch;
use super::flatten::ROOT;
use super::statics;

const SLASH: u16 = b'/' as u16;

/// Where a path leads: a leaf, and the start and the end in the path of each parameter, and of a rest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The leaf that the path was compiled with.
    pub leaf: i32,
    /// Units of the path.
    pub spans: Vec<[usize; 2]>,
}

/// Looks `path` up in a table that `router` compiled. The path begins with a slash, has none that do not matter,
/// and is matched as it is, without percent-decoding, and with its text lowered where case does not matter.
/// `routes` is what the table was compiled from: its shapes have the texts of paths without parameters.
pub fn walk(router: &mut Router, table: &[i32], routes: &[[i32; 2]], path: &[u16], fold: bool) -> Option<Found> {
    let lower = |unit: &u16| if (0x41..=0x5a).contains(unit) && fold { unit | 0x20 } else { *unit };
    let lowered: Vec<u16> = path.iter().map(lower).collect();
    if let Some(leaf) = statics::candidate(table, &lowered) {
        let code = routes.iter().find(|[_, own]| *own == leaf).and_then(|[shape, _]| router.shapes.code(*shape as u32));
        if code == Some(&lowered[1..]) {
            return Some(Found { leaf, spans: Vec::new() });
        }
    }
    let mut walker = Walker { router, table, path, lowered: &lowered, spans: Vec::new(), open: Vec::new() };
    let leaf = walker.run()?;
    Some(Found { leaf, spans: walker.spans })
}

/// A list of alternatives to go on with, should what comes before fail.
struct Open {
    list: usize,
    next: usize,
    position: usize,
    spans: usize,
}

struct Walker<'a> {
    router: &'a mut Router,
    table: &'a [i32],
    path: &'a [u16],
    lowered: &'a [u16],
    spans: Vec<[usize; 2]>,
    open: Vec<Open>,
}

/// What an attempt came to.
enum Step {
    Node(usize, usize),
    Leaf(i32),
    Back,
}

impl Walker<'_> {
    fn at(&self, offset: usize) -> usize {
        self.table[offset] as usize
    }

    fn run(&mut self) -> Option<i32> {
        let mut step = Step::Node(self.at(ROOT), 1);
        loop {
            step = match step {
                Step::Leaf(leaf) => return Some(leaf),
                Step::Node(node, position) => self.node(node, position),
                Step::Back => self.back()?,
            };
        }
    }

    fn node(&mut self, node: usize, start: usize) -> Step {
        let length = self.at(node);
        let text = &self.table[node + 1..node + 1 + length];
        let own = self.lowered.get(start..start + length);
        if !own.is_some_and(|own| own.iter().copied().map(i32::from).eq(text.iter().copied())) {
            return Step::Back;
        }
        let (head, position) = (node + 1 + length, start + length);
        if position == self.path.len() {
            let leaf = self.table[head];
            return if leaf >= 0 { Step::Leaf(leaf) } else { Step::Back };
        }
        let (param, list) = (self.at(head + 1), self.at(head + 2));
        let child = branch::find(self.table, head + 3, self.lowered[position]) as usize;
        if list != 0 {
            self.open.push(Open { list, next: 0, position, spans: self.spans.len() });
        } else if param != 0 {
            // A list of one alternative, which is its node.
            self.open.push(Open { list: 0, next: param, position, spans: self.spans.len() });
        }
        if child == 0 { Step::Back } else { Step::Node(child, position + 1) }
    }

    /// The next alternative of the list that was opened last.
    fn back(&mut self) -> Option<Step> {
        let open = self.open.last_mut()?;
        let (list, next, position, spans) = (open.list, open.next, open.position, open.spans);
        self.spans.truncate(spans);
        if list == 0 {
            self.open.pop();
            return Some(self.param(next, position));
        }
        open.next += 1;
        if open.next == self.table[list] as usize {
            self.open.pop();
        }
        let [kind, data, target] = self.table[list + 1 + 3 * next..][..3] else { return None };
        Some(self.alternative(kind, data as usize, target, position))
    }

    fn segment_end(&self, position: usize) -> usize {
        let length = self.path[position..].iter().position(|unit| *unit == SLASH);
        length.map_or(self.path.len(), |length| position + length)
    }

    fn param(&mut self, target: usize, position: usize) -> Step {
        let end = self.segment_end(position);
        if end == position {
            return Step::Back;
        }
        self.spans.push([position, end]);
        Step::Node(target, end)
    }

    fn alternative(&mut self, kind: i32, data: usize, target: i32, position: usize) -> Step {
        let end = self.segment_end(position);
        let fits = match kind {
            1 => self.automaton(data, position, end),
            2 => self.mixed_regex(data, position, end),
            3 => self.mixed(data, position, end),
            4 => return self.param(target as usize, position),
            5 => position < end,
            _ => {
                self.spans.push([position, self.path.len()]);
                return Step::Leaf(target);
            }
        };
        if fits { Step::Node(target as usize, end) } else { Step::Back }
    }

    fn automaton(&mut self, at: usize, start: usize, end: usize) -> bool {
        let (mut state, stride) = (self.at(at), self.at(at + 1));
        for c in char::decode_utf16(self.path[start..end].iter().copied()) {
            let c = c.unwrap_or(char::REPLACEMENT_CHARACTER);
            for byte in c.encode_utf8(&mut [0; 4]).bytes() {
                state = self.at(at + STATES + state + self.at(at + CLASSES + usize::from(byte)));
                if state == 0 {
                    return false;
                }
            }
        }
        let fits = start < end && self.table[at + STATES + state + stride - 1] == 1;
        if fits {
            self.spans.push([start, end]);
        }
        fits
    }

    fn mixed_regex(&mut self, data: usize, start: usize, end: usize) -> bool {
        let mut spans = vec![0; 2 * self.at(data + 1)];
        let matched = self.router.match_mixed(self.table[data] as u32, &self.path[start..end], &mut spans);
        if !matched.expect("the table names programs in use") {
            return false;
        }
        let spans = spans.as_chunks::<2>().0.iter();
        self.spans.extend(spans.map(|span| span.map(|offset| start + offset as usize)));
        true
    }

    fn mixed(&mut self, data: usize, mut start: usize, end: usize) -> bool {
        let (mut at, last) = (data + 1, self.at(data) - 1);
        for parameter in 0..=last {
            let length = self.at(at);
            let literal: Vec<u16> = self.table[at + 1..at + 1 + length].iter().map(|unit| *unit as u16).collect();
            at += 1 + length;
            let segment = &self.lowered[start..end];
            let found = if parameter == last {
                // What the last parameter takes is what is left.
                segment.len().checked_sub(length).filter(|at| *at > 0 && segment.ends_with(&literal))
            } else {
                (1..segment.len()).find(|at| segment[*at..].starts_with(&literal))
            };
            let Some(found) = found else { return false };
            self.spans.push([start, start + found]);
            start += found + length;
        }
        true
    }
}
