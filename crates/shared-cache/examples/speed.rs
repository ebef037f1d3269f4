//! Nanoseconds of a get and a set of 100 bytes on one thread: `cargo run --release --example speed`.

use std::hint::black_box;
use std::time::Instant;

use keelson_shared_cache::{Options, Policy, Value, open};

const KEYS: usize = 100_000;
/// Each measurement does so many operations, in rounds over all keys, of which the fastest counts.
const OPERATIONS: usize = 5_000_000;

fn nanoseconds(mut each: impl FnMut(&[u16]), keys: &[Vec<u16>]) -> f64 {
    let mut best = f64::INFINITY;
    for _ in 0..OPERATIONS / keys.len() {
        let start = Instant::now();
        keys.iter().for_each(|key| each(key));
        best = best.min(start.elapsed().as_nanos() as f64 / keys.len() as f64);
    }
    best
}

fn main() {
    let bytes = [7_u8; 100];
    for (count, policy) in [(1_000, Policy::Lru), (KEYS, Policy::Lru), (KEYS, Policy::S3Fifo)] {
        let options = Options { max_bytes: 256 << 20, policy, ..Options::default() };
        let Ok(cache) = open(&[1], options) else { unreachable!("the options are valid") };
        let keys: Vec<Vec<u16>> = (0..count).map(|key| format!("key:{key:08}").encode_utf16().collect()).collect();
        let store = |key: &[u16], ttl| {
            let value = Value::new(1, bytes.as_slice());
            black_box(cache.set(key, value, ttl, &[], 1.0));
        };
        let set = nanoseconds(|key| store(key, None), &keys);
        let set_ttl = nanoseconds(|key| store(key, Some(1e6)), &keys);
        let get = nanoseconds(|key| drop(black_box(cache.get(key, 1.0))), &keys);
        let miss = nanoseconds(|key| drop(black_box(cache.get(&key[1..], 1.0))), &keys);
        println!("{policy:?}, {count} keys: set {set:.0}, with a ttl {set_ttl:.0}, get {get:.0}, miss {miss:.0} ns");
    }
}
