//! The regexes of the shapes in use: an automaton for a whole parameter, a native matcher for a segment that mixes
//! regexes with text. Each is kept by its text, so that a table can be compiled again at no cost to speak of.

use std::hash::BuildHasher;
use std::ops::Range;

use foldhash::quality::RandomState;
use hashbrown::HashTable;
use regex_automata::nfa::thompson::{self, NFA, WhichCaptures};
use regex_automata::util::syntax;
use regex_syntax::hir::Hir;

use super::automaton;
use super::error::Problem;
use super::mixed::Matcher;
use super::regex::{self, Wrong};

/// What the compiled form of a regex may take, in bytes, before it is made an automaton.
const NFA_LIMIT: usize = 1 << 20;
/// How deeply a regex may nest: the crate's parser and compiler recurse over that.
const NESTING: u32 = 100;

/// A parameter of a segment that is being read.
#[derive(Clone, Debug)]
pub(super) struct Piece {
    /// Of the pattern.
    pub(super) regex: Option<Range<usize>>,
    /// The text after the parameter, of the segment's literals.
    pub(super) literal: Range<usize>,
}

/// What runs a regex.
pub(super) enum Program {
    Automaton(Box<[i32]>),
    Mixed(Box<Matcher>),
}

struct Entry {
    key: Box<[u16]>,
    /// 0 for a free number.
    count: u32,
    program: Program,
}

/// Programs by number and by what they were made of. Numbers are given again when they are free.
#[derive(Default)]
pub(super) struct Programs {
    slots: Vec<Option<Entry>>,
    free: Vec<u32>,
    index: HashTable<u32>,
    hasher: RandomState,
    /// The key at hand.
    key: Vec<u16>,
}

impl Programs {
    /// The number of the program of a segment's `pieces`, with one count more.
    pub(super) fn acquire(
        &mut self,
        pattern: &[u16],
        pieces: &[Piece],
        literals: &[u16],
        case_insensitive: bool,
    ) -> Result<u32, Wrong> {
        let mut key = std::mem::take(&mut self.key);
        key.clear();
        write_key(&mut key, pattern, pieces, literals);
        let hash = self.hasher.hash_one(key.as_slice());
        let known = self.index.find(hash, |id| self.entry(*id).is_some_and(|entry| *entry.key == *key)).copied();
        let outcome = match known {
            Some(id) => {
                self.retain(id);
                Ok(id)
            }
            None => make(pattern, pieces, literals, case_insensitive).map(|program| self.add(hash, &key, program)),
        };
        self.key = key;
        outcome
    }

    fn add(&mut self, hash: u64, key: &[u16], program: Program) -> u32 {
        let entry = Some(Entry { key: key.into(), count: 1, program });
        let id = if let Some(id) = self.free.pop() {
            self.slots[id as usize] = entry;
            id
        } else {
            self.slots.push(entry);
            self.slots.len() as u32 - 1
        };
        let Self { slots, index, hasher, .. } = self;
        index
            .insert_unique(hash, id, |id| slots[*id as usize].as_ref().map_or(0, |entry| hasher.hash_one(&*entry.key)));
        id
    }

    fn entry(&self, id: u32) -> Option<&Entry> {
        self.slots.get(id as usize)?.as_ref()
    }

    /// The program of a number in use.
    pub(super) fn get(&self, id: u32) -> Option<&Program> {
        self.entry(id).map(|entry| &entry.program)
    }

    /// The matcher of a number in use that is one of a mixed segment.
    pub(super) fn matcher(&mut self, id: u32) -> Option<&mut Matcher> {
        match &mut self.slots.get_mut(id as usize)?.as_mut()?.program {
            Program::Mixed(matcher) => Some(matcher),
            Program::Automaton(_) => None,
        }
    }

    /// One count more of a number in use.
    pub(super) fn retain(&mut self, id: u32) {
        if let Some(Some(entry)) = self.slots.get_mut(id as usize) {
            entry.count += 1;
        }
    }

