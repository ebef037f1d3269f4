//! The algorithms of keelson in pure Rust: no Node-API, no files or sockets, no clock to decide by.
//!
//! Every structure that depends on time takes it as an argument, so that tests advance it by hand. The threads of the
//! JSON pool measure how long they work, and tell that to whoever asks; nothing depends on it.

pub mod breaker;
pub mod cache;
#[cfg(any(test, fuzzing))]
pub mod choices;
pub mod json;
pub mod latency;
pub mod metrics;
pub mod pool;
pub mod rate_limit;
pub mod router;
pub mod timer;
