//! The checks of one turn of the event loop, on their way to Redis and back.

use std::sync::Arc;

use keelson_core::rate_limit::script::{Grouping, Keyspace, ScriptCall};
use keelson_core::rate_limit::{Check, Op, ROW, wtf8};
use keelson_redis::{Call, Failure, Layout, Reply, Script, Work};

use crate::error::{Error, Result};
use crate::mailbox::Mailbox;
use crate::rate_limit::{bad_limit, limits};
use crate::redis_done::{Done, Outcome};

/// Numbers of an ask: operation, amount, extra.
pub(crate) const ASK: usize = 3;

/// A limiter whose state is in Redis.
pub(crate) struct Limiter {
    pub(crate) keyspace: Arc<Keyspace>,
    pub(crate) script: Arc<Script>,
}

impl Limiter {
    /// Numbers: for how long a denial blocks, then four a limit: see lib/rateLimiter/native.ts.
    pub(crate) fn new(prefix: &[u16], numbers: &[f64]) -> Result<Self> {
        let (&block, rest) = numbers.split_first().ok_or_else(|| Error::argument("a limiter without numbers"))?;
        let limits = limits(rest)?;
        let mut bytes = Vec::new();
        wtf8(prefix, &mut bytes);
        let keyspace = Keyspace::new(&bytes, &limits, block as i64).map_err(bad_limit)?;
        let script = Script::new(keyspace.source().to_owned());
        Ok(Self { keyspace: Arc::new(keyspace), script })
    }
}

/// Questions about keys, as JavaScript gives them.
pub(crate) struct Asks {
    /// [`ASK`] a question.
    pub(crate) numbers: Vec<f64>,
    /// UTF-16 units of each key.
    pub(crate) lengths: Vec<u32>,
    /// One behind the other.
    pub(crate) keys: Vec<u16>,
}

impl Asks {
    /// The keys in the encoding that Redis gets, and where each ends.
    fn encoded(&self) -> (Vec<u8>, Vec<usize>) {
        let mut bytes = Vec::with_capacity(self.keys.len() + self.keys.len() / 8);
        let mut rest = self.keys.as_slice();
        let mut end = |length: &u32| {
            let (key, behind) = rest.split_at((*length as usize).min(rest.len()));
            rest = behind;
            wtf8(key, &mut bytes);
            bytes.len()
        };
        let ends = self.lengths.iter().map(&mut end).collect();
        (bytes, ends)
    }

    /// Calls of the script.
    pub(crate) fn plan(&self, keyspace: &Keyspace, grouping: Grouping) -> Vec<ScriptCall> {
        let (bytes, ends) = self.encoded();
        let mut start = 0;
        let checks: Vec<Check<'_>> = ends
            .iter()
            .zip(self.numbers.chunks_exact(ASK))
            .map(|(&end, ask)| {
                let key = &bytes[start..end];
                start = end;
                Check { op: Op::from_number(ask[0] as u8).unwrap_or(Op::Peek), key, amount: ask[1], extra: ask[2] }
            })
            .collect();
        keyspace.plan(&checks, grouping)
    }
}

/// A batch of one limiter.
pub(crate) struct Batch {
    pub(crate) ticket: u32,
    pub(crate) asks: Asks,
    pub(crate) keyspace: Arc<Keyspace>,
    pub(crate) mailbox: Mailbox<Done>,
    /// Which checks the calls are for, once they are planned.
    pub(crate) checks: Vec<Vec<u32>>,
}

impl Work for Batch {
    fn calls(&mut self, layout: Layout) -> Vec<Call> {
        let grouping = match layout {
            Layout::One => Grouping::One,
            Layout::Slots => Grouping::Slot,
        };
        let (checks, calls) = self
            .asks
            .plan(&self.keyspace, grouping)
            .into_iter()
            .map(|call| (call.checks, Call { keys: call.keys, args: call.args }))
            .unzip();
        self.checks = checks;
        calls
    }

    fn done(self: Box<Self>, outcome: std::result::Result<Vec<std::result::Result<Reply, Failure>>, Failure>) {
        let mut rows = vec![0.0; self.asks.lengths.len() * ROW];
        let mut failure = None;
        match outcome {
            Ok(replies) => {
                for (reply, checks) in replies.into_iter().zip(&self.checks) {
                    if let Err(why) = self.read(reply, checks, &mut rows) {
                        fail(&mut rows, checks.iter().copied(), &why);
                        failure = Some(why);
                    }
                }
            }
            Err(why) => {
                fail(&mut rows, 0..self.asks.lengths.len() as u32, &why);
                failure = Some(why);
            }
        }
        self.mailbox.leave(Done { ticket: self.ticket, outcome: Outcome::Rows(rows, failure) });
    }
}

impl Batch {
    fn read(
        &self,
        reply: std::result::Result<Reply, Failure>,
        checks: &[u32],
        rows: &mut [f64],
    ) -> std::result::Result<(), Failure> {
        let integers = reply?.integers().unwrap_or_default();
        let read = self.keyspace.rows(&integers, checks.len());
        for (row, check) in read.map_err(|bad| Failure::Server(bad.to_string().into()))?.iter().zip(checks) {
            rows[*check as usize * ROW..][..ROW].copy_from_slice(&row.numbers());
        }
        Ok(())
    }
}

/// Writes the failure's code below 0 where a row tells whether a check is allowed.
fn fail(rows: &mut [f64], checks: impl Iterator<Item = u32>, failure: &Failure) {
    for check in checks {
        rows[check as usize * ROW] = -f64::from(failure.code());
    }
}
