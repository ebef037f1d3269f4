//! Reads a pattern into segments, each with its part of the shape's code.

use std::ops::Range;

use super::code::{self, Kind};
use super::error::{PatternError, Problem};
use super::programs::{Piece, Programs};
use super::{MAX_OPTIONALS, MAX_PARAMETERS, MAX_SEGMENTS, MAX_UNITS, Options};

pub(super) const SLASH: u16 = b'/' as u16;
const COLON: u16 = b':' as u16;
const STAR: u16 = b'*' as u16;
const QUESTION: u16 = b'?' as u16;
const OPEN: u16 = b'(' as u16;
const CLOSE: u16 = b')' as u16;

/// What a segment is, as far as it matters to the pattern as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// Text and parameters, whose code is written.
    Plain,
    /// A whole-segment parameter that may be left out.
    Optional,
    /// A '*', whose code depends on whether it comes last.
    Star,
    /// A '*' with a name.
    CatchAll,
}

/// One segment; ranges are of the pattern, of [`Parsed::code`] and of [`Parsed::names`].
#[derive(Clone, Debug)]
pub(super) struct Segment {
    pub(super) role: Role,
    pub(super) text: Range<usize>,
    pub(super) code: Range<usize>,
    pub(super) names: Range<usize>,
}

/// What came of a pattern, in memory that the next one uses again.
#[derive(Default)]
pub(super) struct Parsed {
    pub(super) segments: Vec<Segment>,
    pub(super) code: Vec<u16>,
    /// Ranges of the pattern.
    pub(super) names: Vec<Range<usize>>,
    /// The programs acquired for the code, each with one count, whether or not an error came after them.
    pub(super) programs: Vec<u32>,
    pub(super) optionals: usize,
    /// The parameters of the segment at hand.
    pieces: Vec<Piece>,
    /// The text of the segment at hand, without what escapes it.
    literals: Vec<u16>,
}

impl Parsed {
    /// Reads `pattern`, and leaves the outcome in `self`.
    pub(super) fn read(
        &mut self,
        pattern: &[u16],
        options: Options,
        programs: &mut Programs,
    ) -> Result<(), PatternError> {
        self.segments.clear();
        self.code.clear();
        self.names.clear();
        self.programs.clear();
        self.optionals = 0;
        Reader { pattern, options, programs, to: self, at: 0 }.pattern()
    }
}

struct Reader<'a> {
    pattern: &'a [u16],
    options: Options,
    programs: &'a mut Programs,
    to: &'a mut Parsed,
    at: usize,
}

