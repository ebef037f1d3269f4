//! One shard with room for all, against a map.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU16, Ordering};

use keelson_shared_cache::{AddError, Condition, Conflict, Found, Handle, NUMBER, Options, Outcome, Policy, Value};
use keelson_shared_cache::{open, read, write};
use proptest::prelude::*;

#[derive(Clone, Copy, Debug)]
enum Test {
    Absent,
    /// The version that is there.
    Present,
    /// One that is not.
    Wrong,
}

#[derive(Clone, Debug)]
enum Step {
    Get(u8),
    Peek(u8),
    Has(u8),
    Remaining(u8),
    Set(u8, u8, Option<u32>, Vec<u8>),
    SetIf(u8, Test, u8, Option<u32>, Vec<u8>),
    Add(u8, i8, Option<u32>),
    Touch(u8, Option<u32>),
    Delete(u8),
    Clear,
    Invalidate(u8),
    Sweep(usize),
    Advance(u32),
    Rewind(u32),
    /// Everything out, and in again.
    Restore,
}

fn step() -> impl Strategy<Value = Step> {
    let key = || 0_u8..12;
    let ttl = || prop_oneof![Just(None), (0_u32..200).prop_map(Some)];
    let tags = || proptest::collection::vec(0_u8..4, 0..4);
    let test = prop_oneof![Just(Test::Absent), Just(Test::Present), Just(Test::Wrong)];
    prop_oneof![
        4 => key().prop_map(Step::Get),
        1 => key().prop_map(Step::Peek),
        1 => key().prop_map(Step::Has),
        1 => key().prop_map(Step::Remaining),
        8 => (key(), any::<u8>(), ttl(), tags()).prop_map(|(key, value, ttl, tags)| Step::Set(key, value, ttl, tags)),
        4 => (key(), test, any::<u8>(), ttl(), tags())
            .prop_map(|(key, test, value, ttl, tags)| Step::SetIf(key, test, value, ttl, tags)),
        4 => (key(), any::<i8>(), ttl()).prop_map(|(key, by, ttl)| Step::Add(key, by, ttl)),
        2 => (key(), ttl()).prop_map(|(key, ttl)| Step::Touch(key, ttl)),
        2 => key().prop_map(Step::Delete),
        1 => Just(Step::Clear),
        2 => (0_u8..4).prop_map(Step::Invalidate),
        1 => (0_usize..5).prop_map(Step::Sweep),
        3 => (0_u32..100).prop_map(Step::Advance),
        1 => (0_u32..50).prop_map(Step::Rewind),
        1 => Just(Step::Restore),
    ]
}

#[derive(Clone, Debug)]
struct Kept {
    value: Value,
    version: u64,
    expires: f64,
    tags: BTreeSet<u8>,
}

/// Keys of all three ways in which core keeps texts.
fn key(key: u8) -> Vec<u16> {
    match key % 3 {
        0 => vec![u16::from(key)],
        1 => vec![u16::from(key); 40],
        _ => vec![0x3b1, u16::from(key)],
    }
}

/// A value of a length of its own, of any kind but that of numbers.
fn value(byte: u8) -> Value {
    Value::new(byte | 1, vec![byte; usize::from(byte)])
}

fn expiry(now: f64, ttl: Option<u32>) -> f64 {
    ttl.map_or(f64::INFINITY, |ttl| now + f64::from(ttl))
}

struct Play {
    handle: Handle,
    model: BTreeMap<u8, Kept>,
    now: f64,
    /// The highest version yet.
    version: u64,
    hits: u64,
    misses: u64,
}

impl Play {
    fn live(&self, key: u8) -> Option<&Kept> {
        self.model.get(&key).filter(|kept| self.now <= kept.expires)
    }

    fn found(&self, key: u8) -> Option<Found> {
        self.live(key).map(|kept| Found { value: kept.value.clone(), version: kept.version })
    }

    fn set(&mut self, name: u8, value: Value, ttl: Option<u32>, tags: &[u8], outcome: Outcome) {
        let Outcome::Stored { version } = outcome else { panic!("there is room for all") };
        assert!(version > self.version, "versions grow");
        self.version = version;
        let tags = tags.iter().copied().collect();
        self.model.insert(name, Kept { value, version, expires: expiry(self.now, ttl), tags });
    }

