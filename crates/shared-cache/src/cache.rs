//! The cache: shards, each behind its lock.

use std::hash::BuildHasher;
use std::sync::PoisonError;

use foldhash::quality::RandomState;

use crate::options::{InvalidOptions, Options};
use crate::shard::{AddError, Condition, Conflict, Outcome, Record, Shard};
use crate::stats::Stats;
use crate::sync::{Mutex, MutexGuard};
use crate::value::{Found, Value};

/// A cache that all threads share. [`open`](crate::open) gives handles to it.
#[derive(Debug)]
pub struct SharedCache {
    options: Options,
    shards: Box<[Mutex<Shard>]>,
    hasher: RandomState,
}

impl SharedCache {
    pub(crate) fn new(options: Options) -> Result<Self, InvalidOptions> {
        let (count, share) = options.divide()?;
        let shards = (0..count).map(|number| Mutex::new(Shard::new(share.clone(), number, count))).collect();
        Ok(Self { options, shards, hasher: RandomState::default() })
    }

    /// What it was opened with.
    #[must_use]
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// How many shards there are; it may be fewer than the options ask for.
    #[must_use]
    pub fn shards(&self) -> usize {
        self.shards.len()
    }

    /// No value that is stored has more bytes than these, be it compressed.
    pub(crate) fn largest(&self) -> usize {
        self.options.max_bytes / self.shards.len()
    }

    pub(crate) fn shard_of(&self, key: &[u16]) -> usize {
        self.hasher.hash_one(key) as usize & (self.shards.len() - 1)
    }

