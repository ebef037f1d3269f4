//! The code of a shape: what is left of a pattern without its names, as one run of UTF-16 units.
//!
//! Text stands for itself, without the first slash. No pattern holds the unit 0, so that a 0 begins an
//! *alternative*, which takes the rest of a segment, or of the path: 0, its kind, and its data:
//! - [`Kind::Regex`] and [`Kind::MixedRegex`]: the low and the high half of the program's number;
//! - [`Kind::Mixed`]: how many units follow, then, for each parameter, the length of the literal after it, and
//!   the literal. Only the last may be empty;
//! - the others: nothing.

/// What a shape may have in place of text, in order of precedence. The numbers are the table's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u16)]
pub(super) enum Kind {
    /// A parameter with a regex, up to the end of the segment.
    Regex = 1,
    /// Several parameters, or a parameter and text, with at least one regex.
    MixedRegex = 2,
    /// Several parameters, or a parameter and text, without a regex.
    Mixed = 3,
    /// A parameter up to the end of the segment.
    Param = 4,
    /// One whole segment without a name.
    Star = 5,
    /// What is left of the path, not empty, without a name.
    Rest = 6,
    /// What is left of the path, not empty, with a name.
    NamedRest = 7,
}

impl Kind {
    const ALL: [Self; 7] =
        [Self::Regex, Self::MixedRegex, Self::Mixed, Self::Param, Self::Star, Self::Rest, Self::NamedRest];

    /// Whether nothing can follow.
    pub(super) fn is_last(self) -> bool {
        self >= Self::Rest
    }
}

/// An alternative of a shape, its data still in the code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Part<'a> {
    pub(super) kind: Kind,
    pub(super) data: &'a [u16],
}

impl Part<'_> {
    /// The number of the program; only for the kinds that have one.
    pub(super) fn program(&self) -> u32 {
        u32::from(self.data[0]) | u32::from(self.data[1]) << 16
    }

    /// Whether [`Part::program`] is there.
    pub(super) fn has_program(&self) -> bool {
        matches!(self.kind, Kind::Regex | Kind::MixedRegex)
    }

    /// Units of literal text, by which mixed alternatives are ranked.
    pub(super) fn literal_units(&self) -> usize {
        if self.kind == Kind::Mixed { literals(self.data).map(<[u16]>::len).sum() } else { 0 }
    }
}

/// The literals of the data of a [`Kind::Mixed`], one after each parameter.
pub(super) fn literals(mut data: &[u16]) -> impl Iterator<Item = &[u16]> {
    std::iter::from_fn(move || {
        let (length, rest) = data.split_first()?;
        let (literal, rest) = rest.split_at(usize::from(*length));
        data = rest;
        Some(literal)
    })
}

/// Whether a shape has no alternative at all.
pub(super) fn is_text(code: &[u16]) -> bool {
    !code.contains(&0)
}

/// Writes an alternative without data.
pub(super) fn push(code: &mut Vec<u16>, kind: Kind) {
    code.extend([0, kind as u16]);
}

/// Writes a [`Kind::Regex`] or [`Kind::MixedRegex`].
pub(super) fn push_program(code: &mut Vec<u16>, kind: Kind, program: u32) {
    push(code, kind);
    code.extend([program as u16, (program >> 16) as u16]);
}

/// Writes a [`Kind::Mixed`]. A pattern's length is bounded so that every length fits a unit.
pub(super) fn push_mixed<'a>(code: &mut Vec<u16>, literals: impl Iterator<Item = &'a [u16]>) {
    push(code, Kind::Mixed);
    let length_at = code.len();
    code.push(0);
    for literal in literals {
        code.push(literal.len() as u16);
        code.extend_from_slice(literal);
    }
    code[length_at] = (code.len() - length_at - 1) as u16;
}

/// Reads a code: text, then alternative, then text, and so on. Text may be empty.
pub(super) struct Reader<'a>(&'a [u16]);

impl<'a> Reader<'a> {
    pub(super) fn new(code: &'a [u16]) -> Self {
        Self(code)
    }

    /// The text up to the next alternative or the end.
    pub(super) fn text(&mut self) -> &'a [u16] {
        let end = self.0.iter().position(|unit| *unit == 0).unwrap_or(self.0.len());
        let (text, rest) = self.0.split_at(end);
        self.0 = rest;
        text
    }

    /// The alternative that follows the text just read; `None` at the end.
    pub(super) fn part(&mut self) -> Option<Part<'a>> {
        let [0, kind, rest @ ..] = self.0 else { return None };
        let kind = Kind::ALL[usize::from(*kind) - 1];
        let (length, rest) = match kind {
            Kind::Regex | Kind::MixedRegex => (2, rest),
            Kind::Mixed => (usize::from(rest[0]), &rest[1..]),
            _ => (0, rest),
        };
        let (data, rest) = rest.split_at(length);
        self.0 = rest;
        Some(Part { kind, data })
    }
}

/// The programs that a code refers to.
pub(super) fn programs(code: &[u16]) -> impl Iterator<Item = u32> {
    let mut reader = Reader::new(code);
    std::iter::from_fn(move || {
        reader.text();
        reader.part()
    })
    .filter(Part::has_program)
    .map(|part| part.program())
}
