//! Snapshots that are whole come back, and all others are refused without a trace.

use super::*;
use crate::options::Options;
use crate::value::{Found, Value};

fn units(text: &str) -> Vec<u16> {
    text.encode_utf16().collect()
}

fn least_to_pack() -> usize {
    if cfg!(miri) { usize::MAX } else { 1 }
}

fn cache() -> SharedCache {
    SharedCache::new(Options::default()).expect("valid options")
}

fn value(text: &str) -> Value {
    Value::new(7, text.as_bytes())
}

/// Four entries: one that lasts, one with a time and tags, a number under a lone surrogate, and what is not compressed only where
/// there is no compressor.
fn filled() -> SharedCache {
    let cache = cache();
    cache.set(&units("lasting"), value("for ever"), None, &[], 1_000.0);
    cache.set(&units("Zürich"), value(""), Some(50.5), &[&units("city"), &units("λ")], 1_000.0);
    cache.add(&[0xd800], 4.5, Some(10.0), 1_000.0).expect("a number");
    cache.set(&units("packed"), value(&"again ".repeat(20)).packed_from(least_to_pack()), None, &[], 1_000.0);
    cache
}

fn snapshot(cache: &SharedCache, now: f64) -> Vec<u8> {
    let mut bytes = Vec::new();
    write(cache, &mut bytes, now).expect("memory takes all");
    bytes
}

fn contents(cache: &SharedCache, now: f64) -> Vec<Record> {
    let mut records: Vec<_> = (0..cache.shards()).flat_map(|shard| cache.records_of_shard(shard, now)).collect();
    records.iter_mut().for_each(|record| record.tags.sort());
    records.sort_by(|a, b| a.key.cmp(&b.key));
    records
}

#[test]
fn a_round_trip_keeps_everything_but_the_time() {
    let (from, to) = (filled(), cache());
    let bytes = snapshot(&from, 1_005.0);
    to.set(&units("lasting"), value("older"), Some(1.0), &[], 77.0);
    to.set(&units("other"), value("stays"), None, &[], 77.0);
    let restored = read(&to, &mut &*bytes, 77.0).expect("whole");
    assert_eq!(restored, Restored { stored: 4, too_large: 0 });
    assert!(to.delete(&units("other"), 77.0));
    assert_eq!(contents(&to, 77.0), contents(&from, 1_005.0));
    assert_eq!(to.remaining_ttl(&units("Zürich"), 77.0), Some(45.5));
    assert_eq!(to.invalidate_tag(&units("λ"), 77.0), 1);
}

#[test]
fn what_has_expired_is_not_written() {
    let to = cache();
    assert_eq!(read(&to, &mut &*snapshot(&filled(), 1_011.0), 0.0).expect("whole").stored, 3);
}

#[test]
fn recency_comes_back_within_a_shard() {
    let options = Options { shards: 1, ..Options::default() };
    let (from, to) = (SharedCache::new(options.clone()).expect("valid"), SharedCache::new(options).expect("valid"));
    for key in 0..20 {
        from.set(&[key], value("x"), None, &[], 0.0);
    }
    assert!(from.get(&[3], 0.0).is_some());
    read(&to, &mut &*snapshot(&from, 0.0), 0.0).expect("whole");
    assert_eq!(to.keys_of_shard(0, 0.0), from.keys_of_shard(0, 0.0));
}

#[test]
fn every_truncation_is_refused() {
    let bytes = snapshot(&filled(), 1_000.0);
    let cache = filled();
    let before = contents(&cache, 1_000.0);
    for length in 0..bytes.len() {
        let error = read(&cache, &mut &bytes[..length], 1_000.0).expect_err("it is cut short");
        let expected = if length < MAGIC.len() {
            matches!(error, SnapshotError::NotASnapshot)
        } else {
            matches!(error, SnapshotError::Damaged { offset } if offset <= length as u64)
        };
        assert!(expected, "{length} bytes: {error}");
    }
    assert_eq!(contents(&cache, 1_000.0), before);
}

