//! What a job tells the main thread to do.

use std::sync::Arc;

use crate::json::document::Document;
use crate::json::encode::{Encoder, Form, Group, Options};
use crate::json::text::{Units, narrow};
use crate::json::{Container, Fault, GROUP_BYTES, Sink};

/// How many containers one op opens or closes at most: some hundred microseconds for the main thread.
const MAX_LEVELS: usize = 4096;

/// Text of names beyond which an op opens no more containers, in bytes.
const MAX_NAMES: usize = GROUP_BYTES;

/// One step of building a document, in its order.
///
/// Small, since a document may have millions of them: what is larger is in a box.
#[derive(Debug)]
pub enum Op {
    /// Containers open.
    Open(Box<Opened>),
    /// As many of the innermost open containers end.
    Close(u32),
    /// A shape that groups from now on name by its number; the numbers run from 0.
    Shape(Box<str>),
    /// Children of the innermost open container, encoded.
    Compiled(Box<Compiled>),
    /// Children of the innermost open container as one JSON array or object.
    Text(Box<Text>),
    /// A line that is not JSON was passed over.
    BadLine(Box<Fault>),
    /// The document is kept here. Nothing follows.
    Document(Arc<Document>),
    /// All was told. Nothing follows.
    Done,
    /// The text is refused. Nothing follows.
    Fault(Box<Fault>),
    /// The compressed input is damaged: why. Nothing follows.
    Damaged(Box<str>),
    /// The job met a bug of keelson: what. Nothing follows.
    Broken(Box<str>),
}

/// Containers that open, each inside the one before and the first one inside the innermost open one.
#[derive(Debug)]
pub struct Opened {
    /// What they are.
    pub kinds: Vec<Container>,
    /// The names of those that open in an object, as a JSON array; empty if there are none.
    pub names: Units,
}

/// A group as streams: see [`crate::json::encode`].
#[derive(Debug)]
pub struct Compiled {
    /// What holds the children.
    pub within: Container,
    /// How many they are.
    pub count: u32,
    /// The streams, without `raw`.
    pub group: Group,
    /// The stream of values that stayed text: a JSON array, or empty.
    pub raw: Units,
}

/// A group as text.
#[derive(Debug)]
pub struct Text {
    /// What holds the children.
    pub within: Container,
    /// A JSON array or object of them.
    pub text: Units,
}

impl Op {
    pub(super) fn is_last(&self) -> bool {
        matches!(self, Self::Document(_) | Self::Done | Self::Fault(_) | Self::Damaged(_) | Self::Broken(_))
    }

    /// About the memory it takes, in bytes.
    pub(super) fn weight(&self) -> usize {
        let boxed = match self {
            Self::Open(opened) => size_of::<Opened>() + opened.kinds.len() + opened.names.bytes(),
            Self::Compiled(compiled) => {
                let Compiled { group, raw, .. } = &**compiled;
                let streams = group.ints.len() * 4 + group.doubles.len() * 8 + group.text.len() + raw.bytes();
                size_of::<Compiled>() + streams
            }
            Self::Text(text) => size_of::<Text>() + text.text.bytes(),
            Self::BadLine(fault) | Self::Fault(fault) => size_of::<Fault>() + fault.message.len() + fault.excerpt.len(),
            Self::Shape(text) | Self::Damaged(text) | Self::Broken(text) => text.len(),
            Self::Close(_) | Self::Document(_) | Self::Done => 0,
        };
        size_of::<Self>() + boxed
    }
}

/// Turns what the scanner tells into ops.
pub(super) struct Emitter {
    /// `None` where JavaScript may not generate code: then everything goes as text.
    encoder: Option<Encoder>,
    /// What was told and not taken yet.
    ops: Vec<Op>,
    /// Containers that opened after all that.
    kinds: Vec<Container>,
    /// Their names, each after a comma.
    names: Vec<u8>,
}

impl Emitter {
    pub(super) fn new(compiled: bool) -> Self {
        let encoder = compiled.then(|| Encoder::new(&Options::default()));
        Self { encoder, ops: Vec::new(), kinds: Vec::new(), names: Vec::new() }
    }

    pub(super) fn push(&mut self, op: Op) {
        self.settle();
        self.ops.push(op);
    }

    /// Moves what was told to `ops`.
    pub(super) fn drain(&mut self, ops: &mut Vec<Op>) {
        self.settle();
        ops.append(&mut self.ops);
    }

    /// Makes an op of the containers that opened.
    fn settle(&mut self) {
        if self.kinds.is_empty() {
            return;
        }
        if let Some(first) = self.names.first_mut() {
            *first = b'[';
            self.names.push(b']');
        }
        let (kinds, names) = (std::mem::take(&mut self.kinds), narrow(&std::mem::take(&mut self.names)));
        self.ops.push(Op::Open(Box::new(Opened { kinds, names })));
    }
}

impl Sink for Emitter {
    fn open(&mut self, kind: Container, key: Option<&[u8]>) {
        if self.kinds.len() >= MAX_LEVELS || self.names.len() >= MAX_NAMES {
            self.settle();
        }
        self.kinds.push(kind);
        if let Some(key) = key {
            self.names.push(b',');
            self.names.extend_from_slice(key);
        }
    }

    fn close(&mut self) {
        self.settle();
        match self.ops.last_mut() {
            Some(Op::Close(levels)) if (*levels as usize) < MAX_LEVELS => *levels += 1,
            _ => self.ops.push(Op::Close(1)),
        }
    }

    fn group(&mut self, within: Container, text: &[u8], count: u32) {
        self.settle();
        if let Some(encoder) = &mut self.encoder
            && let Form::Compiled(mut group) = encoder.encode(within, text, count)
        {
            let shapes = encoder.new_shapes().into_iter();
            self.ops.extend(shapes.map(|(_, signature)| Op::Shape(signature.into_boxed_str())));
            let raw = narrow(&std::mem::take(&mut group.raw));
            self.ops.push(Op::Compiled(Box::new(Compiled { within, count, group, raw })));
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
        self.ops.push(Op::Text(Box::new(Text { within, text: narrow(&whole) })));
    }
}
