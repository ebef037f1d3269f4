//! The pool of the JSON utilities: text goes in by pieces, steps of building come out. See lib/json/native.ts.

use std::collections::HashMap;
use std::sync::{Arc, Weak};

use keelson_core::json::document::{Column, Document};
use keelson_core::json::scan::check;
use keelson_core::json::text::{Units, Utf16Decoder, narrow};
use keelson_core::json::work::{Compiled, Goal, Job, Op, Opened, Piece, Plan, Pool};
use keelson_core::json::{Container, Fault, FaultKind, Limits};
use napi::JsValue;
use napi::bindgen_prelude::{Env, Unknown};
use napi_derive::napi;

use crate::error::{Error, Result};
use crate::json_document::document_object;
use crate::raw::{self, Args, Instance, Shared};
use crate::wake::Wake;

/// Places in the head that a taken step writes.
const COUNT: usize = 0;
const POSITION: usize = 1;
const LINE: usize = 2;
const COLUMN: usize = 3;
const KIND: usize = 4;

/// What `take` answers; lib/json/native.ts repeats it.
const NOTHING: i32 = 0;
const OPEN: i32 = 1;
const CLOSE: i32 = 2;
const SHAPE: i32 = 3;
const COMPILED_IN_ARRAY: i32 = 4;
const COMPILED_IN_OBJECT: i32 = 5;
const TEXT_IN_ARRAY: i32 = 6;
const TEXT_IN_OBJECT: i32 = 7;
const BAD_LINE: i32 = 8;
const DOCUMENT: i32 = 9;
const DONE: i32 = 10;
const FAULT: i32 = 11;
const DAMAGED: i32 = 12;
const BROKEN: i32 = 13;

/// Flags of `open`; lib/json/native.ts repeats them.
const COMPILED: u32 = 1;
const INFLATE: u32 = 2;
const SKIP_BAD_LINES: u32 = 4;

struct State {
    pool: Pool,
    wake: Wake,
    jobs: HashMap<u32, Arc<Job>>,
    documents: HashMap<u32, Weak<Document>>,
    last_id: u32,
    head: Shared<f64>,
    ints: Shared<i32>,
    doubles: Shared<f64>,
    /// Texts of the step taken last: which they are depends on the step.
    text: Units,
    raw: Units,
    document: Option<(u32, Arc<Document>)>,
}

impl State {
    fn job<const N: usize>(&self, args: &Args<N>) -> Result<&Arc<Job>> {
        let id = args.u32(0)?;
        self.jobs.get(&id).ok_or_else(|| Error::internal(format!("job {id} is gone")))
    }

    fn document(&self, id: u32) -> Result<Arc<Document>> {
        self.documents.get(&id).and_then(Weak::upgrade).ok_or_else(|| Error::internal(format!("document {id} is gone")))
    }

    fn start(&mut self, plan: Plan, priority: u32) -> u32 {
        let waker = self.wake.waker();
        let job = Arc::new(Job::new(plan, priority.min(2) as usize, Arc::new(move || waker.wake())));
        self.last_id = self.last_id.wrapping_add(1);
        self.pool.look(&job);
        self.jobs.insert(self.last_id, job);
        self.last_id
    }

    fn push<const N: usize>(&self, args: &Args<N>, piece: Piece) -> Result<bool> {
        let job = self.job(args)?;
        let room = job.push(piece);
        self.pool.look(job);
        Ok(room)
    }

