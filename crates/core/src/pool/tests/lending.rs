//! Who gets which connection, and when.

use super::*;
use crate::pool::{Cause, Reason, Why};

#[test]
fn the_first_acquire_opens_a_connection_and_gets_it() {
    let mut pool = Pool::new(Options::default());
    let ticket = wait(&mut pool, 0.0, NEVER, 1);
    assert_eq!(actions(&mut pool), [Action::Create(0)]);
    assert_eq!(pool.opened(5.0, 0), Some(ticket));
    assert_eq!(pool.release(6.0, 0), None);
    assert_eq!(pool.acquire(7.0, NEVER, 1), Acquired::Slot(0));
}

#[test]
fn lifo_lends_the_connection_used_last_and_fifo_the_one_unused_for_longest() {
    for (lifo, order) in [(true, [2, 1, 0]), (false, [0, 1, 2])] {
        let mut pool = idle(3, Options { lifo, ..Options::default() });
        assert_eq!(order.map(|_| pool.acquire(9.0, NEVER, 1)), order.map(Acquired::Slot));
    }
}

#[test]
fn who_waits_is_served_by_priority_and_then_in_the_order_of_coming() {
    let mut pool = lent(1, Options { max: 1, ..Options::default() });
    let tickets = [2, 1, 0, 1, 0, 2].map(|priority| wait(&mut pool, 1.0, NEVER, priority));
    let served = [2, 4, 1, 3, 0, 5].map(|index: usize| Some(tickets[index]));
    assert_eq!(served.map(|_| pool.release(2.0, 0)), served);
    assert_eq!(pool.release(3.0, 0), None);
    assert_eq!(actions(&mut pool), []);
}

#[test]
fn deadlines_are_kept_equal_ones_in_the_order_of_coming() {
    let mut pool = lent(1, Options { max: 1, ..Options::default() });
    let tickets = [30.0, 20.0, 30.0, 20.0, 10.5].map(|deadline| wait(&mut pool, 1.0, deadline, 1));
    assert_eq!(pool.due(), 10.5);
    pool.tick(10.4);
    assert_eq!(actions(&mut pool), []);
    pool.tick(20.0);
    let rejected = |indexes: &[usize]| -> Vec<Action> {
        indexes.iter().map(|&index| Action::Reject(tickets[index], Cause::Timeout)).collect()
    };
    assert_eq!(actions(&mut pool), rejected(&[4, 1, 3]));
    assert_eq!(pool.due(), 30.0);
    pool.tick(1e9);
    assert_eq!(actions(&mut pool), rejected(&[0, 2]));
    assert_eq!(pool.due(), NEVER);
}

#[test]
fn an_acquire_whose_deadline_has_passed_gets_what_is_ready_and_does_not_wait() {
    let mut pool = idle(1, Options { max: 2, ..Options::default() });
    assert_eq!(pool.acquire(5.0, 5.0, 1), Acquired::Slot(0));
    assert_eq!(pool.acquire(5.0, 5.0, 1), Acquired::Refused(Cause::Timeout));
    assert_eq!(actions(&mut pool), []);
}

#[test]
fn who_gave_up_is_passed_over() {
    let mut pool = lent(1, Options { max: 1, ..Options::default() });
    let [first, second] = [1, 1].map(|priority| wait(&mut pool, 1.0, 9.0, priority));
    assert!(pool.cancel(2.0, first));
    assert!(!pool.cancel(2.0, first));
    assert_eq!(pool.release(3.0, 0), Some(second));
    assert!(!pool.cancel(4.0, second));
    pool.tick(9.0);
    assert_eq!(actions(&mut pool), []);
}

#[test]
fn the_queue_is_bounded_beyond_the_places_that_there_are() {
    let mut pool = Pool::new(Options { max: 2, max_queue: 1.0, ..Options::default() });
    for _ in 0..3 {
        wait(&mut pool, 0.0, NEVER, 1);
    }
    assert_eq!(pool.acquire(0.0, NEVER, 0), Acquired::Refused(Cause::Full));
    assert!(pool.opened(1.0, 0).is_some() && pool.opened(1.0, 1).is_some());
    assert_eq!(pool.counts().waiting, 1);
    assert_eq!(pool.acquire(1.0, NEVER, 1), Acquired::Refused(Cause::Full));
}

#[test]
fn a_key_finds_its_connection_as_long_as_that_is_idle() {
    let mut pool = idle(3, Options { max: 3, ..Options::default() });
    let [red, blue] = [[1_u16], [2]];
    // The coldest ones, so that the first key keeps its own.
    assert_eq!(pool.acquire_for(10.0, NEVER, 1, &red), Acquired::Slot(0));
    assert_eq!(pool.acquire_for(10.0, NEVER, 1, &blue), Acquired::Slot(1));
    assert_eq!([pool.release(11.0, 1), pool.release(12.0, 0)], [None, None]);
    assert_eq!(pool.acquire_for(13.0, NEVER, 1, &blue), Acquired::Slot(1));
    assert_eq!(pool.acquire_for(13.0, NEVER, 1, &red), Acquired::Slot(0));
    // A key whose connection is lent takes another, and that is its own from now on.
    assert_eq!(pool.acquire_for(14.0, NEVER, 1, &red), Acquired::Slot(2));
    assert_eq!([pool.release(15.0, 0), pool.release(15.0, 2)], [None, None]);
    assert_eq!(pool.acquire_for(16.0, NEVER, 1, &red), Acquired::Slot(2));
    pool.discard(17.0, 2);
    assert_eq!(pool.acquire_for(18.0, NEVER, 1, &red), Acquired::Slot(0));
}

