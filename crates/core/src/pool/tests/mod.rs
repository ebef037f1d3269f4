//! The pool: random games against the model, and each policy by example.

mod health;
mod lending;
mod opening;
mod orders;

use proptest::prelude::*;

use super::model::play;
use super::{Acquired, Action, Options, Pool};
use crate::choices::Choices;

const NEVER: f64 = f64::INFINITY;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]
    #[test]
    fn the_pool_keeps_its_promises(choices in proptest::collection::vec(any::<u8>(), 0..600)) {
        play(Choices(&choices));
    }
}

/// Takes all actions.
fn actions(pool: &mut Pool) -> Vec<Action> {
    pool.validate();
    pool.take(usize::MAX).collect()
}

/// A pool whose slots 0 to `count` - 1 are lent at 0.
fn lent(count: u32, options: Options) -> Pool {
    let mut pool = Pool::new(options);
    for _ in 0..count {
        assert!(matches!(pool.acquire(0.0, NEVER, 1), Acquired::Ticket(_)));
    }
    for slot in 0..count {
        pool.opened(0.0, slot).expect("somebody waits");
    }
    assert_eq!(actions(&mut pool).len(), count as usize);
    pool
}

/// A pool whose slots 0 to `count` - 1 are idle, each used for the last time when its number says.
fn idle(count: u32, options: Options) -> Pool {
    let mut pool = lent(count, options);
    for slot in 0..count {
        assert_eq!(pool.release(slot.into(), slot), None);
    }
    pool
}

fn wait(pool: &mut Pool, now: f64, deadline: f64, priority: usize) -> u32 {
    match pool.acquire(now, deadline, priority) {
        Acquired::Ticket(ticket) => ticket,
        outcome => panic!("{outcome:?} instead of waiting"),
    }
}
