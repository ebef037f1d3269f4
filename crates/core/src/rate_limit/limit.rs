//! What a limit is.

use std::fmt;

/// The longest window: a little more than 407 days in microseconds.
pub const MAX_WINDOW: i64 = 1 << 45;

/// The largest quota and burst.
pub const MAX_UNITS: i64 = 1_000_000_000_000;

/// The latest time and the longest span that any number here may tell, in microseconds: in the year 2112, or 142 years.
pub const MAX_TIME: i64 = 1 << 52;

/// Limits that one key can have at once.
pub const MAX_LIMITS: usize = 16;

/// How requests are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Algorithm {
    /// A log of what was admitted: exact in every window.
    SlidingWindow = 0,
    /// Two counters, of this window and the one before, which fades out.
    SlidingWindowCounter = 1,
    /// One counter, from the first request of a window until that ends.
    FixedWindow = 2,
    /// A bucket of `burst` tokens that `quota` tokens a window flow into.
    TokenBucket = 3,
    /// The same bucket as a theoretical arrival time: see `algorithm/mod.rs`.
    Gcra = 4,
    /// Leases that end by themselves a window after they were taken or renewed.
    Concurrency = 5,
}

impl Algorithm {
    /// The algorithm of a number that the facade has chosen.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Self> {
        use Algorithm::{Concurrency, FixedWindow, Gcra, SlidingWindow, SlidingWindowCounter, TokenBucket};
        [SlidingWindow, SlidingWindowCounter, FixedWindow, TokenBucket, Gcra, Concurrency]
            .into_iter()
            .find(|algorithm| *algorithm as u8 == number)
    }
}

/// One limit of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// How requests are counted.
    pub algorithm: Algorithm,
    /// Microseconds, from 1,000 to [`MAX_WINDOW`]; of leases, how long they last.
    pub window: i64,
    /// Units a window, from 0, which denies everything, to [`MAX_UNITS`].
    pub quota: i64,
    /// Units that may pass at once, from 1 to [`MAX_UNITS`]; for a bucket only, elsewhere it is ignored.
    pub burst: i64,
}

/// Why a limit cannot be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LimitError {
    /// No limit at all, or more than [`MAX_LIMITS`].
    Count,
    /// The window is out of its range.
    Window,
    /// The quota is out of its range.
    Quota,
    /// The burst is out of its range, or takes longer than 35 years to flow in.
    Burst,
    /// The prefix of keys begins a hash tag with nothing in it.
    Prefix,
}

impl fmt::Display for LimitError {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(match self {
            Self::Count => "a key has from 1 to 16 limits",
            Self::Window => "a window lasts from 1 ms to 407 days",
            Self::Quota => "a quota is from 0 to 10^12",
            Self::Burst => "a burst is from 1 to 10^12, and flows in within 35 years",
            Self::Prefix => "a prefix of Redis keys has no \"{}\": it would take hash tags out of use",
        })
    }
}

impl std::error::Error for LimitError {}

impl Limit {
    /// Says whether every number is in its range.
    ///
    /// # Errors
    /// The first number that is not.
    pub fn check(&self) -> Result<(), LimitError> {
        if !(1_000..=MAX_WINDOW).contains(&self.window) {
            return Err(LimitError::Window);
        }
        if !(0..=MAX_UNITS).contains(&self.quota) {
            return Err(LimitError::Quota);
        }
        let is_bucket = matches!(self.algorithm, Algorithm::TokenBucket | Algorithm::Gcra);
        if !is_bucket {
            return Ok(());
        }
        let fill = i128::from(self.burst) * i128::from(self.window);
        let is_slow = fill > i128::from(self.quota.max(1)) * i128::from(MAX_TIME / 4);
        if !(1..=MAX_UNITS).contains(&self.burst) || is_slow { Err(LimitError::Burst) } else { Ok(()) }
    }

    /// Units that may be in use at once.
    #[must_use]
    pub fn capacity(&self) -> i64 {
        match self.algorithm {
            Algorithm::TokenBucket | Algorithm::Gcra if self.quota > 0 => self.burst,
            _ => self.quota,
        }
    }
}

/// Checks all limits of a key.
///
/// # Errors
/// What is wrong with the first that cannot be kept.
pub(super) fn check_all(limits: &[Limit]) -> Result<(), LimitError> {
    if limits.is_empty() || limits.len() > MAX_LIMITS {
        return Err(LimitError::Count);
    }
    limits.iter().try_for_each(Limit::check)
}
