//! Collects a long text from pieces outside of V8's heap, and makes one string of it. See lib/json/stringify/collect.ts.

use std::ffi::{c_char, c_void};
use std::ptr;
use std::sync::OnceLock;

use napi::bindgen_prelude::Env;
use napi::sys;
use napi_derive::napi;

use crate::error::{Error, Result};
use crate::raw::{self, Args, Instance};

/// Shorter texts are copied: a string of its own heap is handier to V8, and the copy takes less than a millisecond.
const EXTERNAL_UNITS: usize = 1 << 20;

/// `node_api_create_external_string_latin1` and `..._utf16`, for one type of unit.
type MakeExternal = unsafe extern "C" fn(
    env: sys::napi_env,
    text: *mut c_char,
    length: usize,
    finalize: unsafe extern "C" fn(sys::napi_env, *mut c_void, *mut c_void),
    hint: *mut c_void,
    result: *mut sys::napi_value,
    copied: *mut bool,
) -> sys::napi_status;

/// Makers of strings whose text stays where it is: Node has them from 20.4 on.
struct Makers {
    latin1: MakeExternal,
    utf16: MakeExternal,
}

/// `None` on an older Node.
fn makers() -> Option<&'static Makers> {
    static MAKERS: OnceLock<Option<Makers>> = OnceLock::new();
    MAKERS.get_or_init(find_makers).as_ref()
}

fn find_makers() -> Option<Makers> {
    #[cfg(unix)]
    let host = libloading::os::unix::Library::this();
    #[cfg(windows)]
    let host = libloading::os::windows::Library::this().ok()?;
    // SAFETY: these names have had this one signature ever since Node has them; the host outlives the addon.
    unsafe {
        Some(Makers {
            latin1: *host.get::<MakeExternal>(b"node_api_create_external_string_latin1\0").ok()?,
            utf16: *host.get::<MakeExternal>(b"node_api_create_external_string_utf16\0").ok()?,
        })
    }
}

/// The pieces so far.
enum Text {
    /// No unit was above U+00FF.
    Latin1(Vec<u8>),
    Utf16(Vec<u16>),
}

impl Text {
    fn push(&mut self, units: &[u16]) {
        match self {
            Self::Latin1(text) if units.iter().fold(0, |all, unit| all | unit) <= 0xff => {
                text.extend(units.iter().map(|&unit| unit as u8));
            }
            Self::Latin1(text) => {
                let mut wide: Vec<u16> = Vec::with_capacity(text.len() * 2 + units.len());
                wide.extend(text.iter().map(|&unit| u16::from(unit)));
                wide.extend_from_slice(units);
                *self = Self::Utf16(wide);
            }
            Self::Utf16(text) => text.extend_from_slice(units),
        }
    }
}

unsafe extern "C" fn release<T>(_env: sys::napi_env, _data: *mut c_void, hint: *mut c_void) {
    // SAFETY: `external` gave this vector's box as the hint, and Node calls a finalizer once.
    drop(unsafe { Box::from_raw(hint.cast::<Vec<T>>()) });
}

/// A string over `text` where it is, which it frees when it is collected.
fn external<T>(env: sys::napi_env, make: MakeExternal, text: Vec<T>) -> Result<sys::napi_value> {
    let mut text = Box::new(text);
    let (data, length) = (text.as_mut_ptr().cast(), text.len());
    let (mut out, mut copied) = (ptr::null_mut(), false);
    let hint = Box::into_raw(text).cast();
    // SAFETY: `data` is readable for `length` units until `release` is called, once: by Node, or below.
    unsafe {
        let status = make(env, data, length, release::<T>, hint, &mut out, &mut copied);
        if status != sys::Status::napi_ok {
            release::<T>(env, ptr::null_mut(), hint);
            return Err(Error::internal(format!("making a string failed with status {status}")));
        }
    }
    Ok(out)
}

fn finish<const N: usize>(args: &Args<N>, text: Text) -> Result<sys::napi_value> {
    match (text, makers()) {
        (Text::Latin1(text), Some(makers)) if text.len() >= EXTERNAL_UNITS => external(args.env(), makers.latin1, text),
        (Text::Utf16(text), Some(makers)) if text.len() >= EXTERNAL_UNITS => external(args.env(), makers.utf16, text),
        (Text::Latin1(text), _) => args.latin1(&text),
        (Text::Utf16(text), _) => args.utf16(&text),
    }
}

/// Makes a collector of one text.
#[napi(ts_return_type = "object")]
pub fn create_json_text(env: Env) -> napi::Result<raw::Object> {
    let instance = Instance::new(env.raw(), Text::Latin1(Vec::new()))?
        .function("push", |text, args: Args<1>| {
            let units = args.utf16_copy(0)?;
            text.push(&units);
            Ok(())
        })?
        .function("finish", |text, args: Args<0>| finish(&args, std::mem::replace(text, Text::Latin1(Vec::new()))))?;
    Ok(instance.finish())
}
