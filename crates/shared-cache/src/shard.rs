//! A part of the cache: everything here happens under the shard's lock.

use std::fmt;

use keelson_core::cache::{Cache, Entry, Inserted, Options, Reason};

use crate::flights::Flights;
use crate::options::Share;
use crate::size;
use crate::stats::Stats;
use crate::store::Store;
use crate::value::{Found, Value};

/// What became of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is stored.
    Stored {
        /// Which write it was.
        version: u64,
    },
    /// It is larger than what a shard may hold. What was under its key is gone, so that nobody takes it for current.
    TooLarge,
}

/// What a key must be like for a value to be stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// Nothing is under it.
    Absent,
    /// What is under it is from this write.
    Version(u64),
}

/// A condition that the key did not meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// The version of what is under the key, `None` for nothing.
    pub present: Option<u64>,
}

impl fmt::Display for Conflict {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.present {
            Some(version) => write!(to, "the key holds version {version}"),
            None => write!(to, "the key holds nothing"),
        }
    }
}

impl std::error::Error for Conflict {}

/// Why nothing was added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AddError {
    /// What is under the key is no number.
    NotANumber,
    /// The key is too long for a shard.
    TooLarge,
}

impl fmt::Display for AddError {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(match self {
            Self::NotANumber => "what is under the key is no number",
            Self::TooLarge => "the key is too long to be stored",
        })
    }
}

impl std::error::Error for AddError {}

/// An entry as a snapshot takes it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Record {
    pub(crate) key: Vec<u16>,
    pub(crate) value: Value,
    /// The milliseconds that it has left; infinite for ever.
    pub(crate) remaining: f64,
    pub(crate) tags: Vec<Vec<u16>>,
}

/// The last millisecond of an entry.
fn expiry(now: f64, ttl: Option<f64>) -> f64 {
    // `max` also makes 0 of what is not a number.
    ttl.map_or(f64::INFINITY, |ttl| now + ttl.max(0.0))
}

fn index(share: &Share) -> Cache {
    // Bytes are bounded here and not there, because the room for tables depends on how many slots there are.
    Cache::new(Options { max_size: share.entries, max_weight: f64::INFINITY, policy: share.policy })
}

/// The entries of a part of all keys.
#[derive(Debug)]
pub(crate) struct Shard {
    share: Share,
    index: Cache,
    store: Store,
    pub(crate) flights: Flights,
    version: u64,
    /// Between two versions, so that those of other shards are others.
    stride: u64,
}

impl Shard {
    /// The shard with a number of so many.
    pub(crate) fn new(share: Share, number: usize, of: usize) -> Self {
        Self {
            index: index(&share),
            share,
            store: Store::default(),
            flights: Flights::default(),
            version: number as u64,
            stride: of as u64,
        }
    }

    fn next_version(&mut self) -> u64 {
        self.version += self.stride;
        self.version
    }

    /// The slot of what is live under `key`; what is dead there is removed.
    fn live(&mut self, key: &[u16], now: f64) -> Option<u32> {
        let slot = self.index.find(key)?;
        (!self.index.expire(slot, now, &mut self.store)).then_some(slot)
    }

    pub(crate) fn get(&mut self, key: &[u16], now: f64) -> Option<Found> {
        let Some(slot) = self.live(key, now) else {
            self.store.stats.misses += 1;
            return None;
        };
        self.store.stats.hits += 1;
        self.index.touch(slot);
        self.store.found(slot)
    }

    pub(crate) fn peek(&mut self, key: &[u16], now: f64) -> Option<Found> {
        self.live(key, now).and_then(|slot| self.store.found(slot))
    }

    pub(crate) fn has(&mut self, key: &[u16], now: f64) -> bool {
        self.live(key, now).is_some()
    }

    pub(crate) fn remaining_ttl(&mut self, key: &[u16], now: f64) -> Option<f64> {
        self.live(key, now).map(|slot| self.index.expires(slot) - now)
    }

