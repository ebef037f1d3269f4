//! Logs for JavaScript: lines go in one by one, and what became of flushes and of the file comes out in one callback. See
//! lib/log/native.ts.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use keelson_log::{Counts, Event, FlushError, Log, OnFull, OpenError, Options};
use napi::JsValue;
use napi::bindgen_prelude::{Env, Unknown};
use napi_derive::napi;

use crate::error::{Error, Result};
use crate::raw::{self, Args, Instance, Shared};
use crate::wake::{Wake, Waker};

/// What `take` answers; lib/log/native.ts repeats it.
const NOTHING: u32 = 0;
const DONE: u32 = 1;
const NOT_DONE: u32 = 2;
const FAILED: u32 = 3;
const RECOVERED: u32 = 4;
const ROTATED: u32 = 5;

/// Something to tell JavaScript: of which kind, a number and a text about it.
struct Told(u32, f64, String);

/// The way to JavaScript.
#[derive(Clone)]
struct Mailbox {
    told: Arc<Mutex<VecDeque<Told>>>,
    waker: Waker,
}

impl Mailbox {
    fn leave(&self, told: Told) {
        let mut all = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        all.push_back(told);
        let is_first = all.len() == 1;
        drop(all);
        if is_first {
            self.waker.wake();
        }
    }

    fn event(&self, event: &Event) {
        self.leave(match event {
            Event::Failed(failure) => Told(FAILED, f64::from(failure.errno.unwrap_or(0)), failure.to_string()),
            Event::Recovered(after) => Told(RECOVERED, after.as_secs_f64() * 1000.0, String::new()),
            Event::Rotated(name) => Told(ROTATED, 0.0, name.to_string_lossy().into_owned()),
        });
    }

    /// For who waits with a ticket.
    fn answer(&self, ticket: u32) -> impl FnOnce(std::result::Result<(), FlushError>) + Send + use<> {
        let mailbox = self.clone();
        move |outcome| {
            let (kind, text) = match outcome {
                Ok(()) => (DONE, String::new()),
                Err(FlushError::Failed(failure)) => (NOT_DONE, failure.to_string()),
                Err(FlushError::Late) => (NOT_DONE, "it took too long".to_owned()),
                Err(FlushError::Closed) => (NOT_DONE, "the log was closed".to_owned()),
            };
            mailbox.leave(Told(kind, f64::from(ticket), text));
        }
    }
}

struct State {
    log: Log,
    /// None once it is closed: it keeps its function, and so whatever that reaches, which is this too.
    wake: Option<Wake>,
    mailbox: Mailbox,
    last_ticket: u32,
    /// Where a line is made before it is pushed.
    line: Vec<u8>,
    numbers: Shared<f64>,
    /// Of what was taken last.
    text: String,
}

impl State {
    fn push(&mut self, args: &Args<2>) -> Result<bool> {
        self.line.clear();
        args.append_utf8(1, &mut self.line)?;
        self.line.push(b'\n');
        let accepted = self.log.push(&self.line, args.u32(0)? != 0);
        if self.line.capacity() > LINE_KEPT {
            self.line = Vec::new();
        }
        Ok(accepted)
    }

    fn ticket(&mut self) -> u32 {
        self.last_ticket = self.last_ticket.wrapping_add(1);
        self.last_ticket
    }

    fn take(&mut self) -> u32 {
        let told = self.mailbox.told.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        let Some(Told(kind, number, text)) = told else { return NOTHING };
        if let Some(place) = self.numbers.as_mut_slice().first_mut() {
            *place = number;
        }
        self.text = text;
        kind
    }

    fn counts(&mut self) {
        let (lines, bytes) = self.log.waiting();
        let waiting = [lines as f64, bytes as f64];
        let counts = self.log.counts().values().map(|count| count as f64);
        for (place, value) in self.numbers.as_mut_slice().iter_mut().zip(waiting.into_iter().chain(counts)) {
            *place = value;
        }
    }
}

/// Bytes of room for lines that are kept.
const LINE_KEPT: usize = 1 << 20;

