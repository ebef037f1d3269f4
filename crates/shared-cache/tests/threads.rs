//! Several threads at once.

use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use keelson_shared_cache::{Handle, Options, Policy, Value, open};

mod support;

use support::Xorshift;

/// A value that tells whether it is whole: its key, random bytes, and their sum.
fn value(key: u16, random: &mut Xorshift) -> Value {
    let length = random.below(600) as usize;
    let mut bytes = key.to_le_bytes().to_vec();
    bytes.extend((0..length).map(|_| random.below(256) as u8));
    let sum: u32 = bytes.iter().map(|byte| u32::from(*byte)).sum();
    bytes.extend(sum.to_le_bytes());
    Value::new(1, bytes)
}

fn is_whole(key: u16, value: &Value) -> bool {
    let stored = value.bytes();
    let Some((bytes, sum)) = stored.as_deref().and_then(<[u8]>::split_last_chunk::<4>) else { return false };
    let actual: u32 = bytes.iter().map(|byte| u32::from(*byte)).sum();
    bytes.starts_with(&key.to_le_bytes()) && actual == u32::from_le_bytes(*sum)
}

fn hammer(handle: &Handle, keys: u64, seed: u64, steps: usize) {
    let mut random = Xorshift(seed);
    for step in 0..steps {
        let (key, now) = (random.below(keys) as u16, (step / 100) as f64);
        let tag = [key % 7];
        match random.below(20) {
            0..8 => {
                let ttl = (random.below(4) == 0).then_some(300.0);
                handle.set(&[key], value(key, &mut random), ttl, &[&tag], now);
            }
            8..17 => {
                if let Some(found) = handle.get(&[key], now) {
                    assert!(is_whole(key, &found.value), "the value of {key} is torn");
                }
            }
            17 => drop(handle.delete(&[key], now)),
            18 => drop(handle.touch(&[key], Some(100.0), now)),
            _ if random.below(500) == 0 => drop(handle.invalidate_tag(&tag, now)),
            _ => drop(handle.sweep(now, 10)),
        }
    }
}

#[test]
fn every_get_sees_a_whole_value() {
    for policy in [Policy::Lru, Policy::S3Fifo] {
        for (max_bytes, keys) in [(256 << 10, 1_000), (2 << 20, 20_000)] {
            let options = Options { max_bytes, policy, ..Options::default() };
            let handle = open(&[1], options.clone()).expect("valid options");
            thread::scope(|scope| {
                for seed in 1..=4 {
                    let handle = &handle;
                    scope.spawn(move || hammer(handle, keys, seed * 0x9e37_79b9, 20_000));
                }
            });
            let stats = handle.stats();
            assert!(stats.hits > 0 && stats.evicted_by_weight > 0 && stats.bytes <= options.max_bytes, "{stats:?}");
        }
    }
}

#[test]
fn no_addition_is_lost() {
    const EACH: usize = 10_000;
    let handle = open(&[2], Options::default()).expect("valid options");
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..EACH {
                    handle.add(&[1], 1.0, None, 0.0).expect("a number");
                }
            });
        }
    });
    assert_eq!(handle.add(&[1], 0.0, None, 0.0), Ok(4.0 * EACH as f64));
}

/// Threads open, use and drop handles of one name: nobody ever meets a cache that is being freed.
#[test]
fn handles_come_and_go() {
    let (barrier, found) = (Barrier::new(4), AtomicUsize::new(0));
    thread::scope(|scope| {
        for key in 0..4 {
            let (barrier, found) = (&barrier, &found);
            scope.spawn(move || {
                barrier.wait();
                for _ in 0..2_000 {
                    let handle = open(&[3], Options::default()).expect("valid options");
                    handle.set(&[key], Value::number(f64::from(key)), None, &[], 0.0);
                    assert!(handle.has(&[key], 0.0), "what a handle set is there while it is open");
                    found.fetch_add(handle.stats().entries, Ordering::Relaxed);
                }
            });
        }
    });
    assert!(found.into_inner() >= 8_000);
}
