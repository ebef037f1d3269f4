//! The calls that checks need, for a client of Redis that the user brings: see lib/redis/plan.ts.

use keelson_core::rate_limit::ROW;
use keelson_core::rate_limit::script::{Grouping, ScriptCall};
use keelson_redis::Call;
use napi::JsValue;
use napi::bindgen_prelude::{Env, Unknown};
use napi_derive::napi;

use crate::error::{Error, Result};
use crate::rate_limit_batch::{ASK, Asks, Limiter};
use crate::raw::{self, Args, Instance, Shared};

struct Planner {
    limiter: Limiter,
    calls: Vec<ScriptCall>,
    /// The keys and arguments of the call told last.
    bytes: Vec<u8>,
    numbers: Shared<f64>,
    lengths: Shared<u32>,
}

impl Planner {
    fn plan(&mut self, count: usize, keys: Vec<u16>, grouping: Grouping) -> Result<u32> {
        let none = || Error::argument("more asks than there is room for");
        let numbers = self.numbers.as_slice().get(..count * ASK).ok_or_else(none)?.to_vec();
        let lengths = self.lengths.as_slice().get(..count).ok_or_else(none)?.to_vec();
        self.calls = Asks { numbers, lengths, keys }.plan(&self.limiter.keyspace, grouping);
        Ok(self.calls.len() as u32)
    }

    /// Writes how many keys, arguments and checks a call has, their lengths, and which checks these are. Returns of how
    /// many bytes the keys and arguments are.
    fn call(&mut self, index: usize) -> Result<u32> {
        let call = self.calls.get(index).ok_or_else(|| Error::internal("there is no such call"))?;
        let parts = || call.keys.iter().chain(&call.args);
        let counts = [call.keys.len(), call.args.len(), call.checks.len()].map(|count| count as u32);
        let lengths = parts().map(|part| part.len() as u32);
        let words: Vec<u32> = counts.into_iter().chain(lengths).chain(call.checks.iter().copied()).collect();
        let places = self.lengths.as_mut_slice().get_mut(..words.len());
        places.ok_or_else(|| Error::internal("a call has more parts than there is room for"))?.copy_from_slice(&words);
        self.bytes = parts().flatten().copied().collect();
        Ok(self.bytes.len() as u32)
    }

    /// The whole command for questions that fit in one call, which keeps their order; nothing if they do not.
    fn command(&mut self, count: usize, keys: Vec<u16>) -> Result<Vec<u8>> {
        self.plan(count, keys, Grouping::One)?;
        let [call] = self.calls.as_mut_slice() else { return Ok(Vec::new()) };
        if call.checks.iter().zip(0..).any(|(check, place)| *check != place) {
            return Ok(Vec::new());
        }
        let call = Call { keys: std::mem::take(&mut call.keys), args: std::mem::take(&mut call.args) };
        Ok(call.packed(&self.limiter.script))
    }

    /// Turns the numbers of a reply to `count` checks into rows.
    fn rows(&mut self, length: usize, count: usize) -> Result<bool> {
        let numbers = self.numbers.as_mut_slice();
        let reply = numbers.get(..length).ok_or_else(|| Error::argument("a reply longer than there is room for"))?;
        let integers: Vec<i64> = reply.iter().map(|&number| number as i64).collect();
        let Ok(rows) = self.limiter.keyspace.rows(&integers, count) else { return Ok(false) };
        for (row, place) in rows.iter().zip(numbers.chunks_exact_mut(ROW)) {
            place.copy_from_slice(&row.numbers());
        }
        Ok(true)
    }
}

/// Makes a planner for a limiter: `options` as of a link's limiter. Arrays as of a link: see lib/redis/plan.ts.
#[napi(ts_return_type = "object")]
pub fn create_rate_limit_planner(
    env: Env,
    prefix: String,
    options: Unknown,
    lengths: Unknown,
    numbers: Unknown,
) -> napi::Result<raw::Object> {
    let env = env.raw();
    let options: Shared<f64> = Shared::new(env, options.raw())?;
    let planner = Planner {
        limiter: Limiter::new(&prefix.encode_utf16().collect::<Vec<_>>(), options.as_slice())?,
        calls: Vec::new(),
        bytes: Vec::new(),
        numbers: Shared::new(env, numbers.raw())?,
        lengths: Shared::new(env, lengths.raw())?,
    };
    let instance = Instance::new(env, planner)?
        .function("source", |planner, args: Args<0>| args.latin1(planner.limiter.keyspace.source().as_bytes()))?
        .function("plan", |planner, args: Args<3>| {
            let grouping = if args.u32(2)? == 0 { Grouping::One } else { Grouping::Slot };
            planner.plan(args.u32(0)? as usize, args.utf16_copy(1)?, grouping)
        })?
        .function("command", |planner, args: Args<3>| {
            let command = planner.command(args.u32(0)? as usize, args.utf16_copy(1)?)?;
            args.fill::<u8>(2, &command)?;
            Ok(command.len() as u32)
        })?
        .function("call", |planner, args: Args<1>| planner.call(args.u32(0)? as usize))?
        .function("bytes", |planner, args: Args<1>| args.fill::<u8>(0, &planner.bytes))?
        .function("rows", |planner, args: Args<2>| planner.rows(args.u32(0)? as usize, args.u32(1)? as usize))?;
    Ok(instance.finish())
}
