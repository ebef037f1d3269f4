//! Scans, validates and cuts text that arrives in pieces.

mod bytes;
mod cutter;
mod machine;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::ops::Range;

use super::fault::{EXCERPT_BYTES, Fault, Problem, Tally};
use super::{Container, Limits, Sink};
pub(super) use bytes::skip_white;
use cutter::{Cutter, Frames};
use machine::Machine;
pub(super) use machine::{Halt, Stack};

/// How much of a long piece is taken at once, in bytes: the buffer stays in the processor's cache.
const PIECE_BYTES: usize = 65_536;

/// How much of a whole text is checked before somebody is asked whether to go on, in bytes.
const CHECKED_BYTES: usize = if cfg!(test) { 61 } else { 262_144 };

/// The most that a group can be asked to have, in bytes: a count of children always fits 32 bits.
const MAX_GROUP_BYTES: usize = 1 << 30;

/// White space in a row that stays in the buffer at the end of a piece, in bytes: an excerpt shows no more.
const KEPT_WHITE: usize = EXCERPT_BYTES;

/// Most UTF-16 units of a string or a number before its last piece: V8's longest string, in which it is told, less
/// some room for that piece and for what else is in the group.
const MAX_UNITS: u64 = (1 << 29) - (1 << 20);

/// Capacity that the buffer keeps when it is empty, in bytes.
const KEPT_BYTES: usize = 1 << 20;

/// Reads a document as JSON.parse does, from pieces, and tells a sink its groups.
///
/// It takes well-formed WTF-8; other bytes harm nothing but the words of a fault. The pieces may be cut anywhere.
#[derive(Debug)]
pub struct Scanner {
    machine: Machine,
    frames: Frames,
    /// What has arrived and is still needed, without most of long white space.
    buffer: Vec<u8>,
    /// White space that was left out, and where in the buffer.
    gaps: VecDeque<(usize, Tally)>,
    /// How far the machine has come in the buffer.
    at: usize,
    /// Where the buffer begins, in bytes from the start of the document without what was left out.
    base: u64,
    /// Counts what was before the buffer.
    before: Tally,
    fed: u64,
    max_bytes: Option<u64>,
    /// Of the string or number that has not ended, as far as it was read.
    token_units: u64,
    max_units: u64,
    fault: Option<Fault>,
}

impl Scanner {
    /// Groups have at least `group_bytes` of text (1 to 2^30; see `GROUP_BYTES`), the last one of a container
    /// excepted.
    pub fn new(group_bytes: usize, limits: &Limits) -> Self {
        Self {
            machine: Machine::new(limits),
            frames: Frames::new(group_bytes.clamp(1, MAX_GROUP_BYTES)),
            buffer: Vec::new(),
            gaps: VecDeque::new(),
            at: 0,
            base: 0,
            before: Tally::default(),
            fed: 0,
            max_bytes: limits.max_bytes,
            token_units: 0,
            max_units: MAX_UNITS,
            fault: None,
        }
    }

    /// Goes on with `bytes`.
    ///
    /// # Errors
    /// The first fault of the text, as soon as it is reached; from then on always the same one.
    pub fn feed(&mut self, bytes: &[u8], sink: &mut impl Sink) -> Result<(), Fault> {
        if let Some(fault) = &self.fault {
            return Err(fault.clone());
        }
        let room = self.max_bytes.map_or(u64::MAX, |max| max - self.fed);
        let allowed = usize::try_from(room).unwrap_or(usize::MAX).min(bytes.len());
        self.fed += allowed as u64;
        for piece in bytes[..allowed].chunks(PIECE_BYTES) {
            self.buffer.extend_from_slice(piece);
            let mut cutter = Cutter { frames: &mut self.frames, base: self.base, sink };
            match self.machine.run(&self.buffer, self.at, &mut cutter) {
                Ok(at) => self.passed(at),
                Err(halt) => return self.fail(halt.problem, halt.at),
            }
            if self.token_units > self.max_units {
                return self.fail(Problem::TooLong, self.buffer.len());
            }
            self.squeeze();
            self.forget();
        }
        match self.max_bytes {
            Some(max) if allowed < bytes.len() => self.fail(Problem::Bytes(max), self.buffer.len()),
            _ => Ok(()),
        }
    }

    /// The text ends.
    ///
    /// # Errors
    /// The text is not complete, or had a fault before.
    pub fn finish(&mut self, sink: &mut impl Sink) -> Result<(), Fault> {
        if let Some(fault) = &self.fault {
            return Err(fault.clone());
        }
        let mut cutter = Cutter { frames: &mut self.frames, base: self.base, sink };
        match self.machine.finish(&self.buffer[self.at..], &cutter) {
            Ok(()) => {
                cutter.finish(&self.buffer);
                Ok(())
            }
            Err(problem) => self.fail(problem, self.buffer.len()),
        }
    }

    /// The machine has come to `at`.
    fn passed(&mut self, at: usize) {
        self.token_units = units_of_token(&self.machine, &self.buffer, self.at..at, self.token_units);
        self.at = at;
    }

    /// Leaves out white space at the end of the buffer, if it is much: a group could otherwise have any amount.
    fn squeeze(&mut self) {
        let end = self.buffer.len();
        if self.at < end || self.machine.token().is_some() {
            return;
        }
        let is_white = |byte: &u8| matches!(byte, b' ' | b'\n' | b'\r' | b'\t');
        let white = self.buffer.iter().rev().take_while(|byte| is_white(byte)).count();
        if white <= KEPT_WHITE {
            return;
        }
        let (start, kept) = (end - white, end - KEPT_WHITE);
        let mut tally = Tally::default();
        tally.add(&self.buffer[start..kept]);
        match self.gaps.back_mut() {
            Some((at, before)) if *at == start => before.join(&tally),
            _ => self.gaps.push_back((start, tally)),
        }
        self.buffer.copy_within(kept.., start);
        self.buffer.truncate(start + KEPT_WHITE);
        self.at = self.buffer.len();
    }