    fn set_if(&mut self, name: u8, test: Test, byte: u8, ttl: Option<u32>, tags: &[u8]) {
        let present = self.live(name).map(|kept| kept.version);
        let condition = match test {
            Test::Absent => Condition::Absent,
            Test::Present => Condition::Version(present.unwrap_or(1)),
            Test::Wrong => Condition::Version(self.version + 1),
        };
        let met = matches!((test, present), (Test::Absent, None) | (Test::Present, Some(_)));
        let units: Vec<Vec<u16>> = tags.iter().map(|tag| key(*tag)).collect();
        let units: Vec<&[u16]> = units.iter().map(Vec::as_slice).collect();
        let ttl_ms = ttl.map(f64::from);
        match self.handle.set_if(&key(name), condition, value(byte), ttl_ms, &units, self.now) {
            Ok(outcome) => {
                assert!(met, "{condition:?} where {present:?} is");
                self.set(name, value(byte), ttl, tags, outcome);
            }
            Err(conflict) => assert_eq!((conflict, met), (Conflict { present }, false)),
        }
    }

    fn add(&mut self, name: u8, by: f64, ttl: Option<u32>) {
        let sum = self.handle.add(&key(name), by, ttl.map(f64::from), self.now);
        let (number, fresh) = match self.live(name) {
            None => (Some(0.0), true),
            Some(kept) => (kept.value.as_number(), false),
        };
        let Some(number) = number else { return assert_eq!(sum, Err(AddError::NotANumber)) };
        assert_eq!(sum, Ok(number + by));
        let found = self.handle.peek(&key(name), self.now);
        let expires = expiry(self.now, ttl);
        if found.is_none() {
            return assert!(expires < self.now, "only what has expired is not there");
        }
        let version = found.map_or(0, |found| found.version);
        assert!(version > self.version, "versions grow");
        self.version = version;
        let before = self.model.get(&name).filter(|_| !fresh).cloned();
        let kept = before.unwrap_or(Kept { value: Value::number(0.0), version, expires, tags: BTreeSet::new() });
        self.model.insert(name, Kept { value: Value::number(number + by), version, ..kept });
    }

    fn restore(&mut self) {
        let mut bytes = Vec::new();
        let live = self.model.values().filter(|kept| self.now <= kept.expires).count();
        assert_eq!(write(&self.handle, &mut bytes, self.now).expect("memory takes all"), live);
        self.handle.clear();
        assert_eq!(read(&self.handle, &mut &*bytes, self.now).expect("whole").stored, live);
        self.model.retain(|_, kept| self.now <= kept.expires);
        for (name, kept) in &mut self.model {
            kept.version = self.handle.peek(&key(*name), self.now).expect("restored").version;
            assert!(kept.version > self.version, "a restored entry is a write");
        }
        self.version = self.model.values().map(|kept| kept.version).max().unwrap_or(self.version);
    }

