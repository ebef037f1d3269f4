//! Logs of large quotas, which are kept in grains.

use proptest::prelude::*;

use super::{NOW, apply, check, limit, limiter};
use crate::rate_limit::{Algorithm, Op};

const QUOTA: i64 = 1_000_000;
const WINDOW: i64 = 1_000_000_000;

/// A 65,536th of the window, rounded up.
const GRAIN: i64 = 15_259;

proptest! {
    #[test]
    fn a_large_quota_is_never_exceeded_and_comes_back_within_a_grain(
        steps in proptest::collection::vec((0_i64..200_000_000, 1_i64..400_000), 1..60),
    ) {
        let mut limiter = limiter(&[limit(Algorithm::SlidingWindow, QUOTA, WINDOW)], 1);
        let (mut now, mut admitted) = (NOW, Vec::new());
        for (step, units) in steps {
            now += step;
            let row = apply(&mut limiter, Op::Check, 0, units, 0, now);
            let used = |window: i64| -> i64 {
                admitted.iter().filter(|(time, _)| *time > now - window).map(|(_, units)| units).sum()
            };
            if row.allowed {
                prop_assert!(used(WINDOW) + units <= QUOTA);
                admitted.push((now, units));
            } else {
                prop_assert!(used(WINDOW + GRAIN) + units > QUOTA);
            }
        }
    }
}

#[test]
fn a_large_log_gives_back_what_was_admitted_in_a_grain() {
    let mut limiter = limiter(&[limit(Algorithm::SlidingWindow, QUOTA, WINDOW)], 1);
    let first = check(&mut limiter, 0, NOW).at;
    check(&mut limiter, 0, NOW + 1);
    assert_eq!(apply(&mut limiter, Op::Adjust, 0, -1, first, NOW + 2).used, 1);
    assert_eq!(apply(&mut limiter, Op::Adjust, 0, -1, first - GRAIN, NOW + 2).used, 1);
}
