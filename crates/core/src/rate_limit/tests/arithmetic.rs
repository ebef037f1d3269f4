//! Numbers as large as they may get.

use proptest::prelude::*;

use super::{ALL, NOW, apply, check, limiter};
use crate::rate_limit::arithmetic::divide;
use crate::rate_limit::{Algorithm, Limit, LimitError, MAX_TIME, MAX_UNITS, MAX_WINDOW, Op};

proptest! {
    #[test]
    fn divides_exactly(a in 0_i64..1 << 49, b in 0_i64..1 << 45, c in 1_i64..=1 << 45) {
        let (product, divisor) = (i128::from(a) * i128::from(b), i128::from(c));
        let (quotient, rest) = divide(a, b, c);
        prop_assert_eq!((i128::from(quotient), i128::from(rest)), (product / divisor, product % divisor));
    }

    /// A day's worth of requests at a rate that divides nothing leaves no rounding error behind.
    #[test]
    fn a_bucket_does_not_drift(quota in 1_i64..1_000_000, window in 1_000_i64..=MAX_WINDOW, rounds in 1_i64..50) {
        let bucket = Limit { algorithm: Algorithm::Gcra, window, quota, burst: quota };
        let mut limiter = limiter(&[bucket], 1);
        for round in 0..rounds {
            // After each window exactly as much has flowed in as was taken.
            let row = apply(&mut limiter, Op::Check, 0, quota, 0, NOW / 2 + round * window);
            prop_assert!(row.allowed);
            prop_assert_eq!(row.remaining, 0);
        }
    }
}

#[test]
fn the_largest_numbers_fit() {
    for algorithm in ALL {
        let largest = Limit { algorithm, window: MAX_WINDOW, quota: MAX_UNITS, burst: MAX_UNITS };
        let mut limiter = limiter(&[largest], 10);
        let now = MAX_TIME / 2;
        assert_eq!(apply(&mut limiter, Op::Check, 1, MAX_UNITS, 1, now).remaining, 0, "{algorithm:?}");
        assert!(!check(&mut limiter, 1, now + 1).allowed, "{algorithm:?}");
        apply(&mut limiter, Op::Adjust, 1, MAX_UNITS, 0, now + 1);
        let row = apply(&mut limiter, Op::Block, 1, i64::MAX, 0, now + 2);
        assert!(row.reset < 1 << 53 && row.used <= 2 * MAX_UNITS, "{algorithm:?}: {row:?}");
    }
}

#[test]
fn a_quota_of_0_denies_everything() {
    for algorithm in ALL {
        let mut limiter = limiter(&[Limit { algorithm, window: 1_000_000, quota: 0, burst: 5 }], 10);
        let row = check(&mut limiter, 1, NOW);
        assert_eq!((row.allowed, row.remaining, row.retry), (false, 0, 1_000_000), "{algorithm:?}");
        for amount in [-3, 3] {
            assert!(!apply(&mut limiter, Op::Adjust, 1, amount, 0, NOW).allowed, "{algorithm:?}");
        }
        assert_eq!(limiter.stats().size, 0, "there is nothing to know");
    }
}

#[test]
fn limits_out_of_range_are_refused() {
    let good = Limit { algorithm: Algorithm::Gcra, window: 1_000, quota: 1, burst: 1 };
    assert_eq!(good.check(), Ok(()));
    assert_eq!(Limit { window: 999, ..good }.check(), Err(LimitError::Window));
    assert_eq!(Limit { window: MAX_WINDOW + 1, ..good }.check(), Err(LimitError::Window));
    assert_eq!(Limit { quota: -1, ..good }.check(), Err(LimitError::Quota));
    assert_eq!(Limit { quota: MAX_UNITS + 1, ..good }.check(), Err(LimitError::Quota));
    assert_eq!(Limit { burst: 0, ..good }.check(), Err(LimitError::Burst));
    assert_eq!(Limit { window: MAX_WINDOW, burst: 33, ..good }.check(), Err(LimitError::Burst));
    assert_eq!(Limit { window: MAX_WINDOW, burst: 32, ..good }.check(), Ok(()));
}
