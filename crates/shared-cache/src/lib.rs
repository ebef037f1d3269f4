//! One cache for all threads of a process: opened by name from any of them, in memory that Rust owns.
//!
//! [`open`] gives a [`Handle`]; all handles of a name lead to one [`SharedCache`], and the last one that is dropped frees what
//! is stored. Keys and tags are UTF-16, lone surrogates included. Values are bytes whose meaning only their writer knows, and who
//! stores them may have them compressed: outside of all locks, as whoever reads them has the opposite done.
//!
//! Nothing here reads a clock: time is an argument, `now`, in milliseconds, finite and the same for all threads. An entry is
//! live while `now` is not beyond its expiry. A time to live is in milliseconds too: `None` or infinite for ever, and what is
//! negative or not a number counts as 0.
//!
//! The cache is divided into shards by a hash of the key, each behind a lock of its own. What concerns one key is atomic. What
//! concerns all keys visits the shards one after another.

#![forbid(unsafe_code)]

mod bytes;
mod cache;
mod flight;
mod flights;
mod options;
mod packing;
mod pool;
mod registry;
mod shard;
mod size;
mod snapshot;
mod stats;
mod store;
mod sync;
mod tags;
mod value;

pub use cache::SharedCache;
pub use flight::{Flight, Joined, Landed, Landing, LeadTicket};
pub use keelson_core::cache::Policy;
pub use options::{InvalidOptions, LEAST_BYTES, LEAST_SHARD_BYTES, LEAST_SHARD_ENTRIES, MOST_SHARDS, Options};
pub use registry::{Handle, OpenError, open};
pub use shard::{AddError, Condition, Conflict, Outcome};
pub use snapshot::{Restored, SnapshotError, load, read, save, write};
pub use stats::Stats;
pub use value::{Found, NUMBER, Value};
