//! Links to Redis for JavaScript: batches of checks and calls of scripts go in, and what they came to comes out in one
//! callback. See lib/redis/native.ts.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use keelson_redis::{Address, Call, Failure, Instant, Link, Options, Reply, Script, Terms, Work};
use napi::JsValue;
use napi::bindgen_prelude::{Env, Unknown};
use napi_derive::napi;

use crate::error::{Error, Result};
use crate::mailbox::Mailbox;
use crate::rate_limit_batch::{ASK, Asks, Batch, Limiter};
use crate::raw::{self, Args, Instance, Shared};
use crate::redis_done::{Done, Outcome, Run};
use crate::redis_subscription::subscribe;
use crate::wake::Wake;

/// What `take` answers where nothing is done, and `submit` and `run` where too much is in flight.
const NOTHING: u32 = 0;

/// Kinds of items of a reply; lib/redis/native.ts repeats them.
const NIL: f64 = 0.0;
const INTEGER: f64 = 1.0;
const BYTES: f64 = 2.0;

struct State {
    /// None once it is closed.
    link: Option<Link>,
    /// Likewise. It keeps its function, and so whatever that reaches, which is this too.
    wake: Option<Wake>,
    mailbox: Mailbox<Done>,
    /// Taken from the mailbox, and not yet by JavaScript.
    done: VecDeque<Done>,
    limiters: HashMap<u32, Limiter>,
    scripts: HashMap<u32, Arc<Script>>,
    last_id: u32,
    asks: Shared<f64>,
    lengths: Shared<u32>,
    numbers: Shared<f64>,
    /// Of what was taken last.
    text: String,
    bytes: Vec<u8>,
}

impl State {
    fn link(&self) -> Result<&Link> {
        self.link.as_ref().ok_or_else(|| Error::internal("the link is closed"))
    }

    fn id(&mut self) -> u32 {
        self.last_id = self.last_id.wrapping_add(1).max(1);
        self.last_id
    }

    fn lengths(&self, count: usize) -> Result<&[u32]> {
        self.lengths.as_slice().get(..count).ok_or_else(|| Error::argument("more lengths than there is room for"))
    }

    fn submit(&mut self, limiter: u32, count: usize, keys: Vec<u16>, timeout: f64) -> Result<u32> {
        let numbers = self.asks.as_slice().get(..count * ASK);
        let numbers = numbers.ok_or_else(|| Error::argument("more asks than there is room for"))?.to_vec();
        let asks = Asks { numbers, lengths: self.lengths(count)?.to_vec(), keys };
        let ticket = self.id();
        let limiter = self.limiters.get(&limiter).ok_or_else(|| Error::internal("the limiter is gone"))?;
        let terms = Terms { deadline: deadline(timeout), units: count };
        let (keyspace, mailbox) = (Arc::clone(&limiter.keyspace), self.mailbox.clone());
        let batch = Batch { ticket, asks, keyspace, mailbox, checks: Vec::new() };
        self.send(&Arc::clone(&limiter.script), terms, ticket, batch)
    }

    fn run(&mut self, script: u32, call: Call, timeout: f64) -> Result<u32> {
        let ticket = self.id();
        let script = self.scripts.get(&script).ok_or_else(|| Error::internal("the script is gone"))?;
        let terms = Terms { deadline: deadline(timeout), units: 1 };
        let run = Run { ticket, call, mailbox: self.mailbox.clone() };
        self.send(&Arc::clone(script), terms, ticket, run)
    }

    fn send(&self, script: &Arc<Script>, terms: Terms, ticket: u32, work: impl Work) -> Result<u32> {
        Ok(if self.link()?.submit(script, terms, work).is_ok() { ticket } else { NOTHING })
    }

    /// The ticket of something that is done, which is then in the arrays.
    fn take(&mut self) -> Result<u32> {
        if self.done.is_empty() {
            self.done.extend(self.mailbox.take_all());
        }
        let Some(Done { ticket, outcome }) = self.done.pop_front() else { return Ok(NOTHING) };
        (self.text, self.bytes) = Default::default();
        match outcome {
            Outcome::Rows(rows, failure) => {
                self.write(&rows)?;
                self.text = failure.map_or_else(String::new, |failure| failure.to_string());
            }
            Outcome::Reply(reply) => {
                let mut bytes = Vec::new();
                let items = reply.and_then(|reply| items(reply, self.numbers.as_slice().len(), &mut bytes));
                match items {
                    Ok(items) => self.write(&items)?,
                    Err(failure) => {
                        self.write(&[-f64::from(failure.code())])?;
                        self.text = failure.to_string();
                    }
                }
                self.bytes = bytes;
            }
        }
        Ok(ticket)
    }

    fn write(&mut self, numbers: &[f64]) -> Result<()> {
        let places = self.numbers.as_mut_slice().get_mut(..numbers.len());
        places.ok_or_else(|| Error::internal("more numbers than there is room for"))?.copy_from_slice(numbers);
        Ok(())
    }

    /// How things stand: servers connected, whether these are all, units in flight, and the counters.
    fn counts(&self) -> Result<Vec<f64>> {
        let link = self.link()?;
        let (connected, complete) = link.connected();
        let mut numbers = vec![connected as f64, f64::from(u8::from(complete)), link.in_flight() as f64];
        numbers.extend(link.counts().values().iter().map(|&count| count as f64));
        Ok(numbers)
    }
}

fn deadline(timeout: f64) -> Instant {
    Instant::now() + Duration::from_secs_f64(timeout.max(0.0) / 1_000.0)
}

