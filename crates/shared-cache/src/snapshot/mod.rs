//! A cache in a file, or wherever bytes can go.
//!
//! The format, all numbers in little-endian order: 8 bytes [`MAGIC`]; `u32` version; records; a `u64` of all ones; `u64` count
//! of the records; `u32` CRC-32 of everything before. A record is its length as `u64`, and then that many bytes: the remaining
//! time to live as `f64`, infinite for ever; the key; `u32` count of tags; the tags; the kind of the value as a byte; a byte that is
//! 1 if it is compressed, and 0 if not; and its bytes, up to the end, where they are compressed as `packing.rs` has them. A key or a tag is its length in UTF-16 units as `u32`, and these.

mod error;
mod file;
mod reading;
mod record;
#[cfg(test)]
mod tests;

use std::io::{self, Read, Write};

pub use error::SnapshotError;
pub use file::{load, save};
use reading::Reading;

use crate::cache::SharedCache;
use crate::shard::{Outcome, Record};

const MAGIC: &[u8; 8] = b"keelsnap";
const VERSION: u32 = 2;
/// In the place of a record's length: there are no more.
const END: u64 = u64::MAX;

/// What reading a snapshot brought.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Restored {
    /// Entries that were stored.
    pub stored: usize,
    /// Entries that were not, because this cache is too small for them.
    pub too_large: usize,
}

struct Writing<'a, W> {
    to: &'a mut W,
    checksum: crc32fast::Hasher,
}

impl<W: Write> Writing<'_, W> {
    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.checksum.update(bytes);
        self.to.write_all(bytes)
    }
}

/// Writes what is live, and returns how many entries that were. Each shard is written as it is at one moment, without being
/// locked while it is written.
///
/// # Errors
///
/// What the writer says.
pub fn write(cache: &SharedCache, to: &mut impl Write, now: f64) -> io::Result<usize> {
    let mut writing = Writing { to, checksum: crc32fast::Hasher::new() };
    writing.put(MAGIC)?;
    writing.put(&VERSION.to_le_bytes())?;
    let mut count = 0;
    let mut head = Vec::new();
    for shard in 0..cache.shards() {
        for Record { key, value, remaining, tags } in cache.records_of_shard(shard, now) {
            head.clear();
            record::write_head(&mut head, &key, remaining, &tags, &value);
            writing.put(&((head.len() + value.bytes.len()) as u64).to_le_bytes())?;
            writing.put(&head)?;
            writing.put(&value.bytes)?;
            count += 1;
        }
    }
    writing.put(&END.to_le_bytes())?;
    writing.put(&(count as u64).to_le_bytes())?;
    let checksum = writing.checksum.finalize();
    to.write_all(&checksum.to_le_bytes())?;
    Ok(count)
}

/// Stores the entries of a snapshot over those that have the same keys; what is under other keys stays. The snapshot is read to
/// its end and checked before anything is stored, so it takes its size in memory for so long.
///
/// # Errors
///
/// If it is not whole, or cannot be read; then nothing is stored. Bytes after its end are damage as well.
pub fn read(cache: &SharedCache, from: &mut impl Read, now: f64) -> Result<Restored, SnapshotError> {
    let mut restored = Restored::default();
    for Record { key, value, remaining, tags } in parse(&mut Reading::new(from), cache.largest())? {
        let tags: Vec<&[u16]> = tags.iter().map(Vec::as_slice).collect();
        match cache.set(&key, value, Some(remaining), &tags, now) {
            Outcome::Stored { .. } => restored.stored += 1,
            Outcome::TooLarge => restored.too_large += 1,
        }
    }
    Ok(restored)
}

/// Values up to a length must be what they say; longer ones are not stored.
fn parse(reading: &mut Reading<impl Read>, largest: usize) -> Result<Vec<Record>, SnapshotError> {
    let mut magic = [0; MAGIC.len()];
    if !reading.fill(&mut magic)? || magic != *MAGIC {
        return Err(SnapshotError::NotASnapshot);
    }
    let version = u32::from_le_bytes(reading.array()?);
    if version != VERSION {
        return Err(SnapshotError::Version(version));
    }
    let mut records = Vec::new();
    loop {
        let start = reading.offset();
        let length = u64::from_le_bytes(reading.array()?);
        if length == END {
            break;
        }
        let bytes = reading.bytes(length)?;
        let record =
            record::read(&bytes).filter(|record| record.value.length() > largest || record.value.bytes().is_some());
        records.push(record.ok_or(SnapshotError::Damaged { offset: start })?);
    }
    let end = reading.offset();
    let count = u64::from_le_bytes(reading.array()?);
    let actual = reading.checksum();
    let expected = u32::from_le_bytes(reading.array()?);
    if count != records.len() as u64 || actual != expected {
        return Err(SnapshotError::Damaged { offset: end });
    }
    let offset = reading.offset();
    if reading.fill(&mut [0])? { Err(SnapshotError::Damaged { offset }) } else { Ok(records) }
}