    /// One count less; with the last, the program goes.
    pub(super) fn release(&mut self, id: u32) {
        let Some(Some(entry)) = self.slots.get_mut(id as usize) else { return };
        entry.count -= 1;
        if entry.count > 0 {
            return;
        }
        let hash = self.hasher.hash_one(&*entry.key);
        if let Ok(found) = self.index.find_entry(hash, |own| *own == id) {
            found.remove();
        }
        self.slots[id as usize] = None;
        self.free.push(id);
    }
}

/// What tells programs apart: the regexes as they are written, and the text between. No pattern holds a 0.
fn write_key(key: &mut Vec<u16>, pattern: &[u16], pieces: &[Piece], literals: &[u16]) {
    for piece in pieces {
        if let Some(regex) = &piece.regex {
            key.extend_from_slice(&pattern[regex.clone()]);
        }
        key.push(0);
        key.extend_from_slice(&literals[piece.literal.clone()]);
        key.push(0);
    }
}

fn make(pattern: &[u16], pieces: &[Piece], literals: &[u16], case_insensitive: bool) -> Result<Program, Wrong> {
    let is_whole = matches!(pieces, [Piece { regex: Some(_), literal }] if literal.is_empty());
    let translate = |regex: &Range<usize>| {
        let text = regex::translate(&pattern[regex.clone()]).map_err(|(at, problem)| (regex.start + at, problem))?;
        // What is wrong with one regex is told at its own place, before several become one.
        let hir = parse(&text).map_err(|problem| (regex.start, problem))?;
        // Among others it would be preferred empty, and parameters are not.
        if !is_whole && hir.properties().minimum_len() == Some(0) {
            return Err((regex.start, Problem::MayBeEmpty));
        }
        Ok(text)
    };
    if let [Piece { regex: Some(regex), literal }] = pieces
        && literal.is_empty()
    {
        let table = automaton::build(&translate(regex)?).map_err(|problem| (regex.start, problem))?;
        return Ok(Program::Automaton(table));
    }
    let mut whole = String::new();
    for piece in pieces {
        let text = piece.regex.as_ref().map(translate).transpose()?;
        // A plain parameter takes the shortest text that lets the rest match. It may hold a decoded slash.
        whole.push_str(&format!("({})", text.as_deref().unwrap_or("(?s:.)+?")));
        push_text(&mut whole, &literals[piece.literal.clone()], case_insensitive);
    }
    let start = pieces.iter().find_map(|piece| piece.regex.as_ref()).map_or(0, |regex| regex.start);
    let matcher = Matcher::new(&whole, pieces.len()).map_err(|problem| (start, problem))?;
    Ok(Program::Mixed(Box::new(matcher)))
}

/// Writes text that stands for itself. ASCII letters match in either case if `case_insensitive`.
fn push_text(regex: &mut String, text: &[u16], case_insensitive: bool) {
    for c in char::decode_utf16(text.iter().copied()).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)) {
        if case_insensitive && c.is_ascii_alphabetic() {
            regex.push_str(&format!("[{}{}]", c.to_ascii_lowercase(), c.to_ascii_uppercase()));
        } else {
            regex::push_literal(regex, c);
        }
    }
}

/// Parses a translated regex.
fn parse(regex: &str) -> Result<Hir, Problem> {
    // A `\B` between the bytes of one character is never asked for: whole characters are what is matched.
    let config = syntax::Config::new().utf8(false).nest_limit(NESTING);
    syntax::parse_with(regex, &config).map_err(|error| {
        let text = error.to_string();
        // The message proper follows a drawing of the place in the translated text.
        Problem::Regex(text.rsplit("error: ").next().unwrap_or(&text).trim().to_owned())
    })
}

/// The automaton's source form of a translated regex, anchored at both ends.
pub(super) fn nfa(regex: &str, captures: WhichCaptures) -> Result<NFA, Problem> {
    let hir = parse(&format!(r"\A(?:{regex})\z"))?;
    let config = thompson::Config::new().nfa_size_limit(Some(NFA_LIMIT)).which_captures(captures);
    thompson::Compiler::new().configure(config).build_from_hir(&hir).map_err(|_| Problem::RegexTooLarge)
}
