//! The connection pool's state machine for JavaScript. Numbers cross in shared arrays, whose places
//! lib/pool/native.ts repeats.

use keelson_core::pool::{Acquired, Health, Options, Pool};
use napi::JsValue;
use napi::bindgen_prelude::{Env, Unknown};
use napi_derive::napi;

use crate::error::{Error, Result};
use crate::raw::{self, Args, Instance, Return, Shared};

/// Added to a cause to tell a refusal from a ticket.
const REFUSAL: i32 = i32::MIN;
/// What is returned where there is no ticket.
const NOBODY: i32 = -1;
/// Integers of an action.
const WIDTH: usize = 3;

/// Where the state counts the returns that the facade has not reported.
const RETURNS: usize = 11;

/// A pool and the arrays that it shares with the facade.
struct Connections {
    pool: Pool,
    state: Shared<f64>,
    actions: Shared<i32>,
    /// Returns that the facade has not reported: the slot and the time of each.
    returns: Shared<f64>,
}

impl Connections {
    /// Calls a function of the pool, which first hears of the returns until now.
    fn call<R>(&mut self, body: impl FnOnce(&mut Pool) -> R) -> R {
        self.hear();
        let outcome = body(&mut self.pool);
        self.tell();
        outcome
    }

    fn hear(&mut self) {
        let count = self.state.as_slice().get(RETURNS).map_or(0, |&count| count as usize);
        for place in self.returns.as_slice().chunks_exact(2).take(count) {
            let served = self.pool.release(place[1], place[0] as u32);
            debug_assert!(served.is_none(), "the facade keeps no return from who waits");
        }
    }

    /// Writes how things stand where JavaScript reads it.
    fn tell(&mut self) {
        let counts = self.pool.counts();
        let gate = match self.pool.health() {
            Health::Well => 0.0,
            Health::Outage => 1.0,
            Health::Attempt => 2.0,
        };
        let numbers = [
            self.pool.pending() as f64,
            self.pool.due(),
            counts.idle.into(),
            counts.lent.into(),
            counts.opening.into(),
            counts.validating.into(),
            counts.closing.into(),
            counts.waiting.into(),
            self.pool.failures().into(),
            gate,
            self.pool.leave(),
            0.0,
        ];
        // The factory has seen to it that there is room.
        if let Some(state) = self.state.as_mut_slice().first_chunk_mut() {
            *state = numbers;
        }
    }

    /// Fills `actions`, and returns with how many.
    fn take(&mut self) -> u32 {
        let places = self.actions.as_mut_slice().chunks_exact_mut(WIDTH);
        let mut count = 0;
        for (action, place) in self.pool.take(places.len()).zip(places) {
            place.copy_from_slice(&action.numbers());
            count += 1;
        }
        count
    }
}

/// What an acquire came to as one number: a slot, a ticket below 0, a refusal far below.
fn acquired(outcome: Acquired) -> i32 {
    match outcome {
        Acquired::Slot(slot) => slot.cast_signed(),
        Acquired::Ticket(ticket) => -1 - ticket.cast_signed(),
        Acquired::Refused(cause) => REFUSAL + cause as i32,
    }
}

fn ticket(ticket: Option<u32>) -> i32 {
    ticket.map_or(NOBODY, u32::cast_signed)
}

fn options(numbers: &[f64]) -> Result<Options> {
    let &[
        max,
        min,
        idle_timeout,
        max_lifetime,
        lifetime_jitter,
        max_uses,
        lifo,
        validate_after,
        validate_timeout,
        probe_interval,
        leak_after,
        max_queue,
        max_opening,
        open_timeout,
        backoff_min,
        backoff_max,
        fail_fast,
        failure_threshold,
        seed,
    ] = numbers
    else {
        return Err(Error::argument(format!("{} options where 19 are due", numbers.len())));
    };
    Ok(Options {
        max: max as u32,
        min: min as u32,
        idle_timeout,
        max_lifetime,
        lifetime_jitter,
        max_uses,
        lifo: lifo != 0.0,
        validate_after,
        validate_timeout,
        probe_interval,
        leak_after,
        max_queue,
        max_opening: max_opening as u32,
        open_timeout,
        backoff_min,
        backoff_max,
        fail_fast: fail_fast != 0.0,
        failure_threshold,
        seed: seed.to_bits(),
    })
}

