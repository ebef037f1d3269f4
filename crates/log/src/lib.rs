//! Lines of text to a file or a stream, written by a thread of its own.
//!
//! A [`Log`] is a handle. All handles of a process that were opened for one file share its queue and its thread, and lines of
//! one handle are written in their order. What [`Log::push`] accepted is in memory that no caller owns: it is written
//! whatever becomes of who pushed it, unless the process is killed, or the file cannot be written until the last handle has
//! given up.
//!
//! Several processes can write to one file: each batch is appended, and each rotation carried out, under the system's
//! advisory lock of that file, after a look whether the path still leads to it.

mod counts;
mod failure;
mod file;
mod journal;
mod log;
mod options;
mod output;
mod priority;
mod queue;
mod rotation;
mod sink;
mod stream;
mod trouble;
mod writer;

pub use counts::Counts;
pub use failure::{Failure, Step};
pub use keelson_core::latency::Latencies;
pub use log::{Log, OpenError};
pub use options::{Compression, FileOptions, Keep, OnFull, Options, Target};
pub use queue::entry::{Entry, Timestamp};
pub use rotation::schedule::{Schedule, Zone};
pub use sink::{Event, FlushError};
