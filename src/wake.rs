//! Calls a JavaScript function from any thread.

use std::ffi::c_void;
use std::ptr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use napi::sys;

use crate::error::{Error, Result};

/// A function of the main thread that other threads may have called, through [`Waker`]s.
///
/// It does not keep the process alive unless [`Wake::hold`] says so.
pub(crate) struct Wake {
    env: sys::napi_env,
    shared: Arc<Shared>,
}

/// Has the function of a [`Wake`] called, from any thread.
#[derive(Clone)]
pub(crate) struct Waker(Arc<Shared>);

struct Shared {
    /// `None` once the environment is on its way out, or the [`Wake`] is gone.
    function: Mutex<Option<Handle>>,
}

struct Handle(sys::napi_threadsafe_function);

// SAFETY: Node-API makes these handles for use from any thread; the mutex around ours lets one use it at a time.
unsafe impl Send for Handle {}

impl Shared {
    fn function(&self) -> MutexGuard<'_, Option<Handle>> {
        self.function.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn check(status: sys::napi_status, call: &str) -> Result<()> {
    if status == sys::Status::napi_ok {
        return Ok(());
    }
    Err(Error::internal(format!("{call} failed with status {status}")))
}

/// Node deletes the function when the environment ends, whoever still holds it (before Node 22.13, even a thread in
/// the middle of a call). This hook was added after the function was made, and hence runs before that.
unsafe extern "C" fn forget(shared: *mut c_void) {
    // SAFETY: `Wake::new` gave a counted pointer, which is taken back only in `Wake::drop`.
    unsafe { &*shared.cast::<Shared>() }.function().take();
}

impl Wake {
    /// `callback` is called without arguments, on the thread of `env`, and lives as long as this does.
    pub(crate) fn new(env: sys::napi_env, callback: sys::napi_value) -> Result<Self> {
        Self::over(env, make(env, callback, None, ptr::null_mut(), None)?)
    }

    /// As `new`, but `callback` is whoever's who holds it, and is called no more once it was collected. For what nobody closes.
    pub(crate) fn weak(env: sys::napi_env, callback: sys::napi_value) -> Result<Self> {
        let mut reference = ptr::null_mut();
        // SAFETY: `env` is live; the reference, which holds nothing, is deleted by `let_go`.
        check(unsafe { sys::napi_create_reference(env, callback, 0, &mut reference) }, "referring to a function")?;
        Self::over(env, make(env, ptr::null_mut(), Some(call_weakly), reference.cast(), Some(let_go))?)
    }

    fn over(env: sys::napi_env, function: sys::napi_threadsafe_function) -> Result<Self> {
        let shared = Arc::new(Shared { function: Mutex::new(Some(Handle(function))) });
        let hook = Arc::into_raw(Arc::clone(&shared)).cast_mut().cast();
        // SAFETY: `env` is live, and `hook` stays valid until `Wake::drop` removes it.
        check(unsafe { sys::napi_add_env_cleanup_hook(env, Some(forget), hook) }, "adding a hook")?;
        Ok(Self { env, shared })
    }

    /// For another thread.
    pub(crate) fn waker(&self) -> Waker {
        Waker(Arc::clone(&self.shared))
    }

    /// Whether the process is to stay alive for calls that may come.
    pub(crate) fn hold(&self, hold: bool) -> Result<()> {
        let function = self.shared.function();
        let Some(Handle(handle)) = &*function else { return Ok(()) };
        // SAFETY: the handle is live while it is in its place, and a `Wake` never leaves the thread of `env`.
        let status = unsafe {
            if hold {
                sys::napi_ref_threadsafe_function(self.env, *handle)
            } else {
                sys::napi_unref_threadsafe_function(self.env, *handle)
            }
        };
        check(status, "holding the event loop")
    }
}

/// Calls the function that `reference` refers to, if there is one left.
unsafe extern "C" fn call_weakly(
    env: sys::napi_env,
    _function: sys::napi_value,
    reference: *mut c_void,
    _data: *mut c_void,
) {
    // Node empties the queue with a null pointer when the environment ends.
    if env.is_null() {
        return;
    }
    let (mut function, mut undefined, mut out) = (ptr::null_mut(), ptr::null_mut(), ptr::null_mut());
    // SAFETY: `env` is live, and `reference` is until `let_go`, after which Node does not call this. What the function throws
    // stays pending, and Node makes an uncaught exception of it.
    unsafe {
        let status = sys::napi_get_reference_value(env, reference.cast(), &mut function);
        if status != sys::Status::napi_ok || function.is_null() {
            return;
        }
        if sys::napi_get_undefined(env, &mut undefined) == sys::Status::napi_ok {
            sys::napi_call_function(env, undefined, function, 0, ptr::null(), &mut out);
        }
    }
}

unsafe extern "C" fn let_go(env: sys::napi_env, reference: *mut c_void, _hint: *mut c_void) {
    // SAFETY: Node calls this once, with what `Wake::weak` has made.
    unsafe { sys::napi_delete_reference(env, reference.cast()) };
}

fn make(
    env: sys::napi_env,
    callback: sys::napi_value,
    call: sys::napi_threadsafe_function_call_js,
    context: *mut c_void,
    end: sys::napi_finalize,
) -> Result<sys::napi_threadsafe_function> {
    let name = c"keelson";
    let (mut label, mut function) = (ptr::null_mut(), ptr::null_mut());
    // SAFETY: `env` is live, the name is readable for its length, and anything but a function is reported.
    unsafe {
        let length = name.count_bytes() as isize;
        check(sys::napi_create_string_utf8(env, name.as_ptr(), length, &mut label), "making a string")?;
        check(
            sys::napi_create_threadsafe_function(
                env,
                callback,
                ptr::null_mut(),
                label,
                0,
                1,
                context,
                end,
                context,
                call,
                &mut function,
            ),
            "making a function for other threads",
        )?;
        check(sys::napi_unref_threadsafe_function(env, function), "releasing the event loop")?;
    }
    Ok(function)
}

impl Drop for Wake {
    fn drop(&mut self) {
        let hook = Arc::as_ptr(&self.shared).cast_mut().cast();
        if let Some(Handle(handle)) = self.shared.function().take() {
            let mode = sys::ThreadsafeFunctionReleaseMode::release;
            // SAFETY: the environment is alive, or `forget` had taken the handle; this is its thread, and the
            // handle was neither released yet nor can anybody use it after this.
            unsafe {
                sys::napi_remove_env_cleanup_hook(self.env, Some(forget), hook);
                sys::napi_release_threadsafe_function(handle, mode);
            }
        }
        // SAFETY: takes back the count that `new` gave to the hook, which has run or was just removed.
        drop(unsafe { Arc::from_raw(hook.cast::<Shared>().cast_const()) });
    }
}

impl Waker {
    /// Has the function called soon. Does nothing once its thread is on its way out.
    pub(crate) fn wake(&self) {
        let function = self.0.function();
        let Some(Handle(handle)) = &*function else { return };
        let mode = sys::ThreadsafeFunctionCallMode::nonblocking;
        // SAFETY: the handle is live while it is in its place, and the lock keeps it there.
        unsafe { sys::napi_call_threadsafe_function(*handle, ptr::null_mut(), mode) };
    }
}