/// How long `number` milliseconds are.
fn ms(number: f64) -> Duration {
    Duration::from_secs_f64(number.clamp(0.0, 1e12) / 1000.0)
}

/// `numbers` as lib/log/native.ts has them.
fn options(path: String, numbers: &[f64]) -> Option<Options> {
    let &[max_bytes, max_lines, on_full, patience_full, interval, flush_bytes, max_size, patience] =
        numbers.first_chunk()?;
    Some(Options {
        path: PathBuf::from(path),
        max_bytes: max_bytes as usize,
        max_lines: max_lines as usize,
        on_full: match on_full as u32 {
            0 => OnFull::DropOldest,
            1 => OnFull::DropNewest,
            _ => OnFull::Block(ms(patience_full)),
        },
        flush_interval: ms(interval),
        flush_bytes: flush_bytes as usize,
        max_size: max_size as u64,
        patience: ms(patience),
    })
}

/// Opens a log; `options` are numbers, `numbers` is what is told in: see lib/log/native.ts. `wake` is called when `take`
/// has something.
#[napi(ts_return_type = "object")]
pub fn create_log(
    env: Env,
    path: String,
    options: Unknown,
    numbers: Unknown,
    wake: Unknown,
) -> napi::Result<raw::Object> {
    let env = env.raw();
    let given: Shared<f64> = Shared::new(env, options.raw())?;
    let options = self::options(path, given.as_slice()).ok_or_else(|| Error::argument("a log without options"))?;
    let numbers: Shared<f64> = Shared::new(env, numbers.raw())?;
    if numbers.as_slice().len() < Counts::LEN + 2 {
        return Err(Error::argument("too few numbers for the counts").into());
    }
    let wake = Wake::new(env, wake.raw())?;
    let mailbox = Mailbox { told: Arc::default(), waker: wake.waker() };
    let listener = mailbox.clone();
    let log = Log::open(options, move |event| listener.event(event)).map_err(|error| match error {
        OpenError::Conflict => Error::argument(error.to_string()),
        OpenError::Thread(_) => Error::internal(error.to_string()),
    })?;
    let state =
        State { log, wake: Some(wake), mailbox, last_ticket: 0, line: Vec::new(), numbers, text: String::new() };
    Ok(with_asks(with_lines(Instance::new(env, state)?)?)?.finish())
}

fn with_lines(instance: Instance<State>) -> Result<Instance<State>> {
    instance
        .function("push", |state, args: Args<2>| state.push(&args))?
        .function("drain", |state, args: Args<1>| Ok(state.log.drain(ms(args.f64(0)?)) as f64))?
        .function("counts", |state, _: Args<0>| {
            state.counts();
            Ok(())
        })?
        .function("take", |state, _: Args<0>| Ok(state.take()))?
        .function("text", |state, args: Args<0>| args.utf16(&state.text.encode_utf16().collect::<Vec<_>>()))
}

fn with_asks(instance: Instance<State>) -> Result<Instance<State>> {
    instance
        .function("flush", |state, args: Args<2>| {
            let (durable, deadline) = (args.u32(0)? != 0, Instant::now() + ms(args.f64(1)?));
            let ticket = state.ticket();
            state.log.flush(durable, deadline, state.mailbox.answer(ticket));
            Ok(ticket)
        })?
        .function("rotate", |state, args: Args<1>| {
            let deadline = Instant::now() + ms(args.f64(0)?);
            let ticket = state.ticket();
            state.log.rotate(deadline, state.mailbox.answer(ticket));
            Ok(ticket)
        })?
        .function("reopen", |state, _: Args<0>| {
            state.log.reopen();
            Ok(())
        })?
        .function("hold", |state, args: Args<1>| {
            let hold = args.u32(0)? != 0;
            state.wake.as_ref().map_or(Ok(()), |wake| wake.hold(hold))
        })?
        .function("close", |state, _: Args<0>| {
            state.log.close();
            state.wake = None;
            Ok(())
        })
}
