//! The binding of documents that stay text: see lib/json/document.ts.

use std::ops::Range;
use std::sync::Arc;

use keelson_core::json::document::{Document, Kind, Pattern, Pointer, PointerError, unescape};
use keelson_core::json::text::{Units, narrow};
use napi::sys;

use crate::error::{Error, Result};
use crate::raw::{Args, Instance, Object};

// What `find` and `checkPattern` answer apart from kinds; lib/json/document.ts repeats all of them.
const MISSING: i32 = -1;
const NO_SLASH: i32 = -2;
const BAD_ESCAPE: i32 = -3;

/// Characters of a number that is parsed here.
const MAX_DIGITS: usize = 1_000;

struct State {
    env: sys::napi_env,
    document: Option<Arc<Document>>,
    /// What V8 was told that it keeps alive, in bytes.
    held: i64,
    /// The value found last.
    value: Range<usize>,
    /// Where the element after those that were read last begins; 0 where there is none.
    next: usize,
    /// Where the members' values of the object whose names were read last begin.
    values: Vec<usize>,
}

impl State {
    fn document(&self) -> Result<&Document> {
        self.document.as_deref().ok_or_else(|| Error::internal("the document is closed"))
    }

    /// Lets the garbage collector know of memory that it cannot see.
    fn hold(&mut self, bytes: i64) {
        let mut total = 0;
        // SAFETY: `env` is the environment on whose thread this runs; its finalizers may call this too.
        unsafe { sys::napi_adjust_external_memory(self.env, bytes - self.held, &mut total) };
        self.held = bytes;
    }

    fn close(&mut self) {
        if self.document.take().is_some() {
            self.hold(0);
        }
    }

    fn find(&mut self, pointer: &[u16]) -> Result<i32> {
        let pointer = match Pointer::parse(pointer) {
            Ok(pointer) => pointer,
            Err(error) => return Ok(fault(error)),
        };
        let document = self.document()?;
        let Some(value) = document.locate(&pointer) else { return Ok(MISSING) };
        let kind = document.kind(&value);
        self.value = value;
        Ok(number_of(kind))
    }

    /// The text of the value found last.
    fn found(&self) -> Result<&[u8]> {
        Ok(&self.document()?.text()[self.value.clone()])
    }

    /// NaN for a number of so many digits that Rust's parser, which bounds exponents, may differ from JavaScript's.
    fn number(&self) -> Result<f64> {
        if self.value.len() > MAX_DIGITS {
            return Ok(f64::NAN);
        }
        let text = std::str::from_utf8(self.found()?).ok().and_then(|text| text.parse().ok());
        text.ok_or_else(|| Error::internal("the value found last is not a number"))
    }

    /// The names of the object found last, as a JSON array.
    fn keys(&mut self) -> Result<Vec<u8>> {
        let document = self.document()?;
        let members = document.members(&self.value).unwrap_or_default();
        let mut names = vec![b'['];
        for member in &members {
            if names.len() > 1 {
                names.push(b',');
            }
            names.extend_from_slice(&document.text()[member.name.clone()]);
        }
        names.push(b']');
        self.values = members.into_iter().map(|member| member.value).collect();
        Ok(names)
    }

    /// The texts of values that begin at `starts`, until they make `limit` bytes, as a JSON array.
    fn values(&self, starts: &[f64], limit: usize) -> Result<Vec<u8>> {
        let document = self.document()?;
        let mut texts = vec![b'['];
        for start in starts {
            if texts.len() >= limit {
                break;
            }
            if texts.len() > 1 {
                texts.push(b',');
            }
            let start = *start as usize;
            texts.extend_from_slice(&document.text()[start..document.end(start)]);
        }
        texts.push(b']');
        Ok(texts)
    }
}

impl Drop for State {
    fn drop(&mut self) {
        self.close();
    }
}

fn number_of(kind: Kind) -> i32 {
    match kind {
        Kind::Null => 0,
        Kind::False => 1,
        Kind::True => 2,
        Kind::Number => 3,
        Kind::String => 4,
        Kind::Array => 5,
        Kind::Object => 6,
    }
}

fn fault(error: PointerError) -> i32 {
    if error == PointerError::NoSlash { NO_SLASH } else { BAD_ESCAPE }
}

/// A JavaScript string of WTF-8.
fn text_value<const N: usize>(args: &Args<N>, text: &[u8]) -> Result<sys::napi_value> {
    if text.is_ascii() {
        return args.latin1(text);
    }
    match narrow(text) {
        Units::Latin1(units) => args.latin1(&units),
        Units::Utf16(units) => args.utf16(&units),
    }
}

/// Makes the native part of a `JSONDocument`; `id` is what its pool knows the document by.
pub(crate) fn document_object(env: sys::napi_env, id: u32, document: Arc<Document>) -> Result<Object> {
    let bytes = i64::try_from(document.memory()).unwrap_or(i64::MAX);
    let mut state = State { env, document: Some(document), held: 0, value: 0..0, next: 0, values: Vec::new() };
    state.hold(bytes);
    Ok(with_children(with_values(Instance::new(env, (id, state))?)?)?.finish())
}

fn with_values(instance: Instance<(u32, State)>) -> Result<Instance<(u32, State)>> {
    instance
        .function("id", |(id, _), _: Args<0>| Ok(*id))?
        .function("find", |(_, state), args: Args<1>| args.text(0, |pointer| state.find(pointer))?)?
        .function("checkPattern", |_, args: Args<1>| {
            args.text(0, |pattern| Pattern::parse(pattern).map_or_else(fault, |_| 0))
        })?
        .function("start", |(_, state), _: Args<0>| Ok(state.value.start as f64))?
        .function("end", |(_, state), _: Args<0>| Ok(state.value.end as f64))?
        .function("number", |(_, state), _: Args<0>| state.number())?
        .function("string", |(_, state), args: Args<0>| text_value(&args, &unescape(state.found()?)))?
        .function("raw", |(_, state), args: Args<0>| text_value(&args, state.found()?))?
        .function("bytes", |(_, state), _: Args<0>| Ok(state.held as f64))?
        .function("close", |(_, state), _: Args<0>| {
            state.close();
            Ok(())
        })
}

fn with_children(instance: Instance<(u32, State)>) -> Result<Instance<(u32, State)>> {
    instance
        .function("length", |(_, state), _: Args<0>| {
            let length = state.document()?.length(&state.value);
            Ok(length.map_or(-1.0, |length| length as f64))
        })?
        .function("keys", |(_, state), args: Args<0>| text_value(&args, &state.keys()?))?
        .function("starts", |(_, state), args: Args<1>| {
            let mut out = args.shared::<f64>(0)?;
            for (to, start) in out.as_mut_slice().iter_mut().zip(&state.values) {
                *to = *start as f64;
            }
            state.values = Vec::new();
            Ok(())
        })?
        .function("values", |(_, state), args: Args<3>| {
            let (starts, from) = (args.shared::<f64>(0)?, args.u32(1)? as usize);
            text_value(&args, &state.values(&starts.as_slice()[from..], args.u32(2)? as usize)?)
        })?
        .function("first", |(_, state), _: Args<0>| {
            Ok(state.document()?.first(&state.value).unwrap_or_default() as f64)
        })?
        .function("elements", |(_, state), args: Args<2>| {
            let (first, limit) = (args.f64(0)? as usize, args.u32(1)? as usize);
            let document = state.document()?;
            let (range, next) = document.elements(first, limit);
            let text = text_value(&args, &document.text()[range]);
            state.next = next.unwrap_or_default();
            text
        })?
        .function("next", |(_, state), _: Args<0>| Ok(state.next as f64))
}
