//! Many keys of a shared cache in one call: joined, as one text is read faster than many. Values come and go as arguments,
//! since a list costs a call for each that it has. See lib/sharedCache/batches.ts.

use keelson_shared_cache::{NUMBER, Outcome, Value};
use napi::sys::napi_value;

use crate::error::{Error, Result};
use crate::raw::{Args, Instance};
use crate::shared_cache::{LATIN, State, now, text};

/// The most keys of a call. The numbers have as many kinds of values, and then the lengths of the keys.
const BATCH: usize = 64;

/// Arguments before the values that are to be stored.
const BEFORE: usize = 3;
const SETS: usize = BEFORE + BATCH;

pub(crate) fn with_batches(instance: Instance<State>) -> Result<Instance<State>> {
    instance.function("getMany", get_many)?.function("setMany", set_many)
}

/// Keys that were joined, the next one from a unit on.
struct Keys(Vec<u16>, usize);

impl Keys {
    fn next(&mut self, length: f64) -> Result<&[u16]> {
        let start = self.1;
        self.1 = start.saturating_add(length as usize);
        self.0.get(start..self.1).ok_or_else(|| Error::internal("joined keys are shorter than each of them"))
    }
}

fn get_many(state: &mut State, args: Args<3>) -> Result<napi_value> {
    let (count, mut keys, now) = ((args.u32(1)? as usize).min(BATCH), Keys(args.utf16_copy(2)?, 0), now());
    let mut values = [std::ptr::null_mut(); BATCH];
    for (index, to) in values[..count].iter_mut().enumerate() {
        let found = state.cache()?.get(keys.next(state.told(BATCH + index))?, now);
        *to = state.crossing(&args, index, found.map(|found| found.value).as_ref())?;
    }
    args.call(0, &mut values[..count])
}

fn set_many(state: &mut State, args: Args<SETS>) -> Result<u32> {
    let (count, ttl) = ((args.u32(0)? as usize).min(BATCH), Some(args.f64(1)?));
    let (mut keys, now) = (Keys(args.utf16_copy(2)?, 0), now());
    let tags = state.take_tags();
    let tags: Vec<&[u16]> = tags.iter().map(Vec::as_slice).collect();
    let mut stored = 0;
    for index in 0..count {
        let value = value(&args, BEFORE + index, state.told(index) as u8)?.packed_from(state.pack_from);
        let outcome = state.cache()?.set(keys.next(state.told(BATCH + index))?, value, ttl, &tags, now);
        stored += u32::from(matches!(outcome, Outcome::Stored { .. }));
    }
    Ok(stored)
}

fn value(args: &Args<SETS>, index: usize, kind: u8) -> Result<Value> {
    match kind {
        NUMBER => Ok(Value::number(args.f64(index)?)),
        LATIN => args.text(index, text),
        _ => Ok(Value::new(kind, args.bytes_copy(index, 0, usize::MAX)?)),
    }
}
