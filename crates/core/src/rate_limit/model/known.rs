//! Which keys a limiter knows, and which of them may go.

use std::collections::HashMap;

use crate::rate_limit::{Op, Row};

/// By key, when it was used last, or until when it is held: while it is blocked, and after a denial until the same
/// would pass.
pub(super) struct Known {
    most: usize,
    uses: u64,
    last: HashMap<usize, u64>,
    held: HashMap<usize, i64>,
}

impl Known {
    pub(super) fn new(most: usize) -> Self {
        Self { most, uses: 0, last: HashMap::new(), held: HashMap::new() }
    }

    /// Its end counts as a use, in the order of these ends.
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

    /// A key that is known after an operation: blocked until some time, and answered like that.
    pub(super) fn note(&mut self, op: Op, key: usize, blocked: i64, row: &Row, now: i64) {
        if op == Op::Peek {
            return;
        }
        self.forget(key);
        if blocked > row.at {
            self.held.insert(key, blocked);
        } else if !row.allowed && row.retry > 0 {
            self.held.insert(key, now + row.retry);
        } else {
            self.touch(key);
        }
    }

    pub(super) fn forget(&mut self, key: usize) {
        self.last.remove(&key);
        self.held.remove(&key);
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
            assert!(self.last.is_empty(), "who is held goes last");
            assert!(self.held.values().all(|other| end <= other), "who would be free first goes first");
        } else {
            let used = self.last[&lost];
            assert!(self.last.values().all(|other| used <= *other), "who was not used for longest goes first");
        }
    }
}
