//! Calls of the script, and its replies.

use std::collections::HashSet;

use proptest::prelude::*;

use super::limit;
use crate::rate_limit::keys::bucket;
use crate::rate_limit::script::{BadReply, Grouping, Keyspace, MAX_KEYS};
use crate::rate_limit::{Algorithm, Check, Op, Row};

fn keyspace(count: usize) -> Keyspace {
    let limits: Vec<_> = (0..count).map(|_| limit(Algorithm::FixedWindow, 9, 1_000)).collect();
    Keyspace::new(b"", &limits, 250).expect("the limits are in their range")
}

fn asked(key: &[u8], amount: f64) -> Check<'_> {
    Check { op: Op::Check, key, amount, extra: 0.0 }
}

fn text(parts: &[Vec<u8>]) -> String {
    parts.iter().map(|part| String::from_utf8_lossy(part).into_owned()).collect::<Vec<_>>().join(" ")
}

#[test]
fn what_is_asked_alike_is_said_once() {
    let calls = keyspace(1).plan(&[asked(b"a", 2.0), asked(b"b", 2.0)], Grouping::One);
    assert_eq!(calls.len(), 1);
    assert_eq!(text(&calls[0].args), "250 1 f 1000 9 9 0 2 0");
    let calls = keyspace(1).plan(&[asked(b"a", 2.0), asked(b"b", 3.0)], Grouping::One);
    assert_eq!(text(&calls[0].args), "250 1 f 1000 9 9 0 2 0 0 3 0");
}

#[test]
fn numbers_are_brought_into_their_range() {
    let bad = Check { op: Op::Check, key: b"", amount: f64::NAN, extra: -1.0 };
    assert_eq!(text(&keyspace(1).plan(&[bad], Grouping::One)[0].args), "250 1 f 1000 9 9 0 0 0");
}

#[test]
fn a_script_has_the_algorithms_that_it_needs_and_no_comments() {
    let source = keyspace(3).source().to_owned();
    assert!(source.contains("algorithms.f =") && !source.contains("algorithms.s =") && !source.contains("--"));
    assert_eq!(source, keyspace(1).source());
}

proptest! {
    #[test]
    fn every_check_is_in_one_call_and_in_order(
        keys in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..3), 0..400),
        limits in 1_usize..=16,
        is_grouped in any::<bool>(),
    ) {
        let checks: Vec<Check<'_>> = keys.iter().map(|key| asked(key, 1.0)).collect();
        let grouping = if is_grouped { Grouping::Slot } else { Grouping::One };
        let calls = keyspace(limits).plan(&checks, grouping);
        let mut seen: Vec<u32> = calls.iter().flat_map(|call| call.checks.clone()).collect();
        for call in &calls {
            prop_assert!(call.keys.len() <= MAX_KEYS && call.keys.len() == call.checks.len() * limits);
            let buckets: HashSet<u8> = call.checks.iter().map(|check| bucket(&keys[*check as usize])).collect();
            prop_assert!(!is_grouped || buckets.len() == 1);
        }
        // Checks of one key stay in order.
        for pair in seen.windows(2).filter(|pair| keys[pair[0] as usize] == keys[pair[1] as usize]) {
            prop_assert!(pair[0] < pair[1]);
        }
        seen.sort_unstable();
        prop_assert!(seen.into_iter().eq(0..checks.len() as u32));
    }

    #[test]
    fn no_reply_panics(
        reply in proptest::collection::vec(prop_oneof![any::<i64>(), -20_i64..40], 0..20),
        count in 0_usize..5,
    ) {
        let _ = keyspace(2).rows(&reply, count);
    }
}

#[test]
fn a_reply_is_read() {
    let row = |allowed, remaining, retry, limit, at| Row { allowed, remaining, reset: 600, retry, used: 4, limit, at };
    let reply = [100, 9, 5, 500, 8, 5, 500, 70, 6, 5, 500, 40, 3];
    let rows = keyspace(2).rows(&reply, 3).expect("it is a reply");
    assert_eq!(rows, [row(true, 5, 0, 1, 100), row(false, 5, 70, 1, 100), row(false, 0, 40, 0, 103)]);
    assert_eq!(keyspace(2).rows(&reply, 2), Err(BadReply));
    assert_eq!(keyspace(2).rows(&reply, 4), Err(BadReply));
}
