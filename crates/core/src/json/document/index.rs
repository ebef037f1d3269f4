//! The offsets that let a look-up step over most of a document.
//!
//! A container is in the index if reading over it would cost more than [`STRIDE`] bytes, those of containers
//! inside of it that are in the index themselves left out. So whatever the shape of a document, no step reads
//! much more than `STRIDE` bytes, and the index stays a fraction of the text: one entry for each `STRIDE`
//! bytes is the worst.

use super::table;
use crate::json::scan::{Stack, check_with, skip_white};
use crate::json::{Container, Fault, Limits};

/// Bytes that are read rather than indexed. What a fuzzer makes is small.
const STRIDE: usize = if cfg!(fuzzing) { 16 } else { 256 };
/// What stepping over an indexed container costs, in bytes read.
const STEP: usize = STRIDE / 4;
/// Members from which on an indexed object gets a hash table.
const HASHED: usize = STRIDE / 8;
/// What reading over an indexed object costs, from which on it gets one however few its members are.
const LONG: usize = STRIDE * 16;

/// An offset as the index stores it.
pub(super) trait Offset: Copy + Ord {
    fn new(value: usize) -> Self;
    fn get(self) -> usize;
}

impl Offset for u32 {
    fn new(value: usize) -> Self {
        value as Self
    }

    fn get(self) -> usize {
        self as usize
    }
}

impl Offset for u64 {
    fn new(value: usize) -> Self {
        value as Self
    }

    fn get(self) -> usize {
        self as usize
    }
}

/// An indexed container.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry<O = usize> {
    pub(super) start: O,
    pub(super) end: O,
    /// Elements; of a hashed object its names, each once; of another object its members, duplicates counted.
    pub(super) count: O,
    /// Where its part of the side tables begins.
    side: O,
    /// The length of that part. For an array it has pairs, the number of an element and its offset; for a hashed
    /// object the slots of its hash table.
    side_length: O,
}

impl<O: Offset> Entry<O> {
    fn widen(self) -> Entry {
        let Self { start, end, count, side, side_length } = self;
        Entry {
            start: start.get(),
            end: end.get(),
            count: count.get(),
            side: side.get(),
            side_length: side_length.get(),
        }
    }
}

impl Entry {
    /// Whether it is an object with a hash table of its members.
    pub(super) fn is_hashed(&self) -> bool {
        self.side_length > 0
    }
}

/// The index with offsets of one width.
#[derive(Debug, Default)]
pub(super) struct Tables<O> {
    /// By start.
    entries: Vec<Entry<O>>,
    side: Vec<O>,
}

/// A container that has not ended yet.
struct Frame<O> {
    kind: Container,
    start: O,
    count: O,
    /// Bytes before here that need not be read, thanks to indexed containers inside.
    saved: O,
    /// What it costs to read from the start to the newest sample.
    sampled: O,
    /// Where its part of the pending side table begins.
    pending: O,
}

struct Builder<'a, O> {
    text: &'a [u8],
    hasher: &'a table::Hasher,
    tables: Tables<O>,
    open: Vec<Frame<O>>,
    /// Of all open containers: of arrays the samples, of objects where the names are.
    pending: Vec<O>,
}

impl<O: Offset> Builder<'_, O> {
    /// Notes the child of the innermost container that begins at or after `at`, if there is one.
    #[inline(always)]
    fn begin_child(&mut self, at: usize) {
        let at = skip_white(self.text, at);
        let Some(frame) = self.open.last_mut() else { return };
        if matches!(self.text.get(at), Some(b']' | b'}')) {
            return;
        }
        let number = frame.count.get();
        frame.count = O::new(number + 1);
        if frame.kind == Container::Object {
            return self.pending.push(O::new(at));
        }
        let cost = at - frame.start.get() - frame.saved.get();
        if cost - frame.sampled.get() >= STRIDE {
            frame.sampled = O::new(cost);
            self.pending.extend([O::new(number), O::new(at)]);
        }
    }

    /// Ends the innermost container, whose bracket is right before `end`.
    fn close(&mut self, end: usize) {
        let Some(frame) = self.open.pop() else { return };
        let start = frame.start.get();
        let mut saved = frame.saved.get();
        let cost = end - start - saved;
        if cost > STRIDE {
            saved = end - start - STEP;
            self.add(&frame, end, cost);
        }
        self.pending.truncate(frame.pending.get());
        if let Some(parent) = self.open.last_mut() {
            parent.saved = O::new(parent.saved.get() + saved);
        }
    }

    #[inline(never)]
    fn add(&mut self, frame: &Frame<O>, end: usize, cost: usize) {
        let Self { tables: Tables { entries, side }, pending, .. } = self;
        let (own, before) = (&pending[frame.pending.get()..], side.len());
        let mut count = frame.count;
        if frame.kind == Container::Array {
            side.extend_from_slice(own);
        } else if own.len() >= HASHED || cost >= LONG {
            count = O::new(table::build(self.text, self.hasher, own, side));
        }
        let side_length = O::new(side.len() - before);
        entries.push(Entry { start: frame.start, end: O::new(end), count, side: O::new(before), side_length });
    }
}