    fn step(&mut self, step: Step) {
        let now = self.now;
        match step {
            Step::Get(name) => {
                let expected = self.found(name);
                let count = if expected.is_some() { &mut self.hits } else { &mut self.misses };
                *count += 1;
                assert_eq!(self.handle.get(&key(name), now), expected);
            }
            Step::Peek(name) => assert_eq!(self.handle.peek(&key(name), now), self.found(name)),
            Step::Has(name) => assert_eq!(self.handle.has(&key(name), now), self.live(name).is_some()),
            Step::Remaining(name) => {
                let expected = self.live(name).map(|kept| kept.expires - now);
                assert_eq!(self.handle.remaining_ttl(&key(name), now), expected);
            }
            Step::Set(name, byte, ttl, tags) => {
                let units: Vec<Vec<u16>> = tags.iter().map(|tag| key(*tag)).collect();
                let units: Vec<&[u16]> = units.iter().map(Vec::as_slice).collect();
                let outcome = self.handle.set(&key(name), value(byte), ttl.map(f64::from), &units, now);
                self.set(name, value(byte), ttl, &tags, outcome);
            }
            Step::SetIf(name, test, byte, ttl, tags) => self.set_if(name, test, byte, ttl, &tags),
            Step::Add(name, by, ttl) => self.add(name, f64::from(by), ttl),
            Step::Touch(name, ttl) => {
                assert_eq!(self.handle.touch(&key(name), ttl.map(f64::from), now), self.live(name).is_some());
                self.model.entry(name).and_modify(|kept| {
                    if now <= kept.expires {
                        kept.expires = expiry(now, ttl);
                    }
                });
            }
            Step::Delete(name) => {
                assert_eq!(self.handle.delete(&key(name), now), self.live(name).is_some());
                self.model.remove(&name);
            }
            Step::Clear => {
                self.handle.clear();
                self.model.clear();
            }
            Step::Invalidate(tag) => {
                let tagged = self.model.values().filter(|kept| kept.tags.contains(&tag) && now <= kept.expires).count();
                assert_eq!(self.handle.invalidate_tag(&key(tag), now), tagged);
                self.model.retain(|_, kept| !kept.tags.contains(&tag));
            }
            Step::Sweep(limit) => {
                let dead = self.handle.stats().entries - self.handle.keys_of_shard(0, now).len();
                assert_eq!(self.handle.sweep(now, limit), dead.min(limit));
            }
            Step::Advance(by) => self.now += f64::from(by),
            Step::Rewind(by) => {
                // Whether the dead were swept is nobody's business, so they are gone before a clock steps back.
                self.handle.sweep(now, usize::MAX);
                self.model.retain(|_, kept| now <= kept.expires);
                self.now -= f64::from(by);
            }
            Step::Restore => self.restore(),
        }
        self.check();
    }

    fn check(&self) {
        let mut keys = self.handle.keys_of_shard(0, self.now);
        keys.sort();
        let live = self.model.iter().filter(|(_, kept)| self.now <= kept.expires);
        let mut expected: Vec<Vec<u16>> = live.map(|(name, _)| key(*name)).collect();
        expected.sort();
        assert_eq!(keys, expected);
        let stats = self.handle.stats();
        assert_eq!((stats.hits, stats.misses), (self.hits, self.misses));
        assert_eq!((stats.evicted_by_size, stats.evicted_by_weight, stats.rejected), (0, 0, 0));
        // What came is here, was replaced, or left.
        assert!(stats.sets >= stats.entries as u64 + stats.deletes + stats.expired);
    }
}

static NAMES: AtomicU16 = AtomicU16::new(0);

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn follows_the_model(steps in proptest::collection::vec(step(), 1..150), s3_fifo in any::<bool>()) {
        let policy = if s3_fifo { Policy::S3Fifo } else { Policy::Lru };
        let name = [NAMES.fetch_add(1, Ordering::Relaxed)];
        let handle = open(&name, Options { shards: 1, policy, ..Options::default() }).expect("valid options");
        let mut play = Play { handle, model: BTreeMap::new(), now: 1_000_000.0, version: 0, hits: 0, misses: 0 };
        for step in steps {
            play.step(step);
        }
    }
}

#[test]
fn what_looks_like_a_number_counts() {
    let handle = open(&key(200), Options::default()).expect("valid options");
    handle.set(&[1], Value::new(NUMBER, 2.5_f64.to_le_bytes()), None, &[], 0.0);
    assert_eq!(handle.add(&[1], -1.0, None, 0.0), Ok(1.5));
    handle.set(&[1], Value::new(NUMBER, [0; 7]), None, &[], 0.0);
    assert_eq!(handle.add(&[1], 1.0, None, 0.0), Err(AddError::NotANumber), "seven bytes are no number");
}

#[test]
fn a_counter_keeps_its_expiry_and_a_time_that_is_no_number_is_none() {
    let handle = open(&key(201), Options::default()).expect("valid options");
    assert_eq!(handle.add(&[1], 1.0, Some(10.0), 0.0), Ok(1.0));
    assert_eq!(handle.add(&[1], 1.0, None, 4.0), Ok(2.0));
    assert_eq!(handle.remaining_ttl(&[1], 4.0), Some(6.0));
    for ttl in [f64::NAN, -5.0] {
        assert!(handle.touch(&[1], Some(ttl), 4.0));
        assert_eq!(handle.remaining_ttl(&[1], 4.0), Some(0.0));
    }
    assert_eq!(handle.get(&[1], 5.0), None);
}
