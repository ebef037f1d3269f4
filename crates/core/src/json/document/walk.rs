//! Stepping over values, forwards.

use super::Document;
use super::bytes::{scalar_end, string_end};
use super::index::Entry;
use super::pointer::Token;
use super::table::is_named;
use crate::json::scan::skip_white;

/// Reads a document forwards, and steps over what is indexed.
pub(super) struct Walk<'a> {
    document: &'a Document,
    /// The number of an entry that starts not after what is read next, and where it starts.
    entry: usize,
    start: usize,
}

impl<'a> Walk<'a> {
    pub(super) fn new(document: &'a Document) -> Self {
        Self::resume(document, 0)
    }

    /// Goes on where another walk was: see `place`.
    pub(super) fn resume(document: &'a Document, entry: usize) -> Self {
        let start = document.index.entry(entry).map_or(usize::MAX, |entry| entry.start);
        Self { document, entry, start }
    }

    /// Where in the index this walk is.
    pub(super) fn place(&self) -> usize {
        self.entry
    }

    /// The entry of the container at `at`, if it is indexed. What is before `at` is out of reach from now on.
    fn entry_at(&mut self, at: usize) -> Option<Entry> {
        if self.start < at {
            *self = Self::resume(self.document, self.document.index.seek(self.entry, at));
        }
        if self.start == at { self.document.index.entry(self.entry) } else { None }
    }

    /// The end of the value at `at`.
    pub(super) fn end(&mut self, at: usize) -> usize {
        let text = &*self.document.text;
        match text[at] {
            b'"' => string_end(text, at).0,
            b'[' | b'{' => self.container_end(at),
            _ => scalar_end(text, at),
        }
    }

    fn container_end(&mut self, mut at: usize) -> usize {
        let text = &*self.document.text;
        let mut depth = 0_usize;
        loop {
            match text[at] {
                b'"' => at = string_end(text, at).0,
                b'[' | b'{' => match self.entry_at(at) {
                    Some(entry) if depth == 0 => return entry.end,
                    Some(entry) => at = entry.end,
                    None => {
                        depth += 1;
                        at += 1;
                    }
                },
                b']' | b'}' if depth == 1 => return at + 1,
                b']' | b'}' => {
                    depth -= 1;
                    at += 1;
                }
                _ => at += 1,
            }
        }
    }

    /// The first child of the container at `at`: an element, or a member's name.
    pub(super) fn first(&self, at: usize) -> Option<usize> {
        let text = &*self.document.text;
        Some(skip_white(text, at + 1)).filter(|child| !matches!(text[*child], b']' | b'}'))
    }

    /// The child after the one whose value ends at `end`.
    pub(super) fn next(&self, end: usize) -> Option<usize> {
        let text = &*self.document.text;
        let comma = skip_white(text, end);
        (text[comma] == b',').then(|| skip_white(text, comma + 1))
    }

    /// The value of the member whose name is at `name`.
    pub(super) fn value(&self, name: usize) -> usize {
        let text = &*self.document.text;
        let colon = skip_white(text, string_end(text, name).0);
        skip_white(text, colon + 1)
    }

    /// The value that `tokens` lead to from the value at `at`.
    pub(super) fn descend(&mut self, mut at: usize, tokens: &[Token]) -> Option<usize> {
        for token in tokens {
            at = match self.document.text[at] {
                b'[' => self.element(at, token.index?)?,
                b'{' => self.member(at, &token.name)?,
                _ => return None,
            };
        }
        Some(at)
    }

    /// Element `wanted` of the array at `at`.
    fn element(&mut self, at: usize, wanted: usize) -> Option<usize> {
        let (mut number, mut child) = (0, self.first(at)?);
        if let Some(entry) = self.entry_at(at) {
            if wanted >= entry.count {
                return None;
            }
            (number, child) = self.document.index.sample(&entry, wanted).unwrap_or((number, child));
        }
        while number < wanted {
            let end = self.end(child);
            child = self.next(end)?;
            number += 1;
        }
        Some(child)
    }

    /// The member `wanted` of the object at `at`; the last of them where there are several.
    fn member(&mut self, at: usize, wanted: &[u8]) -> Option<usize> {
        let Document { text, index, hasher, .. } = self.document;
        if let Some(entry) = self.entry_at(at).filter(Entry::is_hashed) {
            return index.member(text, hasher, &entry, wanted).map(|name| self.value(name));
        }
        let (mut found, mut before) = (None, self.entry);
        let mut child = self.first(at);
        while let Some(name) = child {
            let value = self.value(name);
            if is_named(text, name, wanted) {
                (found, before) = (Some(value), self.entry);
            }
            let end = self.end(value);
            child = self.next(end);
        }
        *self = Self::resume(self.document, before);
        found
    }

    /// Elements of the array at `at`.
    pub(super) fn count(&mut self, at: usize) -> usize {
        if let Some(entry) = self.entry_at(at) {
            return entry.count;
        }
        let (mut count, mut child) = (0, self.first(at));
        while let Some(start) = child {
            let end = self.end(start);
            child = self.next(end);
            count += 1;
        }
        count
    }

    /// How many differently named members the object at `at` has, if the index knows.
    pub(super) fn distinct(&mut self, at: usize) -> Option<usize> {
        self.entry_at(at).filter(Entry::is_hashed).map(|entry| entry.count)
    }
}
