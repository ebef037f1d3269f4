//! The regexes of the shapes in use.

use std::ops::Range;

/// A parameter of a segment that is being read.
#[derive(Clone, Debug)]
pub(super) struct Piece {
    /// Of the pattern.
    pub(super) regex: Option<Range<usize>>,
    /// The text after the parameter.
    pub(super) literal: Range<usize>,
}

#[derive(Default)]
pub(super) struct Programs;

impl Programs {
    pub(super) fn acquire(
        &mut self,
        _pattern: &[u16],
        pieces: &[Piece],
        _literals: &[u16],
        _insensitive: bool,
    ) -> Result<u32, (usize, String)> {
        let at = pieces.iter().find_map(|piece| piece.regex.clone()).map_or(0, |regex| regex.start);
        Err((at, "regexes are not there yet".to_owned()))
    }

    pub(super) fn release(&mut self, _id: u32) {}

    pub(super) fn retain(&mut self, _id: u32) {}
}
