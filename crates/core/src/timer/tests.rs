use std::collections::BTreeMap;

use proptest::prelude::*;

use super::{MAX_DEADLINE, Wheel};

/// The plainest possible timer: a list in the order of insertion.
#[derive(Default)]
struct Model {
    now: u64,
    order: u64,
    entries: BTreeMap<u32, (u64, u64)>,
}

impl Model {
    fn insert(&mut self, slot: u32, deadline: u64) {
        self.order += 1;
        self.entries.insert(slot, (deadline.min(MAX_DEADLINE), self.order));
    }

    /// What is due by `now`. What was inserted overdue comes after what had become due before it.
    fn advance(&mut self, now: u64) -> Vec<(u64, u32)> {
        self.now = self.now.max(now);
        let mut due: Vec<_> = self
            .entries
            .iter()
            .filter(|(_, (deadline, _))| *deadline <= self.now)
            .map(|(&slot, &(deadline, order))| (deadline, order, slot))
            .collect();
        due.sort_unstable();
        for (_, _, slot) in &due {
            self.entries.remove(slot);
        }
        due.into_iter().map(|(deadline, _, slot)| (deadline, slot)).collect()
    }
}

#[derive(Clone, Debug)]
enum Op {
    Insert(u32, u64),
    Remove(u32),
    Advance(u64),
}

fn distance() -> impl Strategy<Value = u64> {
    prop_oneof![1..100_u64, 1..10_000_u64, 1..1_u64 << 33, 1..1_u64 << 46]
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        4 => (0..40_u32, distance()).prop_map(|(slot, after)| Op::Insert(slot, after)),
        2 => (0..40_u32).prop_map(Op::Remove),
        3 => distance().prop_map(Op::Advance),
    ]
}

fn advance_all(wheel: &mut Wheel, now: u64, limit: usize) -> Vec<(u64, u32)> {
    let mut fired = Vec::new();
    while wheel.advance(now, limit, |slot, deadline| fired.push((deadline, slot))) == limit {}
    fired
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn does_what_a_sorted_list_does(start in 0..1_u64 << 40, limit in 1..6_usize, ops in prop::collection::vec(op(), 1..200)) {
        let mut wheel = Wheel::new(40, start);
        let mut model = Model { now: start, ..Model::default() };
        for op in ops {
            match op {
                Op::Insert(slot, after) => {
                    prop_assert!(wheel.insert(slot, model.now + after));
                    model.insert(slot, model.now + after);
                }
                Op::Remove(slot) => prop_assert_eq!(wheel.remove(slot), model.entries.remove(&slot).is_some()),
                Op::Advance(by) => {
                    let now = model.now + by;
                    prop_assert_eq!(advance_all(&mut wheel, now, limit), model.advance(now));
                }
            }
            wheel.validate();
            prop_assert_eq!(wheel.len(), model.entries.len());
            prop_assert_eq!(wheel.next_deadline(), model.entries.values().map(|&(deadline, _)| deadline).min());
        }
    }
}

#[test]
fn an_overdue_entry_comes_out_of_the_next_advance() {
    let mut wheel = Wheel::new(4, 1_000);
    assert!(wheel.insert(1, 10));
    assert_eq!(wheel.next_deadline(), Some(10));
    assert_eq!(advance_all(&mut wheel, 1_000, 8), [(10, 1)]);
    assert!(wheel.is_empty());
}

#[test]
fn an_earlier_now_does_not_turn_time_back() {
    let mut wheel = Wheel::new(4, 1_000);
    assert!(wheel.insert(1, 1_005));
    assert_eq!(advance_all(&mut wheel, 900, 8), []);
    wheel.validate();
    assert_eq!(advance_all(&mut wheel, 1_005, 8), [(1_005, 1)]);
}

#[test]
fn deadlines_beyond_the_last_level_are_kept_at_its_end() {
    let mut wheel = Wheel::new(4, 0);
    assert!(wheel.insert(0, u64::MAX));
    assert_eq!(wheel.deadline(0), Some(MAX_DEADLINE));
    assert_eq!(advance_all(&mut wheel, MAX_DEADLINE - 1, 8), []);
    assert_eq!(advance_all(&mut wheel, u64::MAX, 8), [(MAX_DEADLINE, 0)]);
}

#[test]
fn a_slot_beyond_the_capacity_is_refused_until_the_wheel_grows() {
    let mut wheel = Wheel::new(1, 0);
    assert!(!wheel.insert(1, 5));
    assert!(!wheel.remove(1));
    wheel.grow(2);
    assert!(wheel.insert(1, 5));
    wheel.grow(1);
    assert_eq!(wheel.capacity(), 2);
    assert_eq!(wheel.deadline(1), Some(5));
}

#[test]
fn clear_empties_every_level_and_the_due_queue() {
    let mut wheel = Wheel::new(8, 0);
    for (slot, deadline) in [(0, 1), (1, 100), (2, 1_000_000), (3, 2), (4, 3)] {
        assert!(wheel.insert(slot, deadline));
    }
    assert_eq!(wheel.advance(3, 1, |_, _| {}), 1);
    wheel.clear();
    wheel.validate();
    assert_eq!(wheel.next_deadline(), None);
    assert!(wheel.insert(1, 50));
    assert_eq!(advance_all(&mut wheel, 50, 8), [(50, 1)]);
}
