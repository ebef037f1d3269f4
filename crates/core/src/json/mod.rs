//! JSON of any size, for a main thread that must not block: text is scanned, cut and encoded here, so that
//! JavaScript is left with building the values, a little at a time.
//!
//! Text is WTF-8 inside: UTF-8 in which a lone surrogate of a JavaScript string stands as its three-byte form.

pub mod document;
pub mod encode;
mod fault;
mod limits;
pub mod lines;
pub mod scan;
pub mod text;
pub mod work;

pub use fault::{Fault, FaultKind};
pub use limits::Limits;

/// About how much text of one container is told at once, in bytes: a fraction of a millisecond for the main thread.
pub const GROUP_BYTES: usize = 65_536;

/// What holds values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Container {
    /// `[...]`, and also the root, which stands for an array of one.
    Array,
    /// `{...}`
    Object,
}

/// Is told a document in its order, cut into groups.
pub trait Sink {
    /// A container of at least the group size opens inside the innermost open one.
    ///
    /// `key` is its member name where that one is an object: the token as it stands in the text, with quotes.
    fn open(&mut self, kind: Container, key: Option<&[u8]>);

    /// The innermost open container ends.
    fn close(&mut self);

    /// `count` consecutive whole children of the innermost open container: `v,v` or `"k":v,"k":v`.
    ///
    /// The text is cut at commas of the document and has none at its ends; white space may be there.
    fn group(&mut self, within: Container, text: &[u8], count: u32);
}
