//! The work on one document, a piece at a time.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::inflate::Inflate;
use super::op::{Emitter, Op};
use crate::json::document::{Column, Document};
use crate::json::lines::{Flow, LineSink, Lines};
use crate::json::scan::Scanner;
use crate::json::text::{Utf8Sanitizer, Utf16Decoder};
use crate::json::{Container, Fault, FaultKind, Limits, Sink};

/// Text that is scanned in one go, in bytes: a fraction of a millisecond.
const STEP: usize = 262_144;

/// A piece of a document on its way in.
#[derive(Debug)]
pub enum Piece {
    /// UTF-16 of a JavaScript string, cut anywhere.
    Units(Vec<u16>),
    /// UTF-8, or what is compressed, cut anywhere.
    Bytes(Vec<u8>),
}

impl Piece {
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Units(units) => units.len() * 2,
            Self::Bytes(bytes) => bytes.len(),
        }
    }
}

/// What to make of a document.
#[derive(Debug)]
pub enum Goal {
    /// Ops that build it.
    Build,
    /// Nothing but whether it is JSON.
    Check,
    /// A value a line, in groups.
    Lines {
        /// Whether to tell of a line that is not JSON and to go on, rather than to end there.
        skip_bad: bool,
        /// Bytes of a line beyond which it counts as bad.
        max_line_bytes: Option<u64>,
    },
    /// A [`Document`].
    Keep,
    /// Ops that build a value of a document that is kept. Nothing is pushed.
    Part(Arc<Document>, std::ops::Range<usize>),
    /// Ops that build an array of values of a document that is kept. Nothing is pushed.
    Column(Arc<Document>, Column),
}

/// How to do it.
#[derive(Debug)]
pub struct Plan {
    /// What to make.
    pub goal: Goal,
    /// Whether groups may be encoded for generated code.
    pub compiled: bool,
    /// Whether bytes that begin as gzip or Zstandard do are to be inflated.
    pub inflate: bool,
    /// What to refuse. With a limit nothing is told before all is known to be within it.
    pub limits: Limits,
    /// See [`crate::json::GROUP_BYTES`].
    pub group_bytes: usize,
}

impl Plan {
    /// Whether the text is there already.
    pub(super) fn needs_no_input(&self) -> bool {
        matches!(self.goal, Goal::Part(..) | Goal::Column(..))
    }
}

/// What is left to do without another piece.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Progress {
    /// Whether anything is.
    pub(super) more: bool,
    /// Whether some of the piece before has not been looked at, and another has to wait.
    pub(super) full: bool,
}

pub(super) struct Machine {
    utf16: Utf16Decoder,
    utf8: Utf8Sanitizer,
    inflate: Inflate,
    /// Text on its way from `utf16` or `utf8` to the stage.
    text: Vec<u8>,
    stage: Stage,
    emitter: Emitter,
    finished: bool,
    cancelled: Arc<AtomicBool>,
}

enum Stage {
    Scan(Box<Scanner>),
    Check(Box<Scanner>),
    Lines {
        lines: Box<Lines>,
        skip_bad: bool,
    },
    /// Checks a text before it is built.
    Collect {
        checked: Box<Scanner>,
        text: Vec<u8>,
        group_bytes: usize,
    },
    /// Collects a text that is checked as it is indexed.
    Keep {
        text: Vec<u8>,
        limits: Limits,
    },
    Replay {
        text: Replayed,
        at: usize,
        scanner: Box<Scanner>,
    },
    Column {
        document: Arc<Document>,
        column: Box<Column>,
        opened: bool,
    },
}

enum Replayed {
    Owned(Vec<u8>),
    Part(Arc<Document>, std::ops::Range<usize>),
}

impl Replayed {
    fn text(&self) -> &[u8] {
        match self {
            Self::Owned(text) => text,
            Self::Part(document, range) => &document.text()[range.clone()],
        }
    }
}

/// Whoever wants to know only that nothing is wrong.
struct Nothing;

impl Sink for Nothing {
    fn open(&mut self, _: Container, _: Option<&[u8]>) {}
    fn close(&mut self) {}
    fn group(&mut self, _: Container, _: &[u8], _: u32) {}
}

