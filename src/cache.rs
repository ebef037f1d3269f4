//! The binding of the bounded cache. Numbers cross in shared arrays, whose layout `lib/cache/native.ts` repeats.

use std::time::Instant;

use keelson_core::cache::{Cache, Entry, Inserted, Options, Policy, Reason, Text, Units, Watch};
use napi::JsValue;
use napi::bindgen_prelude::{Env, Unknown};
use napi_derive::napi;

use crate::error::{Error, Result};
use crate::raw::{self, Args, Instance, Shared};

// Indices of the shared doubles.
const NOW: usize = 0;
const EXPIRES: usize = 1;
const GRACE: usize = 2;
const WEIGHT: usize = 3;
const NEXT_EXPIRY: usize = 4;
const TOTAL_WEIGHT: usize = 5;
// Indices of the shared integers.
const NOTES: usize = 0;
const FREED: usize = 1;
const LENGTH: usize = 2;
const REPLACED: usize = 3;
const SLOT: usize = 4;
const STALE: usize = 5;

/// What left the cache during a call, on its way to JavaScript in portions of the shared array's size.
struct Outbox {
    freed: Vec<(i32, i32)>,
    /// The keys of `freed`, where somebody wants to hear them.
    keys: Option<Vec<Text>>,
    told: usize,
    portion: Shared<i32>,
    front_slots: Shared<i32>,
    front_expires: Shared<f64>,
}

impl Watch for Outbox {
    fn freed(&mut self, slot: u32, mark: u16, key: Text, reason: Reason) {
        // A mark may be out of date, its place in the front taken by another slot.
        if mark != 0 && self.front_slots.as_slice()[usize::from(mark) - 1] == slot as i32 {
            self.front_slots.as_mut_slice()[usize::from(mark) - 1] = -1;
        }
        self.freed.push((slot as i32, reason as i32));
        if let Some(keys) = &mut self.keys {
            keys.push(key);
        }
    }

    fn rescheduled(&mut self, slot: u32, mark: u16, expires: f64) {
        if self.front_slots.as_slice()[usize::from(mark) - 1] == slot as i32 {
            self.front_expires.as_mut_slice()[usize::from(mark) - 1] = expires;
        }
    }
}

impl Outbox {
    fn reset(&mut self) {
        self.freed.clear();
        self.told = 0;
        if let Some(keys) = &mut self.keys {
            keys.clear();
        }
    }

    /// Copies the next portion, and returns its length.
    fn tell(&mut self) -> usize {
        let portion = self.portion.as_mut_slice();
        let count = (self.freed.len() - self.told).min(portion.len() / 2);
        for (pair, (slot, reason)) in portion.chunks_exact_mut(2).zip(&self.freed[self.told..]) {
            (pair[0], pair[1]) = (*slot, *reason);
        }
        count
    }
}

struct State {
    cache: Cache,
    outbox: Outbox,
    doubles: Shared<f64>,
    integers: Shared<i32>,
    notes: Shared<i32>,
    /// The key that `find` missed last: most often the next to be inserted.
    missed: Vec<u16>,
    lap: Instant,
}

impl State {
    fn double(&self, index: usize) -> f64 {
        self.doubles.as_slice()[index]
    }

    fn entry(&self) -> Entry {
        Entry { expires: self.double(EXPIRES), grace: self.double(GRACE), weight: self.double(WEIGHT) }
    }

    /// Applies what JavaScript noted, in its order: a use as its slot, a mark as the complement of its place
    /// after the slot that it is for.
    fn apply_notes(&mut self) {
        let count = self.integers.as_slice()[NOTES].max(0) as usize;
        if count == 0 {
            return;
        }
        self.integers.as_mut_slice()[NOTES] = 0;
        let notes = self.notes.as_slice();
        self.cache.note(&notes[..count.min(notes.len())]);
    }

    /// Notes a use as JavaScript does. In a batch they cost less than one by one: see `Cache::note`.
    fn note_use(&mut self, slot: u32) {
        let count = self.integers.as_slice()[NOTES].max(0) as usize;
        let notes = self.notes.as_mut_slice();
        if let Some(note) = notes.get_mut(count) {
            *note = slot as i32;
        }
        let full = count + 1 >= notes.len();
        self.integers.as_mut_slice()[NOTES] = count as i32 + 1;
        if full {
            self.apply_notes();
        }
    }