    fn take(&mut self, id: u32) -> Result<i32> {
        let job = self.jobs.get(&id).ok_or_else(|| Error::internal(format!("job {id} is gone")))?;
        let op = job.take();
        self.pool.look(job);
        Ok(match op {
            None => NOTHING,
            Some(Op::Open(opened)) => {
                let Opened { kinds, names } = *opened;
                let places = self.ints.as_mut_slice().get_mut(..kinds.len());
                let places = places.ok_or_else(|| Error::internal("too many containers open at once"))?;
                for (place, kind) in places.iter_mut().zip(&kinds) {
                    *place = i32::from(*kind == Container::Object);
                }
                self.head.as_mut_slice()[COUNT] = kinds.len() as f64;
                self.text = names;
                OPEN
            }
            Some(Op::Close(levels)) => {
                self.head.as_mut_slice()[COUNT] = f64::from(levels);
                CLOSE
            }
            Some(Op::Shape(signature)) => self.told(SHAPE, &signature),
            Some(Op::Compiled(compiled)) => {
                let Compiled { within, count, group, raw } = *compiled;
                copy(&group.ints, self.ints.as_mut_slice())?;
                copy(&group.doubles, self.doubles.as_mut_slice())?;
                (self.text, self.raw) = (Units::Latin1(group.text), raw);
                self.head.as_mut_slice()[COUNT] = f64::from(count);
                if within == Container::Array { COMPILED_IN_ARRAY } else { COMPILED_IN_OBJECT }
            }
            Some(Op::Text(group)) => {
                self.text = group.text;
                if group.within == Container::Array { TEXT_IN_ARRAY } else { TEXT_IN_OBJECT }
            }
            Some(Op::BadLine(fault)) => self.fault(BAD_LINE, *fault),
            Some(Op::Document(document)) => {
                self.documents.retain(|_, document| document.strong_count() > 0);
                self.documents.insert(id, Arc::downgrade(&document));
                self.document = Some((id, document));
                DOCUMENT
            }
            Some(Op::Done) => DONE,
            Some(Op::Fault(fault)) => self.fault(FAULT, *fault),
            Some(Op::Damaged(why)) => self.told(DAMAGED, &why),
            Some(Op::Broken(why)) => self.told(BROKEN, &why),
        })
    }

    fn told(&mut self, code: i32, text: &str) -> i32 {
        self.text = narrow(text.as_bytes());
        code
    }

    fn fault(&mut self, code: i32, fault: Fault) -> i32 {
        let head = self.head.as_mut_slice();
        (head[POSITION], head[LINE], head[COLUMN]) = (fault.position as f64, fault.line as f64, fault.column as f64);
        head[KIND] = match fault.kind {
            FaultKind::Bytes => 1.0,
            FaultKind::Depth => 2.0,
            FaultKind::Keys => 3.0,
            FaultKind::TooLong => 4.0,
            FaultKind::Line => 5.0,
            _ => 0.0,
        };
        (self.text, self.raw) = (Units::from(fault.message), Units::from(fault.excerpt));
        code
    }
}

fn copy<T: Copy>(from: &[T], to: &mut [T]) -> Result<()> {
    let to = to.get_mut(..from.len()).ok_or_else(|| Error::internal("a group is larger than its stream"))?;
    to.copy_from_slice(from);
    Ok(())
}

fn text_value<const N: usize>(args: &Args<N>, text: &Units) -> Result<napi::sys::napi_value> {
    match text {
        Units::Latin1(units) => args.latin1(units),
        Units::Utf16(units) => args.utf16(units),
    }
}

/// `None` for an infinite limit.
fn limit(value: f64) -> Option<u64> {
    value.is_finite().then_some(value as u64)
}

/// The three limits that begin with argument `first`.
fn limits<const N: usize>(args: &Args<N>, first: usize) -> Result<Limits> {
    Ok(Limits {
        max_bytes: limit(args.f64(first)?),
        max_depth: limit(args.f64(first + 1)?).map(|depth| depth.min(u64::from(u32::MAX)) as u32),
        max_keys: limit(args.f64(first + 2)?),
    })
}

fn plan(goal: Goal, flags: u32, limits: Limits, group_bytes: usize) -> Plan {
    Plan { goal, compiled: flags & COMPILED != 0, inflate: flags & INFLATE != 0, limits, group_bytes }
}

/// Makes a pool of `threads` threads that calls `wake` when a job has something for the main thread, and when the
/// last thread has ended; `memory` is the head, the ints and the doubles of the steps.
#[napi(ts_return_type = "object")]
pub fn create_json_pool(env: Env, threads: u32, wake: Unknown, memory: Vec<Unknown>) -> napi::Result<raw::Object> {
    let env = env.raw();
    let [head, ints, doubles] = memory.as_slice() else {
        return Err(Error::argument("three shared arrays are due").into());
    };
    let wake = Wake::new(env, wake.raw())?;
    let waker = wake.waker();
    let pool = Pool::new(threads as usize, move || waker.wake())
        .map_err(|error| Error::internal(format!("no thread could start: {error}")))?;
    let state = State {
        pool,
        wake,
        jobs: HashMap::new(),
        documents: HashMap::new(),
        last_id: 0,
        head: Shared::new(env, head.raw())?,
        ints: Shared::new(env, ints.raw())?,
        doubles: Shared::new(env, doubles.raw())?,
        text: Units::default(),
        raw: Units::default(),
        document: None,
    };
    Ok(with_steps(with_jobs(Instance::new(env, state)?)?)?.finish())
}