struct LineEmitter<'a> {
    emitter: &'a mut Emitter,
    skip_bad: bool,
}

impl Sink for LineEmitter<'_> {
    fn open(&mut self, kind: Container, key: Option<&[u8]>) {
        self.emitter.open(kind, key);
    }

    fn close(&mut self) {
        self.emitter.close();
    }

    fn group(&mut self, within: Container, text: &[u8], count: u32) {
        self.emitter.group(within, text, count);
    }
}

impl LineSink for LineEmitter<'_> {
    fn bad_line(&mut self, fault: &Fault) -> Flow {
        if self.skip_bad && matches!(fault.kind, FaultKind::Syntax | FaultKind::Line) {
            self.emitter.push(Op::BadLine(Box::new(fault.clone())));
            return Flow::Skip;
        }
        Flow::Stop
    }
}

/// Why a job ends early.
enum Stop {
    Fault(Fault),
    Damaged(std::io::Error),
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<std::io::Error> for Stop {
    fn from(error: std::io::Error) -> Self {
        Self::Damaged(error)
    }
}

impl Machine {
    pub(super) fn new(plan: Plan) -> Self {
        let Plan { goal, compiled, inflate, limits, group_bytes } = plan;
        let scanner = |limits: &Limits| Box::new(Scanner::new(group_bytes, limits));
        let stage = match goal {
            Goal::Keep => Stage::Keep { text: Vec::new(), limits },
            Goal::Build if limits != Limits::default() => {
                Stage::Collect { checked: scanner(&limits), text: Vec::new(), group_bytes }
            }
            Goal::Build => Stage::Scan(scanner(&limits)),
            Goal::Check => Stage::Check(scanner(&limits)),
            Goal::Lines { skip_bad, max_line_bytes } => {
                Stage::Lines { lines: Box::new(Lines::new(group_bytes, &limits, max_line_bytes)), skip_bad }
            }
            Goal::Part(document, range) => {
                Stage::Replay { text: Replayed::Part(document, range), at: 0, scanner: scanner(&Limits::default()) }
            }
            Goal::Column(document, column) => Stage::Column { document, column: Box::new(column), opened: false },
        };
        Self {
            utf16: Utf16Decoder::default(),
            utf8: Utf8Sanitizer::default(),
            inflate: Inflate::new(inflate),
            text: Vec::new(),
            stage,
            emitter: Emitter::new(compiled),
            finished: false,
            cancelled: Arc::default(),
        }
    }

    /// What ends long work early once it is set. Whoever sets it must not expect to be told anything more.
    pub(super) fn cancelled(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.cancelled)
    }

    /// Takes in a piece, if there is one, and `ended` once it was the last; does some work, and appends what is to be told.
    pub(super) fn advance(&mut self, piece: Option<Piece>, ended: bool, ops: &mut Vec<Op>) -> Progress {
        let outcome = self.step(piece, ended);
        self.emitter.drain(ops);
        match outcome {
            Ok(more) => Progress { more: more && !self.finished, full: self.inflate.is_full() },
            Err(stop) => {
                self.finished = true;
                ops.push(match stop {
                    Stop::Fault(fault) => Op::Fault(Box::new(fault)),
                    Stop::Damaged(error) => Op::Damaged(error.to_string().into()),
                });
                Progress::default()
            }
        }
    }

    fn step(&mut self, piece: Option<Piece>, ended: bool) -> Result<bool, Stop> {
        if matches!(self.stage, Stage::Replay { .. } | Stage::Column { .. }) {
            return self.replay();
        }
        match piece {
            Some(Piece::Units(units)) => {
                self.end_bytes()?;
                self.utf16.decode(&units, &mut self.text);
            }
            Some(Piece::Bytes(bytes)) => {
                self.utf16.finish(&mut self.text);
                self.inflate.push(bytes)?;
            }
            None => {}
        }
        if ended {
            self.inflate.end()?;
        }
        while self.text.len() < STEP {
            let Some(bytes) = self.inflate.next()? else { break };
            self.text.extend_from_slice(&self.utf8.sanitize(&bytes));
        }
        if !self.text.is_empty() {
            return self.consume();
        }
        if ended {
            self.utf16.finish(&mut self.text);
            self.text.extend_from_slice(self.utf8.finish());
            return if self.consume()? { self.finish() } else { Ok(false) };
        }
        // Whoever reads along a slow stream wants what is there.
        if let Stage::Lines { lines, skip_bad } = &mut self.stage {
            lines.flush(&mut LineEmitter { emitter: &mut self.emitter, skip_bad: *skip_bad });
        }
        Ok(false)
    }

