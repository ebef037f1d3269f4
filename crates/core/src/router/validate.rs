//! Checks of a table, for tests and fuzzing.

use super::automaton::{CLASSES, STATES};
use super::branch;
use super::flatten::{HEADER, ROOT, STATICS};
use super::tree::NO_LEAF;

/// Checks a table by the contract in [`flatten`](mod@super::flatten), and that it holds nothing but what can be
/// reached from its root, once.
///
/// # Panics
/// If it does not hold.
pub fn validate(table: &[i32]) {
    let mut check = Check { table, used: vec![false; table.len()], nodes: Vec::new() };
    check.claim(0, HEADER);
    check.open(ROOT);
    while let Some(node) = check.nodes.pop() {
        check.node(node);
    }
    check.statics();
    let unused = check.used.iter().position(|used| !used);
    assert_eq!(unused, None, "everything belongs to something");
}

struct Check<'a> {
    table: &'a [i32],
    used: Vec<bool>,
    nodes: Vec<usize>,
}

impl Check<'_> {
    /// `length` integers that nothing else has.
    fn claim(&mut self, start: usize, length: usize) {
        let used = self.used.get_mut(start..start + length).expect("everything lies in the table");
        assert!(used.iter().all(|used| !used), "nothing is used twice");
        used.fill(true);
    }

    /// A field that holds an offset.
    fn offset(&self, place: usize) -> usize {
        let offset = usize::try_from(self.table[place]).expect("an offset is not negative");
        assert!((HEADER..self.table.len()).contains(&offset), "an offset lies behind the header, in the table");
        offset
    }

    fn open(&mut self, place: usize) {
        self.nodes.push(self.offset(place));
    }

    /// A length and as many units; returns where they end.
    fn text(&mut self, at: usize) -> usize {
        let length = usize::try_from(self.table[at]).expect("a length is not negative");
        self.claim(at, length + 1);
        let units = &self.table[at + 1..at + 1 + length];
        assert!(units.iter().all(|unit| (1..=0xffff).contains(unit)), "a text is made of units");
        at + 1 + length
    }

    fn node(&mut self, node: usize) {
        let head = self.text(node);
        self.claim(head, 3);
        assert!(self.table[head] >= NO_LEAF, "a leaf is a leaf");
        let (param, list) = (self.table[head + 1] != 0, self.table[head + 2] != 0);
        assert!(!(param && list), "a sole parameter is in no list");
        if param {
            self.open(head + 1);
        }
        if list {
            self.list(self.offset(head + 2));
        }
        let children = self.branch(head + 3);
        children.iter().for_each(|place| self.open(*place));
        let sole = children.len() == 1 && !param && !list && self.table[head] == NO_LEAF;
        assert!(!sole, "a node without a choice would be part of its child");
    }

    /// The decision tree of paths without parameters: see [`statics`](mod@super::statics).
    fn statics(&mut self) {
        let start = self.offset(STATICS);
        let lengths = usize::try_from(self.table[start]).expect("a length is not negative");
        self.claim(start, 1 + lengths);
        let mut open: Vec<(usize, usize)> = (0..lengths).map(|length| (length, start + 1 + length)).collect();
        while let Some((length, place)) = open.pop() {
            if self.table[place] <= 0 {
                continue;
            }
            let node = self.offset(place);
            self.claim(node, 1);
            let position = usize::try_from(self.table[node]).expect("a position is not negative");
            assert!(position < length, "the unit to look at is in the path");
            let left = self.branch(node + 1);
            assert!(left.len() > 1, "a look tells something apart");
            open.extend(left.into_iter().map(|place| (length, place)));
        }
    }

    /// A choice by one unit; returns the places of its entries.
    fn branch(&mut self, at: usize) -> Vec<usize> {
        let (places, end) = branch::validate(self.table, at);
        self.claim(at, end - at);
        places
    }

    fn list(&mut self, list: usize) {
        let count = usize::try_from(self.table[list]).expect("a count is not negative");
        self.claim(list, 1 + 3 * count);
        let alternatives = self.table[list + 1..list + 1 + 3 * count].as_chunks::<3>().0;
        assert!(alternatives.is_sorted_by_key(|alternative| alternative[0]), "kinds are in order of precedence");
        let kinds: Vec<i32> = alternatives.iter().map(|alternative| alternative[0]).collect();
        assert!(count > 1 || kinds != [4], "a sole parameter needs no list");
        for (index, kind) in kinds.into_iter().enumerate() {
            let (data, target) = (list + 2 + 3 * index, list + 3 + 3 * index);
            match kind {
                1 => self.automaton(self.offset(data)),
                2 => {
                    let data = self.offset(data);
                    self.claim(data, 2);
                    assert!(self.table[data + 1] > 0, "a matcher has parameters");
                }
                3 => self.mixed(self.offset(data)),
                4..=7 => assert_eq!(self.table[data], 0, "other kinds have no data"),
                _ => panic!("{kind} is no kind"),
            }
            if kind < 6 {
                self.open(target);
            } else {
                assert!(self.table[target] >= 0, "a rest has a leaf");
            }
        }
    }

    fn mixed(&mut self, at: usize) {
        self.claim(at, 1);
        let count = self.table[at];
        assert!(count > 0, "a mixed segment has parameters");
        let mut next = at + 1;
        for index in 1..=count {
            let literal = next;
            next = self.text(literal);
            assert!(self.table[literal] > 0 || (index == count && count > 1), "only the last literal may be empty");
        }
    }

    /// Unlike the rest, an automaton serves several alternatives.
    fn automaton(&mut self, at: usize) {
        let field = |index: usize| usize::try_from(self.table[at + index]).expect("a field is not negative");
        let (start, stride, states) = (field(0), field(1), field(2));
        let size = states * stride;
        if !self.used[at] {
            self.claim(at, STATES + size);
        }
        assert!(stride > 1 && states > 0 && start < size && start % stride == 0, "it starts in a state");
        assert!((0..256).all(|byte| field(CLASSES + byte) < stride - 1), "each byte has a class");
        let rows = &self.table[at + STATES..at + STATES + size];
        assert!(rows[..stride].iter().all(|field| *field == 0), "state 0 is dead");
        for row in rows.chunks_exact(stride) {
            assert!(matches!(row[stride - 1], 0 | 1), "a state accepts or does not");
            let mut targets = row[..stride - 1].iter().map(|to| usize::try_from(*to).expect("a state is positive"));
            assert!(targets.all(|to| to < size && to % stride == 0), "each next state is a state");
        }
    }
}
