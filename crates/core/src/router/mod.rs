//! Route patterns, and their compilation into a table that JavaScript walks without crossing.
//!
//! A [`Router`] knows nothing of methods, handlers or what a parameter's name is for. It parses patterns, gives
//! each *shape* (what is left of a pattern without its names) a number, and compiles any set of shapes into one
//! flat table of 32-bit integers: see [`flatten`](mod@flatten) for its layout, which is the contract with
//! lib/router/walk.ts.
//!
//! Nothing here recurses over what a pattern holds, and nothing depends on one but in size: a pattern has at
//! most [`MAX_UNITS`] units, [`MAX_SEGMENTS`] segments and [`MAX_PARAMETERS`] parameters.

mod automaton;
mod branch;
mod code;
mod error;
pub mod flatten;
mod mixed;
#[cfg(any(test, fuzzing))]
pub mod model;
mod parse;
mod programs;
mod regex;
mod shapes;
mod statics;
mod tree;
#[cfg(any(test, fuzzing))]
pub mod validate;
#[cfg(any(test, fuzzing))]
pub mod walk;

pub use error::{CompileError, PatternError, Problem};

use code::Kind;
use parse::{Parsed, Role, SLASH};
use programs::Programs;
use shapes::Shapes;
use tree::Tree;

/// The longest pattern, in UTF-16 units.
pub const MAX_UNITS: usize = 65_535;
/// The most segments of a pattern.
pub const MAX_SEGMENTS: usize = 1_000;
/// The most parameters of a pattern.
pub const MAX_PARAMETERS: usize = 255;
/// The most optional parameters of a pattern, which stands for up to 2^5 variants then.
pub const MAX_OPTIONALS: usize = 5;

/// How patterns are read; `Default` is for what most servers want.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// ASCII letters of text match in either case. The walker lowers the request's; regexes stay as written.
    pub case_insensitive: bool,
    /// `/a/` is not `/a`.
    pub keep_trailing_slash: bool,
    /// `/a//b` is not `/a/b`.
    pub keep_duplicate_slashes: bool,
}

/// A variant has a `*` segment or a named catch-all.
pub const WILDCARD: u32 = 1;
/// A variant ends in a `*` that takes the rest of the path.
pub const REST: u32 = 2;
/// A variant ends in a named catch-all.
pub const NAMED_REST: u32 = 4;
/// A variant has neither parameters nor wildcards.
pub const STATIC: u32 = 8;

/// One of the paths that a pattern stands for: its optional parameters are there or not.
#[derive(Debug)]
pub struct Variant<'a> {
    /// The shape's number.
    pub shape: u32,
    /// [`WILDCARD`], [`REST`], [`NAMED_REST`] and [`STATIC`], as they apply.
    pub flags: u32,
    /// The pattern with a slash in front, without the slashes that do not matter, without '?'.
    pub pattern: &'a [u16],
    /// The names of its parameters, in order.
    pub names: &'a [&'a [u16]],
}

/// Shapes by number, and the tables made of them.
#[derive(Default)]
pub struct Router {
    options: Options,
    shapes: Shapes,
    programs: Programs,
    parsed: Parsed,
    /// The text and the code of the variant at hand.
    text: Vec<u16>,
    code: Vec<u16>,
}

impl Router {
    /// A router without shapes.
    #[must_use]
    pub fn new(options: Options) -> Self {
        Self { options, ..Self::default() }
    }

    /// Shapes in use.
    #[must_use]
    pub fn len(&self) -> usize {
        self.shapes.len()
    }

