//! Writes rows as a schema has them.

use super::family::MASK_BITS;
use super::learn::MAX_DEPTH;
use super::number;
use super::reader::{Malformed, Reader, plain_prefix};
use super::schema::{ANY, Kind, Owner, ROOT, Schema, Slot};
use super::streams::{Mark, Streams};

/// Longest string that is cut out of the text of its group, in UTF-16 units: V8 copies up to here, and has longer
/// ones keep the whole text alive.
pub(super) const MAX_SHORT: usize = 12;

/// Shortest string that may be a word, in bytes: JavaScript has all shorter ones of one unit at hand.
const MIN_WORD: usize = 2;

/// What comes in `ints` instead of the length of a short string.
pub(super) mod tag {
    /// The next value of `raw`.
    pub const RAW: i32 = -1;
    pub const NULL: i32 = -2;
    pub const TRUE: i32 = -3;
    pub const FALSE: i32 = -4;
    /// The next one of `ints`.
    pub const INT: i32 = -5;
    /// The next one of `doubles`.
    pub const DOUBLE: i32 = -6;
    /// An object: the id of its shape, and its row.
    pub const OBJECT: i32 = -7;
    /// An array: how many elements, and these in runs.
    pub const ROWS: i32 = -8;
    /// A word: this less its place in `raw`.
    pub const WORD: i32 = -16;
}

/// Why a row is not written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// It does not fit the schema.
    Mismatch,
    /// It is not JSON.
    Malformed,
}

impl From<Malformed> for Stop {
    fn from(_: Malformed) -> Self {
        Self::Malformed
    }
}

/// Rows of one shape in succession, which have their header once.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Run {
    /// Where `ints` has its header; `None` before the first row.
    header: Option<usize>,
}

impl Run {
    /// Takes the row of shape `id` that stands in `ints` from `start` on.
    #[inline]
    fn add(&mut self, id: u32, start: usize, ints: &mut Vec<i32>) {
        if let Some(header) = self.header
            && ints[header] == id as i32
        {
            ints[header + 1] += 1;
            return;
        }
        self.header = Some(start);
        let end = ints.len();
        ints.extend([0; 2]);
        ints.copy_within(start..end, start + 2);
        ints[start] = id as i32;
        ints[start + 1] = 1;
    }
}

/// Writes the values that `reader` passes to `out`.
pub(super) struct Writer<'s, 'a> {
    pub schema: &'s mut Schema,
    pub reader: Reader<'a>,
    pub out: &'s mut Streams,
}

