//! A shared cache with room for all against a map: whatever the operations, and however the clock goes on, the two hold the same
//! values, versions, times and tags, and a snapshot brings all of it back.

#![no_main]

use std::collections::BTreeMap;

use arbitrary::Arbitrary;
use keelson_shared_cache::{AddError, Condition, Conflict, Handle, Options, Outcome, Policy, Value, open, read, write};
use libfuzzer_sys::fuzz_target;

/// Few keys, so that they meet again; long and wide ones among them.
#[derive(Arbitrary, Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Name(u8);

impl Name {
    fn units(self) -> Vec<u16> {
        let length = [1, 22, 23, 300][usize::from(self.number() >> 1)];
        let unit = if self.number() & 1 == 0 { 0x61 } else { 0xd800 };
        vec![unit; length]
    }

    /// What tells names apart.
    fn number(self) -> u8 {
        self.0 % 8
    }
}

#[derive(Arbitrary, Debug)]
struct Content {
    kind: u8,
    byte: u8,
    length: u16,
    is_packed: bool,
}

impl Content {
    fn value(&self) -> Value {
        let value = Value::new(self.kind, vec![self.byte; usize::from(self.length)]);
        if self.is_packed { value.packed_from(1) } else { value }
    }
}

#[derive(Arbitrary, Debug)]
struct Write {
    key: Name,
    content: Content,
    ttl: Option<u16>,
    tags: [Option<Name>; 3],
}

#[derive(Arbitrary, Debug)]
enum Step {
    Get(Name),
    Set(Write),
    SetIfAbsent(Write),
    /// On the condition that the version is that of what is there, or another.
    Swap(Write, bool),
    Add(Name, i8, Option<u16>),
    Touch(Name, Option<u16>),
    Delete(Name),
    Invalidate(Name),
    Sweep(u8),
    Advance(u16),
    Clear,
    Restore,
}

#[derive(Debug)]
struct Kept {
    value: Value,
    version: u64,
    expires: f64,
    tags: Vec<u8>,
}

struct Play {
    handle: Handle,
    model: BTreeMap<u8, Kept>,
    now: f64,
}

fn expiry(now: f64, ttl: Option<u16>) -> f64 {
    ttl.map_or(f64::INFINITY, |ttl| now + f64::from(ttl))
}

impl Play {
    fn live(&self, key: Name) -> Option<&Kept> {
        self.model.get(&key.number()).filter(|kept| self.now <= kept.expires)
    }

    fn store(&mut self, write: &Write, condition: Option<Condition>) {
        let units: Vec<Vec<u16>> = write.tags.iter().flatten().map(|tag| tag.units()).collect();
        let tags: Vec<&[u16]> = units.iter().map(Vec::as_slice).collect();
        let (key, value, ttl) = (write.key.units(), write.content.value(), write.ttl.map(f64::from));
        let present = self.live(write.key).map(|kept| kept.version);
        let outcome = match condition {
            None => Ok(self.handle.set(&key, value.clone(), ttl, &tags, self.now)),
            Some(condition) => self.handle.set_if(&key, condition, value.clone(), ttl, &tags, self.now),
        };
        let met = match condition {
            None => true,
            Some(Condition::Absent) => present.is_none(),
            Some(Condition::Version(version)) => present == Some(version),
        };
        match outcome {
            Ok(Outcome::Stored { version }) => {
                assert!(met, "{condition:?} where {present:?} is");
                let tags = write.tags.iter().flatten().map(|tag| tag.number()).collect();
                self.model
                    .insert(write.key.number(), Kept { value, version, expires: expiry(self.now, write.ttl), tags });
            }
            Ok(Outcome::TooLarge) => unreachable!("there is room for all"),
            Err(conflict) => assert_eq!((conflict, met), (Conflict { present }, false)),
        }
    }

