//! Raw Node-API functions over a native instance.
//!
//! An [`Instance`] is a JavaScript object whose properties are functions that share one Rust value. Each
//! function owns a strong count of that value and gives it back when it is collected, so that the value lives
//! exactly as long as something can still call it, whichever function that is.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::ffi::{CString, c_void};
use std::marker::PhantomData;
use std::mem::MaybeUninit;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::rc::Rc;

use napi::bindgen_prelude::ToNapiValue;
use napi::sys;

use crate::error::{Error, Result};

/// Turns a failing status into an error that names the call.
fn check(status: sys::napi_status, call: &str) -> Result<()> {
    if status == sys::Status::napi_ok {
        return Ok(());
    }
    Err(Error::internal(format!("{call} failed with status {status}")))
}

/// Units that a thread keeps room for between calls: memory that is given back is cleared by the system when it is taken again.
const SCRATCH_ROOM: usize = 64 * 1024;

thread_local! {
    /// Room for longer strings; empty while it is in use.
    static SCRATCH: Cell<Vec<u16>> = const { Cell::new(Vec::new()) };
}

/// The arguments of one call, as many as the function declares.
pub(crate) struct Args<const N: usize> {
    env: sys::napi_env,
    values: [sys::napi_value; N],
}

impl<const N: usize> Args<N> {
    /// The environment of the running callback.
    pub(crate) fn env(&self) -> sys::napi_env {
        self.env
    }

    /// Argument `index` as it is.
    pub(crate) fn value(&self, index: usize) -> sys::napi_value {
        self.values[index]
    }

    /// Argument `index` as a double.
    pub(crate) fn f64(&self, index: usize) -> Result<f64> {
        let mut out = 0.0;
        // SAFETY: the value belongs to the running callback; a value of another type is reported, not read.
        check(unsafe { sys::napi_get_value_double(self.env, self.values[index], &mut out) }, "reading a number")?;
        Ok(out)
    }

    /// Argument `index` as an unsigned 32-bit integer, wrapped as JavaScript's `>>> 0` does.
    pub(crate) fn u32(&self, index: usize) -> Result<u32> {
        let mut out = 0;
        // SAFETY: as for `f64`.
        check(unsafe { sys::napi_get_value_uint32(self.env, self.values[index], &mut out) }, "reading an integer")?;
        Ok(out)
    }

    /// Calls `body` with argument `index`, a string, as UTF-16. Strings of up to 64 Ki units take no allocation.
    pub(crate) fn text<R>(&self, index: usize, body: impl FnOnce(&[u16]) -> R) -> Result<R> {
        const ROOM: usize = 256;
        let mut stack = [MaybeUninit::<u16>::uninit(); ROOM];
        let copied = self.copy_text(index, stack.as_mut_ptr().cast(), ROOM)?;
        if copied < ROOM - 1 {
            // SAFETY: Node wrote `copied` units at the start of `stack`.
            return Ok(body(unsafe { std::slice::from_raw_parts(stack.as_ptr().cast(), copied) }));
        }
        // What filled the room may go on beyond it.
        let mut scratch = SCRATCH.take();
        let length = self.copy_text(index, ptr::null_mut(), 0)?;
        scratch.clear();
        scratch.reserve(length + 1);
        let copied = self.copy_text(index, scratch.as_mut_ptr(), length + 1)?;
        // SAFETY: Node wrote `copied` units, fewer than there is room for.
        unsafe { scratch.set_len(copied) };
        let result = body(&scratch);
        if scratch.capacity() <= SCRATCH_ROOM {
            SCRATCH.set(scratch);
        }
        Ok(result)
    }

    /// Copies at most `room - 1` units and a NUL to `to`; to a null pointer it only tells the length.
    fn copy_text(&self, index: usize, to: *mut u16, room: usize) -> Result<usize> {
        let mut copied = 0;
        // SAFETY: the value belongs to the running callback, another type is reported, and both callers pass
        // memory for `room` units or null.
        let status = unsafe { sys::napi_get_value_string_utf16(self.env, self.values[index], to, room, &mut copied) };
        check(status, "reading a string")?;
        Ok(copied)
    }

