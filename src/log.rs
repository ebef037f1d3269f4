//! Logs for JavaScript: lines go in one by one, whole or in their parts, and what became of flushes and of the file comes out
//! in one callback. See lib/log/native.ts.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use keelson_log::{
    Compression, Counts, Entry, Event, FileOptions, FlushError, Keep, Log, OnFull, OpenError, Options, Schedule,
    Target, Timestamp, Zone,
};
use napi::JsValue;
use napi::bindgen_prelude::{Env, Unknown};
use napi_derive::napi;

use crate::error::{Error, Result};
use crate::mailbox::Mailbox;
use crate::raw::{self, Args, Instance, Shared};
use crate::wake::Wake;

/// What `take` answers; lib/log/native.ts repeats it.
const NOTHING: u32 = 0;
const DONE: u32 = 1;
const NOT_DONE: u32 = 2;
const FAILED: u32 = 3;
const RECOVERED: u32 = 4;
const ROTATED: u32 = 5;
const UNTIDY: u32 = 6;

/// The first argument of `line` and `entry`: two bits of urgency, three of the level, flags, and
/// three bits of what is lifted.
const URGENCY: u32 = 3;
const LEVEL_SHIFT: u32 = 2;
const LEVELS: [&str; 8] = ["trace", "debug", "info", "warn", "error", "fatal", "info", "info"];
const HAS_METADATA: u32 = 1 << 5;
const ISO: u32 = 1 << 6;
const HAS_MORE: u32 = 1 << 7;
const LIFTS_SHIFT: u32 = 8;

/// Urgencies: a line waits for others, is written at once, or its call waits until it is written, or on the disk.
const WRITTEN: u32 = 2;
const DURABLE: u32 = 3;

/// Percentiles that are told, after the counts, with the longest and the mean.
const SHARES: [f64; 4] = [0.5, 0.9, 0.99, 0.999];
const NUMBERS: usize = 2 + Counts::LEN + SHARES.len() + 2;

/// Something to tell JavaScript: of which kind, a number and a text about it.
struct Told(u32, f64, String);

fn told(event: &Event) -> Told {
    match event {
        Event::Failed(failure) => Told(FAILED, f64::from(failure.errno.unwrap_or(0)), failure.to_string()),
        Event::Recovered(after) => Told(RECOVERED, after.as_secs_f64() * 1000.0, String::new()),
        Event::Rotated(name) => Told(ROTATED, 0.0, name.to_string_lossy().into_owned()),
        Event::Untidy(failure) => Told(UNTIDY, f64::from(failure.errno.unwrap_or(0)), failure.to_string()),
    }
}

