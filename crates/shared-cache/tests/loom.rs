//! All ways in which a few threads can get in each other's way. For these alone everything is compiled with `--cfg loom`, as
//! `npm test` does.

#![cfg(loom)]

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use keelson_shared_cache::{Flight, Handle, LEAST_BYTES, Landed, Landing, LeadTicket, Options, Policy, Value, open};
use loom::thread;

const KEY: &[u16] = &[1];
const TAG: &[u16] = &[2];

/// One shard: threads that meet in none have nothing to do with each other.
fn cache() -> Handle {
    open(&[7], Options { max_bytes: LEAST_BYTES, max_entries: 8, policy: Policy::Lru, shards: 1 })
        .expect("valid options")
}

fn lead(cache: &Handle) -> LeadTicket {
    match cache.begin(KEY) {
        Flight::Lead(lead) => lead,
        Flight::Joined(_) => panic!("nobody else loads"),
    }
}

fn number(cache: &Handle) -> Option<f64> {
    cache.get(KEY, 0.0).and_then(|found| found.value.as_number())
}

/// Who waits for a load, and how often he was told of what.
#[derive(Default)]
struct Told {
    loaded: AtomicU32,
    failed: AtomicU32,
    abandoned: AtomicU32,
}

impl Told {
    fn listen(self: &Arc<Self>) -> Box<dyn FnOnce(Landing) + Send> {
        let told = Arc::clone(self);
        Box::new(move |landing| {
            let count = match landing {
                Landing::Loaded(_) => &told.loaded,
                Landing::Failed(_) => &told.failed,
                Landing::Abandoned => &told.abandoned,
            };
            count.fetch_add(1, Ordering::SeqCst);
        })
    }

    fn counts(&self) -> [u32; 3] {
        [&self.loaded, &self.failed, &self.abandoned].map(|count| count.load(Ordering::SeqCst))
    }
}

/// One of two loads, however its thread ends it; the other either waits and is told once, or leads.
fn joins(end: fn(LeadTicket), told_of: [u32; 3]) {
    loom::model(move || {
        let cache = Arc::new(cache());
        let ticket = lead(&cache);
        let loader = thread::spawn(move || end(ticket));
        let told = Arc::new(Told::default());
        let is_waiting = match cache.begin(KEY) {
            Flight::Lead(_) => false,
            Flight::Joined(joined) => {
                joined.on_landing(told.listen());
                true
            }
        };
        loader.join().expect("it does not panic");
        assert_eq!(told.counts(), if is_waiting { told_of } else { [0; 3] });
    });
}

#[test]
fn who_waits_is_told_once_of_what_was_loaded() {
    let land = |ticket: LeadTicket| {
        ticket.land(Value::number(1.0), None, &[], 0.0);
    };
    joins(land, [1, 0, 0]);
}

#[test]
fn who_waits_is_told_once_that_it_failed() {
    joins(|ticket| ticket.fail("no"), [0, 1, 0]);
}

#[test]
fn who_waits_is_told_once_that_the_thread_has_ended() {
    joins(drop, [0, 0, 1]);
}

#[test]
fn who_gives_up_is_told_once_or_never() {
    loom::model(|| {
        let cache = Arc::new(cache());
        let ticket = lead(&cache);
        let Flight::Joined(joined) = cache.begin(KEY) else { panic!("somebody loads") };
        let told = Arc::new(Told::default());
        joined.on_landing(told.listen());
        let loader = thread::spawn(move || drop(ticket));
        let is_spared = joined.cancel();
        loader.join().expect("it does not panic");
        assert_eq!(told.counts(), [0, 0, u32::from(!is_spared)]);
    });
}

#[test]
fn what_is_set_while_it_is_loaded_stays() {
    loom::model(|| {
        let cache = Arc::new(cache());
        let ticket = lead(&cache);
        let loader = thread::spawn(move || ticket.land(Value::number(1.0), None, &[], 0.0));
        cache.set(KEY, Value::number(2.0), None, &[], 0.0);
        loader.join().expect("it does not panic");
        assert_eq!(number(&cache), Some(2.0));
    });
}

#[test]
fn what_is_invalidated_while_it_is_loaded_is_not_there() {
    loom::model(|| {
        let cache = Arc::new(cache());
        let ticket = lead(&cache);
        let loader = thread::spawn(move || ticket.land(Value::number(1.0), None, &[TAG], 0.0));
        let removed = cache.invalidate_tag(TAG, 0.0);
        let landed = loader.join().expect("it does not panic");
        assert_eq!(number(&cache), None);
        assert_eq!(removed == 1, matches!(landed, Landed::Stored { .. }));
    });
}

#[test]
fn counters_count_all() {
    loom::model(|| {
        let cache = Arc::new(cache());
        let other = Arc::clone(&cache);
        let adder = thread::spawn(move || other.add(KEY, 1.0, None, 0.0).expect("a number"));
        let mine = cache.add(KEY, 1.0, None, 0.0).expect("a number");
        let other = adder.join().expect("it does not panic");
        assert_eq!(mine + other, 3.0);
        assert_eq!(number(&cache), Some(2.0));
    });
}

#[test]
fn the_last_handle_frees_what_is_stored_while_another_one_opens() {
    loom::model(|| {
        let first = cache();
        first.set(KEY, Value::number(1.0), None, &[], 0.0);
        let closer = thread::spawn(move || drop(first));
        let second = cache();
        let found = number(&second);
        closer.join().expect("it does not panic");
        // It was open all the time, or is another one.
        assert!(number(&second) == found);
        drop(second);
        assert_eq!(number(&cache()), None);
    });
}

#[test]
fn a_load_outlives_the_last_handle_and_leaves_nothing() {
    loom::model(|| {
        let handle = cache();
        let ticket = lead(&handle);
        let loader = thread::spawn(move || ticket.land(Value::number(1.0), None, &[], 0.0));
        drop(handle);
        loader.join().expect("it does not panic");
        assert_eq!(number(&cache()), None);
    });
}
