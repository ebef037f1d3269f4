//! What is wrong with a text, and where.

use std::fmt::Write;

use memchr::memrchr;

use super::text::{self, Char};

/// UTF-16 units of text on either side of a fault that its excerpt shows.
const EXCERPT_UNITS: usize = 20;

/// No `EXCERPT_UNITS` take more bytes than this, whatever the characters.
pub(super) const EXCERPT_BYTES: usize = 4 * EXCERPT_UNITS;

/// The kinds of faults.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FaultKind {
    /// The text is not JSON.
    Syntax,
    /// The text has more bytes than `Limits::max_bytes`, or a line more than it may have.
    Bytes,
    /// Containers nest deeper than `Limits::max_depth`.
    Depth,
    /// The objects have more members in all than `Limits::max_keys`.
    Keys,
    /// A string or a number has more text than a string of JavaScript.
    TooLong,
    /// A line has more bytes than it may.
    Line,
}

/// A text that is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What kind of fault it is.
    pub kind: FaultKind,
    /// For people: what was found where, and what was due.
    pub message: String,
    /// UTF-16 units before the fault.
    pub position: u64,
    /// Its line, from 1. Lines end with `\n`.
    pub line: u64,
    /// Its column in UTF-16 units, from 1.
    pub column: u64,
    /// About 40 units of the text around it, as far as it has arrived, control characters shown as escapes.
    pub excerpt: String,
}

impl Fault {
    /// A fault at `text[at]`, where `before` has counted what stood before `text`.
    pub(super) fn new(problem: Problem, text: &[u8], at: usize, before: &Tally) -> Self {
        let mut tally = before.clone();
        tally.add(&text[..at]);
        Self::counted(problem, text, at, &tally)
    }

    /// A fault at `text[at]`, where `tally` has counted all that stood before it.
    pub(super) fn counted(problem: Problem, text: &[u8], at: usize, tally: &Tally) -> Self {
        let mut message = problem.describe(&text[at..]);
        let (line, column) = (tally.lines + 1, tally.units - tally.line_start + 1);
        let place = if problem == Problem::End { "at" } else { "in JSON at" };
        // Writing to a string cannot fail.
        let _ = write!(message, " {place} position {} (line {line} column {column})", tally.units);
        Self { kind: problem.kind(), message, position: tally.units, line, column, excerpt: excerpt(text, at) }
    }
}

/// What can be wrong; the words are those of V8's errors where it has some.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Problem {
    Token,
    End,
    AfterValue,
    UnterminatedString,
    ControlCharacter,
    Escape,
    UnicodeEscape,
    MinusAlone,
    Fraction,
    Exponent,
    LeadingZero,
    NameOrBrace,
    Name,
    Colon,
    CommaOrBracket,
    CommaOrBrace,
    Bytes(u64),
    LineBytes(u64),
    Depth(u32),
    Keys(u64),
    TooLong,
}

impl Problem {
    fn kind(self) -> FaultKind {
        match self {
            Self::Bytes(_) => FaultKind::Bytes,
            Self::Depth(_) => FaultKind::Depth,
            Self::Keys(_) => FaultKind::Keys,
            Self::TooLong => FaultKind::TooLong,
            Self::LineBytes(_) => FaultKind::Line,
            _ => FaultKind::Syntax,
        }
    }

    /// `rest` is the text from the fault on.
    fn describe(self, rest: &[u8]) -> String {
        let words = match self {
            Self::Token => return unexpected(rest),
            Self::Bytes(max) => return format!("More than {max} bytes of text"),
            Self::LineBytes(max) => return format!("More than {max} bytes in a line"),
            Self::Depth(max) => return format!("Containers nest deeper than {max}"),
            Self::Keys(max) => return format!("More than {max} object members"),
            Self::TooLong => "A single string is longer than JavaScript can hold",
            Self::End => "Unexpected end of JSON input",
            Self::AfterValue => "Unexpected non-whitespace character after JSON",
            Self::UnterminatedString => "Unterminated string",
            Self::ControlCharacter => "Bad control character in string literal",
            Self::Escape => "Bad escaped character",
            Self::UnicodeEscape => "Bad Unicode escape",
            Self::MinusAlone => "No number after minus sign",
            Self::Fraction => "Unterminated fractional number",
            Self::Exponent => "Exponent part is missing a number",
            Self::LeadingZero => "Unexpected number",
            Self::NameOrBrace => "Expected property name or '}'",
            Self::Name => "Expected double-quoted property name",
            Self::Colon => "Expected ':' after property name",
            Self::CommaOrBracket => "Expected ',' or ']' after array element",
            Self::CommaOrBrace => "Expected ',' or '}' after property value",
        };
        words.to_owned()
    }
}