impl<'a> Writer<'_, 'a> {
    /// Writes one row. What it wrote before it stopped is the caller's to undo.
    pub fn row(&mut self, run: &mut Run, depth: usize) -> Result<(), Stop> {
        let start = self.out.ints.len();
        let id = match self.reader.peek() {
            _ if depth >= MAX_DEPTH => None,
            b'{' => self.members(depth)?,
            b'[' => self.plain(Owner::Arrays, depth)?,
            b'-' | b'0'..=b'9' => self.plain(Owner::Numbers, depth)?,
            _ => None,
        };
        if id.is_none() {
            self.scalar_or_raw()?;
        }
        run.add(id.unwrap_or(ANY), start, &mut self.out.ints);
        Ok(())
    }

    /// Writes a row as the text that it is.
    pub fn raw_row(&mut self, run: &mut Run) -> Result<(), Stop> {
        let start = self.out.ints.len();
        self.scalar_or_raw()?;
        run.add(ANY, start, &mut self.out.ints);
        Ok(())
    }

    /// Writes a row that is a number or an array. Returns its shape; with none, nothing is written or read.
    fn plain(&mut self, owner: Owner, depth: usize) -> Result<Option<u32>, Stop> {
        let (start, mark) = (self.reader, self.out.mark());
        let plain = if owner == Owner::Arrays { &self.schema.arrays } else { &self.schema.numbers };
        let version = plain.version;
        self.value(plain.slot, depth)?;
        let id = self.id(owner, version, start.at);
        Ok(self.written(id, start, mark))
    }

    /// Writes the members of a row's object. Returns its shape; with none, nothing is written or read.
    fn members(&mut self, depth: usize) -> Result<Option<u32>, Stop> {
        let (start, mark) = (self.reader, self.out.mark());
        let mut node = ROOT;
        let mut version = 0;
        self.reader.at += 1;
        let mut more = !self.reader.accept(b'}');
        while more {
            self.reader.peek();
            let Some(child) = self.schema.child(node, &self.reader.text[self.reader.at..]) else {
                if !self.schema.is_full(node) {
                    return Err(Stop::Mismatch);
                }
                return Ok(self.written(None, start, mark));
            };
            node = child;
            let found = &self.schema.nodes[node];
            if let Some(family) = found.family {
                let fits = !self.schema.families[family].diverse && self.relatives(family, depth)?;
                let owner = Owner::Family(family);
                let id = if fits { self.id(owner, self.schema.families[family].version, start.at) } else { None };
                return Ok(self.written(id, start, mark));
            }
            version += found.version;
            self.reader.at += found.key.len();
            let slot = found.slot;
            self.reader.expect(b':')?;
            self.value(slot, depth)?;
            more = self.reader.comma_or(b'}')?;
        }
        let id = self.id(Owner::Node(node), version, start.at);
        Ok(self.written(id, start, mark))
    }

    /// The shape of the row of `owner` that began at `start`.
    #[inline]
    fn id(&mut self, owner: Owner, version: u32, start: usize) -> Option<u32> {
        self.schema.id(owner, version, self.reader.at - start)
    }

    /// Goes back to the start of a row that has no shape.
    #[inline]
    fn written(&mut self, id: Option<u32>, start: Reader<'a>, mark: Mark) -> Option<u32> {
        if id.is_none() {
            self.reader = start;
            self.out.undo(mark);
        }
        id
    }

    /// Writes the members of an object of `family`, from the first one on. Returns whether it could.
    fn relatives(&mut self, family: usize, depth: usize) -> Result<bool, Stop> {
        let masks = self.out.ints.len();
        let members = self.schema.families[family].members.len();
        self.out.ints.resize(masks + members.div_ceil(MASK_BITS), 0);
        let (mut at, mut combination) = (0, 0_u64);
        loop {
            self.reader.peek();
            let relatives = &self.schema.families[family];
            let found = relatives.find(at, &self.reader.text[self.reader.at..]);
            let Some(found) = found else {
                return if relatives.closed { Ok(false) } else { Err(Stop::Mismatch) };
            };
            if !relatives.may_lack(at, found) {
                return Err(Stop::Mismatch);
            }
            self.out.ints[masks + found / MASK_BITS] |= 1 << (found % MASK_BITS);
            combination |= 1 << found;
            let member = &relatives.members[found];
            self.reader.at += member.key.len();
            let slot = member.slot;
            self.reader.expect(b':')?;
            self.value(slot, depth)?;
            at = found + 1;
            if !self.reader.comma_or(b'}')? {
                break;
            }
        }
        let relatives = &mut self.schema.families[family];
        relatives.count(combination);
        if relatives.may_lack(at, members) { Ok(true) } else { Err(Stop::Mismatch) }
    }

    /// Writes the array here as runs of rows.
    fn rows(&mut self, depth: usize) -> Result<(), Stop> {
        self.reader.expect(b'[')?;
        let count = self.out.ints.len();
        self.out.ints.push(0);
        let mut more = !self.reader.accept(b']');
        let mut run = Run::default();
        while more {
            self.out.ints[count] += 1;
            self.row(&mut run, depth + 1)?;
            more = self.reader.comma_or(b']')?;
        }
        Ok(())
    }

    /// Writes the value here as `slot` has it.
    fn value(&mut self, slot: Slot, depth: usize) -> Result<(), Stop> {
        let first = self.reader.peek();
        match self.schema.slots[slot] {
            Kind::Int => {
                let int = number::int(self.reader.number()).ok_or(Stop::Mismatch)?;
                self.out.ints.push(int);
            }
            Kind::Double => {
                let double = number::double(self.reader.number()).ok_or(Stop::Mismatch)?;
                self.out.doubles.push(double);
            }
            Kind::Bool => {
                if !matches!(first, b't' | b'f') {
                    return Err(Stop::Mismatch);
                }
                self.reader.skip()?;
                self.out.ints.push(i32::from(first == b't'));
            }
            Kind::Text => match first {
                b'"' => self.text()?,
                b'n' => self.scalar_or_raw()?,
                _ => return Err(Stop::Mismatch),
            },
            Kind::Null if first == b'n' => self.reader.literal(b"null")?,
            Kind::Object(layout) if first == b'{' => self.object(layout, depth)?,
            Kind::List(element) if first == b'[' => self.list(element, depth)?,
            Kind::Tuple { first: element, len } if first == b'[' => self.tuple(element, len, depth)?,
            Kind::Rows if first == b'[' => self.rows(depth)?,
            Kind::Any => self.any(first, depth)?,
            _ => return Err(Stop::Mismatch),
        }
        Ok(())
    }

    /// Writes the object here with the members of `layout`.
    fn object(&mut self, layout: usize, depth: usize) -> Result<(), Stop> {
        self.reader.at += 1;
        for at in 0..self.schema.layouts[layout].len() {
            if at > 0 && !self.reader.accept(b',') {
                return Err(Stop::Mismatch);
            }
            self.reader.peek();
            let member = &self.schema.layouts[layout][at];
            if !self.reader.text[self.reader.at..].starts_with(&member.key) {
                return Err(Stop::Mismatch);
            }
            self.reader.at += member.key.len();
            let slot = member.slot;
            self.reader.expect(b':')?;
            self.value(slot, depth)?;
        }
        self.reader.accept(b'}').then_some(()).ok_or(Stop::Mismatch)
    }

    fn list(&mut self, element: Slot, depth: usize) -> Result<(), Stop> {
        self.reader.at += 1;
        let count = self.out.ints.len();
        self.out.ints.push(0);
        let mut more = !self.reader.accept(b']');
        while more {
            self.out.ints[count] += 1;
            self.value(element, depth)?;
            more = self.reader.comma_or(b']')?;
        }
        Ok(())
    }

    fn tuple(&mut self, first: Slot, len: usize, depth: usize) -> Result<(), Stop> {
        self.reader.at += 1;
        for at in 0..len {
            if at > 0 && !self.reader.accept(b',') || self.reader.peek() == b']' {
                return Err(Stop::Mismatch);
            }
            self.value(first + at, depth)?;
        }
        self.reader.accept(b']').then_some(()).ok_or(Stop::Mismatch)
    }

    fn any(&mut self, first: u8, depth: usize) -> Result<(), Stop> {
        let start = self.out.ints.len();
        match first {
            b'{' if depth + 1 < MAX_DEPTH => {
                self.out.ints.extend([tag::OBJECT, 0]);
                match self.members(depth + 1)? {
                    Some(id) => self.out.ints[start + 1] = id as i32,
                    None => {
                        self.out.ints.truncate(start);
                        self.scalar_or_raw()?;
                    }
                }
            }
            b'[' if depth + 1 < MAX_DEPTH => {
                self.out.ints.push(tag::ROWS);
                self.rows(depth)?;
            }
            _ => self.scalar_or_raw()?,
        }
        Ok(())
    }

    /// Writes the value here with its tag, and as text if it is a container.
    fn scalar_or_raw(&mut self) -> Result<(), Stop> {
        match self.reader.peek() {
            b'"' => return self.text(),
            first @ (b'n' | b't' | b'f') => {
                self.reader.skip()?;
                self.out.ints.push(match first {
                    b'n' => tag::NULL,
                    b't' => tag::TRUE,
                    _ => tag::FALSE,
                });
            }
            b'{' | b'[' => {
                let token = self.reader.skip()?;
                self.out.ints.push(tag::RAW);
                self.out.loose += token.len();
                self.out.push_raw(token);
            }
            _ => {
                let token = self.reader.number();
                match number::int(token) {
                    Some(int) => self.out.ints.extend([tag::INT, int]),
                    None => {
                        self.out.ints.push(tag::DOUBLE);
                        self.out.doubles.push(number::double(token).ok_or(Stop::Malformed)?);
                    }
                }
            }
        }
        Ok(())
    }

    /// Writes and passes the string that is `start..end` of the text, if it is a word.
    #[inline]
    fn word(&mut self, start: usize, end: usize) -> bool {
        let Some(word) = self.out.words.find(self.reader.text, start, end) else { return false };
        self.out.ints.push(tag::WORD - (self.out.first_word + word) as i32);
        self.reader.at = end;
        true
    }

    /// Writes the string here.
    fn text(&mut self) -> Result<(), Stop> {
        let from = self.reader.at + 1;
        if let Some(chunk) = self.reader.text.get(from..).and_then(<[u8]>::first_chunk::<16>) {
            let plain = plain_prefix(chunk);
            if plain <= MAX_SHORT && chunk[plain] == b'"' {
                if plain >= MIN_WORD && self.word(self.reader.at, from + plain + 1) {
                    return Ok(());
                }
                self.out.ints.push(plain as i32);
                // The whole chunk at once, since a copy of a length that is known is one instruction.
                let end = self.out.text.len() + plain;
                self.out.text.extend_from_slice(chunk);
                self.out.text.truncate(end);
                self.reader.at = from + plain + 1;
                return Ok(());
            }
        }
        let at = self.reader.at;
        let token = self.reader.string()?;
        if self.word(at, self.reader.at) {
            return Ok(());
        }
        let start = self.out.text.len();
        if append_latin1(&token[1..token.len() - 1], &mut self.out.text) {
            self.out.ints.push((self.out.text.len() - start) as i32);
        } else {
            self.out.text.truncate(start);
            self.out.ints.push(tag::RAW);
            self.out.push_raw(token);
        }
        Ok(())
    }
}

/// Appends a string without escapes and of Latin-1 units, if it is short. Returns whether it is.
fn append_latin1(string: &[u8], out: &mut Vec<u8>) -> bool {
    if string.len() > 2 * MAX_SHORT {
        return false;
    }
    let end = out.len() + MAX_SHORT;
    let mut bytes = string.iter();
    while let Some(byte) = bytes.next() {
        let unit = match byte {
            b'\\' => return false,
            0..0x80 => *byte,
            0xc2 | 0xc3 => match bytes.next() {
                Some(tail @ 0x80..0xc0) => byte << 6 | tail & 0x3f,
                _ => return false,
            },
            _ => return false,
        };
        if out.len() == end {
            return false;
        }
        out.push(unit);
    }
    true
}
