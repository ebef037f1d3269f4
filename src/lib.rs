//! The Node-API binding of keelson: converts, calls `keelson-core`, maps errors, and nothing else.
//!
//! Only factories are `#[napi]` functions. What a factory returns is an object of raw Node-API functions over
//! one native instance (see [`raw`]): a call of those costs about 10 ns, a `#[napi]` class method about 350.

mod breaker;
mod cache;
mod error;
mod json;
mod json_document;
mod json_text;
mod log;
mod mailbox;
mod metrics;
mod pool;
mod rate_limit;
mod rate_limit_batch;
mod rate_limit_plan;
mod raw;
mod redis;
mod redis_done;
mod redis_subscription;
mod router;
mod shared_cache;
mod shared_cache_batch;
mod timer;
mod wake;

use napi_derive::napi;

/// The version of keelson that this addon was built from; the facade refuses an addon of another version.
#[napi]
pub fn binding_version() -> &'static str {
    env!("KEELSON_VERSION")
}
