//! What a job tells the main thread to do.

use std::sync::Arc;

use crate::json::document::Document;
use crate::json::encode::{Encoder, Form, Group, Options};
use crate::json::text::{Units, narrow};
use crate::json::{Container, Fault, Sink};

/// One step of building a document, in its order.
#[derive(Debug)]
pub enum Op {
    /// A container opens in the innermost open one; `key` is its member name there, as a JSON string.
    Open {
        /// What opens.
        kind: Container,
        /// Where in an object.
        key: Option<Units>,
    },
    /// The innermost open container ends.
    Close,
    /// A shape that groups from now on name by its number; the numbers run from 0.
    Shape(String),
    /// Children of the innermost open container, encoded: see [`crate::json::encode`].
    Compiled {
        /// What holds them.
        within: Container,
        /// How many they are.
        count: u32,
        /// The streams, without `raw`.
        group: Group,
        /// The stream of values that stayed text: a JSON array, or empty.
        raw: Units,
    },
    /// Children of the innermost open container as one JSON array or object.
    Text {
        /// What holds them.
        within: Container,
        /// Its text.
        text: Units,
    },
    /// A line that is not JSON was passed over.
    BadLine(Fault),
    /// The document is kept here. Nothing follows.
    Document(Arc<Document>),
    /// All was told. Nothing follows.
    Done,
    /// The text is refused. Nothing follows.
    Fault(Fault),
    /// The compressed input is damaged: why. Nothing follows.
    Damaged(String),
    /// The job met a bug of keelson: what. Nothing follows.
    Broken(String),
}

impl Op {
    pub(super) fn is_last(&self) -> bool {
        matches!(self, Self::Document(_) | Self::Done | Self::Fault(_) | Self::Damaged(_) | Self::Broken(_))
    }

    /// About the memory it takes, in bytes.
    pub(super) fn weight(&self) -> usize {
        let own = size_of::<Self>();
        own + match self {
            Self::Compiled { group, raw, .. } => {
                group.ints.len() * 4 + group.doubles.len() * 8 + group.text.len() + raw.bytes()
            }
            Self::Text { text, .. } => text.bytes(),
            _ => 0,
        }
    }
}

/// Turns what the scanner tells into ops.
pub(super) struct Emitter {
    /// `None` where JavaScript may not generate code: then everything goes as text.
    encoder: Option<Encoder>,
    /// What was told and not taken yet.
    pub(super) ops: Vec<Op>,
}

impl Emitter {
    pub(super) fn new(compiled: bool) -> Self {
        Self { encoder: compiled.then(|| Encoder::new(&Options::default())), ops: Vec::new() }
    }
}

impl Sink for Emitter {
    fn open(&mut self, kind: Container, key: Option<&[u8]>) {
        self.ops.push(Op::Open { kind, key: key.map(narrow) });
    }

    fn close(&mut self) {
        self.ops.push(Op::Close);
    }

    fn group(&mut self, within: Container, text: &[u8], count: u32) {
        if let Some(encoder) = &mut self.encoder
            && let Form::Compiled(mut group) = encoder.encode(within, text, count)
        {
            self.ops.extend(encoder.new_shapes().into_iter().map(|(_, signature)| Op::Shape(signature)));
            let raw = narrow(&std::mem::take(&mut group.raw));
            self.ops.push(Op::Compiled { within, count, group, raw });
            return;
        }
        let (open, close) = match within {
            Container::Array => (b'[', b']'),
            Container::Object => (b'{', b'}'),
        };
        let mut whole = Vec::with_capacity(text.len() + 2);
        whole.push(open);
        whole.extend_from_slice(text);
        whole.push(close);
        self.ops.push(Op::Text { within, text: narrow(&whole) });
    }
}
