//! Names and handles.

use std::thread;

use keelson_shared_cache::{Flight, InvalidOptions, Landed, OpenError, Options, Policy, Value, open};

fn value() -> Value {
    Value::new(1, b"value".as_slice())
}

#[test]
fn a_name_is_new_after_its_last_handle() {
    let name: Vec<u16> = "last handle".encode_utf16().collect();
    let first = open(&name, Options::default()).expect("valid options");
    let second = open(&name, Options::default()).expect("the same options");
    first.set(&[1], value(), None, &[], 0.0);
    drop(first);
    assert!(second.has(&[1], 0.0), "a handle is left");
    drop(second);
    assert!(!open(&name, Options::default()).expect("valid options").has(&[1], 0.0), "the name is new");
}

#[test]
fn a_load_under_way_is_for_the_cache_that_it_began_in() {
    let handle = open(&[2], Options::default()).expect("valid options");
    let Flight::Lead(lead) = handle.begin(&[1]) else { panic!("nobody else loads") };
    handle.set(&[2], value(), None, &[], 0.0);
    drop(handle);
    let again = open(&[2], Options::default()).expect("valid options");
    assert_eq!(lead.land(value(), None, &[], 0.0), Landed::Overtaken);
    assert!(!again.has(&[1], 0.0), "the load was for another cache");
}

#[test]
fn other_options_are_a_conflict_that_names_one() {
    let options = Options::default();
    let _handle = open(&[3], options.clone()).expect("valid options");
    let others = [
        ("max_bytes", Options { max_bytes: 1 << 20, ..options.clone() }),
        ("max_entries", Options { max_entries: 7, ..options.clone() }),
        ("policy", Options { policy: Policy::S3Fifo, ..options.clone() }),
        ("shards", Options { shards: 2, ..options.clone() }),
    ];
    for (option, other) in others {
        assert_eq!(open(&[3], other).err(), Some(OpenError::Conflict { option }));
    }
    assert!(open(&[3], options).is_ok());
}

#[test]
fn options_that_no_cache_can_have_leave_the_name_free() {
    let error = open(&[4], Options { shards: 3, ..Options::default() }).err();
    assert_eq!(error, Some(OpenError::Invalid(InvalidOptions::Shards)));
    assert!(open(&[4], Options::default()).is_ok());
}

#[test]
fn any_text_is_a_name_and_threads_meet_in_it() {
    for name in [vec![], vec![0xd800], vec![0; 1_000]] {
        let handle = open(&name, Options::default()).expect("valid options");
        thread::scope(|scope| {
            for key in 0..4 {
                let name = &name;
                scope.spawn(move || {
                    let handle = open(name, Options::default()).expect("the same options");
                    handle.set(&[key], value(), None, &[], 0.0);
                });
            }
        });
        assert_eq!(handle.stats().entries, 4);
    }
}
