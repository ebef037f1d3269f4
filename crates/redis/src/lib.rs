//! Lua scripts on Redis: batches of calls from any thread, with deadlines that hold whatever happens. And channels of
//! Redis that are listened to.
//!
//! A [`Link`] leads to one server, to the master that Sentinels name, or to a Cluster. redis-rs reads and writes the
//! protocol; when to connect, where a call goes, what is sent again and when a batch is done is decided here, on one
//! thread for all links of the process.

mod backlog;
mod backoff;
mod call;
mod cluster;
mod connect;
mod counts;
mod dial;
mod ear;
mod failure;
mod job;
mod link;
mod node;
mod options;
mod slots;
mod source;
mod store;
mod subscription;
mod thread;
mod tls;
mod tls_verifiers;
mod verdict;

pub use backlog::{Event, MAX_BYTES, MAX_MESSAGES};
pub use call::{Call, Reply, Script};
pub use counts::Counts;
pub use ear::PULSE;
pub use failure::Failure;
pub use link::{Link, MAX_IN_FLIGHT, Terms, Work};
pub use options::{Address, BadOptions, Login, Options, Tls, Topology};
pub use store::Layout;
pub use subscription::Subscription;
pub use tokio::time::Instant;
