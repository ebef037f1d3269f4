//! What is known of the values of a job: the kinds of values at each place.
//!
//! Objects of rows are told apart by a trie of their member names, so that objects with optional members share what
//! is known of the members that they have in common. Kinds only ever widen, and only `learn` widens them; while a row
//! is written they stand still.

use super::family::Family;
use super::key;

/// Rows with more kinds of objects than this would rather be text: each costs JavaScript a generated function.
const MAX_SHAPES: usize = 64;

/// Most member names that the trie holds in all.
const MAX_NODES: usize = 4096;

/// Most member names that may follow one.
const MAX_CHILDREN: usize = 24;

/// Most members of an object that is told member by member.
pub(super) const MAX_MEMBERS: usize = 64;

/// Longest signature, in bytes: with `MAX_WEIGHT` a bound on the code that JavaScript generates, and on the time
/// that takes. About 3 ms.
const MAX_SIGNATURE: usize = 3072;

/// Most that a signature weighs: what reads a string or a number weighs 1.
const MAX_WEIGHT: usize = 256;

/// Shapes that one form of rows may have before it stays text, as its kinds widen.
const MAX_VERSIONS: u32 = 16;

/// The last one of these versions whose kinds are as narrow as what was seen.
const NARROW_VERSIONS: u32 = 4;

/// Objects that begin with the same member name are a family once they have more than this many sets of members.
const MAX_VARIANTS: u32 = 8;

/// The shape of values of any kind, which every job has.
pub(super) const ANY: u32 = 0;

/// A place whose values are of one kind: an index into `Schema::slots`.
pub(super) type Slot = usize;

/// What all values of a place have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// No value was seen.
    Unknown,
    Null,
    /// Integers within `i32` but for negative zero.
    Int,
    Double,
    Bool,
    /// Strings and null.
    Text,
    Any,
    /// Objects with the members of a layout, an index into `Schema::layouts`.
    Object(usize),
    /// Arrays with elements of the slot's kind.
    List(Slot),
    /// Arrays of `len` elements, of the kinds of the slots from `first` on.
    Tuple {
        first: Slot,
        len: usize,
    },
    /// Arrays whose elements are told in runs, as the rows of a group.
    Rows,
}

/// A member of an object inside a row.
#[derive(Debug)]
pub(super) struct Member {
    /// Its name: the token as it stands in the text.
    pub key: Box<[u8]>,
    pub slot: Slot,
}

/// Where a member name of a row's object stands in the trie.
#[derive(Debug)]
pub(super) struct Node {
    pub key: Box<[u8]>,
    pub slot: Slot,
    /// How often the kind of `slot`, or of a slot in it, widened.
    pub version: u32,
    pub parent: usize,
    /// Members up to here.
    pub depth: usize,
    pub children: Vec<usize>,
    /// The child that was last found.
    pub next: usize,
    pub shape: Shape,
    /// Sets of members seen of objects that begin with this name, where it is the first.
    variants: u32,
    /// What these objects are, instead of what the trie has: an index into `Schema::families`.
    pub family: Option<usize>,
}

/// What rows of one form are told as.
#[derive(Debug, Default)]
pub(super) struct Shape {
    id: Option<u32>,
    /// The version of the kinds that `id` stands for.
    version: u32,
    /// Bytes of rows seen since the kinds changed.
    heat: usize,
    /// How many ids there were.
    ids: u32,
    /// It can never be told as a shape.
    odd: bool,
}

/// Rows that are no objects.
#[derive(Debug)]
pub(super) struct Plain {
    pub slot: Slot,
    pub version: u32,
    pub shape: Shape,
}

/// What shapes are made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    /// Objects that end at the trie's node.
    Node(usize),
    Family(usize),
    Numbers,
    Arrays,
}

/// The root of the trie: an object before its first member.
pub(super) const ROOT: usize = 0;

#[derive(Debug)]
pub(super) struct Schema {
    pub slots: Vec<Kind>,
    pub layouts: Vec<Vec<Member>>,
    pub nodes: Vec<Node>,
    pub families: Vec<Family>,
    pub numbers: Plain,
    pub arrays: Plain,
    /// Signatures of all shapes, by id.
    pub signatures: Vec<String>,
    /// Bytes of rows that a shape must be worth before it is made.
    warm_up: usize,
}

impl Schema {
    pub fn new(warm_up: usize) -> Self {
        let plain = |slot| Plain { slot, version: 0, shape: Shape::default() };
        let mut schema = Self {
            slots: vec![Kind::Unknown, Kind::Unknown],
            layouts: Vec::new(),
            nodes: Vec::new(),
            families: Vec::new(),
            numbers: plain(0),
            arrays: plain(1),
            signatures: vec!["\"a\"".to_owned()],
            warm_up,
        };
        schema.push_node(Box::default(), ROOT, 0);
        schema
    }

    pub fn new_slot(&mut self) -> Slot {
        self.slots.push(Kind::Unknown);
        self.slots.len() - 1
    }

