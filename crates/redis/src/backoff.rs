//! When to try again.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

/// The longest wait is random below this after a first failure, twice as much after the second, and so on.
const FIRST: Duration = Duration::from_millis(10);
/// Doublings until the longest wait stays what it is, 2.56 s.
const DOUBLINGS: u32 = 8;

/// Waits that grow with each failure in a row. Each is random from 0 on ("full jitter"), so that the clients of a
/// server that comes back do not come all at once.
pub(crate) struct Backoff {
    failures: u32,
    random: u64,
}

impl Backoff {
    pub(crate) fn new() -> Self {
        // The standard library's only source of randomness: seeds of a hasher, which an empty hash shows.
        Self { failures: 0, random: RandomState::new().hash_one(0) | 1 }
    }

    /// The wait after one failure more.
    pub(crate) fn next(&mut self) -> Duration {
        let most = FIRST * (1 << self.failures.min(DOUBLINGS));
        self.failures = self.failures.saturating_add(1);
        most.mul_f64(self.share())
    }

    /// It went well.
    pub(crate) fn reset(&mut self) {
        self.failures = 0;
    }

    /// A random number in [0, 1), by xorshift64.
    fn share(&mut self) -> f64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        (self.random >> 11) as f64 / (1_u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_at_most_and_are_spread() {
        let longest = |failures: u32| {
            let waits = (0..200).map(|_| {
                let mut backoff = Backoff::new();
                for _ in 0..failures {
                    backoff.next();
                }
                backoff.next()
            });
            waits.max().expect("there are 200")
        };
        for (failures, most) in [(0, 10), (1, 20), (3, 80), (8, 2_560), (20, 2_560)] {
            let (longest, most) = (longest(failures), Duration::from_millis(most));
            assert!(longest < most && longest > most / 2, "after {failures} failures up to {longest:?}");
        }
    }

    #[test]
    fn a_success_begins_anew() {
        let mut backoff = Backoff::new();
        for _ in 0..10 {
            backoff.next();
        }
        backoff.reset();
        assert!(backoff.next() < FIRST);
    }
}