    /// A JavaScript string of Latin-1 units.
    pub(crate) fn latin1(&self, units: &[u8]) -> Result<sys::napi_value> {
        let mut out = ptr::null_mut();
        let length = units.len() as isize;
        // SAFETY: `units` is readable for its length, and Node copies it.
        let status = unsafe { sys::napi_create_string_latin1(self.env, units.as_ptr().cast(), length, &mut out) };
        check(status, "making a string")?;
        Ok(out)
    }

    /// A JavaScript string of UTF-16 units.
    pub(crate) fn utf16(&self, units: &[u16]) -> Result<sys::napi_value> {
        let mut out = ptr::null_mut();
        let length = units.len() as isize;
        // SAFETY: as for `latin1`.
        let status = unsafe { sys::napi_create_string_utf16(self.env, units.as_ptr(), length, &mut out) };
        check(status, "making a string")?;
        Ok(out)
    }

    /// A JavaScript number.
    pub(crate) fn number(&self, number: f64) -> Result<sys::napi_value> {
        number.into_value(self.env)
    }

    /// A Buffer with a copy of `bytes`.
    pub(crate) fn buffer(&self, bytes: &[u8]) -> Result<sys::napi_value> {
        let mut out = ptr::null_mut();
        // SAFETY: `bytes` is readable for its length, and Node copies it.
        let status = unsafe {
            let data = bytes.as_ptr().cast();
            sys::napi_create_buffer_copy(self.env, bytes.len(), data, ptr::null_mut(), &mut out)
        };
        check(status, "making a Buffer")?;
        Ok(out)
    }

    /// A copy of argument `index`, a string, as UTF-16.
    pub(crate) fn utf16_copy(&self, index: usize) -> Result<Vec<u16>> {
        let length = self.copy_text(index, ptr::null_mut(), 0)?;
        // Node also writes a NUL.
        let mut units: Vec<u16> = Vec::with_capacity(length + 1);
        let copied = self.copy_text(index, units.as_mut_ptr(), length + 1)?;
        // SAFETY: Node wrote `copied` units, fewer than there is room for.
        unsafe { units.set_len(copied) };
        Ok(units)
    }

    /// Appends argument `index`, a string, as UTF-8. Surrogates without their other half become U+FFFD.
    pub(crate) fn append_utf8(&self, index: usize, to: &mut Vec<u8>) -> Result<()> {
        let units = self.copy_text(index, ptr::null_mut(), 0)?;
        // No unit takes more than three bytes, and Node also writes a NUL.
        let room = 3 * units + 1;
        to.reserve(room);
        let mut copied = 0;
        // SAFETY: the value belongs to the running callback and is a string, as `copy_text` has found; there is room for
        // `room` bytes behind what `to` has.
        let status = unsafe {
            let end = to.as_mut_ptr().add(to.len());
            sys::napi_get_value_string_utf8(self.env, self.values[index], end.cast(), room, &mut copied)
        };
        check(status, "reading a string")?;
        // SAFETY: Node wrote `copied` bytes there.
        unsafe { to.set_len(to.len() + copied) };
        Ok(())
    }

    /// A copy of a part of argument `index`, a Uint8Array, from `start` on and at most `length` bytes.
    pub(crate) fn bytes_copy(&self, index: usize, start: usize, length: usize) -> Result<Vec<u8>> {
        let (kind, size, data) = typed_array(self.env, self.values[index])?;
        if kind != u8::TYPE {
            return Err(Error::argument(format!("typed array of type {kind} where bytes are due")));
        }
        let count = length.min(size.saturating_sub(start));
        if count == 0 {
            return Ok(Vec::new());
        }
        // SAFETY: the array has `size` bytes, of which `count` from `start` on are within; JavaScript does not run.
        // Where another thread writes to shared memory meanwhile, any bytes are as good as others.
        Ok(unsafe { std::slice::from_raw_parts(data.cast::<u8>().add(start), count) }.to_vec())
    }

