//! Which keys are known, and for how long.

use super::{ALL, NOW, apply, check, limit, limiter};
use crate::rate_limit::{Algorithm, Op};

const SECOND: i64 = 1_000_000;

#[test]
fn keys_go_by_themselves_and_leave_no_memory() {
    for algorithm in ALL {
        let mut limiter = limiter(&[limit(algorithm, 5, SECOND)], 100_000);
        for key in 0..10_000 {
            check(&mut limiter, key, NOW + i64::from(key));
        }
        assert_eq!(limiter.stats().size, 10_000);
        // Two windows of a counter, and a tick.
        let late = NOW + 3 * SECOND;
        assert!(limiter.due() <= late as f64);
        assert_eq!(limiter.sweep(late as f64, usize::MAX), 10_000, "{algorithm:?}");
        assert_eq!((limiter.due(), limiter.stats().expirations), (f64::INFINITY, 10_000));
        assert!(limiter.room() <= 1_024, "{algorithm:?}");
        limiter.validate(false);
    }
}

#[test]
fn calls_sweep_too() {
    let mut limiter = limiter(&[limit(Algorithm::FixedWindow, 5, SECOND)], 100_000);
    for key in 0..1_000 {
        check(&mut limiter, key, NOW);
    }
    for _ in 0..250 {
        check(&mut limiter, 1_000, NOW + 2 * SECOND);
    }
    assert_eq!(limiter.stats().size, 1);
}

#[test]
fn the_bound_holds_and_the_least_recently_used_goes() {
    let mut limiter = limiter(&[limit(Algorithm::SlidingWindow, 2, SECOND)], 3);
    for key in [1, 2, 3, 1, 4] {
        check(&mut limiter, key, NOW);
    }
    let stats = limiter.stats();
    assert_eq!((stats.size, stats.evictions, stats.hits, stats.misses), (3, 1, 1, 4));
    // 2 is forgotten, 1 is not.
    assert_eq!(apply(&mut limiter, Op::Peek, 2, 1, 0, NOW).used, 0);
    assert_eq!(apply(&mut limiter, Op::Peek, 1, 1, 0, NOW).used, 2);
}

#[test]
fn who_is_blocked_stays_known() {
    let mut limiter = limiter(&[limit(Algorithm::Gcra, 1, SECOND)], 2);
    apply(&mut limiter, Op::Block, 1, 60 * SECOND, 0, NOW);
    for key in 2..100 {
        check(&mut limiter, key, NOW);
    }
    assert_eq!((limiter.stats().blocked, limiter.stats().size), (1, 2));
    let row = check(&mut limiter, 1, NOW);
    assert_eq!((row.allowed, row.retry), (false, 60 * SECOND));
    // When all are blocked, the one goes that would be free first.
    apply(&mut limiter, Op::Block, 99, 50 * SECOND, 0, NOW);
    apply(&mut limiter, Op::Block, 100, 70 * SECOND, 0, NOW);
    assert!(apply(&mut limiter, Op::Peek, 99, 1, 0, NOW).allowed);
    assert_eq!(limiter.stats().blocked, 2);
}

#[test]
fn who_is_denied_stays_known_until_the_same_would_pass() {
    for algorithm in ALL {
        let mut limiter = limiter(&[limit(algorithm, 1, SECOND)], 2);
        assert!(check(&mut limiter, 1, NOW).allowed);
        let wait = apply(&mut limiter, Op::Check, 1, 1, 99, NOW).retry;
        for key in 2..100 {
            check(&mut limiter, key, NOW);
        }
        assert!(!apply(&mut limiter, Op::Check, 1, 1, 98, NOW + wait - 1).allowed, "{algorithm:?}");
        assert_eq!(limiter.stats().blocked, 0, "a denial is no block");
        // From then on it is one of many.
        for key in 100..102 {
            check(&mut limiter, key, NOW + wait);
        }
        assert_eq!(apply(&mut limiter, Op::Peek, 1, 1, 0, NOW + wait).used, 0, "{algorithm:?}");
        limiter.validate(false);
    }
}

#[test]
fn what_asks_about_nothing_is_not_remembered() {
    let limits: Vec<_> = ALL.iter().map(|algorithm| limit(*algorithm, 5, SECOND)).collect();
    let mut limiter = limiter(&limits, 10);
    for op in [Op::Peek, Op::Reset, Op::Release, Op::Renew] {
        apply(&mut limiter, op, 1, 1, 1, NOW);
    }
    apply(&mut limiter, Op::Adjust, 1, -1, 0, NOW);
    apply(&mut limiter, Op::Block, 1, 0, 0, NOW);
    apply(&mut limiter, Op::Check, 1, 6, 0, NOW);
    assert_eq!(limiter.stats().size, 0);
}

#[test]
fn clearing_forgets_all() {
    let mut limiter = limiter(&[limit(Algorithm::Concurrency, 1, SECOND)], 10);
    check(&mut limiter, 1, NOW);
    apply(&mut limiter, Op::Block, 2, SECOND, 0, NOW);
    limiter.clear();
    limiter.validate(false);
    assert!(check(&mut limiter, 1, NOW).allowed && check(&mut limiter, 2, NOW).allowed);
}
