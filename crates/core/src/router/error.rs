//! What can be wrong with a pattern or a request for a table.

use std::fmt;

use super::{MAX_OPTIONALS, MAX_PARAMETERS, MAX_SEGMENTS, MAX_UNITS};

/// Units of a pattern that a message quotes.
const QUOTED: usize = 200;

/// Why a pattern was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Problem {
    /// U+0000 or a line feed, which no request path can hold.
    ControlCharacter(u16),
    /// A ':' without a name after it.
    EmptyName,
    /// Two parameters of one name.
    DuplicateName(String),
    /// Two parameters without text between them.
    AdjacentParameters,
    /// A ')' in a parameter's name.
    UnopenedParenthesis,
    /// A '(' that is never closed.
    UnclosedParenthesis,
    /// A '?' that does not follow the only parameter of a segment.
    MisplacedQuestionMark,
    /// A '*' inside a segment.
    MisplacedStar,
    /// A character that the name of a catch-all cannot hold.
    CatchAllName(u16),
    /// A named catch-all before the last segment.
    CatchAllNotLast,
    /// A regex without content.
    EmptyRegex,
    /// A regex that looks ahead or behind.
    Lookaround,
    /// A regex that refers to what one of its groups matched.
    Backreference,
    /// `\p` or `\P` in a regex.
    UnicodeProperty,
    /// An escape without a meaning, or one that is not finished.
    Escape(String),
    /// A group with flags, or one that is not finished.
    Group,
    /// A class with a range that ends before it begins.
    Range,
    /// A class that is never closed.
    UnclosedClass,
    /// Half of a surrogate pair in a regex.
    LoneSurrogate,
    /// A regex that wants a larger table than any that keelson makes.
    RegexTooLarge,
    /// A regex beside text or other parameters that may match no text at all.
    MayBeEmpty,
    /// What else the regex parser says.
    Regex(String),
    /// Too many units.
    TooLong,
    /// Too many segments.
    TooManySegments,
    /// Too many parameters.
    TooManyParameters,
    /// Too many optional parameters.
    TooManyOptionals,
}

impl fmt::Display for Problem {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ControlCharacter(unit) => {
                write!(to, "no request path holds U+{unit:04X}. Leave it out, or write it percent-encoded")
            }
            Self::EmptyName => {
                to.write_str("a parameter has no name. Write the name after the ':', or '::' for a colon in the text")
            }
            Self::DuplicateName(name) => write!(to, "the name {name:?} is taken. Give each parameter its own name"),
            Self::AdjacentParameters => {
                to.write_str("two parameters follow each other. Put text between them, such as '-'")
            }
            Self::UnopenedParenthesis => to.write_str(
                "a parameter's name holds ')'. Write '(' right after the name to begin a regex, or leave the ')' out",
            ),
            Self::UnclosedParenthesis => to.write_str("this '(' is never closed. Close it, or escape it as '\\('"),
            Self::MisplacedQuestionMark => to.write_str(
                "'?' makes a parameter optional that is a whole segment, and nothing else. Leave it out, or write it \
                 as %3F",
            ),
            Self::MisplacedStar => to.write_str(
                "'*' stands for a whole segment or, with a name after it, for the rest of the path. Make it a \
                 segment of its own",
            ),
            Self::CatchAllName(unit) => write!(
                to,
                "the name of a catch-all cannot hold {:?}. Use letters, digits and '_'",
                char::from_u32(u32::from(*unit)).unwrap_or(char::REPLACEMENT_CHARACTER)
            ),
            Self::CatchAllNotLast => {
                to.write_str("a named catch-all takes the rest of the path. Make it the last segment")
            }
            Self::EmptyRegex => to.write_str("the regex is empty. Write one, or leave the parentheses out"),
            Self::Lookaround => to.write_str(
                "the regex looks ahead or behind, which linear-time matching cannot do. Say what the whole \
                 parameter may be, or check the rest in the handler",
            ),
            Self::Backreference => to.write_str(
                "the regex has a backreference, which linear-time matching cannot do. Say what the whole parameter \
                 may be, or check the rest in the handler",
            ),
            Self::UnicodeProperty => {
                to.write_str("the regex has a Unicode property, which is not supported. Write ranges of characters")
            }
            Self::Escape(escape) => {
                write!(
                    to,
                    "the regex's escape {escape} has no meaning, or is not finished. Correct it, or leave the '\\' out"
                )
            }
            Self::Group => {
                to.write_str("the regex has a group that is not one of (…), (?:…) and (?<name>…). Use one of these")
            }
            Self::Range => to.write_str("the regex has a range that ends before it begins. Exchange its ends"),
            Self::UnclosedClass => to.write_str("the regex has a '[' that is never closed. Close it, or escape it"),
            Self::LoneSurrogate => to.write_str("the regex holds half of a surrogate pair. Write the whole character"),
            Self::RegexTooLarge => to.write_str(
                "the regex needs too large a table. Use smaller counts in '{…}', or check the length in the handler",
            ),
            Self::MayBeEmpty => to.write_str(
                "the regex can match no text at all, and no parameter is empty. Use '+' where it has '*' or '?'",
            ),
            Self::Regex(reason) => write!(to, "the regex is not one: {reason}. Correct it"),
            Self::TooLong => write!(to, "it is too long. Use at most {MAX_UNITS} characters"),
            Self::TooManySegments => write!(to, "it has too many segments. Use at most {MAX_SEGMENTS}"),
            Self::TooManyParameters => write!(to, "it has too many parameters. Use at most {MAX_PARAMETERS}"),
            Self::TooManyOptionals => {
                write!(to, "it has too many optional parameters. Use at most {MAX_OPTIONALS}, or several patterns")
            }
        }
    }
}

/// A pattern that was refused, where and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PatternError {
    pattern: String,
    /// The UTF-16 unit of the pattern, from 0, at which it goes wrong.
    pub position: usize,
    /// What goes wrong there.
    pub problem: Problem,
}

impl PatternError {
    pub(super) fn new(pattern: &[u16], position: usize, problem: Problem) -> Self {
        let mut quoted = String::from_utf16_lossy(&pattern[..pattern.len().min(QUOTED)]);
        if pattern.len() > QUOTED {
            quoted.push('…');
        }
        Self { pattern: quoted, position, problem }
    }
}

impl fmt::Display for PatternError {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { pattern, position, problem } = self;
        write!(to, "The route pattern {pattern:?} is wrong at position {position}: {problem}.")
    }
}

impl std::error::Error for PatternError {}

/// Why a table was not compiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CompileError {
    /// No shape in use has this number.
    UnknownShape(i32),
    /// A shape is named twice.
    RepeatedShape(i32),
    /// A leaf is negative.
    NegativeLeaf(i32),
    /// The table would be too large for 32-bit offsets.
    TooLarge,
}

impl fmt::Display for CompileError {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownShape(id) => write!(to, "no shape in use has the number {id}"),
            Self::RepeatedShape(id) => write!(to, "shape {id} comes twice"),
            Self::NegativeLeaf(leaf) => write!(to, "the leaf {leaf} is negative"),
            Self::TooLarge => to.write_str("the routes do not fit a table of 32-bit offsets"),
        }
    }
}

impl std::error::Error for CompileError {}