fn with_jobs(instance: Instance<State>) -> Result<Instance<State>> {
    instance
        .function("open", |state, args: Args<8>| {
            let (goal, priority, flags) = (args.u32(0)?, args.u32(1)?, args.u32(2)?);
            let limits = limits(&args, 3)?;
            let goal = match goal {
                0 => Goal::Build,
                1 => Goal::Check,
                2 => Goal::Lines { skip_bad: flags & SKIP_BAD_LINES != 0, max_line_bytes: limit(args.f64(7)?) },
                _ => Goal::Keep,
            };
            let plan = plan(goal, flags, limits, args.u32(6)? as usize);
            Ok(state.start(plan, priority))
        })?
        .function("openPart", |state, args: Args<6>| {
            let range = args.f64(1)? as usize..args.f64(2)? as usize;
            let document = state.document(args.u32(0)?)?;
            if document.text().get(range.clone()).is_none() {
                return Err(Error::internal("a part lies outside of its document"));
            }
            let goal = Goal::Part(document, range);
            let (priority, flags) = (args.u32(3)?, args.u32(4)?);
            Ok(state.start(plan(goal, flags, Limits::default(), args.u32(5)? as usize), priority))
        })?
        .function("openColumn", |state, args: Args<5>| {
            let document = state.document(args.u32(0)?)?;
            let column = args.text(1, Column::parse)?.map_err(|error| Error::argument(error.to_string()))?;
            let goal = Goal::Column(document, column);
            let (priority, flags) = (args.u32(2)?, args.u32(3)?);
            Ok(state.start(plan(goal, flags, Limits::default(), args.u32(4)? as usize), priority))
        })?
        .function("pushText", |state, args: Args<2>| state.push(&args, Piece::Units(args.utf16_copy(1)?)))?
        .function("pushBytes", |state, args: Args<4>| {
            let (start, end) = (args.f64(2)? as usize, args.f64(3)? as usize);
            state.push(&args, Piece::Bytes(args.bytes_copy(1, start, end.saturating_sub(start))?))
        })?
        .function("end", |state, args: Args<1>| {
            let job = state.job(&args)?;
            job.end();
            state.pool.look(job);
            Ok(())
        })
}

fn with_steps(instance: Instance<State>) -> Result<Instance<State>> {
    instance
        .function("take", |state, args: Args<1>| state.take(args.u32(0)?))?
        .function("isHungry", |state, args: Args<1>| Ok(state.job(&args)?.is_hungry()))?
        .function("isIdle", |state, args: Args<1>| Ok(state.job(&args)?.is_idle()))?
        .function("text", |state, args: Args<0>| text_value(&args, &state.text))?
        .function("raw", |state, args: Args<0>| text_value(&args, &state.raw))?
        .function("check", |state, args: Args<4>| {
            let limits = limits(&args, 1)?;
            let mut text = Vec::new();
            let mut decoder = Utf16Decoder::default();
            args.text(0, |units| decoder.decode(units, &mut text))?;
            decoder.finish(&mut text);
            Ok(match check(&text, &limits) {
                Ok(()) => DONE,
                Err(fault) => state.fault(FAULT, fault),
            })
        })?
        .function("document", |state, args: Args<0>| match state.document.take() {
            Some((id, document)) => document_object(args.env(), id, document),
            None => Err(Error::internal("no document was taken")),
        })?
        .function("drop", |state, args: Args<1>| {
            if let Some(job) = state.jobs.remove(&args.u32(0)?) {
                job.cancel();
            }
            (state.text, state.raw) = Default::default();
            Ok(())
        })?
        .function("spent", |state, args: Args<1>| Ok(state.job(&args)?.spent().as_secs_f64() * 1_000.0))?
        .function("hold", |state, args: Args<1>| state.wake.hold(args.u32(0)? != 0))?
        .function("threads", |state, _: Args<0>| Ok(state.pool.live() as u32))?
        .function("close", |state, _: Args<0>| {
            for (_, job) in state.jobs.drain() {
                job.cancel();
            }
            state.pool.close();
            Ok(())
        })
}