    /// Stores a value whatever is under its key.
    pub(crate) fn set(&mut self, key: &[u16], value: Value, ttl: Option<f64>, tags: &[&[u16]], now: f64) -> Outcome {
        self.flights.overtake(key);
        let key_bytes = size::text(&keelson_core::cache::Text::new(key));
        let value_bytes = value.bytes.size();
        let mut present = self.index.find(key);
        // What does not fit as it was given is not stored compressed either, so that nothing small becomes larger than that.
        if self.least(key_bytes + value_bytes.max(value.length()), tags) > self.share.bytes {
            self.store.stats.rejected += 1;
            present.into_iter().for_each(|slot| self.index.remove(slot, Reason::Weight, &mut self.store));
            return Outcome::TooLarge;
        }
        // What the entry had is given back first, so that nothing else has to go for that.
        present.into_iter().for_each(|slot| self.store.vacate(slot));
        while self.bytes_with(present, key_bytes, value_bytes, tags) > self.share.bytes {
            self.evict(now);
            present = self.index.find(key);
        }
        let entry = Entry { expires: expiry(now, ttl), grace: 0.0, weight: 0.0 };
        let inserted = match present.filter(|slot| now <= self.index.expires(*slot)) {
            Some(slot) => self.index.update(slot, now, entry, &mut self.store),
            None => self.index.insert(key, now, entry, &mut self.store),
        };
        let slot = match inserted {
            Inserted::New(slot) => {
                self.store.bytes += key_bytes;
                slot
            }
            Inserted::Replaced(slot) => slot,
            Inserted::TooHeavy => unreachable!("the index does not weigh"),
        };
        let version = self.next_version();
        self.store.fill(slot, value, version, tags);
        self.store.stats.sets += 1;
        Outcome::Stored { version }
    }

    /// What the shard takes.
    fn bytes(&self) -> usize {
        size::base(size_of::<Self>())
            + size::tables(self.index.extent(), self.share.policy)
            + self.store.bytes
            + self.store.tags.bytes()
    }

    /// What it would take with nothing but an entry of so many bytes.
    fn least(&self, entry: usize, tags: &[&[u16]]) -> usize {
        let tags = if tags.is_empty() { 0 } else { crate::tags::Tags::default().bytes_with(tags) };
        size::base(size_of::<Self>()) + size::tables(1, self.share.policy) + entry + tags
    }

    /// What it takes once an entry is in, which has its place in the index if it is present.
    fn bytes_with(&self, present: Option<u32>, key: usize, value: usize, tags: &[&[u16]]) -> usize {
        let (length, extent) = (self.index.len(), self.index.extent());
        let fresh = present.is_none();
        let slots = if fresh && length < self.share.entries { extent.max(length + 1) } else { extent };
        size::base(size_of::<Self>())
            + size::tables(slots, self.share.policy)
            + self.store.bytes
            + if fresh { key + value } else { value }
            + self.store.tags.bytes_with(tags)
    }

    /// Makes room: by an entry, or when there is none by the tables.
    fn evict(&mut self, now: f64) {
        let length = self.index.len();
        if length == 0 {
            return self.forget();
        }
        self.index.shrink(length - 1, now, &mut self.store);
        self.settle(now);
    }

    /// Gives back the memory of tables that are much too large for what is in them.
    fn settle(&mut self, now: f64) {
        if size::is_sparse(self.index.len(), self.index.extent()) || self.store.tags.is_sparse() {
            self.rebuild(now);
        }
    }

    /// Makes the tables anew, with what is live in the same order. An entry that is just being replaced is left out.
    fn rebuild(&mut self, now: f64) {
        self.index.sweep(now, usize::MAX, &mut self.store);
        let old = std::mem::replace(&mut self.index, index(&self.share));
        let mut values = std::mem::take(&mut self.store);
        self.store.stats = std::mem::take(&mut values.stats);
        for slot in old.by_recency(now).into_iter().rev() {
            let (Some(key), Some(found)) = (old.text(slot).to_units(), values.found(slot)) else { continue };
            let tags = values.tags_of(slot);
            let tags: Vec<&[u16]> = tags.iter().map(Vec::as_slice).collect();
            let entry = Entry { expires: old.expires(slot), grace: 0.0, weight: 0.0 };
            if let Inserted::New(fresh) = self.index.insert(&key, now, entry, &mut self.store) {
                self.store.bytes += size::text(self.index.text(fresh));
                self.store.fill(fresh, found.value, found.version, &tags);
            }
        }
    }

    fn forget(&mut self) {
        self.index.clear();
        self.store.clear();
    }

    pub(crate) fn set_if(
        &mut self,
        key: &[u16],
        condition: Condition,
        value: Value,
        ttl: Option<f64>,
        tags: &[&[u16]],
        now: f64,
    ) -> Result<Outcome, Conflict> {
        let present = self.live(key, now).map(|slot| self.store.version(slot));
        let met = match condition {
            Condition::Absent => present.is_none(),
            Condition::Version(version) => present == Some(version),
        };
        if met { Ok(self.set(key, value, ttl, tags, now)) } else { Err(Conflict { present }) }
    }

    pub(crate) fn add(&mut self, key: &[u16], by: f64, ttl: Option<f64>, now: f64) -> Result<f64, AddError> {
        let Some(slot) = self.live(key, now) else {
            return match self.set(key, Value::number(by), ttl, &[], now) {
                Outcome::Stored { .. } => Ok(by),
                Outcome::TooLarge => Err(AddError::TooLarge),
            };
        };
        let number = self.store.found(slot).and_then(|found| found.value.as_number()).ok_or(AddError::NotANumber)?;
        self.flights.overtake(key);
        self.index.touch(slot);
        let (sum, version) = (number + by, self.next_version());
        self.store.replace(slot, Value::number(sum), version);
        self.store.stats.sets += 1;
        Ok(sum)
    }