#[test]
fn every_flipped_bit_is_refused() {
    let bytes = snapshot(&filled(), 1_000.0);
    let cache = filled();
    let before = contents(&cache, 1_000.0);
    for at in 0..bytes.len() * 8 {
        let mut damaged = bytes.clone();
        damaged[at / 8] ^= 1 << (at % 8);
        let error = read(&cache, &mut &*damaged, 1_000.0).expect_err("a bit is wrong");
        let expected = match at / 8 {
            0..8 => matches!(error, SnapshotError::NotASnapshot),
            8..12 => matches!(error, SnapshotError::Version(version) if version != VERSION),
            _ => matches!(error, SnapshotError::Damaged { .. }),
        };
        assert!(expected, "bit {at}: {error}");
    }
    assert_eq!(contents(&cache, 1_000.0), before);
}

#[test]
fn bytes_after_the_end_are_damage() {
    let mut bytes = snapshot(&filled(), 1_000.0);
    let offset = bytes.len() as u64;
    bytes.push(0);
    let error = read(&cache(), &mut &*bytes, 0.0).expect_err("there is more");
    assert!(matches!(error, SnapshotError::Damaged { offset: at } if at == offset));
}

#[test]
fn what_is_too_large_for_a_smaller_cache_is_counted() {
    let (from, to) = (cache(), SharedCache::new(Options { max_bytes: 64 << 10, ..Options::default() }).expect("valid"));
    from.set(&units("large"), Value::new(1, vec![0; 100_000]), None, &[], 0.0);
    from.set(&units("small"), value("x"), None, &[], 0.0);
    let restored = read(&to, &mut &*snapshot(&from, 0.0), 0.0).expect("whole");
    assert_eq!(restored, Restored { stored: 1, too_large: 1 });
}

/// A snapshot that is whole, of a value that is not: only somebody who means harm writes that.
fn forged(bytes: &[u8], length: u32) -> Vec<u8> {
    let cache = cache();
    let bytes: Vec<u8> = bytes.iter().copied().chain(length.to_le_bytes()).collect();
    cache.set(&units("forged"), Value { is_packed: true, ..Value::new(1, bytes) }, None, &[], 0.0);
    snapshot(&cache, 0.0)
}

#[test]
#[cfg(not(miri))]
fn what_is_compressed_falsely_is_refused() {
    let frame = |length: usize| {
        let Value { bytes, .. } = Value::new(1, vec![0; length]).packed_from(1);
        bytes[..bytes.len() - 4].to_vec()
    };
    let to = cache();
    for (bytes, length) in [(frame(10_000), 9_999), (frame(10_000), 10_001), (b"no frame".to_vec(), 8), (vec![], 1)] {
        let error = read(&to, &mut &*forged(&bytes, length), 0.0).expect_err("it is not what it says");
        assert!(matches!(error, SnapshotError::Damaged { offset: 12 }), "{error}");
    }
    assert_eq!(to.stats().entries, 0);
    let large = SharedCache::new(Options { max_bytes: 1 << 30, shards: 1, ..Options::default() }).expect("valid");
    large.set(&units("large"), Value::new(1, vec![0; 100 << 20]).packed_from(1), None, &[], 0.0);
    let bytes = snapshot(&large, 0.0);
    assert!(bytes.len() < 100 << 10);
    assert_eq!(read(&to, &mut &*bytes, 0.0).expect("whole"), Restored { stored: 0, too_large: 1 });
}

#[test]
fn a_file_is_replaced_as_a_whole() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("cache.snapshot");
    for _ in 0..2 {
        assert_eq!(save(&filled(), &path, 1_000.0).expect("saved"), 4);
    }
    let names: Vec<_> = std::fs::read_dir(folder.path()).expect("a folder").collect();
    assert_eq!(names.len(), 1, "nothing is left beside it");
    let to = cache();
    assert_eq!(load(&to, &path, 0.0).expect("whole").stored, 4);
    assert_eq!(to.get(&units("lasting"), 0.0).map(|Found { value, .. }| value), Some(value("for ever")));
}

#[test]
fn a_failed_save_leaves_nothing_behind() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("taken");
    std::fs::create_dir(&path).expect("a folder");
    assert!(save(&filled(), &path, 0.0).is_err(), "a folder is in the way");
    assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 1);
    assert!(matches!(load(&cache(), &folder.path().join("none"), 0.0), Err(SnapshotError::Io(_))));
}
