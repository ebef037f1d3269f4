//! The circuit breaker's state machine for JavaScript. Numbers cross in shared arrays, whose places
//! lib/breaker/native.ts repeats.

use keelson_core::breaker::{Breaker, Event, Options, Outcome, Span, State};
use napi::JsValue;
use napi::bindgen_prelude::{Env, Unknown};
use napi_derive::napi;

use crate::error::{Error, Result};
use crate::raw::{self, Args, Instance, Return, Shared};

/// Where the state counts the successes that the facade has not reported.
const SUCCESSES: usize = 2;
/// Numbers of the figures.
const FIGURES: usize = 21;

/// A breaker and the arrays that it shares with the facade.
struct Circuit {
    breaker: Breaker,
    state: Shared<i32>,
    /// When it is due.
    due: Shared<f64>,
    /// Successes that the facade has not reported: the time and the latency of each.
    successes: Shared<f64>,
    figures: Shared<f64>,
    /// What was dumped last, until it is taken.
    dumped: Vec<f64>,
}

impl Circuit {
    /// Calls a function of the breaker, which first hears of the successes until now.
    fn call<R>(&mut self, body: impl FnOnce(&mut Breaker) -> R) -> R {
        self.hear();
        let outcome = body(&mut self.breaker);
        self.tell();
        outcome
    }

    /// Successes are kept back only while the breaker is closed, and cannot change that.
    fn hear(&mut self) {
        let count = self.state.as_slice().get(SUCCESSES).map_or(0, |&count| count as usize);
        let epoch = self.breaker.epoch();
        for place in self.successes.as_slice().chunks_exact(2).take(count) {
            self.breaker.record(place[0], epoch, Outcome::Success, place[1]);
        }
    }

    /// Writes how things stand where JavaScript reads it.
    fn tell(&mut self) {
        let numbers = [self.breaker.state() as i32, self.breaker.epoch().cast_signed(), 0];
        // The facade makes the arrays as long as this.
        if let Some(state) = self.state.as_mut_slice().first_chunk_mut() {
            *state = numbers;
        }
        if let Some(due) = self.due.as_mut_slice().first_mut() {
            *due = self.breaker.due();
        }
    }

    fn fill_figures(&mut self, now: f64) {
        let tally = self.breaker.tally(now);
        let figures = self.breaker.figures(now);
        let counts = figures.outcomes.iter().chain(&figures.events).chain([&figures.slow]).map(|&count| count as f64);
        let judged = [tally.calls, tally.failures, tally.slow].map(|count| count as f64);
        let all = counts.chain(judged).chain([figures.mean]).chain(figures.percentiles);
        for (place, number) in self.figures.as_mut_slice().iter_mut().zip(all) {
            *place = number;
        }
    }
}

fn outcome(number: u32) -> Outcome {
    match number {
        0 => Outcome::Success,
        1 => Outcome::Failure,
        2 => Outcome::Timeout,
        _ => Outcome::Ignored,
    }
}

fn event(number: u32) -> Event {
    match number {
        0 => Event::Reject,
        1 => Event::Fallback,
        _ => Event::Full,
    }
}

fn state(number: u32) -> State {
    match number {
        0 => State::Closed,
        1 => State::Open,
        2 => State::HalfOpen,
        _ => State::ForcedOpen,
    }
}

fn options(numbers: &[f64]) -> Result<Options> {
    let &[
        calls,
        ms,
        slices,
        failure_rate,
        slow_after,
        slow_rate,
        min_calls,
        reset_timeout,
        probes,
        figures_ms,
        figures_slices,
    ] = numbers
    else {
        return Err(Error::argument(format!("{} options where 11 are due", numbers.len())));
    };
    let span = if calls > 0.0 { Span::Calls(calls as usize) } else { Span::Time { ms, slices: slices as usize } };
    Ok(Options {
        span,
        failure_rate,
        slow_after,
        slow_rate,
        min_calls,
        reset_timeout,
        probes: probes as u32,
        figures_ms,
        figures_slices: figures_slices as usize,
    })
}