    pub(crate) fn touch(&mut self, key: &[u16], ttl: Option<f64>, now: f64) -> bool {
        let Some(slot) = self.live(key, now) else { return false };
        self.index.touch(slot);
        self.index.renew(slot, expiry(now, ttl), &mut self.store);
        true
    }

    pub(crate) fn delete(&mut self, key: &[u16], now: f64) -> bool {
        self.flights.overtake(key);
        let slot = self.live(key, now);
        slot.into_iter().for_each(|slot| self.index.remove(slot, Reason::Deleted, &mut self.store));
        self.settle(now);
        slot.is_some()
    }

    /// Removes everything, and gives the memory back.
    pub(crate) fn clear(&mut self) {
        self.flights.overtake_all();
        self.store.stats.deletes += self.index.len() as u64;
        self.forget();
    }

    pub(crate) fn invalidate_tag(&mut self, tag: &[u16], now: f64) -> usize {
        self.flights.invalidate(tag);
        let mut live = 0;
        for slot in self.store.tags.slots(tag) {
            live += usize::from(now <= self.index.expires(slot));
            if let Some(key) = self.index.text(slot).to_units() {
                self.flights.overtake(&key);
            }
            self.index.take(slot, now, &mut self.store);
        }
        self.settle(now);
        live
    }

    pub(crate) fn sweep(&mut self, now: f64, limit: usize) -> usize {
        let swept = self.index.sweep(now, limit, &mut self.store);
        self.settle(now);
        swept
    }

    pub(crate) fn keys(&self, now: f64) -> Vec<Vec<u16>> {
        self.index.by_recency(now).into_iter().filter_map(|slot| self.index.text(slot).to_units()).collect()
    }

    /// The live entries, the one that goes first first.
    pub(crate) fn records(&self, now: f64) -> Vec<Record> {
        let slots = self.index.by_recency(now).into_iter().rev();
        let record = |slot| {
            Some(Record {
                key: self.index.text(slot).to_units()?,
                value: self.store.found(slot)?.value,
                remaining: self.index.expires(slot) - now,
                tags: self.store.tags_of(slot),
            })
        };
        slots.filter_map(record).collect()
    }

    pub(crate) fn stats(&self) -> Stats {
        Stats { entries: self.index.len(), bytes: self.bytes(), ..self.store.stats }
    }
}

#[cfg(test)]
mod tests {
    use keelson_core::cache::Policy;

    use super::*;

    /// Far more entries go than stay, so that the tables are made anew with those that stay.
    #[test]
    fn what_stays_when_tables_shrink_stays_as_it_was() {
        let share = Share { bytes: 8 << 20, entries: 1 << 20, policy: Policy::Lru };
        let mut shard = Shard::new(share, 0, 1);
        let tag = |key: u16| [key % 10];
        for key in 0..5_000 {
            let ttl = (key % 3 == 0).then_some(f64::from(key));
            shard.set(&[key], Value::number(f64::from(key)), ttl, &[&tag(key), &[77]], 0.0);
        }
        (0..5_000).step_by(7).for_each(|key| drop(shard.get(&[key], 0.0)));
        // In which order an entry names its tags is not promised.
        let records = |shard: &Shard| -> Vec<Record> {
            let mut records = shard.records(0.0);
            records.retain(|record| record.key[0].is_multiple_of(25));
            records.iter_mut().for_each(|record| record.tags.sort());
            records
        };
        let before = records(&shard);
        let versions: Vec<_> = before.iter().filter_map(|record| shard.peek(&record.key, 0.0)).collect();
        let extent = shard.index.extent();
        (0..5_000_u16).filter(|key| !key.is_multiple_of(25)).for_each(|key| assert!(shard.delete(&[key], 0.0)));
        assert!(shard.index.extent() < extent / 4, "the tables shrank");
        assert_eq!(shard.keys(0.0).len(), 200);
        assert!(records(&shard) == before, "in the same order too");
        let after: Vec<_> = before.iter().filter_map(|record| shard.peek(&record.key, 0.0)).collect();
        assert_eq!(after, versions);
        assert_eq!(shard.invalidate_tag(&tag(5), 0.0), 100);
        assert_eq!(shard.invalidate_tag(&[77], 0.0), 100);
        let empty = Shard::new(shard.share.clone(), 0, 1).bytes();
        shard.clear();
        assert_eq!(shard.bytes(), empty);
    }
}
