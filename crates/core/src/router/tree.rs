//! The radix tree of the shapes that one table is compiled from.

use super::code::{Kind, Part, Reader};

/// No route ends here.
pub(super) const NO_LEAF: i32 = -1;

/// A place in the tree: text, and what can come after it.
pub(super) struct Node<'a> {
    pub(super) text: &'a [u16],
    pub(super) leaf: i32,
    /// By first unit, which the child's own text leaves out; sorted.
    pub(super) statics: Vec<(u16, u32)>,
    /// In order of precedence.
    pub(super) alternatives: Vec<Alternative<'a>>,
}

/// One way to take the rest of a segment or of the path.
pub(super) struct Alternative<'a> {
    pub(super) part: Part<'a>,
    /// A node's number; a leaf where the kind is a last one.
    pub(super) target: i32,
}

/// The nodes by number; 0 is the root.
pub(super) struct Tree<'a> {
    pub(super) nodes: Vec<Node<'a>>,
}

impl<'a> Tree<'a> {
    /// The tree of `shapes`, codes with their leaves, in the order of insertion. No code comes twice.
    pub(super) fn new(shapes: impl Iterator<Item = (&'a [u16], i32)>) -> Self {
        let mut tree = Self { nodes: Vec::new() };
        for (code, leaf) in shapes {
            tree.insert(code, leaf);
        }
        if tree.nodes.is_empty() {
            tree.add(&[]);
        }
        tree
    }

    fn insert(&mut self, code: &'a [u16], leaf: i32) {
        let mut reader = Reader::new(code);
        let text = reader.text();
        let mut at = if self.nodes.is_empty() { self.add(text) } else { self.descend(0, text) };
        while let Some(part) = reader.part() {
            if part.kind.is_last() {
                self.choose(at, Alternative { part, target: leaf });
                return;
            }
            let text = reader.text();
            let known = self.node(at).alternatives.iter().find(|own| own.part == part).map(|own| own.target as u32);
            at = if let Some(target) = known {
                self.descend(target, text)
            } else {
                let target = self.add(text);
                self.choose(at, Alternative { part, target: target as i32 });
                target
            };
        }
        self.node(at).leaf = leaf;
    }

    fn node(&mut self, at: u32) -> &mut Node<'a> {
        &mut self.nodes[at as usize]
    }

    fn add(&mut self, text: &'a [u16]) -> u32 {
        self.nodes.push(Node { text, leaf: NO_LEAF, statics: Vec::new(), alternatives: Vec::new() });
        self.nodes.len() as u32 - 1
    }

    /// The node after `text` from the start of the node `at`, made if it is not there.
    fn descend(&mut self, mut at: u32, mut text: &'a [u16]) -> u32 {
        loop {
            let own = self.node(at).text;
            let common = own.iter().zip(text).take_while(|(left, right)| left == right).count();
            if common < own.len() {
                self.split(at, common);
            }
            let Some((unit, rest)) = text[common..].split_first() else { return at };
            match self.node(at).statics.binary_search_by_key(unit, |(unit, _)| *unit) {
                Ok(index) => (at, text) = (self.node(at).statics[index].1, rest),
                Err(index) => {
                    let child = self.add(rest);
                    self.node(at).statics.insert(index, (*unit, child));
                    return child;
                }
            }
        }
    }

    /// Cuts a node's text before unit `length`; what comes after that becomes a child.
    fn split(&mut self, at: u32, length: usize) {
        let text = self.node(at).text;
        let upper = Node { text: &text[..length], leaf: NO_LEAF, statics: Vec::new(), alternatives: Vec::new() };
        let lower = std::mem::replace(self.node(at), upper);
        self.nodes.push(Node { text: &text[length + 1..], ..lower });
        let child = self.nodes.len() as u32 - 1;
        self.node(at).statics.push((text[length], child));
    }

    /// Adds an alternative behind those that come before it or were there first.
    fn choose(&mut self, at: u32, alternative: Alternative<'a>) {
        let rank = |part: &Part| (part.kind, usize::MAX - part.literal_units());
        let own = rank(&alternative.part);
        let alternatives = &mut self.node(at).alternatives;
        let index = alternatives.partition_point(|other| rank(&other.part) <= own);
        alternatives.insert(index, alternative);
    }
}

impl Node<'_> {
    /// The child after a plain parameter, where that is the only alternative.
    pub(super) fn sole_param(&self) -> Option<u32> {
        match self.alternatives.as_slice() {
            [Alternative { part: Part { kind: Kind::Param, .. }, target }] => Some(*target as u32),
            _ => None,
        }
    }
}