    /// Runs a change of the cache, and writes what came of it where JavaScript reads it.
    fn change<R>(&mut self, body: impl FnOnce(&mut Cache, f64, Entry, &mut Outbox) -> R) -> R {
        self.apply_notes();
        self.outbox.reset();
        let (now, entry) = (self.double(NOW), self.entry());
        let result = body(&mut self.cache, now, entry, &mut self.outbox);
        let freed = self.outbox.tell();
        let integers = self.integers.as_mut_slice();
        integers[FREED] = freed as i32;
        integers[LENGTH] = self.cache.len() as i32;
        integers[STALE] = self.cache.stale() as i32;
        let doubles = self.doubles.as_mut_slice();
        doubles[NEXT_EXPIRY] = self.cache.next_expiry();
        doubles[TOTAL_WEIGHT] = self.cache.weight();
        result
    }

    /// Tells the slot of an insertion, or -1 for an entry that can never fit. In memory, since making a
    /// number for JavaScript costs a call.
    fn inserted(&mut self, outcome: Inserted) {
        self.integers.as_mut_slice()[REPLACED] = i32::from(matches!(outcome, Inserted::Replaced(_)));
        self.integers.as_mut_slice()[SLOT] = match outcome {
            Inserted::New(slot) | Inserted::Replaced(slot) => slot as i32,
            Inserted::TooHeavy => -1,
        };
    }

    /// Tells the slot and the expiry of what was found, or -1.
    fn found(&mut self, slot: Option<u32>) {
        self.integers.as_mut_slice()[SLOT] = slot.map_or(-1, |slot| slot as i32);
        if let Some(slot) = slot {
            self.doubles.as_mut_slice()[EXPIRES] = self.cache.expires(slot);
        }
    }

    fn used<const N: usize>(&self, args: &Args<N>) -> Result<u32> {
        let slot = args.u32(0)?;
        if self.cache.is_used(slot) { Ok(slot) } else { Err(Error::internal(format!("slot {slot} is free"))) }
    }
}

fn text_value<const N: usize>(args: &Args<N>, text: &Text) -> Result<napi::sys::napi_value> {
    match text.units() {
        Units::Latin(units) => args.latin1(units),
        Units::Wide(units) => args.utf16(units),
        Units::None => Ok(std::ptr::null_mut()),
    }
}

/// Makes the index of a `BoundedLRUCache` over the facade's arrays: see lib/cache/native.ts.
#[napi(ts_return_type = "object")]
pub fn create_cache(
    env: Env,
    max_size: f64,
    max_weight: f64,
    s3_fifo: bool,
    keep_keys: bool,
    memory: Vec<Unknown>,
) -> napi::Result<raw::Object> {
    let env = env.raw();
    let [doubles, integers, notes, portion, front_slots, front_expires] = memory.as_slice() else {
        return Err(Error::argument("six shared arrays are due").into());
    };
    let policy = if s3_fifo { Policy::S3Fifo } else { Policy::Lru };
    let state = State {
        cache: Cache::new(Options { max_size: max_size as usize, max_weight, policy }),
        outbox: Outbox {
            freed: Vec::new(),
            keys: keep_keys.then(Vec::new),
            told: 0,
            portion: Shared::new(env, portion.raw())?,
            front_slots: Shared::new(env, front_slots.raw())?,
            front_expires: Shared::new(env, front_expires.raw())?,
        },
        doubles: Shared::new(env, doubles.raw())?,
        integers: Shared::new(env, integers.raw())?,
        notes: Shared::new(env, notes.raw())?,
        missed: Vec::new(),
        lap: Instant::now(),
    };
    Ok(with_changes(with_reads(Instance::new(env, state)?)?)?.finish())
}