    /// Copies elements to argument `index`, a typed array, as many as it has room for.
    pub(crate) fn fill<T: Element>(&self, index: usize, elements: &[T]) -> Result<()> {
        let mut to: Shared<T> = self.shared(index)?;
        let count = elements.len().min(to.length);
        to.as_mut_slice()[..count].copy_from_slice(&elements[..count]);
        Ok(())
    }

    /// Calls argument `index`, a function, with `values`, of which null pointers stand for `undefined`, and gives what it returns.
    /// The state is borrowed meanwhile: what the function does must not come back here.
    pub(crate) fn call(&self, index: usize, values: &mut [sys::napi_value]) -> Result<sys::napi_value> {
        let (mut undefined, mut out) = (ptr::null_mut(), ptr::null_mut());
        // SAFETY: `env` is the environment of the running callback.
        check(unsafe { sys::napi_get_undefined(self.env, &mut undefined) }, "getting undefined")?;
        values.iter_mut().filter(|value| value.is_null()).for_each(|value| *value = undefined);
        let (function, count, values) = (self.values[index], values.len(), values.as_ptr());
        // SAFETY: all values are of the running callback, and anything but a function is reported.
        let status = unsafe { sys::napi_call_function(self.env, undefined, function, count, values, &mut out) };
        check(status, "calling a function")?;
        Ok(out)
    }

    /// Argument `index` as a typed array whose memory both sides use from now on.
    pub(crate) fn shared<T: Element>(&self, index: usize) -> Result<Shared<T>> {
        Shared::new(self.env, self.values[index])
    }
}

/// Type, length and memory of a typed array; anything else is an error.
fn typed_array(env: sys::napi_env, value: sys::napi_value) -> Result<(sys::napi_typedarray_type, usize, *mut c_void)> {
    let (mut kind, mut length, mut data) = (0, 0, ptr::null_mut());
    let (buffer, offset) = (ptr::null_mut(), ptr::null_mut());
    // SAFETY: `value` belongs to the running callback; anything but a typed array is reported.
    let status =
        unsafe { sys::napi_get_typedarray_info(env, value, &mut kind, &mut length, &mut data, buffer, offset) };
    check(status, "reading a typed array")?;
    Ok((kind, length, data))
}

/// What a raw function may return.
pub(crate) trait Return {
    /// The JavaScript value; a null pointer stands for `undefined`.
    fn into_value(self, env: sys::napi_env) -> Result<sys::napi_value>;
}

impl Return for () {
    fn into_value(self, _env: sys::napi_env) -> Result<sys::napi_value> {
        Ok(ptr::null_mut())
    }
}

impl Return for sys::napi_value {
    fn into_value(self, _env: sys::napi_env) -> Result<sys::napi_value> {
        Ok(self)
    }
}

impl Return for i32 {
    fn into_value(self, env: sys::napi_env) -> Result<sys::napi_value> {
        let mut out = ptr::null_mut();
        // SAFETY: `env` is the environment of the running callback.
        check(unsafe { sys::napi_create_int32(env, self, &mut out) }, "making an integer")?;
        Ok(out)
    }
}

impl Return for u32 {
    fn into_value(self, env: sys::napi_env) -> Result<sys::napi_value> {
        let mut out = ptr::null_mut();
        // SAFETY: `env` is the environment of the running callback.
        check(unsafe { sys::napi_create_uint32(env, self, &mut out) }, "making an integer")?;
        Ok(out)
    }
}

impl Return for f64 {
    fn into_value(self, env: sys::napi_env) -> Result<sys::napi_value> {
        let mut out = ptr::null_mut();
        // SAFETY: `env` is the environment of the running callback.
        check(unsafe { sys::napi_create_double(env, self, &mut out) }, "making a number")?;
        Ok(out)
    }
}

impl Return for bool {
    fn into_value(self, env: sys::napi_env) -> Result<sys::napi_value> {
        let mut out = ptr::null_mut();
        // SAFETY: `env` is the environment of the running callback.
        check(unsafe { sys::napi_get_boolean(env, self, &mut out) }, "making a boolean")?;
        Ok(out)
    }
}