impl<O: Offset> Stack for Builder<'_, O> {
    #[inline(always)]
    fn depth(&self) -> usize {
        self.open.len()
    }

    #[inline(always)]
    fn top(&self) -> Container {
        self.open.last().map_or(Container::Array, |frame| frame.kind)
    }

    #[inline(always)]
    fn push(&mut self, kind: Container, at: usize) {
        let (zero, pending) = (O::new(0), O::new(self.pending.len()));
        self.open.push(Frame { kind, start: O::new(at), count: zero, saved: zero, sampled: zero, pending });
        self.begin_child(at + 1);
    }

    #[inline(always)]
    fn comma(&mut self, _text: &[u8], at: usize) {
        self.begin_child(at + 1);
    }

    #[inline(always)]
    fn pop(&mut self, _text: &[u8], at: usize, _empty: bool) {
        self.close(at + 1);
    }
}

impl<O: Offset> Tables<O> {
    /// Validates and indexes `text`; `None` if it is cancelled.
    pub(super) fn build(
        text: &[u8],
        limits: &Limits,
        hasher: &table::Hasher,
        is_cancelled: &dyn Fn() -> bool,
    ) -> Result<Option<Self>, Fault> {
        let tables = Self { entries: Vec::new(), side: Vec::new() };
        let mut builder = Builder { text, hasher, tables, open: Vec::new(), pending: Vec::new() };
        if !check_with(text, limits, &mut builder, is_cancelled)? {
            return Ok(None);
        }
        let mut tables = builder.tables;
        // They came by their ends. A stable sort finds the runs that are in order, which most of them are.
        tables.entries.sort_by_key(|entry| entry.start);
        tables.entries.shrink_to_fit();
        tables.side.shrink_to_fit();
        Ok(Some(tables))
    }

    /// The first entry from number `from` on that starts at `at` or later. Fast where that is near.
    fn seek(&self, from: usize, at: usize) -> usize {
        let entries = &self.entries[from..];
        let mut reach = 1;
        while entries.get(reach).is_some_and(|entry| entry.start.get() < at) {
            reach *= 2;
        }
        let (low, high) = (reach / 2, entries.len().min(reach + 1));
        from + low + entries[low..high].partition_point(|entry| entry.start.get() < at)
    }

    /// The sampled element at or before element `wanted`: its number and its offset.
    fn sample(&self, entry: &Entry, wanted: usize) -> Option<(usize, usize)> {
        let (pairs, _) = self.side[entry.side..entry.side + entry.side_length].as_chunks::<2>();
        let after = pairs.partition_point(|[number, _]| number.get() <= wanted);
        let [number, at] = pairs[..after].last()?;
        Some((number.get(), at.get()))
    }

    fn bytes(&self) -> usize {
        size_of_val(self.entries.as_slice()) + size_of_val(self.side.as_slice())
    }
}

/// The index of a document.
#[derive(Debug)]
pub(super) enum Index {
    Narrow(Tables<u32>),
    /// Of a document of 4 GiB and more.
    Wide(Tables<u64>),
}

/// Evaluates `$body` for the tables, whichever they are.
macro_rules! either {
    ($index:expr, $tables:ident => $body:expr) => {
        match $index {
            Index::Narrow($tables) => $body,
            Index::Wide($tables) => $body,
        }
    };
}

impl Index {
    /// Validates and indexes `text`; `None` if it is cancelled.
    pub(super) fn build(
        text: &[u8],
        limits: &Limits,
        hasher: &table::Hasher,
        is_cancelled: &dyn Fn() -> bool,
    ) -> Result<Option<Self>, Fault> {
        Ok(if u32::try_from(text.len()).is_ok() {
            Tables::build(text, limits, hasher, is_cancelled)?.map(Self::Narrow)
        } else {
            Tables::build(text, limits, hasher, is_cancelled)?.map(Self::Wide)
        })
    }

    /// Entry `number`, by their starts.
    #[inline]
    pub(super) fn entry(&self, number: usize) -> Option<Entry> {
        either!(self, tables => tables.entries.get(number).map(|entry| entry.widen()))
    }

    /// The number of the first entry from number `from` on that starts at `at` or later.
    pub(super) fn seek(&self, from: usize, at: usize) -> usize {
        either!(self, tables => tables.seek(from, at))
    }

    /// An element of an indexed array at or before element `wanted`: its number and its offset.
    pub(super) fn sample(&self, entry: &Entry, wanted: usize) -> Option<(usize, usize)> {
        either!(self, tables => tables.sample(entry, wanted))
    }

    /// Where the member `name` of a hashed object has its name.
    pub(super) fn member(&self, text: &[u8], hasher: &table::Hasher, entry: &Entry, name: &[u8]) -> Option<usize> {
        let slots = entry.side..entry.side + entry.side_length;
        either!(self, tables => table::find(text, hasher, &tables.side[slots], name))
    }

    /// Bytes of memory.
    pub(super) fn bytes(&self) -> usize {
        either!(self, tables => tables.bytes())
    }
}