    fn push_node(&mut self, key: Box<[u8]>, parent: usize, depth: usize) -> usize {
        let slot = self.new_slot();
        self.nodes.push(Node {
            key,
            slot,
            version: 0,
            parent,
            depth,
            children: Vec::new(),
            next: ROOT,
            shape: Shape::default(),
            variants: 0,
            family: None,
        });
        self.nodes.len() - 1
    }

    /// Expects any scalar wherever there was one, and any member to lack, in rows of `owner` that changed often.
    pub fn loosen_if_restless(&mut self, owner: Owner) {
        if self.shape(owner).ids < NARROW_VERSIONS {
            return;
        }
        match owner {
            Owner::Node(node) => {
                for node in self.path(node) {
                    self.nodes[node].version += u32::from(self.loosen(self.nodes[node].slot));
                }
            }
            Owner::Family(family) => {
                for at in 0..self.families[family].members.len() {
                    let loosened = self.loosen(self.families[family].members[at].slot);
                    self.families[family].version += u32::from(loosened);
                }
                self.families[family].loosen();
            }
            Owner::Arrays => self.arrays.version += u32::from(self.loosen(self.arrays.slot)),
            // There are two kinds of numbers.
            Owner::Numbers => {}
        }
    }

    /// Returns whether there was something to loosen.
    fn loosen(&mut self, slot: Slot) -> bool {
        match self.slots[slot] {
            Kind::Any | Kind::Rows => false,
            Kind::List(element) => self.loosen(element),
            Kind::Tuple { first, len } => (first..first + len).fold(false, |any, slot| self.loosen(slot) | any),
            Kind::Object(layout) => {
                let slots: Vec<_> = self.layouts[layout].iter().map(|member| member.slot).collect();
                slots.into_iter().fold(false, |any, slot| self.loosen(slot) | any)
            }
            _ => {
                self.slots[slot] = Kind::Any;
                true
            }
        }
    }

    /// Whether `node` can have no further child.
    pub fn is_full(&self, node: usize) -> bool {
        let Node { depth, children, .. } = &self.nodes[node];
        *depth >= MAX_MEMBERS || children.len() >= MAX_CHILDREN || self.nodes.len() >= MAX_NODES
    }

    /// The child of `node` whose name comes next in `text`.
    #[inline]
    pub fn child(&mut self, node: usize, text: &[u8]) -> Option<usize> {
        let next = self.nodes[node].next;
        if next != ROOT && text.starts_with(&self.nodes[next].key) {
            return Some(next);
        }
        let found = self.nodes[node].children.iter().find(|child| text.starts_with(&self.nodes[**child].key));
        let found = *found?;
        self.nodes[node].next = found;
        Some(found)
    }

    /// The child of `node` with the name `key`, made if need be and possible.
    pub fn child_or_new(&mut self, node: usize, key: &[u8]) -> Option<usize> {
        if let Some(child) = self.child(node, key) {
            return Some(child);
        }
        if self.is_full(node) {
            return None;
        }
        let child = self.push_node(key.into(), node, self.nodes[node].depth + 1);
        self.nodes[node].children.push(child);
        Some(child)
    }

    fn shape(&mut self, owner: Owner) -> &mut Shape {
        match owner {
            Owner::Node(node) => &mut self.nodes[node].shape,
            Owner::Family(family) => &mut self.families[family].shape,
            Owner::Numbers => &mut self.numbers.shape,
            Owner::Arrays => &mut self.arrays.shape,
        }
    }

    /// The id of the shape of `owner`, whose kinds are of `version`; `None` while it is not worth one.
    ///
    /// `bytes` is the length of the row that asks.
    #[inline]
    pub fn id(&mut self, owner: Owner, version: u32, bytes: usize) -> Option<u32> {
        let shape = self.shape(owner);
        if shape.id.is_some() && shape.version == version {
            return shape.id;
        }
        self.new_id(owner, version, bytes)
    }

    #[cold]
    fn new_id(&mut self, owner: Owner, version: u32, bytes: usize) -> Option<u32> {
        let warm_up = self.warm_up;
        let shape = self.shape(owner);
        if shape.odd || shape.ids >= MAX_VERSIONS {
            return None;
        }
        let is_new = shape.heat == 0;
        if shape.version != version {
            (shape.version, shape.id, shape.heat) = (version, None, 0);
        }
        shape.heat += bytes;
        // Rows that were worth their code once will be so again, if their kinds come to rest.
        let ids = shape.ids as usize;
        let worth = if ids == 0 { warm_up } else { warm_up / 8 * ids * ids };
        let is_worth = shape.heat >= worth;
        if let Owner::Node(node) = owner
            && is_new
            && self.is_variant_too_many(node)
        {
            return None;
        }
        if !is_worth || self.signatures.len() >= MAX_SHAPES {
            return None;
        }
        self.make_id(owner)
    }

