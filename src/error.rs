//! Errors of the binding: a stable code and a message, thrown into JavaScript.

use std::ffi::CString;

use napi::sys;

/// An error on its way to JavaScript, where it becomes an `Error` with this `code`.
///
/// The facade checks its arguments before it calls, so what arrives here is a mistake inside keelson or an
/// exhausted resource. Only route patterns are checked in Rust; the facade turns those errors into its own.
#[derive(Debug)]
pub(crate) struct Error {
    code: &'static str,
    message: String,
}

/// The result of a raw function.
pub(crate) type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// The caller passed something that the facade should never let through.
    pub(crate) fn argument(message: impl Into<String>) -> Self {
        Self { code: "ERR_KEELSON_INVALID_ARGUMENT", message: message.into() }
    }

    /// A file that a log needs to begin with cannot be made.
    pub(crate) fn log(message: impl Into<String>) -> Self {
        Self { code: "ERR_KEELSON_LOG", message: message.into() }
    }

    /// A broken invariant or a failing Node-API call.
    pub(crate) fn internal(message: impl Into<String>) -> Self {
        Self { code: "ERR_KEELSON_INTERNAL", message: message.into() }
    }

    /// Makes this the pending exception of `env`.
    pub(crate) fn throw(self, env: sys::napi_env) {
        let text = |value: &str| CString::new(value.replace('\0', " ")).unwrap_or_default();
        let (code, message) = (text(self.code), text(&self.message));
        // SAFETY: `env` is the environment of the running callback, and both strings outlive the call.
        unsafe { sys::napi_throw_error(env, code.as_ptr(), message.as_ptr()) };
    }
}

impl From<Error> for napi::Error {
    fn from(error: Error) -> Self {
        Self::from_reason(format!("{}: {}", error.code, error.message))
    }
}
