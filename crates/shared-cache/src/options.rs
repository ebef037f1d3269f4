//! What bounds a cache, and the shares of its shards.

use std::fmt;

use keelson_core::cache::{MAX_ENTRIES, Policy};

/// The least `max_bytes`: what a shard needs before it holds anything, and a few entries.
pub const LEAST_BYTES: usize = 64 << 10;

/// A cache has fewer shards than it was asked for if each had fewer bytes than these.
pub const LEAST_SHARD_BYTES: usize = 1 << 20;

/// A cache has fewer shards than it was asked for if each had room for fewer entries than these.
pub const LEAST_SHARD_ENTRIES: usize = 64;

/// The most shards.
pub const MOST_SHARDS: usize = 256;

/// What bounds a cache, and how.
///
/// Each shard has the same share of both bounds, so the largest entry that can be stored is as large as a shard's share less
/// about 8 KiB: by default 4 MiB.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// The most bytes that are stored, with all that they need: keys, tags, tables, and the headers of allocations. At least
    /// [`LEAST_BYTES`]. 64 MiB by default. Not counted are values that readers still hold when they are stored no longer, loads
    /// under way, and for the moment in which a table moves into a larger or a smaller one, the former.
    pub max_bytes: usize,
    /// The most entries, at least 1. Unbounded by default.
    pub max_entries: usize,
    /// How victims are picked. [`Policy::S3Fifo`] takes up to 31 bytes more for each entry.
    pub policy: Policy,
    /// In how many shards, a power of two up to [`MOST_SHARDS`]; 16 by default. Small caches have fewer.
    pub shards: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { max_bytes: 64 << 20, max_entries: usize::MAX, policy: Policy::default(), shards: 16 }
    }
}

/// An option that no cache can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidOptions {
    /// `max_bytes` is below [`LEAST_BYTES`].
    MaxBytes,
    /// `max_entries` is 0.
    MaxEntries,
    /// `shards` is no power of two, or above [`MOST_SHARDS`].
    Shards,
}

impl fmt::Display for InvalidOptions {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MaxBytes => write!(to, "a shared cache needs at least {LEAST_BYTES} bytes"),
            Self::MaxEntries => write!(to, "a shared cache needs room for an entry"),
            Self::Shards => write!(to, "the shards of a cache must be a power of two, {MOST_SHARDS} at most"),
        }
    }
}

impl std::error::Error for InvalidOptions {}

/// A shard's share of the options.
#[derive(Clone, Debug)]
pub(crate) struct Share {
    pub(crate) bytes: usize,
    pub(crate) entries: usize,
    pub(crate) policy: Policy,
}

impl Options {
    /// The number of shards, and what each may hold.
    pub(crate) fn divide(&self) -> Result<(usize, Share), InvalidOptions> {
        if self.max_bytes < LEAST_BYTES {
            return Err(InvalidOptions::MaxBytes);
        }
        if self.max_entries == 0 {
            return Err(InvalidOptions::MaxEntries);
        }
        if !self.shards.is_power_of_two() || self.shards > MOST_SHARDS {
            return Err(InvalidOptions::Shards);
        }
        let mut shards = self.shards;
        while shards > 1
            && (self.max_bytes / shards < LEAST_SHARD_BYTES || self.max_entries / shards < LEAST_SHARD_ENTRIES)
        {
            shards /= 2;
        }
        let share = Share {
            bytes: self.max_bytes / shards,
            entries: (self.max_entries / shards).min(MAX_ENTRIES),
            policy: self.policy,
        };
        Ok((shards, share))
    }

    /// The name of an option that the two do not have in common.
    pub(crate) fn difference(&self, other: &Self) -> Option<&'static str> {
        let Self { max_bytes, max_entries, policy, shards } = self;
        let same = [
            ("max_bytes", *max_bytes == other.max_bytes),
            ("max_entries", *max_entries == other.max_entries),
            ("policy", *policy == other.policy),
            ("shards", *shards == other.shards),
        ];
        same.iter().find(|(_, same)| !same).map(|(name, _)| *name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shards(options: &Options) -> Result<usize, InvalidOptions> {
        options.divide().map(|(shards, _)| shards)
    }

    #[test]
    fn small_caches_have_fewer_shards() {
        let options = Options::default();
        assert_eq!(shards(&options), Ok(16));
        assert_eq!(shards(&Options { max_bytes: 4 << 20, ..options.clone() }), Ok(4));
        assert_eq!(shards(&Options { max_bytes: LEAST_BYTES, ..options.clone() }), Ok(1));
        assert_eq!(shards(&Options { max_entries: 100, ..options }), Ok(1));
    }

    #[test]
    fn shares_add_up_to_no_more_than_the_whole() {
        let options = Options { max_bytes: (32 << 20) + 7, max_entries: 10_001, ..Options::default() };
        let (shards, share) = options.divide().expect("valid");
        assert!(shards * share.bytes <= options.max_bytes && shards * share.entries <= options.max_entries);
    }

    #[test]
    fn what_no_cache_can_have_is_refused() {
        let options = Options::default();
        assert_eq!(shards(&Options { max_bytes: LEAST_BYTES - 1, ..options.clone() }), Err(InvalidOptions::MaxBytes));
        assert_eq!(shards(&Options { max_entries: 0, ..options.clone() }), Err(InvalidOptions::MaxEntries));
        for count in [0, 3, MOST_SHARDS * 2] {
            assert_eq!(shards(&Options { shards: count, ..options.clone() }), Err(InvalidOptions::Shards));
        }
    }
}
