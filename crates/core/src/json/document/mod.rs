//! A document that stays text: validated and indexed once, and then asked for the values that are wanted.
//!
//! Values are named by the range of their text. All that is handed in has to come from the same document.

mod bytes;
mod column;
mod index;
mod members;
mod name;
mod pointer;
mod table;
#[cfg(test)]
mod tests;
mod walk;

use std::ops::Range;

use super::scan::skip_white;
use super::{Fault, Limits};
pub use column::Column;
use index::Index;
pub use members::Member;
pub use name::unescape;
pub use pointer::{Pattern, Pointer, PointerError};
use table::Hasher;
use walk::Walk;

/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `null`
    Null,
    /// `false`
    False,
    /// `true`
    True,
    /// A number.
    Number,
    /// A string.
    String,
    /// `[...]`
    Array,
    /// `{...}`
    Object,
}

/// A JSON document with an index of it.
#[derive(Debug)]
pub struct Document {
    text: Vec<u8>,
    /// Where the root begins.
    root: usize,
    index: Index,
    hasher: Hasher,
}

impl Document {
    /// Validates and indexes a WTF-8 text.
    ///
    /// # Errors
    ///
    /// Where the text is not JSON, or goes beyond `limits`.
    #[allow(clippy::missing_panics_doc, reason = "nobody cancels it")]
    pub fn new(text: Vec<u8>, limits: &Limits) -> Result<Self, Fault> {
        Self::new_unless(text, limits, &|| false).map(|document| document.expect("it was not cancelled"))
    }

    /// The same, but `None` as soon as `is_cancelled`, which is asked every quarter of a megabyte.
    ///
    /// # Errors
    ///
    /// As [`Self::new`].
    pub fn new_unless(
        mut text: Vec<u8>,
        limits: &Limits,
        is_cancelled: &dyn Fn() -> bool,
    ) -> Result<Option<Self>, Fault> {
        let hasher = Hasher::default();
        let Some(index) = Index::build(&text, limits, &hasher, is_cancelled)? else { return Ok(None) };
        // It may have grown in steps, and stays for long.
        text.shrink_to_fit();
        Ok(Some(Self { root: skip_white(&text, 0), index, text, hasher }))
    }

    /// The whole text.
    #[must_use]
    pub fn text(&self) -> &[u8] {
        &self.text
    }

    /// Bytes of memory that the text and the index take.
    #[must_use]
    pub fn memory(&self) -> usize {
        self.text.capacity() + self.index.bytes()
    }

    /// Where the value is that `pointer` leads to. Of several members of one name that is the last.
    #[must_use]
    pub fn locate(&self, pointer: &Pointer) -> Option<Range<usize>> {
        let mut walk = Walk::new(self);
        let at = walk.descend(self.root, &pointer.tokens)?;
        Some(at..walk.end(at))
    }

    /// What `value` is.
    #[must_use]
    pub fn kind(&self, value: &Range<usize>) -> Kind {
        match self.text[value.start] {
            b'n' => Kind::Null,
            b'f' => Kind::False,
            b't' => Kind::True,
            b'"' => Kind::String,
            b'[' => Kind::Array,
            b'{' => Kind::Object,
            _ => Kind::Number,
        }
    }

    /// How many elements or differently named members `value` has; `None` for a scalar.
    #[must_use]
    pub fn length(&self, value: &Range<usize>) -> Option<usize> {
        match self.text[value.start] {
            b'[' => Some(Walk::new(self).count(value.start)),
            b'{' => {
                let hashed = Walk::new(self).distinct(value.start);
                Some(hashed.unwrap_or_else(|| members::members(self, value.start).len()))
            }
            _ => None,
        }
    }

    /// The members of `value`, each name once with its last value, in the order of JSON.parse: names that are array
    /// indices by number, then the others as they came first. `None` for what is not an object.
    #[must_use]
    pub fn members(&self, value: &Range<usize>) -> Option<Vec<Member>> {
        (self.text[value.start] == b'{').then(|| members::members(self, value.start))
    }

    /// Where the value that begins at `start` ends.
    #[must_use]
    pub fn end(&self, start: usize) -> usize {
        Walk::new(self).end(start)
    }

    /// The first element of an array, or the name of the first member of an object.
    #[must_use]
    pub fn first(&self, value: &Range<usize>) -> Option<usize> {
        Walk::new(self).first(value.start)
    }

    /// The elements of an array from the one at `first` on, until they make `limit` bytes or the array ends: their
    /// text, cut at commas, and where the next element begins.
    #[must_use]
    pub fn elements(&self, first: usize, limit: usize) -> (Range<usize>, Option<usize>) {
        let mut walk = Walk::new(self);
        let mut end = walk.end(first);
        let mut next = walk.next(end);
        while end - first < limit
            && let Some(at) = next
        {
            end = walk.end(at);
            next = walk.next(end);
        }
        (first..end, next)
    }
}