/// Answers who waits with a ticket.
fn answer(mailbox: &Mailbox<Told>, ticket: u32) -> impl FnOnce(std::result::Result<(), FlushError>) + Send + use<> {
    let mailbox = mailbox.clone();
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

struct State {
    log: Log,
    /// None once it is released: it keeps its function, and so whatever that reaches, which is this too.
    wake: Option<Wake>,
    mailbox: Mailbox<Told>,
    last_ticket: u32,
    /// Where a line is made before it is pushed, and its parts before that.
    line: Vec<u8>,
    message: Vec<u8>,
    metadata: Vec<u8>,
    more: Vec<u8>,
    /// For how long a call waits whose line is to be written when it returns.
    wait: Duration,
    numbers: Shared<f64>,
    /// Of what was taken last.
    text: String,
}

impl State {
    fn line(&mut self, args: &Args<2>) -> Result<bool> {
        self.line.clear();
        args.append_utf8(1, &mut self.line)?;
        self.line.push(b'\n');
        let urgency = args.u32(0)? & URGENCY;
        let accepted = self.log.push(&self.line, urgency > 0);
        Ok(self.settle(accepted, urgency))
    }

    fn entry(&mut self, args: &Args<5>) -> Result<bool> {
        let kind = args.u32(0)?;
        for part in [&mut self.message, &mut self.metadata, &mut self.more] {
            part.clear();
        }
        args.append_utf8(2, &mut self.message)?;
        if kind & HAS_METADATA != 0 {
            args.append_utf8(3, &mut self.metadata)?;
        }
        if kind & HAS_MORE != 0 {
            args.append_utf8(4, &mut self.more)?;
        }
        let entry = Entry {
            time: args.f64(1)?,
            timestamp: if kind & ISO == 0 { Timestamp::Epoch } else { Timestamp::Iso },
            level: LEVELS[(kind >> LEVEL_SHIFT) as usize % LEVELS.len()],
            message: &self.message,
            metadata: (kind & HAS_METADATA != 0).then_some(&self.metadata),
            lifts: kind >> LIFTS_SHIFT & 7,
            more: &self.more,
        };
        let urgency = kind & URGENCY;
        let accepted = self.log.push_entry(&entry, urgency > 0);
        Ok(self.settle(accepted, urgency))
    }

    fn settle(&mut self, accepted: bool, urgency: u32) -> bool {
        for part in [&mut self.line, &mut self.message, &mut self.metadata] {
            if part.capacity() > LINE_KEPT {
                *part = Vec::new();
            }
        }
        accepted
            && match urgency {
                WRITTEN => self.log.drain(self.wait) == 0,
                DURABLE => self.log.sync(self.wait),
                _ => true,
            }
    }

    fn ticket(&mut self) -> u32 {
        self.last_ticket = self.last_ticket.wrapping_add(1);
        self.last_ticket
    }

    fn take(&mut self) -> u32 {
        let Some(Told(kind, number, text)) = self.mailbox.take() else { return NOTHING };
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
        let latencies = self.log.latencies();
        let times = SHARES.into_iter().chain([1.0]).map(|share| latencies.percentile(share)).chain([latencies.mean()]);
        let all = waiting.into_iter().chain(counts).chain(times);
        for (place, value) in self.numbers.as_mut_slice().iter_mut().zip(all) {
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

/// Options that are no text, in the order of lib/log/native.ts; a negative number is for none.
struct Numbers<'a>(std::slice::Iter<'a, f64>);

impl Numbers<'_> {
    fn next(&mut self) -> f64 {
        self.0.next().copied().unwrap_or(-1.0)
    }

    fn optional(&mut self) -> Option<f64> {
        Some(self.next()).filter(|&number| number >= 0.0)
    }
}

/// `pattern` and `symlink` are empty for none.
fn options(path: String, pattern: &str, symlink: String, numbers: &[f64]) -> Result<Options> {
    let mut numbers = Numbers(numbers.iter());
    let target = numbers.next() as u32;
    let max_bytes = numbers.next() as usize;
    let max_lines = numbers.next() as usize;
    let (policy, wait) = (numbers.next() as u32, ms(numbers.next()));
    let options = Options {
        target: Target::Stdout,
        max_bytes,
        max_lines,
        on_full: match policy {
            0 => OnFull::DropOldest,
            1 => OnFull::DropNewest,
            _ => OnFull::Block(wait),
        },
        flush_interval: ms(numbers.next()),
        flush_bytes: numbers.next() as usize,
        patience: ms(numbers.next()),
        journal: numbers.next() > 0.0,
        numbered: numbers.next() > 0.0,
    };
    let target = match target {
        1 => Target::Stdout,
        2 => Target::Stderr,
        _ => Target::File(Box::new(FileOptions {
            path: PathBuf::from(path),
            max_size: numbers.next() as u64,
            schedule: schedule(pattern, numbers.next())?,
            keep: Keep {
                count: numbers.optional().map(|count| count as usize),
                age: numbers.optional().map(ms),
                bytes: numbers.optional().map(|bytes| bytes as u64),
            },
            compression: numbers.optional().map(|kind| if kind == 0.0 { Compression::Gzip } else { Compression::Zstd }),
            symlink: Some(symlink).filter(|link| !link.is_empty()).map(PathBuf::from),
            mode: numbers.optional().map(|mode| mode as u32),
        })),
    };
    Ok(Options { target, ..options })
}

fn schedule(pattern: &str, zone: f64) -> Result<Option<Schedule>> {
    if pattern.is_empty() {
        return Ok(None);
    }
    let zone = if zone == 0.0 { Zone::Local } else { Zone::Utc };
    let refusal = |error| {
        Error::argument(format!(
            "\"rotation\" must be a cron expression of five fields, but '{pattern}' is not: {error}"
        ))
    };
    Schedule::new(pattern, zone).map(Some).map_err(refusal)
}

/// Opens a log; `options` are numbers, `numbers` is what is told in: see lib/log/native.ts. `wake` is called when `take`
/// has something.
#[napi(ts_return_type = "object")]
pub fn create_log(
    env: Env,
    path: String,
    pattern: String,
    symlink: String,
    options: Unknown,
    numbers: Unknown,
    wake: Unknown,
) -> napi::Result<raw::Object> {
    let env = env.raw();
    let given: Shared<f64> = Shared::new(env, options.raw())?;
    let options = self::options(path, &pattern, symlink, given.as_slice())?;
    let wait = given.as_slice().get(WAIT).copied().map_or(Duration::ZERO, ms);
    let numbers: Shared<f64> = Shared::new(env, numbers.raw())?;
    if numbers.as_slice().len() < NUMBERS {
        return Err(Error::argument("too few numbers for the counts").into());
    }
    let wake = Wake::new(env, wake.raw())?;
    let mailbox = Mailbox::new(wake.waker());
    let listener = mailbox.clone();
    let log = Log::open(options, move |event| listener.leave(told(event))).map_err(|error| match error {
        OpenError::Conflict(_) => Error::argument(error.to_string()),
        OpenError::Journal(_) => Error::log(error.to_string()),
        OpenError::Thread(_) => Error::internal(error.to_string()),
    })?;
    let state = State {
        log,
        wake: Some(wake),
        mailbox,
        last_ticket: 0,
        line: Vec::new(),
        message: Vec::new(),
        metadata: Vec::new(),
        more: Vec::new(),
        wait,
        numbers,
        text: String::new(),
    };
    Ok(with_asks(with_lines(Instance::new(env, state)?)?)?.finish())
}

/// The place of how long a call waits.
const WAIT: usize = 4;

fn with_lines(instance: Instance<State>) -> Result<Instance<State>> {
    instance
        .function("line", |state, args: Args<2>| state.line(&args))?
        .function("entry", |state, args: Args<5>| state.entry(&args))?
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
            state.log.flush(durable, deadline, answer(&state.mailbox, ticket));
            Ok(ticket)
        })?
        .function("rotate", |state, args: Args<1>| {
            let deadline = Instant::now() + ms(args.f64(0)?);
            let ticket = state.ticket();
            state.log.rotate(deadline, answer(&state.mailbox, ticket));
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
        .function("close", |state, args: Args<1>| {
            let patience = ms(args.f64(0)?);
            let ticket = state.ticket();
            let answer = answer(&state.mailbox, ticket);
            state.log.close(patience, move || answer(Ok(())));
            Ok(ticket)
        })?
        .function("release", |state, _: Args<0>| {
            state.wake = None;
            Ok(())
        })
}