fn with_reads(instance: Instance<State>) -> Result<Instance<State>> {
    instance
        .function("find", |state, args: Args<1>| {
            let slot = args.text(0, |key| {
                let slot = state.cache.find(key);
                if slot.is_none() {
                    state.missed.clear();
                    state.missed.extend_from_slice(key);
                }
                slot
            })?;
            if let Some(slot) = slot {
                state.note_use(slot);
            }
            state.found(slot);
            Ok(())
        })?
        .function("locate", |state, args: Args<1>| {
            let slot = args.text(0, |key| state.cache.find(key))?;
            state.found(slot);
            Ok(())
        })?
        .function("expiresAt", |state, args: Args<1>| Ok(state.cache.expires(state.used(&args)?)))?
        .function("graceAt", |state, args: Args<1>| Ok(state.cache.grace(state.used(&args)?)))?
        .function("keyAt", |state, args: Args<1>| text_value(&args, state.cache.text(state.used(&args)?)))?
        .function("freedKey", |state, args: Args<1>| {
            let index = state.outbox.told + args.u32(0)? as usize;
            match state.outbox.keys.as_ref().and_then(|keys| keys.get(index)) {
                Some(key) => text_value(&args, key),
                None => Ok(std::ptr::null_mut()),
            }
        })?
        .function("nextFreed", |state, _: Args<0>| {
            state.outbox.told += state.integers.as_slice()[FREED].max(0) as usize;
            let freed = state.outbox.tell();
            state.integers.as_mut_slice()[FREED] = freed as i32;
            Ok(())
        })?
        .function("slots", |state, args: Args<2>| {
            state.apply_notes();
            let (mut out, now) = (args.shared::<i32>(1)?, state.double(NOW));
            let slots = if args.u32(0)? == 0 { state.cache.by_insertion(now) } else { state.cache.by_recency(now) };
            for (to, slot) in out.as_mut_slice().iter_mut().zip(&slots) {
                *to = *slot as i32;
            }
            Ok(slots.len() as u32)
        })?
        .function("lap", |state, _: Args<0>| {
            let now = Instant::now();
            let nanoseconds = now.duration_since(state.lap).as_nanos().min(i32::MAX as u128);
            state.lap = now;
            Ok(nanoseconds as i32)
        })
}

fn with_changes(instance: Instance<State>) -> Result<Instance<State>> {
    instance
        .function("flush", |state, _: Args<0>| {
            state.apply_notes();
            Ok(())
        })?
        .function("insert", |state, args: Args<1>| {
            let outcome =
                args.text(0, |key| state.change(|cache, now, entry, out| cache.insert(key, now, entry, out)))?;
            state.inserted(outcome);
            Ok(())
        })?
        .function("insertMissed", |state, _: Args<0>| {
            let key = std::mem::take(&mut state.missed);
            let outcome = state.change(|cache, now, entry, out| cache.insert(&key, now, entry, out));
            state.missed = key;
            state.inserted(outcome);
            Ok(())
        })?
        .function("insertForeign", |state, _: Args<0>| {
            let outcome = state.change(Cache::insert_foreign);
            state.inserted(outcome);
            Ok(())
        })?
        .function("update", |state, args: Args<1>| {
            let slot = state.used(&args)?;
            let outcome = state.change(|cache, now, entry, out| cache.update(slot, now, entry, out));
            state.inserted(outcome);
            Ok(())
        })?
        .function("renew", |state, args: Args<1>| {
            let slot = state.used(&args)?;
            state.change(|cache, _, entry, out| cache.renew(slot, entry.expires, out));
            Ok(())
        })?
        .function("remove", |state, args: Args<1>| {
            let slot = state.used(&args)?;
            state.change(|cache, now, _, out| cache.take(slot, now, out));
            Ok(())
        })?
        .function("expire", |state, args: Args<1>| {
            let slot = state.used(&args)?;
            Ok(state.change(|cache, now, _, out| cache.expire(slot, now, out)))
        })?
        .function("sweep", |state, args: Args<1>| {
            let limit = args.u32(0)? as usize;
            Ok(state.change(|cache, now, _, out| cache.sweep(now, limit, out)) as u32)
        })?
        .function("shrink", |state, args: Args<1>| {
            let length = args.u32(0)? as usize;
            Ok(state.change(|cache, now, _, out| cache.shrink(length, now, out)) as u32)
        })?
        .function("clear", |state, _: Args<0>| {
            state.change(|cache, _, _, _| cache.clear());
            Ok(())
        })
}
