//! How many connections are opened, and how often, as long as some fail to.

use super::*;
use crate::pool::{Cause, Health, Reason};

/// What a pool does when its attempts fail one after another, each as soon as it is made: the waits between them.
fn waits(options: Options, count: usize) -> Vec<f64> {
    let mut pool = Pool::new(options);
    wait(&mut pool, 0.0, NEVER, 1);
    let mut now = 0.0;
    let mut waits = Vec::new();
    for _ in 0..count {
        assert_eq!(actions(&mut pool).len(), 1, "one attempt at a time");
        pool.open_failed(now, 0);
        assert_eq!(actions(&mut pool), []);
        waits.push(pool.due() - now);
        now = pool.due();
        pool.tick(now);
    }
    waits
}

#[test]
fn as_many_are_opened_as_wait_but_no_more_than_allowed() {
    let mut pool = Pool::new(Options { max: 5, max_opening: 3, ..Options::default() });
    wait(&mut pool, 0.0, NEVER, 1);
    assert_eq!(actions(&mut pool), [Action::Create(0)]);
    for _ in 0..9 {
        wait(&mut pool, 0.0, NEVER, 1);
    }
    assert_eq!(actions(&mut pool), [Action::Create(1), Action::Create(2)]);
    assert!(pool.opened(1.0, 0).is_some());
    assert_eq!(actions(&mut pool), [Action::Create(3)]);
    assert!(pool.opened(1.0, 1).is_some() && pool.opened(1.0, 2).is_some() && pool.opened(1.0, 3).is_some());
    assert_eq!(actions(&mut pool), [Action::Create(4)]);
    assert!(pool.opened(1.0, 4).is_some());
    assert_eq!(actions(&mut pool), []);
}

#[test]
fn min_is_filled_from_the_start_or_the_first_acquire() {
    let options = Options { max: 5, min: 3, ..Options::default() };
    let creates = [Action::Create(0), Action::Create(1), Action::Create(2)];
    let mut pool = Pool::new(options.clone());
    pool.tick(1.0);
    assert_eq!(actions(&mut pool), []);
    pool.start(2.0);
    assert_eq!(actions(&mut pool), creates);
    let mut pool = Pool::new(options);
    wait(&mut pool, 0.0, NEVER, 1);
    assert_eq!(actions(&mut pool), creates);
}

#[test]
fn backoff_is_a_random_part_of_a_wait_that_doubles() {
    let options = Options { backoff_min: 10.0, backoff_max: 300.0, ..Options::default() };
    let runs: Vec<Vec<f64>> = (0..200).map(|seed| waits(Options { seed, ..options.clone() }, 8)).collect();
    for (step, cap) in [10.0, 20.0, 40.0, 80.0, 160.0, 300.0, 300.0, 300.0].into_iter().enumerate() {
        let step: Vec<f64> = runs.iter().map(|run| run[step]).collect();
        assert!(step.iter().all(|wait| (0.0..cap).contains(wait)), "no wait is longer than {cap}");
        let mean = step.iter().sum::<f64>() / 200.0 / cap;
        assert!((0.4..0.6).contains(&mean), "{mean} of {cap} in the mean");
    }
}

#[test]
fn a_failure_holds_back_all_attempts_but_one_at_a_time() {
    let mut pool = Pool::new(Options { max: 4, backoff_min: 100.0, backoff_max: 100.0, ..Options::default() });
    for _ in 0..4 {
        wait(&mut pool, 0.0, NEVER, 1);
    }
    assert_eq!(actions(&mut pool).len(), 4);
    for slot in 0..4 {
        pool.open_failed(1.0, slot);
    }
    assert_eq!(pool.failures(), 1, "attempts of one moment are one failure");
    assert_eq!(actions(&mut pool), []);
    let due = pool.due();
    pool.tick(due);
    assert_eq!(actions(&mut pool), [Action::Create(0)]);
    pool.tick(due + 1_000.0);
    assert_eq!(actions(&mut pool), []);
    pool.open_failed(due + 1_000.0, 0);
    assert_eq!(pool.failures(), 2);
}

#[test]
fn after_a_success_the_number_allowed_at_once_doubles() {
    let mut pool = Pool::new(Options { max: 20, max_opening: 10, ..Options::default() });
    for _ in 0..20 {
        wait(&mut pool, 0.0, NEVER, 1);
    }
    assert_eq!(actions(&mut pool).len(), 10);
    for slot in 0..10 {
        pool.open_failed(1.0, slot);
    }
    let mut open: Vec<u32> = Vec::new();
    for at_once in [1, 2, 4] {
        pool.tick(2.0);
        open.extend(actions(&mut pool).iter().map(|action| action.numbers()[1].cast_unsigned()));
        assert_eq!(pool.counts().opening, at_once);
        assert!(pool.opened(2.0, open.remove(0)).is_some());
    }
    assert_eq!((pool.counts().opening, pool.failures()), (8, 0));
    assert!(pool.opened(2.0, open.remove(0)).is_some());
    assert_eq!(pool.counts().opening, 10);
}

