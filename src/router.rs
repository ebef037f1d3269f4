//! The binding of the router: patterns in, shapes and one flat table out. What `declare` returns is text, since
//! one string costs less to make than the objects that it stands for.

use keelson_core::router::{CompileError, Options, PatternError, Router, Variant};
use napi::bindgen_prelude::Env;
use napi_derive::napi;

use crate::error::{Error, Result};
use crate::raw::{self, Args, Instance};

// Bits of `create_router`'s flags.
const CASE_INSENSITIVE: u32 = 1;
const KEEP_TRAILING_SLASH: u32 = 2;
const KEEP_DUPLICATE_SLASHES: u32 = 4;

const FIELD: u16 = 0;
const VARIANT: u16 = b'\n' as u16;

struct State {
    router: Router,
    /// The table compiled last, until it is taken.
    table: Vec<i32>,
    description: Vec<u16>,
    latin1: Vec<u8>,
}

impl From<PatternError> for Error {
    fn from(error: PatternError) -> Self {
        Self::argument(error.to_string())
    }
}

impl From<CompileError> for Error {
    fn from(error: CompileError) -> Self {
        Self::internal(format!("the routes do not compile: {error}"))
    }
}

impl State {
    fn declare(&mut self, pattern: &[u16]) -> std::result::Result<(), PatternError> {
        let Self { router, description, .. } = self;
        description.clear();
        router.declare(pattern, |variant| describe(variant, description))
    }

    /// The description as JavaScript's own strings are: a byte a unit where that is enough. Names become keys of
    /// objects, and those of two bytes a unit would cost more for as long as they live.
    fn description<const N: usize>(&mut self, args: &Args<N>) -> Result<napi::sys::napi_value> {
        let Self { description, latin1, .. } = self;
        if description.iter().any(|unit| *unit > 0xff) {
            return args.utf16(description);
        }
        latin1.clear();
        latin1.extend(description.iter().map(|unit| *unit as u8));
        args.latin1(latin1)
    }
}

/// Adds a variant's fields: the shape, the flags, the pattern, the names.
fn describe(variant: &Variant<'_>, to: &mut Vec<u16>) {
    if !to.is_empty() {
        to.push(VARIANT);
    }
    for number in [variant.shape, variant.flags] {
        push_number(to, number);
        to.push(FIELD);
    }
    to.extend_from_slice(variant.pattern);
    for name in variant.names {
        to.push(FIELD);
        to.extend_from_slice(name);
    }
}

/// Writes a number in decimal digits.
fn push_number(to: &mut Vec<u16>, number: u32) {
    let start = to.len();
    let mut rest = number;
    while {
        to.push(u16::from(b'0') + (rest % 10) as u16);
        rest /= 10;
        rest > 0
    } {}
    to[start..].reverse();
}

/// Makes the compiler of a `RouteTrie`. Flags: 1 case-insensitive, 2 keep trailing slashes, 4 keep doubled ones.
#[napi(ts_return_type = "object")]
pub fn create_router(env: Env, flags: u32) -> napi::Result<raw::Object> {
    let options = Options {
        case_insensitive: flags & CASE_INSENSITIVE != 0,
        keep_trailing_slash: flags & KEEP_TRAILING_SLASH != 0,
        keep_duplicate_slashes: flags & KEEP_DUPLICATE_SLASHES != 0,
    };
    let state = State { router: Router::new(options), table: Vec::new(), description: Vec::new(), latin1: Vec::new() };
    let instance = Instance::new(env.raw(), state)?
        .function("declare", |state, args: Args<1>| {
            args.text(0, |pattern| state.declare(pattern))??;
            state.description(&args)
        })?
        .function("retain", |state, args: Args<1>| {
            let shape = args.u32(0)?;
            if state.router.retain(shape) { Ok(()) } else { Err(Error::internal(format!("shape {shape} is free"))) }
        })?
        .function("release", |state, args: Args<1>| {
            let shape = args.u32(0)?;
            if state.router.release(shape) { Ok(()) } else { Err(Error::internal(format!("shape {shape} is free"))) }
        })?
        .function("compile", |state, args: Args<1>| {
            let pairs = args.shared::<i32>(0)?;
            state.table = state.router.compile(pairs.as_slice().as_chunks().0)?;
            Ok(state.table.len() as u32)
        })?
        .function("take", |state, args: Args<1>| {
            let table = std::mem::take(&mut state.table);
            let mut out = args.shared::<i32>(0)?;
            let length = out.as_slice().len();
            if length != table.len() {
                return Err(Error::internal(format!("a table of {} does not fit an array of {length}", table.len())));
            }
            out.as_mut_slice().copy_from_slice(&table);
            Ok(())
        })?
        .function("matchMixed", |state, args: Args<3>| {
            let (id, mut out) = (args.u32(0)?, args.shared::<i32>(2)?);
            let matched = args.text(1, |text| state.router.match_mixed(id, text, out.as_mut_slice()))?;
            matched.ok_or_else(|| Error::internal(format!("matcher {id} is free, or has more parameters")))
        })?;
    Ok(instance.finish())
}
