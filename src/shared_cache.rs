//! Shared caches for JavaScript: a handle for each, in whatever thread. See lib/sharedCache/native.ts.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock};
use std::thread;
use std::time::Instant;

use keelson_shared_cache::{
    self as shared_cache, AddError, Condition, Flight, Handle, Joined, Landing, LeadTicket, NUMBER, OpenError, Options,
    Outcome, Policy, SnapshotError, Stats, Value,
};
use napi::JsValue;
use napi::bindgen_prelude::{Env, Unknown};
use napi::sys::napi_value;
use napi_derive::napi;

use crate::error::{Error, Result};
use crate::mailbox::Mailbox;
use crate::raw::{self, Args, Instance, Shared};
use crate::shared_cache_batch::with_batches;
use crate::wake::Wake;

/// Kinds of values for JavaScript, beside `NUMBER`; lib/sharedCache/native.ts repeats them. Texts are UTF-16, or Latin-1 where
/// all of their units are.
pub(crate) const LATIN: u8 = 1;
const WIDE: u8 = 2;

/// What a value is for.
const SET: u32 = 0;
const ADD: u32 = 1;
const SWAP: u32 = 2;
const LAND: u32 = 3;

/// What came of it.
const STORED: u32 = 0;
const TOO_LARGE: u32 = 1;
const REFUSED: u32 = 2;

/// What `begin` answers.
const LEAD: u32 = 0;
const WAIT: u32 = 1;

/// What `take` answers.
const NOTHING: u32 = 0;
const LOADED: u32 = 1;
const FAILED: u32 = 2;
const ABANDONED: u32 = 3;
const COMPLETE: u32 = 4;
const INCOMPLETE: u32 = 5;

/// Of the numbers that counts are.
const NUMBERS: usize = 10;

/// Something to tell JavaScript about a ticket.
struct Told {
    ticket: u32,
    kind: u32,
    number: f64,
    value: Option<Value>,
    text: String,
}

impl Told {
    fn new(ticket: u32, kind: u32) -> Self {
        Self { ticket, kind, number: 0.0, value: None, text: String::new() }
    }

    fn landing(ticket: u32, landing: Landing) -> Self {
        match landing {
            Landing::Loaded(value) => Self { value: Some(value), ..Self::new(ticket, LOADED) },
            Landing::Failed(text) => Self { text, ..Self::new(ticket, FAILED) },
            Landing::Abandoned => Self::new(ticket, ABANDONED),
        }
    }

    fn snapshot(ticket: u32, outcome: std::result::Result<u64, SnapshotError>) -> Self {
        match outcome {
            Ok(count) => Self { number: count as f64, ..Self::new(ticket, COMPLETE) },
            Err(error) => Self { text: error.to_string(), ..Self::new(ticket, INCOMPLETE) },
        }
    }
}

/// Milliseconds on a clock that all threads have in common.
pub(crate) fn now() -> f64 {
    static BEGAN: LazyLock<Instant> = LazyLock::new(Instant::now);
    BEGAN.elapsed().as_secs_f64() * 1000.0
}

pub(crate) struct State {
    /// None once it is closed.
    handle: Option<Arc<Handle>>,
    /// None likewise: it keeps its function, and so whatever that reaches, which is this too.
    wake: Option<Wake>,
    mailbox: Mailbox<Told>,
    /// Values of so many bytes or more are stored compressed.
    pub(crate) pack_from: usize,
    /// Of the next value.
    tags: Vec<Vec<u16>>,
    /// The version that the next swap expects.
    expected: u64,
    /// The ticket of the load that the next value is for.
    landing: u32,
    leads: HashMap<u32, LeadTicket>,
    joins: HashMap<u32, Joined>,
    last_ticket: u32,
    keys: Vec<Vec<u16>>,
    /// Of each shard, as they were looked at last.
    stats: Vec<Stats>,
    taken: Option<Value>,
    text: String,
    numbers: Shared<f64>,
}

impl State {
    pub(crate) fn cache(&self) -> Result<&Handle> {
        self.handle.as_deref().ok_or_else(|| Error::internal("the cache is closed"))
    }

    pub(crate) fn tell(&mut self, place: usize, number: f64) {
        if let Some(at) = self.numbers.as_mut_slice().get_mut(place) {
            *at = number;
        }
    }

    fn ticket(&mut self) -> u32 {
        self.last_ticket = self.last_ticket.wrapping_add(1);
        self.tell(0, f64::from(self.last_ticket));
        self.last_ticket
    }

