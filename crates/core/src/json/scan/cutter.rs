//! Cuts a document into groups while the machine passes its commas and brackets.

use super::bytes::skip_white;
use super::machine::Stack;
use crate::json::{Container, Sink};

/// In place of a frame's count: its last child has been told between `open` and `close`.
const TOLD: u32 = u32::MAX;

/// A container that has not ended. Offsets are in bytes from the start of the document.
#[derive(Clone, Copy, Debug)]
struct Frame {
    /// Where the children begin that no group has told.
    pending: u64,
    /// The last comma; before the first, the bracket.
    comma: u64,
    /// Complete children from `pending` to `comma`, or `TOLD`.
    count: u32,
    kind: Container,
}

/// The containers that have not ended. The outermost ones of them have been opened towards the sink.
#[derive(Debug)]
pub(super) struct Frames {
    group_bytes: u64,
    top: Frame,
    /// From the root on.
    below: Vec<Frame>,
    /// How many frames the sink knows; the root is one of them.
    opened: usize,
}

impl Frames {
    pub(super) fn new(group_bytes: usize) -> Self {
        let root = Frame { pending: 0, comma: 0, count: 0, kind: Container::Array };
        Self { group_bytes: group_bytes as u64, top: root, below: Vec::new(), opened: 1 }
    }

    /// The oldest byte that a group can still need.
    pub(super) fn pending(&self) -> u64 {
        self.below.get(self.opened - 1).unwrap_or(&self.top).pending
    }
}

/// The frames at work on a piece of text that starts `base` bytes into the document.
pub(super) struct Cutter<'a, K> {
    pub(super) frames: &'a mut Frames,
    pub(super) base: u64,
    pub(super) sink: &'a mut K,
}

impl<K: Sink> Cutter<'_, K> {
    /// The document ends with `text`: tells its value, if that was none of the opened containers.
    pub(super) fn finish(&mut self, text: &[u8]) {
        if self.frames.top.count != TOLD {
            self.sink.group(Container::Array, &text[self.index(self.frames.top.pending)..], 1);
        }
    }

    fn index(&self, offset: u64) -> usize {
        usize::try_from(offset - self.base).unwrap_or(usize::MAX)
    }

    /// Tells the sink all frames it does not know, the outermost first, each after its complete elder siblings.
    #[cold]
    fn open_all(&mut self, text: &[u8]) {
        for depth in self.frames.opened..=self.frames.below.len() {
            let kind = self.frames.below.get(depth).unwrap_or(&self.frames.top).kind;
            let parent = self.frames.below[depth - 1];
            if parent.count > 0 {
                let elder = &text[self.index(parent.pending)..self.index(parent.comma)];
                self.sink.group(parent.kind, elder, parent.count);
                self.frames.below[depth - 1].count = 0;
            }
            let key = match parent.kind {
                Container::Array => None,
                Container::Object => Some(name_token(text, self.index(parent.comma + 1))),
            };
            self.sink.open(kind, key);
        }
        self.frames.opened = self.frames.below.len() + 1;
    }

    /// At a comma after a group's worth of text, or after a container that has been told.
    #[cold]
    fn cut(&mut self, text: &[u8], at: usize) {
        if self.frames.top.count > 0 {
            self.open_all(text);
            let Frame { pending, count, kind, .. } = self.frames.top;
            self.sink.group(kind, &text[self.index(pending)..at], count);
            self.frames.top.count = 0;
        }
        self.frames.top.pending = self.frames.top.comma + 1;
    }

    /// The innermost container, which the sink shall know, ends.
    #[cold]
    fn close(&mut self, text: &[u8], at: usize) {
        self.open_all(text);
        let Frame { pending, count, kind, .. } = self.frames.top;
        if count != TOLD {
            self.sink.group(kind, &text[self.index(pending)..at], count + 1);
        }
        self.sink.close();
        self.frames.opened -= 1;
        if let Some(parent) = self.frames.below.pop() {
            self.frames.top = Frame { count: TOLD, pending: self.base + at as u64 + 1, ..parent };
        }
    }
}

impl<K: Sink> Stack for Cutter<'_, K> {
    #[inline(always)]
    fn depth(&self) -> usize {
        self.frames.below.len()
    }

    #[inline(always)]
    fn top(&self) -> Container {
        self.frames.top.kind
    }

    #[inline(always)]
    fn push(&mut self, kind: Container, at: usize) {
        let comma = self.base + at as u64;
        self.frames.below.push(self.frames.top);
        self.frames.top = Frame { pending: comma + 1, comma, count: 0, kind };
    }

    #[inline(always)]
    fn comma(&mut self, text: &[u8], at: usize) {
        let comma = self.base + at as u64;
        let top = &mut self.frames.top;
        top.comma = comma;
        // From `TOLD` to 0: that child is in no group.
        top.count = top.count.wrapping_add(1);
        if comma - top.pending >= self.frames.group_bytes || top.count == 0 {
            self.cut(text, at);
        }
    }

    #[inline(always)]
    fn pop(&mut self, text: &[u8], at: usize, empty: bool) {
        let large = self.base + at as u64 - self.frames.top.pending >= self.frames.group_bytes;
        if self.frames.opened > self.frames.below.len() || (large && !empty) {
            self.close(text, at);
        } else if let Some(parent) = self.frames.below.pop() {
            self.frames.top = parent;
        }
    }
}

/// The name of the member that begins at `at`, quotes included.
fn name_token(text: &[u8], at: usize) -> &[u8] {
    let start = skip_white(text, at);
    let mut end = start + 1;
    while text[end] != b'"' {
        end += if text[end] == b'\\' { 2 } else { 1 };
    }
    &text[start..=end]
}