    fn add(&mut self, key: Name, by: f64, ttl: Option<u16>) {
        let sum = self.handle.add(&key.units(), by, ttl.map(f64::from), self.now);
        let number = self.live(key).map_or(Some(0.0), |kept| kept.value.as_number());
        let Some(number) = number else { return assert_eq!(sum, Err(AddError::NotANumber)) };
        let value = Value::number(number + by);
        let told = sum.map(Value::number);
        assert_eq!(told.as_ref(), Ok(&value), "the bits of a number too");
        let version = self.handle.peek(&key.units(), self.now).expect("it is there").version;
        let fresh = Kept { value: value.clone(), version, expires: expiry(self.now, ttl), tags: Vec::new() };
        if self.live(key).is_none() {
            self.model.insert(key.number(), fresh);
        } else {
            self.model.entry(key.number()).and_modify(|kept| (kept.value, kept.version) = (value, version));
        }
    }

    fn restore(&mut self) {
        let mut bytes = Vec::new();
        self.model.retain(|_, kept| self.now <= kept.expires);
        assert_eq!(write(&self.handle, &mut bytes, self.now).expect("memory takes all"), self.model.len());
        self.handle.clear();
        assert_eq!(read(&self.handle, &mut &*bytes, self.now).expect("whole").stored, self.model.len());
        for (number, kept) in &mut self.model {
            kept.version = self.handle.peek(&Name(*number).units(), self.now).expect("restored").version;
        }
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Get(key) => assert_eq!(self.handle.get(&key.units(), self.now).is_some(), self.live(key).is_some()),
            Step::Set(write) => self.store(&write, None),
            Step::SetIfAbsent(write) => self.store(&write, Some(Condition::Absent)),
            Step::Swap(write, is_right) => {
                let version = self.live(write.key).map_or(u64::MAX, |kept| kept.version);
                self.store(&write, Some(Condition::Version(if is_right { version } else { version ^ 1 })));
            }
            Step::Add(key, by, ttl) => self.add(key, f64::from(by), ttl),
            Step::Touch(key, ttl) => {
                assert_eq!(self.handle.touch(&key.units(), ttl.map(f64::from), self.now), self.live(key).is_some());
                let now = self.now;
                let live = self.model.get_mut(&key.number()).filter(|kept| now <= kept.expires);
                live.into_iter().for_each(|kept| kept.expires = expiry(now, ttl));
            }
            Step::Delete(key) => {
                assert_eq!(self.handle.delete(&key.units(), self.now), self.live(key).is_some());
                self.model.remove(&key.number());
            }
            Step::Invalidate(tag) => {
                let carries = |kept: &Kept| kept.tags.contains(&tag.number());
                let count = self.model.values().filter(|kept| carries(kept) && self.now <= kept.expires).count();
                assert_eq!(self.handle.invalidate_tag(&tag.units(), self.now), count);
                self.model.retain(|_, kept| !carries(kept));
            }
            Step::Sweep(limit) => assert!(self.handle.sweep(self.now, usize::from(limit)) <= usize::from(limit)),
            Step::Advance(by) => self.now += f64::from(by),
            Step::Clear => {
                self.handle.clear();
                self.model.clear();
            }
            Step::Restore => self.restore(),
        }
    }

    /// Looks at each key, without a trace.
    fn check(&self) {
        for number in 0..8 {
            let key = Name(number);
            let found = self.handle.peek(&key.units(), self.now);
            let kept = self.live(key);
            assert_eq!(found.as_ref().map(|found| found.version), kept.map(|kept| kept.version));
            assert_eq!(found.as_ref().map(|found| &found.value), kept.map(|kept| &kept.value));
            let remaining = self.handle.remaining_ttl(&key.units(), self.now);
            assert_eq!(remaining, kept.map(|kept| kept.expires - self.now));
        }
        let keys: usize = (0..self.handle.shards()).map(|shard| self.handle.keys_of_shard(shard, self.now).len()).sum();
        assert_eq!(keys, self.model.values().filter(|kept| self.now <= kept.expires).count());
    }
}

fuzz_target!(|plan: (bool, bool, Vec<Step>)| {
    let (is_lru, is_divided, steps) = plan;
    let policy = if is_lru { Policy::Lru } else { Policy::S3Fifo };
    let options = Options { policy, shards: if is_divided { 4 } else { 1 }, ..Options::default() };
    let handle = open(&[1], options).expect("valid options");
    let mut play = Play { handle, model: BTreeMap::new(), now: 1e6 };
    for step in steps {
        play.step(step);
        play.check();
    }
});
