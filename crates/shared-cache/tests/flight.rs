//! One loads, the others wait.

use std::sync::mpsc::{Receiver, channel};
use std::sync::{Barrier, Mutex};
use std::thread;

use keelson_shared_cache::{Flight, Handle, Joined, Landed, Landing, LeadTicket, Options, Value, open};

const KEY: &[u16] = &[1];
const TAG: &[u16] = &[2];
const OTHER: &[u16] = &[3];

fn cache(name: u16) -> Handle {
    open(&[name], Options::default()).expect("valid options")
}

fn value(byte: u8) -> Value {
    Value::new(1, [byte])
}

fn lead(handle: &Handle) -> LeadTicket {
    match handle.begin(KEY) {
        Flight::Lead(lead) => lead,
        Flight::Joined(_) => panic!("nobody else should be loading"),
    }
}

fn join(handle: &Handle) -> (Joined, Receiver<Landing>) {
    let Flight::Joined(joined) = handle.begin(KEY) else { panic!("somebody should be loading") };
    let (to, landing) = channel();
    joined.on_landing(Box::new(move |landing| to.send(landing).expect("the test listens")));
    (joined, landing)
}

fn stored(handle: &Handle) -> Option<Value> {
    handle.peek(KEY, 0.0).map(|found| found.value)
}

#[test]
fn those_who_joined_get_what_was_loaded() {
    let handle = cache(1);
    let lead = lead(&handle);
    let waiting = [join(&handle).1, join(&handle).1];
    assert!(matches!(lead.land(value(1), None, &[], 0.0), Landed::Stored { .. }));
    for landing in waiting {
        assert_eq!(landing.try_recv(), Ok(Landing::Loaded(value(1))));
    }
    assert_eq!(stored(&handle), Some(value(1)));
}

#[test]
fn a_callback_that_comes_late_is_called_at_once() {
    let handle = cache(2);
    let lead = lead(&handle);
    let Flight::Joined(joined) = handle.begin(KEY) else { panic!("somebody is loading") };
    lead.fail("no route to host");
    let (to, landing) = channel();
    joined.on_landing(Box::new(move |landing| to.send(landing).expect("the test listens")));
    assert_eq!(landing.try_recv(), Ok(Landing::Failed("no route to host".to_owned())));
    assert_eq!(stored(&handle), None);
}

#[test]
fn who_cancels_is_told_nothing() {
    let handle = cache(3);
    let lead = lead(&handle);
    let ((joined, landing), (other, told)) = (join(&handle), join(&handle));
    assert!(joined.cancel());
    drop(lead);
    assert!(landing.try_recv().is_err());
    assert_eq!(told.try_recv(), Ok(Landing::Abandoned));
    assert!(matches!((handle.begin(KEY), handle.begin(KEY)), (Flight::Lead(_), Flight::Joined(_))), "one leads anew");
    assert!(!other.cancel(), "it was told");
}

#[test]
fn a_callback_may_use_the_cache_and_may_panic() {
    let handle = cache(4);
    let lead = lead(&handle);
    let Flight::Joined(joined) = handle.begin(KEY) else { panic!("somebody is loading") };
    joined.on_landing(Box::new(|_| panic!("this one is expected")));
    let Flight::Joined(joined) = handle.begin(KEY) else { panic!("somebody is loading") };
    let (again, (to, seen)) = (cache(4), channel());
    joined.on_landing(Box::new(move |_| to.send((stored(&again), again.delete(KEY, 0.0))).expect("the test listens")));
    lead.land(value(1), None, &[], 0.0);
    assert_eq!(seen.try_recv(), Ok((Some(value(1)), true)));
}

/// What was loaded may be older than what was written meanwhile.
#[test]
fn a_write_overtakes_the_load() {
    type Write = fn(&Handle);
    let writes: [(Write, Option<Value>); 6] = [
        (
            |handle| {
                handle.set(KEY, value(2), None, &[], 0.0);
            },
            Some(value(2)),
        ),
        (
            |handle| {
                handle.add(KEY, 3.0, None, 0.0).expect("a number");
            },
            Some(Value::number(3.0)),
        ),
        (
            |handle| {
                handle.delete(KEY, 0.0);
            },
            None,
        ),
        (|handle| handle.clear(), None),
        (
            |handle| {
                handle.touch(KEY, None, 0.0);
            },
            Some(value(1)),
        ),
        (
            |handle| {
                handle.delete(OTHER, 0.0);
            },
            Some(value(1)),
        ),
    ];
    for (write, expected) in writes {
        let handle = cache(5);
        let lead = lead(&handle);
        let (_joined, landing) = join(&handle);
        write(&handle);
        let overtaken = expected != Some(value(1));
        let second = match handle.begin(KEY) {
            Flight::Lead(second) => Some(second),
            Flight::Joined(_) => None,
        };
        assert_eq!(second.is_some(), overtaken, "who asks after a write loads anew");
        assert_eq!(lead.land(value(1), None, &[], 0.0) == Landed::Overtaken, overtaken);
        assert_eq!(landing.try_recv(), Ok(Landing::Loaded(value(1))), "who joined before gets it");
        assert_eq!(stored(&handle), expected);
        if let Some(second) = second {
            assert!(matches!(second.land(value(9), None, &[], 0.0), Landed::Stored { .. }));
        }
    }
}