/// The reply to one call in numbers: whether it is a list, how many items it has, and of each its kind and its value or
/// length. What the facade reads is a flat list; another is a failure.
fn items(reply: Reply, room: usize, bytes: &mut Vec<u8>) -> std::result::Result<Vec<f64>, Failure> {
    let (is_list, items) = match reply {
        Reply::List(items) => (true, items),
        single => (false, vec![single]),
    };
    if items.len() * 2 + 2 > room {
        return Err(Failure::Server(format!("the script answered {} items", items.len()).into()));
    }
    let mut numbers = vec![f64::from(u8::from(is_list)), items.len() as f64];
    for item in items {
        numbers.extend(match item {
            Reply::Nil => [NIL, 0.0],
            Reply::Integer(integer) => [INTEGER, integer as f64],
            Reply::Bytes(text) => {
                bytes.extend_from_slice(&text);
                [BYTES, text.len() as f64]
            }
            Reply::List(_) => return Err(Failure::Server("the script answered a list in a list".into())),
        });
    }
    Ok(numbers)
}

/// Makes a link; `spec` is what `Options::parse` reads. `wake` is called when something is done. For the arrays see
/// lib/redis/native.ts.
#[napi(ts_return_type = "object")]
pub fn create_redis_link(
    env: Env,
    spec: String,
    wake: Unknown,
    asks: Unknown,
    lengths: Unknown,
    numbers: Unknown,
) -> napi::Result<raw::Object> {
    let env = env.raw();
    let options = Options::parse(&spec).map_err(|error| Error::argument(error.to_string()))?;
    let wake = Wake::new(env, wake.raw())?;
    let link = Link::open(&options).map_err(|error| Error::internal(format!("no thread could start: {error}")))?;
    let state = State {
        link: Some(link),
        mailbox: Mailbox::new(wake.waker()),
        wake: Some(wake),
        done: VecDeque::new(),
        limiters: HashMap::new(),
        scripts: HashMap::new(),
        last_id: 0,
        asks: Shared::new(env, asks.raw())?,
        lengths: Shared::new(env, lengths.raw())?,
        numbers: Shared::new(env, numbers.raw())?,
        text: String::new(),
        bytes: Vec::new(),
    };
    Ok(with_outcomes(with_batches(Instance::new(env, state)?)?)?.finish())
}

fn with_batches(instance: Instance<State>) -> Result<Instance<State>> {
    instance
        .function("limiter", |state, args: Args<2>| {
            let numbers: Shared<f64> = args.shared(1)?;
            let limiter = Limiter::new(&args.utf16_copy(0)?, numbers.as_slice())?;
            let id = state.id();
            state.limiters.insert(id, limiter);
            Ok(id)
        })?
        .function("script", |state, args: Args<1>| {
            let source = String::from_utf16_lossy(&args.utf16_copy(0)?);
            let id = state.id();
            state.scripts.insert(id, Script::new(source));
            Ok(id)
        })?
        .function("forget", |state, args: Args<1>| {
            let id = args.u32(0)?;
            state.limiters.remove(&id);
            state.scripts.remove(&id);
            Ok(())
        })?
        .function("submit", |state, args: Args<4>| {
            let (limiter, count, timeout) = (args.u32(0)?, args.u32(1)? as usize, args.f64(3)?);
            state.submit(limiter, count, args.utf16_copy(2)?, timeout)
        })?
        .function("run", |state, args: Args<5>| {
            let (script, keys, parts) = (args.u32(0)?, args.u32(1)? as usize, args.u32(2)? as usize);
            let bytes = args.bytes_copy(3, 0, usize::MAX)?;
            let call = call(&bytes, state.lengths(parts)?, keys);
            state.run(script, call, args.f64(4)?)
        })
}

/// The first `keys` parts are keys, the others arguments.
fn call(bytes: &[u8], lengths: &[u32], keys: usize) -> Call {
    let mut rest = bytes;
    let mut parts: Vec<Vec<u8>> = lengths
        .iter()
        .map(|&length| {
            let (part, behind) = rest.split_at((length as usize).min(rest.len()));
            rest = behind;
            part.to_vec()
        })
        .collect();
    let args = parts.split_off(keys.min(parts.len()));
    Call { keys: parts, args }
}

fn with_outcomes(instance: Instance<State>) -> Result<Instance<State>> {
    instance
        .function("take", |state, _: Args<0>| state.take())?
        .function("text", |state, args: Args<0>| args.utf16(&state.text.encode_utf16().collect::<Vec<_>>()))?
        .function("bytes", |state, args: Args<1>| args.fill::<u8>(0, &state.bytes))?
        .function("counts", |state, args: Args<1>| args.fill::<f64>(0, &state.counts()?))?
        .function("address", |state, args: Args<0>| {
            let address = match state.link()?.address() {
                Some(Address::Tcp(host, port)) => format!("{host} {port}"),
                Some(Address::Unix(path)) => path.to_string_lossy().into_owned(),
                None => String::new(),
            };
            args.utf16(&address.encode_utf16().collect::<Vec<_>>())
        })?
        .function("subscribe", |state, args: Args<2>| {
            let mut channel = Vec::new();
            args.append_utf8(0, &mut channel)?;
            subscribe(args.env(), state.link()?, channel, args.value(1))
        })?
        .function("hold", |state, args: Args<1>| {
            let hold = args.u32(0)? != 0;
            state.wake.as_ref().map_or(Ok(()), |wake| wake.hold(hold))
        })?
        .function("close", |state, _: Args<0>| {
            (state.link, state.wake) = (None, None);
            Ok(())
        })
}