/// Makes the state machine of a circuit breaker over the facade's arrays: see lib/breaker/native.ts.
#[napi(ts_return_type = "object")]
pub fn create_circuit_breaker(
    env: Env,
    options: Unknown,
    state: Unknown,
    due: Unknown,
    successes: Unknown,
    figures: Unknown,
) -> napi::Result<raw::Object> {
    let env = env.raw();
    let numbers: Shared<f64> = Shared::new(env, options.raw())?;
    let mut circuit = Circuit {
        breaker: Breaker::new(self::options(numbers.as_slice())?),
        state: Shared::new(env, state.raw())?,
        due: Shared::new(env, due.raw())?,
        successes: Shared::new(env, successes.raw())?,
        figures: Shared::new(env, figures.raw())?,
        dumped: Vec::new(),
    };
    if circuit.figures.as_slice().len() != FIGURES {
        return Err(Error::argument(format!("the figures are {FIGURES} numbers")).into());
    }
    circuit.tell();
    Ok(with_window(with_orders(with_calls(Instance::new(env, circuit)?)?)?)?.finish())
}

/// Adds a function of the time. `body` must capture nothing, here and below.
fn timed<R: Return>(
    instance: Instance<Circuit>,
    name: &'static str,
    body: impl Fn(&mut Breaker, f64) -> R + Copy,
) -> Result<Instance<Circuit>> {
    instance.function(name, move |circuit, args: Args<1>| {
        let now = args.f64(0)?;
        Ok(circuit.call(|breaker| body(breaker, now)))
    })
}

fn with_calls(mut instance: Instance<Circuit>) -> Result<Instance<Circuit>> {
    instance = timed(instance, "permit", Breaker::permit)?;
    instance
        .function("report", |circuit, _: Args<0>| {
            circuit.call(|_| ());
            Ok(())
        })?
        .function("record", |circuit, args: Args<4>| {
            let (now, epoch, outcome, latency) = (args.f64(0)?, args.u32(1)?, outcome(args.u32(2)?), args.f64(3)?);
            circuit.call(|breaker| breaker.record(now, epoch, outcome, latency));
            Ok(())
        })?
        .function("count", |circuit, args: Args<2>| {
            let (now, event) = (args.f64(0)?, event(args.u32(1)?));
            circuit.call(|breaker| breaker.count(now, event));
            Ok(())
        })
}

fn with_orders(mut instance: Instance<Circuit>) -> Result<Instance<Circuit>> {
    instance = timed(instance, "tick", Breaker::tick)?;
    instance
        .function("open", |circuit, args: Args<2>| {
            let (now, retry) = (args.f64(0)?, args.f64(1)?);
            circuit.call(|breaker| breaker.open(now, retry));
            Ok(())
        })?
        .function("go", |circuit, args: Args<2>| {
            let (now, state) = (args.f64(0)?, state(args.u32(1)?));
            circuit.call(|breaker| breaker.go(now, state));
            Ok(())
        })
}

fn with_window(instance: Instance<Circuit>) -> Result<Instance<Circuit>> {
    instance
        .function("figures", |circuit, args: Args<1>| {
            let now = args.f64(0)?;
            circuit.call(|_| ());
            circuit.fill_figures(now);
            Ok(())
        })?
        .function("dump", |circuit, args: Args<1>| {
            let now = args.f64(0)?;
            circuit.dumped = circuit.call(|breaker| breaker.dump(now));
            Ok(circuit.dumped.len() as u32)
        })?
        .function("take", |circuit, args: Args<1>| {
            let mut out: Shared<f64> = args.shared(0)?;
            for (place, number) in out.as_mut_slice().iter_mut().zip(std::mem::take(&mut circuit.dumped)) {
                *place = number;
            }
            Ok(())
        })?
        .function("load", |circuit, args: Args<3>| {
            let (now, elapsed) = (args.f64(0)?, args.f64(1)?);
            let numbers: Shared<f64> = args.shared(2)?;
            circuit.call(|breaker| breaker.load(now, numbers.as_slice(), elapsed));
            Ok(())
        })
}
