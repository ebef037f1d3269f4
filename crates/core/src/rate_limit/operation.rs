//! What can be asked about a key, and what is answered.

/// What is to be done about a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Op {
    /// Takes `amount` units from every limit, or from none. `extra` is the id of the lease, where a limit has leases.
    Check = 0,
    /// Tells what a check of `amount` units would come to. `amount` may be 0.
    Peek = 1,
    /// Adds `amount` units where it is above 0. Below 0 it gives them back: those counted last where `extra` is 0, else
    /// those of the admission whose row said `at == extra`, as far as they still count. Leases are left alone.
    Adjust = 2,
    /// Forgets everything about the key, blocks and leases included.
    Reset = 3,
    /// Blocks the key for `amount` microseconds from now on, instead of any block before; 0 ends one.
    Block = 4,
    /// Ends the lease of `amount` units whose id is `extra`. `allowed` tells whether there was one.
    Release = 5,
    /// Makes the lease of `amount` units whose id is `extra` last for a window from now on. `allowed` as of a release.
    Renew = 6,
}

impl Op {
    /// The operation of a number that the facade has chosen.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Self> {
        use Op::{Adjust, Block, Check, Peek, Release, Renew, Reset};
        [Check, Peek, Adjust, Reset, Block, Release, Renew].into_iter().find(|op| *op as u8 == number)
    }
}

/// One question about one key.
#[derive(Clone, Copy, Debug)]
pub struct Check<'a> {
    /// What is to be done.
    pub op: Op,
    /// UTF-8, or what [`super::wtf8`] makes of UTF-16 that is none.
    pub key: &'a [u8],
    /// A whole number: see [`Op`].
    pub amount: f64,
    /// A whole number: see [`Op`].
    pub extra: f64,
}

/// Numbers of a [`Row`].
pub const ROW: usize = 7;

/// What came of a question, by the limit that restricts most: of those that deny the one that does so for longest,
/// else the one that has least left.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Row {
    /// Whether the units were taken, or would be. Of other operations, whether a check of one unit would pass now.
    pub allowed: bool,
    /// Units left.
    pub remaining: i64,
    /// When nothing will be counted any more; of windows, their end.
    pub reset: i64,
    /// How long until the same would pass if nobody else asked; 0 where it did.
    pub retry: i64,
    /// Units counted.
    pub used: i64,
    /// Which limit this is about.
    pub limit: usize,
    /// The store's time of the decision: what a refund passes back.
    pub at: i64,
}

impl Row {
    /// The numbers in the order in which they go to JavaScript.
    #[must_use]
    pub fn numbers(&self) -> [f64; ROW] {
        [
            f64::from(u8::from(self.allowed)),
            self.remaining as f64,
            self.reset as f64,
            self.retry as f64,
            self.used as f64,
            self.limit as f64,
            self.at as f64,
        ]
    }
}
