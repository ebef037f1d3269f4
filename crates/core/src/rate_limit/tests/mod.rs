//! The limits: random games against the model, and what is particular by example.

mod arithmetic;
mod keys;
mod logs;
mod script;
mod store;

use proptest::prelude::*;

use super::model::play;
use super::store::MemoryLimiter;
use super::{Algorithm, Limit, Op, Row};
use crate::choices::Choices;

const ALL: [Algorithm; 6] = [
    Algorithm::SlidingWindow,
    Algorithm::SlidingWindowCounter,
    Algorithm::FixedWindow,
    Algorithm::TokenBucket,
    Algorithm::Gcra,
    Algorithm::Concurrency,
];

/// A day in 2026.
const NOW: i64 = 1_795_000_000_000_000;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]
    #[test]
    fn the_limiter_keeps_its_promises(choices in proptest::collection::vec(any::<u8>(), 0..600)) {
        play(Choices(&choices));
    }
}

fn limit(algorithm: Algorithm, quota: i64, window: i64) -> Limit {
    Limit { algorithm, window, quota, burst: quota.max(1) }
}

fn limiter(limits: &[Limit], max_keys: usize) -> MemoryLimiter {
    MemoryLimiter::new(limits, 0, max_keys).expect("the limits are in their range")
}

fn apply(limiter: &mut MemoryLimiter, op: Op, key: u16, amount: i64, extra: i64, now: i64) -> Row {
    limiter.apply(op, &[key], amount as f64, extra as f64, now as f64)
}

fn check(limiter: &mut MemoryLimiter, key: u16, now: i64) -> Row {
    apply(limiter, Op::Check, key, 1, i64::from(key), now)
}