/// Makes the state machine of a connection pool over the facade's arrays: see lib/pool/native.ts.
#[napi(ts_return_type = "object")]
pub fn create_connection_pool(
    env: Env,
    options: Unknown,
    state: Unknown,
    actions: Unknown,
    returns: Unknown,
) -> napi::Result<raw::Object> {
    let env = env.raw();
    let numbers: Shared<f64> = Shared::new(env, options.raw())?;
    let mut connections = Connections {
        pool: Pool::new(self::options(numbers.as_slice())?),
        state: Shared::new(env, state.raw())?,
        actions: Shared::new(env, actions.raw())?,
        returns: Shared::new(env, returns.raw())?,
    };
    connections.tell();
    Ok(with_orders(with_acquires(with_reports(Instance::new(env, connections)?)?)?)?.finish())
}

/// Adds a function of the time. `body` must capture nothing, here and below.
fn timed<R: Return>(
    instance: Instance<Connections>,
    name: &'static str,
    body: impl Fn(&mut Pool, f64) -> R + Copy,
) -> Result<Instance<Connections>> {
    instance.function(name, move |connections, args: Args<1>| {
        let now = args.f64(0)?;
        Ok(connections.call(|pool| body(pool, now)))
    })
}

/// Adds a function of the time and a slot or a ticket.
fn numbered<R: Return>(
    instance: Instance<Connections>,
    name: &'static str,
    body: impl Fn(&mut Pool, f64, u32) -> R + Copy,
) -> Result<Instance<Connections>> {
    instance.function(name, move |connections, args: Args<2>| {
        let (now, number) = (args.f64(0)?, args.u32(1)?);
        Ok(connections.call(|pool| body(pool, now, number)))
    })
}

fn with_reports(mut instance: Instance<Connections>) -> Result<Instance<Connections>> {
    instance = numbered(instance, "release", |pool, now, slot| ticket(pool.release(now, slot)))?;
    instance = numbered(instance, "discard", Pool::discard)?;
    instance = numbered(instance, "opened", |pool, now, slot| ticket(pool.opened(now, slot)))?;
    instance = numbered(instance, "openFailed", Pool::open_failed)?;
    instance = numbered(instance, "closed", Pool::closed)?;
    instance = instance.function("validated", |connections, args: Args<3>| {
        let (now, slot, well) = (args.f64(0)?, args.u32(1)?, args.u32(2)? != 0);
        Ok(connections.call(|pool| ticket(pool.validated(now, slot, well))))
    })?;
    instance.function("expires", |connections, args: Args<1>| Ok(connections.pool.expires(args.u32(0)?)))
}

fn with_acquires(mut instance: Instance<Connections>) -> Result<Instance<Connections>> {
    instance = numbered(instance, "cancel", |pool, now, ticket| u32::from(pool.cancel(now, ticket)))?;
    instance
        .function("acquire", |connections, args: Args<3>| {
            let (now, deadline, priority) = (args.f64(0)?, args.f64(1)?, args.u32(2)? as usize);
            Ok(acquired(connections.call(|pool| pool.acquire(now, deadline, priority))))
        })?
        .function("acquireFor", |connections, args: Args<4>| {
            let (now, deadline, priority) = (args.f64(0)?, args.f64(1)?, args.u32(2)? as usize);
            args.text(3, |key| acquired(connections.call(|pool| pool.acquire_for(now, deadline, priority, key))))
        })
}

fn with_orders(mut instance: Instance<Connections>) -> Result<Instance<Connections>> {
    instance = timed(instance, "tick", Pool::tick)?;
    instance = timed(instance, "start", Pool::start)?;
    instance = timed(instance, "pause", Pool::pause)?;
    instance = timed(instance, "resume", Pool::resume)?;
    instance = timed(instance, "evict", Pool::evict)?;
    instance = timed(instance, "close", Pool::close)?;
    instance = numbered(instance, "refuse", |pool, now, refuse| pool.refuse(now, refuse != 0))?;
    instance.function("take", |connections, _: Args<0>| {
        connections.hear();
        let count = connections.take();
        connections.tell();
        Ok(count)
    })
}
