//! Widens the kinds of a schema until a row fits them.

use super::key;
use super::number;
use super::reader::{Malformed, Reader};
use super::schema::{Kind, MAX_MEMBERS, Member, Owner, ROOT, Schema, Slot};

/// How deep rows inside rows go before they are text.
pub(super) const MAX_DEPTH: usize = 24;

/// How deep objects and lists are told as parts of one shape: below that, as shapes of their own.
const MAX_NESTING: usize = 4;

/// Longest array that is told without its length: points, bounding boxes, matrices of graphics.
const MAX_TUPLE: usize = 4;

/// Learns one row.
pub(super) struct Learner<'s, 'a> {
    schema: &'s mut Schema,
    reader: Reader<'a>,
    /// A kind widened that the innermost row has in its shape.
    widened: bool,
}

/// Learns the row that `reader` stands at. Returns the place after it.
pub(super) fn learn(schema: &mut Schema, reader: Reader<'_>) -> Result<usize, Malformed> {
    let mut learner = Learner { schema, reader, widened: false };
    learner.row(0)?;
    Ok(learner.reader.at)
}

impl<'a> Learner<'_, 'a> {
    fn row(&mut self, depth: usize) -> Result<(), Malformed> {
        if depth >= MAX_DEPTH {
            self.reader.skip()?;
            return Ok(());
        }
        let outer = self.widened;
        let learned = self.row_by_kind(depth);
        self.widened = outer;
        learned
    }

    fn row_by_kind(&mut self, depth: usize) -> Result<(), Malformed> {
        match self.reader.peek() {
            b'{' => self.members(depth),
            b'[' => {
                let (widened, learned) = self.top(self.schema.arrays.slot, depth);
                self.schema.arrays.version += widened;
                self.schema.loosen_if_restless(Owner::Arrays);
                learned
            }
            b'-' | b'0'..=b'9' => {
                let (widened, learned) = self.top(self.schema.numbers.slot, depth);
                self.schema.numbers.version += widened;
                learned
            }
            _ => self.reader.skip().map(|_| ()),
        }
    }

    /// A value of a row. Returns the versions that this adds, also where the text turns out to be none.
    fn top(&mut self, slot: Slot, depth: usize) -> (u32, Result<(), Malformed>) {
        self.widened = false;
        let learned = self.slot(slot, depth, 0);
        (u32::from(self.widened), learned)
    }

    /// The object of a row.
    fn members(&mut self, depth: usize) -> Result<(), Malformed> {
        self.reader.expect(b'{')?;
        if self.reader.accept(b'}') {
            return Ok(());
        }
        let mut node = Some(ROOT);
        loop {
            let before = self.reader;
            let key = self.key()?;
            node = node.and_then(|node| self.schema.child_or_new(node, key));
            if let Some(family) = node.and_then(|node| self.schema.nodes[node].family) {
                self.reader = before;
                return self.relatives(family, depth);
            }
            match node {
                Some(node) => {
                    let (widened, learned) = self.top(self.schema.nodes[node].slot, depth);
                    self.schema.nodes[node].version += widened;
                    learned?;
                }
                None => {
                    self.reader.skip()?;
                }
            }
            if !self.reader.comma_or(b'}')? {
                node.into_iter().for_each(|node| self.schema.loosen_if_restless(Owner::Node(node)));
                return Ok(());
            }
        }
    }

    /// The members of an object of `family`, from the first one on.
    fn relatives(&mut self, family: usize, depth: usize) -> Result<(), Malformed> {
        let start = self.reader;
        let mut keys = Vec::new();
        let mut more = true;
        while more {
            keys.push(self.key()?);
            self.reader.skip()?;
            more = self.reader.comma_or(b'}')?;
        }
        self.reader = start;
        let Schema { families, slots, .. } = &mut *self.schema;
        if !families[family].closed {
            families[family].take(&keys, slots);
        }
        let mut at = 0;
        for key in keys {
            self.key()?;
            match self.schema.families[family].find(at, key) {
                Some(found) => {
                    at = found + 1;
                    let (widened, learned) = self.top(self.schema.families[family].members[found].slot, depth);
                    self.schema.families[family].version += widened;
                    learned?;
                }
                None => {
                    self.reader.skip()?;
                }
            }
            self.reader.comma_or(b'}')?;
        }
        self.schema.loosen_if_restless(Owner::Family(family));
        Ok(())
    }

    /// Passes a member name and its colon.
    fn key(&mut self) -> Result<&'a [u8], Malformed> {
        self.reader.peek();
        let key = self.reader.string()?;
        self.reader.expect(b':')?;
        Ok(key)
    }

    fn rows(&mut self, depth: usize) -> Result<(), Malformed> {
        self.reader.expect(b'[')?;
        if self.reader.accept(b']') {
            return Ok(());
        }
        loop {
            self.row(depth + 1)?;
            if !self.reader.comma_or(b']')? {
                return Ok(());
            }
        }
    }

    fn widen(&mut self, slot: Slot, kind: Kind) {
        self.widened |= self.schema.slots[slot] != kind;
        self.schema.slots[slot] = kind;
    }

    /// A value at `slot`, which is `nesting` containers inside its row.
    fn slot(&mut self, slot: Slot, depth: usize, nesting: usize) -> Result<(), Malformed> {
        let kind = self.schema.slots[slot];
        match self.reader.peek() {
            b'{' => return self.object(slot, depth, nesting),
            b'[' => return self.array(slot, depth, nesting),
            b'"' => {
                let fits = matches!(kind, Kind::Unknown | Kind::Null | Kind::Text);
                self.widen(slot, if fits { Kind::Text } else { Kind::Any });
            }
            b'n' => match kind {
                Kind::Unknown => self.widen(slot, Kind::Null),
                Kind::Null | Kind::Text => {}
                _ => self.widen(slot, Kind::Any),
            },
            b't' | b'f' => {
                let fits = matches!(kind, Kind::Unknown | Kind::Bool);
                self.widen(slot, if fits { Kind::Bool } else { Kind::Any });
            }
            _ => {
                let fits_int = number::int({ self.reader }.number()).is_some();
                self.widen(
                    slot,
                    match kind {
                        Kind::Unknown | Kind::Int if fits_int => Kind::Int,
                        Kind::Unknown | Kind::Int | Kind::Double => Kind::Double,
                        _ => Kind::Any,
                    },
                );
            }
        }
        self.reader.skip()?;
        Ok(())
    }

    fn object(&mut self, slot: Slot, depth: usize, nesting: usize) -> Result<(), Malformed> {
        let start = self.reader;
        let fits = match self.schema.slots[slot] {
            Kind::Unknown if nesting < MAX_NESTING => self.new_layout(slot, depth, nesting)?,
            Kind::Object(layout) => self.layout(layout, depth, nesting)?,
            _ => false,
        };
        if !fits {
            self.reader = start;
            self.widen(slot, Kind::Any);
            self.row(depth + 1)?;
        }
        Ok(())
    }

    /// Makes a layout of the object's members. Returns whether there can be one.
    fn new_layout(&mut self, slot: Slot, depth: usize, nesting: usize) -> Result<bool, Malformed> {
        let mut members: Vec<Member> = Vec::new();
        let mut names = Vec::new();
        self.reader.expect(b'{')?;
        let mut more = !self.reader.accept(b'}');
        while more {
            let key: Box<[u8]> = self.key()?.into();
            let Some(name) = key::units(&key) else { return Err(Malformed) };
            names.push(name);
            let slot = self.schema.new_slot();
            members.push(Member { key, slot });
            if members.len() > MAX_MEMBERS / 2 {
                return Ok(false);
            }
            self.slot(slot, depth, nesting + 1)?;
            more = self.reader.comma_or(b'}')?;
        }
        if members.is_empty() || key::has_twins(&names) {
            return Ok(false);
        }
        self.schema.layouts.push(members);
        self.widen(slot, Kind::Object(self.schema.layouts.len() - 1));
        Ok(true)
    }

    /// Returns whether the object has the members of `layout`.
    fn layout(&mut self, layout: usize, depth: usize, nesting: usize) -> Result<bool, Malformed> {
        self.reader.expect(b'{')?;
        for at in 0..self.schema.layouts[layout].len() {
            if at > 0 && !self.reader.accept(b',') {
                return Ok(false);
            }
            self.reader.peek();
            let Member { key, slot } = &self.schema.layouts[layout][at];
            let slot = *slot;
            if !self.reader.text[self.reader.at..].starts_with(key) {
                return Ok(false);
            }
            self.reader.at += key.len();
            self.reader.expect(b':')?;
            self.slot(slot, depth, nesting + 1)?;
        }
        Ok(self.reader.accept(b'}'))
    }

    fn array(&mut self, slot: Slot, depth: usize, nesting: usize) -> Result<(), Malformed> {
        let (len, objects) = self.elements()?;
        match self.schema.slots[slot] {
            Kind::Unknown if nesting >= MAX_NESTING => self.widen(slot, Kind::Any),
            Kind::Unknown if objects => self.widen(slot, Kind::Rows),
            Kind::Unknown if (1..=MAX_TUPLE).contains(&len) => {
                let first = self.schema.slots.len();
                self.schema.slots.extend([Kind::Unknown; MAX_TUPLE].iter().take(len));
                self.widen(slot, Kind::Tuple { first, len });
            }
            Kind::Unknown => {
                let element = self.schema.new_slot();
                self.widen(slot, Kind::List(element));
            }
            // What was seen before were empty lists, or the lists are mixed.
            Kind::List(_) if objects => self.widen(slot, Kind::Rows),
            Kind::Tuple { first, len: other } if len != other => {
                let element = self.joined(first, other);
                self.widen(slot, Kind::List(element));
            }
            Kind::List(_) | Kind::Tuple { .. } | Kind::Rows | Kind::Any => {}
            _ => self.widen(slot, Kind::Any),
        }
        match self.schema.slots[slot] {
            Kind::List(element) => self.each(|_| element, depth, nesting),
            Kind::Tuple { first, .. } => self.each(|at| first + at, depth, nesting),
            _ => self.rows(depth),
        }
    }

    /// The elements of an array, each at the slot that `slot` tells by its index.
    fn each(&mut self, slot: impl Fn(usize) -> Slot, depth: usize, nesting: usize) -> Result<(), Malformed> {
        self.reader.expect(b'[')?;
        if self.reader.accept(b']') {
            return Ok(());
        }
        for at in 0.. {
            self.slot(slot(at), depth, nesting + 1)?;
            if !self.reader.comma_or(b']')? {
                break;
            }
        }
        Ok(())
    }

    /// How many elements the array here has, and whether the first one is an object.
    fn elements(&self) -> Result<(usize, bool), Malformed> {
        let mut reader = self.reader;
        reader.expect(b'[')?;
        let objects = reader.peek() == b'{';
        if reader.accept(b']') {
            return Ok((0, false));
        }
        let mut len = 0;
        loop {
            reader.skip()?;
            len += 1;
            if !reader.comma_or(b']')? {
                return Ok((len, objects));
            }
        }
    }

    /// One slot for what the elements of a tuple have in common.
    fn joined(&mut self, first: Slot, len: usize) -> Slot {
        let element = self.schema.new_slot();
        let mut kinds = self.schema.slots[first..first + len].iter().copied();
        let all = kinds.next().unwrap_or(Kind::Unknown);
        self.schema.slots[element] = kinds.fold(all, |all, kind| match (all, kind) {
            (all, kind) if all == kind => all,
            (Kind::Int | Kind::Double, Kind::Int | Kind::Double) => Kind::Double,
            (Kind::Null | Kind::Text, Kind::Null | Kind::Text) => Kind::Text,
            _ => Kind::Any,
        });
        element
    }
}
