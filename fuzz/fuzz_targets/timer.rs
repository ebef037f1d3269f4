//! The timing wheel against a map of deadlines: whatever the operations, the two agree on what comes out and
//! when, and `validate` finds nothing to object to.

#![no_main]

use std::collections::BTreeMap;

use arbitrary::Arbitrary;
use keelson_core::timer::{MAX_DEADLINE, Wheel};
use libfuzzer_sys::fuzz_target;

#[derive(Arbitrary, Debug)]
enum Step {
    Insert { slot: u8, after: u32, scale: u8 },
    InsertOverdue(u8),
    Remove(u8),
    Advance { by: u32, scale: u8 },
    Clear,
}

#[derive(Arbitrary, Debug)]
struct Plan {
    start: u32,
    limit: u8,
    steps: Vec<Step>,
}

/// Few bits moved far: distances on every level.
fn distance(ticks: u32, scale: u8) -> u64 {
    u64::from(ticks) << (scale % 20)
}

fuzz_target!(|plan: Plan| {
    let mut now = u64::from(plan.start);
    let mut wheel = Wheel::new(256, now);
    let mut model: BTreeMap<u32, u64> = BTreeMap::new();
    let limit = usize::from(plan.limit).max(1);
    for step in plan.steps {
        match step {
            Step::Insert { slot, after, scale } => {
                let deadline = now + 1 + distance(after, scale);
                assert!(wheel.insert(slot.into(), deadline));
                model.insert(slot.into(), deadline.min(MAX_DEADLINE));
            }
            Step::InsertOverdue(slot) => {
                assert!(wheel.insert(slot.into(), now));
                model.insert(slot.into(), now);
            }
            Step::Remove(slot) => {
                assert_eq!(wheel.remove(slot.into()), model.remove(&slot.into()).is_some());
            }
            Step::Advance { by, scale } => {
                now = (now + distance(by, scale)).min(MAX_DEADLINE / 2);
                let mut fired = Vec::new();
                while wheel.advance(now, limit, |slot, deadline| fired.push((slot, deadline))) == limit {}
                // What was inserted overdue comes when its turn in the queue comes, so sets are compared.
                let due: BTreeMap<_, _> = model.extract_if(.., |_, deadline| *deadline <= now).collect();
                assert_eq!(fired.len(), due.len());
                assert_eq!(fired.into_iter().collect::<BTreeMap<_, _>>(), due);
            }
            Step::Clear => {
                wheel.clear();
                model.clear();
            }
        }
        wheel.validate();
        assert_eq!(wheel.len(), model.len());
        let first = model.values().min().copied();
        // Behind entries that are due already, the queue's first one stands for all.
        match wheel.next_deadline() {
            Some(next) if next <= now => assert!(first.is_some_and(|deadline| deadline <= now)),
            next => assert_eq!(next, first),
        }
    }
});