/// Calls `body`, and turns an error or a panic into a pending JavaScript exception.
fn guard<R: Return>(env: sys::napi_env, body: impl FnOnce() -> Result<R>) -> sys::napi_value {
    let outcome = catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|panic| Err(Error::internal(describe(&*panic))));
    match outcome.and_then(|value| value.into_value(env)) {
        Ok(value) => value,
        Err(error) => {
            error.throw(env);
            ptr::null_mut()
        }
    }
}

fn describe(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    format!("keelson hit a bug: {}. Please report it with the steps that lead here.", text.unwrap_or("unknown panic"))
}

/// A value of the zero-sized function type `F`.
fn conjure<F: Copy>() -> F {
    const { assert!(size_of::<F>() == 0, "raw functions capture nothing") };
    // SAFETY: a zero-sized `Copy` type has no bytes to be wrong; it was passed by value to `function`, so it
    // is inhabited.
    unsafe { ptr::NonNull::<F>::dangling().read() }
}

unsafe extern "C" fn method<T, R, F, const N: usize>(
    env: sys::napi_env,
    info: sys::napi_callback_info,
) -> sys::napi_value
where
    R: Return,
    F: Fn(&mut T, Args<N>) -> Result<R> + Copy,
{
    guard(env, || {
        let (mut argc, mut values, mut data) = (N, [ptr::null_mut(); N], ptr::null_mut());
        // SAFETY: `info` belongs to this callback, and `values` has room for the `argc` values asked for.
        let status =
            unsafe { sys::napi_get_cb_info(env, info, &mut argc, values.as_mut_ptr(), ptr::null_mut(), &mut data) };
        check(status, "reading the arguments")?;
        // SAFETY: `Instance::function` stored a counted `Rc<RefCell<T>>` pointer, released only when this
        // function object is collected, which it is not while it runs.
        let cell = unsafe { &*data.cast::<RefCell<T>>() };
        let mut state = cell.try_borrow_mut().map_err(|_| Error::internal("a native call was re-entered"))?;
        conjure::<F>()(&mut state, Args { env, values })
    })
}

unsafe extern "C" fn release<T>(_env: sys::napi_env, data: *mut c_void, _hint: *mut c_void) {
    // SAFETY: `data` came from `Rc::into_raw` for exactly this function object, and Node calls a finalizer once.
    drop(unsafe { Rc::from_raw(data.cast::<RefCell<T>>().cast_const()) });
}

type Callback = unsafe extern "C" fn(sys::napi_env, sys::napi_callback_info) -> sys::napi_value;

/// Sets `name` on `target` to a function, and returns the function.
fn define(
    env: sys::napi_env,
    target: sys::napi_value,
    name: &'static str,
    callback: sys::napi_callback,
    data: *mut c_void,
) -> Result<sys::napi_value> {
    let text = CString::new(name).map_err(|_| Error::internal("a function name holds a NUL"))?;
    let mut function = ptr::null_mut();
    // SAFETY: `env` is live, `text` outlives both calls, and `callback` has the signature Node-API asks for.
    unsafe {
        check(
            sys::napi_create_function(env, text.as_ptr(), name.len() as isize, callback, data, &mut function),
            "making a function",
        )?;
        check(sys::napi_set_named_property(env, target, text.as_ptr(), function), "naming a function")?;
    }
    Ok(function)
}

/// A JavaScript object under construction whose functions share one `T`.
pub(crate) struct Instance<T> {
    env: sys::napi_env,
    object: sys::napi_value,
    state: Rc<RefCell<T>>,
}

