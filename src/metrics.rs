//! The figures of all threads of the process for JavaScript. See lib/metrics/native.ts.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

use keelson_core::metrics::{self, Merge, Store};
use napi::JsValue;
use napi::bindgen_prelude::{Env, Unknown};
use napi_derive::napi;

use crate::error::{Error, Result};
use crate::raw::{self, Args, Instance, Shared};
use crate::wake::{Wake, Waker};

/// Between keys.
const SEPARATOR: char = '\n';

/// The members of the process, and how to call them.
#[derive(Default)]
struct Process {
    store: Store,
    wakers: HashMap<metrics::Member, Waker>,
}

static PROCESS: LazyLock<Mutex<Process>> = LazyLock::new(Mutex::default);

fn process() -> MutexGuard<'static, Process> {
    PROCESS.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Process {
    fn wake(&self, members: &[metrics::Member]) {
        for member in members {
            if let Some(waker) = self.wakers.get(member) {
                waker.wake();
            }
        }
    }
}

/// One copy of the facade in one thread.
struct Member {
    id: metrics::Member,
    /// Ends with this, and with it the function.
    _wake: Wake,
    /// What was read last, until it is taken.
    values: Vec<f64>,
}

impl Member {
    fn publish(&self, keys: &str, kinds: &[u8], values: &[f64]) -> Result<()> {
        let figures = keys.split(SEPARATOR).zip(kinds).zip(values);
        let figures = figures.map(|((key, &kind), &value)| Ok((key.to_owned(), merge(kind)?, value)));
        let figures = figures.collect::<Result<Vec<_>>>()?;
        let mut process = process();
        let done = process.store.publish(self.id, figures);
        process.wake(&done);
        Ok(())
    }

    /// The keys; the values are taken after it.
    fn read(&mut self) -> String {
        let process = process();
        let all = process.store.read();
        self.values = all.values().copied().collect();
        all.into_keys().fold(String::new(), |mut keys, key| {
            if !keys.is_empty() {
                keys.push(SEPARATOR);
            }
            keys.push_str(key);
            keys
        })
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        let mut process = process();
        process.wakers.remove(&self.id);
        let done = process.store.leave(self.id);
        process.wake(&done);
    }
}

fn merge(kind: u8) -> Result<Merge> {
    match kind {
        0 => Ok(Merge::Count),
        1 => Ok(Merge::Sum),
        2 => Ok(Merge::Max),
        3 => Ok(Merge::Min),
        _ => Err(Error::argument(format!("figures of kind {kind}"))),
    }
}

/// Makes a member of those whose figures are put together. `wake`, which is not held by this, is called when somebody wants to
/// hear of it, and when all that it asked have told.
#[napi(ts_return_type = "object")]
pub fn join_metrics(env: Env, wake: Unknown) -> napi::Result<raw::Object> {
    let wake = Wake::weak(env.raw(), wake.raw())?;
    let waker = wake.waker();
    let id = process().store.join();
    process().wakers.insert(id, waker);
    let member = Member { id, _wake: wake, values: Vec::new() };
    let instance = Instance::new(env.raw(), member)?
        .function("publish", |member, args: Args<3>| {
            let mut keys = Vec::new();
            args.append_utf8(0, &mut keys)?;
            let kinds = args.bytes_copy(1, 0, usize::MAX)?;
            let values: Shared<f64> = args.shared(2)?;
            member.publish(&String::from_utf8_lossy(&keys), &kinds, values.as_slice())
        })?
        .function("ask", |member, _: Args<0>| {
            let mut process = process();
            let asked = process.store.ask(member.id);
            process.wake(&asked);
            Ok(())
        })?
        .function("isAsked", |member, _: Args<0>| Ok(process().store.is_asked(member.id)))?
        .function("missing", |member, _: Args<0>| Ok(process().store.missing(member.id) as u32))?
        .function("read", |member, args: Args<0>| {
            let keys: Vec<u16> = member.read().encode_utf16().collect();
            args.utf16(&keys)
        })?
        .function("count", |member, _: Args<0>| Ok(member.values.len() as u32))?
        .function("take", |member, args: Args<1>| args.fill(0, &std::mem::take(&mut member.values)))?;
    Ok(instance.finish())
}