    /// Whether no shape is in use.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Reads `pattern` and counts one use of the shape of each of its variants, which `each` gets to see.
    ///
    /// The variant with all optional parameters comes first, the one with none last, and one that has an earlier
    /// parameter before one that has a later in its place. Of two variants with one shape (`/:a?/:b?` has two of
    /// `/:x`) only the first is there.
    ///
    /// # Errors
    /// If the pattern is not one. Nothing has changed then.
    pub fn declare(&mut self, pattern: &[u16], mut each: impl FnMut(&Variant<'_>)) -> Result<(), PatternError> {
        // Taken out so that the rest of `self` can be used beside it.
        let mut parsed = std::mem::take(&mut self.parsed);
        let outcome = parsed.read(pattern, self.options, &mut self.programs);
        if outcome.is_ok() {
            let (mut seen, mut names) = (Vec::new(), Vec::new());
            for present in (0_u32..1 << parsed.optionals).rev() {
                let flags = self.join(pattern, &parsed, present, &mut names);
                if let Some(shape) = self.acquire(&mut seen) {
                    each(&Variant { shape, flags, pattern: &self.text, names: &names });
                }
            }
        }
        // Each shape holds its programs now; without a shape they are of no use.
        for program in parsed.programs.drain(..) {
            self.programs.release(program);
        }
        self.parsed = parsed;
        outcome
    }

    /// One use more of a shape in use; returns whether it is.
    pub fn retain(&mut self, shape: u32) -> bool {
        self.shapes.retain(shape)
    }

    /// Gives back one count of a shape, which is forgotten when none is left; its number is given again then.
    /// Returns whether the shape was in use.
    pub fn release(&mut self, shape: u32) -> bool {
        let known = self.shapes.code(shape).is_some();
        if let Some(code) = self.shapes.release(shape) {
            code::programs(&code).for_each(|program| self.programs.release(program));
        }
        known
    }

    /// The table of `routes`, pairs of a shape and its leaf, in the order of their insertion. A leaf is any number
    /// from 0 that the caller wants to find again. The numbers of programs in a table hold as long as their shapes
    /// are in use.
    ///
    /// # Errors
    /// If a shape is not in use or comes twice, if a leaf is negative, or if the table would be too large.
    pub fn compile(&self, routes: &[[i32; 2]]) -> Result<Vec<i32>, CompileError> {
        let mut seen = vec![false; self.shapes.bound()];
        for [shape, leaf] in routes {
            if u32::try_from(*shape).ok().and_then(|id| self.shapes.code(id)).is_none() {
                return Err(CompileError::UnknownShape(*shape));
            }
            if std::mem::replace(&mut seen[*shape as usize], true) {
                return Err(CompileError::RepeatedShape(*shape));
            }
            if *leaf < 0 {
                return Err(CompileError::NegativeLeaf(*leaf));
            }
        }
        let codes = routes.iter().filter_map(|[shape, leaf]| Some((self.shapes.code(*shape as u32)?, *leaf)));
        let paths = codes.clone().filter(|(code, _)| code::is_text(code)).collect();
        flatten::flatten(paths, &Tree::new(codes), &self.programs).ok_or(CompileError::TooLarge)
    }

    /// Matches `text`, what the parameters of a mixed segment with regexes take, by the program whose number is in
    /// a table. Writes the start and the end of each parameter in units of `text` to `spans`. `None` if there is
    /// no such program, or too little room.
    pub fn match_mixed(&mut self, program: u32, text: &[u16], spans: &mut [i32]) -> Option<bool> {
        let matcher = self.programs.matcher(program).filter(|matcher| 2 * matcher.parameters() <= spans.len())?;
        Some(matcher.run(text, spans))
    }

    /// Puts the variant with the optional parameters `present` (the first one is the highest bit) into `text`,
    /// `code` and `names`, and returns its flags.
    fn join<'a>(&mut self, pattern: &'a [u16], parsed: &Parsed, present: u32, names: &mut Vec<&'a [u16]>) -> u32 {
        let (mut flags, mut optionals, mut last) = (0, parsed.optionals, Role::Plain);
        self.text.clear();
        self.code.clear();
        names.clear();
        for segment in &parsed.segments {
            if segment.role == Role::Optional {
                optionals -= 1;
                if present >> optionals & 1 == 0 {
                    continue;
                }
            }
            if !self.text.is_empty() {
                self.code.push(SLASH);
            }
            self.text.push(SLASH);
            self.text.extend_from_slice(&pattern[segment.text.clone()]);
            if segment.role == Role::Star {
                code::push(&mut self.code, Kind::Star);
            }
            self.code.extend_from_slice(&parsed.code[segment.code.clone()]);
            names.extend(parsed.names[segment.names.clone()].iter().map(|name| &pattern[name.clone()]));
            if self.options.keep_trailing_slash || !segment.text.is_empty() {
                last = segment.role;
            }
            flags |= if matches!(segment.role, Role::Star | Role::CatchAll) { WILDCARD } else { 0 };
        }
        // What was left out can leave a slash at the end.
        while !self.options.keep_trailing_slash && self.text.pop_if(|unit| *unit == SLASH).is_some() {
            self.code.pop();
        }
        if self.text.is_empty() {
            self.text.push(SLASH);
        }
        if last == Role::Star {
            self.code.pop();
            self.code.push(Kind::Rest as u16);
        }
        flags |= match last {
            Role::Star => REST,
            Role::CatchAll => NAMED_REST,
            _ => 0,
        };
        if names.is_empty() && flags & WILDCARD == 0 { STATIC } else { flags }
    }

    /// One use more of the shape at hand, unless this pattern has it already.
    fn acquire(&mut self, seen: &mut Vec<u32>) -> Option<u32> {
        let (shape, is_new) = self.shapes.acquire(&self.code);
        if is_new {
            code::programs(&self.code).for_each(|program| self.programs.retain(program));
        }
        if seen.contains(&shape) {
            self.shapes.release(shape);
            return None;
        }
        seen.push(shape);
        Some(shape)
    }
}

#[cfg(test)]
mod tests;
