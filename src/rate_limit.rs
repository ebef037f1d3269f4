//! Limits in memory for JavaScript. Numbers cross in a shared array, whose places lib/rateLimiter/native.ts repeats.

use keelson_core::rate_limit::store::MemoryLimiter;
use keelson_core::rate_limit::{Algorithm, Limit, LimitError, Op, ROW};
use napi::JsValue;
use napi::bindgen_prelude::{Env, Unknown};
use napi_derive::napi;

use crate::error::{Error, Result};
use crate::raw::{self, Args, Instance, Shared};

/// Numbers of a limit.
const LIMIT: usize = 4;

/// Numbers of a question, behind those of its answer: operation, amount, extra, time.
const QUESTION: usize = 4;

struct Memory {
    limiter: MemoryLimiter,
    numbers: Shared<f64>,
}

impl Memory {
    /// Answers what the array asks about `key`, in the array.
    fn apply(&mut self, key: &[u16]) {
        let Some((answer, question)) = self.numbers.as_mut_slice().split_first_chunk_mut::<ROW>() else { return };
        let Some(&[op, amount, extra, now]) = question.first_chunk::<QUESTION>() else { return };
        let op = Op::from_number(op as u8).unwrap_or(Op::Peek);
        *answer = self.limiter.apply(op, key, amount, extra, now).numbers();
    }

    fn stats(&mut self) {
        let stats = self.limiter.stats();
        let counts = [stats.size, stats.blocked, stats.hits, stats.misses, stats.evictions, stats.expirations];
        for (to, count) in self.numbers.as_mut_slice().iter_mut().zip(counts) {
            *to = count as f64;
        }
    }
}

/// Limits, four numbers each: algorithm, window, quota, burst.
pub(crate) fn limits(numbers: &[f64]) -> Result<Vec<Limit>> {
    numbers.chunks_exact(LIMIT).map(limit).collect()
}

fn limit(numbers: &[f64]) -> Result<Limit> {
    let algorithm = Algorithm::from_number(numbers[0] as u8);
    let algorithm = algorithm.ok_or_else(|| Error::argument(format!("no algorithm has the number {}", numbers[0])))?;
    Ok(Limit { algorithm, window: numbers[1] as i64, quota: numbers[2] as i64, burst: numbers[3] as i64 })
}

/// The facade checks limits before it hands them on.
pub(crate) fn bad_limit(error: LimitError) -> Error {
    Error::argument(error.to_string())
}

/// Makes a limiter in memory over the facade's array: see lib/rateLimiter/native.ts. Options: keys at most, for how
/// many microseconds a denial blocks, then the limits.
#[napi(ts_return_type = "object")]
pub fn create_rate_limiter(env: Env, options: Unknown, numbers: Unknown) -> napi::Result<raw::Object> {
    let env = env.raw();
    let options: Shared<f64> = Shared::new(env, options.raw())?;
    let [max_keys, block, limits @ ..] = options.as_slice() else {
        return Err(Error::argument("a limiter without options").into());
    };
    let limiter = MemoryLimiter::new(&self::limits(limits)?, *block as i64, *max_keys as usize).map_err(bad_limit)?;
    let memory = Memory { limiter, numbers: Shared::new(env, numbers.raw())? };
    let instance = Instance::new(env, memory)?
        .function("apply", |memory, args: Args<1>| args.text(0, |key| memory.apply(key)))?
        .function("stats", |memory, _: Args<0>| {
            memory.stats();
            Ok(())
        })?
        .function("due", |memory, _: Args<0>| Ok(memory.limiter.due()))?
        .function(
            "sweep",
            |memory, args: Args<2>| Ok(memory.limiter.sweep(args.f64(0)?, args.u32(1)? as usize) as u32),
        )?
        .function("clear", |memory, _: Args<0>| {
            memory.limiter.clear();
            Ok(())
        })?;
    Ok(instance.finish())
}
