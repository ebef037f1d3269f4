//! What a cache holds, and what it did.

/// Of a shard or of all. The counts begin with the cache and are never reset.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Entries stored, expired ones that were not swept yet included.
    pub entries: usize,
    /// What they take, in bytes, with all tables: the figure that `max_bytes` bounds.
    pub bytes: usize,
    /// Gets that found something.
    pub hits: u64,
    /// Gets that did not.
    pub misses: u64,
    /// Values stored, by whatever operation.
    pub sets: u64,
    /// Entries that were deleted, by key, by tag or with all others.
    pub deletes: u64,
    /// Entries that made room for others because there were too many.
    pub evicted_by_size: u64,
    /// Entries that made room for others because they took too many bytes.
    pub evicted_by_weight: u64,
    /// Entries whose time was over.
    pub expired: u64,
    /// Values that were not stored because they were too large.
    pub rejected: u64,
}

impl std::ops::AddAssign for Stats {
    fn add_assign(&mut self, other: Self) {
        self.entries += other.entries;
        self.bytes += other.bytes;
        self.hits += other.hits;
        self.misses += other.misses;
        self.sets += other.sets;
        self.deletes += other.deletes;
        self.evicted_by_size += other.evicted_by_size;
        self.evicted_by_weight += other.evicted_by_weight;
        self.expired += other.expired;
        self.rejected += other.rejected;
    }
}