    /// What JavaScript has written there.
    pub(crate) fn told(&self, place: usize) -> f64 {
        self.numbers.as_slice().get(place).copied().unwrap_or(f64::NAN)
    }

    /// The tags of the next value, which has them alone.
    pub(crate) fn take_tags(&mut self) -> Vec<Vec<u16>> {
        std::mem::take(&mut self.tags)
    }

    /// Gives JavaScript a value, and tells its kind in the place of the numbers.
    pub(crate) fn crossing<const N: usize>(
        &mut self,
        args: &Args<N>,
        place: usize,
        value: Option<&Value>,
    ) -> Result<napi_value> {
        let Some(value) = value else { return Ok(std::ptr::null_mut()) };
        self.tell(place, f64::from(value.kind));
        let bytes = value.bytes().ok_or_else(|| Error::internal("a value is not compressed as it says"))?;
        match value.kind {
            NUMBER => args.number(value.as_number().unwrap_or(f64::NAN)),
            LATIN => args.latin1(&bytes),
            WIDE => {
                let units: Vec<u16> = bytes.as_chunks().0.iter().map(|unit| u16::from_le_bytes(*unit)).collect();
                args.utf16(&units)
            }
            _ => args.buffer(&bytes),
        }
    }

    fn give<const N: usize>(&mut self, args: &Args<N>, value: Value) -> Result<u32> {
        let (value, ttl, purpose) = (value.packed_from(self.pack_from), Some(args.f64(2)?), args.u32(3)?);
        let tags = self.take_tags();
        let tags: Vec<&[u16]> = tags.iter().map(Vec::as_slice).collect();
        let expected = Condition::Version(self.expected);
        let landing = if purpose == LAND { self.leads.remove(&self.landing) } else { None };
        let cache = self.cache()?;
        args.text(0, |key| match purpose {
            SET => outcome(cache.set(key, value, ttl, &tags, now())),
            ADD => cache.set_if(key, Condition::Absent, value, ttl, &tags, now()).map_or(REFUSED, outcome),
            SWAP => cache.set_if(key, expected, value, ttl, &tags, now()).map_or(REFUSED, outcome),
            _ => {
                if let Some(ticket) = landing {
                    ticket.land(value, ttl, &tags, now());
                }
                STORED
            }
        })
    }

    fn begin(&mut self, args: &Args<1>) -> Result<u32> {
        let flight = {
            let cache = self.cache()?;
            args.text(0, |key| cache.begin(key))?
        };
        let ticket = self.ticket();
        match flight {
            Flight::Lead(lead) => {
                self.tell(1, lead.number() as f64);
                self.leads.insert(ticket, lead);
                Ok(LEAD)
            }
            Flight::Joined(joined) => {
                self.tell(1, joined.number() as f64);
                let mailbox = self.mailbox.clone();
                joined.on_landing(Box::new(move |landing| mailbox.leave(Told::landing(ticket, landing))));
                self.joins.insert(ticket, joined);
                Ok(WAIT)
            }
        }
    }

    fn forget(&mut self, ticket: u32) {
        self.leads.remove(&ticket);
        if let Some(joined) = self.joins.remove(&ticket) {
            joined.cancel();
        }
    }

    /// Has another thread work on a file. Returns a ticket.
    fn file(
        &mut self,
        args: &Args<1>,
        work: fn(&Handle, &PathBuf) -> std::result::Result<u64, SnapshotError>,
    ) -> Result<u32> {
        let path = PathBuf::from(args.text(0, String::from_utf16_lossy)?);
        let handle = self.handle.clone().ok_or_else(|| Error::internal("the cache is closed"))?;
        let (ticket, mailbox) = (self.ticket(), self.mailbox.clone());
        let spawned = thread::Builder::new().name("keelson-snapshot".to_owned()).spawn(move || {
            mailbox.leave(Told::snapshot(ticket, work(&handle, &path)));
        });
        spawned.map(|_| ticket).map_err(|error| Error::internal(format!("no thread could start: {error}")))
    }

    fn take(&mut self) -> u32 {
        let Some(Told { ticket, kind, number, value, text }) = self.mailbox.take() else { return NOTHING };
        self.joins.remove(&ticket);
        self.tell(0, f64::from(ticket));
        self.tell(1, number);
        (self.taken, self.text) = (value, text);
        kind
    }

    /// Looks at all shards at once, and tells how many there are.
    fn look(&mut self) -> Result<u32> {
        self.stats = self.cache()?.shard_stats();
        Ok(self.stats.len() as u32)
    }

