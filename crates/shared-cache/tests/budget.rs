//! What is stored never takes more than was allowed, by an allocator that counts.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use keelson_shared_cache::{Handle, Options, Outcome, Policy, Value, open};

mod support;

use support::Xorshift;

/// Counts what each thread takes, as an allocator with headers of 8 bytes and steps of 16 gives it.
struct Counting;

thread_local! {
    static TAKEN: Cell<isize> = const { Cell::new(0) };
    static PEAK: Cell<isize> = const { Cell::new(0) };
}

fn real(layout: Layout) -> isize {
    let beyond = if layout.align() > 16 { layout.align() } else { 0 };
    ((layout.size() + 8).next_multiple_of(16).max(32) + beyond) as isize
}

fn count(by: isize) {
    let taken = TAKEN.get() + by;
    TAKEN.set(taken);
    PEAK.set(PEAK.get().max(taken));
}

// SAFETY: every call is passed on to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(real(layout));
        // SAFETY: the caller's promises are the system's.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(-real(layout));
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // Both are there for a moment.
        // SAFETY: the caller promises that the size makes a layout.
        count(real(unsafe { Layout::from_size_align_unchecked(size, layout.align()) }));
        count(-real(layout));
        // SAFETY: as above.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// What a cache takes beside what its shards count: itself, its name, its place in the registry.
const BESIDE: isize = 2_048;

/// The taken bytes that are not in `before`.
fn taken(before: isize) -> isize {
    TAKEN.get() - before
}

fn value(length: usize) -> Value {
    Value::new(1, vec![7; length])
}

fn key(number: u64) -> Vec<u16> {
    match number % 4 {
        0 | 1 => format!("key:{number:08}").encode_utf16().collect(),
        2 => format!("a longer key that needs room of its own {number}").encode_utf16().collect(),
        _ => format!("ключ {number}").encode_utf16().collect(),
    }
}

fn tag(number: u64) -> Vec<u16> {
    format!("tag {number} {}", "x".repeat((number % 40) as usize)).encode_utf16().collect()
}

/// A random operation, most of them writes.
fn operate(handle: &Handle, random: &mut Xorshift, keys: u64, lengths: u64, tags: u64, now: f64) {
    let key = key(random.below(keys));
    match random.below(100) {
        0..80 => {
            let ttl = (random.below(3) == 0).then(|| random.below(5_000) as f64);
            let own: Vec<Vec<u16>> = (0..random.below(tags + 1)).map(|_| tag(random.below(1_000))).collect();
            let own: Vec<&[u16]> = own.iter().map(Vec::as_slice).collect();
            handle.set(&key, value(random.below(lengths) as usize), ttl, &own, now);
        }
        80..90 => drop(handle.get(&key, now)),
        90..96 => drop(handle.delete(&key, now)),
        96 => drop(handle.invalidate_tag(&tag(random.below(1_000)), now)),
        97 => drop(handle.add(&key, 1.0, None, now)),
        98 => drop(handle.sweep(now, 50)),
        _ => drop(handle.touch(&key, Some(random.below(9_000) as f64), now)),
    }
}

/// Plays random operations, and holds the budget against the allocator after each.
fn play(options: &Options, steps: usize, keys: u64, lengths: u64, tags: u64) {
    let mut random = Xorshift(88_172_645_463_325_252);
    let before = TAKEN.get();
    let handle = open(&[1], options.clone()).expect("valid options");
    let bound = options.max_bytes as isize;
    let what = format!("{options:?}, {keys} keys, {lengths} lengths, {tags} tags");
    let mut now = 1_000.0;
    for step in 0..steps {
        now += random.below(3) as f64;
        PEAK.set(TAKEN.get());
        operate(&handle, &mut random, keys, lengths, tags, now);
        let (taken, peak) = (taken(before), PEAK.get() - before);
        assert!(taken <= bound + BESIDE, "{taken} of {bound} at {step}, {what}");
        // A table grows into another of twice its size, and shrinks into a smaller one, while the first is there.
        assert!(
            peak <= bound + bound / 2 + BESIDE + 4 * lengths as isize,
            "a peak of {peak} of {bound} at {step}, {what}"
        );
        if step % 64 == 0 {
            let counted = handle.stats().bytes as isize;
            assert!(counted <= bound, "{counted} counted of {bound} at {step}, {what}");
            assert!(taken <= counted + BESIDE, "{taken} of {counted} counted at {step}, {what}");
        }
    }
    let full = handle.stats();
    handle.clear();
    let empty = (7_000 * handle.shards()) as isize;
    assert!(taken(before) <= empty + BESIDE, "{} are left, {what}", taken(before));
    drop(handle);
    assert!(taken(before) <= BESIDE, "{} are left without a handle, {what}", taken(before));
    println!("{} entries in {} bytes, {what}", full.entries, full.bytes);
}

