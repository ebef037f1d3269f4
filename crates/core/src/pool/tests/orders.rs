//! Pausing, draining, evicting, closing.

use super::*;
use crate::pool::{Cause, Counts, Reason, Why};

#[test]
fn a_paused_pool_lends_and_opens_nothing_and_serves_all_when_it_goes_on() {
    let mut pool = idle(1, Options { max: 2, probe_interval: 5.0, ..Options::default() });
    pool.pause(2.0);
    let tickets = [3.0, NEVER, NEVER].map(|deadline| wait(&mut pool, 2.0, deadline, 1));
    pool.tick(50.0);
    assert_eq!(actions(&mut pool), [Action::Reject(tickets[0], Cause::Timeout)]);
    pool.resume(51.0);
    assert_eq!(actions(&mut pool), [Action::Lend(tickets[1], 0), Action::Create(1)]);
    assert_eq!(pool.opened(52.0, 1), Some(tickets[2]));
}

#[test]
fn what_comes_back_to_a_paused_pool_stays_there() {
    let mut pool = lent(1, Options { max: 1, validate_after: 0.0, ..Options::default() });
    let ticket = wait(&mut pool, 1.0, NEVER, 1);
    pool.pause(1.0);
    assert_eq!(pool.release(2.0, 0), None);
    pool.resume(3.0);
    assert_eq!(actions(&mut pool), [Action::Validate(0, Why::Borrow)]);
    assert_eq!(pool.validated(4.0, 0, true), Some(ticket));
}

#[test]
fn a_draining_pool_serves_who_waits_and_refuses_who_comes() {
    let mut pool = lent(1, Options { max: 1, min: 1, ..Options::default() });
    let ticket = wait(&mut pool, 1.0, NEVER, 1);
    pool.refuse(2.0, true);
    assert_eq!(pool.acquire(2.0, NEVER, 0), Acquired::Refused(Cause::Refused));
    assert_eq!(pool.release(3.0, 0), Some(ticket));
    pool.discard(4.0, 0);
    pool.closed(5.0, 0);
    assert_eq!(actions(&mut pool), [Action::Close(0, Reason::Broken)]);
    pool.refuse(6.0, false);
    assert_eq!(actions(&mut pool), [Action::Create(0)]);
}

#[test]
fn evicted_connections_are_replaced_those_in_use_when_they_come_back() {
    let mut pool = lent(4, Options { max: 4, min: 1, validate_after: 0.0, ..Options::default() });
    assert_eq!([pool.release(1.0, 0), pool.release(1.0, 1)], [None; 2]);
    pool.discard(1.0, 3);
    pool.closed(1.0, 3);
    wait(&mut pool, 2.0, NEVER, 1);
    let ticket = wait(&mut pool, 2.0, NEVER, 1);
    wait(&mut pool, 2.0, NEVER, 1);
    // By now one is lent, one opening, two validating.
    assert_eq!(actions(&mut pool).len(), 4);
    assert!(pool.validated(2.0, 0, true).is_some());
    assert_eq!(pool.release(2.5, 0), Some(ticket));
    pool.evict(3.0);
    assert_eq!(
        [pool.release(4.0, 2), pool.release(4.0, 0), pool.validated(4.0, 1, true), pool.opened(4.0, 3)],
        [None; 4]
    );
    assert_eq!(actions(&mut pool), [2, 0, 1, 3].map(|slot| Action::Close(slot, Reason::Evicted)));
    pool.closed(5.0, 0);
    assert_eq!(actions(&mut pool), [Action::Create(0)]);
    assert!(pool.opened(6.0, 0).is_some());
    assert_eq!(pool.release(7.0, 0), None);
    assert_eq!(actions(&mut pool), [], "what came after the eviction stays");
}

#[test]
fn a_closed_pool_settles_all_and_empties() {
    let mut pool = idle(4, Options { max: 5, validate_after: 10.0, ..Options::default() });
    for _ in 0..3 {
        assert!(matches!(pool.acquire(9.0, NEVER, 1), Acquired::Slot(_)));
    }
    let tickets = [1, 0].map(|priority| wait(&mut pool, 12.0, NEVER, priority));
    assert_eq!(actions(&mut pool), [Action::Validate(0, Why::Borrow), Action::Create(4)]);
    assert_eq!(pool.release(12.0, 1), Some(tickets[1]));
    pool.close(13.0);
    pool.close(13.0);
    assert_eq!(actions(&mut pool), [Action::Reject(tickets[0], Cause::Closed)]);
    assert_eq!(pool.acquire(14.0, NEVER, 0), Acquired::Refused(Cause::Closed));
    assert_eq!([pool.release(14.0, 1), pool.opened(14.0, 4), pool.validated(14.0, 0, true)], [None; 3]);
    pool.discard(14.0, 2);
    assert_eq!(pool.release(14.0, 3), None);
    for (slot, action) in [1, 4, 0, 2, 3].into_iter().zip(actions(&mut pool)) {
        assert!(matches!(action, Action::Close(closed, _) if closed == slot));
        pool.closed(15.0, slot);
    }
    let nothing = Counts { idle: 0, lent: 0, opening: 0, validating: 0, closing: 0, waiting: 0 };
    assert_eq!((pool.counts(), pool.due(), actions(&mut pool)), (nothing, NEVER, vec![]));
}

#[test]
fn closing_ends_a_pause() {
    let mut pool = idle(1, Options::default());
    pool.pause(1.0);
    let ticket = wait(&mut pool, 1.0, NEVER, 1);
    pool.close(2.0);
    assert_eq!(actions(&mut pool), [Action::Reject(ticket, Cause::Closed), Action::Close(0, Reason::Closing)]);
    pool.pause(3.0);
    pool.resume(4.0);
    pool.closed(5.0, 0);
    assert_eq!(actions(&mut pool), []);
}