#[test]
fn a_key_is_kept_by_who_waited_for_any_connection() {
    let mut pool = lent(2, Options { max: 2, ..Options::default() });
    let Acquired::Ticket(ticket) = pool.acquire_for(1.0, NEVER, 1, &[7]) else { panic!("nothing is idle") };
    assert_eq!(pool.release(2.0, 1), Some(ticket));
    assert_eq!([pool.release(3.0, 1), pool.release(4.0, 0)], [None, None]);
    assert_eq!(pool.acquire_for(5.0, NEVER, 1, &[7]), Acquired::Slot(1));
}

#[test]
fn no_more_keys_are_remembered_than_there_are_connections() {
    let mut pool = idle(4, Options { max: 4, ..Options::default() });
    for key in 0..10_000_u16 {
        let Acquired::Slot(slot) = pool.acquire_for(10.0, NEVER, 1, &[key, key]) else { panic!("all are idle") };
        pool.release(10.0, slot);
    }
    assert_eq!(pool.keys(), 4);
}

#[test]
fn a_connection_that_is_not_known_to_be_well_is_validated_before_it_is_lent() {
    let mut pool = idle(2, Options { validate_after: 10.0, ..Options::default() });
    assert_eq!(pool.acquire(10.9, NEVER, 1), Acquired::Slot(1));
    let ticket = wait(&mut pool, 10.9, NEVER, 1);
    assert_eq!(actions(&mut pool), [Action::Validate(0, Why::Borrow)]);
    assert_eq!(pool.validated(12.0, 0, true), Some(ticket));
    pool.release(13.0, 0);
    assert_eq!(pool.acquire(22.9, NEVER, 1), Acquired::Slot(0));
}

#[test]
fn a_connection_that_is_known_to_be_well_goes_before_one_that_the_order_names() {
    let mut pool = idle(2, Options { lifo: false, validate_after: 10.0, ..Options::default() });
    assert_eq!(pool.acquire(10.5, NEVER, 1), Acquired::Slot(1));
    assert_eq!(actions(&mut pool), []);
}

#[test]
fn a_failed_validation_leads_to_another_connection_for_who_waits() {
    let mut pool = idle(1, Options { max: 1, validate_after: 0.0, ..Options::default() });
    let ticket = wait(&mut pool, 1.0, NEVER, 1);
    assert_eq!(actions(&mut pool), [Action::Validate(0, Why::Borrow)]);
    assert_eq!(pool.validated(2.0, 0, false), None);
    assert_eq!(actions(&mut pool), [Action::Close(0, Reason::Invalid)]);
    // The place is taken until the connection is gone.
    pool.closed(3.0, 0);
    assert_eq!(actions(&mut pool), [Action::Create(0)]);
    assert_eq!(pool.opened(4.0, 0), Some(ticket));
}

#[test]
fn late_and_wrong_reports_change_nothing() {
    let mut pool = lent(1, Options { max: 2, ..Options::default() });
    assert_eq!([pool.opened(1.0, 0), pool.opened(1.0, 1), pool.validated(1.0, 0, true)], [None; 3]);
    assert_eq!([pool.release(1.0, 1), pool.release(1.0, 99)], [None; 2]);
    pool.open_failed(1.0, 0);
    pool.closed(1.0, 0);
    pool.discard(1.0, 1);
    assert!(!pool.cancel(1.0, 99));
    assert_eq!(actions(&mut pool), []);
    assert_eq!(pool.counts().lent, 1);
    assert_eq!([pool.release(2.0, 0), pool.release(2.0, 0)], [None; 2]);
    assert_eq!(pool.counts().idle, 1);
}

#[test]
fn actions_come_in_portions_and_settled_tickets_rest_until_the_next() {
    let mut pool = lent(1, Options { max: 1, ..Options::default() });
    let tickets: Vec<u32> = (0..5).map(|_| wait(&mut pool, 1.0, 2.0, 1)).collect();
    pool.tick(2.0);
    assert_eq!(pool.pending(), 5);
    assert_eq!(pool.take(3).count(), 3);
    assert_eq!(pool.pending(), 2);
    assert!(!tickets.contains(&wait(&mut pool, 3.0, NEVER, 1)), "no number means two acquires");
    assert_eq!(pool.take(3).count(), 2);
    assert!(tickets[..3].contains(&wait(&mut pool, 4.0, NEVER, 1)));
    pool.validate();
}

#[test]
fn a_connection_that_comes_back_is_left_alone_while_nothing_is_to_be_decided() {
    let options = Options { max: 2, min: 1, idle_timeout: 40.0, probe_interval: 60.0, ..Options::default() };
    let mut pool = lent(2, options.clone());
    assert_eq!(pool.leave(), 40.0);
    let waiting = wait(&mut pool, 1.0, NEVER, 1);
    assert_eq!(pool.leave(), f64::NEG_INFINITY, "somebody waits");
    assert!(pool.cancel(2.0, waiting));
    pool.pause(3.0);
    assert_eq!(pool.leave(), f64::NEG_INFINITY);
    pool.resume(4.0);
    pool.refuse(5.0, true);
    assert_eq!(pool.leave(), f64::NEG_INFINITY);
    pool.refuse(6.0, false);
    pool.discard(7.0, 1);
    assert_eq!(pool.leave(), 60.0, "no more than the least number of connections live");
    pool.close(8.0);
    assert_eq!(pool.leave(), f64::NEG_INFINITY);
    for counting in [
        Options { max_uses: 3.0, ..options.clone() },
        Options { leak_after: 3.0, ..options.clone() },
        Options { lifo: false, ..options },
    ] {
        assert_eq!(lent(1, counting).leave(), f64::NEG_INFINITY);
    }
}