impl<T: 'static> Instance<T> {
    /// An object without functions yet.
    pub(crate) fn new(env: sys::napi_env, state: T) -> Result<Self> {
        let mut object = ptr::null_mut();
        // SAFETY: `env` is the environment of the running callback.
        check(unsafe { sys::napi_create_object(env, &mut object) }, "making an object")?;
        Ok(Self { env, object, state: Rc::new(RefCell::new(state)) })
    }

    /// Adds a function that works on the shared value. `body` must capture nothing.
    pub(crate) fn function<R, F, const N: usize>(self, name: &'static str, _body: F) -> Result<Self>
    where
        R: Return,
        F: Fn(&mut T, Args<N>) -> Result<R> + Copy,
    {
        let data = Rc::into_raw(Rc::clone(&self.state));
        let tied = self.tie(name, method::<T, R, F, N>, data.cast_mut().cast());
        if tied.is_err() {
            // A worker that is being terminated makes no properties: what lives in the state must not outlive that.
            // SAFETY: takes back what `into_raw` gave, since no finalizer will. A function that has it already is
            // unreachable, as this object is never finished.
            drop(unsafe { Rc::from_raw(data) });
        }
        tied.map(|()| self)
    }

    fn tie(&self, name: &'static str, method: Callback, data: *mut c_void) -> Result<()> {
        let function = define(self.env, self.object, name, Some(method), data)?;
        // SAFETY: `function` is the live function that carries `data`; `release` undoes its `into_raw` once.
        let status = unsafe {
            sys::napi_add_finalizer(self.env, function, data, Some(release::<T>), ptr::null_mut(), ptr::null_mut())
        };
        check(status, "tying a native value to its function")
    }

    /// The finished object.
    pub(crate) fn finish(self) -> Object {
        Object(self.object)
    }
}

/// A finished object, as a `#[napi]` function returns it.
pub struct Object(sys::napi_value);

impl Return for Object {
    fn into_value(self, _env: sys::napi_env) -> Result<sys::napi_value> {
        Ok(self.0)
    }
}

impl ToNapiValue for Object {
    unsafe fn to_napi_value(_env: sys::napi_env, object: Self) -> napi::Result<sys::napi_value> {
        Ok(object.0)
    }
}

/// An element type that a typed array and Rust agree upon.
pub(crate) trait Element: Copy {
    /// The typed array type of Node-API.
    const TYPE: sys::napi_typedarray_type;
}

macro_rules! element {
    ($($rust:ty => $napi:ident),* $(,)?) => {
        $(impl Element for $rust {
            const TYPE: sys::napi_typedarray_type = sys::TypedarrayType::$napi;
        })*
    };
}

element! { u8 => uint8_array, i32 => int32_array, u32 => uint32_array, f64 => float64_array }

/// A typed array made by JavaScript, kept alive, and read and written by both sides.
///
/// JavaScript and the binding run on one thread and take turns, so an access races with nothing. The facade
/// never hands these arrays to users, so that nobody can detach them.
pub(crate) struct Shared<T> {
    env: sys::napi_env,
    reference: sys::napi_ref,
    data: *mut T,
    length: usize,
    _element: PhantomData<T>,
}

impl<T: Element> Shared<T> {
    /// Takes the typed array `value` into use.
    pub(crate) fn new(env: sys::napi_env, value: sys::napi_value) -> Result<Self> {
        let (kind, length, data) = typed_array(env, value)?;
        if kind != T::TYPE {
            return Err(Error::argument(format!("typed array of type {kind} where {} is due", T::TYPE)));
        }
        let mut reference = ptr::null_mut();
        // SAFETY: `value` is a live object; the strong reference keeps its memory until `drop`.
        check(unsafe { sys::napi_create_reference(env, value, 1, &mut reference) }, "holding a typed array")?;
        Ok(Self { env, reference, data: data.cast(), length, _element: PhantomData })
    }

    /// The elements, for the length of this call.
    pub(crate) fn as_slice(&self) -> &[T] {
        if self.length == 0 {
            return &[];
        }
        // SAFETY: the reference keeps `length` elements alive and in place, every bit pattern is a `T`, and
        // JavaScript does not run while this borrow of the binding's state lasts.
        unsafe { std::slice::from_raw_parts(self.data, self.length) }
    }

    /// The elements, to write.
    pub(crate) fn as_mut_slice(&mut self) -> &mut [T] {
        if self.length == 0 {
            return &mut [];
        }
        // SAFETY: as for `as_slice`; `&mut self` keeps this side from holding a second borrow.
        unsafe { std::slice::from_raw_parts_mut(self.data, self.length) }
    }
}

impl<T> Drop for Shared<T> {
    fn drop(&mut self) {
        // SAFETY: runs in a raw function or in a finalizer, both on the environment's own thread, once.
        unsafe { sys::napi_delete_reference(self.env, self.reference) };
    }
}
