//! The cache's index against a vector in the order of use: whatever the operations, the two agree on every
//! hit, the bounds hold, and `validate` finds nothing to object to.

#![no_main]

use arbitrary::Arbitrary;
use keelson_core::cache::{Cache, Entry, Inserted, Options, Policy, Reason, Text, Watch};
use libfuzzer_sys::fuzz_target;

#[derive(Arbitrary, Debug)]
enum Step {
    Insert { key: Key, ttl: Option<u32>, grace: u16, weight: u8 },
    InsertForeign { ttl: Option<u32>, weight: u8 },
    Get(Key),
    Remove(Key),
    Advance(u32),
    Rewind(u16),
    Sweep(u8),
    Shrink(u8),
    Clear,
}

/// Few keys, so that they meet again; long and wide ones among them.
#[derive(Arbitrary, Debug, Clone, Copy)]
struct Key(u8);

impl Key {
    fn units(self) -> Vec<u16> {
        let length = [0, 1, 21, 22, 23, 300][usize::from(self.0 >> 3) % 6];
        let unit = if self.0 & 1 == 0 { 0x61 } else { 0xd800 };
        let mut units = vec![unit; length];
        units.push(u16::from(self.0));
        units
    }
}

#[derive(Arbitrary, Debug)]
struct Plan {
    max_size: u8,
    max_weight: Option<u8>,
    s3_fifo: bool,
    steps: Vec<Step>,
}

/// The keys stored, by slot, as the reports of the index have them.
#[derive(Default)]
struct Owner {
    freed: Vec<(u32, Text)>,
}

impl Watch for Owner {
    fn freed(&mut self, slot: u32, _mark: u16, key: Text, _reason: Reason) {
        self.freed.push((slot, key));
    }

    fn rescheduled(&mut self, _slot: u32, _mark: u16, _expires: f64) {}
}

/// Slots in use and the keys they hold (`None` for a foreign one), least recently used first.
struct Model(Vec<(u32, Option<Vec<u16>>)>);

impl Model {
    fn settle(&mut self, owner: &mut Owner) {
        for (slot, key) in owner.freed.drain(..) {
            let at = self.0.iter().position(|(used, _)| *used == slot).expect("only used slots are freed");
            assert_eq!(self.0.remove(at).1, key.to_units(), "a freed slot reports its key");
        }
    }

    fn store(&mut self, inserted: Inserted, key: Option<Vec<u16>>) {
        match inserted {
            Inserted::New(slot) => self.0.push((slot, key)),
            Inserted::Replaced(slot) => self.touch(slot),
            Inserted::TooHeavy => assert!(key.is_none() || self.find(&key).is_none()),
        }
    }

    fn touch(&mut self, slot: u32) {
        let at = self.0.iter().position(|(used, _)| *used == slot).expect("only used slots are touched");
        let entry = self.0.remove(at);
        self.0.push(entry);
    }

    fn find(&self, key: &Option<Vec<u16>>) -> Option<u32> {
        self.0.iter().find(|(_, own)| own == key).map(|(slot, _)| *slot)
    }
}

fuzz_target!(|plan: Plan| {
    let mut cache = Cache::new(Options {
        max_size: usize::from(plan.max_size),
        max_weight: plan.max_weight.map_or(f64::INFINITY, |weight| f64::from(weight) + 1.0),
        policy: if plan.s3_fifo { Policy::S3Fifo } else { Policy::Lru },
    });
    let (mut now, mut owner, mut model) = (1e6, Owner::default(), Model(Vec::new()));
    for step in plan.steps {
        run(step, &mut now, &mut cache, &mut owner, &mut model);
        cache.validate();
        assert_eq!(cache.len(), model.0.len());
        if !plan.s3_fifo {
            let order: Vec<u32> = cache.by_recency(f64::NEG_INFINITY);
            assert!(order.iter().rev().eq(model.0.iter().map(|(slot, _)| slot)), "recency is exact");
        }
    }
});

fn run(step: Step, now: &mut f64, cache: &mut Cache, owner: &mut Owner, model: &mut Model) {
    let entry = |ttl: Option<u32>, grace: u16, weight: u8| Entry {
        expires: ttl.map_or(f64::INFINITY, |ttl| *now + f64::from(ttl)),
        grace: f64::from(grace),
        weight: f64::from(weight),
    };
    match step {
        Step::Insert { key, ttl, grace, weight } => {
            let inserted = cache.insert(&key.units(), *now, entry(ttl, grace, weight), owner);
            model.settle(owner);
            model.store(inserted, Some(key.units()));
        }
        Step::InsertForeign { ttl, weight } => {
            let inserted = cache.insert_foreign(*now, entry(ttl, 0, weight), owner);
            model.settle(owner);
            model.store(inserted, None);
        }
        Step::Get(key) => {
            let found = cache.find(&key.units());
            assert_eq!(found, model.find(&Some(key.units())), "a hit is a hit");
            if let Some(slot) = found {
                cache.touch(slot);
                model.touch(slot);
            }
        }
        Step::Remove(key) => {
            if let Some(slot) = cache.find(&key.units()) {
                cache.remove(slot, Reason::Deleted, owner);
            }
            model.settle(owner);
        }
        Step::Advance(by) => *now += f64::from(by),
        Step::Rewind(by) => *now -= f64::from(by),
        Step::Sweep(limit) => {
            cache.sweep(*now, usize::from(limit), owner);
            model.settle(owner);
        }
        Step::Shrink(length) => {
            cache.shrink(usize::from(length), *now, owner);
            model.settle(owner);
            assert!(cache.len() <= usize::from(length));
        }
        Step::Clear => {
            cache.clear();
            model.0.clear();
        }
    }
}