#[test]
fn the_budget_holds() {
    for policy in [Policy::Lru, Policy::S3Fifo] {
        let options = |max_bytes| Options { max_bytes, policy, ..Options::default() };
        play(&options(64 << 10), 20_000, 2_000, 400, 0);
        play(&options(64 << 10), 10_000, 2_000, 60_000, 3);
        play(&options(1 << 20), 50_000, 50_000, 40, 0);
        play(&options(1 << 20), 20_000, 50_000, 200, 6);
        play(&options(4 << 20), 50_000, 100_000, 300, 1);
        play(&Options { max_entries: 1_000, ..options(4 << 20) }, 20_000, 50_000, 300, 2);
    }
}

/// Tables that many small entries needed are given back when few large ones come.
#[test]
fn large_values_get_the_room_of_many_small_ones() {
    for policy in [Policy::Lru, Policy::S3Fifo] {
        let options = Options { max_bytes: 8 << 20, shards: 1, policy, ..Options::default() };
        let handle = open(&[2], options).expect("valid options");
        for number in 0..60_000 {
            handle.set(&key(number), value(8), None, &[], 0.0);
        }
        let many = handle.stats();
        for number in 0..200 {
            let outcome = handle.set(&key(number), value(1 << 20), None, &[], 0.0);
            assert!(matches!(outcome, Outcome::Stored { .. }));
        }
        let few = handle.stats();
        assert!(many.entries > 20_000 && few.entries == 7, "{} and then {}", many.entries, few.entries);
    }
}

#[test]
fn however_a_cache_is_emptied_memory_comes_back() {
    type Emptying = fn(&Handle);
    let delete: Emptying = |handle| (0..50_000).for_each(|number| assert!(handle.delete(&key(number), 0.0)));
    let expire: Emptying = |handle| assert_eq!(handle.sweep(11.0, usize::MAX), 50_000);
    let invalidate: Emptying = |handle| assert_eq!(handle.invalidate_tag(&[1], 0.0), 50_000);
    let clear: Emptying = |handle| handle.clear();
    let before = TAKEN.get();
    for policy in [Policy::Lru, Policy::S3Fifo] {
        // More is stored than there is room for, so that S3-FIFO has keys to remember.
        let options = Options { shards: 1, max_entries: 50_000, policy, ..Options::default() };
        let handle = open(&[3], options).expect("valid options");
        for empty in [delete, expire, invalidate, clear] {
            for number in (50_000..100_000).chain(0..50_000) {
                handle.set(&key(number), value(20), Some(10.0), &[&[1], &tag(number)], 0.0);
            }
            assert!(taken(before) > 10 << 20);
            empty(&handle);
            assert!(taken(before) < 512 << 10, "{} are left, {policy:?}", taken(before));
        }
    }
}

#[test]
fn the_last_handle_frees_all_even_while_a_load_is_under_way() {
    let before = TAKEN.get();
    let first = open(&[6], Options::default()).expect("valid options");
    let second = open(&[6], Options::default()).expect("the same options");
    let flight = first.begin(&[1]);
    for number in 0..1_000 {
        first.set(&key(number), value(1_000), None, &[], 0.0);
    }
    drop(first);
    assert!(taken(before) > 1 << 20, "a handle is left");
    drop(second);
    assert!(taken(before) < 200 << 10, "{} are left", taken(before));
    drop(flight);
    assert!(taken(before) <= BESIDE, "{} are left without a load", taken(before));
}

#[test]
fn the_largest_entry_is_a_share_less_eight_kilobytes() {
    let options = Options { max_bytes: 16 << 20, ..Options::default() };
    let handle = open(&[4], options).expect("valid options");
    assert_eq!(handle.shards(), 16);
    let largest = (1 << 20) - (8 << 10);
    assert!(matches!(handle.set(&[1], value(largest), None, &[], 0.0), Outcome::Stored { .. }));
    assert_eq!(handle.set(&[1], value(1 << 20), None, &[], 0.0), Outcome::TooLarge);
    assert_eq!((handle.get(&[1], 0.0), handle.stats().rejected), (None, 1), "the older value is no longer current");
}

/// Not a test of anything but the figure that the documentation gives.
#[test]
fn an_entry_of_a_hundred_bytes_takes_a_few_hundred() {
    for (policy, count) in [(Policy::Lru, 65_536_u64), (Policy::Lru, 50_000), (Policy::S3Fifo, 65_536)] {
        let before = TAKEN.get();
        let options = Options { max_bytes: 1 << 30, shards: 1, policy, ..Options::default() };
        let handle = open(&[5], options).expect("valid options");
        for number in 0..count {
            let key: Vec<u16> = format!("key:{number:08}").encode_utf16().collect();
            handle.set(&key, value(100), None, &[], 0.0);
        }
        let (taken, counted) = (taken(before) as f64 / count as f64, handle.stats().bytes as f64 / count as f64);
        println!("{policy:?}, {count} entries: {taken:.0} bytes each, counted as {counted:.0}");
        assert!(taken <= counted && counted < 500.0);
    }
}