    /// The shard with a number. One in which a thread panicked may contradict itself, and is emptied: that is what a cache
    /// can always do.
    pub(crate) fn lock(&self, number: usize) -> MutexGuard<'_, Shard> {
        let mutex = &self.shards[number];
        mutex.lock().unwrap_or_else(|poisoned: PoisonError<_>| {
            let mut shard: MutexGuard<'_, Shard> = poisoned.into_inner();
            shard.clear();
            #[cfg(not(loom))]
            mutex.clear_poison();
            shard
        })
    }

    fn of(&self, key: &[u16]) -> MutexGuard<'_, Shard> {
        self.lock(self.shard_of(key))
    }

    fn all(&self) -> impl Iterator<Item = MutexGuard<'_, Shard>> {
        (0..self.shards.len()).map(|number| self.lock(number))
    }

    /// What is under `key`. Counts as a use.
    #[must_use]
    pub fn get(&self, key: &[u16], now: f64) -> Option<Found> {
        self.of(key).get(key, now)
    }

    /// What is under `key`, without counting as a use, a hit or a miss.
    #[must_use]
    pub fn peek(&self, key: &[u16], now: f64) -> Option<Found> {
        self.of(key).peek(key, now)
    }

    /// Whether something is under `key`; counts as `peek` does.
    #[must_use]
    pub fn has(&self, key: &[u16], now: f64) -> bool {
        self.of(key).has(key, now)
    }

    /// The milliseconds that are left to what is under `key`, infinite for ever.
    #[must_use]
    pub fn remaining_ttl(&self, key: &[u16], now: f64) -> Option<f64> {
        self.of(key).remaining_ttl(key, now)
    }

    /// Stores a value, and makes room for it where there is none. It has these tags and no others.
    pub fn set(&self, key: &[u16], value: Value, ttl: Option<f64>, tags: &[&[u16]], now: f64) -> Outcome {
        self.of(key).set(key, value, ttl, tags, now)
    }

    /// As `set`, if the key meets a condition.
    ///
    /// # Errors
    ///
    /// If it does not; the error tells the version that is there.
    pub fn set_if(
        &self,
        key: &[u16],
        condition: Condition,
        value: Value,
        ttl: Option<f64>,
        tags: &[&[u16]],
        now: f64,
    ) -> Result<Outcome, Conflict> {
        self.of(key).set_if(key, condition, value, ttl, tags, now)
    }

    /// Adds to the number under `key`, and returns the sum. One that is there keeps its expiry and its tags; where nothing is,
    /// it counts from 0, with a time to live and without tags.
    ///
    /// # Errors
    ///
    /// If something else than a number is there, or the key is too long to be stored.
    pub fn add(&self, key: &[u16], by: f64, ttl: Option<f64>, now: f64) -> Result<f64, AddError> {
        self.of(key).add(key, by, ttl, now)
    }

    /// Gives what is under `key` another time to live; false if nothing is. Counts as a use.
    pub fn touch(&self, key: &[u16], ttl: Option<f64>, now: f64) -> bool {
        self.of(key).touch(key, ttl, now)
    }

    /// Removes what is under `key`; false if nothing is.
    pub fn delete(&self, key: &[u16], now: f64) -> bool {
        self.of(key).delete(key, now)
    }

    /// Removes everything, one shard after another, and gives the memory back.
    pub fn clear(&self) {
        self.all().for_each(|mut shard| shard.clear());
    }

    /// Removes the entries that carry `tag`, one shard after another, and says how many that were live. What is set with the
    /// tag after the call stays.
    pub fn invalidate_tag(&self, tag: &[u16], now: f64) -> usize {
        self.all().map(|mut shard| shard.invalidate_tag(tag, now)).sum()
    }

    /// Removes what has expired, at most `limit` entries of each shard, so that no lock is held for long. Says how many.
    pub fn sweep(&self, now: f64, limit: usize) -> usize {
        self.all().map(|mut shard| shard.sweep(now, limit)).sum()
    }

    /// The keys that are live at one moment in the shard with a number, the one to be kept longest first; none where there is
    /// no such shard.
    #[must_use]
    pub fn keys_of_shard(&self, number: usize, now: f64) -> Vec<Vec<u16>> {
        if number < self.shards.len() { self.lock(number).keys(now) } else { Vec::new() }
    }

    pub(crate) fn records_of_shard(&self, number: usize, now: f64) -> Vec<Record> {
        self.lock(number).records(now)
    }

    /// What each shard holds and did.
    #[must_use]
    pub fn shard_stats(&self) -> Vec<Stats> {
        self.all().map(|shard| shard.stats()).collect()
    }

    /// The same in sum.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let mut sum = Stats::default();
        self.shard_stats().into_iter().for_each(|stats| sum += stats);
        sum
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::Arc;

    use super::*;
    use crate::flight::{Flight, Landing};

    #[test]
    fn a_shard_in_which_a_thread_panicked_is_empty_and_works() {
        let cache = Arc::new(SharedCache::new(Options::default()).expect("valid options"));
        for key in 0..1_000 {
            cache.set(&[key], Value::number(1.0), None, &[&[key % 5]], 0.0);
        }
        let (shard, stats) = (cache.shard_of(&[1]), cache.stats());
        let Flight::Lead(lead) = Flight::begin(&cache, &[1]) else { panic!("nobody else loads") };
        let Flight::Joined(joined) = Flight::begin(&cache, &[1]) else { panic!("somebody loads") };
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            let _shard = cache.lock(shard);
            panic!("this one is expected");
        }));
        assert!(panicked.is_err());
        assert_eq!(cache.get(&[1], 0.0), None);
        let lost = stats.entries - cache.stats().entries;
        assert!((1..1_000).contains(&lost), "the others are whole");
        cache.set(&[1], Value::number(2.0), None, &[], 0.0);
        assert!(cache.has(&[1], 0.0), "it is emptied once");
        let (to, landing) = std::sync::mpsc::channel();
        joined.on_landing(Box::new(move |landing| to.send(landing).expect("the test listens")));
        drop(lead);
        assert_eq!(landing.try_recv(), Ok(Landing::Abandoned), "who waits is told all the same");
    }

    #[test]
    fn versions_of_shards_differ() {
        let cache = SharedCache::new(Options::default()).expect("valid options");
        let mut versions: Vec<u64> = (0..1_000)
            .map(|key| match cache.set(&[key], Value::number(0.0), None, &[], 0.0) {
                Outcome::Stored { version } => version,
                Outcome::TooLarge => unreachable!("a number fits"),
            })
            .collect();
        versions.sort_unstable();
        versions.dedup();
        assert_eq!(versions.len(), 1_000);
    }
}
