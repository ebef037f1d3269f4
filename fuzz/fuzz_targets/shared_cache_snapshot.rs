//! Any bytes as a snapshot: they are refused and nothing is stored, or they come out again as they went in. Checksums are mended,
//! so that what is behind them is reached.

#![no_main]

use keelson_shared_cache::{Handle, Options, open, read, write};
use libfuzzer_sys::fuzz_target;

/// Where a snapshot has its end mark, its count and its checksum, from its end.
const CHECKSUM: usize = 4;
const TAIL: usize = 8 + 8 + CHECKSUM;

fn opened() -> Handle {
    open(&[1], Options { max_bytes: 1 << 20, ..Options::default() }).expect("valid options")
}

/// A snapshot whose head and tail are right, of one record at most: lengths in the middle are what the fuzzer makes them.
fn framed(bytes: &[u8]) -> Vec<u8> {
    let mut framed = b"keelsnap\x02\0\0\0".to_vec();
    if !bytes.is_empty() {
        framed.extend((bytes.len() as u64).to_le_bytes());
        framed.extend(bytes);
    }
    framed.extend(u64::MAX.to_le_bytes());
    framed.extend(u64::from(!bytes.is_empty()).to_le_bytes());
    framed.extend([0; CHECKSUM]);
    framed
}

fn mend(bytes: &mut [u8]) {
    if bytes.len() >= TAIL {
        let end = bytes.len() - CHECKSUM;
        let checksum = crc32fast::hash(&bytes[..end]);
        bytes[end..].copy_from_slice(&checksum.to_le_bytes());
    }
}

fuzz_target!(|input: (bool, Vec<u8>)| {
    let (is_record, bytes) = input;
    let mut bytes = if is_record { framed(&bytes) } else { bytes };
    mend(&mut bytes);
    let handle = opened();
    let Ok(restored) = read(&handle, &mut &*bytes, 0.0) else {
        return assert_eq!(handle.stats().entries, 0, "what is refused leaves nothing");
    };
    let stats = handle.stats();
    assert!(stats.entries <= restored.stored && stats.bytes <= 1 << 20);
    let mut again = Vec::new();
    let count = write(&handle, &mut again, 0.0).expect("memory takes all");
    handle.clear();
    let restored = read(&handle, &mut &*again, 0.0).expect("what was written is whole");
    assert_eq!((restored.stored, restored.too_large), (count, 0));
    for shard in 0..handle.shards() {
        for key in handle.keys_of_shard(shard, 0.0) {
            assert!(
                handle.get(&key, 0.0).is_some_and(|found| found.value.bytes().is_some()),
                "what is stored can be read"
            );
        }
    }
});