impl Reader<'_> {
    fn error(&self, position: usize, problem: Problem) -> PatternError {
        PatternError::new(self.pattern, position, problem)
    }

    fn peek(&self) -> Option<u16> {
        self.pattern.get(self.at).copied()
    }

    /// Whether the unit `ahead` of the next ends the segment, or nothing is there.
    fn ends(&self, ahead: usize) -> bool {
        self.pattern.get(self.at + ahead).is_none_or(|unit| *unit == SLASH)
    }

    fn pattern(mut self) -> Result<(), PatternError> {
        if self.pattern.len() > MAX_UNITS {
            return Err(self.error(MAX_UNITS, Problem::TooLong));
        }
        if let Some(at) = self.pattern.iter().position(|unit| matches!(*unit, 0 | 0x0a)) {
            return Err(self.error(at, Problem::ControlCharacter(self.pattern[at])));
        }
        self.at = usize::from(self.peek() == Some(SLASH));
        loop {
            while !self.options.keep_duplicate_slashes && self.peek() == Some(SLASH) {
                self.at += 1;
            }
            // After the root's slash alone there is no segment, not even an empty one.
            if self.at == self.pattern.len() && self.to.segments.is_empty() {
                return Ok(());
            }
            self.segment()?;
            if self.at == self.pattern.len() {
                break;
            }
            self.at += 1;
        }
        if !self.options.keep_trailing_slash {
            while self.to.segments.pop_if(|last| last.text.is_empty()).is_some() {}
        }
        let last = self.to.segments.len().saturating_sub(1);
        match self.to.segments.iter().position(|segment| segment.role == Role::CatchAll) {
            Some(index) if index < last => {
                Err(self.error(self.to.segments[index].text.start, Problem::CatchAllNotLast))
            }
            _ => Ok(()),
        }
    }

    fn segment(&mut self) -> Result<(), PatternError> {
        if self.to.segments.len() == MAX_SEGMENTS {
            return Err(self.error(self.at, Problem::TooManySegments));
        }
        let (start, code, names) = (self.at, self.to.code.len(), self.to.names.len());
        let mut role = Role::Plain;
        if self.peek() == Some(STAR) {
            role = self.star()?;
        } else {
            self.to.pieces.clear();
            self.to.literals.clear();
            self.pieces()?;
            self.write()?;
        }
        let text = start..self.at;
        if self.peek() == Some(QUESTION) {
            self.at += 1;
            role = Role::Optional;
            self.to.optionals += 1;
            if self.to.optionals > MAX_OPTIONALS {
                return Err(self.error(start, Problem::TooManyOptionals));
            }
        }
        let (code, names) = (code..self.to.code.len(), names..self.to.names.len());
        self.to.segments.push(Segment { role, text, code, names });
        Ok(())
    }

    /// A segment that begins with '*'.
    fn star(&mut self) -> Result<Role, PatternError> {
        let start = self.at;
        self.at += 1;
        let name = self.at;
        while !self.ends(0) {
            match self.pattern[self.at] {
                STAR => return Err(self.error(self.at, Problem::MisplacedStar)),
                QUESTION => return Err(self.error(self.at, Problem::MisplacedQuestionMark)),
                unit @ (COLON | OPEN | CLOSE) => return Err(self.error(self.at, Problem::CatchAllName(unit))),
                _ => self.at += 1,
            }
        }
        if name == self.at {
            return Ok(Role::Star);
        }
        self.name(start, name..self.at)?;
        code::push(&mut self.to.code, Kind::NamedRest);
        Ok(Role::CatchAll)
    }

    /// The text and the parameters of a segment; stops at its end, or at a '?' that makes it optional.
    fn pieces(&mut self) -> Result<(), PatternError> {
        while !self.ends(0) {
            match self.pattern[self.at] {
                COLON if self.pattern.get(self.at + 1) == Some(&COLON) => {
                    self.at += 2;
                    self.literal(COLON);
                }
                COLON => self.parameter()?,
                STAR => return Err(self.error(self.at, Problem::MisplacedStar)),
                QUESTION => {
                    let parameter_alone = matches!(self.to.pieces.as_slice(), [only] if only.literal.is_empty());
                    if parameter_alone && self.to.literals.is_empty() && self.ends(1) {
                        return Ok(());
                    }
                    return Err(self.error(self.at, Problem::MisplacedQuestionMark));
                }
                unit => {
                    self.at += 1;
                    self.literal(unit);
                }
            }
        }
        Ok(())
    }

    /// One unit of text, before the first parameter or after the last.
    fn literal(&mut self, unit: u16) {
        let upper = self.options.case_insensitive && (0x41..=0x5a).contains(&unit);
        self.to.literals.push(if upper { unit | 0x20 } else { unit });
        if let Some(piece) = self.to.pieces.last_mut() {
            piece.literal.end = self.to.literals.len();
        }
    }

    /// A parameter with its regex, at its ':'.
    fn parameter(&mut self) -> Result<(), PatternError> {
        let start = self.at;
        if self.to.pieces.last().is_some_and(|last| last.literal.is_empty()) {
            return Err(self.error(start, Problem::AdjacentParameters));
        }
        self.at += 1;
        let mut end = self.at;
        while let Some(unit) = self.pattern.get(end).copied() {
            match unit {
                SLASH | COLON | OPEN | QUESTION => break,
                STAR => return Err(self.error(end, Problem::MisplacedStar)),
                CLOSE => return Err(self.error(end, Problem::UnopenedParenthesis)),
                _ => end += 1,
            }
        }
        // Only another parameter cuts text off a name; '::' is text itself.
        if self.pattern.get(end) == Some(&COLON) && self.pattern.get(end + 1) != Some(&COLON) {
            let name_end = self.at + name_length(&self.pattern[self.at..end]);
            if name_end == end {
                return Err(self.error(end, Problem::AdjacentParameters));
            }
            end = name_end;
        }
        self.name(start, self.at..end)?;
        self.at = end;
        let regex = if self.peek() == Some(OPEN) { Some(self.regex()?) } else { None };
        let literal = self.to.literals.len()..self.to.literals.len();
        self.to.pieces.push(Piece { regex, literal });
        Ok(())
    }

    /// Notes a parameter's name; `start` is where the parameter begins.
    fn name(&mut self, start: usize, name: Range<usize>) -> Result<(), PatternError> {
        if name.is_empty() {
            return Err(self.error(start, Problem::EmptyName));
        }
        let text = &self.pattern[name.clone()];
        if self.to.names.iter().any(|other| self.pattern[other.clone()] == *text) {
            return Err(self.error(start, Problem::DuplicateName(String::from_utf16_lossy(text))));
        }
        if self.to.names.len() == MAX_PARAMETERS {
            return Err(self.error(start, Problem::TooManyParameters));
        }
        self.to.names.push(name);
        Ok(())
    }

    /// The content of the parentheses at hand, escapes and classes respected.
    fn regex(&mut self) -> Result<Range<usize>, PatternError> {
        let open = self.at;
        let (mut depth, mut in_class, mut at) = (0, false, open);
        while let Some(unit) = self.pattern.get(at) {
            match u8::try_from(*unit).unwrap_or(b' ') {
                b'\\' => at += 1,
                b'[' => in_class = true,
                b']' => in_class = false,
                b'(' if !in_class => depth += 1,
                b')' if !in_class => depth -= 1,
                _ => {}
            }
            at += 1;
            if depth == 0 {
                self.at = at;
                let content = open + 1..at - 1;
                return if content.is_empty() { Err(self.error(open, Problem::EmptyRegex)) } else { Ok(content) };
            }
        }
        Err(self.error(open, Problem::UnclosedParenthesis))
    }

    /// Writes the code of the pieces.
    fn write(&mut self) -> Result<(), PatternError> {
        let Parsed { code, pieces, literals, programs, .. } = &mut *self.to;
        let has_regex = pieces.iter().any(|piece| piece.regex.is_some());
        let prefix = pieces.first().map_or(literals.len(), |piece| piece.literal.start);
        code.extend_from_slice(&literals[..prefix]);
        match pieces.as_slice() {
            [] => {}
            [only] if only.literal.is_empty() && !has_regex => code::push(code, Kind::Param),
            pieces if !has_regex => {
                code::push_mixed(code, pieces.iter().map(|piece| &literals[piece.literal.clone()]));
            }
            pieces => {
                let single = pieces.len() == 1 && pieces[0].literal.is_empty();
                let kind = if single { Kind::Regex } else { Kind::MixedRegex };
                let insensitive = self.options.case_insensitive;
                let program = self
                    .programs
                    .acquire(self.pattern, pieces, literals, insensitive)
                    .map_err(|(at, problem)| PatternError::new(self.pattern, at, problem))?;
                programs.push(program);
                code::push_program(code, kind, program);
            }
        }
        Ok(())
    }
}

/// The units of `text` without what cannot be part of a name at its end.
fn name_length(text: &[u16]) -> usize {
    let mut end = text.len();
    while end > 0 {
        let wide = end > 1 && (0xdc00..0xe000).contains(&text[end - 1]);
        let start = if wide { end - 2 } else { end - 1 };
        let mut chars = char::decode_utf16(text[start..end].iter().copied());
        let is_part =
            |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '$' || (!c.is_ascii() && c.is_alphabetic());
        if chars.all(|c| c.is_ok_and(is_part)) {
            break;
        }
        end = start;
    }
    end
}