    /// A string follows: bytes that wait for others, to tell what they are, wait in vain.
    fn end_bytes(&mut self) -> Result<(), Stop> {
        self.inflate.decide()?;
        while let Some(bytes) = self.inflate.next()? {
            self.text.extend_from_slice(&self.utf8.sanitize(&bytes));
        }
        self.text.extend_from_slice(self.utf8.finish());
        Ok(())
    }

    /// Gives the stage the text that is there. Returns whether it may take more.
    fn consume(&mut self) -> Result<bool, Stop> {
        let text = &self.text;
        match &mut self.stage {
            Stage::Scan(scanner) => scanner.feed(text, &mut self.emitter)?,
            Stage::Check(scanner) => scanner.feed(text, &mut Nothing)?,
            Stage::Lines { lines, skip_bad } => {
                lines.feed(text, &mut LineEmitter { emitter: &mut self.emitter, skip_bad: *skip_bad })?;
            }
            Stage::Collect { checked, text: all, .. } => {
                checked.feed(text, &mut Nothing)?;
                all.extend_from_slice(text);
            }
            Stage::Keep { text: all, limits } => {
                all.extend_from_slice(text);
                if limits.max_bytes.is_some_and(|max| all.len() as u64 > max) {
                    // There is a fault, be it that one.
                    return self.finish();
                }
            }
            Stage::Replay { .. } | Stage::Column { .. } => {}
        }
        self.text.clear();
        Ok(true)
    }

    /// All of the text was consumed. Returns whether more is to be done.
    fn finish(&mut self) -> Result<bool, Stop> {
        match &mut self.stage {
            Stage::Scan(scanner) => scanner.finish(&mut self.emitter)?,
            Stage::Check(scanner) => scanner.finish(&mut Nothing)?,
            Stage::Lines { lines, skip_bad } => {
                lines.finish(&mut LineEmitter { emitter: &mut self.emitter, skip_bad: *skip_bad })?;
            }
            Stage::Collect { checked, text, group_bytes } => {
                checked.finish(&mut Nothing)?;
                let text = Replayed::Owned(std::mem::take(text));
                let scanner = Box::new(Scanner::new(*group_bytes, &Limits::default()));
                self.stage = Stage::Replay { text, at: 0, scanner };
                return Ok(true);
            }
            Stage::Keep { text, limits } => {
                let is_cancelled = || self.cancelled.load(Ordering::Relaxed);
                match Document::new_unless(std::mem::take(text), limits, &is_cancelled)? {
                    Some(document) => self.tell_last(Op::Document(Arc::new(document))),
                    None => self.finished = true,
                }
                return Ok(false);
            }
            Stage::Replay { .. } | Stage::Column { .. } => {}
        }
        self.tell_last(Op::Done);
        Ok(false)
    }

    /// Works on a text that is all there.
    fn replay(&mut self) -> Result<bool, Stop> {
        match &mut self.stage {
            Stage::Replay { text, at, scanner } => {
                let all = text.text();
                let end = all.len().min(*at + STEP);
                scanner.feed(&all[*at..end], &mut self.emitter)?;
                *at = end;
                if end < all.len() {
                    return Ok(true);
                }
                scanner.finish(&mut self.emitter)?;
            }
            Stage::Column { document, column, opened } => {
                if !std::mem::replace(opened, true) {
                    self.emitter.open(Container::Array, None);
                }
                let count = column.next(document, crate::json::GROUP_BYTES, &mut self.text);
                if count > 0 {
                    self.emitter.group(Container::Array, &self.text, count);
                    self.text.clear();
                    return Ok(true);
                }
                self.emitter.close();
            }
            _ => {}
        }
        self.tell_last(Op::Done);
        Ok(false)
    }

    fn tell_last(&mut self, op: Op) {
        self.emitter.push(op);
        self.finished = true;
    }
}