fn unexpected(rest: &[u8]) -> String {
    match rest.first() {
        Some(b'"') => "Unexpected string".to_owned(),
        Some(b'0'..=b'9' | b'-') => "Unexpected number".to_owned(),
        _ => {
            let mut message = "Unexpected token '".to_owned();
            if let Some((char, _)) = text::first_char(rest) {
                show(char, &mut message);
            }
            message.push('\'');
            message
        }
    }
}

/// What has been read, counted in UTF-16 units and lines.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    pub(super) units: u64,
    pub(super) lines: u64,
    /// Units before the last line.
    pub(super) line_start: u64,
}

impl Tally {
    /// Goes on over `text`. A character may be split between two calls.
    pub(super) fn add(&mut self, text: &[u8]) {
        let (lines, units) = count(text);
        self.lines += lines;
        self.units += units;
        if let Some(end) = memrchr(b'\n', text) {
            self.line_start = self.units - count(&text[end + 1..]).1;
        }
    }

    /// Goes on over what `other` has counted by itself.
    pub(super) fn join(&mut self, other: &Self) {
        if other.lines > 0 {
            self.line_start = self.units + other.line_start;
        }
        self.lines += other.lines;
        self.units += other.units;
    }
}

/// Ends of lines and UTF-16 units: every lead byte is a unit, those of four bytes are two.
fn count(text: &[u8]) -> (u64, u64) {
    // In blocks of a constant length whose counts fit a byte, which compilers turn into SIMD.
    let (blocks, rest) = text.as_chunks::<64>();
    let (mut lines, mut units) = count_block(rest);
    for block in blocks {
        let more = count_block(block);
        lines += more.0;
        units += more.1;
    }
    (lines, units)
}

#[inline(always)]
fn count_block(block: &[u8]) -> (u64, u64) {
    let (lines, units) = block.iter().fold((0u8, 0u8), |(lines, units), &byte| {
        (lines + u8::from(byte == b'\n'), units + u8::from(byte & 0xc0 != 0x80) + u8::from(byte >= 0xf0))
    });
    (lines.into(), units.into())
}

fn excerpt(text: &[u8], at: usize) -> String {
    let mut start = at;
    let mut units = 0;
    while start > 0 && units < EXCERPT_UNITS {
        start -= 1;
        while start > 0 && text[start] & 0xc0 == 0x80 {
            start -= 1;
        }
        units += units_of(text[start]);
    }
    let mut shown = String::new();
    let mut rest = &text[start..];
    let end = units + EXCERPT_UNITS;
    units = 0;
    while let Some((char, length)) = text::first_char(rest).filter(|_| units < end) {
        show(char, &mut shown);
        units += units_of(rest[0]);
        rest = &rest[length..];
    }
    shown
}

/// How many UTF-16 units a character of this lead byte has.
fn units_of(lead: u8) -> usize {
    if lead >= 0xf0 { 2 } else { 1 }
}

fn show(char: Char, out: &mut String) {
    // Writing to a string cannot fail.
    let _ = match char {
        Char::Scalar('\n') => out.write_str("\\n"),
        Char::Scalar('\r') => out.write_str("\\r"),
        Char::Scalar('\t') => out.write_str("\\t"),
        Char::Scalar(char @ ('\u{feff}' | '\u{2028}' | '\u{2029}')) => write!(out, "\\u{:04x}", char as u32),
        Char::Scalar(char) if char.is_control() => write!(out, "\\u{:04x}", char as u32),
        Char::Scalar(char) => out.write_char(char),
        Char::Surrogate(unit) => write!(out, "\\u{unit:04x}"),
    };
}
