//! What threads see of one key is what they could have seen had they taken turns (Wing and Gong, 1993).

use std::collections::HashSet;
use std::sync::Barrier;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use keelson_shared_cache::{Condition, Conflict, Handle, Options, Outcome, Value, open};

const THREADS: usize = 4;
const EACH: usize = 4;
const KEY: &[u16] = &[1];

/// What is under the key: a number, and its version.
type State = Option<(u64, u64)>;

#[derive(Clone, Copy, Debug)]
enum Event {
    Got(State),
    /// The number, and its version.
    Set(u64, u64),
    SetIf(Condition, u64, Result<u64, Option<u64>>),
    Deleted(bool),
    /// The sum.
    Added(u64),
}

#[derive(Clone, Copy, Debug)]
struct Call {
    event: Event,
    from: u64,
    to: u64,
}

/// What an event leaves behind, if it can have happened in `state`. An addition does not say its version: 0 stands for
/// one that is not known.
fn apply(event: Event, state: State) -> Option<State> {
    let same = |seen: u64, version: u64| seen == version || version == 0;
    match (event, state) {
        (Event::Got(None), None) => Some(state),
        (Event::Got(Some((number, version))), Some((own, known))) => {
            (number == own && same(version, known)).then_some(Some((number, version)))
        }
        (Event::Got(_), _) => None,
        (Event::Set(number, version), _) => Some(Some((number, version))),
        (Event::SetIf(Condition::Absent, number, Ok(version)), None) => Some(Some((number, version))),
        (Event::SetIf(Condition::Version(expected), number, Ok(version)), Some((_, known))) => {
            same(expected, known).then_some(Some((number, version)))
        }
        (Event::SetIf(_, _, Ok(_)), _) => None,
        (Event::SetIf(condition, _, Err(present)), _) => {
            let told = match (present, state) {
                (None, None) => condition != Condition::Absent,
                (Some(seen), Some((_, known))) => same(seen, known) && condition != Condition::Version(seen),
                _ => false,
            };
            told.then(|| state.map(|(number, known)| (number, present.unwrap_or(known))))
        }
        (Event::Deleted(there), _) => (there == state.is_some()).then_some(None),
        (Event::Added(sum), _) => (sum == state.map_or(0, |(number, _)| number) + 1).then_some(Some((sum, 0))),
    }
}

/// Whether the calls can be put in an order in which each saw what it saw, and none comes before one that had ended when
/// it began.
fn linearizable(calls: &[Call], done: u32, state: State, seen: &mut HashSet<(u32, State)>) -> bool {
    if done.count_ones() as usize == calls.len() {
        return true;
    }
    if !seen.insert((done, state)) {
        return false;
    }
    let open = |at: usize| done & (1 << at) == 0;
    let first_end = (0..calls.len()).filter(|at| open(*at)).map(|at| calls[at].to).min().unwrap_or(u64::MAX);
    (0..calls.len())
        .filter(|at| open(*at) && calls[*at].from < first_end)
        .any(|at| apply(calls[at].event, state).is_some_and(|next| linearizable(calls, done | (1 << at), next, seen)))
}

fn value(number: u64) -> Value {
    Value::number(number as f64)
}

fn version(outcome: Outcome) -> u64 {
    let Outcome::Stored { version } = outcome else { panic!("there is room") };
    version
}

/// One operation of a random kind, which `seen`, the last version that the thread saw, may be tested for.
fn operate(handle: &Handle, kind: u64, number: u64, seen: &mut u64) -> Event {
    match kind {
        0 => {
            let found = handle.get(KEY, 0.0);
            let state = found.map(|found| (found.value.as_number().expect("a number") as u64, found.version));
            *seen = state.map_or(*seen, |(_, version)| version);
            Event::Got(state)
        }
        1 => {
            *seen = version(handle.set(KEY, value(number), None, &[], 0.0));
            Event::Set(number, *seen)
        }
        2 | 3 => {
            let condition = if kind == 2 { Condition::Absent } else { Condition::Version(*seen) };
            let result = handle.set_if(KEY, condition, value(number), None, &[], 0.0);
            Event::SetIf(condition, number, result.map(version).map_err(|Conflict { present }| present))
        }
        4 => Event::Deleted(handle.delete(KEY, 0.0)),
        _ => Event::Added(handle.add(KEY, 1.0, None, 0.0).expect("a number") as u64),
    }
}

/// A history of all threads, each call with the moments of its beginning and end.
fn record(handle: &Handle, seed: u64) -> Vec<Call> {
    let (clock, barrier) = (AtomicU64::new(0), Barrier::new(THREADS));
    let work = |thread: u64| {
        let (mut random, mut seen) = (seed.wrapping_add(thread).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1, 1);
        barrier.wait();
        let calls = (0..EACH as u64).map(|step| {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            // Every number is set once.
            let number = 1_000 * (1 + thread * EACH as u64 + step);
            let from = clock.fetch_add(1, Ordering::SeqCst);
            let event = operate(handle, (random >> 20) % 6, number, &mut seen);
            Call { event, from, to: clock.fetch_add(1, Ordering::SeqCst) }
        });
        calls.collect::<Vec<_>>()
    };
    thread::scope(|scope| {
        let work = &work;
        let threads: Vec<_> = (0..THREADS as u64).map(|thread| scope.spawn(move || work(thread))).collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("no panic")).collect()
    })
}

#[test]
fn single_keys_are_linearizable() {
    let handle = open(&[1], Options::default()).expect("valid options");
    let mut overlapping = 0;
    for seed in 0..1_500 {
        handle.delete(KEY, 0.0);
        let calls = record(&handle, seed * 7_919);
        overlapping += calls.iter().filter(|call| call.to > call.from + 1).count();
        assert!(linearizable(&calls, 0, None, &mut HashSet::new()), "no order explains {calls:#?}");
    }
    assert!(overlapping > 0, "calls that do not overlap say nothing");
}

/// The checker itself refuses what cannot be.
#[test]
fn the_checker_refuses_a_stale_read_and_a_lost_update() {
    let call = |event, from, to| Call { event, from, to };
    let check = |calls: &[Call]| linearizable(calls, 0, None, &mut HashSet::new());
    let set = [call(Event::Set(1, 10), 0, 1), call(Event::Set(2, 20), 2, 3)];
    assert!(check(&[set[0], set[1], call(Event::Got(Some((2, 20))), 4, 5)]));
    assert!(!check(&[set[0], set[1], call(Event::Got(Some((1, 10))), 4, 5)]), "a stale read");
    assert!(check(&[set[0], set[1], call(Event::Got(Some((1, 10))), 1, 5)]), "one that overlaps the write");
    let twice = Condition::Version(10);
    assert!(
        !check(&[set[0], call(Event::SetIf(twice, 3, Ok(30)), 2, 6), call(Event::SetIf(twice, 4, Ok(40)), 3, 5),]),
        "both cannot have found the same version"
    );
}
