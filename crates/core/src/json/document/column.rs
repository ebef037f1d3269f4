//! The values that a pattern finds, a portion at a time.

use super::Document;
use super::members::members;
use super::pointer::{Pattern, PointerError, Token};
use super::walk::Walk;

/// What a missing value is told as.
const MISSING: &[u8] = b"null";

/// The children of one container that are yet to come.
#[derive(Debug)]
enum Level {
    /// The next element, and where in the index it is.
    Elements { next: Option<usize>, place: usize },
    /// Where the values begin.
    Members(std::vec::IntoIter<usize>),
}

impl Level {
    /// The children of the value at `at`; a scalar has none.
    fn new(document: &Document, at: usize) -> Option<Self> {
        match document.text[at] {
            b'[' => Some(Self::Elements { next: Walk::new(document).first(at), place: 0 }),
            b'{' => {
                let values: Vec<_> = members(document, at).into_iter().map(|member| member.value).collect();
                Some(Self::Members(values.into_iter()))
            }
            _ => None,
        }
    }

    /// The next child, and a walk that is there.
    fn next<'a>(&mut self, document: &'a Document) -> Option<(usize, Walk<'a>)> {
        match self {
            Self::Elements { next, place } => {
                let mut walk = Walk::resume(document, *place);
                let at = (*next)?;
                let end = walk.end(at);
                *next = walk.next(end);
                let here = Walk::resume(document, std::mem::replace(place, walk.place()));
                Some((at, here))
            }
            Self::Members(values) => Some((values.next()?, Walk::new(document))),
        }
    }
}

/// A walk over all that a pattern finds, in the order of JSON.parse's result.
///
/// Each `*` stands for all elements of an array, or the values of all members of an object, and for nothing where
/// there is another value or none. From each thing that the last `*` stands for comes exactly one value: `null`
/// where what follows leads nowhere.
#[derive(Debug)]
pub struct Column {
    pattern: Pattern,
    /// Of each star that was come to.
    levels: Vec<Level>,
    begun: bool,
}

impl Column {
    /// A walk that is at the first value of a pattern of UTF-16 units.
    ///
    /// # Errors
    ///
    /// As [`Pattern::parse`].
    pub fn parse(pattern: &[u16]) -> Result<Self, PointerError> {
        Ok(Self { pattern: Pattern::parse(pattern)?, levels: Vec::new(), begun: false })
    }

    /// Appends the texts of the next values of `document` to `out`, with commas between them, until it holds
    /// `limit` bytes or more, and returns how many they are: 0 at the end.
    pub fn next(&mut self, document: &Document, limit: usize, out: &mut Vec<u8>) -> u32 {
        let mut count = 0;
        if !self.begun {
            self.begun = true;
            count += self.descend(document, document.root, Walk::new(document), out, count);
        }
        while count == 0 || out.len() < limit {
            let Some(level) = self.levels.last_mut() else { break };
            match level.next(document) {
                Some((at, walk)) => count += self.descend(document, at, walk, out, count),
                None => drop(self.levels.pop()),
            }
        }
        count
    }

    /// Goes on from the value at `at`, which the innermost star stands for: to the next star, or to a value,
    /// which it appends. Returns how many values that makes.
    fn descend(&mut self, document: &Document, at: usize, mut walk: Walk<'_>, out: &mut Vec<u8>, before: u32) -> u32 {
        let tokens: &[Token] = &self.pattern.parts[self.levels.len()].tokens;
        let found = walk.descend(at, tokens);
        if self.levels.len() + 1 < self.pattern.parts.len() {
            self.levels.extend(found.and_then(|at| Level::new(document, at)));
            return 0;
        }
        if before > 0 {
            out.push(b',');
        }
        match found {
            Some(at) => {
                let end = walk.end(at);
                out.extend_from_slice(&document.text[at..end]);
            }
            None => out.extend_from_slice(MISSING),
        }
        1
    }
}
