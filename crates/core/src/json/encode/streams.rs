//! What the encoder writes.

use super::words::Words;

/// A group as streams that generated JavaScript reads with one cursor each, row after row.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Group {
    /// How many words there are, runs of rows, and all of a row that is neither a fraction nor text.
    pub ints: Vec<i32>,
    /// Numbers that are no `i32`.
    pub doubles: Vec<f64>,
    /// The short strings in Latin-1, one after the other without anything between.
    pub text: Vec<u8>,
    /// As the text of a JSON array, empty if there are none: the names of the rows, where they are members; the words;
    /// the other strings and the odd values, in their order.
    pub raw: Vec<u8>,
}

/// Where the streams were, to go back there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mark {
    ints: usize,
    doubles: usize,
    text: usize,
    raw: usize,
    loose: usize,
}

/// The streams while they grow.
#[derive(Debug, Default)]
pub(super) struct Streams {
    pub ints: Vec<i32>,
    pub doubles: Vec<f64>,
    pub text: Vec<u8>,
    /// Each value has a comma before it.
    pub raw: Vec<u8>,
    /// Member names of the group's rows, where these are members; each has a comma before it.
    pub names: Vec<u8>,
    /// Strings that come again and again.
    pub words: Words,
    /// The place of the first word in `raw`.
    pub first_word: u32,
    /// Bytes of `raw` that are arrays and objects: what JavaScript gains nothing on.
    pub loose: usize,
}

impl Streams {
    /// Room for a group of `bytes` bytes: growing while writing costs as much as the writing.
    ///
    /// `names` is how many names its rows have in all.
    pub fn with_capacity(bytes: usize, names: u32) -> Self {
        let mut ints = Vec::with_capacity(bytes / 4 + 16);
        ints.push(0);
        Self {
            ints,
            first_word: names,
            doubles: Vec::with_capacity(bytes / 16 + 16),
            text: Vec::with_capacity(bytes / 2 + 16),
            raw: Vec::with_capacity(bytes / 2 + 16),
            ..Self::default()
        }
    }

    pub fn mark(&self) -> Mark {
        Mark {
            ints: self.ints.len(),
            doubles: self.doubles.len(),
            text: self.text.len(),
            raw: self.raw.len(),
            loose: self.loose,
        }
    }

    /// Forgets what was written since `mark`.
    pub fn undo(&mut self, mark: Mark) {
        self.ints.truncate(mark.ints);
        self.doubles.truncate(mark.doubles);
        self.text.truncate(mark.text);
        self.raw.truncate(mark.raw);
        self.loose = mark.loose;
    }

    pub fn push_raw(&mut self, token: &[u8]) {
        self.raw.push(b',');
        self.raw.extend_from_slice(token);
    }

    pub fn into_group(self) -> Group {
        let Self { mut ints, doubles, text, raw, mut names, words, .. } = self;
        ints[0] = words.count as i32;
        let raw = if names.is_empty() && words.count == 0 {
            raw
        } else {
            names.extend_from_slice(&words.tokens);
            names.extend_from_slice(&raw);
            names
        };
        Group { ints, doubles, text, raw: bracketed(raw) }
    }
}

/// `,a,b` as `[a,b]`.
fn bracketed(mut list: Vec<u8>) -> Vec<u8> {
    if let Some(first) = list.first_mut() {
        *first = b'[';
        list.push(b']');
    }
    list
}