    /// Goes on with `tally` over the first `length` bytes of the buffer and what was left out of them.
    fn count(&mut self, tally: &mut Tally, length: usize) {
        let mut counted = 0;
        while let Some((at, _)) = self.gaps.front().filter(|(at, _)| *at < length)
            && let at = *at
            && let Some((_, gap)) = self.gaps.pop_front()
        {
            tally.add(&self.buffer[counted..at]);
            tally.join(&gap);
            counted = at;
        }
        tally.add(&self.buffer[counted..length]);
    }

    #[cold]
    fn fail(&mut self, problem: Problem, at: usize) -> Result<(), Fault> {
        let mut tally = self.before.clone();
        self.count(&mut tally, at);
        let fault = Fault::counted(problem, &self.buffer, at, &tally);
        self.fault = Some(fault.clone());
        Err(fault)
    }

    /// Drops text that neither a group nor an excerpt needs, once it is the larger part of the buffer.
    fn forget(&mut self) {
        let pending = usize::try_from(self.frames.pending() - self.base).unwrap_or(usize::MAX);
        let spare = pending.min(self.at.saturating_sub(EXCERPT_BYTES));
        if spare == 0 || spare < self.buffer.len() / 2 {
            return;
        }
        let mut before = std::mem::take(&mut self.before);
        self.count(&mut before, spare);
        self.before = before;
        self.gaps.iter_mut().for_each(|(at, _)| *at -= spare);
        self.buffer.drain(..spare);
        self.buffer.shrink_to(KEPT_BYTES.max(2 * self.buffer.len()));
        self.base += spare as u64;
        self.at -= spare;
    }
}

/// Whether `text` is one document that JSON.parse takes, within `limits`.
///
/// # Errors
/// The first fault of the text.
pub fn check(text: &[u8], limits: &Limits) -> Result<(), Fault> {
    check_with(text, limits, &mut Kinds::default(), &|| false).map(|_| ())
}

/// `check`, for those who want to know of the containers, and who may lose interest on the way: `Ok(false)` then.
pub(super) fn check_with(
    text: &[u8],
    limits: &Limits,
    stack: &mut impl Stack,
    is_cancelled: &dyn Fn() -> bool,
) -> Result<bool, Fault> {
    let room = usize::try_from(limits.max_bytes.unwrap_or(u64::MAX)).unwrap_or(usize::MAX);
    let allowed = &text[..room.min(text.len())];
    let fault = |halt: Halt| Fault::new(halt.problem, allowed, halt.at, &Tally::default());
    let mut machine = Machine::new(limits);
    let (mut at, mut token_units) = (0, 0);
    for end in (0..allowed.len()).step_by(CHECKED_BYTES).skip(1).chain([allowed.len()]) {
        if is_cancelled() {
            return Ok(false);
        }
        let start = at;
        at = machine.run(&allowed[..end], start, stack).map_err(fault)?;
        token_units = units_of_token(&machine, allowed, start..at, token_units);
        if token_units > MAX_UNITS {
            return Err(fault(Halt { at: end, problem: Problem::TooLong }));
        }
    }
    if allowed.len() < text.len() {
        return Err(fault(Halt { at: allowed.len(), problem: Problem::Bytes(allowed.len() as u64) }));
    }
    let end = machine.finish(&text[at..], stack);
    end.map_err(|problem| fault(Halt { at: text.len(), problem }))?;
    Ok(true)
}

/// The UTF-16 units of the string or number that the machine is in, after it has run over `ran`; `before` are those
/// up to there.
fn units_of_token(machine: &Machine, text: &[u8], ran: Range<usize>, before: u64) -> u64 {
    let Some(start) = machine.token() else { return 0 };
    let mut tally = Tally::default();
    tally.add(&text[start..ran.end]);
    // It goes on from the piece before where that left it.
    if start == ran.start { before + tally.units } else { tally.units }
}

/// `check`, for those who know where the text stands, whose length nothing bounds.
pub(super) fn judge(text: &[u8], limits: &Limits) -> Result<(), Halt> {
    let (mut machine, mut stack) = (Machine::new(limits), Kinds::default());
    let at = machine.run(text, 0, &mut stack)?;
    machine.finish(&text[at..], &stack).map_err(|problem| Halt { at: text.len(), problem })
}

/// A stack of nothing but kinds, a bit each: `check` takes any depth.
#[derive(Default)]
struct Kinds {
    depth: usize,
    /// The innermost up to 64, from the lowest bit on; a bit is set for an object.
    word: u64,
    /// The outer ones, 64 each.
    words: Vec<u64>,
}

impl Stack for Kinds {
    #[inline(always)]
    fn depth(&self) -> usize {
        self.depth
    }

    #[inline(always)]
    fn top(&self) -> Container {
        if self.word & 1 == 1 { Container::Object } else { Container::Array }
    }

    #[inline(always)]
    fn push(&mut self, kind: Container, _at: usize) {
        if self.depth > 0 && self.depth.is_multiple_of(64) {
            self.words.push(self.word);
        }
        self.word = self.word << 1 | u64::from(kind == Container::Object);
        self.depth += 1;
    }

    #[inline(always)]
    fn comma(&mut self, _text: &[u8], _at: usize) {}

    #[inline(always)]
    fn pop(&mut self, _text: &[u8], _at: usize, _empty: bool) {
        self.depth -= 1;
        self.word >>= 1;
        if self.depth.is_multiple_of(64)
            && let Some(word) = self.words.pop()
        {
            self.word = word;
        }
    }
}