#[test]
fn an_attempt_that_takes_too_long_is_abandoned_and_has_failed() {
    let mut pool = Pool::new(Options { open_timeout: 10.0, backoff_min: 8.0, backoff_max: 8.0, ..Options::default() });
    let ticket = wait(&mut pool, 0.0, NEVER, 1);
    assert_eq!(actions(&mut pool), [Action::Create(0)]);
    assert_eq!(pool.due(), 10.0);
    pool.tick(10.0);
    assert_eq!(actions(&mut pool), [Action::Abandon(0)]);
    assert_eq!((pool.failures(), pool.opened(11.0, 0)), (1, None));
    pool.tick(18.0);
    assert_eq!(actions(&mut pool), [Action::Create(0)]);
    assert_eq!(pool.opened(19.0, 0), Some(ticket));
}

#[test]
fn in_an_outage_all_wait_unless_they_want_to_fail_fast() {
    let mut pool = Pool::new(Options { failure_threshold: 2.0, ..Options::default() });
    wait(&mut pool, 0.0, NEVER, 1);
    pool.open_failed(1.0, 0);
    assert_eq!(pool.health(), Health::Well);
    pool.open_failed(2.0, 0);
    // Without a backoff the next attempt is made at once.
    assert_eq!(pool.health(), Health::Attempt);
    wait(&mut pool, 3.0, NEVER, 1);
    assert!(pool.opened(4.0, 0).is_some());
    assert_eq!(pool.health(), Health::Well);
}

#[test]
fn failing_fast_rejects_who_waits_and_refuses_who_comes_until_a_connection_opens() {
    let options = Options { fail_fast: true, backoff_min: 10.0, backoff_max: 10.0, ..Options::default() };
    let mut pool = Pool::new(options);
    let tickets = [1, 1].map(|priority| wait(&mut pool, 0.0, NEVER, priority));
    assert_eq!(actions(&mut pool).len(), 2);
    pool.open_failed(1.0, 0);
    assert_eq!(actions(&mut pool), [], "an attempt under way is waited for");
    pool.open_failed(1.0, 1);
    assert_eq!(actions(&mut pool), tickets.map(|ticket| Action::Reject(ticket, Cause::Unavailable)));
    assert_eq!(pool.acquire(1.0, NEVER, 1), Acquired::Refused(Cause::Unavailable));
    assert_eq!((pool.health(), pool.due()), (Health::Outage, NEVER));
    // Who comes when the backoff is over makes the next attempt, and waits for it.
    let ticket = wait(&mut pool, 11.0, NEVER, 1);
    assert_eq!(pool.health(), Health::Attempt);
    assert_eq!(pool.acquire(11.0, NEVER, 1), Acquired::Refused(Cause::Unavailable));
    pool.open_failed(12.0, 0);
    assert_eq!(actions(&mut pool), [Action::Create(0), Action::Reject(ticket, Cause::Unavailable)]);
    let ticket = wait(&mut pool, 40.0, NEVER, 1);
    let slot = actions(&mut pool)[0].numbers()[1].cast_unsigned();
    assert_eq!(pool.opened(41.0, slot), Some(ticket));
    assert_eq!(pool.health(), Health::Well);
    wait(&mut pool, 42.0, NEVER, 1);
}

#[test]
fn failing_fast_spares_who_can_get_a_connection_that_lives() {
    let mut pool =
        lent(1, Options { max: 2, fail_fast: true, backoff_min: 9.0, backoff_max: 9.0, ..Options::default() });
    let ticket = wait(&mut pool, 1.0, NEVER, 1);
    pool.open_failed(2.0, 1);
    assert_eq!((actions(&mut pool), pool.health()), (vec![Action::Create(1)], Health::Outage));
    pool.discard(3.0, 0);
    assert_eq!(actions(&mut pool), [Action::Close(0, Reason::Broken), Action::Reject(ticket, Cause::Unavailable)]);
}

#[test]
fn min_is_tried_for_in_an_outage_by_the_tick() {
    let options = Options { min: 1, fail_fast: true, backoff_min: 8.0, backoff_max: 8.0, ..Options::default() };
    let mut pool = Pool::new(options);
    pool.start(0.0);
    pool.open_failed(1.0, 0);
    let due = pool.due();
    assert!((1.0..9.0).contains(&due));
    assert_eq!(actions(&mut pool), [Action::Create(0)]);
    pool.tick(due);
    assert_eq!(actions(&mut pool), [Action::Create(0)]);
}
