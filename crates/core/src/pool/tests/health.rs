//! When a connection is given up, and how it is watched.

use super::*;
use crate::pool::{Reason, Why};

#[test]
fn idle_connections_go_those_unused_for_longest_first_but_never_below_min() {
    let mut pool = idle(4, Options { min: 2, idle_timeout: 100.0, ..Options::default() });
    assert_eq!(pool.due(), 100.0);
    pool.tick(99.9);
    assert_eq!(actions(&mut pool), []);
    pool.tick(1_000.0);
    assert_eq!(actions(&mut pool), [Action::Close(0, Reason::Idle), Action::Close(1, Reason::Idle)]);
    assert_eq!(pool.due(), NEVER);
}

#[test]
fn a_validation_is_no_use_and_leaves_the_idle_timeout_as_it_is() {
    let mut pool = idle(2, Options { idle_timeout: 100.0, probe_interval: 60.0, ..Options::default() });
    pool.tick(60.0);
    assert_eq!(actions(&mut pool), [Action::Validate(0, Why::Probe)]);
    assert_eq!(pool.validated(90.0, 0, true), None);
    pool.tick(100.0);
    assert_eq!(actions(&mut pool), [Action::Close(0, Reason::Idle), Action::Validate(1, Why::Probe)]);
}

#[test]
fn a_connection_ends_with_its_lifetime_and_min_is_refilled() {
    let mut pool = idle(1, Options { max: 2, min: 1, max_lifetime: 50.0, ..Options::default() });
    pool.tick(50.0);
    assert_eq!(actions(&mut pool), [Action::Close(0, Reason::Lifetime), Action::Create(1)]);
}

#[test]
fn a_lent_connection_outlives_its_lifetime_until_it_comes_back() {
    let mut pool = lent(1, Options { max_lifetime: 50.0, ..Options::default() });
    pool.tick(60.0);
    assert_eq!(actions(&mut pool), []);
    assert_eq!(pool.release(70.0, 0), None);
    assert_eq!(actions(&mut pool), [Action::Close(0, Reason::Lifetime)]);
}

#[test]
fn an_idle_connection_that_is_too_old_is_not_lent_however_late_the_tick_comes() {
    let mut pool = idle(1, Options { max: 2, max_lifetime: 50.0, ..Options::default() });
    wait(&mut pool, 60.0, NEVER, 1);
    assert_eq!(actions(&mut pool), [Action::Close(0, Reason::Lifetime), Action::Create(1)]);
}

#[test]
fn lifetimes_are_spread_by_at_most_the_jitter() {
    let options = Options { max: 200, max_lifetime: 1_000.0, lifetime_jitter: 0.1, seed: 7, ..Options::default() };
    let mut pool = idle(200, options);
    pool.tick(899.0);
    assert_eq!(actions(&mut pool), []);
    pool.tick(950.0);
    let half = actions(&mut pool).len();
    assert!((60..140).contains(&half), "{half} of 200 end in the first half");
    pool.tick(1_000.0);
    assert_eq!(actions(&mut pool).len(), 200 - half);
}

#[test]
fn a_connection_is_lent_as_often_as_allowed() {
    let mut pool = lent(1, Options { max: 1, max_uses: 2.0, ..Options::default() });
    let ticket = wait(&mut pool, 1.0, NEVER, 1);
    assert_eq!(pool.release(2.0, 0), Some(ticket));
    let ticket = wait(&mut pool, 2.0, NEVER, 1);
    assert_eq!(pool.release(3.0, 0), None);
    assert_eq!(actions(&mut pool), [Action::Close(0, Reason::Uses)]);
    pool.closed(4.0, 0);
    assert_eq!(pool.opened(5.0, 0), Some(ticket));
}

#[test]
fn a_broken_connection_is_closed_whether_it_is_lent_idle_or_validating() {
    let mut pool = idle(2, Options { max: 2, validate_after: 0.0, ..Options::default() });
    wait(&mut pool, 5.0, NEVER, 1);
    assert_eq!(actions(&mut pool), [Action::Validate(1, Why::Borrow)]);
    pool.discard(6.0, 0);
    pool.discard(6.0, 1);
    assert_eq!(actions(&mut pool), [Action::Close(0, Reason::Broken), Action::Close(1, Reason::Broken)]);
    // What is closing counts as a connection until it is gone.
    assert_eq!(pool.counts().closing, 2);
    pool.closed(7.0, 1);
    assert_eq!(actions(&mut pool), [Action::Create(1)]);
    assert!(pool.opened(8.0, 1).is_some());
    pool.discard(9.0, 1);
    assert_eq!(actions(&mut pool), [Action::Close(1, Reason::Broken)]);
}

#[test]
fn idle_connections_are_probed_one_at_a_time() {
    let mut pool = idle(2, Options { probe_interval: 10.0, ..Options::default() });
    assert_eq!(pool.due(), 10.0);
    pool.tick(20.0);
    assert_eq!(actions(&mut pool), [Action::Validate(0, Why::Probe)]);
    assert_eq!(pool.due(), NEVER);
    assert_eq!(pool.validated(21.0, 0, true), None);
    assert_eq!(pool.due(), 11.0);
    pool.tick(21.0);
    assert_eq!(actions(&mut pool), [Action::Validate(1, Why::Probe)]);
    assert_eq!(pool.validated(22.0, 1, false), None);
    assert_eq!(actions(&mut pool), [Action::Close(1, Reason::Invalid)]);
    assert_eq!(pool.due(), 31.0);
}

#[test]
fn a_probed_connection_goes_to_who_came_meanwhile() {
    let mut pool = idle(1, Options { max: 1, probe_interval: 10.0, ..Options::default() });
    pool.tick(10.0);
    let ticket = wait(&mut pool, 11.0, NEVER, 1);
    assert_eq!(pool.validated(12.0, 0, true), Some(ticket));
}

#[test]
fn a_validation_that_takes_too_long_has_failed() {
    let options = Options { max: 1, validate_after: 0.0, validate_timeout: 5.0, ..Options::default() };
    let mut pool = idle(1, options);
    wait(&mut pool, 1.0, NEVER, 1);
    assert_eq!(pool.due(), 6.0);
    pool.tick(6.0);
    assert_eq!(actions(&mut pool), [Action::Validate(0, Why::Borrow), Action::Close(0, Reason::Invalid)]);
    assert_eq!(pool.validated(7.0, 0, true), None);
    pool.closed(8.0, 0);
    assert_eq!(actions(&mut pool), [Action::Create(0)]);
}

#[test]
fn a_long_lease_is_reported_once() {
    let mut pool = lent(2, Options { max: 2, leak_after: 10.0, ..Options::default() });
    assert_eq!(pool.release(5.0, 1), None);
    assert_eq!(pool.acquire(6.0, NEVER, 1), Acquired::Slot(1));
    pool.tick(10.0);
    assert_eq!(actions(&mut pool), [Action::Leak(0)]);
    assert_eq!((pool.due(), pool.counts().lent), (16.0, 2));
    let ticket = wait(&mut pool, 11.0, NEVER, 1);
    assert_eq!(pool.release(12.0, 0), Some(ticket));
    pool.tick(22.0);
    assert_eq!(actions(&mut pool), [Action::Leak(1), Action::Leak(0)]);
}
