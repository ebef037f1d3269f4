//! Which keys a limiter knows, and which of them may go.

use std::collections::HashMap;

use crate::rate_limit::Op;

/// By key, when it was used last and until when it is blocked.
pub(super) struct Known {
    most: usize,
    uses: u64,
    last: HashMap<usize, u64>,
    held: HashMap<usize, i64>,
    /// What is known of blocks, be they over.
    blocks: HashMap<usize, i64>,
}

impl Known {
    pub(super) fn new(most: usize) -> Self {
        Self { most, uses: 0, last: HashMap::new(), held: HashMap::new(), blocks: HashMap::new() }
    }

    /// The end of a block counts as a use, in the order of these ends.
    pub(super) fn catch_up(&mut self, now: i64) {
        let mut over: Vec<(i64, usize)> =
            self.held.iter().filter(|(_, end)| **end <= now).map(|(key, end)| (*end, *key)).collect();
        over.sort_unstable();
        // Of those that end at once any may count as used first.
        for together in over.chunk_by(|one, other| one.0 == other.0) {
            self.uses += 1;
            for (_, key) in together {
                self.held.remove(key);
                self.last.insert(*key, self.uses);
            }
        }
    }

    fn touch(&mut self, key: usize) {
        self.uses += 1;
        self.last.insert(key, self.uses);
    }

    /// A key that is known after an operation.
    pub(super) fn note(&mut self, op: Op, key: usize, blocked: i64, now: i64) {
        let is_new = !self.last.contains_key(&key) && !self.held.contains_key(&key);
        let before = self.blocks.insert(key, blocked).unwrap_or(0);
        if blocked != before && blocked > now {
            self.last.remove(&key);
            self.held.insert(key, blocked);
        } else if blocked != before || is_new || op != Op::Peek && !self.held.contains_key(&key) {
            self.held.remove(&key);
            self.touch(key);
        }
    }

    pub(super) fn forget(&mut self, key: usize) {
        self.last.remove(&key);
        self.held.remove(&key);
        self.blocks.remove(&key);
    }

    /// `lost` was alive and had to go.
    pub(super) fn judge_eviction(
        &self,
        lost: usize,
        before: &[usize],
        key: Option<usize>,
        now: i64,
        due: impl Fn(&usize) -> i64,
    ) {
        assert!(key.is_some_and(|key| !before.contains(&key)), "only a new key needs room");
        assert_eq!(before.len(), self.most, "there was no room");
        // The store counts in milliseconds, rounded up.
        let is_over = |key: &usize| (due(key) + 999) / 1_000 <= now / 1_000;
        assert!(!before.iter().any(is_over), "what is over goes first");
        if let Some(end) = self.held.get(&lost) {
            assert!(self.last.is_empty(), "who is blocked goes last");
            assert!(self.held.values().all(|other| end <= other), "whose block ends first goes first");
        } else {
            let used = self.last[&lost];
            assert!(self.last.values().all(|other| used <= *other), "who was not used for longest goes first");
        }
    }
}