    fn make_id(&mut self, owner: Owner) -> Option<u32> {
        let Some(signature) = self.signature(owner) else {
            self.shape(owner).odd = true;
            return None;
        };
        let id = self.signatures.len() as u32;
        self.signatures.push(signature);
        let shape = self.shape(owner);
        (shape.id, shape.ids) = (Some(id), shape.ids + 1);
        Some(id)
    }

    /// Counts the objects that end at `node`, which were not seen before, and makes a family of them and their like
    /// if there are too many variants.
    fn is_variant_too_many(&mut self, node: usize) -> bool {
        let path = self.path(node);
        let Some(first) = path.first().copied() else { return false };
        self.nodes[first].variants += 1;
        if self.nodes[first].variants <= MAX_VARIANTS {
            return false;
        }
        self.nodes[first].family = Some(self.families.len());
        self.families.push(Family::new());
        true
    }

    /// The nodes from the first member to `node`.
    fn path(&self, node: usize) -> Vec<usize> {
        let mut path = Vec::with_capacity(self.nodes[node].depth);
        let mut at = node;
        while at != ROOT {
            path.push(at);
            at = self.nodes[at].parent;
        }
        path.reverse();
        path
    }

    /// `None` if no generated code could tell the values.
    fn signature(&self, owner: Owner) -> Option<String> {
        let mut out = String::new();
        match owner {
            Owner::Numbers => self.write_kind(self.numbers.slot, &mut out)?,
            Owner::Arrays => self.write_kind(self.arrays.slot, &mut out)?,
            Owner::Node(node) => {
                let path = self.path(node);
                let members = path.iter().map(|node| (&*self.nodes[*node].key, self.nodes[*node].slot));
                self.write_object(members, &mut out)?;
            }
            Owner::Family(family) => self.write_family(&self.families[family], &mut out)?,
        }
        (out.len() <= MAX_SIGNATURE && self.weight(owner) <= MAX_WEIGHT).then_some(out)
    }

    /// What the code for rows of `owner` weighs.
    fn weight(&self, owner: Owner) -> usize {
        let weigh = |slot| self.slot_weight(slot);
        match owner {
            Owner::Numbers => weigh(self.numbers.slot),
            Owner::Arrays => weigh(self.arrays.slot),
            Owner::Node(node) => self.path(node).iter().map(|node| weigh(self.nodes[*node].slot)).sum(),
            Owner::Family(family) => self.families[family].members.iter().map(|member| 1 + weigh(member.slot)).sum(),
        }
    }

    fn slot_weight(&self, slot: Slot) -> usize {
        match self.slots[slot] {
            Kind::Any => 3,
            Kind::List(element) => 2 + self.slot_weight(element),
            Kind::Tuple { first, len } => (first..first + len).map(|slot| self.slot_weight(slot)).sum(),
            Kind::Object(layout) => self.layouts[layout].iter().map(|member| self.slot_weight(member.slot)).sum(),
            _ => 1,
        }
    }

    fn write_object<'a>(&self, members: impl Iterator<Item = (&'a [u8], Slot)>, out: &mut String) -> Option<()> {
        let mut names = Vec::new();
        out.push_str("{\"o\":[");
        for (key, slot) in members {
            let name = key::units(key)?;
            out.push_str(if names.is_empty() { "[" } else { ",[" });
            key::quote(&name, out);
            names.push(name);
            out.push(',');
            self.write_kind(slot, out)?;
            out.push(']');
        }
        out.push_str("]}");
        (!key::has_twins(&names)).then_some(())
    }

    fn write_family(&self, family: &Family, out: &mut String) -> Option<()> {
        out.push_str("{\"m\":[");
        for (at, member) in family.members.iter().enumerate() {
            out.push_str(if at == 0 { "[" } else { ",[" });
            key::quote(&key::units(&member.key)?, out);
            out.push(',');
            self.write_kind(member.slot, out)?;
            out.push_str(if member.optional { ",1]" } else { ",0]" });
        }
        out.push_str("]}");
        Some(())
    }

    fn write_kind(&self, slot: Slot, out: &mut String) -> Option<()> {
        let letter = match self.slots[slot] {
            Kind::Unknown | Kind::Null => 'n',
            Kind::Int => 'i',
            Kind::Double => 'f',
            Kind::Bool => 'b',
            Kind::Text => 's',
            Kind::Any => 'a',
            Kind::Rows => 'r',
            Kind::Object(layout) => {
                return self.write_object(self.layouts[layout].iter().map(|member| (&*member.key, member.slot)), out);
            }
            Kind::List(element) => {
                out.push_str("{\"l\":");
                self.write_kind(element, out)?;
                out.push('}');
                return Some(());
            }
            Kind::Tuple { first, len } => {
                out.push_str("{\"t\":[");
                for element in first..first + len {
                    if element > first {
                        out.push(',');
                    }
                    self.write_kind(element, out)?;
                }
                out.push_str("]}");
                return Some(());
            }
        };
        out.extend(['"', letter, '"']);
        Some(())
    }
}