#[test]
fn an_invalidated_tag_overtakes_loads_that_turn_out_to_carry_it() {
    for (tags, overtaken) in [(&[OTHER, TAG][..], true), (&[OTHER][..], false), (&[][..], false)] {
        let handle = cache(6);
        let lead = lead(&handle);
        let (_before, told_before) = join(&handle);
        handle.invalidate_tag(TAG, 0.0);
        let (_after, told_after) = join(&handle);
        assert_eq!(lead.land(value(1), None, tags, 0.0) == Landed::Overtaken, overtaken);
        assert_eq!(told_before.try_recv(), Ok(Landing::Loaded(value(1))));
        let expected = if overtaken { Landing::Abandoned } else { Landing::Loaded(value(1)) };
        assert_eq!(told_after.try_recv(), Ok(expected), "what is older than the invalidation is not for them");
        assert_eq!(stored(&handle).is_none(), overtaken);
    }
}

#[test]
fn an_entry_that_went_with_its_tag_does_not_come_back() {
    let handle = cache(7);
    handle.set(KEY, value(1), None, &[TAG], 0.0);
    let lead = lead(&handle);
    assert_eq!(handle.invalidate_tag(TAG, 0.0), 1);
    assert_eq!(lead.land(value(2), None, &[], 0.0), Landed::Overtaken);
    assert_eq!(stored(&handle), None);
}

#[test]
fn a_load_that_outlasts_many_invalidations_counts_as_overtaken() {
    let handle = cache(8);
    let lead = lead(&handle);
    for tag in 100..200 {
        handle.invalidate_tag(&[tag], 0.0);
    }
    assert_eq!(lead.land(value(1), None, &[], 0.0), Landed::Overtaken);
}

#[test]
fn a_value_that_is_too_large_lands_for_those_who_wait() {
    let handle = cache(9);
    let lead = lead(&handle);
    let (_joined, landing) = join(&handle);
    let large = Value::new(1, vec![0; 5 << 20]);
    assert_eq!(lead.land(large.clone(), None, &[], 0.0), Landed::TooLarge);
    assert_eq!(landing.try_recv(), Ok(Landing::Loaded(large)));
}

/// Many threads miss at once; leaders are lost until one lands. At no time two load.
#[test]
fn a_lost_leader_is_followed_by_exactly_one() {
    const THREADS: usize = 8;
    const LOST: usize = 3;
    for round in 0..50 {
        let handle = cache(10);
        let (loads, barrier) = (Mutex::new((0_usize, 0_usize)), Barrier::new(THREADS));
        let work = || {
            barrier.wait();
            loop {
                if let Some(value) = stored(&handle) {
                    return value;
                }
                match handle.begin(KEY) {
                    Flight::Lead(lead) => {
                        let number = {
                            let mut loads = loads.lock().expect("nobody panicked");
                            loads.0 += 1;
                            loads.1 += 1;
                            assert_eq!(loads.1, 1, "one loads at a time");
                            loads.0
                        };
                        thread::yield_now();
                        loads.lock().expect("nobody panicked").1 -= 1;
                        if number > LOST {
                            lead.land(value(7), None, &[], 0.0);
                        }
                    }
                    Flight::Joined(joined) => {
                        let (to, landing) = channel();
                        joined.on_landing(Box::new(move |landing| to.send(landing).expect("the thread listens")));
                        match landing.recv().expect("it lands") {
                            Landing::Loaded(value) => return value,
                            Landing::Abandoned => {}
                            Landing::Failed(message) => panic!("{message}"),
                        }
                    }
                }
            }
        };
        thread::scope(|scope| {
            let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(work)).collect();
            for thread in threads {
                assert_eq!(thread.join().expect("no panic"), value(7));
            }
        });
        // A thread that looked before the landing may begin after it.
        let total = loads.lock().expect("nobody panicked").0;
        assert!((LOST + 1..=LOST + THREADS).contains(&total), "{total} loads in round {round}");
    }
}