    fn counts(&mut self, shard: usize) -> Result<()> {
        let stats = self.stats.get(shard).ok_or_else(|| Error::argument(format!("there is no shard {shard}")))?;
        for (place, number) in numbers(stats).into_iter().enumerate() {
            self.tell(place, number);
        }
        Ok(())
    }

    fn close(&mut self) {
        self.leads.clear();
        for (_, joined) in self.joins.drain() {
            joined.cancel();
        }
        self.handle = None;
        self.wake = None;
    }
}

fn numbers(stats: &Stats) -> [f64; NUMBERS] {
    [
        stats.entries as f64,
        stats.bytes as f64,
        stats.hits as f64,
        stats.misses as f64,
        stats.sets as f64,
        stats.deletes as f64,
        stats.evicted_by_size as f64,
        stats.evicted_by_weight as f64,
        stats.expired as f64,
        stats.rejected as f64,
    ]
}

fn outcome(outcome: Outcome) -> u32 {
    match outcome {
        Outcome::Stored { .. } => STORED,
        Outcome::TooLarge => TOO_LARGE,
    }
}

/// A text in as few bytes as it takes.
pub(crate) fn text(units: &[u16]) -> Value {
    // One pass without a branch per unit, which the compiler vectorizes.
    if units.iter().fold(0, |seen, unit| seen | unit) > 0xff {
        return Value::new(WIDE, units.iter().flat_map(|unit| unit.to_le_bytes()).collect::<Vec<u8>>());
    }
    Value::new(LATIN, units.iter().map(|unit| *unit as u8).collect::<Vec<u8>>())
}

/// Opens a cache, or one more handle on it; `options` and `numbers` are those of lib/sharedCache/native.ts. `wake` is called when
/// `take` has something.
#[napi(ts_return_type = "object")]
pub fn open_shared_cache(
    env: Env,
    name: String,
    options: Unknown,
    numbers: Unknown,
    wake: Unknown,
) -> napi::Result<raw::Object> {
    let env = env.raw();
    let given: Shared<f64> = Shared::new(env, options.raw())?;
    let &[bytes, entries, policy, shards, pack_from] = given.as_slice() else {
        return Err(Error::argument("five options are due").into());
    };
    let options = Options {
        max_bytes: bytes as usize,
        max_entries: entries as usize,
        policy: if policy == 0.0 { Policy::S3Fifo } else { Policy::Lru },
        shards: shards as usize,
    };
    let wake = Wake::new(env, wake.raw())?;
    let mailbox = Mailbox::new(wake.waker());
    let units: Vec<u16> = name.encode_utf16().collect();
    let handle = shared_cache::open(&units, options).map_err(|error| match error {
        OpenError::Conflict { option } => {
            let option = match option {
                "max_bytes" => "maxBytes",
                "max_entries" => "maxEntries",
                other => other,
            };
            Error::argument(format!("the cache '{name}' is open in this process with another \"{option}\""))
        }
        error => Error::argument(error.to_string()),
    })?;
    let state = State {
        handle: Some(Arc::new(handle)),
        wake: Some(wake),
        mailbox,
        pack_from: pack_from as usize,
        tags: Vec::new(),
        expected: 0,
        landing: 0,
        leads: HashMap::new(),
        joins: HashMap::new(),
        last_ticket: 0,
        keys: Vec::new(),
        stats: Vec::new(),
        taken: None,
        text: String::new(),
        numbers: Shared::new(env, numbers.raw())?,
    };
    Ok(with_batches(with_waits(with_looks(with_values(Instance::new(env, state)?)?)?)?)?.finish())
}

fn with_values(instance: Instance<State>) -> Result<Instance<State>> {
    instance
        .function("get", |state, args: Args<1>| {
            let cache = state.cache()?;
            let found = args.text(0, |key| cache.get(key, now()))?;
            state.crossing(&args, 0, found.map(|found| found.value).as_ref())
        })?
        .function("peek", |state, args: Args<1>| {
            let cache = state.cache()?;
            let found = args.text(0, |key| cache.peek(key, now()))?;
            state.tell(1, found.as_ref().map_or(0.0, |found| found.version as f64));
            state.crossing(&args, 0, found.map(|found| found.value).as_ref())
        })?
        .function("expect", |state, args: Args<1>| {
            state.expected = args.f64(0)? as u64;
            Ok(())
        })?
        .function("text", |state, args: Args<4>| {
            let value = args.text(1, text)?;
            state.give(&args, value)
        })?
        .function("bytes", |state, args: Args<5>| {
            let bytes = args.bytes_copy(1, 0, usize::MAX)?;
            let kind = args.u32(4)? as u8;
            state.give(&args, Value::new(kind, bytes))
        })?
        .function("number", |state, args: Args<4>| {
            let value = Value::number(args.f64(1)?);
            state.give(&args, value)
        })?
        .function("tag", |state, args: Args<1>| {
            state.tags.push(args.utf16_copy(0)?);
            Ok(())
        })?
        .function("land", |state, args: Args<1>| {
            state.landing = args.u32(0)?;
            Ok(())
        })?
        .function("increment", |state, args: Args<3>| {
            let (by, ttl, cache) = (args.f64(1)?, Some(args.f64(2)?), state.cache()?);
            match args.text(0, |key| cache.add(key, by, ttl, now()))? {
                Ok(sum) => args.number(sum),
                Err(AddError::NotANumber) => Ok(std::ptr::null_mut()),
                Err(error) => Err(Error::argument(error.to_string())),
            }
        })
}

fn with_looks(instance: Instance<State>) -> Result<Instance<State>> {
    instance
        .function("has", |state, args: Args<1>| {
            let cache = state.cache()?;
            args.text(0, |key| cache.has(key, now()))
        })?
        .function("delete", |state, args: Args<1>| {
            let cache = state.cache()?;
            args.text(0, |key| cache.delete(key, now()))
        })?
        .function("clear", |state, _: Args<0>| {
            state.cache()?.clear();
            Ok(())
        })?
        .function("touch", |state, args: Args<2>| {
            let (ttl, cache) = (Some(args.f64(1)?), state.cache()?);
            args.text(0, |key| cache.touch(key, ttl, now()))
        })?
        .function("remaining", |state, args: Args<1>| {
            let cache = state.cache()?;
            args.text(0, |key| cache.remaining_ttl(key, now()).unwrap_or(-1.0))
        })?
        .function("invalidate", |state, args: Args<1>| {
            let cache = state.cache()?;
            args.text(0, |tag| cache.invalidate_tag(tag, now()) as f64)
        })?
        .function("sweep", |state, args: Args<1>| Ok(state.cache()?.sweep(now(), args.u32(0)? as usize) as f64))?
        .function("shards", |state, _: Args<0>| Ok(state.cache()?.shards() as u32))?
        .function("keys", |state, args: Args<1>| {
            state.keys = state.cache()?.keys_of_shard(args.u32(0)? as usize, now());
            Ok(state.keys.len() as u32)
        })?
        .function("key", |state, args: Args<1>| match state.keys.get(args.u32(0)? as usize) {
            Some(key) => args.utf16(key),
            None => Ok(std::ptr::null_mut()),
        })?
        .function("look", |state, _: Args<0>| state.look())?
        .function("counts", |state, args: Args<1>| state.counts(args.u32(0)? as usize))
}

fn with_waits(instance: Instance<State>) -> Result<Instance<State>> {
    instance
        .function("begin", |state, args: Args<1>| state.begin(&args))?
        .function("fail", |state, args: Args<2>| {
            let (lead, message) = (state.leads.remove(&args.u32(0)?), args.text(1, String::from_utf16_lossy)?);
            if let Some(lead) = lead {
                lead.fail(&message);
            }
            Ok(())
        })?
        .function("forget", |state, args: Args<1>| {
            state.forget(args.u32(0)?);
            Ok(())
        })?
        .function("save", |state, args: Args<1>| {
            state.file(&args, |cache, path| Ok(shared_cache::save(cache, path, now())? as u64))
        })?
        .function("restore", |state, args: Args<1>| {
            state.file(&args, |cache, path| Ok(shared_cache::load(cache, path, now())?.stored as u64))
        })?
        .function("take", |state, _: Args<0>| Ok(state.take()))?
        .function("taken", |state, args: Args<0>| {
            let value = state.taken.take();
            state.crossing(&args, 1, value.as_ref())
        })?
        .function("message", |state, args: Args<0>| args.utf16(&state.text.encode_utf16().collect::<Vec<_>>()))?
        .function("hold", |state, args: Args<1>| {
            let hold = args.u32(0)? != 0;
            state.wake.as_ref().map_or(Ok(()), |wake| wake.hold(hold))
        })?
        .function("close", |state, _: Args<0>| {
            state.close();
            Ok(())
        })
}
